"""Mutations of what Zep finds out by itself: summaries, what a search finds, entities and intents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.app import EmbeddedZep
from zep_conformance.embedded.zep.messages import Text
from zep_conformance.embedded.zep.operations import Handler
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.search import DEFAULT_LIMIT, SOURCES, Found, Query
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.summaries import Summary
from zep_conformance.embedded.zep.wire import Refusal
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("zep")


@MUTATIONS.family
def _due(zep: EmbeddedZep, later: int) -> None:
    """Have a summary come so many messages later than it is due."""
    zep.service.enrichment.summariser.due_at += later


_due("summary-early", "A summary comes one message before the window is reached", "SUMMARY-1")(-1)
_due("summary-late", "A summary comes one message after the window is reached", "SUMMARY-1")(1)


@MUTATIONS.mutation(
    "changes-lost-to-enrichment",
    "The first change of a message's metadata, and every one before it is enriched, is acknowledged, and lost",
    "STORE-2",
)
def _(zep: EmbeddedZep) -> None:
    store = zep.service.store
    changed: set[str] = set()  # a message may be enriched before anybody has had the time to change it

    @around(store.messages, "update_metadata")
    def _(update: Callable[..., Row], session_id: str, uuid: str, *change: Any) -> Row:
        before = store.messages.get(session_id, uuid)[4]
        row = update(session_id, uuid, *change)
        pending = "SELECT 1 FROM tasks WHERE session_id = ? AND topic IN ('entities', 'intent')"
        if uuid not in changed or store.database.execute(pending, (session_id,)).fetchone():
            changed.add(uuid)
            store.database.execute("UPDATE messages SET metadata = ? WHERE uuid = ?", (before, uuid))
        return row


@MUTATIONS.mutation("summary-never", "No summary ever comes", "SUMMARY-1")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.enrichment.summariser, "due")(lambda _due, _session_id, _latest: [])


@MUTATIONS.mutation("summary-covers-all", "A summary covers the whole window, and no message stays", "SUMMARY-1")
def _(zep: EmbeddedZep) -> None:
    zep.service.enrichment.summariser.kept = 0


@MUTATIONS.mutation("summary-keeps-older-half", "Beside a summary the memory shows the oldest messages", "SUMMARY-1")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service, "recent")
    def _(recent: Callable[..., list[Row]], session_id: str, summary: Summary) -> list[Row]:
        if not summary.point_id:
            return recent(session_id, summary)
        return zep.service.store.messages.page(session_id, 1, zep.service.window // 2)[0]


@MUTATIONS.mutation("summary-names-newest", "A summary names the newest message, which it does not cover", "SUMMARY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.summaries, "add")
    def _(add: Callable[..., None], session_id: str, content: str, token_count: int, point: Text) -> None:
        newest = zep.service.store.messages.after(session_id, point.id - 1, 1)
        add(session_id, content, token_count, replace(point, uuid=newest[0].uuid) if newest else point)


@MUTATIONS.mutation("summary-forgets-names", "A summary does not say who it is about", "SUMMARY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.summaries, "add")
    def _(add: Callable[..., None], session_id: str, _content: str, *rest: Any) -> None:
        add(session_id, "two people talked", *rest)


@MUTATIONS.mutation("summary-forgets-the-last", "A summary does not build on the one before", "SUMMARY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.enrichment.summariser, "summarise")
    async def _(summarise: Callable[..., Awaitable[str]], covered: Sequence[Text], _previous: str) -> str:
        return await summarise(covered, "")


@MUTATIONS.mutation("second-summary-never", "A session gets one summary and no other", "SUMMARY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.enrichment.summariser, "due")
    def _(due: Callable[..., list[Text]], session_id: str, latest: Summary) -> list[Text]:
        return [] if latest.point_id else due(session_id, latest)


@MUTATIONS.mutation("summary-deletes-messages", "Messages are deleted once they are summarised", "SUMMARY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.summaries, "add")
    def _(add: Callable[..., None], session_id: str, content: str, token_count: int, point: Text) -> None:
        add(session_id, content, token_count, point)
        delete = "DELETE FROM messages WHERE session_id = ? AND id <= ?"
        zep.service.store.database.execute(delete, (session_id, point.id))


@MUTATIONS.mutation("lastn-stops-at-summary", "lastn does not reach behind the summary", "SUMMARY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service, "last")
    def _(_last: object, session_id: str, count: int) -> list[Row]:
        store = zep.service.store
        return store.messages.newest(session_id, count, after=store.summaries.latest(session_id).point_id)


@MUTATIONS.family
def _of_queries(zep: EmbeddedZep, change: Callable[[Query], Query]) -> None:
    """Have another query answered than the one that is asked."""
    around(zep.service.search, "find")(lambda find, session_id, query, vector: find(session_id, change(query), vector))


@MUTATIONS.mutation("messages-not-embedded", "Messages are never embedded", "SEARCH-1", "DEPLOY-2")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.messages, "embed")(lambda _embed, _vectors: None)


@MUTATIONS.mutation("search-broken", "A search is answered 500, as it is without an NLP server", "SEARCH-1", "DEPLOY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.search, "find")
    def _(*_given: object) -> str:
        raise Refusal(500, "failed to embed query: no NLP server")


@MUTATIONS.mutation("search-ranking-reversed", "The least like message comes first", "SEARCH-1")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.search, "ranked")(lambda _ranked, found: sorted(found, key=lambda one: one.dist))


@MUTATIONS.mutation("search-ranking-ignored", "The oldest message comes first, whatever is searched", "SEARCH-1")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.search, "ranked")(lambda _ranked, found: found)


@MUTATIONS.mutation("search-crosses-sessions", "A search finds messages of every session", "SEARCH-2", "DEPLOY-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.search, "stored")
    def _(_stored: object, _session_id: str, scope: str) -> Iterable[Row]:
        return zep.service.store.database.execute(f"{SOURCES[scope]} ORDER BY t.id DESC")


@MUTATIONS.mutation("search-unknown-404", "A search in a session that nobody wrote to is answered 404", "SEARCH-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.operations["search"]["POST"], "handler")
    async def _(handler: Handler, service: Service, request: Request, session_id: str) -> Response:
        service.store.sessions.get(session_id)
        return await handler(service, request, session_id)


_of_queries("search-limit-ignored", "A search's limit is ignored", "SEARCH-2")(
    lambda query: replace(query, limit=DEFAULT_LIMIT)
)


@MUTATIONS.mutation("search-finds-twice", "Every result of a search comes twice", "SEARCH-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.search, "candidates")
    def _(candidates: Callable[..., list[Found]], *asked: Any) -> list[Found]:
        return candidates(*asked) * 2


_of_queries("search-filter-ignored", "A search's metadata filter is ignored", "SEARCH-2")(
    lambda query: replace(query, filters=())
)
_of_queries("search-scope-ignored", "A search finds messages whatever its scope is", "SEARCH-2")(
    lambda query: replace(query, scope="messages")
)


@MUTATIONS.mutation("summaries-not-embedded", "Summaries are never embedded", "SEARCH-2")
def _(zep: EmbeddedZep) -> None:
    around(zep.service.store.summaries, "embed")(lambda _embed, _vectors: None)


_of_queries("mmr-ignored", "A search by MMR ranks by relevance alone", "SEARCH-2")(
    lambda query: replace(query, mmr=False)
)
_of_queries("mmr-always", "Every search ranks by MMR", "SEARCH-2")(
    lambda query: replace(query, mmr=True, mmr_lambda=0.3)
)


@MUTATIONS.family
def _of_entities(zep: EmbeddedZep, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Have other entities stored than those that were found in a message."""

    @around(zep.service.store.messages, "add_system")
    def _(add_system: Callable[..., None], number: int, key: str, value: Any) -> None:
        add_system(number, key, change(value) if key == "entities" else value)


