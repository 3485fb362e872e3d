"""What is beside the API: the health check, the API's description, and the administrator's page.

Of that page there is little, since nothing is promised of it but who may see it.
"""

from __future__ import annotations

from html import escape
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.zep.service import Service
from zep_conformance.embedded.zep.wire import NOT_FOUND_PAGE, page, plain

_PAGE = "<!DOCTYPE html>\n<html><head><title>Zep</title></head><body><h1>{title}</h1>\n{body}\n</body></html>\n"


def _html(title: str, body: str) -> Response:
    return page(_PAGE.format(title=title, body=body), media_type="text/html")


async def health(_service: Service, _request: Request) -> Response:
    """GET /healthz: whether the server is up, which says nothing about its store."""
    return Response(".", headers={"content-type": "text/plain"})


async def description(service: Service, _request: Request) -> Response:
    """GET /openapi.json: what this server offers. Zep 0.27.2 comes with such a file, and does not serve it."""
    return Response(service.description, media_type="application/json")


async def index(_service: Service, _request: Request) -> Response:
    """GET /admin."""
    return _html("Zep", "<p>The embedded Zep is running.</p>")


def _named(service: Service, rest: str) -> tuple[str, str]:
    """(section, id) of a path below /admin."""
    section, _, name = rest.partition("/")
    return section, name if "path-ids-stay-escaped" in service.behaviours else unquote(name)


async def shown(service: Service, _request: Request, rest: str) -> Response:
    """GET below /admin: users and sessions, lists or one by its id."""
    section, name = _named(service, rest)
    if section == "sessions":
        return _session(service, name) if name else _sessions(service)
    if section == "users":
        return _user(service, name) if name else _users(service)
    return page(NOT_FOUND_PAGE, 404)


async def removed(service: Service, _request: Request, rest: str) -> Response:
    """DELETE /admin/sessions/{id}."""
    section, name = _named(service, rest)
    if section != "sessions" or not name:
        return page(NOT_FOUND_PAGE, 404)
    service.store.sessions.delete(name)
    return plain("")


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
