"""The command `zep-conformance serve`."""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from zep_conformance.errors import CannotTell, PartDied, PortTaken
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
            _serve_together(
                {name: number for name, number in ports.items() if not chosen or name in chosen},
                data,
                host=host,
                secrets={"zep": auth_secret},
                embedding_model=str(embedding_model) if embedding_model else None,
                recorded_behaviours=recorded_behaviours,
            )
    return 0


def _serve_together(ports: Mapping[str, int], data: Path | None, **wiring: Any) -> NoReturn:
    """Serve the parts of `ports` until KeyboardInterrupt, which it raises when nothing is left running.

    data: where state is kept; None for a temporary folder that is removed at the end. wiring: as of `parts_for`.
    Raises CannotTell: a port is in use, or a part did not start, or ended by itself.
    """
    from zep_conformance.processes.fleet import Fleet
    from zep_conformance.processes.folders import owned_folder
    from zep_conformance.processes.parts import parts_for

    api_key = secrets.token_urlsafe(24)
    try:
        with (
            owned_folder("zep-conformance-serve-") if data is None else nullcontext(data) as folder,
            Fleet(parts_for(ports, ports=ports, data=folder, api_key=api_key, **wiring)) as fleet,
        ):
            urls = {name: fleet.url(name) for name in fleet.parts}
            if "langflux" in urls:
                urls["langflux_api_key"] = api_key
            if "model" in urls:
                urls["model"] += "/v1"
            click.echo(json.dumps(urls))
            name = fleet.wait()
            raise PartDied(part=name, how="ended by itself", log=fleet.log(name), advice="The others are stopped.")
    except PortTaken as error:
        advice = f"Give another with --{error.part}-port, or 0 for a free one."
        raise CannotTell(error.what, advice, code=error.code) from None
