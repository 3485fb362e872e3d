"""The command `zep-conformance serve`."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import click

from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import PORTS

PARTS = ("zep", "langflux", "model", "nlp")


@click.command()
@click.option("--zep-port", type=int, default=PORTS["zep"], show_default=True, help="Port of Zep; 0 takes a free one.")
@click.option("--langflux-port", type=int, default=PORTS["langflux"], show_default=True, help="Port of LangFlux.")
@click.option("--model-port", type=int, default=PORTS["model"], show_default=True, help="Port of the model server.")
@click.option("--nlp-port", type=int, default=PORTS["nlp"], show_default=True, help="Port of the NLP server.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--part", "chosen", multiple=True, help=f"Start this part only (may be repeated): {', '.join(PARTS)}.")
@click.option("--auth-secret", envvar="ZEP_AUTH_SECRET", help="Secure Zep with this secret.  [$ZEP_AUTH_SECRET]")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder for the state, kept between runs (default: one for this run).",
)
@click.option(
    "--embedding-model",
    type=click.Path(path_type=Path),
    envvar="ZEP_CONFORMANCE_EMBEDDING_MODEL",
    help="Folder of a sentence model for the NLP server.  [$ZEP_CONFORMANCE_EMBEDDING_MODEL]",
)
@click.option(
    "--recorded-behaviours",
    type=click.Choice(["all", "none"]),
    default="all",
    show_default=True,
    help="Answer as real versions were recorded to, known faults included; with none keep every requirement.",
)
@click.option(
    "--from-environment",
    is_flag=True,
    help="The one part, as a container has it: set up by the real server's variables, its log on stdout.",
)
def command(
    *,
    zep_port: int,
    langflux_port: int,
    model_port: int,
    nlp_port: int,
    host: str,
    chosen: tuple[str, ...],
    auth_secret: str | None,
    data: Path | None,
    embedding_model: Path | None,
    recorded_behaviours: str,
    from_environment: bool,
) -> int:
    """Run the embedded servers until Ctrl-C. Prints one line of JSON with their URLs when they are ready.

    Exit code 0: stopped, 2: did not start, or ended by itself.
    """
    ports = dict(zip(PARTS, (zep_port, langflux_port, model_port, nlp_port), strict=True))
    unknown = [name for name in chosen if name not in ports]
    if unknown:
        raise CannotTell(f"no part {', '.join(unknown)}", f"There are {', '.join(ports)}.", code="name-unknown-here")
    if from_environment and len(chosen) != 1:
        raise CannotTell("--from-environment is for one part", "Name it with --part.", code="options-conflict")
    # A script's background job inherits it ignored, and is to be ended by it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        if from_environment:
            from zep_conformance.embedded.applications import serve_alone

            part = chosen[0]
            serve_alone(
                part, os.environ, host=host, port=ports[part], data=data, recorded_behaviours=recorded_behaviours
            )
        else:
            from zep_conformance.processes.foreground import serve_in_foreground

            serve_in_foreground(
                ports={name: number for name, number in ports.items() if not chosen or name in chosen},
                host=host,
                auth_secret=auth_secret,
                data=data,
                embedding_model=embedding_model,
                recorded_behaviours=recorded_behaviours,
            )
    return 0
