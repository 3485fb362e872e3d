"""The administrator's page: little of it, since nothing is promised of it but who may see it."""

from __future__ import annotations

from html import escape
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.servers.zep.service import Service
from zep_conformance.servers.zep.wire import NOT_FOUND_PAGE, page, plain

_PAGE = "<!DOCTYPE html>\n<html><head><title>Zep</title></head><body><h1>{title}</h1>\n{body}\n</body></html>\n"


def _html(title: str, body: str) -> Response:
    return page(_PAGE.format(title=title, body=body), media_type="text/html")


async def admin(service: Service, request: Request, rest: str) -> Response:
    """GET /admin; where open to all, also users and sessions: lists, one by its id, and DELETE of a session."""
    if not rest and request.method == "GET":
        return _html("Zep", "<p>The embedded Zep is running.</p>")
    if "admin-without-token" in service.departures:
        section, _, name = rest.partition("/")
        session_id = name if "path-ids-stay-escaped" in service.departures else unquote(name)
        if section == "sessions" and request.method == "GET":
            return _session(service, session_id) if name else _sessions(service)
        if section == "users" and request.method == "GET":
            return _user(service, session_id) if name else _users(service)
        if section == "sessions" and name and request.method == "DELETE":
            service.store.sessions.delete(session_id)
            return plain("")
    return page(NOT_FOUND_PAGE, 404)


def _links(section: str, ids: list[str]) -> str:
    items = (f'<li><a href="/admin/{section}/{quote(one, safe="")}">{escape(one)}</a></li>' for one in ids)
    return "<ul>" + "\n".join(items) + "</ul>"


def _sessions(service: Service) -> Response:
    ids = [row[2] for row in service.store.sessions.listed(0, 0)]
    return _html("Sessions", _links("sessions", ids))


def _users(service: Service) -> Response:
    ids = [row[2] for row in service.store.users.listed(0, 0)]
    return _html("Users", _links("users", ids))


def _user(service: Service, user_id: str) -> Response:
    service.store.users.get(user_id)
    ids = [row[2] for row in service.store.sessions.of_user(user_id)]
    return _html(escape(user_id), _links("sessions", ids))


def _session(service: Service, session_id: str) -> Response:
    service.store.sessions.get(session_id)
    rows, _ = service.store.messages.page(session_id, 1, 0)
    lines = "\n".join(f"<li>{escape(row[2])}: {escape(row[3])}</li>" for row in rows)
    return _html(escape(session_id), f"<ul>{lines}</ul>")
