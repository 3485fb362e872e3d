"""Mutations of how Zep is operated and asked: faults around it, its start, malformed requests, and who may ask."""

from __future__ import annotations

import asyncio
import base64
import os
import time
import warnings
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.configuration import Misconfigured
from zep_conformance.embedded.zep.enrichment import BATCH, Worker
from zep_conformance.embedded.zep.messages import PostedMessage
from zep_conformance.embedded.zep.neighbours import Unavailable
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.paths import NamedResource
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.store import StoreDown
from zep_conformance.embedded.zep.wire import Refusal, plain, refused
from zep_conformance.facts.mutations import Mutations, around
from zep_conformance.facts.servers import AUTH_REQUIRED, AUTH_SECRET, OPENAI_API_KEY, PUBLISHED_SECRET, go_bool

MUTATIONS = Mutations("zep")
FROZEN = 8.0
"""Seconds for which a Zep with such a fault answers nothing."""
Admit = Callable[..., Awaitable[None]]


@MUTATIONS.mutation("enrichment-given-up", "What can't be enriched because a server is down never is", "FAULT-1")
def _(zep: EmbeddedZep) -> None:
    def give_up(worker: Worker) -> None:
        @around(worker, "back_off")
        async def _(back_off: Callable[..., Awaitable[None]], error: Unavailable) -> None:
            worker.tasks.finish(worker.tasks.take(worker.topic, BATCH))
            await back_off(error)

    for worker in zep.service.enrichment.workers.values():
        give_up(worker)


@MUTATIONS.mutation("writes-want-nlp", "While the NLP server is down writes are answered 503", "FAULT-1")
def _(zep: EmbeddedZep) -> None:
    _want_for_writes(zep, lambda: zep.service.neighbours.embed(["are you there?"]))


@MUTATIONS.mutation("writes-want-model", "While the model is down writes are answered 503", "FAULT-1")
def _(zep: EmbeddedZep) -> None:
    _want_for_writes(zep, lambda: zep.service.neighbours.complete("are you there?", 1))


def _want_for_writes(zep: EmbeddedZep, ask: Callable[[], Awaitable[Any]]) -> None:
    """Have messages refused while a neighbour that is asked first does not answer."""

    @around(zep.operations["memory"]["POST"], "handler")
    async def _(handler: Handler, service: Service, *given: Any) -> Response:
        try:
            await ask()
        except Unavailable as error:
            raise Refusal(503, str(error)) from error
        return await handler(service, *given)


