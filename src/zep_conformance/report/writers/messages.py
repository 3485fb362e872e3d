"""reports/messages.ndjson: the run as Cucumber Messages, for Cucumber's own viewers and formatters.

    meta
    source, gherkinDocument, pickle…        each feature that the run has scenarios of, as it is in the suite; what is
                                            not there (any more) as far as the report knows it
    testRunStarted, hook
    testCase…                               each scenario; one that failed outside its steps has a hook beside them
    testCaseStarted, testStepStarted, attachment…, testStepFinished, testCaseFinished
    testRunFinished

A known deviation is PENDING at the step that shows it. What was not run has a test case that never started. Moments
inside a scenario are counted from its beginning by how long its steps took.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

from gherkin.ast_builder import AstBuilder
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler
from gherkin.stream.id_generator import IdGenerator

from zep_conformance import suite
from zep_conformance.redaction.redactor import HIDDEN
from zep_conformance.report.document import scenarios_in
from zep_conformance.report.events import RunEnded
from zep_conformance.report.evidence import NOT_RUN
from zep_conformance.report.transcript import in_words
from zep_conformance.report.writers.base import AtEnd

PROTOCOL = "34.2.1"
"""The version of the protocol that tests hold it to."""
_STATUS = {"passed": "PASSED", "failed": "FAILED", "error": "FAILED", "skipped": "SKIPPED", "deviation": "PENDING"}
"""What the step has that decides a scenario, by the outcome of that."""
_WRONG = ("failed", "error", "deviation")

Message = dict[str, Any]


class Messages(AtEnd):
    """Writes Cucumber's messages."""

    file = "messages.ndjson"

    def text(self, event: RunEnded) -> str:
        """Return them, a line each."""
        return render(event.document)


def render(report: Mapping[str, Any]) -> str:
    """Return the report of a run (see `document.document`) as Cucumber Messages."""
    lines = (json.dumps(message) for message in _Stream(report).messages())
    return "\n".join(lines) + "\n"


class _Stream:
    """The messages of one run, whose ids are numbered through."""

    def __init__(self, report: Mapping[str, Any]) -> None:
        self._report = report
        self._ids = IdGenerator()
        self._run, self._hook = self._ids.get_next_id(), self._ids.get_next_id()
        self._evidence = {one["nodeid"]: one for one in report["evidence"]}

    def messages(self) -> Iterator[Message]:
        """Yield the messages, in their order."""
        report = self._report
        began = datetime.fromisoformat(report["started"])
        scenarios = sorted(scenarios_in(report), key=lambda one: one["started"] or "")
        features, pickles = self._features(scenarios)
        yield {"meta": _meta(report["tool"])}
        for feature in features:
            yield from feature.messages()
        yield {"testRunStarted": {"id": self._run, "timestamp": _timestamp(began)}}
        yield {"hook": {"id": self._hook, "name": "outside the steps", "sourceReference": {"uri": "conftest.py"}}}
        cases = [_Case(one, pickles[one["nodeid"]], self._ids, self._hook) for one in scenarios]
        for case in cases:
            yield {"testCase": case.as_json() | {"testRunStartedId": self._run}}
        for case in cases:
            yield from case.carried_out(self._evidence.get(case.nodeid))
        ended = began + timedelta(seconds=report["duration"])
        words = f"{report['verdict']}: {report['basis']['words']}"
        why = filter(None, (words, report["trouble"], *report["ended"]))
        done = {"success": report["exit_code"] == 0, "message": "\n".join(why), "timestamp": _timestamp(ended)}
        yield {"testRunFinished": done | {"testRunStartedId": self._run}}

    def _features(self, scenarios: Sequence[Mapping[str, Any]]) -> tuple[list[_Feature], dict[str, Message]]:
        """Return the features of scenarios, and the pickle of each by its node id."""
        features: list[_Feature] = []
        pickles: dict[str, Message] = {}
        for path in sorted({one["feature"] for one in scenarios}):
            mine = [one for one in scenarios if one["feature"] == path]
            file = suite.root() / path
            if path and file.is_file():
                features.append(_Feature(path, file.read_text(encoding="utf-8"), self._ids))
                found = {one["nodeid"]: pickle for one in mine if (pickle := features[-1].pickle_of(one))}
                pickles |= found
                mine = [one for one in mine if one["nodeid"] not in found]
            if mine:
                features.append(_Feature(f"reported/{path}", _reported(path, mine), self._ids))
                pickles |= zip((one["nodeid"] for one in mine), features[-1].pickles, strict=True)
        return features, pickles


