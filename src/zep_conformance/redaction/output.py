"""What others write, cleaned where it is written: pytest's reports and terminal, logging, browser traces.

The suite's own writers clean what they write; this is for what goes past them, such as a traceback with somebody's
headers in it, a warning, or a library's debug log. A trace of Playwright's keeps what was typed, asked and answered.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest._io import TerminalWriter

from zep_conformance.redaction.redactor import SHORTEST, Redactor


def clean_report(report: pytest.TestReport | pytest.CollectReport, redactor: Redactor) -> None:
    """Clean a report of a scenario, or of collecting some: its text, captured output and properties."""
    shown = report.longrepr
    if isinstance(shown, tuple):
        path, line, reason = shown
        report.longrepr = (path, line, redactor(reason))
    elif shown is not None:
        plain = str(shown)
        clean = redactor(plain)
        # Only where there was something to hide: a text has lost the colours that pytest would give it.
        if clean != plain:
            report.longrepr = clean
        crash = getattr(
            shown, "reprcrash", None
        )  # the one line that pytest's own short summary and JUnit's report show
        if crash is not None:
            crash.message = redactor(crash.message)
    report.sections = [(title, redactor(text)) for title, text in report.sections]
    if isinstance(report, pytest.TestReport):
        report.user_properties = [
            (name, redactor(value) if isinstance(value, str) else value) for name, value in report.user_properties
        ]


def clean(config: pytest.Config, redactor: Redactor) -> ExitStack:
    """From now on clean whatever pytest writes to the terminal, and whatever is logged; closing ends the latter."""
    if config.pluginmanager.hasplugin("terminalreporter"):  # workers of pytest-xdist have none
        _clean_terminal(config.get_terminal_writer(), redactor)
    until_closed = ExitStack()
    until_closed.callback(_clean_logging(redactor))
    return until_closed


def _clean_terminal(terminal: TerminalWriter, redactor: Redactor) -> None:
    write = terminal.write

    def clean(msg: str, **markup: Any) -> None:
        write(redactor(msg), **markup)

    terminal.write = clean  # type: ignore[method-assign]


def _clean_logging(redactor: Redactor) -> Callable[[], None]:
    """Clean whatever is logged, wherever to; returns what ends that."""
    make = logging.getLogRecordFactory()

    def clean(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            record.msg, record.args = redactor(record.getMessage()), ()
        except (TypeError, ValueError):
            return record  # its arguments do not fit: logging will say so
        if record.exc_info:
            record.exc_text = redactor(logging.Formatter().formatException(record.exc_info))
        return record

    logging.setLogRecordFactory(clean)
    return lambda: logging.setLogRecordFactory(make)


LARGEST = 100_000
"""Characters of a text that is kept: lists of nodes and of templates are larger, and take long to clean."""
_PICTURES = (".png", ".jpeg", ".jpg", ".gif", ".webp", ".ico", ".woff", ".woff2", ".ttf", ".otf")


def clean_trace(trace: Path, redactor: Redactor, to: Path) -> None:
    """Write a trace (a zip) without secrets. What is neither a text nor a picture, or is too large, is left out."""
    cleaner = _Cleaner(redactor)
    with zipfile.ZipFile(trace) as source, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if not name.endswith(_PICTURES):
                content = cleaner.member(name, content).encode()
            target.writestr(name, content)


class _Cleaner:
    """Cleans the members of one trace; a text that comes again and again is cleaned once."""

    def __init__(self, redactor: Redactor) -> None:
        self._clean = cache(redactor)

    def member(self, name: str, content: bytes) -> str:
        """Return one file of the trace, as text."""
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return f"(left out: {len(content)} bytes)"
        if name.endswith((".trace", ".network", ".stacks")):  # one JSON a line
            return "\n".join(json.dumps(self._inside(json.loads(line))) for line in text.splitlines())
        return self._style(text) if name.endswith(".css") else self._text(text)

    def _text(self, text: str) -> str:
        """Clean a text by itself."""
        if len(text) < SHORTEST:
            return text
        return f"(left out: {len(text)} characters)" if len(text) > LARGEST else self._clean(text)

    def _inside(self, value: Any) -> Any:
        """Return a JSON document with every text in it cleaned."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {name: self._inside(member) for name, member in value.items()}
        if isinstance(value, list):
            # A snapshot's element: its name, its attributes, what is in it.
            if value[:1] == ["STYLE"]:
                return [value[0], *(self._style(one) if isinstance(one, str) else one for one in value[1:])]
            return [self._inside(member) for member in value]
        return value

    def _style(self, text: str) -> str:
        """Clean a style sheet, rule by rule: each snapshot has all of them again, and most are the same."""
        return "}".join(self._clean(rule) for rule in text.split("}"))
