"""reports/conformance.json: the document, for machines."""

from __future__ import annotations

import json

from zep_conformance.report.events import RunEnded
from zep_conformance.report.folder import REPORT
from zep_conformance.report.writers.base import AtEnd


class Data(AtEnd):
    """Writes the document."""

    file = REPORT

    def text(self, event: RunEnded) -> str:
        """Return it as JSON."""
        return json.dumps(event.document, indent=2, ensure_ascii=False) + "\n"
