"""The prediction endpoint, plain and streamed.

A stream is Flowise's: events `start`, `token`…, `metadata`, `end`, each a JSON object behind `data:`, below a
line that says `message:` (`message` without a colon for `error` and `end`).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import FlowiseError, Json, read_body, services_of
from zep_conformance.embedded.langflux.flow import FlowError
from zep_conformance.embedded.langflux.turns import Turn

_STREAM_HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


async def _stream(turn: Turn) -> AsyncIterator[bytes]:
    """The events of a turn as bytes."""
    async for name, data in turn.events():
        colon = "" if name in ("error", "end") else ":"
        event = json.dumps({"event": name, "data": data}, ensure_ascii=False, separators=(",", ":"))
        yield f"message{colon}\ndata:{event}\n\n".encode("utf-8", "replace")


async def _hang(request: Request) -> Response:
    """Answer nothing until the caller has given up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def _turn(request: Request, body: dict[str, Any], *, streaming: bool) -> Turn:
    """The turn that is asked for. Raises FlowiseError when it can't be run at all."""
    services = services_of(request)
    chatflow = services.chatflow(request.path_params["id"])
    try:
        return services.turn(chatflow, body, streaming=streaming and flows.streamable(chatflow["flowData"]))
    except FlowError as error:
        raise FlowiseError(f"Error: predictionsServices.buildChatflow - {error}") from error


async def answer_prediction(request: Request) -> Response:
    """Answer POST /api/v1/prediction/{id}, which is for everybody."""
    body = await read_body(request)
    streaming = body.get("streaming") in (True, "true")
    try:
        turn = _turn(request, body, streaming=streaming)
    except FlowiseError as refused:
        if streaming and refused.status == 500 and "stream-error-hangs" in services_of(request).behaviours:
            return await _hang(request)
        raise
    if turn.streaming:
        return StreamingResponse(_stream(turn), headers=_STREAM_HEADERS)
    return Json(await turn.run())