def _reported(path: str, scenarios: Sequence[Mapping[str, Any]]) -> str:
    """Return a feature of scenarios that are known by the report alone."""
    lines = [f"Feature: {path} as the report has it"]
    for one in scenarios:
        texts = (f"* {step['text'] or '…'}" for step in one["steps"])
        lines += [
            " ".join(text.split()) for text in (f"Scenario: {one['name']}", *(texts if one["steps"] else ["* nothing"]))
        ]
    return "\n".join(lines) + "\n"


class _Feature:
    """One feature, and the pickles that its scenarios are."""

    def __init__(self, path: str, text: str, ids: IdGenerator) -> None:
        self._path, self._text = path, text
        self._document: Message = {**Parser(AstBuilder(ids)).parse(text), "uri": path}
        compiler: Any = Compiler(ids)  # which has types of its own for what is a dictionary here
        self.pickles: list[Message] = [*compiler.compile(self._document)]
        named = dict(_named(self._document))
        self._left = [(*named[pickle["astNodeIds"][-1]], pickle) for pickle in self.pickles]

    def messages(self) -> Iterator[Message]:
        """Yield what the feature is, before any of it is carried out."""
        yield {"source": {"uri": self._path, "data": self._text, "mediaType": "text/x.cucumber.gherkin+plain"}}
        yield {"gherkinDocument": self._document}
        yield from ({"pickle": pickle} for pickle in self.pickles)

    def pickle_of(self, scenario: Mapping[str, Any]) -> Message | None:
        """Return the pickle that a scenario of the report is, or an example of an outline; None where there is none."""
        example = scenario["nodeid"].partition("[")[2].removesuffix("]")
        pattern = ".+".join(map(re.escape, example.split(HIDDEN)))
        for place, (line, name, pickle) in enumerate(self._left):
            if line == scenario["line"] and re.fullmatch(pattern, name):
                del self._left[place]
                return pickle
        return None


