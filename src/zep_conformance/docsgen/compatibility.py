"""Which requirements hold on which version: docs/compatibility.md, docs/data/compatibility.json and the badges.

    python -m zep_conformance.docsgen --measured reports/conformance.json    # keeps what a run came to

They are made of what is kept of whole runs (`compatibility.measurements`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from zep_conformance.compatibility.measurements import Held, Measurement, kept, number
from zep_conformance.compatibility.upgrade import Answer, compare
from zep_conformance.docsgen import cells, head
from zep_conformance.facts import deviations, requirements
from zep_conformance.report.writers.badge import picture

_SKIPPED = Held(outcome="skipped", tried=0, times=0)
_HOLDS, _NOT_TRIED = "holds", "not tried"
_FEW = 12
"""Words of a requirement that a table shows."""


def page(measured: Iterable[Measurement] | None = None) -> str:
    """Return the generated part of docs/compatibility.md. measured: what is kept, unless others are given."""
    return "\n".join(_lines(list(kept() if measured is None else measured))) + "\n"


def _lines(measured: list[Measurement]) -> Iterator[str]:
    alone = [one for one in measured if not one.langflux]
    pairs = [one for one in measured if one.langflux]
    yield from head("Measured", "what", "runs", "until", "verdict", "deviations shown")
    for one in measured:
        last = max(run.measured for run in one.runs)
        yield cells(one.title, str(len(one.runs)), last, one.verdict, ", ".join(_shown([one])))
    known = requirements.load_requirements()
    concerned = {name: one for name, one in known.items() if "langflux" in one.needs}
    yield from _table("Zep by itself", alone, known, [f"Zep {one.zep}" for one in alone])
    yield from _table("LangFlux in front of Zep", pairs, concerned, [f"{one.langflux} on {one.zep}" for one in pairs])
    yield from _steps("zep", [one.zep for one in alone], measured)
    yield from _steps("langflux", list(dict.fromkeys(one.langflux for one in pairs)), measured)
    yield from ("", "## The deviations", "")
    for deviation in sorted(deviations.load_deviations().values(), key=lambda one: number(one.id)):
        mended = f"; what mends it: {deviation.mended_by}" if deviation.mended_by else ""
        yield f"- {deviation.id}: {deviation.what} ({_ranges(deviation)}){mended}"


def _table(
    title: str, measured: list[Measurement], shown: dict[str, requirements.Requirement], columns: list[str]
) -> Iterator[str]:
    """Yield a table of what differs or does not hold, and a line each of what holds everywhere and was not tried."""
    if not measured:
        return
    rows = {name: [_held(one.requirements.get(name, _SKIPPED), one) for one in measured] for name in shown}
    same = {word: [name for name, row in rows.items() if set(row) == {word}] for word in (_HOLDS, _NOT_TRIED)}
    yield from head(title, "requirement", *columns)
    for name, row in rows.items():
        if not any(name in names for names in same.values()):
            yield cells(f"**{name}** {_short(shown[name].text)}", *row)
    yield ""
    yield f"Hold on each of them: {', '.join(same[_HOLDS]) or 'none'}."
    if same[_NOT_TRIED]:
        yield f"Not tried on any: {', '.join(same[_NOT_TRIED])}."


def _held(found: Held, of: Measurement) -> str:
    """Return what a requirement came to, in a table's words."""
    if found.outcome == "deviation":
        return ", ".join(found.deviations)
    if found.outcome == "failed":
        often = "" if found.times == len(of.runs) else f" ({found.times} of {len(of.runs)} runs)"
        return f"**does not hold**{often}"
    return {"passed": _HOLDS}.get(found.outcome, _NOT_TRIED)


def _short(text: str) -> str:
    words = text.split()
    return text if len(words) <= _FEW else " ".join(words[:_FEW]) + " …"


def _steps(part: str, versions: list[str], measured: list[Measurement]) -> Iterator[str]:
    """Yield what changed from each version to the next."""
    if len(versions) < 2:
        return
    yield from ("", f"## From one {'Zep' if part == 'zep' else 'LangFlux'} to the next", "")
    for one, other in pairwise(versions):
        answer = compare({part: (one, other)}, measured)
        told = [*_told("better", answer), *_told("worse", answer)]
        yield f"- {one} to {other}: {'; '.join(told) or 'nothing that the suite sees'}"


def _told(how: str, answer: Answer) -> Iterator[str]:
    changes = answer.better if how == "better" else answer.worse
    if changes:
        yield f"{how}: {', '.join(f'{one.subject} ({_short(one.text)})' for one in changes)}"


def _shown(measured: Iterable[Measurement]) -> list[str]:
    """Return the deviations that these have shown."""
    found = {name for one in measured for held in one.requirements.values() for name in held.deviations}
    return sorted(found, key=number)


def _ranges(deviation: deviations.Deviation) -> str:
    parts = {"zep": "Zep", "langflux": "LangFlux"}
    ranges = ((parts[part], sorted(map(str, found), reverse=True)) for part, found in deviation.versions.items())
    return "; ".join(f"{part} {', '.join(limits)}" for part, limits in ranges)


def machine_readable(measured: Iterable[Measurement] | None = None) -> str:
    """Return docs/data/compatibility.json: every measurement, and the versions that each deviation is known of."""
    found = list(kept() if measured is None else measured)
    body: dict[str, Any] = {
        "schema": 1,
        "measured": [one.as_json() | {"verdict": one.verdict} for one in found],
        "deviations": {
            one.id: {
                "what": one.what,
                "requirement": one.requirement,
                "versions": {
                    part: ",".join(sorted(map(str, found), reverse=True)) for part, found in one.versions.items()
                },
                "mended_by": one.mended_by or None,
                "intermittent": one.intermittent,
            }
            for one in deviations.load_deviations().values()
        },
    }
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def badge_data(found: Measurement) -> str:
    """Return the badge of a measurement as https://shields.io/badges/endpoint-badge takes it."""
    return json.dumps({"schemaVersion": 1, **badge(found)}) + "\n"


def badge_picture(found: Measurement) -> str:
    """Return the badge of a measurement as SVG."""
    return picture(**badge(found))


def badge(found: Measurement) -> dict[str, str]:
    """Return label, message and color of the badge of a measurement."""
    shown = len(_shown([found]))
    conforms = all(run.verdict.startswith("conforms") for run in found.runs)
    known = f", {shown} known deviation{'s' * (shown != 1)}" if shown else ""
    return {
        "label": found.title,
        "message": f"conforms{known}" if conforms else found.verdict,
        "color": ("yellowgreen" if shown else "brightgreen") if conforms else "red",
    }
