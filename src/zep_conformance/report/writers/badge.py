"""reports/badge.svg and badge.json: the verdict and what it rests on, for a README.

badge.json is what shields.io makes a badge of (`https://img.shields.io/endpoint?url=…`); badge.svg needs nobody else.
Green is said of a deployment only: a run on the suite's own servers is no better than grey.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from zep_conformance.report.events import RunEnded
from zep_conformance.report.outcomes import AS_FAR_AS_ASKED, CONFORMS, COULD_NOT_TELL, DOES_NOT_CONFORM
from zep_conformance.report.writers.base import AtEnd

LABEL, OWN_SERVERS = "zep-conformance", "zep-conformance (own servers)"
_COLOURS = {
    "brightgreen": "#4c1",
    "green": "#97ca00",
    "yellowgreen": "#a4a61d",
    "yellow": "#dfb317",
    "orange": "#fe7d37",
    "red": "#e05d44",
    "lightgrey": "#9f9f9f",
}
"""The names that shields.io has for them, and what those are."""
_NARROW, _WIDE = "fijlrt.,:;'|()![] ", "mwMWQO%@"
_HEIGHT, _MARGIN = 20, 6


class BadgeData(AtEnd):
    """Writes the badge as data."""

    file = "badge.json"

    def text(self, event: RunEnded) -> str:
        """Return it as JSON, as shields.io takes it."""
        return json.dumps({"schemaVersion": 1, **badge(event.document)}, ensure_ascii=False) + "\n"


class BadgePicture(AtEnd):
    """Writes the badge as a picture."""

    file = "badge.svg"

    def text(self, event: RunEnded) -> str:
        """Return it as SVG."""
        return picture(**badge(event.document))


def badge(report: Mapping[str, Any]) -> dict[str, str]:
    """Return label, message and color of the badge of a run (see `document.document`)."""
    is_own = (report["target"] or {}).get("deployed") is False
    return {
        "label": OWN_SERVERS if is_own else LABEL,
        "message": _message(report),
        "color": _color(report, is_own=is_own),
    }


def _message(report: Mapping[str, Any]) -> str:
    basis = report["basis"]
    failed, deviate = (_count(report, outcome) for outcome in ("failed", "deviation"))
    if report["verdict"] == COULD_NOT_TELL and not failed:
        return COULD_NOT_TELL
    found = [f"{failed} failed"] if failed else []
    found.append(f"{basis['checked']} of {basis['requirements']} checked")
    found += [f"{deviate} deviate{'s' * (deviate == 1)}"] if deviate else []
    verdict = CONFORMS if report["verdict"] == AS_FAR_AS_ASKED else report["verdict"]
    return f"{verdict}: {', '.join(found)}"


def _count(report: Mapping[str, Any], outcome: str) -> int:
    return sum(one["outcome"] == outcome for one in report["requirements"])


def _color(report: Mapping[str, Any], *, is_own: bool) -> str:
    if report["verdict"] == COULD_NOT_TELL:
        return "lightgrey"
    if report["verdict"] == DOES_NOT_CONFORM:
        # What a baseline excuses is wrong all the same.
        return "red" if report["exit_code"] else "orange"
    if is_own:
        return "lightgrey"
    if report["basis"]["must_unchecked"] or _count(report, "deviation"):
        return "yellow"
    return "brightgreen" if report["verdict"] == CONFORMS else "green"


def picture(*, label: str, message: str, color: str) -> str:
    """Return a badge as SVG. color: one of shields.io's names."""
    left, right = (_width(text) + 2 * _MARGIN for text in (label, message))
    said = quoteattr(f"{label}: {message}")
    texts = "".join(
        f'<text x="{x}" y="14" textLength="{width - 2 * _MARGIN}">{escape(text)}</text>'
        for x, width, text in ((_MARGIN, left, label), (left + _MARGIN, right, message))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" '
        f"aria-label={said}><title>{escape(label)}: {escape(message)}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="{_HEIGHT}" rx="3"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{left}" height="{_HEIGHT}" fill="#555"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_COLOURS[color]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">{texts}</g></svg>\n'
    )


def _width(text: str) -> int:
    """Return about how wide a text is, in pixels: it is then drawn that wide."""
    return round(sum(4.2 if char in _NARROW else 9.5 if char in _WIDE else 7 for char in text))
