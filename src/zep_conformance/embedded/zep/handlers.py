"""What answers each request: the API's sessions, memory, messages, search and users, and what is beside it.

Of the administrator's page there is what shows who may use it: lists of users and sessions, and deleting a session.
"""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep import messages, records, summaries, wire
from zep_conformance.embedded.zep.encoding import check_time, dumps, parse_uuid
from zep_conformance.embedded.zep.messages import PostedMessage
from zep_conformance.embedded.zep.neighbours import Refused, Unavailable
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.search import DEFAULT_LIMIT, parse_query
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.wire import Refusal, field

SEARCH_PATIENCE = 2.0
"""Seconds that a search tries to reach the NLP server (Zep 0.27.2: 31)."""
_DEFAULT_PAGE = 100  # what Zep takes for a limit that is no number


def _session(row: Row, service: Service, status: int = 200) -> Response:
    return wire.answer(records.render_session(row) + "\n", service.behaviours, status)


def _sessions(rows: list[Row], service: Service) -> Response:
    return wire.answer("[" + ",".join(map(records.render_session, rows)) + "]\n", service.behaviours)


def _user(row: Row, service: Service, status: int = 200) -> Response:
    return wire.answer(records.render_user(row) + "\n", service.behaviours, status)


async def list_sessions(service: Service, request: Request) -> Response:
    """GET /sessions?limit&cursor: the sessions whose row id is above the cursor."""
    limit, cursor = wire.paging(request, service.behaviours)
    return _sessions(service.store.sessions.listed(cursor, limit), service)


async def create_session(service: Service, request: Request) -> Response:
    """POST /sessions {session_id, user_id?, metadata?}."""
    body = await service.read_object(request, "CreateSessionRequest")
    session_id, user_id = field(body, "session_id", str, ""), field(body, "user_id", str, None)
    row = service.store.sessions.create(session_id, user_id, wire.metadata(body))
    return _session(row, service, 201)


async def get_session(service: Service, _request: Request, session_id: str) -> Response:
    """GET /sessions/{id}."""
    return _session(service.store.sessions.get(session_id), service)


async def update_session(service: Service, request: Request, session_id: str) -> Response:
    """PATCH /sessions/{id} {metadata?}."""
    body = await service.read_object(request, "UpdateSessionRequest")
    async with service.locks.held(f"session {session_id}"):
        return _session(service.store.sessions.update(session_id, wire.metadata(body)), service)


def _names(body: wire.Fields) -> tuple[str, str, str]:
    return field(body, "email", str, ""), field(body, "first_name", str, ""), field(body, "last_name", str, "")


async def list_users(service: Service, request: Request) -> Response:
    """GET /user?limit&cursor: the users whose row id is above the cursor."""
    limit, cursor = wire.paging(request, service.behaviours)
    listed = map(records.render_user, service.store.users.listed(cursor, limit))
    return wire.answer("[" + ",".join(listed) + "]\n", service.behaviours)


async def create_user(service: Service, request: Request) -> Response:
    """POST /user {user_id, email?, first_name?, last_name?, metadata?}."""
    body = await service.read_object(request, "CreateUserRequest")
    user_id, metadata = field(body, "user_id", str, ""), wire.metadata(body)
    return _user(service.store.users.create(user_id, _names(body), metadata), service, 201)


async def get_user(service: Service, _request: Request, user_id: str) -> Response:
    """GET /user/{id}."""
    return _user(service.store.users.get(user_id), service)


async def update_user(service: Service, request: Request, user_id: str) -> Response:
    """PATCH /user/{id} {email?, first_name?, last_name?, metadata?}."""
    body = await service.read_object(request, "UpdateUserRequest")
    metadata = wire.metadata(body)
    async with service.locks.held(f"user {user_id}"):
        return _user(service.store.users.update(user_id, _names(body), metadata), service)


async def delete_user(service: Service, _request: Request, user_id: str) -> Response:
    """DELETE /user/{id}: the user's sessions go too."""
    service.store.users.delete(user_id)
    return wire.plain("OK")


async def list_user_sessions(service: Service, _request: Request, user_id: str) -> Response:
    """GET /user/{id}/sessions."""
    return _sessions(service.store.sessions.of_user(user_id), service)


async def get_memory(service: Service, request: Request, session_id: str) -> Response:
    """GET …/memory?lastn: the newest summary; the messages since it (at most a window) or the newest n."""
    count = wire.integer(request, "lastn")
    if count < 0:
        raise wire.mistake(service.behaviours, "negative-lastn-500", "cannot specify negative lastNMessages")
    summary = service.store.summaries.latest(session_id)
    rows = service.last(session_id, count) if count else service.recent(session_id, summary)
    listed = ",".join(map(messages.render, rows))
    return wire.answer(f'{{"messages":[{listed}],"summary":{summaries.render(summary)}}}\n', service.behaviours)


def _new_message(value: Any, service: Service) -> PostedMessage:
    what, lenient = "struct field Memory.messages of type models.Message", "lenient-json" in service.behaviours
    given = wire.fields(value, "Message.messages", what, lenient=lenient)
    # Zep reads these times and does not keep them: what matters is that they are times.
    wire.parsed(given, "created_at", check_time)
    wire.parsed(given, "updated_at", check_time)
    metadata = wire.metadata(given)
    return PostedMessage(
        field(given, "role", str, ""),
        field(given, "content", str, ""),
        wire.parsed(given, "uuid", parse_uuid),
        None if metadata is None else dumps(metadata),
        wire.whole(given, "token_count", service.behaviours),
    )


