"""The layers version, token, store and NLP of a Zep. Nothing is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from zep_conformance.clients import tokens
from zep_conformance.doctor.address import Address
from zep_conformance.doctor.answers import code_of
from zep_conformance.doctor.findings import SEARCH_LIMIT, Case
from zep_conformance.doctor.http import Connection, HttpAnswer
from zep_conformance.facts import servers
from zep_conformance.facts.servers import OLDEST_ZEP, PUBLISHED_SECRET

SESSION = "zep-conformance-probe"
"""A session that nobody uses: reading and searching it makes none."""
MEMORY = f"{servers.memory_path(SESSION)}?lastn=1"
SEARCH = f"{servers.session_path(SESSION)}/search"
_NEWEST = tuple(int(number) for number in servers.ZEP_VERSION.split("."))
SLOW = 1.0
"""Seconds for a search, beyond which it is worth a word."""
_TRIES = 8
"""Reads until a failure counts: after a restart of PostgreSQL each of Zep's pooled connections fails once."""
_OWN_REFUSALS = re.compile(r"no token found|token (is|nbf|iat)\b|unauthorized")
"""What Zep itself says with a 401."""
_NO_ROUTE = "404 page not found"
"""What a server written as Zep is says of a path that it does not have; an unknown session is another 404."""
# What Zep says of a token whose signature is right, and what that is called here.
_OF_TIME = {"token is expired": "token-expired", "nbf": "token-not-yet-valid", "iat": "token-issued-later"}


@dataclass(frozen=True)
class ZepProbe:
    """What a Zep is. version: X-Zep-Version as it came, "" without. token: None where it wants none."""

    connection: Connection
    version: str
    token: str | None

    def headers(self) -> dict[str, str]:
        """Return the headers that it wants."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


def probe(
    case: Case, address: Address, token: str | None, secret: str | None, *, any_version: bool = False
) -> ZepProbe:
    """Reach a Zep, see what it is, and whether it lets us in and has its store. Raises Broken, OutOfTime.

    any_version: a Zep 0.x that is too old for clients of today is fit all the same.
    """
    connection = Connection(case, address)
    health = connection.first(servers.HEALTH_PATHS["zep"], otherwise=MEMORY)
    case.ok("HTTP", f"/healthz answers {health.status} in {health.seconds * 1000:.0f} ms")
    version = health.headers.get("x-zep-version", "")
    _check_health(case, health, version)
    sendable = token if token is not None and tokens.can_be_sent(token) else None
    answer = _read_memory(connection, sendable)
    if answer.status == 200 and "messages" not in answer.fields():
        case.fail("not-zep", answer=f"/api/v1 gives {case.quoted(answer.text[:80])}")
    _check_sender(case, answer, version)
    _say_version(case, version, answer, any_version)
    wanted = answer.status == 401 or (sendable is not None and _read_memory(connection, None).status == 401)
    if wanted and _read_memory(connection, tokens.make_token(PUBLISHED_SECRET)).status != 401:
        case.report("secret-published")
    if answer.status == 401:
        _refused(case, answer, token, sendable, secret)
    if wanted:
        _accepted(case, sendable or "", secret)
    elif answer.status in (200, 500):
        case.report("zep-open")
        _unlike(case, sendable or "", secret)
    if not (any_version and answer.status == 404):  # before 0.20 an unknown session's memory was that
        _check_store(case, connection, answer, sendable)
    return ZepProbe(connection, version, sendable if wanted else None)


def _check_health(case: Case, health: HttpAnswer, version: str) -> None:
    """Probe what answers /healthz, as far as that tells. Raises Broken."""
    number = re.match(r"v?(\d+)\.", version)
    if number and int(number[1]) >= 1:
        case.fail("zep-1", version=version.split()[0])
    if version and health.status >= 400 and health.status != 404:
        case.fail("zep-unhealthy", status=health.status)
    if not version and (health.status != 200 or health.text.strip() not in ("", ".")):
        case.fail("not-zep", answer=f"/healthz gives {health.status} {case.quoted(health.text[:80])}")


def _check_sender(case: Case, answer: HttpAnswer, version: str) -> None:
    """Fail for an error that something before Zep answers with. Raises Broken.

    version: with which Zep signs whatever it answers, "" where a proxy removes that.
    """
    if answer.status < 400 or (version and "x-zep-version" in answer.headers):
        return
    details = {"path": "/api/v1", "status": answer.status}
    of_zep = answer.status == 401 and _OWN_REFUSALS.search(answer.text) and not _challenges(answer)
    if answer.status in (401, 403, 407) and not of_zep:
        case.fail("proxy-wants-login", **details)
    is_page = "html" in answer.headers.get("content-type", "") or answer.text.lstrip().startswith("<")
    if answer.status == 404 and (is_page or (version and answer.text.strip() != "not found")):
        case.fail("path-not-led", **details, instead="/healthz")
    if is_page or (version and not of_zep and answer.status != 404):
        case.fail("proxy-answers", **details, answer=case.quoted(answer.text))


def _challenges(answer: HttpAnswer) -> bool:
    """Whether a browser is to ask for a name and a password: Zep never says so."""
    return bool(answer.headers.get("www-authenticate") or answer.headers.get("proxy-authenticate"))


def _say_version(case: Case, version: str, answer: HttpAnswer, any_version: bool) -> None:
    """Probe the layer version. Raises Broken."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    number = tuple(map(int, found.groups())) if found else None
    unknown_session = answer.status == 404 and "html" not in answer.headers.get("content-type", "")
    if (number is not None and number < OLDEST_ZEP) or (number is None and version and unknown_session):
        if any_version:
            return
        case.fail("zep-too-old", version=version.split()[0])
    if answer.status == 404 and not version:
        if answer.text.strip() == _NO_ROUTE:
            case.fail("zep-1", version="1.x, by the look of it")
        if any_version:
            return
        case.fail("zep-too-old", version="0.x, of before 0.9 by the look of it")
    if number is None:
        case.report("version-unsaid")
    elif number > _NEWEST:
        case.report("zep-untested", version=version.split()[0])
    else:
        case.ok("version", f"Zep {version}")


