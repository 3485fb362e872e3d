"""Searching in a session, in the reference model: what is found, whole and in order, and nothing of another session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from zep_conformance.reference.operations import Expected, Operation, Request
from zep_conformance.reference.rules import Difference, Fields, Holds, Rule, Seen, is_number, shown, time_of
from zep_conformance.reference.zep.model import KnownMessage, ZepModel
from zep_conformance.reference.zep.operations import ListMessages, _OnSession, _without_system
from zep_conformance.reference.zep.paths import only

DEFAULT_LIMIT = 10
EVERYTHING = 1000
"""A limit that no session of a sequence reaches."""
EXACT = 1e-4
"""What two likenesses that are the same may differ by: a database may keep fewer digits than it is given."""
MOODS: Mapping[str, Any] = {'"calm"': "calm", '"wild"': "wild", "3": 3, "true": True, "null": None}
"""What a search by metadata compares with, by how that is written in a filter."""
_NUMBER = Holds("a number", is_number)
_VECTOR = Holds("the embedding", lambda came: isinstance(came, list) and came != [] and all(map(is_number, came)))


@dataclass(frozen=True)
class FoundRule(Rule):
    """What a search finds: messages of the session, each once and whole, and so many as there are up to the limit.

    known: the messages that may be found, all of which must be where `complete`. text: None for a search by metadata
    alone, which has the newest first, in any order where their times are the same; the others have the likest first,
    MMR only as the first.
    """

    model: ZepModel
    known: Sequence[KnownMessage]
    limit: int
    text: str | None = None
    mmr: bool = False
    complete: bool = True

    def differences(self, came: Any, where: str, seen: Seen) -> Iterator[Difference]:
        """Yield what is wrong with the results."""
        if not isinstance(came, list):
            yield Difference(where, "a list of results", shown(came))
            return
        least = min(self.limit, sum(bool(one.content.strip()) for one in self.known)) if self.complete else 0
        most = min(self.limit, len(self.known))
        if not least <= len(came) <= most:
            yield Difference(where, f"{least if least == most else f'{least} to {most}'} results", str(len(came)))
        by_uuid = {one.uuid.value: one for one in self.known}
        found: list[KnownMessage] = []
        for number, result in enumerate(came):
            place = f"{where}[{number}]"
            message = result.get("message") if isinstance(result, Mapping) else None
            uuid = message.get("uuid") if isinstance(message, Mapping) else None
            known = by_uuid.get(uuid)
            if known is None:
                yield Difference(
                    f"{place}.message", "a message of this session that the search asks for", shown(result)
                )
                return
            if known in found:
                yield Difference(f"{place}.message", "each message once", f"{shown(known.content)} again")
            found.append(known)
            embedding = _VECTOR if self.mmr else None
            rules = {"message": known.rule(self.model.taken), "summary": None, "dist": _NUMBER, "embedding": embedding}
            yield from Fields(rules).differences(result, place, seen)
        yield from self._order(came, found, where)

    def _order(self, came: list[Any], found: Sequence[KnownMessage], where: str) -> Iterator[Difference]:
        scores = [one.get("dist") for one in came]
        if not found or not all(map(is_number, scores)):
            return
        if self.text is None:
            # By their times: the messages of one post may have the same, and then any order.
            times = [time for one in found if (time := time_of(one.created.value)) is not None]
            if any(later > before for before, later in pairwise(times)):
                yield Difference(where, "the newest first", shown([one.content for one in found]))
            return
        ranked = scores[:1] if self.mmr else scores
        if any(later > before + EXACT for before, later in pairwise(ranked)):
            yield Difference(where, "the likest first", f"dist {shown(scores)}")
        by_text: dict[str, float] = {}
        for one, score in zip(found, scores, strict=True):
            if abs(by_text.setdefault(one.content, score) - score) > EXACT:
                yield Difference(where, f"one dist for {shown(one.content)}, however often it was said", shown(scores))
        same = by_text.get(self.text)
        if same is not None and max(scores) > same + EXACT:
            yield Difference(where, f"nothing liker than the same text, {shown(self.text)}", f"dist {shown(scores)}")


@dataclass(frozen=True)
class _Asking(_OnSession):
    """What is asked for by searching."""

    def search(self, model: ZepModel, limit: int | None, **payload: Any) -> Request:
        """Return the request of a search."""
        return Request("POST", self.path(model, "search", limit=limit), only(payload))

    def comparable(self, body: Any) -> Any:
        """Return how many results there are, and what they have: their order is that of the embeddings.

        Where the limit cuts, which of those come that are as like as the last is a server's own affair.
        """
        if not isinstance(body, list):
            return body
        results = [one for one in body if isinstance(one, Mapping)]
        scores = [float(one["dist"]) for one in results if is_number(one.get("dist"))]
        if len(body) >= (getattr(self, "limit", None) or DEFAULT_LIMIT) and len(scores) == len(body):
            is_mixed = getattr(self, "mmr", False)
            results = [one for one in results if not is_mixed and one["dist"] > min(scores) + EXACT]
        found = [_without_system(one.get("message")) for one in results]
        return [len(body), *sorted(str(one.get("content")) for one in found if isinstance(one, Mapping))]


@dataclass(frozen=True)
class AwaitFound(_Asking):
    """Search until every message of a session is found: they are embedded after they were written."""

    do: ClassVar[str] = "await-found"

    def words(self) -> str:
        """Return what is done."""
        return f"wait until all messages of the session {shown(self.session)} are found by searching"

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        return self.search(model, EVERYTHING, text="anything")

    def needs(self, model: ZepModel) -> Sequence[Operation[ZepModel]]:
        """Return that the messages are listed, where their uuids are not known yet."""
        known = model.messages(model.in_path(self.session))
        return (ListMessages(self.session),) if any(one.uuid.value is None for one in known) else ()

    def expected(self, model: ZepModel) -> Expected:
        """Return that all are found in the end."""
        ident = self.ident(model)
        known = model.messages(ident)
        if known:
            model.sessions[ident].searchable = len(known)
        return Expected((200,), FoundRule(model, list(known), EVERYTHING, "anything"), patience=True)


@dataclass(frozen=True)
class Search(_Asking):
    """Search in a session. limit: None for Zep's own. mood: a literal of `MOODS` that metadata must have, by a filter.

    text: None for a search by metadata alone.
    """

    do: ClassVar[str] = "search"
    text: str | None = None
    limit: int | None = None
    mmr: bool = False
    mood: str | None = None

    def words(self) -> str:
        """Return what is done."""
        text = f" for {shown(self.text)}" if self.text is not None else ""
        by = f" by the filter @.mood == {self.mood}" if self.mood is not None else ""
        most = f", at most {self.limit} results" if self.limit is not None else ""
        return f"search in the session {shown(self.session)}{text}{by}{' by MMR' if self.mmr else ''}{most}"

    def needs(self, model: ZepModel) -> Sequence[Operation[ZepModel]]:
        """Return what waits until all is embedded that there is."""
        found = model.session(model.in_path(self.session))
        if found is None or found.searchable == len(found.messages):
            return ()
        waiting = AwaitFound(self.session)
        return (*waiting.needs(model), waiting)

    def request(self, model: ZepModel) -> Request:
        """Return how it is asked for."""
        where = None if self.mood is None else {"where": {"jsonpath": f"$ ? (@.mood == {self.mood})"}}
        kind = None if self.text is None else ("mmr" if self.mmr else "similarity")
        return self.search(model, self.limit, text=self.text, metadata=where, search_type=kind)

    def expected(self, model: ZepModel) -> Expected:
        """Return what is found."""
        if self.text is None and self.mood is None:
            return model.refused(400, "empty-search-500")
        known = list(model.messages(self.ident(model)))
        if self.mood is not None:
            known = [one for one in known if one.metadata and _is_mood(one.metadata, MOODS[self.mood])]
        mmr = self.mmr and self.text is not None
        return Expected((200,), FoundRule(model, known, self.limit or DEFAULT_LIMIT, self.text, mmr))


def _is_mood(metadata: Mapping[str, Any], mood: Any) -> bool:
    found = metadata.get("mood", _is_mood)
    return type(found) is type(mood) and bool(found == mood)
