"""Answers and errors in Flowise's form, and the reading of requests as Express reads them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from logging import getLogger
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from zep_conformance.embedded.nesting import is_too_deep

if TYPE_CHECKING:
    from zep_conformance.embedded.langflux.services import Services

_LOG = getLogger(__name__)


class FlowiseError(Exception):
    """A request that is answered with an error. status: the HTTP status. message: what the caller gets to read."""

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class Json(Response):
    """A JSON answer with Express's content type. Half a surrogate pair becomes U+FFFD, as in JavaScript."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        """Return the content as JSON."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def error_answer(message: str, status: int) -> Json:
    """Return an error as Flowise's error middleware writes it (no stack outside development)."""
    body = {"statusCode": status, "success": False, "message": message, "stack": {}}
    return Json(body, status_code=status)


def html_text(content: str, status: int = 200) -> Response:
    """Return a bare text, which Express's `send` calls HTML."""
    return Response(content, status, media_type="text/html; charset=utf-8")


Handler = Callable[[Request], Awaitable[Response]]


def services_of(request: Request) -> Services:
    """Return what the request's application answers with."""
    services: Services = request.app.state.services
    return services


def answered(handler: Handler) -> Handler:
    """Return `handler` with its errors turned into answers.

    One that nobody foresaw is logged, without its message: that could quote a header or a body, and with them a secret.
    """

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except FlowiseError as refused:
            return error_answer(refused.message, refused.status)
        except Exception as unforeseen:
            _LOG.error("%s %s: %s", request.method, request.url.path, type(unforeseen).__name__)
            return error_answer(f"Internal error ({type(unforeseen).__name__})", 500)

    return endpoint


def read_json(text: str | bytes) -> Any:
    """Return the JSON value of a text. Raises ValueError for text that is none, or nested too deeply."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if is_too_deep(text, value):
        raise ValueError("nested too deeply")
    return value


def _whole(value: Any) -> Any:
    """`value` with U+FFFD for each half of a surrogate pair: SQLite and UTF-8 take no halves."""
    encoded = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return json.loads(encoded.decode("utf-16", "replace"))


async def read_body(request: Request) -> dict[str, Any]:
    """Return the body as Express hands it on: a JSON object; {} for anything that does not claim to be JSON.

    Raises FlowiseError (400) for a body that claims to be JSON and is not, or is a bare string or number.
    """
    raw = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or not raw.strip():
        return {}
    try:
        body = read_json(raw)
    except ValueError as failure:
        raise FlowiseError(f"Body is not valid JSON: {failure}", 400) from failure
    if b"\\ud" in raw or b"\\uD" in raw:
        body = _whole(body)
    if isinstance(body, list):
        return {}
    if not isinstance(body, dict):
        raise FlowiseError("Body must be a JSON object", 400)
    return body


def script_text(value: Any) -> str:
    """Return `value` as JavaScript puts it into a string: `${value}`."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case list():
            return ",".join("" if item is None else script_text(item) for item in value)
        case dict():
            return "[object Object]"
    return str(value)
