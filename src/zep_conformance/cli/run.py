"""The command `zep-conformance run`."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import click

from zep_conformance import suite
from zep_conformance.errors import CannotTell

EXIT_CODES = {0: 0, 1: 1}
"""pytest's exit codes that are ours too; whatever else pytest says means that it could not tell: 2."""


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Run the suite. Takes our options (--help lists them) and every option of pytest.

    Exit code 0: conforms, 1: does not, 2: could not tell.
    """
    if "--help" in arguments or "-h" in arguments:
        _show_help()
        return 0
    return run_suite(list(arguments))


def _show_help() -> None:
    from zep_conformance.settings import Settings, option

    click.echo("Usage: zep-conformance run [OPTIONS] [any option of pytest, such as -k WORDS, -m SESSION-3, -n 2]\n")
    for name, field in Settings.model_fields.items():
        click.echo(f"  {option(name):26}{field.description}\n{'':28}[${field.validation_alias}]")
    click.echo("\nExit code 0: conforms, 1: does not, 2: could not tell.")


class _UsageErrors(io.StringIO):
    """Holds pytest's usage errors back until the run begins, so that they can be said in two lines."""

    def __init__(self) -> None:
        super().__init__()
        self._real = sys.stderr
        sys.stderr = self

    def release(self) -> None:
        """From now on stderr is stderr again."""
        if sys.stderr is self:
            sys.stderr = self._real

    def pytest_sessionstart(self) -> None:
        """pytest has understood its options."""
        self.release()
        sys.stderr.write(self.getvalue())


def run_suite(arguments: list[str]) -> int:
    """Run pytest on the suite with these arguments. Returns 0, 1 or 2; raises CannotTell for a wrong option."""
    import pytest

    root = suite.root()
    fixed = [f"--rootdir={root}", f"-c{root / 'pyproject.toml'}"]
    if not os.access(root, os.W_OK) or suite.is_installed():
        fixed += ["-p", "no:cacheprovider"]  # an installed copy: nothing is written beside it
    paths = [] if _names_paths(arguments) else [str(root / "features")]
    held_back = _UsageErrors()
    try:
        code = int(pytest.main([*fixed, *paths, *arguments], plugins=[held_back]))
    finally:
        held_back.release()
    if code == pytest.ExitCode.USAGE_ERROR:
        text = held_back.getvalue()
        unknown = re.search(r"unrecognized arguments: (.*)", text)
        complaint = re.search(r"error: (.*)", text)
        what = complaint[1] if complaint else text.strip()
        if unknown:
            # Not what they were given: it may be a token for a mistyped --zep-token.
            options = [word.partition("=")[0] for word in unknown[1].split() if word.startswith("-")]
            what = f"unknown option: {' '.join(options)}" if options else "an argument that is no option, and no path"
        raise CannotTell(
            what, "`zep-conformance run --help` lists ours, `pytest --help` lists pytest's.", code="usage-wrong"
        )
    return EXIT_CODES.get(code, 2)


def _names_paths(arguments: list[str]) -> bool:
    """Whether the arguments say which features or scenarios to run."""
    return any(
        not argument.startswith("-") and not previous.startswith("-") and Path(argument.split("::")[0]).exists()
        for previous, argument in zip(["", *arguments], arguments, strict=False)
    )
