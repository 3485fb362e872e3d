"""An OpenAI-compatible model server whose answers are known beforehand.

What it replies, by the first rule that fits:

0. Zep's intent prompt for a text that says "the model refuses NAME 6 times": as one whose key is not good, so often.
1. Zep's intent prompt: a sentence that says whether the subject asks or states, and what.
2. Zep's summary prompt (its OpenAI and its Anthropic wording): the previous summary with the new lines added.
3. A chat whose last message asks "What is my name?": "Your name is X." for the newest "my name is X" anywhere
   in the messages sent, else "I don't know your name."
4. Anything else: "Noted: " and the last message.

So a chat that answers rule 3 with a name was sent the message that gave it: nothing here remembers but rule 0. The
prompts are those of Zep 0.27.2 (`pkg/tasks/prompts.go`); they are known by their first words, before rule 3,
because they quote conversations.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from zep_conformance.embedded.nlp import embed, healthz

EMBEDDING_WIDTH = 1536
"""Numbers in an embedding, as text-embedding-ada-002 has them."""

MODELS = ("gpt-3.5-turbo", "gpt-3.5-turbo-1106", "gpt-4", "gpt-4o-mini", "text-embedding-ada-002")
"""What GET /v1/models lists. Any other name is served just the same."""

_QUESTION = "what is my name?"
_NAME = re.compile(r"my name is\s+([^.,;!?\n]+)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_][\w'’\-]*")
_PIECE = re.compile(r"\s*\S+")
_QUESTION_WORD = re.compile(
    r"(?:who|what|when|where|why|which|how|do|does|did|is|are|can|could|will|would|should)\b", re.IGNORECASE
)
_INTENT_PROMPT = "Identify the intent of the subject's"
_SUMMARY_PROMPT = "Review the Current"
_REFUSED = re.compile(r"the model refuses (\S+) (\d+) times", re.IGNORECASE)
_LINE_LENGTH = 240
_SUMMARY_LENGTH = 3000


def _intent(prompt: str) -> str:
    """Return the reply to Zep's intent prompt, whose first "Human: " is an example and whose second is the input."""
    text = prompt.split("Human: ", 2)[-1].strip()
    if not text:
        return "Intent: None"
    asks = text.endswith("?") or _QUESTION_WORD.match(text) is not None
    return f"The subject is {'asking' if asks else 'stating'}: {_shorten(text, _LINE_LENGTH)}"


def _names(text: str) -> list[str]:
    """Return the capitalised words of a text and what "my name is" gives, each once, in order."""
    names = [f"my name is {match.group(1).strip()}" for match in _NAME.finditer(text)]
    given = " ".join(names)
    names += [word for word in _WORD.findall(text) if word[0].isupper() and word not in given]
    return list(dict.fromkeys(names))


def _shorten(text: str, length: int) -> str:
    """Return a text of at most about `length` characters; what is cut off leaves its names behind."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    cut = text[:length].rsplit(" ", 1)[0]
    left = [name for name in _names(text) if name not in cut]
    return f"{cut} … ({'; '.join(left)})" if left else f"{cut} …"


def _between(prompt: str, openers: tuple[str, str, str]) -> tuple[str, str]:
    """(previous summary, new lines) of a summary prompt with these headings, its example already cut away."""
    first, second, last = openers
    rest = prompt.split(first, 1)[-1]
    previous, _, rest = rest.partition(second)
    return previous, rest.rpartition(last)[0]


def _summary(prompt: str) -> str:
    """Return the reply to Zep's summary prompt.

    One line for each line of conversation: the form in which a name is given ("my name is X") survives. Lines
    in which the assistant only repeats ("Noted: ...") add nothing and are left out. Beyond 3,000 characters
    the oldest lines shrink to their names.
    """
    if "EXAMPLE END" in prompt:
        headings = ("Current summary:\n", "\nNew lines of conversation:\n", "\nNew summary:")
        previous, lines = _between(prompt.split("EXAMPLE END", 1)[1], headings)
    else:
        headings = ("<current_summary>", "</current_summary>\n<new_lines>", "</new_lines>")
        previous, lines = _between(prompt.split("</example>", 1)[-1], headings)
    kept = [line for line in previous.strip().splitlines() if line.strip()]
    for line in lines.strip().splitlines():
        words = line.partition(": ")[2]
        repeats = words.startswith("Noted: ") and any(words[7:].strip() in one for one in kept)
        if line.strip() and not repeats:
            kept.append(_shorten(line, _LINE_LENGTH))
    spare = sum(map(len, kept)) - _SUMMARY_LENGTH
    shrunk: list[str] = []
    while spare > 0 and len(kept) > 1:
        line = kept.pop(0)
        shrunk += _names(line)
        spare -= len(line)
    if shrunk:
        kept.insert(0, "; ".join(dict.fromkeys(name for part in shrunk for name in part.split("; "))))
    return "\n".join(kept)


def reply(texts: list[str]) -> str:
    """Return the reply to a chat, given the text of its messages from the oldest to the newest (at least one)."""
    last = texts[-1]
    opening = last.lstrip()
    if opening.startswith(_INTENT_PROMPT):
        return _intent(last)
    if opening.startswith(_SUMMARY_PROMPT):
        return _summary(last)
    if _QUESTION in last.lower():
        for text in reversed(texts):
            found = _NAME.findall(text)
            if found:
                return f"Your name is {found[-1].strip()}."
        return "I don't know your name."
    return f"Noted: {last}"


def _is_refused(prompt: str, refused: Counter[str]) -> bool:
    """Return whether an intent prompt is refused this time. refused: how often each name was, which this counts."""
    found = _REFUSED.search(prompt) if prompt.lstrip().startswith(_INTENT_PROMPT) else None
    if found is None or refused[found[1]] >= int(found[2]):
        return False
    refused[found[1]] += 1
    return True


def _refusal(message: str, parameter: str | None = None, status: int = 400) -> JSONResponse:
    """Return an error in OpenAI's form. `parameter` names the part of the request that is wrong."""
    error = {"message": message, "type": "invalid_request_error", "param": parameter, "code": None}
    return JSONResponse({"error": error}, status_code=status)


