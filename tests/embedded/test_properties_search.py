"""Search: whatever was written and cleared, it finds what the model finds, the likest first, in one session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple, precondition

from tests.support.properties import Machine, broken, finds, holds, initialize, rule
from tests.support.zep_asked import Asked, asking, fresh
from tests.support.zep_model import WrittenMessage, ZepModel
from zep_conformance.embedded.nlp import embed
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

PARTS = ["zep", "nlp"]
DEFAULT_LIMIT = 10
EXACT = 1e-6
"""What two ways of adding up the same numbers may differ by."""

words = st.lists(
    st.sampled_from(["the", "sea", "is", "calm", "tea", "or", "coffee", "Paris", "Grüße", "海"]), max_size=6
)
sentences = words.map(" ".join)
moods = st.sampled_from(["calm", "wild", 3, True, None])
messages = st.lists(
    st.builds(
        WrittenMessage, role=st.just("human"), content=sentences, metadata=st.none() | st.builds(dict, mood=moods)
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def zep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A Zep that keeps every requirement, with its NLP server."""
    parts = parts_for(PARTS, data=tmp_path_factory.mktemp("data"))
    with Fleet(parts) as fleet, asking(fleet) as asked:
        yield asked


def likeness(one: str, other: str) -> float:
    """How alike two texts are: what the NLP server's embeddings say, whose length is 1."""
    return sum(left * right for left, right in zip(embed(one), embed(other), strict=True))


class Seekers(Machine):
    """Clients who search in sessions that others write to and clear."""

    ids = Bundle("ids")

    def __init__(self, zep: Asked) -> None:
        super().__init__()
        self.zep, self.model = zep, ZepModel()
        self.settled: dict[str, int] = {}

    @initialize(target=ids)
    def think_of_ids(self) -> MultipleResults[str]:
        """Two: one where it is searched, and one where it must not be found."""
        return multiple(fresh(), fresh())

    @rule(ident=ids, said=messages)
    def write(self, ident: str, said: list[WrittenMessage]) -> None:
        """Messages, some with a mood in their metadata."""
        body = [{"role": one.role, "content": one.content, "metadata": one.metadata} for one in said]
        answer = self.zep.ask("POST", "sessions", ident, "memory", body={"messages": body})
        assert answer.status_code == self.model.write(ident, said)

    @rule(ident=ids)
    def clear(self, ident: str) -> None:
        """Nothing is found any more, at once."""
        answer = self.zep.ask("DELETE", "sessions", ident, "memory")
        assert answer.status_code == self.model.delete_session(ident)
        self.settled.pop(ident, None)
        assert self.zep.search(ident, 100, text="anything") == [], "a cleared session's messages are found"

    @rule(ident=ids, text=sentences.filter(bool), limit=st.none() | st.integers(0, 12), mmr=st.booleans())
    def search(self, ident: str, text: str, limit: int | None, mmr: bool) -> None:
        """By likeness or by MMR, with a limit or without."""
        known = self.found_in(ident)
        payload: dict[str, Any] = {"text": text, "search_type": "mmr" if mmr else "similarity"}
        found = self.zep.search(ident, limit, **payload)
        expected = sorted((likeness(text, one.content) for one in known), reverse=True)[: limit or DEFAULT_LIMIT]
        self.are_of(known, found)
        assert len(found) == len(expected)
        for result in found:
            assert result["dist"] == pytest.approx(likeness(text, result["message"]["content"]), abs=EXACT)
            assert bool(result["embedding"]) == mmr
        scores = [result["dist"] for result in found]
        # MMR begins with the likest, too, and goes on as it likes.
        assert (scores[:1] if mmr else scores) == pytest.approx(expected[:1] if mmr else expected, abs=EXACT)

    @rule(ident=ids, mood=moods, limit=st.integers(1, 6))
    def search_by_metadata(self, ident: str, mood: Any, limit: int) -> None:
        """Without a text: the newest come first."""
        known = self.found_in(ident)
        literal = {"calm": '"calm"', "wild": '"wild"', 3: "3", True: "true", None: "null"}[mood]
        where = {"where": {"jsonpath": f"$ ? (@.mood == {literal})"}}
        found = self.zep.search(ident, limit, metadata=where)
        expected = [one for one in known if one.metadata and one.metadata["mood"] is mood]
        contents = [result["message"]["content"] for result in found]
        assert contents == [one.content for one in reversed(expected)][:limit], "not the newest of them first"

    @precondition(lambda self: self.model.sessions)
    @rule(ident=ids, text=sentences.filter(bool))
    def search_summaries(self, ident: str, text: str) -> None:
        """There are none."""
        assert self.zep.search(ident, text=text, search_scope="summary") == [], "a summary that nobody can have made"

    def found_in(self, ident: str) -> list[WrittenMessage]:
        """The messages of a session, once all of them can be found."""
        known = self.model.messages(ident)
        if self.settled.get(ident) != len(known):
            self.zep.settled(ident, len(known))
            self.settled[ident] = len(known)
        return known

    @staticmethod
    def are_of(known: list[WrittenMessage], found: list[dict[str, Any]]) -> None:
        """Each result is a message of the session, and none comes twice."""
        uuids = [result["message"]["uuid"] for result in found]
        assert len(set(uuids)) == len(uuids)
        left = [one.content for one in known]
        for result in found:
            assert result["message"]["content"] in left
            left.remove(result["message"]["content"])


def test_search_finds_what_the_model_finds(zep: Asked) -> None:
    holds(lambda: Seekers(zep))


@pytest.mark.parametrize(
    "mutation",
    [
        "search-ranking-reversed",
        "search-ranking-ignored",
        "search-crosses-sessions",
        "search-finds-twice",
        "search-filter-ignored",
        "search-scope-ignored",
        "mmr-ignored",
        "clear-keeps-search",
    ],
)
def test_the_machine_finds_a_mutation(tmp_path: Path, mutation: str) -> None:
    with broken(tmp_path, PARTS, {"zep": [mutation]}) as fleet, asking(fleet) as asked:
        finds(lambda: Seekers(asked))
