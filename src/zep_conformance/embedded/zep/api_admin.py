"""What is beside the API: the health check, the API's description, and the administrator's page.

Of that page there is what shows who may use it: lists of users and sessions, and deleting a session.
"""

from __future__ import annotations

from html import escape
from urllib.parse import unquote

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


async def shown(service: Service, _request: Request, section: str) -> Response:
    """GET /admin/users or /admin/sessions: their ids."""
    listed = {"users": service.store.users.listed, "sessions": service.store.sessions.listed}.get(section)
    if listed is None:
        return page(NOT_FOUND_PAGE, 404)
    items = "\n".join(f"<li>{escape(row[2])}</li>" for row in listed(0, 0))
    return _html(section.capitalize(), f"<ul>{items}</ul>")


async def removed(service: Service, _request: Request, rest: str) -> Response:
    """DELETE /admin/sessions/{id}."""
    section, _, name = rest.partition("/")
    if section != "sessions" or not name:
        return page(NOT_FOUND_PAGE, 404)
    service.store.sessions.delete(name if "path-ids-stay-escaped" in service.behaviours else unquote(name))
    return plain("")
