"""Every mutation and recorded behaviour: docs/mutations.md."""

from __future__ import annotations

from collections.abc import Iterator

from zep_conformance.facts.recorded_behaviours import RecordedBehaviour
from zep_conformance.mutation.catalogue import PAGE, RECORDED_BEHAVIOURS, WITHOUT_PAGE, Planted


def page() -> str:
    """Return docs/mutations.md."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Mutations and recorded behaviours: how what is tested can be other than documented"
    yield ""
    yield "Made by `python -m zep_conformance.docsgen`. A *recorded behaviour* is what a real version does beside its"
    yield "documentation; `--recorded-behaviours` switches all of them, or those named, on in the embedded servers. A"
    yield "*mutation* is a fault planted on purpose, by `--mutations part:name,…`, to prove that a check can fail."
    yield from _table("Recorded behaviours: what Zep 0.27.2 and Flowise 2.2.8 do", RECORDED_BEHAVIOURS)
    yield from _table("Mutations of the embedded servers and of our deployment files", WITHOUT_PAGE)
    yield from _table("Mutations of the page, between LangFlux and the browser", PAGE)


def _table(title: str, rows: tuple[Planted, ...]) -> Iterator[str]:
    yield from (
        "",
        f"## {title}",
        "",
        "| name | part | breaks | known as | what then happens |",
        "|---|---|---|---|---|",
    )
    for one in rows:
        known_as = (one.deviation or "") if isinstance(one, RecordedBehaviour) else ""
        about = one.about.replace("|", "\\|")
        yield f"| `{one.name}` | {one.part} | {', '.join(one.breaks)} | {known_as} | {about} |"
