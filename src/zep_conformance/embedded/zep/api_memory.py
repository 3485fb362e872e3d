"""Memory, messages and search over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep import messages, summaries
from zep_conformance.embedded.zep.encoding import dumps, parse_time, parse_uuid
from zep_conformance.embedded.zep.messages import NewMessage
from zep_conformance.embedded.zep.neighbours import Refused, Unavailable
from zep_conformance.embedded.zep.refusals import Refusal, mistake
from zep_conformance.embedded.zep.search import DEFAULT_LIMIT, parse_query, search
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.sessions import Row
from zep_conformance.embedded.zep.spoiling import SLOWNESS, spoilt
from zep_conformance.embedded.zep.summaries import Summary
from zep_conformance.embedded.zep.wire import answer, field, integer, paging, parsed, plain, read_object, whole

SEARCH_PATIENCE = 2.0
"""Seconds that a search waits for the NLP server (Zep 0.27.2: 31)."""
_DEFAULT_PAGE = 100  # what Zep takes for a limit that is no number


async def get_memory(service: Service, request: Request, session_id: str) -> Response:
    """GET …/memory?lastn: the newest summary; the messages since it (at most a window) or the newest n."""
    count = integer(request, "lastn")
    if count < 0:
        raise mistake(service.departures, "negative-lastn-500", "cannot specify negative lastNMessages")
    summary = service.store.summaries.latest(session_id)
    if "slow-reads" in service.departures:
        await asyncio.sleep(SLOWNESS)
    rows = _newest(service, session_id, count, summary) if count else _recent(service, session_id, summary)
    listed = ",".join(map(messages.render, rows))
    return answer(f'{{"messages":[{listed}],"summary":{summaries.render(summary)}}}\n', service.departures)


def _newest(service: Service, session_id: str, count: int, summary: Summary) -> list[Row]:
    """The newest `count` messages, unless a planted defect has other ones."""
    departures, stored = service.departures, service.store.messages
    if "lastn-ignored" in departures:
        return _recent(service, session_id, summary)
    if "lastn-oldest" in departures:
        return stored.page(session_id, 1, count)[0]
    if "lastn-off-by-one" in departures:
        count -= 1
    if "lastn-capped" in departures:
        count = min(count, 5)
    after = summary.point_id if "lastn-stops-at-summary" in departures else 0
    return stored.newest(session_id, count, after)


def _recent(service: Service, session_id: str, summary: Summary) -> list[Row]:
    """The messages since the summary, at most a window, unless a planted defect has other ones."""
    if "summary-keeps-older-half" in service.departures and summary.point_id:
        return service.store.messages.page(session_id, 1, service.window // 2)[0]
    most = 6 if "memory-limited" in service.departures else service.window
    return service.store.messages.newest(session_id, most, after=summary.point_id)


def _new_message(value: Any, service: Service) -> NewMessage:
    if value is None and "lenient-json" in service.departures:
        return NewMessage("", "")
    if not isinstance(value, dict):
        raise Refusal(400, "every one of 'messages' must be an object")
    # Zep reads these times and does not keep them: what matters is that they are times.
    parsed(value, "created_at", parse_time)
    parsed(value, "updated_at", parse_time)
    metadata = field(value, "metadata", dict, None)
    return NewMessage(
        field(value, "role", str, ""),
        field(value, "content", str, ""),
        parsed(value, "uuid", parse_uuid),
        None if metadata is None else dumps(metadata),
        whole(value, "token_count", service.departures),
    )


async def post_memory(service: Service, request: Request, session_id: str) -> Response:
    """POST …/memory {messages}: written at once, enriched later. Creates or revives the session."""
    try:
        body = await read_object(request, service.departures)
        field(body, "summary", dict, None)
        field(body, "metadata", dict, None)
        new = [_new_message(value, service) for value in field(body, "messages", list, [])]
    except Refusal as refusal:
        defect = "big-body-stored" if refusal.status == 413 else "malformed-changes-memory"
        if defect in service.departures:
            service.store.messages.add(session_id, [NewMessage("human", "what was left of it")])
        raise
    new = spoilt(new, service.departures)
    if "writes-want-nlp" in service.departures:
        try:
            await service.neighbours.embed(["are you there?"])
        except Unavailable as error:
            raise Refusal(503, str(error)) from error
    if "slow-writes" in service.departures:
        await asyncio.sleep(SLOWNESS)
    if any(name.endswith("-under-load") for name in service.departures.active):
        await service.crowd.write(session_id, lambda session: service.store.messages.add(session, new))
    else:
        service.store.messages.add(session_id, new)
    return plain("OK")


async def delete_memory(service: Service, _request: Request, session_id: str) -> Response:
    """DELETE …/memory: the session with everything in it."""
    if "clear-late" in service.departures:
        service.store.sessions.get(session_id)
        asyncio.get_running_loop().call_later(1.0, service.store.sessions.delete, session_id)
    else:
        service.store.sessions.delete(session_id)
    return plain("OK")


async def list_messages(service: Service, request: Request, session_id: str) -> Response:
    """GET …/messages?limit&cursor: all messages, oldest first; the cursor is a page number from 1."""
    if "bad-paging-ignored" in service.departures:
        size, number = _or(request, "limit", _DEFAULT_PAGE), _or(request, "cursor", 1)
    else:
        size, number = paging(request, service.departures)
    rows, total = service.store.messages.page(session_id, number, size)
    listed = ",".join(map(messages.render, rows))
    text = f'{{"messages":[{listed}],"total_count":{total},"row_count":{len(rows)}}}\n'
    return answer(text, service.departures)


def _or(request: Request, name: str, otherwise: int) -> int:
    try:
        return integer(request, name)
    except Refusal:
        return otherwise


def _uuid(text: str) -> str:
    try:
        return parse_uuid(text)
    except ValueError as error:
        raise Refusal(400, f"unable to parse message UUID: {error}") from None


def _message(row: Row, service: Service) -> Response:
    return answer(messages.render(row) + "\n", service.departures)


async def get_message(service: Service, _request: Request, session_id: str, uuid: str) -> Response:
    """GET …/messages/{uuid}."""
    return _message(service.store.messages.get(session_id, _uuid(uuid)), service)


async def update_message(service: Service, request: Request, session_id: str, uuid: str) -> Response:
    """PATCH …/messages/{uuid} {metadata?}: merged; nothing else of a message can be changed."""
    known = _uuid(uuid)
    body = await read_object(request, service.departures)
    metadata = field(body, "metadata", dict, None)
    count = whole(body, "token_count", service.departures)
    return _message(service.store.messages.update_metadata(session_id, known, metadata, count), service)


async def post_search(service: Service, request: Request, session_id: str) -> Response:
    """POST …/search?limit {text?, metadata?, search_scope?, search_type?, mmr_lambda?}."""
    body = await read_object(request, service.departures)
    limit = integer(request, "limit")
    if "search-unknown-404" in service.departures:
        service.store.sessions.get(session_id)
    if "search-limit-ignored" in service.departures:
        limit = 0
    if limit < 0 and "bad-paging-ignored" not in service.departures:
        raise Refusal(400, "limit must not be negative")
    payload = {
        "text": field(body, "text", str, ""),
        "metadata": field(body, "metadata", dict, {}),
        "search_scope": field(body, "search_scope", str, ""),
        "search_type": field(body, "search_type", str, ""),
        "mmr_lambda": float(field(body, "mmr_lambda", float, 0.0)),
    }
    query = parse_query(payload, limit if limit > 0 else DEFAULT_LIMIT, service.departures)
    if "search-broken" in service.departures:
        raise Refusal(500, "failed to embed query: no NLP server")
    vector = None
    if query.text:
        try:
            vector = await service.neighbours.embed_within(query.text, SEARCH_PATIENCE)
        except (Unavailable, Refused) as error:
            raise Refusal(500, f"failed to embed query: {error}") from error
    return answer(search(service.store.database, service.departures, session_id, query, vector), service.departures)
