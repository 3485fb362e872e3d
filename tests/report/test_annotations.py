"""A report as GitHub's annotations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

from click.testing import CliRunner

from tests.support.documents import report
from tests.support.records import evidence, record
from tests.support.schemas import AWKWARD
from zep_conformance.cli import annotate
from zep_conformance.report.annotations import MOST, commands

_READ = re.compile(r"::(error|warning) ([^\r\n:]*)::([^\r\n]*)")
"""A command, as the runner reads it."""


def read(line: str) -> tuple[str, dict[str, str], str]:
    found = _READ.fullmatch(line)
    assert found is not None, line
    properties = dict(one.split("=", 1) for one in found[2].split(","))
    return found[1], {name: unquote(value) for name, value in properties.items()}, unquote(found[3])


STEPS = (
    {"text": "Given a", "keyword": "Given", "line": 12, "outcome": "passed", "duration": 0.1},
    {"text": "Then b", "keyword": "Then", "line": 13, "outcome": "failed", "duration": 0.1},
)
PLACE = {"feature": "features/storing.feature", "line": 11}


def test_a_failure_stands_at_its_step_under_its_requirements() -> None:
    failed = record("a", "failed", "STORE-1", "API-1", reason="it forgot", steps=STEPS, evidence=evidence("x"), **PLACE)
    [(kind, properties, text)] = map(read, commands(report(failed)))
    assert kind == "error"
    assert properties == {"file": "features/storing.feature", "line": "13", "title": "STORE-1, API-1 (MUST)"}
    assert text == "Scenario a: it forgot\nagain: zep-conformance run x"


def test_what_broke_outside_its_steps_stands_at_its_scenario() -> None:
    [_, (kind, properties, text)] = map(read, commands(report(record("a", "error", reason="KeyError", **PLACE))))
    assert (kind, properties["line"]) == ("error", "11")
    assert text == "Scenario a: the suite itself broke: KeyError"


def test_known_deviations_are_warnings_one_each() -> None:
    deviating = [
        record(f"{name}", "deviation", deviation=name[:5], reason="known") for name in ("DEV-1", "DEV-1b", "DEV-4")
    ]
    found = [read(line) for line in commands(report(record("p", "passed"), *deviating))]
    assert [(kind, properties["title"]) for kind, properties, _ in found] == [
        ("warning", "DEV-1, API-1 (MUST)"), ("warning", "DEV-4, API-1 (MUST)"),
    ]  # fmt: skip


def test_no_more_than_github_shows_and_how_many_there_are_beside() -> None:
    found = [read(line) for line in commands(report(*(record(f"{n:02}", "failed", reason="x") for n in range(14))))]
    assert len(found) == MOST == 10
    assert found[-1][2] == "5 more that are wrong: the reports have all of it"


def test_a_run_that_could_not_tell_says_why_first() -> None:
    found = [read(line) for line in commands(report(record("a", "error", reason="x"), troubles=("zep is away",)))]
    assert found[0] == ("error", {"title": "zep-conformance: could not tell"}, "zep is away")


def test_nothing_is_said_of_what_passed() -> None:
    assert [*commands(report(record("a", "passed"), record("b", "skipped", reason="no capability ui: none")))] == []


def test_no_text_is_a_command_of_its_own() -> None:
    wrong = record(
        "a", "failed", name=AWKWARD, reason=AWKWARD, feature="a,b::c.feature", line=3, evidence=evidence(AWKWARD)
    )
    [(_, properties, text)] = map(read, commands(report(wrong)))
    assert properties["file"] == "a,b::c.feature"
    assert "%0A::error::x" in text and "\N{GRINNING FACE}" in text and "\x1b" not in text and "half\r\nof two" in text


def test_the_command_prints_them(tmp_path: Path) -> None:
    path = tmp_path / "conformance.json"
    path.write_text(json.dumps(report(record("a", "failed", reason=AWKWARD))))
    ended = CliRunner().invoke(annotate.command, [str(path)])
    assert ended.exit_code == 0 and [read(line)[0] for line in ended.output.splitlines()] == ["error"]
    for text in ("{", "[]", "{}", '{"requirements": 1}'):
        path.write_text(text)
        refused = CliRunner().invoke(annotate.command, [str(path)])
        assert getattr(refused.exception, "code", None) == "report-unreadable", text
