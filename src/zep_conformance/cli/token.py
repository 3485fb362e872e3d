"""The command `zep-conformance token`: make a secret and a token for a secured Zep, and look at one."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from zep_conformance.cli.options import write
from zep_conformance.clients import tokens
from zep_conformance.errors import CannotTell

SECRET_VARIABLE, TOKEN_VARIABLE = "ZEP_AUTH_SECRET", "ZEP_TOKEN"
LARGEST = 1 << 16
"""Characters of standard input that are read."""


@click.group(invoke_without_command=True)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    help="Write both to this file (mode 600), and nothing secret to the terminal.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--json", "as_json", is_flag=True, help="For machines: secret and token in clear.")
@click.option("--show", is_flag=True, help="Show them, also on a terminal.")
@click.option("--secret-stdin", is_flag=True, help="A token for the secret on standard input.")
@click.option("--new", is_flag=True, help=f"A new secret, even where ${SECRET_VARIABLE} is set.")
@click.pass_context
def command(
    context: click.Context,
    *,
    env_file: Path | None,
    force: bool,
    as_json: bool,
    show: bool,
    secret_stdin: bool,
    new: bool,
) -> int:
    """Make a secret (64 random bytes in URL-safe base64) and a token (HS256 over {}) for a secured Zep, as zepcli -i
    does; `token inspect` looks at one.

    With $ZEP_AUTH_SECRET set, or --secret-stdin, a token for that secret.
    """
    if context.invoked_subcommand is not None:
        return 0
    if secret_stdin and new:
        raise CannotTell("--secret-stdin and --new exclude each other", "Leave one out.", code="options-conflict")
    if env_file is None and not as_json and not show and sys.stdout.isatty():
        advice = "Give --env-file FILE, to have them written where only you can read; or --show, to see them here."
        raise CannotTell("a secret and a token are not shown on a terminal unasked", advice, code="secret-unasked")
    given = "" if new else os.environ.get(SECRET_VARIABLE, "")
    if secret_stdin:
        given = sys.stdin.readline() if sys.stdin.isatty() else sys.stdin.read(LARGEST)
        given = given.removesuffix("\n").removesuffix("\r")
    if secret_stdin or given:
        _check_secret(given)
    secret = given or tokens.make_secret()
    token = tokens.make_token(secret)
    if env_file is not None:
        write(env_file, _env_text(secret, token), force=force, mode=0o600)
        if as_json:
            click.echo(json.dumps({"env_file": str(env_file)}))
        else:
            click.echo(f"Written to {env_file}, which only you can read. It holds:")
            click.echo("  ZEP_AUTH_REQUIRED, ZEP_AUTH_SECRET   for Zep's environment (its .env)")
            click.echo("  ZEP_TOKEN                            the JWT: for the API Key field of LangFlux's Zep")
            click.echo("                                       credential, and for zep-conformance")
    elif as_json:
        made = {"token": token} if given else {"secret": secret, "token": token}
        click.echo(json.dumps(made))
    else:
        _say(secret, token, given=bool(given))
    return 0


def _check_secret(secret: str) -> None:
    """Refuse what Zep would refuse, or what is no secret."""
    if not secret:
        raise CannotTell("the secret is empty", "Zep does not start without one.", code="secret-malformed")
    if tokens.token_within(secret) is not None:
        advice = f"${SECRET_VARIABLE} is what Zep has; the JWT is made from it."
        raise CannotTell("what was given as the secret is a JWT", advice, code="secret-is-token")
    if "\n" in secret.strip() or "\r" in secret.strip():
        advice = (
            "`openssl rand -base64 64` writes two: join them with `| tr -d '\\n'`, and give Zep and this the same; Zep "
            "reads the first line of an .env alone."
        )
        raise CannotTell("there is a line break in the secret: it has several lines", advice, code="secret-malformed")
    if re.match(r"(export\s+)?[A-Za-z_]\w*\s*[:=]\s*[^=\s]", secret):
        advice = "Give what stands behind the = alone."
        raise CannotTell("a whole line was given as the secret, with its variable", advice, code="secret-malformed")
    if secret != secret.strip() or any(character.isspace() for character in secret):
        advice = "Zep would take them as part of it: remove them."
        raise CannotTell("there are blanks in or around the secret", advice, code="secret-malformed")
    if secret[0] in "'\"" or not secret.isprintable():
        advice = "Remove the quotes."
        raise CannotTell("the secret begins with a quote, or can't be printed", advice, code="secret-malformed")
    if len(secret) < tokens.SHORT:
        click.echo(f"note: a secret of under {tokens.SHORT} characters is weak; without it a new one is made", err=True)


def _say(secret: str, token: str, *, given: bool) -> None:
    if given:
        click.echo("A token for the secret that was given.\n")
    else:
        click.echo("For Zep, in its environment (.env); keep it to yourself:\n")
        click.echo(f"ZEP_AUTH_REQUIRED=true\nZEP_AUTH_SECRET={secret}\n")
    click.echo(
        "For Zep's clients; in LangFlux: Credentials, Add Zep Memory API, field API Key (the JWT, not the secret):\n"
    )
    click.echo(f"{token}\n")


def _env_text(secret: str, token: str) -> str:
    return (
        "# For Zep:\n"
        f"ZEP_AUTH_REQUIRED=true\nZEP_AUTH_SECRET={secret}\n"
        "# The JWT, for Zep's clients; in LangFlux: the field API Key of a Zep credential:\n"
        f"ZEP_TOKEN={token}\n"
    )


@command.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def inspect(*, as_json: bool) -> int:
    """Say what is wrong with a token, from standard input or $ZEP_TOKEN, without showing it.

    With $ZEP_AUTH_SECRET set its signature is checked too. Exit code 0: nothing is wrong, 1: something is,
    2: no token.
    """
    given = os.environ.get(TOKEN_VARIABLE, "")
    if not given and sys.stdin.isatty():
        advice = f"Set ${TOKEN_VARIABLE}, or pipe it in: zep-conformance token inspect < FILE"
        raise CannotTell("no token", advice, code="token-missing")
    token = given or sys.stdin.read(LARGEST).removesuffix("\n").removesuffix("\r")
    if not token.strip():
        advice = f"${TOKEN_VARIABLE} is not set, and standard input is empty."
        raise CannotTell("no token", advice, code="token-missing")
    secret = os.environ.get(SECRET_VARIABLE) or None
    flaws = tokens.flaws(token, secret)
    findings = [_finding(flaw) for flaw in flaws]
    wrong = any(finding["verdict"] == "fault" for finding in findings)
    facts = _facts(token, secret)
    if as_json:
        click.echo(json.dumps({"good": not wrong, **facts, "findings": findings}, indent=2))
    else:
        for name, fact in facts.items():
            click.echo(f"{name + ':':12}{fact}")
        for finding in findings:
            click.secho(f"{finding['verdict']}: {finding['symptom']}", fg="red" if wrong else "yellow")
            click.echo(f"  why: {finding['cause']}\n  to do: {finding['advice']} [{finding['code']}]")
        if not findings:
            click.secho("nothing is wrong with it" + ("" if secret else ", as far as its text tells"), fg="green")
    return 1 if wrong else 0


def _finding(flaw: tokens.Flaw) -> dict[str, str]:
    from zep_conformance.facts.codes import codes

    entry = codes("doctor")[flaw.code]
    return {
        "code": flaw.code,
        "verdict": entry.verdict,
        "symptom": entry.symptom.format_map(flaw.details),
        "cause": entry.cause,
        "advice": entry.advice,
    }


def _facts(token: str, secret: str | None) -> dict[str, Any]:
    """Return what may be told of a token: names and times, no values that could be anybody's secret."""
    content = tokens.decode_token(tokens.core(token))
    if content is None:
        return {}
    times = {
        name: tokens.moment(value)
        for name in ("iat", "nbf", "exp")
        if isinstance(value := content.claims.get(name), int | float) and not isinstance(value, bool)
    }
    return {
        "algorithm": content.algorithm if content.algorithm.isalnum() and len(content.algorithm) < 10 else "?",
        "claims": ", ".join(f"{name} {when}" for name, when in times.items())
        or ("none" if not content.claims else f"{len(content.claims)}, none of them a time"),
        "signature": "checked with the secret" if secret else f"not checked: ${SECRET_VARIABLE} is not set",
    }
