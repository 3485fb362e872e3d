"""Sessions and users over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep import sessions, users
from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.sessions import Row
from zep_conformance.embedded.zep.wire import answer, field, paging, plain


def _session(row: Row, service: Service, status: int = 200) -> Response:
    return answer(sessions.render(row) + "\n", service.behaviours, status)


def _sessions(rows: list[Row], service: Service) -> Response:
    return answer("[" + ",".join(map(sessions.render, rows)) + "]\n", service.behaviours)


def _user(row: Row, service: Service, status: int = 200) -> Response:
    return answer(users.render(row) + "\n", service.behaviours, status)


async def list_sessions(service: Service, request: Request) -> Response:
    """GET /sessions?limit&cursor: the sessions whose row id is above the cursor."""
    limit, cursor = paging(request, service.behaviours)
    return _sessions(service.store.sessions.listed(cursor, limit), service)


async def create_session(service: Service, request: Request) -> Response:
    """POST /sessions {session_id, user_id?, metadata?}."""
    body = await service.read_object(request)
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
    body = await service.read_object(request)
    return _session(service.store.sessions.update(session_id, field(body, "metadata", dict, None)), service)


def _names(body: dict[str, object]) -> tuple[str, str, str]:
    return (
        field(body, "email", str, ""),
        field(body, "first_name", str, ""),
        field(body, "last_name", str, ""),
    )


async def list_users(service: Service, request: Request) -> Response:
    """GET /user?limit&cursor: the users whose row id is above the cursor."""
    limit, cursor = paging(request, service.behaviours)
    listed = map(users.render, service.store.users.listed(cursor, limit))
    return answer("[" + ",".join(listed) + "]\n", service.behaviours)


async def create_user(service: Service, request: Request) -> Response:
    """POST /user {user_id, email?, first_name?, last_name?, metadata?}."""
    body = await service.read_object(request)
    user_id, metadata = field(body, "user_id", str, ""), field(body, "metadata", dict, None)
    return _user(service.store.users.create(user_id, _names(body), metadata), service, 201)


async def get_user(service: Service, _request: Request, user_id: str) -> Response:
    """GET /user/{id}."""
    return _user(service.store.users.get(user_id), service)


async def update_user(service: Service, request: Request, user_id: str) -> Response:
    """PATCH /user/{id} {email?, first_name?, last_name?, metadata?}."""
    body = await service.read_object(request)
    metadata = field(body, "metadata", dict, None)
    return _user(service.store.users.update(user_id, _names(body), metadata), service)


async def delete_user(service: Service, _request: Request, user_id: str) -> Response:
    """DELETE /user/{id}: the user's sessions go too."""
    service.store.users.delete(user_id)
    return plain("OK")


async def list_user_sessions(service: Service, _request: Request, user_id: str) -> Response:
    """GET /user/{id}/sessions."""
    return _sessions(service.store.sessions.of_user(user_id), service)
