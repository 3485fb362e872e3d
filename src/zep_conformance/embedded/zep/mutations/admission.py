"""Mutations of who is let in by what small means, and of what a refusal or another error tells."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.paths import NamedResource
from zep_conformance.embedded.zep.wire import Refusal, plain
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")
Admit = Callable[..., Awaitable[None]]
Answer = Callable[[Request], Awaitable[Response]]


def raw_path(request: Request) -> str:
    """Return the path of a request as it was sent."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


@MUTATIONS.family
def _by_request(zep: EmbeddedZep, is_let_in: Callable[[EmbeddedZep, Request, NamedResource], bool]) -> None:
    """Have some requests want no token."""

    @around(zep, "admit")
    async def _(admit: Admit, request: Request, target: NamedResource) -> None:
        if not is_let_in(zep, request, target):
            await admit(request, target)


@MUTATIONS.family
def _by_spelling(zep: EmbeddedZep, change: Callable[[str], str]) -> None:
    """Have paths that are spelled in another way lead to the API, past whoever checks tokens."""

    @around(zep.paths, "parse")
    def _(parse: Callable[[str], NamedResource], path: str) -> NamedResource:
        return parse(change(path))

    @around(zep, "admit")
    async def _(admit: Admit, request: Request, target: NamedResource) -> None:
        path = raw_path(request)
        if change(path) == path:
            await admit(request, target)


@MUTATIONS.family
def _by_answer(zep: EmbeddedZep, change: Callable[[Request, NamedResource], Response | None]) -> None:
    """Have some requests answered before anybody looks at their token."""

    @around(zep, "answer")
    async def _(answer: Answer, request: Request) -> Response:
        target = zep.paths.parse(raw_path(request))
        found = change(request, target) if target.resource in zep.operations else None
        return found if found is not None else await answer(request)