async def post_memory(service: Service, request: Request, session_id: str) -> Response:
    """POST …/memory {messages}: written at once, enriched later. Creates or revives the session."""
    body = await service.read_object(request, "Memory")
    field(body, "summary", dict, None)
    wire.metadata(body)
    new = [_new_message(value, service) for value in field(body, "messages", list, [])]
    service.store.messages.add(session_id, new)
    service.connections.take(len(new))
    return wire.plain("OK")


async def delete_memory(service: Service, _request: Request, session_id: str) -> Response:
    """DELETE …/memory: the session with everything in it."""
    service.store.sessions.delete(session_id)
    return wire.plain("OK")


async def list_messages(service: Service, request: Request, session_id: str) -> Response:
    """GET …/messages?limit&cursor: all messages, oldest first; the cursor is a page number from 1."""
    if "bad-paging-ignored" in service.behaviours:
        size, number = _or(request, "limit", _DEFAULT_PAGE), _or(request, "cursor", 1)
    else:
        size, number = wire.paging(request, service.behaviours)
    rows, total = service.store.messages.page(session_id, number, size)
    listed = ",".join(map(messages.render, rows))
    text = f'{{"messages":[{listed}],"total_count":{total},"row_count":{len(rows)}}}\n'
    return wire.answer(text, service.behaviours)


def _or(request: Request, name: str, otherwise: int) -> int:
    try:
        return wire.integer(request, name)
    except Refusal:
        return otherwise


def _uuid(text: str) -> str:
    try:
        return parse_uuid(text)
    except ValueError as error:
        raise Refusal(400, f"unable to parse document UUID: {error}") from None


def _message(row: Row, service: Service) -> Response:
    return wire.answer(messages.render(row) + "\n", service.behaviours)


async def get_message(service: Service, _request: Request, session_id: str, uuid: str) -> Response:
    """GET …/messages/{uuid}."""
    return _message(service.store.messages.get(session_id, _uuid(uuid)), service)


async def update_message(service: Service, request: Request, session_id: str, uuid: str) -> Response:
    """PATCH …/messages/{uuid} {metadata?}: merged; nothing else of a message can be changed."""
    known = _uuid(uuid)
    body = await service.read_object(request, "Message")
    metadata = wire.metadata(body)
    count = wire.whole(body, "token_count", service.behaviours)
    return _message(service.store.messages.update_metadata(session_id, known, metadata, count), service)


async def post_search(service: Service, request: Request, session_id: str) -> Response:
    """POST …/search?limit {text?, metadata?, search_scope?, search_type?, mmr_lambda?}."""
    body = await service.read_object(request, "MemorySearchPayload")
    payload = {
        "text": field(body, "text", str, ""),
        "metadata": field(body, "metadata", dict, {}),
        "search_scope": field(body, "search_scope", str, ""),
        "search_type": field(body, "search_type", str, ""),
        "mmr_lambda": float(field(body, "mmr_lambda", float, 0.0)),
    }
    limit = wire.integer(request, "limit")
    if limit < 0 and "bad-paging-ignored" not in service.behaviours:
        raise Refusal(400, "limit must not be negative")
    query = parse_query(payload, limit if limit > 0 else DEFAULT_LIMIT, service.behaviours)
    vector = None
    if query.text:
        try:
            vector = await service.neighbours.embed_within(query.text, SEARCH_PATIENCE)
        except (Unavailable, Refused) as error:
            raise Refusal(500, f"failed to embed query: {error}") from error
    return wire.answer(service.search.find(session_id, query, vector), service.behaviours)


_ADMIN_PAGE = "<!DOCTYPE html>\n<html><head><title>Zep</title></head><body><h1>{title}</h1>\n{body}\n</body></html>\n"


def _html(title: str, body: str) -> Response:
    return wire.page(_ADMIN_PAGE.format(title=title, body=body), media_type="text/html")


async def health(_service: Service, _request: Request) -> Response:
    """GET /healthz: whether the server is up, which says nothing about its store."""
    return Response(".", headers={"content-type": "text/plain"})


async def description(service: Service, _request: Request) -> Response:
    """GET /openapi.json: what this server offers. Zep 0.27.2 comes with such a file, and does not serve it."""
    return Response(service.description, media_type="application/json")


async def admin_index(_service: Service, _request: Request) -> Response:
    """GET /admin."""
    return _html("Zep", "<p>The embedded Zep is running.</p>")


async def admin_page(service: Service, _request: Request, section: str) -> Response:
    """GET /admin/users or /admin/sessions: their ids."""
    listed = {"users": service.store.users.listed, "sessions": service.store.sessions.listed}.get(section)
    if listed is None:
        return wire.page(wire.NOT_FOUND_PAGE, 404)
    items = "\n".join(f"<li>{escape(row[2])}</li>" for row in listed(0, 0))
    return _html(section.capitalize(), f"<ul>{items}</ul>")


async def admin_delete(service: Service, _request: Request, rest: str) -> Response:
    """DELETE /admin/sessions/{id}."""
    section, _, name = rest.partition("/")
    if section != "sessions" or not name:
        return wire.page(wire.NOT_FOUND_PAGE, 404)
    service.store.sessions.delete(name if "path-ids-stay-escaped" in service.behaviours else unquote(name))
    return wire.plain("")