def _named(document: Message) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield the id of each scenario and of each example of an outline, with its line, and what pytest calls it."""
    children = [*document["feature"]["children"]]
    for child in children:
        children += child.get("rule", {}).get("children", [])
        if (scenario := child.get("scenario")) is None:
            continue
        line = scenario["location"]["line"]
        yield scenario["id"], (line, "")
        for row in (row for table in scenario["examples"] for row in table["tableBody"]):
            name = "-".join(cell["value"] for cell in row["cells"])
            yield row["id"], (line, name.encode("unicode_escape").decode())


class _Case:
    """One scenario of the report as a test case. steps: its test steps, each with what came of it."""

    def __init__(self, scenario: Mapping[str, Any], pickle: Message, ids: IdGenerator, hook: str) -> None:
        self._scenario, self._pickle = scenario, pickle
        self.nodeid: str = scenario["nodeid"]
        self._id, self._attempt = ids.get_next_id(), ids.get_next_id()
        self._steps: list[Message] = []
        self._results: list[tuple[str, float]] = []
        nothing: Message = {}
        for step, found in zip_longest(pickle["steps"], scenario["steps"][: len(pickle["steps"])], fillvalue=nothing):
            self._steps.append({"id": ids.get_next_id(), "pickleStepId": step["id"], "stepDefinitionIds": []})
            self._results.append((found.get("outcome", NOT_RUN), found.get("duration", 0.0)))
        outcomes = [outcome for outcome, _ in self._results]
        if scenario["outcome"] in _WRONG and "failed" not in outcomes:
            # Before the first step where none was reached, else after the last.
            place = len(outcomes) if "passed" in outcomes else 0
            self._steps.insert(place, {"id": ids.get_next_id(), "hookId": hook})
            self._results.insert(place, ("failed", 0.0))

    def as_json(self) -> Message:
        """Return the test case as data."""
        return {"id": self._id, "pickleId": self._pickle["id"], "testSteps": self._steps}

    def carried_out(self, evidence: Mapping[str, Any] | None) -> Iterator[Message]:
        """Yield what came of it; nothing where it was not begun. evidence: of what failed or broke."""
        if not self._scenario["started"]:
            return
        began = moment = datetime.fromisoformat(self._scenario["started"])
        started = {"id": self._attempt, "testCaseId": self._id, "attempt": 0, "timestamp": _timestamp(began)}
        yield {"testCaseStarted": started}
        reason = self._scenario["reason"] if evidence is None else evidence["complaint"]
        for step, (outcome, duration) in zip(self._steps, self._results, strict=True):
            of = {"testCaseStartedId": self._attempt, "testStepId": step["id"]}
            yield {"testStepStarted": of | {"timestamp": _timestamp(moment)}}
            moment += timedelta(seconds=duration)
            status = self._status(outcome)
            result: Message = {"status": status, "duration": _parts_of(timedelta(seconds=duration))}
            if status not in ("PASSED", "SKIPPED") or (status == "SKIPPED" and reason):
                result["message"], reason = reason, ""
            if outcome == "failed" and evidence is not None:
                yield from (_attachment(name, text, of, moment) for name, text in _told(evidence))
            yield {"testStepFinished": of | {"testStepResult": result, "timestamp": _timestamp(moment)}}
        ended = max(moment, began + timedelta(seconds=self._scenario["duration"]))
        done = {"testCaseStartedId": self._attempt, "timestamp": _timestamp(ended), "willBeRetried": False}
        yield {"testCaseFinished": done}

    def _status(self, outcome: str) -> str:
        """Return the status of a step by its outcome; the one that failed decides what its scenario is."""
        return (
            _STATUS.get(self._scenario["outcome"], "SKIPPED")
            if outcome == "failed"
            else _STATUS.get(outcome, "SKIPPED")
        )


def _told(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what tells of a failure beside its complaint: a name, and a text."""
    if evidence["exchanges"]:
        yield "requests.txt", "\n\n".join(map(in_words, evidence["exchanges"]))
    yield from ((f"log of {part}.txt", log) for part, log in evidence["logs"].items() if log)
    if evidence["attached"]:
        yield "files.txt", "\n".join(evidence["attached"])
    yield "run just this again.txt", evidence["rerun"]


def _attachment(name: str, text: str, of: Mapping[str, str], moment: datetime) -> Message:
    known = {"body": text, "contentEncoding": "IDENTITY", "mediaType": "text/plain", "fileName": name}
    return {"attachment": {**known, **of, "timestamp": _timestamp(moment)}}


def _meta(tool: Mapping[str, str]) -> Message:
    return {
        "protocolVersion": PROTOCOL,
        "implementation": {"name": tool["name"], "version": tool["version"]},
        "runtime": {"name": platform.python_implementation(), "version": platform.python_version()},
        "os": {"name": platform.system(), "version": platform.release()},
        "cpu": {"name": platform.machine()},
    }


def _timestamp(moment: datetime) -> Message:
    return _parts_of(moment - datetime(1970, 1, 1, tzinfo=UTC))


def _parts_of(span: timedelta) -> Message:
    return {"seconds": span.days * 86_400 + span.seconds, "nanos": span.microseconds * 1000}
