"""The hooks that collect what each scenario sends and gets, whole; workers send it, and the controller keeps it."""

from __future__ import annotations

import base64
from collections.abc import Generator
from typing import Any

import pytest

from zep_conformance.report.exchanges import Packer
from zep_conformance.session.run import Run

PACKED = "conformance_exchanges"
"""What of pytest's reports has the exchanges of a scenario, as `exchanges.Packer` makes them."""
_Report = pytest.CollectReport | pytest.TestReport | None


class Exchanging:
    """Collects the exchanges of a run. packed: those of each scenario so far, by node id, of all processes."""

    def __init__(self, run: Run) -> None:
        self._run, self._packer = run, Packer(run.redactor)
        self._whole = run.transcript.whole
        self._at = ""
        self.packed: dict[str, bytes] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note which scenario begins."""
        self._at = nodeid

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Count what is sent from here on as the scenario's."""
        self._whole.begin()

    def pytest_bdd_before_step(self, step: Any) -> None:
        """Note which step is being carried out."""
        self._whole.step = step.line_number

    def pytest_bdd_after_step(self) -> None:
        """Note that none is."""
        self._whole.step = 0

    def pytest_bdd_step_error(self) -> None:
        """Note that none is."""
        self._whole.step = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give the last report of a scenario what it has sent and got."""
        report = yield
        if call.when == "teardown" and (packed := self._taken(item.nodeid)):
            setattr(report, PACKED, packed)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
        """Send it as JSON."""
        data = yield
        if data is not None and PACKED in data:
            data[PACKED] = base64.b64encode(data[PACKED]).decode()
        return data

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> Generator[None, _Report, _Report]:
        """Take what a worker has sent."""
        report = yield
        if report is not None and PACKED in data:
            setattr(report, PACKED, base64.b64decode(data[PACKED]))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep it."""
        self._keep(report.nodeid, getattr(report, PACKED, b""))

    def all(self) -> dict[str, bytes]:
        """Return everything so far, with what a scenario sent that the run ended in."""
        self._keep(self._at, self._taken(self._at))
        return self.packed

    def _keep(self, nodeid: str, packed: bytes) -> None:
        if packed:
            self.packed[nodeid] = self.packed.get(nodeid, b"") + packed

    def _taken(self, nodeid: str) -> bytes:
        found = self._whole.taken(self._run.part_of)
        return self._packer.packed(found, nodeid=nodeid, attempt=1 + self._run.is_again)


EXCHANGING: pytest.StashKey[Exchanging] = pytest.StashKey()
"""Where it is kept in a pytest configuration."""
