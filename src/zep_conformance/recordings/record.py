"""A recording made from what a server answers to a script: an earlier recording's requests, or bare ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from zep_conformance.recordings.abstraction import Abstraction
from zep_conformance.recordings.comparison import ABSENT, UUID_PLACEHOLDER, Comparison
from zep_conformance.recordings.format import Exchange
from zep_conformance.recordings.harmless import lists_others
from zep_conformance.recordings.player import Answer, Played


class Recorder:
    """Turns what was played into exchanges of a new recording, in the order of the script.

    is_private: whether a text must not be recorded, since it holds a secret or an address.
    """

    def __init__(self, is_private: Callable[[str], bool]) -> None:
        self._is_private = is_private
        self._numbers: dict[str, Comparison] = {}

    def recording(self, script: Sequence[Exchange], played: Sequence[Played]) -> list[Exchange]:
        """The new recording; what was left out or not answered is not in it."""
        by_name = {one.exchange.name: one for one in played}
        made = [by_name[exchange.name] for exchange in script if exchange.name in by_name]
        return [self._exchange(one, one.answer) for one in made if one.answer is not None]

    def _exchange(self, played: Played, answer: Answer) -> Exchange:
        exchange = played.exchange
        numbers = self._numbers.setdefault(exchange.sequence, Comparison())
        # The request refers to UUIDs by the script's numbers: it comes before the answer, which may bring new ones.
        request = self._renumbered(exchange.request, dict(played.uuids), numbers)
        abstraction = Abstraction(numbers, self._is_private)
        earlier = exchange.response.get("body", ABSENT)
        body: Any
        if lists_others(exchange.request) and answer.status < 400:
            body = "{{any}}"
        elif earlier is ABSENT and "html" in answer.content_type:
            body = "{{html}}"
        else:
            body = abstraction.body(answer.body, earlier, subset=exchange.subset)
        response = {"status": answer.status, "content_type": answer.content_type, "body": body}
        return Exchange(
            exchange.sequence,
            exchange.step,
            request,
            response,
            exchange.about,
            exchange.eventually,
            exchange.subset,
        )

    @staticmethod
    def _renumbered(request: dict[str, Any], script: dict[str, str], numbers: Comparison) -> dict[str, Any]:
        """A request whose UUIDs have the new recording's numbers."""
        text = UUID_PLACEHOLDER.sub(
            lambda found: f"{{{{uuid:{numbers.number(script[found[1]])}}}}}" if found[1] in script else found[0],
            json.dumps(request, ensure_ascii=False),
        )
        renumbered: dict[str, Any] = json.loads(text)
        return renumbered
