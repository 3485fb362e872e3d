"""The layers version and key of a LangFlux (Flowise under another name). Nothing of anybody's is listed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zep_conformance.clients.families import INTERNAL, Account, Family, basic, family_of, remark
from zep_conformance.clients.tokens import can_be_sent
from zep_conformance.doctor.address import Address
from zep_conformance.doctor.findings import Broken, Case, Late, OutOfTime, TimeUp
from zep_conformance.doctor.http import Connection, HttpAnswer
from zep_conformance.facts.flows import ZEP_MEMORY, node_path
from zep_conformance.facts.servers import HEALTH_PATHS, NEWEST_LANGFLUX


@dataclass(frozen=True)
class LangFluxProbe:
    """What a LangFlux is. version: "" where it says none. embedded: how an embedded one behaves, "" for a real one.

    headers: with which it lets us in. logged_in: whether that was by a login, which the line keeps in cookies.
    """

    connection: Connection
    version: str
    embedded: str
    headers: Mapping[str, str]
    logged_in: bool = False

    @property
    def way_in(self) -> str:
        """What let us in, in words."""
        kind = self.headers.get("authorization", "").partition(" ")[0]
        if self.logged_in or kind == "Basic":
            return "the login is accepted"
        return "accepted" if kind else "none is needed"

    def close(self) -> None:
        """Log out, where there was a login, and close the connection."""
        if self.logged_in:
            with contextlib.suppress(Broken, TimeUp):  # it ends by itself after an hour
                self.connection.ask("POST", "/api/v1/account/logout", headers=self.headers)
        self.connection.close()


def probe(case: Case, address: Address, api_key: str | None, account: Account | None = None) -> LangFluxProbe:
    """Reach a LangFlux, see what it is, and whether it lets us in. Raises Broken, OutOfTime."""
    connection = Connection(case, address)
    ping = connection.first(HEALTH_PATHS["langflux"])
    case.ok("HTTP", f"/api/v1/ping answers {ping.status} in {ping.seconds * 1000:.0f} ms")
    can_ask = not api_key or can_be_sent(api_key)
    version = _version(connection, api_key if can_ask else None, account)
    # Before 1.8.1 there was no ping, and its page is answered in its place.
    if (ping.status != 200 or "pong" not in ping.text[:20]) and not version:
        case.fail("not-langflux", status=ping.status)
    if not can_ask:
        case.fail("langflux-key-wrong", status="it can't even be sent")
    case.ok("version", f"Flowise {version}" if version else "it does not say its version")
    if version and remark(version):
        case.report("langflux-untested", version=version, newest=NEWEST_LANGFLUX)
    family = family_of(version)
    logs_in = account if family.has_accounts and not api_key else None
    found = LangFluxProbe(
        connection,
        version,
        ping.headers.get("x-langflux-embedded", ""),
        family.headers(api_key, account),
        logged_in=logs_in is not None and _log_in(case, connection, logs_in),
    )
    try:
        # Not `/chatflows`: what others own is not listed.
        node = connection.get(node_path(ZEP_MEMORY), found.headers)
        if node.status in (401, 403):
            _refused(case, connection, node, family, api_key, account)
        if node.status != 200:
            case.fail("langflux-no-zep-memory", status=node.status)
    except (Broken, OutOfTime):
        found.close()
        raise
    case.ok("key", found.way_in)
    return found


def _version(connection: Connection, api_key: str | None, account: Account | None) -> str:
    # Before it is known: up to 2.0.5 a login is all that counts, and later ones tell everybody.
    headers = {**INTERNAL, **basic(account)} if account else family_of("").headers(api_key)
    return str(connection.get("/api/v1/version", headers).fields().get("version", ""))


def _log_in(case: Case, connection: Connection, account: Account) -> Literal[True]:
    """Log in to an account; the line keeps the cookies. Raises Broken, OutOfTime."""
    body = {"email": account.user, "password": account.password}
    answer = connection.ask("POST", "/api/v1/auth/login", headers=INTERNAL, body=body, late="http-silent")
    connection.check(answer, "/api/v1/auth/login")
    if answer.status != 200:
        if _is_fresh(connection):
            case.fail("langflux-not-set-up")
        if answer.status >= 500:
            case.fail("langflux-login-broken", status=answer.status, answer=case.quoted(answer.message()))
        case.fail("langflux-login-wrong", status=answer.status)
    return True


def _is_fresh(connection: Connection) -> bool:
    """Whether nobody has registered yet: then its page leads everybody to the set-up."""
    try:
        answer = connection.ask("POST", "/api/v1/auth/resolve", headers=INTERNAL, body={})
    except Late:
        return False
    return "organization-setup" in str(answer.fields().get("redirectUrl"))


def _refused(
    case: Case, connection: Connection, answer: HttpAnswer, family: Family, api_key: str | None, account: Account | None
) -> None:
    """Why LangFlux does not let us in. Raises Broken."""
    if answer.headers.get("www-authenticate"):  # LangFlux never has a browser ask
        case.fail("proxy-wants-login", path=node_path(ZEP_MEMORY), status=answer.status)
    if account is not None and (family.password == "basic" or not api_key):
        case.fail("langflux-login-wrong", status=answer.status)
    if api_key:
        case.fail("langflux-key-wrong", status=answer.status)
    if family.has_accounts and _is_fresh(connection):
        case.fail("langflux-not-set-up")
    # Where a key is all that is missing, Flowise says so in these words; a login's refusal has others, or none.
    if family.has_accounts or "Unauthorized Access" not in answer.text:
        case.fail("langflux-login-needed")
    case.fail("langflux-key-missing")
