"""Sessions and users over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep import sessions, users
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.sessions import Row
from zep_conformance.embedded.zep.wire import answer, field, paging, plain, read_object


def _session(row: Row, service: Service, status: int = 200) -> Response:
    return answer(sessions.render(row) + "\n", service.departures, status)


def _sessions(rows: list[Row], service: Service) -> Response:
    return answer("[" + ",".join(map(sessions.render, rows)) + "]\n", service.departures)


def _user(row: Row, service: Service, status: int = 200) -> Response:
    return answer(users.render(row) + "\n", service.departures, status)


async def list_sessions(service: Service, request: Request) -> Response:
    """GET /sessions?limit&cursor: the sessions whose row id is above the cursor."""
    limit, cursor = paging(request, service.departures)
    return _sessions(service.store.sessions.listed(cursor, limit), service)


async def create_session(service: Service, request: Request) -> Response:
    """POST /sessions {session_id, user_id?, metadata?}."""
    body = await read_object(request, service.departures)
    row = service.store.sessions.create(
        field(body, "session_id", str, ""),
        field(body, "user_id", str, None),
        field(body, "metadata", dict, None),
    )
    return _session(row, service, 201)


async def get_session(service: Service, _request: Request, session_id: str) -> Response:
    """GET /sessions/{id}."""
    return _session(service.store.sessions.get(session_id), service)


async def update_session(service: Service, request: Request, session_id: str) -> Response:
    """PATCH /sessions/{id} {metadata?}."""
    body = await read_object(request, service.departures)
    return _session(service.store.sessions.update(session_id, field(body, "metadata", dict, None)), service)


def _names(body: dict[str, object]) -> tuple[str, str, str]:
    return (
        field(body, "email", str, ""),
        field(body, "first_name", str, ""),
        field(body, "last_name", str, ""),
    )


async def list_users(service: Service, request: Request) -> Response:
    """GET /user?limit&cursor: the users whose row id is above the cursor."""
    limit, cursor = paging(request, service.departures)
    listed = map(users.render, service.store.users.listed(cursor, limit))
    return answer("[" + ",".join(listed) + "]\n", service.departures)


async def create_user(service: Service, request: Request) -> Response:
    """POST /user {user_id, email?, first_name?, last_name?, metadata?}."""
    body = await read_object(request, service.departures)
    user_id, metadata = field(body, "user_id", str, ""), field(body, "metadata", dict, None)
    return _user(service.store.users.create(user_id, _names(body), metadata), service, 201)


async def get_user(service: Service, _request: Request, user_id: str) -> Response:
    """GET /user/{id}."""
    return _user(service.store.users.get(user_id), service)


async def update_user(service: Service, request: Request, user_id: str) -> Response:
    """PATCH /user/{id} {email?, first_name?, last_name?, metadata?}."""
    body = await read_object(request, service.departures)
    metadata = field(body, "metadata", dict, None)
    return _user(service.store.users.update(user_id, _names(body), metadata), service)


async def delete_user(service: Service, _request: Request, user_id: str) -> Response:
    """DELETE /user/{id}: the user's sessions go too."""
    service.store.users.delete(user_id)
    return plain("OK")


async def list_user_sessions(service: Service, _request: Request, user_id: str) -> Response:
    """GET /user/{id}/sessions."""
    listed = service.store.sessions.of_user(user_id)
    if "user-sessions-unlisted" in service.departures:
        listed = []
    if "user-sessions-newest-only" in service.departures:
        listed = listed[-1:]
    if "user-sessions-of-all" in service.departures:
        listed = service.store.sessions.listed(0, 0)
    return _sessions(listed, service)
