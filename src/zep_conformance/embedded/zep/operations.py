"""Every operation of the embedded Zep, once: who handles it, and what there is to know about it.

The server finds its handlers here, and `openapi` its description, so that neither has what the other lacks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep import api_admin, api_memory, api_sessions

Handler = Callable[..., Awaitable[Response]]

JSON = "json"
"""How an answer is written: JSON; the alternatives are plain text and a web page."""
TEXT = "text"
PAGE = "page"


@dataclass(frozen=True)
class Operation:
    """One method of one resource.

    resource: as in `paths.NamedResource`. path: as OpenAPI writes it, with its ids in the order in which the handler
    takes them. answer: the name of its schema in `schemas.ANSWERS`, sent as `form`. query: names in
    `schemas.PARAMETERS`. body: name in `schemas.BODIES`, "" for none. refusals: statuses of refusals, beside 401 of
    a secured server and the 500 that a broken store or neighbour gives. stored: whether the store is needed.
    only, unless: names of recorded behaviours.
    """

    resource: str
    method: str
    path: str
    handler: Handler
    summary: str
    answer: str = ""
    form: str = JSON
    status: int = 200
    query: tuple[str, ...] = ()
    body: str = ""
    refusals: tuple[int, ...] = ()
    stored: bool = True
    only: str = ""
    unless: str = ""

    def is_offered(self, behaviours: Behaviours) -> bool:
        """Say whether a server with these recorded behaviours has this operation."""
        return (not self.only or self.only in behaviours) and (not self.unless or self.unless not in behaviours)


_SESSIONS = "/api/v1/sessions"
_SESSION = "/api/v1/sessions/{sessionId}"
_MEMORY = f"{_SESSION}/memory"
_MESSAGE = f"{_SESSION}/messages/{{messageId}}"
_USERS = "/api/v1/user"
_USER = "/api/v1/user/{userId}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "sessions",
        "GET",
        _SESSIONS,
        api_sessions.list_sessions,
        "Lists sessions, the oldest first",
        "Sessions",
        query=("limit", "cursor"),
        refusals=(400,),
    ),
    Operation(
        "sessions",
        "POST",
        _SESSIONS,
        api_sessions.create_session,
        "Makes a session; 400 when its id is taken, or its user is not there",
        "Session",
        status=201,
        body="CreateSession",
        refusals=(400, 413),
    ),
    Operation(
        "session", "GET", _SESSION, api_sessions.get_session, "A session's record", "Session", refusals=(400, 404)
    ),
    Operation(
        "session",
        "PATCH",
        _SESSION,
        api_sessions.update_session,
        "Merges metadata into a session's; revives one that was deleted",
        "Session",
        body="UpdateSession",
        refusals=(400, 404, 413),
    ),
    Operation(
        "memory",
        "GET",
        _MEMORY,
        api_memory.get_memory,
        "The newest summary, and the messages since it or the newest `lastn`; empty for an unknown session",
        "Memory",
        query=("lastn",),
        refusals=(400,),
    ),
    Operation(
        "memory",
        "POST",
        _MEMORY,
        api_memory.post_memory,
        "Writes messages; makes or revives the session. 400 when a uuid is taken: then nothing is written",
        "OK",
        TEXT,
        body="NewMemory",
        refusals=(400, 413),
    ),
    Operation(
        "memory",
        "DELETE",
        _MEMORY,
        api_memory.delete_memory,
        "Deletes a session with all that it holds",
        "OK",
        TEXT,
        refusals=(400, 404),
    ),
    Operation(
        "messages",
        "GET",
        f"{_SESSION}/messages",
        api_memory.list_messages,
        "All messages of a session, the oldest first; `cursor` is a page from 1, without `limit` there is only one",
        "Messages",
        query=("limit", "cursor"),
        refusals=(400,),
    ),
    Operation("message", "GET", _MESSAGE, api_memory.get_message, "One message", "Message", refusals=(400, 404)),
    Operation(
        "message",
        "PATCH",
        _MESSAGE,
        api_memory.update_message,
        "Merges metadata into a message's",
        "Message",
        body="UpdateMessage",
        refusals=(400, 404, 413),
    ),
    Operation(
        "search",
        "POST",
        f"{_SESSION}/search",
        api_memory.post_search,
        "Searches the messages or summaries of one session",
        "Found",
        query=("limit",),
        body="Search",
        refusals=(400, 413),
    ),
    Operation(
        "users",
        "GET",
        _USERS,
        api_sessions.list_users,
        "Lists users, the oldest first",
        "Users",
        query=("limit", "cursor"),
        refusals=(400,),
    ),
    Operation(
        "users",
        "POST",
        _USERS,
        api_sessions.create_user,
        "Makes a user; 400 when the id is or was taken",
        "User",
        status=201,
        body="CreateUser",
        refusals=(400, 413),
    ),
    Operation("user", "GET", _USER, api_sessions.get_user, "A user", "User", refusals=(400, 404)),
    Operation(
        "user",
        "PATCH",
        _USER,
        api_sessions.update_user,
        "Changes what is given, and merges metadata",
        "User",
        body="UpdateUser",
        refusals=(400, 404, 413),
    ),
    Operation(
        "user",
        "DELETE",
        _USER,
        api_sessions.delete_user,
        "Deletes a user and the user's sessions",
        "OK",
        TEXT,
        refusals=(400, 404),
    ),
    Operation(
        "user_sessions",
        "GET",
        f"{_USER}/sessions",
        api_sessions.list_user_sessions,
        "A user's sessions, the oldest first; none for an unknown user",
        "Sessions",
        refusals=(400,),
    ),
    Operation("healthz", "GET", "/healthz", api_admin.health, "Whether the server is up", "Dot", TEXT, stored=False),
    Operation("healthz", "HEAD", "/healthz", api_admin.health, "Whether the server is up", form=TEXT, stored=False),
    Operation("admin", "GET", "/admin", api_admin.index, "The administrator's page", form=PAGE, stored=False),
    Operation(
        "admin_pages",
        "GET",
        "/admin/{page}",
        api_admin.shown,
        "The ids of all `users` or `sessions`",
        form=PAGE,
        refusals=(404,),
        only="admin-without-token",
    ),
    Operation(
        "admin_pages",
        "DELETE",
        "/admin/{page}",
        api_admin.removed,
        "Deletes a session: `sessions/{id}`",
        form=TEXT,
        refusals=(404,),
        only="admin-without-token",
    ),
    Operation(
        "openapi",
        "GET",
        "/openapi.json",
        api_admin.description,
        "This description",
        "Description",
        stored=False,
        unless="api-undescribed",
    ),
)


def offered(behaviours: Behaviours, *, web: bool) -> tuple[Operation, ...]:
    """Return the operations of a server with these recorded behaviours. web: whether there is /admin."""
    return tuple(one for one in OPERATIONS if one.is_offered(behaviours) and (web or not one.path.startswith("/admin")))


def by_resource(behaviours: Behaviours, *, web: bool) -> dict[str, dict[str, Operation]]:
    """Return the operations of a server by resource and method."""
    found: dict[str, dict[str, Operation]] = {}
    for one in offered(behaviours, web=web):
        found.setdefault(one.resource, {})[one.method] = one
    return found


def wants_token(resource: str, behaviours: Behaviours) -> bool:
    """Say whether a secured server asks for a token before it answers for a resource."""
    if resource in ("admin", "admin_pages"):
        return "admin-without-token" not in behaviours
    return resource not in ("", "healthz")
