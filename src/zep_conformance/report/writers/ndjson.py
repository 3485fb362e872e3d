"""--events FILE: every event of a run, one JSON object a line, as it happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from zep_conformance.report.events import Event
from zep_conformance.report.writers.base import Writer


class Events(Writer):
    """Writes each event at once, so that whoever reads the file, or the pipe, is no later than the run."""

    def __init__(self, path: Path) -> None:
        self.file = str(path)
        self._path = path
        self._stream: TextIO | None = None

    def saw(self, event: Event) -> None:
        """Write an event. Raises OSError."""
        if self._stream is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("w", encoding="utf-8", errors="backslashreplace")
        self._stream.write(json.dumps(event.as_json(), ensure_ascii=False) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Write no more."""
        if self._stream is not None:
            self._stream.close()
