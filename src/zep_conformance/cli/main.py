"""The command `zep-conformance`: finds the command that is asked for, and shows what keeps one from telling."""

from __future__ import annotations

import difflib
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

import zep_conformance.plain_httpx  # noqa: F401
from zep_conformance import __version__
from zep_conformance.errors import CannotTell, ConformanceError

if TYPE_CHECKING:
    from typing import Any

COMMANDS = {
    "run": "Run the suite against a target.",
    "replay": "Judge a run again by what it recorded, without any server.",
    "doctor": "Say why a Zep, or a LangFlux with it, does not work.",
    "check-files": "Say what is wrong with deployment files.",
    "token": "Make, or inspect, what a secured Zep asks for.",
    "verify-recordings": "Hold a server to recordings of the real ones.",
    "record": "Make a recording of a Zep, or of a LangFlux.",
    "explore": "Hold a server to sequences that nobody wrote.",
    "upgrade": "Carry out an upgrade, and see whether anything is lost.",
    "mutants": "Prove that every check can fail, by mutations.",
    "annotate": "Print what failed as GitHub's annotations.",
    "serve": "Run the embedded servers until Ctrl-C.",
    "report": "Compare and hand on the reports that runs have left.",
    "explain": "Say what a code means, and what to do.",
    "can-i-upgrade": "Say what it means to move to another version.",
    "install-langflux": "Install the real LangFlux (Flowise) from npm.",
}
"""Each command, in one line. `check-files` is `command` in the module `cli.check_files`, imported when it is used."""
COLUMNS = 80
COULD_NOT_TELL = 2
"""The exit code where a command came to no result."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's interface)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            close = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            advice = f"Did you mean {close[0]}?" if close else f"`{ctx.command_path} --help` lists them."
            raise CannotTell(f"no command {cmd_name!r}", advice, code="command-unknown")
        command: click.Command = import_module(f"{__package__}.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="zep-conformance %(version)s")
def commands() -> None:
    """Does my chatbot remember? Conformance tests for Zep with LangFlux."""  # noqa: D401  (it is the help text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default the one on the command line.

    Returns its exit code: 0 or 1 as the command has it, 2 where it could not tell.
    """
    # A pipeline that is cancelled sends SIGTERM: what was made is removed then as after Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
        code: Any = commands.main(words, prog_name="zep-conformance", standalone_mode=False)
        return int(code or 0)
    except ConformanceError as error:
        _show(error.what, error.advice, error.code)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "zep-conformance"
        _show(error.format_message(), f"`{path} --help` says what there is.", "usage-wrong")
    except click.ClickException as error:
        _show(error.format_message(), "`zep-conformance --help` says what there is.", "usage-wrong")
    except (KeyboardInterrupt, click.Abort):
        click.secho("interrupted: what was begun is removed", fg="red", err=True)
    finally:
        signal.signal(signal.SIGTERM, before)
    return COULD_NOT_TELL


def _show(what: str, advice: str, code: str) -> None:
    """Write what was tried and came back, what to do about it, and its code, without what looks like a secret."""
    from textwrap import wrap

    from zep_conformance.redaction.redactor import Redactor

    def folded(text: str, indent: str = "") -> list[str]:
        return wrap(text, COLUMNS, initial_indent=indent, subsequent_indent=indent, break_long_words=False,
                    break_on_hyphens=False)  # fmt: skip

    hidden = Redactor()
    for line in hidden(what).splitlines():
        for part in folded(line):
            click.secho(part, fg="red", err=True)
    for part in folded(f"{hidden(advice)} {f'[{code}]' if code else ''}".strip(), "  "):
        click.echo(part, err=True)


if __name__ == "__main__":
    sys.exit(main())
