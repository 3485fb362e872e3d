"""The command `zep-conformance doctor`."""

from __future__ import annotations

import time
from typing import Any

import click
from pydantic import SecretStr

from zep_conformance.cli.options import takes_settings
from zep_conformance.clients.families import Account
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.report import as_json, console, exit_code, show
from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings, option

FIELDS = (
    "zep_url",
    "zep_token",
    "zep_auth_secret",
    "langflux_url",
    "langflux_api_key",
    "langflux_user",
    "langflux_password",
    "zep_url_from_langflux",
    "model_url",
    "message_window",
)
"""The settings of a run that the doctor takes too."""


@click.command()
@takes_settings(*FIELDS)
@click.option("--write", is_flag=True, help="also write, to throw-away names that are removed")
@click.option("--json", "as_machine", is_flag=True, help="for machines")
def command(*, settings: Settings, write: bool, as_machine: bool) -> int:
    """Say why a Zep, or a LangFlux with it, does not work: layer by layer, each fault with its cause and what to do
    about it.

    Reads only, and nothing of anybody's: with --write it also makes a session and a chatflow of its own, and removes
    them. Exit code 0: fit, 1: a fault was found, 2: could not tell.
    """
    values: dict[str, Any] = {name: _plain(getattr(settings, name)) for name in FIELDS}
    if not values["zep_url"] and not values["langflux_url"] and not values["model_url"]:
        advice = "Give them, or set $ZEP_URL and $LANGFLUX_URL."
        raise CannotTell("nothing to examine: no --zep-url and no --langflux-url", advice, code="address-missing")
    began = time.monotonic()
    findings = diagnose(
        values["zep_url"],
        values["zep_token"],
        secret=values["zep_auth_secret"],
        langflux_url=values["langflux_url"],
        api_key=values["langflux_api_key"],
        zep_url_from_langflux=values["zep_url_from_langflux"],
        model_url=values["model_url"],
        account=Account.given(values["langflux_user"], values["langflux_password"]),
        write=write,
        window=values["message_window"],
    )
    seconds = time.monotonic() - began
    if as_machine:
        click.echo(as_json(findings, seconds))
    else:
        show(console(), findings, seconds)
        for part, url in (("zep", "zep_url"), ("langflux", "langflux_url")):
            if not values[url]:
                click.echo(f"{part} was not looked at: no {option(url)}")
    return exit_code(findings)


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
