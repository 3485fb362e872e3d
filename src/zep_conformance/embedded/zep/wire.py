"""Reading requests, and writing answers and refusals, as Zep 0.27.2 does: in the words of Go's decoders."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.encoding import kept_metadata, kept_text, loads, quote

MAX_BODY = 5 * 1024 * 1024
"""Bytes of a request's body that are read (Zep's server.max_request_size)."""
_DRAINED = 64 * 1024 * 1024
"""Bytes of a body too large that are taken and thrown away, so that the client gets to read the 413."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_INT64 = 2**63
JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"

NOT_FOUND_PAGE = "<!DOCTYPE html>\n<html><head><title>404</title></head><body><h1>404</h1></body></html>\n"
_OBJECT = "map[string]interface {}"
_GO_KINDS = {
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
    dict: "object",
    list: "array",
    type(None): "null",
}
_GO_TYPES: dict[type[Any], str] = {str: "string", int: "int", float: "float32", dict: _OBJECT}
_GO_FIELDS = {
    "messages": "[]models.Message",
    "summary": "models.Summary",
    "uuid": "uuid.UUID",
    "search_scope": "models.SearchScope",
    "search_type": "models.SearchType",
}
"""Fields whose type has a name of its own in Zep."""


class Refusal(Exception):
    """An answer other than success. status: the HTTP status; reason: what the client is told, one line."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def not_found() -> Refusal:
    """Return the 404 that Zep gives for sessions, messages and users alike."""
    return Refusal(404, "not found")


def mistake(behaviours: Behaviours, behaviour: str, reason: str) -> Refusal:
    """Return the refusal of a mistake: 400, or 500 where the named recorded behaviour blames the server for it."""
    return Refusal(500 if behaviour in behaviours else 400, reason)


def plain(text: str, status: int = 200) -> Response:
    """Return an answer of text."""
    return Response(text, status, media_type=_TEXT)


def answer(json: str, behaviours: Behaviours, status: int = 200) -> Response:
    """Return an answer of JSON, which Zep 0.27.2 labels as text."""
    return Response(json, status, media_type=_TEXT if "json-as-text" in behaviours else JSON)


def page(html: str, status: int = 200, media_type: str = "text/html; charset=utf-8") -> Response:
    """Return an answer of a web page."""
    response = Response(html, status)
    response.headers["content-type"] = media_type  # Starlette would add a charset to a bare text/html
    return response


def refused(refusal: Refusal) -> Response:
    """Return an error as Go writes it: the reason and a newline; nothing at all where there is no reason."""
    if not refusal.reason:
        return Response(status_code=refusal.status)
    return plain(refusal.reason + "\n", refusal.status)


class Fields(dict[str, Any]):
    """A JSON object that was sent. of: what Go calls the place of its fields, such as "Message.messages"."""

    def __init__(self, value: dict[str, Any], of: str) -> None:
        super().__init__(value)
        self.of = of


def fields(value: Any, of: str, what: str, *, lenient: bool) -> Fields:
    """Return a JSON value as an object. what: where it stands and of what type, for the refusal. Raises Refusal 400.

    lenient: take fields also by names in other case, and null for an object without any.
    """
    if value is None and lenient:
        return Fields({}, of)
    if not isinstance(value, dict):
        raise Refusal(400, f"json: cannot unmarshal {_GO_KINDS[type(value)]} into Go {what}")
    return Fields({name.lower(): one for name, one in value.items()} | value if lenient else value, of)


async def read_object(request: Request, behaviours: Behaviours, *, most: int, model: str) -> Fields:
    """Return the JSON object in a request's body of at most so many bytes. Raises Refusal 400 or 413.

    model: what Zep calls such an object.
    """
    body = await _read_body(request, most)
    lenient = "lenient-json" in behaviours
    try:
        value = loads(body, trailing=lenient)
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    return fields(value, model, f"value of type models.{model}", lenient=lenient)


async def _read_body(request: Request, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            chunks.append(chunk)
        elif size > _DRAINED:
            break
    if size > most:
        raise Refusal(413, f"request body too large: more than {most} bytes")
    return b"".join(chunks)


def field(value: Fields, name: str, kind: type[Any], otherwise: Any) -> Any:
    """Return a field of a JSON object; absent or null gives `otherwise`. Raises Refusal 400 for another type."""
    found = value.get(name)
    if found is None:
        return otherwise
    accepted: tuple[type[Any], ...] = (int, float) if kind is float else (kind,)
    is_fit = isinstance(found, accepted) and not (isinstance(found, bool) and kind in (int, float))
    if not is_fit or (kind is int and not -_INT64 <= int(found) < _INT64):
        came = _GO_KINDS[type(found)]
        if kind is int and came == "number":
            came += f" {found}"
        type_ = _GO_FIELDS.get(name) or _GO_TYPES[kind]
        raise Refusal(400, f"json: cannot unmarshal {came} into Go struct field {value.of}.{name} of type {type_}")
    return kept_text(found) if kind is str else found


def metadata(value: Fields) -> dict[str, Any] | None:
    """Return the metadata of a JSON object as they will be kept, None if absent or null. Raises Refusal 400."""
    found: dict[str, Any] | None = kept_metadata(field(value, "metadata", dict, None))
    return found


def whole(value: Fields, name: str, behaviours: Behaviours) -> int:
    """Return an integer field of a JSON object, 0 if absent or null; it may be written as 5.0. Raises Refusal 400."""
    found = value.get(name)
    if isinstance(found, float) and found.is_integer() and "whole-floats-refused" not in behaviours:
        value = Fields({name: int(found)}, value.of)
    return int(field(value, name, int, 0))


def parsed(value: Fields, name: str, parse: Callable[[str], str]) -> str | None:
    """Return a text field as `parse` reads it, None if absent or null. Raises Refusal 400."""
    text = field(value, name, str, None)
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        raise Refusal(400, str(error)) from None


def integer(request: Request, name: str, otherwise: int = 0) -> int:
    """Return an integer of the query string; absent or empty gives `otherwise`. Raises Refusal 400."""
    query = request.scope["query_string"]
    if not query:
        return otherwise
    for key, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if key == name and not text:
            return otherwise
        if key == name:
            why = "value out of range" if _INTEGER.fullmatch(text) else "invalid syntax"
            if why == "invalid syntax" or not -_INT64 <= int(text) < _INT64:
                raise Refusal(400, f"strconv.ParseInt: parsing {quote(text)}: {why}")
            return int(text)
    return otherwise


def paging(request: Request, behaviours: Behaviours) -> tuple[int, int]:
    """Return (limit, cursor) of the query string, 0 where absent. Raises Refusal 400."""
    limit, cursor = integer(request, "limit"), integer(request, "cursor")
    if (limit < 0 or cursor < 0) and "bad-paging-ignored" not in behaviours:
        raise Refusal(400, "limit and cursor must not be negative")
    return limit, cursor
