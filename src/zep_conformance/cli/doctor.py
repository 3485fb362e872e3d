"""The command `zep-conformance doctor`."""

from __future__ import annotations

import time

import click

from zep_conformance.cli.options import SERVERS, takes_settings
from zep_conformance.clients.families import Account
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.report import as_json, console, exit_code, show
from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings, revealed


@click.command()
@takes_settings(*SERVERS, "langflux_user", "langflux_password", "message_window")
@click.option("--write", is_flag=True, help="also write, to throw-away names that are removed")
@click.option("--json", "as_machine", is_flag=True, help="for machines")
def command(*, settings: Settings, write: bool, as_machine: bool) -> int:
    """Say why a Zep, or a LangFlux with it, does not work: layer by layer, each fault with its cause and what to do
    about it.

    Reads only, and nothing of anybody's: with --write it also makes a session and a chatflow of its own, and removes
    them. Exit code 0: fit, 1: a fault was found, 2: could not tell.
    """
    if not (settings.zep_url or settings.langflux_url or settings.model_url):
        advice = "Give them, or set $ZEP_URL and $LANGFLUX_URL."
        raise CannotTell("nothing to examine: no --zep-url and no --langflux-url", advice, code="address-missing")
    began = time.monotonic()
    findings = diagnose(
        settings.zep_url,
        revealed(settings.zep_token),
        secret=revealed(settings.zep_auth_secret),
        langflux_url=settings.langflux_url,
        api_key=revealed(settings.langflux_api_key),
        zep_url_from_langflux=settings.zep_url_from_langflux,
        model_url=settings.model_url,
        account=Account.given(settings.langflux_user, revealed(settings.langflux_password)),
        write=write,
        window=settings.message_window,
    )
    seconds = time.monotonic() - began
    if as_machine:
        click.echo(as_json(findings, seconds))
    else:
        show(console(), findings, seconds)
        for part, url in (("zep", settings.zep_url), ("langflux", settings.langflux_url)):
            if not url:
                click.echo(f"{part} was not looked at: no --{part}-url")
    return exit_code(findings)
