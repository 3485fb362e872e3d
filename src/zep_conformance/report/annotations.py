"""A report as commands to GitHub's runner, which shows them at the lines of the features, and on the job's page.

    ::error file=features/storing.feature,line=12,title=STORE-1 (MUST)::A message …: it forgot

What failed or broke is an error, a known deviation a warning; GitHub shows ten of each kind a step, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zep_conformance.report.document import scenarios_in
from zep_conformance.report.outcomes import COULD_NOT_TELL

MOST = 10
"""What GitHub shows of each kind."""
_LONGEST = 600
"""Characters of what one says."""
_TITLE = "zep-conformance"
_OBEYED = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters, beside ends of lines, that a terminal or the runner's log would obey."""


def commands(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the commands for the report of a run (see `document.document`), a line each; it must be clean of secrets.

    What fails the run goes first. Of what shows the same known deviation the first is annotated.
    """
    evidence = {one["nodeid"]: one for one in report["evidence"]}
    failing = {*report["gate"]["failing"]}
    errors: list[str] = []
    deviating: dict[str, str] = {}
    for scenario in sorted(scenarios_in(report), key=lambda one: one["nodeid"] not in failing):
        if scenario["nodeid"] in failing or scenario["outcome"] in ("failed", "error"):
            errors.append(_annotation("error", scenario, evidence.get(scenario["nodeid"])))
        elif scenario["outcome"] == "deviation":
            deviating.setdefault(scenario["deviation"], _annotation("warning", scenario, None))
    if report["verdict"] == COULD_NOT_TELL:
        why = report["trouble"] or "; ".join(report["ended"]) or report["basis"]["words"]
        errors.insert(0, _command("error", why, title=f"{_TITLE}: {COULD_NOT_TELL}"))
    yield from _fitting("error", errors, "that are wrong: the reports have all of it")
    yield from _fitting("warning", [*deviating.values()], "known deviations: the reports have all of them")


def _fitting(kind: str, commands: Sequence[str], rest: str) -> Iterator[str]:
    """Yield as many as GitHub shows; the last says how many there are beside."""
    if len(commands) <= MOST:
        yield from commands
    else:
        yield from commands[: MOST - 1]
        yield _command(kind, f"{len(commands) - MOST + 1} more {rest}", title=_TITLE)


def _annotation(kind: str, scenario: Mapping[str, Any], evidence: Mapping[str, Any] | None) -> str:
    """Return the command for a scenario. Its line is that of the step at which it failed, where it got to one."""
    reached = [step["line"] for step in scenario["steps"] if step["outcome"] == "failed"]
    what = f"{', '.join(scenario['requirements'])} ({scenario['level']})"
    broke = "the suite itself broke: " if scenario["outcome"] == "error" else ""
    again = f"\nagain: {evidence['rerun']}" if evidence is not None and kind == "error" else ""
    return _command(
        kind,
        f"{scenario['name']}: {broke}{scenario['reason']}"[:_LONGEST] + again,
        file=scenario["feature"],
        line=str(next(iter(reached), scenario["line"]) or ""),
        title=f"{scenario['deviation']}, {what}" if scenario["deviation"] else what,
    )


def _command(kind: str, text: str, **properties: str) -> str:
    known = ",".join(f"{name}={_escaped(value, ':', ',')}" for name, value in properties.items() if value)
    return f"::{kind} {known}::{_escaped(text)}"


def _escaped(text: str, *others: str) -> str:
    """Return a text as the runner reads it back: one line, whatever is in it. others: what must not stand there."""
    text = _OBEYED.sub(" ", text.encode(errors="replace").decode())
    for one in ("%", "\r", "\n", *others):
        text = text.replace(one, f"%{ord(one):02X}")
    return text
