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
unless it is a common word ("Hello", "The", "I") or a single unknown word at the start of a sentence, where
everything has a capital. Its label is the first of these that fits:

1. GPE (a place) if it is one of the cities or countries listed below;
2. DATE if it is a weekday or a month; ORG if its last word is "Inc", "University" and the like;
3. PERSON after "my name is", "I am", "I'm", "named", "called", "Mr", "Dr" and the like (there also in
   scripts without capitals, up to the next punctuation), and for some well-known first names;
4. GPE after "in", "to", "from", "near", "visit", "visiting", "leaving", "around";
5. ORG for words all in capitals;
6. PERSON otherwise.

It misses names in small letters and takes the odd brand for a person: enough to see that entities were asked
for, arrive, and belong to the right message.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from zep_conformance.embedded.meaning import load

WIDTH = 384
"""Numbers in an embedding: the width of Zep's columns for the local embedding service."""

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?:;\n\"“”(]\s*$")
_NAMING = re.compile(
    r"(?:\bmy name is|\bname's|\bi am|\bi[’']m|\bnamed|\bcalled|\bthis is|\bmr\.?|\bmrs\.?|\bms\.?|\bdr\.?"
    r"|\bprof\.?)\s+$",
    re.IGNORECASE,
)
_NAME_IS = re.compile(r"\bmy name is\s+([^.,;!?\n。，！？]+)", re.IGNORECASE)
_PLACING = re.compile(r"\b(?:in|to|from|near|visit|visiting|leaving|around)\s+(?:the\s+)?$", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_STOP_WORDS = _words(
    """
    a an and are as at be but by did do does for from had has have he her his i if in is it its me my of on
    or our she so that the their them there they this to us was we were what when where which who why will
    with you your not no yes am been can could would should how about into than then
    """
)
_COMMON = _STOP_WORDS | _words(
    """
    hi hello hey dear thanks thank please noted ok okay ai api human assistant user bot system sure well now
    today tomorrow yesterday here just let some any every all both many much more most one two three also
    perhaps maybe after before because while since until although though never always often sometimes good
    great nice sorry tell show give find remember forget say said ask answer question message summary note
    see look go come mr mrs ms dr prof i'm i've i'll i'd it's that's what's don't can't let's you're we're
    they're http https json
    """
)
_PLACES = _words(
    """
    amsterdam athens auckland austria australia bangkok barcelona beijing belgium berlin bogota boston
    brazil brussels budapest cairo california canada chicago chile china copenhagen dallas delhi denmark
    dubai dublin edinburgh egypt england finland florence france geneva germany ghana greece hamburg hanoi
    helsinki hungary india indonesia ireland istanbul italy jakarta japan kenya kyoto lagos lima lisbon
    london madrid melbourne mexico miami milan montreal moscow mumbai munich nairobi naples netherlands
    nigeria norway osaka oslo paris peru poland portugal prague quebec rome russia santiago scotland seattle
    seoul shanghai singapore spain stockholm sweden switzerland sydney taipei texas tokyo toronto turkey
    ukraine vancouver venice vienna vietnam wales warsaw zurich
    """
) | {"new york", "los angeles", "san francisco", "hong kong", "united states", "united kingdom"}
_FIRST_NAMES = _words(
    """
    alice bob carol dave dora eve frank grace heidi ivan judy mallory oscar peggy trent victor walter anna
    ben clara david emma george hannah jack james jane john julia laura linda lucas maria mark mary michael
    nina olivia paul peter robert sarah sofia thomas william zoe
    """
)
_DATES = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday january february april june july august
    september october november december
    """
)
_COMPANIES = _words(
    """
    inc corp ltd llc gmbh university institute bank company foundation college
    """
)
_PARTICLES = _words(
    """
    de da del der van von la le bin of
    """
)


# ------------------------------------------------------------------------------------------------ embeddings
@lru_cache(maxsize=20_000)
def _word_share(word: str, width: int) -> tuple[tuple[int, float], ...]:
    """What one word adds to an embedding: (dimension, amount) pairs. Punctuation and stop words little."""
    if word in _STOP_WORDS:
        weight = 0.2
    elif len(word) == 1 and not word.isalnum():
        weight = 0.1
    else:
        weight = 1.0
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
    """The embedding of a text: `width` numbers of Euclidean length 1, the same in every process.

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


# -------------------------------------------------------------------------------------------------- entities
def _label(name: str, text: str, start: int) -> str:
    """The label of a name that begins at `start`: see the module's heuristic."""
    words = name.casefold().split()
    before = text[max(0, start - 24) : start]
    if name.casefold() in _PLACES or (len(words) == 1 and words[0] in _PLACES):
        return "GPE"
    if words[0] in _DATES:
        return "DATE"
    if words[-1] in _COMPANIES:
        return "ORG"
    if _NAMING.search(before) or words[0] in _FIRST_NAMES:
        return "PERSON"
    if _PLACING.search(before):
        return "GPE"
    if len(name) > 1 and name.isupper():
        return "ORG"
    return "PERSON"


def _runs(text: str) -> list[tuple[int, int]]:
    """(start, end) of the runs of capitalised words, common words cut from both their ends."""
    runs: list[list[re.Match[str]]] = []
    run: list[re.Match[str]] = []
    end = -1
    for word in _WORD.finditer(text):
        letters = word.group()
        joins = bool(run) and text[end : word.start()] == " "
        wanted = letters[0].isupper() or (joins and letters in _PARTICLES)
        if run and not (joins and wanted):
            runs.append(run)
            run = []
        if wanted and (run or letters[0].isupper()):
            run.append(word)
        end = word.end()
    if run:
        runs.append(run)
    found = []
    for run in runs:
        cut = 0
        while cut < len(run) and run[cut].group().casefold() in _COMMON:
            cut += 1
        run = run[cut:]
        while run and (run[-1].group() in _PARTICLES or run[-1].group().casefold() in _COMMON):
            run.pop()
        if not run:
            continue
        start, stop = run[0].start(), run[-1].end()
        name = text[start:stop]
        opening = cut == 0 and (not text[:start].strip() or _SENTENCE_END.search(text[:start]) is not None)
        known = name.casefold() in _PLACES | _FIRST_NAMES | _DATES
        if opening and len(run) == 1 and not known:
            continue
        found.append((start, stop))
    return found


def entities(text: str) -> list[dict[str, Any]]:
    """The named entities of a text as Zep reads them: each name once, with every place where it occurs.

    `start` and `end` count characters (code points) from 0, the end exclusive.
    """
    spans = _runs(text)
    for match in _NAME_IS.finditer(text):
        # Scripts without capitals: the naming phrase is all there is to go by.
        name = match.group(1).rstrip()
        if name and not name[0].isupper() and not name[0].islower():
            spans.append((match.start(1), match.start(1) + len(name)))
    found: dict[str, dict[str, Any]] = {}
    for start, end in sorted(spans):
        name = text[start:end]
        entity = found.setdefault(name, {"name": name, "label": _label(name, text, start), "matches": []})
        entity["matches"].append({"start": start, "end": end, "text": name})
    return list(found.values())


# ---------------------------------------------------------------------------------------------------- server
def _refusal(reason: str) -> JSONResponse:
    """A 422 in the form of the real server, which is written with FastAPI."""
    detail = [{"loc": ["body"], "msg": reason, "type": "value_error"}]
    return JSONResponse({"detail": detail}, status_code=422)


async def _read(request: Request, key: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """The JSON body and its list of texts under `key`, or None if it is anything else."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        return None
    texts = body.get(key) if isinstance(body, dict) else None
    if not isinstance(texts, list):
        return None
    if not all(isinstance(one, dict) and isinstance(one.get("text"), str) for one in texts):
        return None
    return body, texts


async def _entities(request: Request) -> Response:
    """POST /entities."""
    read = await _read(request, "texts")
    if read is None:
        return _refusal("expected {texts: [{uuid, text, language}]}")
    return JSONResponse(
        {"texts": [{"uuid": one.get("uuid", ""), "entities": entities(one["text"])} for one in read[1]]}
    )


async def _embeddings(request: Request) -> Response:
    """POST /embeddings/message and /embeddings/document: one kind of embedding serves for both."""
    read = await _read(request, "documents")
    if read is None:
        return _refusal("expected {documents: [{uuid, text, language}]}")
    body, texts = read
    vectors = request.app.state.embed([one["text"] for one in texts])
    body["documents"] = [{**one, "embedding": vector} for one, vector in zip(texts, vectors, strict=True)]
    return JSONResponse(body)


async def _healthz(_request: Request) -> Response:
    """GET /healthz."""
    return PlainTextResponse(".")


def create_app(embedding_model: str | None = None) -> Starlette:
    """The NLP server as an ASGI application. It keeps no state.

    embedding_model: folder of a model that knows what words mean (see `meaning`). Raises meaning.NoModel.
    """
    application = Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route("/entities", _entities, methods=["POST"]),
            Route("/embeddings/message", _embeddings, methods=["POST"]),
            Route("/embeddings/document", _embeddings, methods=["POST"]),
        ]
    )
    if embedding_model is None:
        application.state.embed = lambda texts: list(map(embed, texts))
    else:
        application.state.embed = load(Path(embedding_model))
    return application