@MUTATIONS.family
def _of_errors(zep: EmbeddedZep, change: Callable[[EmbeddedZep, Request, Refusal], str]) -> None:
    """Have errors say more than they should."""

    @around(zep, "answer")
    async def _(answer: Answer, request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            raise Refusal(refusal.status, f"{refusal.reason}: {change(zep, request, refusal)}") from refusal


def _header(request: Request) -> str:
    return request.headers.get("authorization", "")


def _is_good(zep: EmbeddedZep, token: str) -> bool:
    try:
        return bool(zep.guard.secret) and zep.guard.verify(token, str(zep.guard.secret)) is not None
    except Refusal:
        return False


def _with_empty_secret(request: Request) -> bool:
    signed, _, signature = _header(request)[7:].rpartition(".")
    expected = hmac.new(b"", signed.encode(), "sha256").digest()
    return signature == base64.urlsafe_b64encode(expected).decode().rstrip("=")


_by_request("slash-lets-in", "A path with a slash at its end wants no token", "AUTH-2")(
    lambda _zep, request, _target: raw_path(request).endswith("/")
)
_by_request("any-cookie-lets-in", "A cookie jwt is not looked at: whoever has one is let in", "AUTH-3")(
    lambda _zep, request, _target: bool(request.cookies.get("jwt"))
)
_by_request("lower-case-bearer-unchecked", "A token after bearer in small letters is not looked at", "AUTH-3")(
    lambda _zep, request, _target: _header(request).startswith("bearer ")
)
_by_request("spaced-token-unchecked", "A token after two spaces is not looked at", "AUTH-3")(
    lambda _zep, request, _target: _header(request).startswith("Bearer  ")
)
_by_request("basic-unchecked", "Who logs in by HTTP's Basic is let in, whatever the password", "AUTH-2", "AUTH-3")(
    lambda _zep, request, _target: _header(request).startswith("Basic ")
)
_by_request("bare-token-accepted", "The right token is accepted without Bearer before it", "AUTH-2", "AUTH-3")(
    lambda zep, request, _target: _is_good(zep, _header(request))
)
_by_request("token-in-query-accepted", "The right token is accepted in the query", "AUTH-2", "AUTH-3")(
    lambda zep, request, _target: _is_good(zep, parse_qs(request.url.query).get("jwt", [""])[0])
)
_by_request("token-in-key-header-accepted", "The right token is accepted as X-API-Key", "AUTH-2", "AUTH-3")(
    lambda zep, request, _target: _is_good(zep, request.headers.get("x-api-key", ""))
)
_by_request("empty-secret-accepted", "A token signed with an empty secret is accepted", "AUTH-3")(
    lambda _zep, request, _target: _with_empty_secret(request)
)
_by_request("override-lets-in", "Who says in a header that POST means another method wants no token", "AUTH-2")(
    lambda _zep, request, _target: "x-http-method-override" in request.headers and request.method == "POST"
)


@MUTATIONS.family
def _verified(zep: EmbeddedZep, is_meant: Callable[[Request, NamedResource, dict[str, Any]], bool]) -> None:
    """Have tokens that are not good accepted for some requests."""

    def parts(token: str) -> dict[str, Any]:
        """Return the header and the claims of a token together, its signature unchecked."""
        found: dict[str, Any] = {}
        for part in token.split(".")[:2]:
            try:
                found |= json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            except ValueError:
                return {}
        return found

    @around(zep, "admit")
    async def _(admit: Admit, request: Request, target: NamedResource) -> None:
        try:
            await admit(request, target)
        except Refusal:
            if not is_meant(request, target, parts(_header(request)[7:])):
                raise


_verified("expired-token-reads", "An expired token is accepted for reading", "AUTH-3")(
    lambda request, _target, said: request.method == "GET" and "exp" in said
)
_verified("unsigned-token-searches", "A token of the algorithm none is accepted for searching", "AUTH-3")(
    lambda _request, target, said: target.resource == "search" and said.get("alg") == "none"
)
_verified("early-token-updates-user", "A token is accepted before it is valid where a user is changed", "AUTH-3")(
    lambda request, target, said: (request.method, target.resource) == ("PATCH", "user") and "nbf" in said
)
_verified("hs384-reads-messages", "A token signed with HS384 is accepted for a single message", "AUTH-3")(
    lambda _request, target, said: target.resource == "message" and said.get("alg") == "HS384"
)

_by_spelling("double-slash-lets-in", "A path with two slashes in front wants no token", "AUTH-2")(
    lambda path: "/" + path.lstrip("/")
)
_by_spelling("capitals-let-in", "A path in capitals leads to the API and wants no token", "AUTH-2")(
    lambda path: re.sub("^/API/V1/", "/api/v1/", path)
)
_by_spelling("dots-let-in", "A path by way of the health check leads to the API and wants no token", "AUTH-2")(
    lambda path: re.sub(r"^/healthz/(\.\.|%2e%2e)/", "/", path)
)
_by_spelling("escape-lets-in", "A path with an escaped letter leads to the API and wants no token", "AUTH-2")(
    lambda path: re.sub("^/%61pi/", "/api/", path)
)
_by_spelling("parameter-lets-in", "A path with a parameter leads to the API and wants no token", "AUTH-2")(
    lambda path: re.sub(r";[\w=]*", "", path)
)

_by_answer("head-lets-in", "HEAD is answered without a token, and says whether something is there", "AUTH-2")(
    lambda request, target: plain("") if request.method == "HEAD" and target.resource != "healthz" else None
)
_by_answer("options-tell", "OPTIONS is answered with what is there, without a token", "AUTH-2")(
    lambda request, target: plain(f"{target.ids}") if request.method == "OPTIONS" and target.ids else None
)


@MUTATIONS.family
def _done_all_the_same(zep: EmbeddedZep, meant: tuple[str, str]) -> None:
    """Have a request that is refused for its token carried out. meant: resource and method."""

    @around(zep, "admit")
    async def _(admit: Admit, request: Request, target: NamedResource) -> None:
        try:
            await admit(request, target)
        except Refusal:
            if (target.resource, request.method) == meant:
                await zep.operations[meant[0]][meant[1]].handler(zep.service, request, *target.ids)
            raise


for _name, _what, _meant in (
    ("refused-update-stored", "A change of a session", ("session", "PATCH")),
    ("refused-message-update-stored", "A change of a message", ("message", "PATCH")),
    ("refused-session-made", "A new session", ("sessions", "POST")),
    ("refused-user-deletion-done", "The deletion of a user", ("user", "DELETE")),
):
    _done_all_the_same(_name, f"{_what} without a token is answered 401 and carried out", "AUTH-2")(_meant)


_DSN = "dial postgres://zep:4Hh2-kQ9s@zep-postgres/zep?sslmode=disable"
_QUERY = 'SELECT "id" FROM "session" WHERE ("session_id" = \'x\') AND "deleted_at" IS NULL'
_STACK = "goroutine 42 [running]:\nmain.handle(0xc000)\n\t/app/pkg/server/handlers.go:117 +0x1d"


def _on(status: int, text: str) -> Callable[[EmbeddedZep, Request, Refusal], str]:
    return lambda _zep, _request, refusal: text if refusal.status == status else "refused"


_of_errors("mistake-shows-dsn", "The answer to a mistake has the database's address and password", "ERRORS-1")(
    _on(400, _DSN)
)
_of_errors("mistake-shows-query", "The answer to a mistake has a database query", "ERRORS-1")(_on(400, _QUERY))
_of_errors("absence-shows-query", "The answer 404 has a database query", "ERRORS-1")(_on(404, _QUERY))
_of_errors("refusal-shows-stack", "The answer to a request without a good token has a stack", "ERRORS-1")(
    _on(401, _STACK)
)
_of_errors("store-error-shows-dsn", "While the database is down errors have its address and password", "ERRORS-1")(
    _on(500, _DSN)
)
_of_errors("refusal-shows-token", "The answer to a wrong token repeats it", "ERRORS-1")(
    lambda _zep, request, _refusal: _header(request)
)
_of_errors("refusal-shows-secret", "The answer to a request without a good token has the secret", "ERRORS-1")(
    lambda zep, _request, refusal: str(zep.guard.secret) if refusal.status == 401 else "refused"
)


@MUTATIONS.family
def _in_spite_of_the_token(zep: EmbeddedZep, refusal: tuple[str, str, int]) -> None:
    """Have an operation refused though the token is right. refusal: its resource and method, and the status."""
    resource, method, status = refusal

    @around(zep.operations[resource][method], "handler")
    async def _(*_given: object) -> Response:
        raise Refusal(status, "refused all the same")


_in_spite_of_the_token("update-forbidden", "Changing a user is answered 403 with the right token, too", "AUTH-2")(
    ("user", "PATCH", 403)
)
_in_spite_of_the_token("listing-broken", "A user's sessions are answered 500 with the right token, too", "AUTH-2")(
    ("user_sessions", "GET", 500)
)


@MUTATIONS.mutation("fast-reads-refused", "Reading the newest messages is refused at once, by 503", "LATENCY-1")
def _(zep: EmbeddedZep) -> None:
    @around(zep.operations["memory"]["GET"], "handler")
    async def _(
        handler: Callable[..., Awaitable[Response]], service: object, request: Request, session: str
    ) -> Response:
        if "lastn" in request.query_params:
            raise Refusal(503, "come back later")
        return await handler(service, request, session)
