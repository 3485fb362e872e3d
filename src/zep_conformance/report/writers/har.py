"""reports/har/: what was asked and answered in each scenario that failed or broke, for browsers and HTTP tools.

Secrets are removed, so that such a file can be looked at and compared, and not sent again as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from zep_conformance.report import folder
from zep_conformance.report.document import scenarios_in
from zep_conformance.report.events import Event, RunEnded
from zep_conformance.report.writers.base import Writer

FOLDER = "har"
_WRONG = ("failed", "error")
_LONGEST = 100
"""Characters of a file's name."""


class Har(Writer):
    """Writes a file for each scenario that failed or broke."""

    file = FOLDER

    def saw(self, event: Event) -> None:
        """Write the files of a run that has ended."""
        if isinstance(event, RunEnded):
            for name, text in files(event.document):
                folder.write(event.path_of(self.file) / name, text)


def files(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file, of the report of a run (see `document.document`)."""
    evidence = {one["nodeid"]: one for one in report["evidence"]}
    for scenario in scenarios_in(report):
        known = evidence.get(scenario["nodeid"])
        if scenario["outcome"] in _WRONG and known is not None and known["exchanges"]:
            yield name_of(scenario["nodeid"]), render(report, scenario, known)


def name_of(nodeid: str) -> str:
    """Return the name of a scenario's file: that of its test, and what tells it from others of nearly that name."""
    test = nodeid.partition("::")[2]
    plain = re.sub(r"[^a-z0-9_]+", "-", test.removeprefix("test_").lower()).strip("-")[:_LONGEST]
    same = "" if f"test_{plain}" == test else "-" + hashlib.sha256(nodeid.encode(errors="replace")).hexdigest()[:8]
    return f"{plain}{same}.har"


def render(report: Mapping[str, Any], scenario: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """Return the exchanges of one scenario as HAR 1.2, oldest first."""
    moment = datetime.fromisoformat(scenario["started"] or report["started"])
    left_out = f"; {evidence['left_out']} earlier exchanges are left out" if evidence["left_out"] else ""
    entries = []
    for exchange in evidence["exchanges"]:
        entries.append(_entry(exchange, moment, page=scenario["nodeid"]))
        moment += timedelta(milliseconds=exchange["milliseconds"])
    page = {
        "id": scenario["nodeid"],
        "title": f"{scenario['name']} ({', '.join(scenario['requirements'])})",
        "startedDateTime": scenario["started"] or report["started"],
        "pageTimings": {},
        "comment": f"{scenario['outcome']}: {scenario['reason']}{left_out}",
    }
    log = {"version": "1.2", "creator": dict(report["tool"]), "pages": [page], "entries": entries}
    return json.dumps({"log": log}, indent=1) + "\n"


def _entry(exchange: Mapping[str, Any], moment: datetime, page: str) -> dict[str, Any]:
    method, url, headers, body = _asked(exchange["request"])
    answer, status, took = exchange["answer"], exchange["status"], exchange["milliseconds"]
    request: dict[str, Any] = {
        "method": method,
        "url": _as_uri(url),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in headers],
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(url.partition("?")[2], keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len(body.encode(errors="replace")),
    }
    if body:
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        request["postData"] = {"mimeType": kind, "text": body}
    return {
        "pageref": page,
        "startedDateTime": moment.isoformat(timespec="milliseconds"),
        "time": took,
        "request": request,
        "response": {
            "status": status,
            "statusText": HTTPStatus(status).phrase if status in {*HTTPStatus} else "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [],
            "content": {
                "size": len(answer.encode(errors="replace")),
                "mimeType": "application/json" if answer[:1] in ("{", "[") else "text/plain",
                "text": answer,
            },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
        "comment": f"asked {exchange['times']} times; this is the last" if exchange["times"] > 1 else "",
    }


def _asked(command: str) -> tuple[str, str, list[tuple[str, str]], str]:
    """Return the method, URL, headers and body of a request that is shown as a command (`transcript.as_curl`)."""
    words = iter(_words(command))
    method, url, body, headers = "GET", "", "", []
    for word in words:
        if word == "-X":
            method = next(words, method)
        elif word == "--data-binary":
            body = next(words, "")
        elif word == "-H":
            name, _, value = next(words, "").partition(": ")
            headers.append((name, value))
        else:
            url = word
    return method, url, headers, body


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # what was hidden took a quote with it
        return command.split()


def _as_uri(url: str) -> str:
    """Return a URL without what no URI may have: what stands in a secret's place has brackets."""
    place = re.match(r"\w+://[^/?#]*", url)
    start = place.end() if place else 0
    return url[:start] + quote(url[start:], safe="/?#@!$&'()*+,;=:%~-._", errors="replace")
