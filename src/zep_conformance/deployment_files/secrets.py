"""Secrets that stand where everybody can read them, and secrets that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zep_conformance.clients import tokens
from zep_conformance.deployment_files.compose import ComposeProject
from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.interpolation import defaults_only
from zep_conformance.deployment_files.model import Application, Place, PlannedDeployment, Value
from zep_conformance.deployment_files.sources import Sources, read_env
from zep_conformance.facts.servers import PUBLISHED_SECRET
from zep_conformance.facts.zep_settings import variable_of
from zep_conformance.redaction.patterns import suspects

_NAME = re.compile(r"(?i)(passw(or)?d|passphrase|secret|token|api_?key|private_?key|credentials?)(_\d+)?$")
_OF_A_FILE = re.compile(r"(?i)_FILE$")
_IN_URL = re.compile(r"//[^/\s:@]*:(?P<v>[^\s@/]+)@")
_PLACEHOLDER = re.compile(
    r"(?i)|[<\[({].*[>\])}]|\$.*|x{3,}|.*x{4,}.*|\*+|\.{2,}|…|-+"
    r"|.*\b(change|replace|your|example|placeholder|todo|fill|insert|enter|put|dummy|redacted)\b.*"
    r"|.*(change|replace)[-_]?(me|this).*|(the|your|my)[-_.]?(own|new|strong|secure|db|database|postgres|zep|openai)?"
    r"[-_.]?(password|passwd|pass|secret|api|key|token).*|your[-_].*|true|false|null|none"
)
_KNOWN = {
    *("postgres", "password", "passw0rd", "pass", "secret", "zep", "admin", "root", "test", "example", "changeme"),
    *("letmein", "123456", "12345678"),
}
"""Passwords that are tried first: hiding them would hide ordinary words, too."""


def secrets_in(sources: Sources, applications: list[Application]) -> Iterator[str]:
    """Every value in these files that must not be shown."""
    for application in applications:
        for name, value in _told(application):
            yield from filter(_is_secret, _values(name, value.text or ""))
            yield from filter(_is_secret, _values(name, defaults_only(value.written)))
    for file, text in sources.texts.items():
        found = [one for line in text.splitlines() for one in _suspects(line)]
        if file in sources.env_files or re.search(r"\.env(\.\w+)*$", file):
            for name, (written, _line) in read_env(file, text).variables.items():
                found += _values(name, written)
        yield from filter(_is_secret, found)


def check(deployment: PlannedDeployment, ledger: Ledger, sources: Sources) -> None:
    """Look for secrets in clear, and at Zep's own secret."""
    reported: set[Place] = set()
    for application in deployment.applications:
        for name, value in _told(application):
            if deployment.kind == "kubernetes" and value.written:
                reported.add(value.place)  # in a Secret it stands in base64, which looks like one
            if any(map(_is_secret, _values(name, defaults_only(value.written)))):
                reported.add(value.place)
                words = {"what": _what(name, value)} | (
                    {"how": f"set {name} in its stead, from .env"} if value.key else {}
                )
                ledger.report("secret-in-clear", value.place, None, **words)
    configs = {one.config.file for one in deployment.applications if one.config}
    for file in dict.fromkeys([*deployment.files, *configs]):
        _text(file, sources.texts.get(file, ""), reported, ledger)
    if isinstance(deployment, ComposeProject) and deployment.example is not None:
        for name, (text, line) in deployment.example.variables.items():
            if any(map(_is_secret, _values(name, text))):
                ledger.report("secret-in-clear", Place(deployment.example.name, line), what=name)
    for application in deployment.having("zep"):
        _auth(application, ledger)
    for application in deployment.having("postgres"):
        _password(application, ledger)
    ledger.well("secrets", deployment.place, "no secret stands in clear")


def _told(application: Application) -> Iterator[tuple[str, Value]]:
    """Yield what an application is told, and what its config.yaml says though a variable goes before it."""
    yield from application.variables.items()
    config = application.config
    for key, value in (config.keys if config else {}).items():
        if application.variables.get(variable_of(key)) is not value:
            yield variable_of(key), value


def _what(name: str, value: Value) -> str:
    """Return what a secret is called: by its variable, or as the password in its URL."""
    called = value.key or name
    return f"the password in {called}" if _IN_URL.search(value.written) else called


def _values(name: str, text: str) -> list[str]:
    """Return what of a variable's value would be a secret: all of it by its name, or the password of a URL in it."""
    in_url = [found["v"] for found in _IN_URL.finditer(text)]
    if in_url:
        return in_url
    return [text] if text and _NAME.search(name) and not _OF_A_FILE.search(name) else []


def _is_secret(value: str) -> bool:
    """Whether a value is more than a placeholder, or a password that everybody knows."""
    known = {*_KNOWN, PUBLISHED_SECRET}
    return len(value) >= 4 and not _PLACEHOLDER.fullmatch(value) and value.lower() not in known


def _suspects(line: str) -> list[str]:
    """Return what in a line looks like a secret."""
    return [line[start:end].strip("'\"") for start, end in suspects(line)]


def _text(file: str, text: str, reported: set[Place], ledger: Ledger) -> None:
    """Secrets that are no variable's: in comments, commands, URLs."""
    for number, line in enumerate(text.splitlines(), 1):
        place = Place(file, number)
        if place not in reported and any(map(_is_secret, _suspects(defaults_only(line)))):
            ledger.report("secret-in-clear", place, what="what looks like a secret")


def _auth(application: Application, ledger: Ledger) -> None:
    secret, variables = application.value_of("ZEP_AUTH_SECRET"), application.variables
    places = [variables[name].place for name in ("ZEP_AUTH_SECRET", "ZEP_AUTH_REQUIRED") if name in variables]
    place = places[0] if places else application.place
    if application.asks_for_tokens and not application.is_set("ZEP_AUTH_SECRET") and not application.variables_unseen:
        ledger.report("auth-without-secret", place, application)
    if secret == PUBLISHED_SECRET:
        ledger.report("auth-secret-published", place)
    if secret and tokens.looks_like_token(secret):
        ledger.report("auth-secret-is-token", place)


def _password(application: Application, ledger: Ledger) -> None:
    password = application.value_of("POSTGRES_PASSWORD")
    if password.lower() in _KNOWN:
        place = application.variables["POSTGRES_PASSWORD"].place
        ledger.report("password-known", place, application)
