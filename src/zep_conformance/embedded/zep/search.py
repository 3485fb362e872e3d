"""Searching the messages or summaries of one session: by likeness, by MMR, by metadata and dates.

The score, `dist`, is the inner product of the embeddings (pgvector's `<#>` times -1, as in Zep 0.27.2): the
cosine, for embeddings of length 1, which is what Zep's NLP server makes.
"""

from __future__ import annotations

import json
import math
import operator
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.database import Database
from zep_conformance.embedded.zep.encoding import ZERO_UUID, dumps, parse_time
from zep_conformance.embedded.zep.jsonpath import compile_path
from zep_conformance.embedded.zep.messages import render as render_message
from zep_conformance.embedded.zep.records import Row
from zep_conformance.embedded.zep.summaries import Summary
from zep_conformance.embedded.zep.summaries import render as render_summary
from zep_conformance.embedded.zep.wire import Refusal, mistake

DEFAULT_LIMIT = 10
DEFAULT_LAMBDA = 0.5
_MMR_CANDIDATES = 2  # times the limit, at least 10

_COMMON = "SELECT e.vector, t.created_at, t.metadata, t.uuid, t.created_at"
_REST = "t.content, t.metadata, t.token_count"
SOURCES = {
    "messages": f"{_COMMON}, t.role, {_REST} FROM message_embeddings e JOIN messages t ON t.id = e.id",
    "summary": f"{_COMMON}, {_REST} FROM summary_embeddings e JOIN summaries t ON t.id = e.id",
}

Filter = Callable[[str, "dict[str, Any] | None"], bool]  # (created_at, metadata) -> kept?


@dataclass(frozen=True)
class Query:
    """A search that was checked. text: "" for a search by metadata alone; limit: at most so many results."""

    text: str
    scope: str
    mmr: bool
    mmr_lambda: float
    limit: int
    filters: tuple[Filter, ...]


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the inner product of two embeddings."""
    return float(sum(map(operator.mul, one, other)))


def _where(condition: Any) -> Filter:
    """Return a filter from {"jsonpath": …, "and": […], "or": […]}. Raises ValueError."""
    if not isinstance(condition, dict):
        raise ValueError("where must be an object")
    path, every, some = (condition.get(key) for key in ("jsonpath", "and", "or"))
    if not isinstance(path, str | None):
        raise ValueError("jsonpath must be a string")
    if not all(isinstance(group, list | None) for group in (every, some)):
        raise ValueError("and/or must be lists")
    # Zep lets a client write single quotes for the double ones of jsonpath.
    exists = compile_path(path.replace("'", '"')) if path else None
    all_of = [_where(one) for one in every or ()]
    one_of = [_where(one) for one in some or ()]

    def kept(created: str, metadata: dict[str, Any] | None) -> bool:
        if exists is not None and (metadata is None or not exists(metadata)):
            return False
        if not all(one(created, metadata) for one in all_of):
            return False
        return not one_of or any(one(created, metadata) for one in one_of)

    return kept


def _filters(metadata: dict[str, Any]) -> tuple[Filter, ...]:
    """Return the filters in a search's metadata. Raises ValueError."""
    filters: list[Filter] = []
    if metadata.get("where") is not None:
        filters.append(_where(metadata["where"]))
    for key, fits in (("start_date", operator.ge), ("end_date", operator.le)):
        if metadata.get(key) is None:
            continue
        if not isinstance(metadata[key], str):
            raise ValueError(f"{key} must be a string")
        bound = parse_time(metadata[key])
        filters.append(lambda created, _metadata, fits=fits, bound=bound: fits(created, bound))  # type: ignore[misc]
    return tuple(filters)


def parse_query(payload: dict[str, Any], limit: int, behaviours: Behaviours) -> Query:
    """Return a search from its payload, whose fields have the right JSON types already. Raises Refusal."""
    text, metadata = payload["text"], payload["metadata"]
    scope = payload["search_scope"] or "messages"
    kind = payload["search_type"] or "similarity"
    if not text and not metadata:
        raise mistake(behaviours, "empty-search-500", "empty query")
    if scope not in SOURCES:
        raise mistake(behaviours, "bad-search-500", "invalid search scope")
    if kind not in ("similarity", "mmr") and "unknown-search-type-ignored" not in behaviours:
        raise Refusal(400, "invalid search type")
    if kind == "mmr" and not text:
        raise mistake(behaviours, "bad-search-500", "mmr needs a text to search for")
    try:
        filters = _filters(metadata)
    except ValueError as error:
        raise mistake(behaviours, "bad-search-500", f"error applying metadata filter: {error}") from None
    weight = payload["mmr_lambda"] or DEFAULT_LAMBDA
    return Query(text=text, scope=scope, mmr=kind == "mmr", mmr_lambda=weight, limit=limit, filters=filters)


