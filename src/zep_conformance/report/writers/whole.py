"""reports/exchanges.ndjson.gz: every exchange of every scenario, see `report.exchanges`."""

from __future__ import annotations

import gzip

from zep_conformance.report.events import Event, RunEnded
from zep_conformance.report.folder import EXCHANGES, write
from zep_conformance.report.writers.base import Writer


class WholeExchanges(Writer):
    """Writes what the scenarios have sent and got; a file without a line where that is nothing."""

    file = EXCHANGES

    def saw(self, event: Event) -> None:
        """Write the file when the run is over."""
        if isinstance(event, RunEnded):
            write(event.path_of(self.file), b"".join(event.exchanges.values()) or gzip.compress(b""))
