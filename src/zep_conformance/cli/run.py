"""The command `zep-conformance run`: pytest on the suite, wherever it is started."""

from __future__ import annotations

import argparse
import gc
import hashlib
import io
import os
import re
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import click

from zep_conformance import suite
from zep_conformance.errors import CannotTell

if TYPE_CHECKING:
    import pytest

EXIT_CODES = {0: 0, 1: 1}
"""pytest's exit codes that are ours too; whatever else pytest says means that it could not tell: 2."""
COLUMNS, INDENT = 80, 27
WORKERS = 2
"""On how many workers the whole suite runs against the embedded servers, where nobody says: it takes two thirds."""


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Run the suite. Takes our options (--help lists them) and every option of pytest.

    Exit code 0: conforms, 1: does not, 2: could not tell.
    """
    if "--help" in arguments or "-h" in arguments:
        click.echo(help_text(), nl=False)
        return 0
    return run_suite(list(arguments))


def help_text() -> str:
    """Return what `run --help` shows: every setting, in the groups that pytest's own help has, in 80 columns."""
    from zep_conformance.settings import GROUPS, SETTINGS

    formatter = click.HelpFormatter(width=COLUMNS)
    formatter.write_usage("zep-conformance run", "[OPTIONS] [SCENARIO]...")
    with formatter.indentation():
        formatter.write_paragraph()
        formatter.write_text(
            "Run the suite against a target. Each option is a variable too, and a key of [tool.zep-conformance] in "
            "pyproject.toml; tokens and keys belong in variables. What the target does not use is refused. "
            "Every option of pytest works beside them:"
        )
        formatter.write_paragraph()
        formatter.write_dl([
            ("-m SESSION-3", "the scenarios of one requirement"), ("-k WORDS", "those whose names have these words"),
            ("-x", "stop at the first failure"), ("--lf", "only what failed last time, --ff: that first"),
            ("-n 2", "on two workers, -n 0: on none"), ("-q, -v", "say less, say more"),
        ])  # fmt: skip
    for title in GROUPS:
        with formatter.section(title.capitalize()):
            for one in (one for one in SETTINGS.values() if one.group == title):
                text = fill(one.help, COLUMNS, initial_indent=" " * INDENT, subsequent_indent=" " * INDENT,
                            break_on_hyphens=False)  # fmt: skip
                formatter.write(f"  {one.option}".ljust(INDENT - 1) + " " + text.lstrip() + "\n")
    formatter.write_paragraph()
    formatter.write_text("Exit code 0: conforms, 1: does not, 2: could not tell.")
    return formatter.getvalue()


class _Start:
    """What a run does before pytest has begun: it knows where the suite is, and says usage errors in two lines."""

    def __init__(self) -> None:
        self.complaints = io.StringIO()
        self._real = sys.stderr
        sys.stderr = self.complaints

    def release(self) -> None:
        """Let stderr be stderr again."""
        if sys.stderr is self.complaints:
            sys.stderr = self._real

    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, args: list[str]
    ) -> Generator[None, object, object]:
        """Find what is named in the suite, features/… from any folder; without a name all of it is run."""
        root = suite.root()
        words: list[str] = early_config.known_args_namespace.file_or_dir
        added = [] if words else [str(root / "features")]
        workers = ["-n", str(WORKERS)] if not words and _takes_workers(early_config.known_args_namespace) else []
        found = {
            word: str(root / word)
            for word in words
            if word.startswith("features/") and (root / word.partition("::")[0]).exists()
        }
        # What conftests are looked for by, what is parsed next, and what workers of pytest-xdist are started with.
        words[:] = [found.get(word, word) for word in words] + added
        args[:] = [found.get(word, word) for word in args] + added + workers
        given = early_config.invocation_params
        early_config.invocation_params = replace(
            given, args=(*(found.get(str(word), word) for word in given.args), *added)
        )
        return (yield)

    def pytest_sessionstart(self) -> None:
        """Show what has been held back: pytest has understood its options."""
        self.release()
        sys.stderr.write(self.complaints.getvalue())


def run_suite(arguments: list[str]) -> int:
    """Run pytest on the suite with these arguments. Returns 0, 1 or 2; raises CannotTell for a wrong option."""
    # pytest would rewrite the asserts in all of its modules, since it comes with a plugin.
    import faker  # noqa: F401
    import pytest

    root = suite.root()
    gc.disable()  # what is imported and collected stays: the plugin lets it be searched for garbage again
    start = _Start()
    # Marked here: pytest is imported when it is run, not for --help.
    pytest.hookimpl(wrapper=True, tryfirst=True)(_Start.pytest_load_initial_conftests)
    fixed = [f"--rootdir={root}", f"-c{root / 'pyproject.toml'}", *_cache(root)]
    try:
        code = int(pytest.main([*fixed, *arguments], plugins=[start]))
    finally:
        start.release()
        gc.enable()
    if code == pytest.ExitCode.USAGE_ERROR:
        raise _misused(start.complaints.getvalue())
    return EXIT_CODES.get(code, 2)


def _takes_workers(options: argparse.Namespace) -> bool:
    """Return whether the suite is run on workers unasked: all of it, on servers that each worker has its own of."""
    from zep_conformance.session.run import Run
    from zep_conformance.settings import SETTINGS
    from zep_conformance.settings.sources import read_settings

    selecting = ("markexpr", "keyword", "lf", "failedfirst", "newfirst", "stepwise", "deselect", "maxfail")
    alone = ("usepdb", "trace", "collectonly", "setupplan", "setuponly", "zc_failed")
    if getattr(options, "numprocesses", "without pytest-xdist") is not None or options.capture == "no":
        return False
    if any(getattr(options, name, None) for name in (*selecting, *alone)) or suite.cores() < WORKERS:
        return False
    try:
        settings = read_settings({name: getattr(options, f"zc_{name}") for name in SETTINGS})
    except CannotTell:  # the run says what is wrong
        return False
    if settings.target != "embedded" or settings.zep_url or settings.langflux_url:
        return False
    run = Run.of(settings)
    run.choose(os.environ)
    return run.trouble is None


def _cache(root: Path) -> list[str]:
    """Return the options that say where pytest remembers what failed, for --lf: never beside an installed copy."""
    if not suite.is_installed() and os.access(root, os.W_OK):
        return []
    from zep_conformance.settings.sources import cache

    here = hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:16]
    return ["-o", f"cache_dir={cache(os.environ) / 'pytest' / here}"]


def _misused(text: str) -> CannotTell:
    """Return what pytest says of a wrong option as an error of ours, with the option that was meant."""
    from zep_conformance.settings import SETTINGS
    from zep_conformance.settings.sources import close_to

    advice = "`zep-conformance run --help` lists ours, `pytest --help` lists pytest's."
    unknown = re.search(r"unrecognized arguments: (.*)", text)
    if unknown is None:
        complaint = re.search(r"error: (.*)", text) or re.search(r"ERROR: (.*)", text)
        return CannotTell(complaint[1] if complaint else text.strip(), advice, code="usage-wrong")
    # Not what they were given: it may be a token for a mistyped --zep-token.
    options = [word.partition("=")[0] for word in unknown[1].split() if word.startswith("-")]
    if not options:
        return CannotTell("an argument that is no option, and no scenario of the suite", advice, code="usage-wrong")
    meant = close_to(options[0].removeprefix("--"), (one.option[2:] for one in SETTINGS.values()))
    advice = f"Did you mean --{meant}?" if meant else advice
    return CannotTell(f"unknown option: {' '.join(options)}", advice, code="option-unknown")
