"""The end of a run: what its records and observations come to, as an exit code, a report and lines for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from zep_conformance import __version__
from zep_conformance.facts.requirements import Requirement
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report import document, terminal
from zep_conformance.report.observations import Observations
from zep_conformance.report.outcomes import Record
from zep_conformance.session.gate import Gate, Verdict

_SETTLED = frozenset({0, 1, 5})
"""pytest's exit statuses of a run that came to its end: all passed, some failed, nothing was collected."""
_USAGE_ERROR = 4


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What a run comes to. exit_code: of the process. report: conformance.json."""

    exit_code: int
    verdict: Verdict
    report: dict[str, Any]
    records: Collection[Record]
    observations: Observations

    def write(self, folder: Path, redactor: Redactor) -> str:
        """Write the reports, without secrets. Return where they are, or why there are none, in words."""
        try:
            return f"reports: {document.write(folder, self.report, redactor).parent}/"
        except OSError as error:
            return f"no report: {error}"

    def lines(self, where: str) -> Iterator[str]:
        """Yield what is said of it in a terminal. where: what `write` returned."""
        yield from terminal.conclusion(
            self.records, self.observations, remarks=self.verdict.remarks(), verdict=str(self.verdict), reports=where
        )


def conclude(
    records: Collection[Record],
    observations: Observations,
    gate: Gate,
    *,
    requirements: Mapping[str, Requirement],
    exit_status: int,
    seed: int,
    prefix: str,
    started: datetime,
    duration: float,
) -> Conclusion:
    """Return what a run comes to. exit_status: pytest's own. prefix: of the names of all that was made.

    duration: seconds. Words that pytest does not understand end the process with pytest's own status.
    """
    verdict = gate.verdict(records, observations, settled=exit_status in _SETTLED)
    return Conclusion(
        exit_code=exit_status if exit_status == _USAGE_ERROR else verdict.code,
        verdict=verdict,
        report=document.document(
            records,
            requirements,
            observations=observations,
            version=__version__,
            seed=seed,
            prefix=prefix,
            started=started,
            duration=duration,
            exit_code=verdict.code,
            verdict=verdict.name,
            gate=verdict.as_json(),
        ),
        records=records,
        observations=observations,
    )