def _read_memory(connection: Connection, token: str | None) -> HttpAnswer:
    """Read the memory of a session that nobody uses. Raises Broken, OutOfTime."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = connection.ask("GET", MEMORY, headers=headers, late="store-silent")
    connection.check(answer, "/api/v1")
    return answer


def _refused(case: Case, answer: HttpAnswer, token: str | None, sendable: str | None, secret: str | None) -> NoReturn:
    """Why a token is refused. Raises Broken."""
    text = answer.text.strip()
    flaws = [flaw for flaw in tokens.flaws(token or "", secret) if flaw.code != "token-expires-soon"]
    if sendable is not None and "no token found" in text:
        case.fail("login-in-url" if case.has_login else "token-stripped")
    of_time = next((code for words, code in _OF_TIME.items() if words in text), None)
    if "unauthorized" in text:
        # The signature comes first with Zep: were it right, a wrong time would have been named.
        flaws = [flaw for flaw in flaws if flaw.code not in _OF_TIME.values()]
    for flaw in flaws[:-1]:
        case.report(flaw.code, **flaw.details)
    if flaws:
        case.fail(flaws[-1].code, **flaws[-1].details)
    if of_time is not None:
        case.fail(of_time, when="a time that Zep's clock says (this machine's says otherwise)")
    fits = secret is not None and token is not None
    case.fail("secret-not-zeps" if fits else "token-refused", answer=case.quoted(text))


def _accepted(case: Case, token: str, secret: str | None) -> None:
    """Report a token that Zep accepts and that ends soon, or is unlike the secret given with it. Raises Broken."""
    case.ok("token", "accepted")
    for flaw in tokens.flaws(token, secret):
        if flaw.code == "token-expires-soon":
            case.report(flaw.code, **flaw.details)
    _unlike(case, token, secret)


def _unlike(case: Case, token: str, secret: str | None) -> None:
    """Report a secret that does not fit the token given with it."""
    for flaw in tokens.flaws(token, secret):
        if flaw.code == "secret-is-token":
            case.report(flaw.code, **flaw.details)
        elif flaw.code in ("token-other-secret", "token-decoded-secret"):
            case.report("secret-unlike-token")


def _check_store(case: Case, connection: Connection, answer: HttpAnswer, token: str | None) -> None:
    """Probe the layer store. Raises Broken."""
    failures = 0
    while answer.status == 500 and failures < _TRIES:
        failures += 1
        first = answer
        answer = _read_memory(connection, token)
    if answer.status == 500:
        case.fail(code_of(first.text, "store") or "store-odd-answer", status=500, answer=case.quoted(first.text))
    if answer.status != 200:
        case.fail("zep-odd-answer", status=answer.status, answer=case.quoted(answer.text))
    if failures:
        case.report("store-recovering", count=failures)
    else:
        case.ok("store", f"reading takes {answer.seconds * 1000:.0f} ms")


def search(case: Case, probe: ZepProbe, *, written: bool = False) -> None:
    """Probe the layer NLP: a search has its text embedded, also in a session that nobody uses. Raises Broken.

    written: whether messages will be written, too: only then an embedding meets the column that it is to go into.
    """
    body = {"text": "Are you there?"}
    answer = probe.connection.ask(
        "POST", SEARCH, headers=probe.headers(), body=body, limit=SEARCH_LIMIT, late="nlp-silent"
    )
    probe.connection.check(answer, "/api/v1")
    if answer.status != 200:
        _check_sender(case, answer, probe.version)
        code = code_of(answer.text, "search") or "search-odd-answer"
        case.fail(code, status=answer.status, answer=case.quoted(answer.text))
    unseen = "" if written else "; whether embeddings fit the database shows only with --write"
    if answer.seconds > SLOW:
        case.report("nlp-slow", seconds=f"{answer.seconds:.1f}")
    else:
        case.ok("NLP", f"a search takes {answer.seconds * 1000:.0f} ms{unseen}")