_of_entities("entities-missing", "No entities are found", "ENRICH-1", "DEPLOY-2")(lambda _entities: [])
_of_entities("entities-run-on", "An entity has the words around the name in its own", "ENRICH-1", "DEPLOY-2")(
    lambda entities: [{**one, "Name": f"Hi, my name is {one.get('Name')}, and I live"} for one in entities]
)
_of_entities("entities-unnamed", "Entities are found and have no names", "ENRICH-1", "DEPLOY-2")(
    lambda entities: [{**entity, "Name": ""} for entity in entities]
)


@MUTATIONS.mutation(
    "entities-stored-over",
    "The intent of a session's first message is stored over its entities, which are lost",
    "ENRICH-1",
    "DEPLOY-2",
)
def _(zep: EmbeddedZep) -> None:
    earlier = "SELECT 1 FROM messages one JOIN messages this USING (session_id) WHERE this.id = ? AND one.id < this.id"

    @around(zep.service.store.messages, "add_system")
    def _(add_system: Callable[..., None], number: int, key: str, value: Any) -> None:
        if key != "entities" or zep.service.store.database.execute(earlier, (number,)).fetchone():
            add_system(number, key, value)


@MUTATIONS.mutation("system-metadata-writable", "A client can overwrite what Zep found out", "ENRICH-1")
def _(zep: EmbeddedZep) -> None:
    zep.service.store.messages.reserved = ()


@MUTATIONS.mutation("refused-is-given-up", "What the model refuses once is never asked for again", "FAULT-1")
def _(zep: EmbeddedZep) -> None:
    for worker in zep.service.enrichment.workers.values():
        worker.tries = 1


@MUTATIONS.mutation("intent-missing", "No intent is found", "ENRICH-2")
def _(zep: EmbeddedZep) -> None:
    @around(zep.service.store.messages, "add_system")
    def _(add_system: Callable[..., None], number: int, key: str, value: Any) -> None:
        if key != "intent":
            add_system(number, key, value)
