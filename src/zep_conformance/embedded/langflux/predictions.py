"""The two prediction endpoints, plain and streamed.

A stream is Flowise's: events `start`, `token`…, `metadata`, `end`, each a JSON object behind `data:`, below a
line that says `message:` (`message` without a colon for `error` and `end`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import Json, Refusal, read_body
from zep_conformance.embedded.langflux.flow import FlowError
from zep_conformance.embedded.langflux.keys import flow_key_fits
from zep_conformance.embedded.langflux.prediction import Prediction
from zep_conformance.embedded.langflux.settings import Shared, shared

_STREAM_HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}
_DEFECTS = ("stream-without-start", "stream-without-metadata", "stream-without-end")
"""Planted defects that leave one kind of event out."""
_METADATA = ("chatId", "chatMessageId", "question", "sessionId", "memoryType")

# A stream's run goes on when its reader leaves, so that the turn is remembered; this keeps it alive.
_RUNNING: set[asyncio.Task[None]] = set()


def find_flow(parts: Shared, ident: str) -> dict[str, Any]:
    """A chatflow. Raises Refusal (500, as Flowise says it) where there is none."""
    chatflow = parts.store.flow(ident)
    if chatflow is None:
        raise Refusal(f"Error: chatflowsService.getChatflowById - Chatflow {ident} not found in the database!")
    return chatflow


def _event(name: str, data: Any) -> str:
    colon = "" if name in ("error", "end") else ":"
    event = json.dumps({"event": name, "data": data}, ensure_ascii=False, separators=(",", ":"))
    return f"message{colon}\ndata:{event}\n\n"


async def _run(prediction: Prediction, events: asyncio.Queue[str | None], departures: Departures) -> None:
    """Run a prediction and put its events on the queue, None at the end."""
    started = False
    whole = "stream-in-one-piece" in departures

    def say(name: str, data: Any) -> None:
        if f"stream-without-{name}" not in _DEFECTS or f"stream-without-{name}" not in departures:
            events.put_nowait(_event(name, data))

    def on_token(piece: str) -> None:
        nonlocal started
        if not started:
            say("start", "")
            started = True
        if not whole:
            say("token", piece)

    try:
        answer = await prediction.run(on_token)
        if whole:
            say("token", answer["text"])
        metadata = {name: answer[name] for name in _METADATA if answer.get(name)}
        say("metadata", metadata)
    except Refusal as refusal:
        say("error", refusal.message)
    except Exception as unforeseen:
        say("error", f"Internal error ({type(unforeseen).__name__})")
        raise
    finally:
        say("end", "[DONE]")
        events.put_nowait(None)


async def _stream(prediction: Prediction, silent: bool, departures: Departures) -> AsyncIterator[bytes]:
    """The events of a prediction as bytes. silent: only the last one."""
    events: asyncio.Queue[str | None] = asyncio.Queue()
    task = asyncio.create_task(_run(prediction, events, departures))
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)
    last = ""
    while (event := await events.get()) is not None:
        last = event
        if not silent:
            yield event.encode("utf-8", "replace")
    if silent:
        yield last.encode()


async def _hang(request: Request) -> Response:
    """Answer nothing until the caller has given up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


def _prepared(
    parts: Shared, request: Request, body: dict[str, Any], *, internal: bool, wanted: bool
) -> tuple[Prediction, bool]:
    """(the prediction, whether it streams). Raises Refusal when it can't be run at all."""
    chatflow = find_flow(parts, request.path_params["id"])
    try:
        if not internal and not flow_key_fits(parts, chatflow, request):
            raise Refusal("Error: predictionsServices.buildChatflow - Unauthorized")
        streaming = wanted and flows.streamable(chatflow["flowData"])
        return Prediction(parts, chatflow, body, internal=internal, streaming=streaming), streaming
    except FlowError as error:
        raise Refusal(f"Error: predictionsServices.buildChatflow - {error}") from error


async def _predict(request: Request, internal: bool) -> Response:
    parts = shared(request)
    body = await read_body(request)
    wanted = body.get("streaming") in (True, "true")
    try:
        prediction, streaming = _prepared(parts, request, body, internal=internal, wanted=wanted)
    except Refusal as refusal:
        if wanted and refusal.status == 500 and "stream-error-hangs" in parts.departures:
            return await _hang(request)
        raise
    if not streaming:
        return Json(await prediction.run())
    silent = internal and not body.get("chatId") and "stream-needs-chat-id" in parts.departures
    return StreamingResponse(_stream(prediction, silent, parts.departures), headers=_STREAM_HEADERS)


async def predict(request: Request) -> Response:
    """POST /api/v1/prediction/{id}: for everybody, unless the chatflow has an API key of its own."""
    return await _predict(request, internal=False)


async def predict_internally(request: Request) -> Response:
    """POST /api/v1/internal-prediction/{id}: what the web page's chat window sends."""
    return await _predict(request, internal=True)
