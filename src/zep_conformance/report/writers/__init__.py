"""What is written of a run: a small class a report, all of them told of each event (see `events`).

    class Page(AtEnd):
        file = "report.html"

        def text(self, event: RunEnded) -> str:
            return render(event.document)       # which is clean of secrets

A writer stands in a module of its own here, and in `WRITERS`: its file, and where its class is, which is imported when
the first event comes that it may want. One that breaks costs neither the others nor the verdict: `Reports` says which,
and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.events import Event, RunEnded
from zep_conformance.report.folder import INDEX, REPORT
from zep_conformance.report.writers.base import Writer
from zep_conformance.settings import names_in

WRITERS: Mapping[str, str] = {
    "exchanges.ndjson.gz": "whole.WholeExchanges",
    "conformance.json": "data.Data",
    "summary.md": "summary.Summary",
    "junit.xml": "junit.JUnit",
    "ctrf.json": "ctrf.Ctrf",
    "messages.ndjson": "messages.Messages",
    "har": "har.Har",
    "badge.json": "badge.BadgeData",
    "badge.svg": "badge.BadgePicture",
    "index.html": "html.Page",
}
"""The reports that a run has, by file or folder: module and class, of this package. They are written in this order."""


def asked_for(formats: str) -> Mapping[str, str]:
    """Return the writers that --formats names, by file: `junit` is junit.xml. The document is always written."""
    names = {*names_in(formats)}
    return {file: where for file, where in WRITERS.items() if file == REPORT or names & {"all", _format(file)}}


def _format(file: str) -> str:
    return "html" if file == INDEX else file.partition(".")[0]


NO_REPORT = "no report"
"""What is said where none was written."""


class Reports:
    """All writers of a run. beside: writers that were asked for, which are told of everything as it happens."""

    def __init__(
        self, redactor: Redactor, *, writers: Mapping[str, str] = WRITERS, beside: Iterable[Writer] = ()
    ) -> None:
        self._redactor, self._writers = redactor, writers
        self._beside = {writer.file: writer for writer in beside}
        self._broken: dict[str, str] = {}
        self._folder: Path | None = None

    def __call__(self, event: Event) -> None:
        """Tell the writers of an event, without secrets."""
        is_end = isinstance(event, RunEnded)
        if not is_end and not self._beside:
            return
        clean = event.clean(self._redactor)
        if isinstance(clean, RunEnded):
            self._folder = clean.folder
        for file in [*self._beside, *(self._writers if is_end else ())]:
            if file in self._broken and (file in self._beside or not is_end):
                continue  # what is written as it happens would have a gap
            try:
                self._beside[file].saw(clean) if file in self._beside else self._made(file).saw(clean)
                self._broken.pop(file, None)
            except Exception as error:  # whatever it is: the verdict and the others matter more
                self._broken[file] = _why(error)

    def _made(self, file: str) -> Writer:
        module, _, name = self._writers[file].rpartition(".")
        made: Writer = getattr(import_module(f"{__name__}.{module}"), name)()
        return made

    def close(self) -> None:
        """Let the writers go: there is no event any more."""
        for writer in self._beside.values():
            with suppress(OSError):  # what was not written has been said
                writer.close()

    def where(self) -> str:
        """Return where the reports are, in words, or that there are none."""
        # A folder may be empty.
        if self._folder is None or all(file in self._broken for file in self._writers if "." in file):
            return NO_REPORT
        return f"reports: {self._folder}/"

    def complaints(self) -> Iterator[str]:
        """Yield a line for each reason why reports were not written."""
        for why in dict.fromkeys(self._broken.values()):
            files = ", ".join(file for file, other in self._broken.items() if other == why)
            yield self._redactor(f"not written: {files}: {why}")


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        # The folder is the same for all reports; a name in it is not.
        return f"{error.strerror}{f' ({Path(error.filename).parent}/)' if error.filename else ''}"
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
