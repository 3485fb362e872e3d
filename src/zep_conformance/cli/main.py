"""The command line: `zep-conformance run`, `doctor`, `token`, `serve` and what else there is."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from zep_conformance import __version__, suite
from zep_conformance.cli import token as token_command

app = typer.Typer(
    help="Does my chatbot remember? Conformance tests for Zep with LangFlux.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(token_command.app, name="token")

EXIT_CODES = {0: 0, 1: 1}
"""pytest's exit codes that are ours too; whatever else pytest says means that it could not tell: 2."""


def main() -> None:
    """The entry point."""
    app()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"zep-conformance {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    del version


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def run(context: typer.Context) -> None:
    """Run the suite. Takes our options (--help lists them) and every option of pytest.

    Exit code 0: conforms, 1: does not, 2: could not tell.
    """
    if "--help" in context.args or "-h" in context.args:
        _run_help()
        return
    raise typer.Exit(run_suite(context.args))


def _run_help() -> None:
    from zep_conformance.settings import Settings, option

    typer.echo("Usage: zep-conformance run [OPTIONS] [any option of pytest, such as -k WORDS, -m SESSION-3, -n 2]\n")
    for name, field in Settings.model_fields.items():
        typer.echo(f"  {option(name):26}{field.description}\n{'':28}[${field.validation_alias}]")
    typer.echo("\nExit code 0: conforms, 1: does not, 2: could not tell.")


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
    """Run pytest on the suite with these arguments. Returns 0, 1 or 2."""
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
        typer.secho(f"{what}", fg="red", err=True)
        typer.echo("  `zep-conformance run --help` lists ours, `pytest --help` lists pytest's.", err=True)
    return EXIT_CODES.get(code, 2)


def _names_paths(arguments: list[str]) -> bool:
    """Whether the arguments say which features or scenarios to run."""
    return any(
        not argument.startswith("-") and not previous.startswith("-") and Path(argument.split("::")[0]).exists()
        for previous, argument in zip(["", *arguments], arguments, strict=False)
    )


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def doctor(context: typer.Context) -> None:
    """Say why a Zep, or a LangFlux with it, does not work, and what to do about it.

    Exit code 0: fit, 1: a fault was found, 2: could not tell.
    """
    from zep_conformance.cli.doctor import main as examine

    raise typer.Exit(examine(context.args))


@app.command("check-files")
def check_files(
    paths: Annotated[list[Path], typer.Argument(help="Folders, or files.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say what is wrong with deployment files, without deploying them: render.yaml, fly.toml, a Compose project.

    Exit code 0: fit, 1: a fault was found, 2: could not tell.
    """
    from zep_conformance.cli.check_files import main as check

    raise typer.Exit(check(paths, as_machine=as_json))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def verify_recordings(context: typer.Context) -> None:
    """Hold a Zep, or a LangFlux, to recordings of the real ones.

    Exit code 0: all as recorded, 1: differences, 2: could not tell.
    """
    from zep_conformance.cli.verify_recordings import main as verify

    raise typer.Exit(verify(context.args))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def record(context: typer.Context) -> None:
    """Make a recording of a Zep, or a LangFlux, for others to be held to.

    Exit code 0: recorded, 1: recorded in part, 2: could not tell.
    """
    from zep_conformance.cli.record import main as make_recording

    raise typer.Exit(make_recording(context.args))


@app.command()
def serve(
    zep_port: Annotated[int, typer.Option(help="Port of Zep; 0 takes a free one.")] = 8000,
    langflux_port: Annotated[int, typer.Option(help="Port of LangFlux.")] = 3000,
    model_port: Annotated[int, typer.Option(help="Port of the model server.")] = 8080,
    nlp_port: Annotated[int, typer.Option(help="Port of the NLP server.")] = 5557,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    part: Annotated[
        list[str] | None,
        typer.Option(help="Start this part only (may be repeated): zep, langflux, model, nlp."),
    ] = None,
    auth_secret: Annotated[
        str | None,
        typer.Option(envvar="ZEP_AUTH_SECRET", help="Secure Zep with this secret.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder for the state, kept between runs (default: a temporary one).")
    ] = None,
    embedding_model: Annotated[
        Path | None,
        typer.Option(envvar="ZEP_CONFORMANCE_EMBEDDING_MODEL", help="Folder of a sentence model for the NLP server."),
    ] = None,
    documented: Annotated[
        bool,
        typer.Option("--documented", help="Keep every requirement, instead of being faithful to real versions."),
    ] = False,
    from_environment: Annotated[
        bool,
        typer.Option(
            "--from-environment",
            help="The one part, as a container has it: set up by the real server's variables, its log on stdout.",
        ),
    ] = False,
) -> None:
    """Run the embedded servers until Ctrl-C. Prints one line of JSON with their URLs when they are ready."""
    from zep_conformance.embedded.alone import serve_alone
    from zep_conformance.processes.foreground import serve_in_foreground

    ports = {"zep": zep_port, "langflux": langflux_port, "model": model_port, "nlp": nlp_port}
    unknown = [name for name in part or [] if name not in ports]
    if unknown:
        typer.secho(f"no part {', '.join(unknown)}; there are {', '.join(ports)}", fg="red", err=True)
        raise typer.Exit(2)
    manner = "documented" if documented else "faithful"
    if from_environment:
        if part is None or len(part) != 1:
            typer.secho("--from-environment is for one part: name it with --part", fg="red", err=True)
            raise typer.Exit(2)
        serve_alone(part[0], os.environ, host=host, port=ports[part[0]], data=data, manner=manner)
        return
    raise typer.Exit(
        serve_in_foreground(
            ports={name: number for name, number in ports.items() if not part or name in part},
            host=host,
            auth_secret=auth_secret,
            data=data,
            embedding_model=embedding_model,
            manner=manner,
        )
    )


@app.command("install-langflux")
def install_langflux(
    version: Annotated[
        str, typer.Option("--version", help="Which; --list says what there is.", show_default="2.2.8")
    ] = "",
    listed: Annotated[bool, typer.Option("--list", help="List the versions that there is a lock for.")] = False,
) -> None:
    """Install the real LangFlux (Flowise) from npm, once, by a committed lock; print its folder.

    Into $ZEP_CONFORMANCE_CACHE, or zep-conformance in your cache folder. Says first how much it takes.
    """
    from zep_conformance.cli.install_langflux import main as install
    from zep_conformance.targets.processes.installation import DEFAULT

    raise typer.Exit(install(version or DEFAULT, listed=listed))
