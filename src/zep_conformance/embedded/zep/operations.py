"""Every operation of the embedded Zep, once: by this list it routes.

How others read it is in fixtures/data/zep-api.json, the OpenAPI 3.1 description that is served; a test holds both to
the same paths and methods. Zep 0.27.2 comes with one (`docs/swagger.yaml`), which it does not serve, and does not keep:
errors are plain text, and two of its paths are not there.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from starlette.responses import Response

from zep_conformance import suite
from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep import handlers

Handler = Callable[..., Awaitable[Response]]


@dataclass
class Operation:
    """One method of one resource.

    resource: as in `paths.NamedResource`. path: as OpenAPI writes it, with its ids in the order in which the handler
    takes them. stored: whether the store is needed. only, unless: names of recorded behaviours.
    """

    resource: str
    method: str
    path: str
    handler: Handler
    stored: bool = True
    only: str = ""
    unless: str = ""

    def is_offered(self, behaviours: Behaviours) -> bool:
        """Say whether a server with these recorded behaviours has this operation."""
        return (not self.only or self.only in behaviours) and (not self.unless or self.unless not in behaviours)


_SESSIONS = "/api/v1/sessions"
_SESSION = f"{_SESSIONS}/{{sessionId}}"
_MEMORY = f"{_SESSION}/memory"
_MESSAGE = f"{_SESSION}/messages/{{messageId}}"
_USERS = "/api/v1/user"
_USER = f"{_USERS}/{{userId}}"
_PAGE = "/admin/{page}"
_OPEN = "admin-without-token"
_UNLISTED = "no-message-routes"

OPERATIONS: tuple[Operation, ...] = (
    Operation("sessions", "GET", _SESSIONS, handlers.list_sessions),
    Operation("sessions", "POST", _SESSIONS, handlers.create_session),
    Operation("session", "GET", _SESSION, handlers.get_session),
    Operation("session", "PATCH", _SESSION, handlers.update_session),
    Operation("memory", "GET", _MEMORY, handlers.get_memory),
    Operation("memory", "POST", _MEMORY, handlers.post_memory),
    Operation("memory", "DELETE", _MEMORY, handlers.delete_memory),
    Operation("messages", "GET", f"{_SESSION}/messages", handlers.list_messages, unless=_UNLISTED),
    Operation("message", "GET", _MESSAGE, handlers.get_message, unless=_UNLISTED),
    Operation("message", "PATCH", _MESSAGE, handlers.update_message, unless=_UNLISTED),
    Operation("search", "POST", f"{_SESSION}/search", handlers.post_search),
    Operation("users", "GET", _USERS, handlers.list_users),
    Operation("users", "POST", _USERS, handlers.create_user),
    Operation("user", "GET", _USER, handlers.get_user),
    Operation("user", "PATCH", _USER, handlers.update_user),
    Operation("user", "DELETE", _USER, handlers.delete_user),
    Operation("user_sessions", "GET", f"{_USER}/sessions", handlers.list_user_sessions),
    Operation("healthz", "GET", "/healthz", handlers.health, stored=False),
    Operation("healthz", "HEAD", "/healthz", handlers.health, stored=False),
    Operation("admin", "GET", "/admin", handlers.admin_index, stored=False),
    Operation("admin_pages", "GET", _PAGE, handlers.admin_page, only=_OPEN),
    Operation("admin_pages", "DELETE", _PAGE, handlers.admin_delete, only=_OPEN),
    Operation("openapi", "GET", "/openapi.json", handlers.description, stored=False, unless="api-undescribed"),
)


def by_resource(behaviours: Behaviours, *, web: bool) -> dict[str, dict[str, Operation]]:
    """Return a server's own operations by resource and method. web: whether there is /admin."""
    found: dict[str, dict[str, Operation]] = {}
    for one in OPERATIONS:
        if one.is_offered(behaviours) and (web or not one.path.startswith("/admin")):
            found.setdefault(one.resource, {})[one.method] = replace(one)
    return found


def describe(*, secured: bool, web: bool) -> str:
    """Return the OpenAPI description as JSON. secured: whether a token is wanted; web: whether there is /admin.

    It is that of the documented API: what a recorded behaviour does is not in it.
    """
    text = (suite.data() / "zep-api.json").read_text(encoding="utf-8")
    if secured and web:
        return text
    described = json.loads(text)
    if not secured:
        components = described["components"]
        del described["security"], components["securitySchemes"], components["responses"]["Unauthorized"]
        for operation in (one for methods in described["paths"].values() for one in methods.values()):
            operation["responses"].pop("401", None)
    if not web:
        del described["paths"]["/admin"]
    return json.dumps(described)


def wants_token(resource: str, behaviours: Behaviours) -> bool:
    """Say whether a secured server asks for a token before it answers for a resource."""
    if resource in ("admin", "admin_pages"):
        return _OPEN not in behaviours
    return resource not in ("", "healthz")