@MUTATIONS.mutation(
    "store-down-acknowledged", "While the database is down writes are answered 200, and lost", "FAULT-2"
)
def _(zep: EmbeddedZep) -> None:
    @around(zep, "answer")
    async def _(answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            if isinstance(refusal.__cause__, StoreDown) and request.method == "POST":
                return plain("OK")
            raise


@MUTATIONS.mutation(
    "store-lost-for-good", "Once the database was down everything is answered 500 until a restart", "FAULT-2"
)
def _(zep: EmbeddedZep) -> None:
    lost: list[StoreDown] = []

    @around(zep.service.store_server, "check")
    async def _(check: Callable[[], Awaitable[None]]) -> None:
        if lost:
            raise StoreDown("the connection to the database was lost")
        try:
            await check()
        except StoreDown as error:
            lost.append(error)
            raise


@MUTATIONS.mutation(
    "store-back-without-newest", "When the database comes back the newest message of each session is missing", "FAULT-2"
)
def _(zep: EmbeddedZep) -> None:
    missed: list[StoreDown] = []

    @around(zep.service.store_server, "check")
    async def _(check: Callable[[], Awaitable[None]]) -> None:
        try:
            await check()
        except StoreDown as error:
            missed.append(error)
            raise
        if missed:
            missed.clear()
            newest = "SELECT max(id) FROM messages GROUP BY session_id"
            zep.service.store.database.execute(f"DELETE FROM messages WHERE id IN ({newest})")


@MUTATIONS.family
def _freezing(zep: EmbeddedZep, freezes: Callable[[deque[float], int], bool]) -> None:
    """Have nothing that needs the store answered for a while, once so much was written.

    freezes: whether it comes to that, given when the newest posts of several messages came, and how many the last has.
    """
    posts: deque[float] = deque(maxlen=20)
    until = [0.0]

    @around(zep.service.connections, "take")
    def _(take: Callable[[int], None], messages: int) -> None:
        take(messages)
        posts.extend([time.monotonic()] if messages > 2 else [])
        if freezes(posts, messages):
            until[0] = time.monotonic() + FROZEN

    @around(zep.service.connections, "free")
    async def _(free: Callable[[], Awaitable[None]]) -> None:
        await free()
        await asyncio.sleep(max(0.0, until[0] - time.monotonic()))


_freezing("turns-freeze", "After turns of a chat nothing is answered for 8 s but the health check", "LATENCY-2")(
    lambda _posts, messages: messages > 1
)
_freezing("burst-freezes", "After 20 posts of more than a turn nothing is answered for 8 s", "LOAD-2")(
    lambda posts, _messages: len(posts) == posts.maxlen and posts[-1] - posts[0] < 10
)


@MUTATIONS.mutation(
    "turns-hold-up-others", "After turns of a chat other sessions can't be read for 8 s, and its own can", "LATENCY-2"
)
def _(zep: EmbeddedZep) -> None:
    turns: dict[str, float] = {}

    @around(zep.operations["memory"]["POST"], "handler")
    async def _(handler: Handler, service: Service, request: Request, session_id: str) -> Response:
        before = service.store.messages.page(session_id, 1, 1)[1]
        answer = await handler(service, request, session_id)
        if service.store.messages.page(session_id, 1, 1)[1] > before + 1:
            turns[session_id] = time.monotonic()
        return answer

    @around(zep.operations["memory"]["GET"], "handler")
    async def _(handler: Handler, service: Service, request: Request, session_id: str) -> Response:
        newest = max((at for session, at in turns.items() if session != session_id), default=-FROZEN)
        await asyncio.sleep(max(0.0, newest + FROZEN - time.monotonic()))
        return await handler(service, request, session_id)


@MUTATIONS.family
def _overlapping(zep: EmbeddedZep, resource: str) -> None:
    """Have a change of a record answered, and not kept, where another record is being changed at the same time."""
    changing: list[str] = []

    @around(zep.operations[resource]["PATCH"], "handler")
    async def _(handler: Handler, service: Service, request: Request, name: str) -> Response:
        changing.append(name)
        try:
            await asyncio.sleep(0.005)
            execute, where = service.store.database.execute, f"WHERE {resource}_id = ?"
            before = execute(f"SELECT metadata FROM {resource}s {where}", (name,)).fetchone()
            answer = await handler(service, request, name)
            if before and len(changing) > 1:
                execute(f"UPDATE {resource}s SET metadata = ? {where}", (*before, name))
            return answer
        finally:
            changing.remove(name)


_overlapping("session-changes-overlap", "Changes of two sessions' records at one time are lost", "META-1")("session")
_overlapping("user-changes-overlap", "Changes of two users' records at one time are lost", "META-1")("user")


@MUTATIONS.mutation("starts-without-key", "Zep starts without ZEP_OPENAI_API_KEY", "DEPLOY-5", into="environment")
def _(environment: dict[str, str]) -> None:
    environment[OPENAI_API_KEY] = environment.get(OPENAI_API_KEY) or "none"


@MUTATIONS.mutation(
    "silent-without-key", "Without ZEP_OPENAI_API_KEY Zep ends and does not say why", "DEPLOY-5", into="environment"
)
def _(environment: dict[str, str]) -> None:
    if not environment.get(OPENAI_API_KEY):
        raise Misconfigured("")


@MUTATIONS.mutation(
    "starts-without-secret",
    "Zep starts with authentication required and no secret, open to all",
    "AUTH-7",
    into="environment",
)
def _(environment: dict[str, str]) -> None:
    if not environment.get(AUTH_SECRET):
        environment[AUTH_REQUIRED] = ""


@MUTATIONS.mutation(
    "silent-without-secret", "Without a secret Zep ends and does not say why", "AUTH-7", into="environment"
)
def _(environment: dict[str, str]) -> None:
    if go_bool(environment.get(AUTH_REQUIRED) or "false") and not environment.get(AUTH_SECRET):
        raise Misconfigured("")


@MUTATIONS.mutation("firewall-refuses", "What a firewall should drop is refused", "DEPLOY-6", into="network")
def _(_network: object) -> None:
    """Planted by `processes.parts`: a Zep that is cut off by a firewall has no part in it."""


@MUTATIONS.family
def _of_mistakes(zep: EmbeddedZep, change: Callable[[Refusal], Response]) -> None:
    """Have a malformed request answered in another way."""

    @around(zep, "answer")
    async def _(answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            if refusal.status == 400:
                return change(refusal)
            raise


@MUTATIONS.family
def _leaving_a_message(zep: EmbeddedZep, is_meant: Callable[[int], bool]) -> None:
    """Have a write that is refused with a certain status leave a message."""

    @around(zep.operations["memory"]["POST"], "handler")
    async def _(handler: Handler, service: Service, request: Request, session_id: str) -> Response:
        try:
            return await handler(service, request, session_id)
        except Refusal as refusal:
            if is_meant(refusal.status):
                service.store.messages.add(session_id, [PostedMessage("human", "what was left of it")])
            raise


_of_mistakes("malformed-accepted", "A malformed request is answered 200", "BADINPUT-1")(lambda _refusal: plain("OK"))
_of_mistakes("malformed-500", "A malformed request is answered 500", "BADINPUT-1")(
    lambda refusal: refused(Refusal(500, refusal.reason))
)
_of_mistakes("malformed-404", "A malformed request is answered 404", "BADINPUT-1")(
    lambda refusal: refused(Refusal(404, refusal.reason))
)
_of_mistakes("malformed-401", "A malformed request is answered 401", "BADINPUT-1")(
    lambda refusal: refused(Refusal(401, refusal.reason))
)
_of_mistakes("malformed-unexplained", "A malformed request is answered 400 with an empty body", "BADINPUT-1")(
    lambda refusal: refused(Refusal(refusal.status, ""))
)
_leaving_a_message("malformed-changes-memory", "A malformed write is refused and leaves a message", "BADINPUT-1")(
    lambda status: status != 413
)


@_of_mistakes("malformed-kills", "A malformed request ends the server", "BADINPUT-1", "AUTH-2")
def _(_refusal: Refusal) -> Response:
    os._exit(1)


@MUTATIONS.mutation("malformed-wears-out", "After 10 malformed requests everything is answered 503", "BADINPUT-1")
def _(zep: EmbeddedZep) -> None:
    borne: list[Refusal] = []

    @around(zep, "answer")
    async def _(answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        if len(borne) > 10:
            raise Refusal(503, "worn out")
        try:
            return await answer(request)
        except Refusal as refusal:
            borne.extend([refusal] if refusal.status == 400 else [])
            raise


@MUTATIONS.mutation("big-body-accepted", "A body of any size is accepted", "BADINPUT-1")
def _(zep: EmbeddedZep) -> None:
    zep.service.most = 64 * 1024 * 1024


_leaving_a_message("big-body-stored", "A body that is too large is refused and leaves a message", "BADINPUT-1")(
    lambda status: status == 413
)


@MUTATIONS.family
def _of_versions(zep: EmbeddedZep, version: bytes | None) -> None:
    """Have every answer say another version, or none."""
    zep.headers[:] = [(b"x-zep-version", version)] if version else []


_of_versions("version-missing", "No answer says the version", "DEPLOY-1")(None)
_of_versions("version-too-new", "Every answer says version 1.0.2", "DEPLOY-1")(b"1.0.2-embedded (mutated)")
_of_versions("version-too-old", "Every answer says version 0.19.0", "DEPLOY-1")(b"0.19.0-embedded (mutated)")


@MUTATIONS.mutation("healthz-503", "The health check is answered 503", "DEPLOY-1", "DEPLOY-6")
def _(zep: EmbeddedZep) -> None:
    async def unready(*_given: object) -> Response:
        raise Refusal(503, "not ready")

    for operation in zep.operations["healthz"].values():
        around(operation, "handler")(unready)


OPEN_ROUTES: dict[str, tuple[str, str]] = {
    "open-memory-read": ("memory", "GET"),
    "open-memory-write": ("memory", "POST"),
    "open-memory-delete": ("memory", "DELETE"),
    "open-message-list": ("messages", "GET"),
    "open-search": ("search", "POST"),
    "open-message-read": ("message", "GET"),
    "open-message-update": ("message", "PATCH"),
    "open-session-list": ("sessions", "GET"),
    "open-session-creation": ("sessions", "POST"),
    "open-session-read": ("session", "GET"),
    "open-session-update": ("session", "PATCH"),
    "open-user-list": ("users", "GET"),
    "open-user-creation": ("users", "POST"),
    "open-user-read": ("user", "GET"),
    "open-user-update": ("user", "PATCH"),
    "open-user-deletion": ("user", "DELETE"),
    "open-user-sessions": ("user_sessions", "GET"),
}
"""By mutation, the route (resource and method) that is served without a token."""


@MUTATIONS.family
def _opening(zep: EmbeddedZep, route: tuple[str, str]) -> None:
    """Have a route want no token."""

    @around(zep, "admit")
    async def _(admit: Admit, request: Request, target: NamedResource) -> None:
        if (target.resource, request.method) != route:
            await admit(request, target)


for _name, (_resource, _method) in OPEN_ROUTES.items():
    _opening(_name, f"{_method} of {_resource.replace('_', ' ')} needs no token", "AUTH-2")((_resource, _method))


@MUTATIONS.family
def _of_tokens(zep: EmbeddedZep, is_accepted: Callable[[str, str], bool]) -> None:
    """Have tokens accepted, whatever is in them. is_accepted: which, given a token and the secret."""
    around(zep.guard, "verify")(lambda verify, *given: {} if is_accepted(*given) else verify(*given))


@MUTATIONS.family
def _without_claim(zep: EmbeddedZep, claim: str) -> None:
    """Have a claim of tokens count for nothing."""

    @around(zep.guard, "verify")
    def _(verify: Callable[..., dict[str, Any]], *given: str) -> dict[str, Any]:
        return {key: value for key, value in verify(*given).items() if key != claim}


@MUTATIONS.family
def _with_algorithm(zep: EmbeddedZep, algorithm: str) -> None:
    """Have tokens accepted that are signed with one more algorithm."""
    zep.guard.algorithms.append(algorithm)


@MUTATIONS.family
def _refusing(zep: EmbeddedZep, change: Callable[[Refusal], Refusal]) -> None:
    """Have requests without a good token refused in another way."""

    @around(zep, "admit")
    async def _(admit: Admit, *given: Any) -> None:
        try:
            await admit(*given)
        except Refusal as refusal:
            raise change(refusal) from refusal


def _signature(token: str) -> str:
    return token.partition(".")[2].partition(".")[2]


def _signed(secret: str | bytes) -> str:
    """Return the signature of a token over no claims."""
    import jwt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the secret may be short
        return jwt.encode({}, secret, "HS256").rpartition(".")[2]


_UNSIGNED = tuple(
    base64.urlsafe_b64encode(header.encode()).decode().rstrip("=")
    for header in ('{"alg":"none","typ":"JWT"}', '{"typ":"JWT","alg":"none"}', '{"alg":"none"}')
)
"""The header of an unsigned token, as libraries write it."""


@MUTATIONS.mutation("refused-write-stored", "A write without a token is answered 401 and stored", "AUTH-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep, "admit")
    async def _(admit: Admit, request: Request, target: NamedResource) -> None:
        try:
            await admit(request, target)
        except Refusal:
            if (target.resource, request.method) == ("memory", "POST"):
                await zep.operations["memory"]["POST"].handler(zep.service, request, *target.ids)
            raise


_EMPTY = "A request without a good token is answered 401 with an empty body"
_refusing("refusal-unexplained", _EMPTY, "AUTH-2", "AUTH-3")(lambda refusal: Refusal(refusal.status, ""))
_refusing("refusal-is-500", "A request without a good token is answered 500", "AUTH-2", "AUTH-3")(
    lambda refusal: Refusal(500, refusal.reason)
)


@MUTATIONS.mutation("right-token-refused", "No token is accepted", "AUTH-1", "AUTH-2", "AUTH-4")
def _(zep: EmbeddedZep) -> None:
    @around(zep.guard, "verify")
    def _(*_given: object) -> dict[str, Any]:
        raise Refusal(401, "token is unauthorized")


_of_tokens("secret-accepted", "The secret itself is accepted as a token", "AUTH-1", "AUTH-4")(
    lambda token, secret: token == secret
)
_of_tokens("garbage-token-accepted", "Any text of three parts is accepted as a token", "AUTH-3")(
    lambda token, _secret: token.count(".") == 2 and not token.startswith("ey")
)
_without_claim("expired-token-accepted", "An expired token is accepted", "AUTH-3", "AUTH-4")("exp")
_without_claim("early-token-accepted", "A token is accepted before it is valid", "AUTH-3")("nbf")
_of_tokens("unsigned-token-accepted", "A token of the algorithm none is accepted", "AUTH-3")(
    lambda token, _secret: token.partition(".")[0] in _UNSIGNED
)
_of_tokens("token-without-signature-accepted", "A token whose signature was cut off is accepted", "AUTH-3")(
    lambda token, _secret: not _signature(token) and token.partition(".")[0] not in _UNSIGNED
)
_of_tokens("changed-token-accepted", "A token is accepted whose claims were changed", "AUTH-3")(
    lambda token, secret: _signature(token) == _signed(secret)
)
_of_tokens("other-secret-accepted", "A token's signature is not verified", "AUTH-3", "AUTH-4")(
    lambda token, _secret: bool(_signature(token)) and token.startswith("ey")
)
_of_tokens("decoded-secret-accepted", "A token signed with the decoded secret is accepted", "AUTH-3")(
    lambda token, secret: _signature(token) == _signed(base64.urlsafe_b64decode(secret + "=="))
)
_of_tokens("published-secret-accepted", "A token made with the secret of Zep's own config.yaml is accepted", "AUTH-3")(
    lambda token, _secret: _signature(token) == _signed(PUBLISHED_SECRET)
)
_with_algorithm("hs384-accepted", "A token signed with HS384 is accepted", "AUTH-3")("HS384")
_with_algorithm("hs512-accepted", "A token signed with HS512 is accepted", "AUTH-3")("HS512")


@MUTATIONS.mutation("healthz-wants-token", "The health check is answered 401 without a token", "AUTH-6")
def _(zep: EmbeddedZep) -> None:
    @around(zep, "admit")
    async def _(admit: Admit, request: Request, target: NamedResource) -> None:
        if target.resource == "healthz":
            zep.guard.check(request.headers)
        await admit(request, target)


@MUTATIONS.mutation("collections-open", "Document collections are listed without a token", "AUTH-6")
def _(zep: EmbeddedZep) -> None:
    @around(zep, "answer")
    async def _(answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        if request.url.path.split("/")[:4] == ["", "api", "v1", "collection"]:
            return plain("[]\n")
        return await answer(request)
