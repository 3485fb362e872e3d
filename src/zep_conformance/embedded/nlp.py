"""Zep's NLP server: entities and embeddings without a model, always the same for the same text.

Speaks the wire format that Zep 0.27.2 speaks with `zep-nlp-server` (Zep's `pkg/models/entities.go`,
`pkg/models/embeddings.go`, `pkg/llms/embeddings_local.go`, `pkg/tasks/ner.go`)::

    GET  /healthz                 -> 200 "."
    POST /entities                {"texts": [{"uuid", "text", "language"}]}
                                  -> {"texts": [{"uuid", "entities": [{"name", "label", "matches"}]}]}
    POST /embeddings/message      {"uuid", "name"?, "documents": [{"uuid", "text", "language"}]}
    POST /embeddings/document     -> the same with an "embedding" (384 numbers) in each document

**Embeddings** are a bag of hashed words: every word adds to two of the dimensions, with a sign, and its
letter trigrams add a little, so that texts sharing words are close, and close spellings closer than chance.
They know nothing of meaning: "car" and "automobile" are strangers. Their length is 1. Hashes are CRC-32, the
same in every process.

**Entities** come from capital letters, not from understanding. A run of capitalised words is an entity,
unless it is a common word ("Hello", "The", "I") or a single word at the start of a sentence, where everything
has a capital. Its label is GPE (a place) after "in", "to", "from", "near", and PERSON otherwise: enough to see
that entities were asked for, arrive, and belong to the right message.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from zep_conformance.embedded.meaning import load_model

WIDTH = 384
"""Numbers in an embedding: the width of Zep's columns for the local embedding service."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?:;\n\"“”(]\s*$")
_PLACING = re.compile(r"\b(?:in|to|from|near)\s+$", re.IGNORECASE)
_LEFT = 40
"""Characters before a name that say what it is: for each name of a long text to search all of it would take long."""


def _words(text: str) -> frozenset[str]:
    """Return the words of a text, as a set."""
    return frozenset(text.split())


_STOP_WORDS = _words(
    """
    a an and are as at be but by did do does for from had has have he her his i if in is it its me my of on
    or our she so that the their them there they this to us was we were what when where which who why will
    with you your not no yes am been can could would should how about into than then
    """
)
_COMMON = _STOP_WORDS | _words("hi hello hey dear thanks thank please noted tell say ask i'm i've i'll i'd it's that's")


@lru_cache(maxsize=20_000)
def _word_share(word: str, width: int) -> tuple[tuple[int, float], ...]:
    """Return what one word adds to an embedding: (dimension, amount) pairs. Punctuation and stop words little."""
    is_sign = len(word) == 1 and not word.isalnum()
    weight = 0.2 if word in _STOP_WORDS else 0.1 if is_sign else 1.0
    encoded = word.encode("utf-8", "surrogatepass")
    shares = []
    for salt in (b"1", b"2"):
        code = crc32(salt + encoded)
        shares.append((code // 2 % width, (weight if code & 1 else -weight) * 0.7071))
    if weight == 1.0:
        padded = f"^{word}$"
        trigrams = [padded[at : at + 3] for at in range(len(padded) - 2)]
        part = 0.45 / math.sqrt(len(trigrams))
        for trigram in trigrams:
            code = crc32(b"3" + trigram.encode("utf-8", "surrogatepass"))
            shares.append((code // 2 % width, part if code & 1 else -part))
    return tuple(shares)


def embed(text: str, width: int = WIDTH) -> list[float]:
    """Return the embedding of a text: `width` numbers of Euclidean length 1, the same in every process.

    A text without any word or sign gets the first unit vector: a vector of zeros has no direction, and a
    database asked for its cosine answers NaN.
    """
    vector = [0.0] * width
    for word, count in Counter(_TOKEN.findall(text.casefold())).items():
        times = 1.0 if count == 1 else 1.0 + math.log(count)
        for dimension, amount in _word_share(word, width):
            vector[dimension] += amount * times
    length = math.sqrt(sum(number * number for number in vector if number))
    if not length:
        vector[0] = 1.0
        return vector
    return [round(number / length, 7) if number else 0.0 for number in vector]


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the runs of capitalised words, common words cut from both their ends."""
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        is_capitalised = word.group()[0].isupper()
        if run and (not is_capitalised or text[run[-1].end() : word.start()] != " "):
            yield from _named(text, run)
            run = []
        if is_capitalised:
            run.append(word)
    yield from _named(text, run)


def _named(text: str, run: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Yield what is a name of a run of capitalised words, if any of it is."""
    words = list(run)
    while words and words[0].group().casefold() in _COMMON:
        del words[0]
    while words and words[-1].group().casefold() in _COMMON:
        del words[-1]
    if not words:
        return
    start = words[0].start()
    opens = not text[:start].strip() or _SENTENCE_END.search(text, max(0, start - _LEFT), start)
    if len(words) > 1 or not opens:
        yield start, words[-1].end()


def entities(text: str) -> list[dict[str, Any]]:
    """Return the named entities of a text as Zep reads them: each name once, with every place where it occurs.

    `start` and `end` count characters (code points) from 0, the end exclusive.
    """
    found: dict[str, dict[str, Any]] = {}
    for start, end in _runs(text):
        is_place = _PLACING.search(text, max(0, start - _LEFT), start)
        name, label = text[start:end], "GPE" if is_place else "PERSON"
        entity = found.setdefault(name, {"name": name, "label": label, "matches": []})
        entity["matches"].append({"start": start, "end": end, "text": name})
    return list(found.values())


def _unprocessable(reason: str) -> JSONResponse:
    """Return a 422 in the form of the real server, which is written with FastAPI."""
    detail = [{"loc": ["body"], "msg": reason, "type": "value_error"}]
    return JSONResponse({"detail": detail}, status_code=422)


async def _read(request: Request, key: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """Return the JSON body and its list of texts under `key`, or None if it is anything else."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        return None
    texts = body.get(key) if isinstance(body, dict) else None
    if isinstance(texts, list) and all(isinstance(one, dict) and isinstance(one.get("text"), str) for one in texts):
        return body, texts
    return None


async def _entities(request: Request) -> Response:
    """POST /entities."""
    read = await _read(request, "texts")
    if read is None:
        return _unprocessable("expected {texts: [{uuid, text, language}]}")
    found = [{"uuid": one.get("uuid", ""), "entities": entities(one["text"])} for one in read[1]]
    return JSONResponse({"texts": found})


async def _embeddings(request: Request) -> Response:
    """POST /embeddings/message and /embeddings/document: one kind of embedding serves for both."""
    read = await _read(request, "documents")
    if read is None:
        return _unprocessable("expected {documents: [{uuid, text, language}]}")
    body, texts = read
    vectors = request.app.state.embed([one["text"] for one in texts])
    body["documents"] = [{**one, "embedding": vector} for one, vector in zip(texts, vectors, strict=True)]
    return JSONResponse(body)


async def healthz(_request: Request) -> Response:
    """Answer GET /healthz, as the model server does too."""
    return PlainTextResponse(".")


def create_app(embedding_model: str | None = None) -> Starlette:
    """Return the NLP server as an ASGI application. It keeps no state.

    embedding_model: folder of a model that knows what words mean (see `meaning`). Raises meaning.NoModel.
    """
    application = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/entities", _entities, methods=["POST"]),
            Route("/embeddings/message", _embeddings, methods=["POST"]),
            Route("/embeddings/document", _embeddings, methods=["POST"]),
        ]
    )
    model = load_model(Path(embedding_model)) if embedding_model is not None else None
    application.state.embed = model or (lambda texts: list(map(embed, texts)))
    return application
