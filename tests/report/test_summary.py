"""The summary in Markdown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import records
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.observations import Observations, PartSeen, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.report.writers import summary
from zep_conformance.session.verdict import Gate, conclude

SEEN = Observations(
    target=TargetSeen(name="remote", deployed=True),
    parts={"zep": PartSeen(version="0.27.2", url="https://zep.example.com")},
    capabilities={"auth": "this Zep is open"},
    requests=12,
)


def record(nodeid: str, outcome: str, requirement: str, reason: str = "", **more: Any) -> Record:
    return records.record(nodeid, outcome, requirement, reason=reason, **more)


def made(*found: Record, **changed: Any) -> str:
    concluded = conclude(
        found, replace(SEEN, **changed), Gate(), requirements=load_requirements(), exit_status=0, seed=7,
        prefix="zc-1", started=datetime.now(UTC), duration=1.5,
    )  # fmt: skip
    return summary.markdown(concluded.report, Path("out"))


def test_failed_requirements_come_first_with_their_reasons() -> None:
    found = made(
        record("one", "passed", "STORE-1"),
        record("two", "deviation", "API-4", "DEV-6: as known", deviation="DEV-6"),
        record("three", "failed", "API-5", "it forgot"),
        record("four", "passed", "API-5"),
        record("five", "skipped", "AUTH-1", "no capability auth: this Zep is open"),
        record("six", "skipped", "AUTH-2", "no capability auth: this Zep is open"),
        record("seven", "passed", "API-6", "DEV-4 is fixed here: it is", fixed=True, deviation="DEV-4"),
    )
    in_order = (
        "## zep-conformance: does not conform",
        "### Failed\n\n- **API-5** Scenario three: it forgot (features/a.feature:1)",
        "| target | remote |",
        "| parts | zep 0.27.2 at https",
        "| scenarios | 3 passed, 1 failed, 2 skipped, 1 deviation |",
        "### Known deviations",
        "- DEV-6: as known: 1 scenario of API-4",
        "### Known deviations that are fixed\n\n- Scenario seven (API-6): DEV-4 is fixed here: it is",
        "### Skipped",
        "- no capability auth: this Zep is open: 2 scenarios of AUTH-1, AUTH-2",
        "<details><summary>6 requirements, by outcome</summary>",
        "| API-5",
        "| SHOULD | **failed** | 1 failed, 1 passed |",
        "| API-4",
        "| STORE-1",
        "| AUTH-1",
        "</details>",
        "The whole evidence: `index.html` in `out/`",
    )
    positions = [found.find(text) for text in in_order]
    assert -1 not in positions, found
    assert positions == sorted(positions)


def test_what_could_not_be_told_says_why() -> None:
    found = made(troubles=("zep at http://zep: refused\n  Is it up?",), target=None, parts={})
    assert "## zep-conformance: could not tell" in found
    assert "**Why:** zep at http&#58;//zep: refused Is it up?" in found
    assert "| scenarios | none ran |" in found


def test_the_suites_own_servers_are_no_deployment() -> None:
    assert "nothing about a deployment" in made(target=TargetSeen(name="embedded", deployed=False))
    assert "nothing about a deployment" not in made()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a | b", r"a \| b"),
        ("two\nlines\x1b[31m", r"two lines \[31m"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("[a link](http://x) @team", r"\[a link\](http&#58;//x) &#64;team"),
        ("`code` *and* _more_ $x$ &amp;", r"\`code\` \*and\* \_more\_ \$x\$ &amp;amp;"),
        ("x" * 400, "x" * 300 + "…"),
    ],
)
def test_what_a_server_said_is_only_text(said: str, shown: str) -> None:
    assert summary.text(said) == shown
    lines = made(record("one", "failed", "API-5", said, name=said)).splitlines()
    [row] = [line for line in lines if line.startswith("- **API-5**")]
    assert row == f"- **API-5** {shown}: {shown} (features/a.feature:1)"


def test_of_many_that_failed_some_are_shown_and_the_rest_is_counted() -> None:
    found = made(*(record(f"{number:02}", "failed", "API-5", "it forgot") for number in range(25)))
    assert found.count("it forgot") == summary.MOST == 20
    assert "- 5 more\n" in found


def test_what_broke_is_not_said_to_have_failed() -> None:
    found = made(record("one", "error", "API-5", "KeyError: 1"))
    assert "### Failed" not in found
    assert "### The suite itself broke: this says nothing about the deployment\n\n- **API-5** Scenario one" in found


def test_what_was_left_behind_is_listed() -> None:
    assert "### Left behind in the target\n\n- session zc-1 (ReadTimeout)" in made(
        left_behind=("session zc-1 (ReadTimeout)",)
    )
