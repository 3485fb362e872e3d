"""Mutations of how Zep is operated: when what it depends on is away, and when it starts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.configuration import Misconfigured
from zep_conformance.embedded.zep.enrichment import BATCH, Worker
from zep_conformance.embedded.zep.mutations.handlers import around_handler
from zep_conformance.embedded.zep.neighbours import Unavailable
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.store import StoreDown
from zep_conformance.embedded.zep.wire import Refusal, plain
from zep_conformance.facts.mutations import Mutations, around
from zep_conformance.facts.servers import go_bool

MUTATIONS = Mutations("zep")


# -------------------------------------------------------------------------------------------------------- faults
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

    @around_handler(zep, "memory", "POST")
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
    "store-back-without-newest",
    "When the database comes back the newest message of each session is missing",
    "FAULT-2",
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


# ------------------------------------------------------------------------------------------------------ starting
_KEY, _REQUIRED, _SECRET = "ZEP_OPENAI_API_KEY", "ZEP_AUTH_REQUIRED", "ZEP_AUTH_SECRET"


@MUTATIONS.mutation("starts-without-key", "Zep starts without ZEP_OPENAI_API_KEY", "DEPLOY-5", into="environment")
def _(environment: dict[str, str]) -> None:
    environment[_KEY] = environment.get(_KEY) or "none"


@MUTATIONS.mutation(
    "silent-without-key", "Without ZEP_OPENAI_API_KEY Zep ends and does not say why", "DEPLOY-5", into="environment"
)
def _(environment: dict[str, str]) -> None:
    if not environment.get(_KEY):
        raise Misconfigured("")


@MUTATIONS.mutation(
    "starts-without-secret",
    "Zep starts with authentication required and no secret, open to all",
    "AUTH-7",
    into="environment",
)
def _(environment: dict[str, str]) -> None:
    if not environment.get(_SECRET):
        environment[_REQUIRED] = ""


@MUTATIONS.mutation(
    "silent-without-secret", "Without a secret Zep ends and does not say why", "AUTH-7", into="environment"
)
def _(environment: dict[str, str]) -> None:
    if go_bool(environment.get(_REQUIRED) or "false") and not environment.get(_SECRET):
        raise Misconfigured("")


@MUTATIONS.mutation("firewall-refuses", "What a firewall should drop is refused", "DEPLOY-6", into="network")
def _(_network: object) -> None:
    """Planted by `processes.parts`: a Zep that is cut off by a firewall has no part in it."""
