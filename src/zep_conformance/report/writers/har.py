"""reports/har/: what was asked and answered in each scenario that failed or broke, for browsers and HTTP tools.

It is made of the whole exchanges (`report.exchanges`). Secrets are removed, so that such a file can be looked at and
compared, and not sent again as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from zep_conformance.report import folder
from zep_conformance.report.document import scenarios_in
from zep_conformance.report.events import Event, RunEnded
from zep_conformance.report.exchanges import lines_of
from zep_conformance.report.writers.base import Writer

FOLDER = "har"
_WRONG = ("failed", "error")
_LONGEST = 100
"""Characters of a file's name."""
Whole = Mapping[str, Any]
"""An exchange, as `report.exchanges` writes it."""


class Har(Writer):
    """Writes a file for each scenario that failed or broke."""

    file = FOLDER

    def saw(self, event: Event) -> None:
        """Write the files of a run that has ended."""
        if isinstance(event, RunEnded):
            for name, text in files(event.document, event.exchanges):
                folder.write(event.path_of(self.file) / name, text)


def files(report: Mapping[str, Any], exchanges: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file, of the report of a run (see `document.document`) and its exchanges."""
    for scenario in scenarios_in(report):
        nodeid = scenario["nodeid"]
        if scenario["outcome"] in _WRONG and (found := [*lines_of(exchanges.get(nodeid, b""))]):
            yield name_of(nodeid), render(report, scenario, found)


def name_of(nodeid: str) -> str:
    """Return the name of a scenario's file: that of its test, and what tells it from others of nearly that name."""
    test = nodeid.partition("::")[2]
    plain = re.sub(r"[^a-z0-9_]+", "-", test.removeprefix("test_").lower()).strip("-")[:_LONGEST]
    same = "" if f"test_{plain}" == test else "-" + hashlib.sha256(nodeid.encode(errors="replace")).hexdigest()[:8]
    return f"{plain}{same}.har"


def render(report: Mapping[str, Any], scenario: Mapping[str, Any], exchanges: Sequence[Whole]) -> str:
    """Return the exchanges of one scenario as HAR 1.2, in the order of sending.

    Where it was carried out twice they are those of the second time.
    """
    began = scenario["started"] or report["started"]
    last = max(one["attempt"] for one in exchanges)
    shown = [one for one in exchanges if one["attempt"] == last]
    left_out = sum(one.get("left_out", 0) for one in shown)
    page = {
        "id": scenario["nodeid"],
        "title": f"{scenario['name']} ({', '.join(scenario['requirements'])})",
        "startedDateTime": began,
        "pageTimings": {},
        "comment": f"{scenario['outcome']}: {scenario['reason']}"
        + (f"; {left_out} later exchanges are left out" if left_out else ""),
    }
    entries = [_entry(one, datetime.fromisoformat(began), page=scenario["nodeid"]) for one in shown]
    log = {"version": "1.2", "creator": dict(report["tool"]), "pages": [page], "entries": entries}
    return json.dumps({"log": log}, indent=1) + "\n"


def _entry(exchange: Whole, began: datetime, page: str) -> dict[str, Any]:
    took = round(exchange["seconds"] * 1000, 1)
    return {
        "pageref": page,
        "startedDateTime": (began + timedelta(seconds=exchange["started"])).isoformat(timespec="milliseconds"),
        "time": took,
        "request": _request(exchange["request"], exchange.get("cut", {})),
        "response": _response(exchange, exchange.get("cut", {})),
        "cache": {},
        # When the first byte came is not known: all of it is counted as waiting.
        "timings": {"send": 0, "wait": took, "receive": 0},
        "comment": "; ".join(_remarks(exchange)),
    }


def _remarks(exchange: Whole) -> Iterator[str]:
    if exchange["step"]:
        yield f"in the step at line {exchange['step']}"
    if exchange["part"]:
        yield f"to {exchange['part']}"


def _request(asked: Mapping[str, Any], cut: Mapping[str, int]) -> dict[str, Any]:
    body = asked["body"]
    request: dict[str, Any] = {
        "method": asked["method"],
        "url": _as_uri(asked["url"]),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(asked["headers"]),
        "queryString": _pairs(parse_qsl(asked["url"].partition("#")[0].partition("?")[2], keep_blank_values=True)),
        "headersSize": -1,
        "bodySize": _size(body),
    }
    if body:
        request["postData"] = {"mimeType": _kind(asked["headers"]), "text": body} | _said_of(cut, "body")
    return request


def _response(exchange: Whole, cut: Mapping[str, int]) -> dict[str, Any]:
    status, answer = exchange["status"] or 0, exchange["answer"]
    broken = {"_error": exchange["error"], "comment": exchange["error"]} if exchange["error"] else {}
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in {*HTTPStatus} else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange["headers"]),
        "content": {"size": _size(answer), "mimeType": _kind(exchange["headers"]), "text": answer}
        | _said_of(cut, "answer"),
        "redirectURL": next((value for name, value in exchange["headers"] if name.lower() == "location"), ""),
        "headersSize": -1,
        "bodySize": _size(answer),
    } | broken


def _pairs(found: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in found]


def _kind(headers: Sequence[Sequence[str]]) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _said_of(cut: Mapping[str, int], what: str) -> dict[str, str]:
    return {"comment": f"cut: it had {cut[what]} characters"} if what in cut else {}


def _as_uri(url: str) -> str:
    """Return a URL without what no URI may have: what stands in a secret's place has brackets."""
    place = re.match(r"\w+://[^/?#]*", url)
    start = place.end() if place else 0
    return url[:start] + quote(url[start:], safe="/?#@!$&'()*+,;=:%~-._", errors="replace")
