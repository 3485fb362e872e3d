"""Memory, messages and search over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep import messages, summaries
from zep_conformance.embedded.zep.encoding import dumps, parse_time, parse_uuid
from zep_conformance.embedded.zep.messages import PostedMessage
from zep_conformance.embedded.zep.neighbours import Refused, Unavailable
from zep_conformance.embedded.zep.refusals import Refusal, mistake
from zep_conformance.embedded.zep.search import DEFAULT_LIMIT, parse_query
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.sessions import Row
from zep_conformance.embedded.zep.wire import answer, field, integer, paging, parsed, plain, whole

SEARCH_PATIENCE = 2.0
"""Seconds that a search waits for the NLP server (Zep 0.27.2: 31)."""
_DEFAULT_PAGE = 100  # what Zep takes for a limit that is no number


async def get_memory(service: Service, request: Request, session_id: str) -> Response:
    """GET …/memory?lastn: the newest summary; the messages since it (at most a window) or the newest n."""
    count = integer(request, "lastn")
    if count < 0:
        raise mistake(service.behaviours, "negative-lastn-500", "cannot specify negative lastNMessages")
    summary = service.store.summaries.latest(session_id)
    rows = service.last(session_id, count) if count else service.recent(session_id, summary)
    listed = ",".join(map(messages.render, rows))
    return answer(f'{{"messages":[{listed}],"summary":{summaries.render(summary)}}}\n', service.behaviours)


def _new_message(value: Any, service: Service) -> PostedMessage:
    if value is None and "lenient-json" in service.behaviours:
        return PostedMessage("", "")
    if not isinstance(value, dict):
        raise Refusal(400, "every one of 'messages' must be an object")
    # Zep reads these times and does not keep them: what matters is that they are times.
    parsed(value, "created_at", parse_time)
    parsed(value, "updated_at", parse_time)
    metadata = field(value, "metadata", dict, None)
    return PostedMessage(
        field(value, "role", str, ""),
        field(value, "content", str, ""),
        parsed(value, "uuid", parse_uuid),
        None if metadata is None else dumps(metadata),
        whole(value, "token_count", service.behaviours),
    )


async def post_memory(service: Service, request: Request, session_id: str) -> Response:
    """POST …/memory {messages}: written at once, enriched later. Creates or revives the session."""
    body = await service.read_object(request)
    field(body, "summary", dict, None)
    field(body, "metadata", dict, None)
    new = [_new_message(value, service) for value in field(body, "messages", list, [])]
    service.store.messages.add(session_id, new)
    return plain("OK")


async def delete_memory(service: Service, _request: Request, session_id: str) -> Response:
    """DELETE …/memory: the session with everything in it."""
    service.store.sessions.delete(session_id)
    return plain("OK")


async def list_messages(service: Service, request: Request, session_id: str) -> Response:
    """GET …/messages?limit&cursor: all messages, oldest first; the cursor is a page number from 1."""
    if "bad-paging-ignored" in service.behaviours:
        size, number = _or(request, "limit", _DEFAULT_PAGE), _or(request, "cursor", 1)
    else:
        size, number = paging(request, service.behaviours)
    rows, total = service.store.messages.page(session_id, number, size)
    listed = ",".join(map(messages.render, rows))
    text = f'{{"messages":[{listed}],"total_count":{total},"row_count":{len(rows)}}}\n'
    return answer(text, service.behaviours)


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
    return answer(messages.render(row) + "\n", service.behaviours)


async def get_message(service: Service, _request: Request, session_id: str, uuid: str) -> Response:
    """GET …/messages/{uuid}."""
    return _message(service.store.messages.get(session_id, _uuid(uuid)), service)


async def update_message(service: Service, request: Request, session_id: str, uuid: str) -> Response:
    """PATCH …/messages/{uuid} {metadata?}: merged; nothing else of a message can be changed."""
    known = _uuid(uuid)
    body = await service.read_object(request)
    metadata = field(body, "metadata", dict, None)
    count = whole(body, "token_count", service.behaviours)
    return _message(service.store.messages.update_metadata(session_id, known, metadata, count), service)


async def post_search(service: Service, request: Request, session_id: str) -> Response:
    """POST …/search?limit {text?, metadata?, search_scope?, search_type?, mmr_lambda?}."""
    body = await service.read_object(request)
    limit = integer(request, "limit")
    if limit < 0 and "bad-paging-ignored" not in service.behaviours:
        raise Refusal(400, "limit must not be negative")
    payload = {
        "text": field(body, "text", str, ""),
        "metadata": field(body, "metadata", dict, {}),
        "search_scope": field(body, "search_scope", str, ""),
        "search_type": field(body, "search_type", str, ""),
        "mmr_lambda": float(field(body, "mmr_lambda", float, 0.0)),
    }
    query = parse_query(payload, limit if limit > 0 else DEFAULT_LIMIT, service.behaviours)
    vector = None
    if query.text:
        try:
            vector = await service.neighbours.embed_within(query.text, SEARCH_PATIENCE)
        except (Unavailable, Refused) as error:
            raise Refusal(500, f"failed to embed query: {error}") from error
    return answer(service.search.find(session_id, query, vector), service.behaviours)