class _Malformed(ValueError):
    """A request that is refused with 400; its second argument names the parameter."""


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request with its `model`. Raises _Malformed for anything else."""
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise _Malformed("We could not parse the JSON body of your request.", None) from error
    if not isinstance(body, dict):
        raise _Malformed("The JSON body of the request must be an object.", None)
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise _Malformed("you must provide a model parameter", "model")
    return body


def _text(message: Any, at: int) -> str:
    """Return the text of one chat message, its content being a string, a list of parts, or null."""
    where = f"messages.{at}"
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise _Malformed("A message needs a role.", where)
    content = message.get("content")
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise _Malformed("A message's content must be a string or an array of parts.", f"{where}.content")
    return "".join(str(part.get("text", "")) for part in content)


def _usage(texts: list[str], answer: str) -> dict[str, int]:
    """Token counts by rule of thumb: four characters each."""
    sent = sum(len(text) // 4 + 4 for text in texts)
    made = len(answer) // 4 + 1
    return {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made}


def _chunks(base: dict[str, Any], answer: str, usage: dict[str, int] | None) -> Iterator[str]:
    """Yield the events of a streamed answer: the role, its words one by one, the end, the usage if there is one."""

    def event(delta: dict[str, str], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return f"data: {json.dumps({**base, 'choices': [choice]}, ensure_ascii=False)}\n\n"

    yield event({"role": "assistant", "content": ""})
    done = 0
    for piece in _PIECE.finditer(answer):
        yield event({"content": piece.group()})
        done = piece.end()
    if answer[done:]:
        yield event({"content": answer[done:]})
    yield event({}, "stop")
    if usage is not None:
        yield f"data: {json.dumps({**base, 'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


async def _completions(request: Request) -> Response:
    """POST /v1/chat/completions."""
    body = await _body(request)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _Malformed("'messages' must be an array with at least one message.", "messages")
    texts = [_text(message, at) for at, message in enumerate(messages)]
    if _is_refused(texts[-1], request.app.state.refused):
        return _refusal("Incorrect API key provided.", status=401)
    answer = reply(texts)
    identity = f"chatcmpl-{uuid4().hex}"
    base: dict[str, Any] = {"id": identity, "created": int(time.time()), "model": body["model"]}
    usage = _usage(texts, answer)
    if body.get("stream"):
        base["object"] = "chat.completion.chunk"
        wanted = (body.get("stream_options") or {}).get("include_usage")
        events = _chunks(base, answer, usage if wanted else None)
        return StreamingResponse(_each(events), media_type="text/event-stream")
    message = {"role": "assistant", "content": answer, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return JSONResponse({**base, "object": "chat.completion", "choices": [choice], "usage": usage})


async def _each(events: Iterator[str]) -> AsyncIterator[str]:
    """Yield the events asynchronously: a plain iterator would be run in a thread, a hop for each event."""
    for event in events:
        yield event


async def _embeddings(request: Request) -> Response:
    """POST /v1/embeddings: `input` a string or a list of strings."""
    body = await _body(request)
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise _Malformed("'input' must be a string or an array of strings, none of them empty.", "input")
    vectors = (embed(text, EMBEDDING_WIDTH) for text in texts)
    data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    tokens = sum(len(text) // 4 + 1 for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": usage})


async def _models(_request: Request) -> Response:
    """GET /v1/models."""
    common = {"object": "model", "created": 1686935002, "owned_by": "embedded"}
    models = [{"id": name, **common} for name in MODELS]
    return JSONResponse({"object": "list", "data": models})


async def _malformed(_request: Request, error: Exception) -> Response:
    """Return a refused request as OpenAI puts it."""
    message, parameter = error.args
    return _refusal(message, parameter)


async def _http_error(request: Request, error: Exception) -> Response:
    """Return an unknown route or method as OpenAI puts it."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _refusal(f"Invalid URL ({request.method} {request.url.path})", status=status)


def create_app() -> Starlette:
    """Return the model server as an ASGI application. It takes any API key, and remembers but what it has refused."""
    application = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/v1/models", _models),
            Route("/v1/chat/completions", _completions, methods=["POST"]),
            Route("/v1/embeddings", _embeddings, methods=["POST"]),
        ],
        exception_handlers={_Malformed: _malformed, HTTPException: _http_error},
    )
    application.state.refused = Counter()
    return application