@dataclass(frozen=True)
class Found:
    """One candidate. row: as `render` of its kind wants it."""

    row: Row
    vector: array[float]
    dist: float


def _cosine(one: array[float], other: array[float]) -> float:
    lengths = math.sqrt(dot(one, one) * dot(other, other))
    return dot(one, other) / lengths if lengths else 0.0


def rerank(found: list[Found], vector: array[float], weight: float, count: int) -> list[Found]:
    """Rank by maximal marginal relevance: each next result is like the query and unlike those chosen before.

    weight: how much likeness counts against novelty, from 0 to 1 (Zep's mmr_lambda).
    """
    likeness = [_cosine(vector, one.vector) for one in found]
    rest = list(range(len(found)))
    nearest = [-math.inf] * len(found)  # likeness to the chosen one that is most alike
    chosen: list[int] = []
    while rest and len(chosen) < count:
        if chosen:
            best = max(rest, key=lambda at: weight * likeness[at] - (1 - weight) * nearest[at])
        else:
            best = max(rest, key=likeness.__getitem__)
        rest.remove(best)
        chosen.append(best)
        for at in rest:
            nearest[at] = max(nearest[at], _cosine(found[at].vector, found[best].vector))
    return [found[at] for at in chosen]


def _render(one: Found, query: Query) -> str:
    message = summary = "null"
    if query.scope == "messages":
        message = render_message(one.row)
    else:
        # Zep 0.27.2 does not look up which message a found summary reaches to.
        uuid, created, content, metadata, tokens = one.row
        summary = render_summary(Summary(0, uuid, created, content, metadata, tokens, 0, ZERO_UUID))
    vector = dumps(one.vector.tolist()) if query.mmr else "null"
    return f'{{"message":{message},"summary":{summary},"dist":{one.dist!r},"embedding":{vector}}}'


class Search:
    """Finds what a query asks for among the embeddings of one session."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def find(self, session_id: str, query: Query, vector: array[float] | None) -> str:
        """Return the answer to a search as Zep's JSON. vector: the embedding of the text, None if there is no text.

        Raises Refusal 500 when the stored embeddings are of another width.
        """
        found = self.candidates(session_id, query, vector)
        if query.mmr and vector is not None:
            found = rerank(found[: max(_MMR_CANDIDATES * query.limit, 10)], vector, query.mmr_lambda, query.limit)
        return "[" + ",".join([_render(one, query) for one in found[: query.limit]]) + "]\n"

    def candidates(self, session_id: str, query: Query, vector: array[float] | None) -> list[Found]:
        """Return what passes the filters, best first; the newest first where no text is searched."""
        found = []
        for blob, created, metadata, *row in self.stored(session_id, query.scope):
            if query.filters:
                value = None if metadata is None else json.loads(metadata)
                if not all(kept(created, value) for kept in query.filters):
                    continue
            embedding = array("f")
            embedding.frombytes(blob)
            if vector is not None and len(vector) != len(embedding):
                raise Refusal(500, f"different vector dimensions {len(embedding)} and {len(vector)}")
            found.append(Found(tuple(row), embedding, dot(embedding, vector) if vector is not None else 0.0))
        return found if vector is None else self.ranked(found[::-1])

    def stored(self, session_id: str, scope: str) -> Iterable[Row]:
        """Return what is embedded of a session, the newest first, as `SOURCES` selects it."""
        return self._db.execute(f"{SOURCES[scope]} WHERE e.session_id = ? ORDER BY t.id DESC", (session_id,))

    def ranked(self, found: list[Found]) -> list[Found]:
        """Sort candidates, the oldest first, by their likeness: of equals the older comes first."""
        return sorted(found, key=lambda one: one.dist, reverse=True)
