"""A recording made from what a server answers to a script: an earlier recording's requests, or bare ones.

Whatever may differ from server to server becomes a placeholder. Where an earlier recording of the same exchange is
known, its placeholders are kept as long as they fit, since it knows best what is free (a text's wording) and what is
not; UUIDs are numbered anew in the order in which they appear.

    abstraction = Abstraction(Comparison())
    abstraction.body({"uuid": "0f0e…", "token_count": 7})       # {"uuid": "{{uuid:1}}", "token_count": "{{tokens}}"}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from zep_conformance.recordings.comparison import ABSENT, UUID, UUID_PLACEHOLDER, Comparison, fits, is_time
from zep_conformance.recordings.format import ZERO_UUID, RecordedExchange
from zep_conformance.recordings.names import lists_others
from zep_conformance.recordings.player import Played, PlayedAnswer

FREE = {
    **dict.fromkeys(("flowData", "stack"), "{{any}}"),
    **dict.fromkeys(("encryptedData", "icon", "iconSrc"), "{{text}}"),
    **dict.fromkeys(("dist", "score"), "{{float}}"),
    "id": "{{int}}",
    "token_count": "{{tokens}}",
}
"""Fields that are free wherever they are, and what they hold; those of another type than that are not free."""
VECTOR = 8
"""Fractions from which on a list of nothing else is a vector."""
_UUID = re.compile(UUID)
_PLACEHOLDER = re.compile(r"\{\{(uuid:\d+|time|int|tokens|text|html|float|vector|any)\}\}")


class Abstraction:
    """Abstracts the answers of one sequence.

    numbers: which UUID has which number; new ones get the next. is_private: whether a text must not be recorded, since
    it holds a secret or an address.
    """

    def __init__(self, numbers: Comparison, is_private: Callable[[str], bool] = lambda _: False) -> None:
        self._numbers, self._is_private = numbers, is_private

    def body(self, came: Any, earlier: Any = ABSENT, *, subset: bool = False) -> Any:
        """Return an answer's body with placeholders. earlier: the same in an earlier recording.

        subset: only the keys that were recorded earlier are.
        """
        return self._value(came, earlier, "", subset)

    def text(self, text: str) -> str:
        """Return a text with numbers for its UUIDs, the all-zero one excepted."""
        return _UUID.sub(self._numbered, text)

    def _value(self, came: Any, earlier: Any, key: str, subset: bool) -> Any:
        if isinstance(earlier, str) and fits(earlier, came):
            return earlier
        free = FREE.get(key)
        if free is not None and fits(free, came) and earlier is ABSENT:
            return free if free != "{{any}}" or isinstance(came, str | dict | list) else came
        if isinstance(came, dict):
            known = earlier if isinstance(earlier, dict) else {}
            kept = [name for name in came if name in known] if subset and known else list(came)
            return {name: self._value(came[name], known.get(name, ABSENT), name, subset) for name in kept}
        if isinstance(came, list):
            return self._list(came, earlier, key, subset)
        if isinstance(came, str):
            return self._text(came)
        return "{{float}}" if isinstance(came, float) and earlier is ABSENT else came

    def _list(self, came: list[Any], earlier: Any, key: str, subset: bool) -> Any:
        if earlier is ABSENT and len(came) >= VECTOR and all(isinstance(one, float) for one in came):
            return "{{vector}}"
        known = earlier if isinstance(earlier, list) else []
        # A longer list than before is most likely more of the same.
        known = known + known[-1:] * (len(came) - len(known))
        known += [ABSENT] * (len(came) - len(known))
        return [self._value(one, before, key, subset) for one, before in zip(came, known, strict=False)]

    def _text(self, came: str) -> str:
        if is_time(came):
            return "{{time}}"
        # What only looks like a placeholder would be taken for one.
        return "{{text}}" if _PLACEHOLDER.search(came) or self._is_private(came) else self.text(came)

    def _numbered(self, found: re.Match[str]) -> str:
        return found[0] if found[0] == ZERO_UUID else f"{{{{uuid:{self._numbers.number(found[0])}}}}}"


class Recorder:
    """Turns what was played into exchanges of a new recording, in the order of the script.

    is_private: whether a text must not be recorded, since it holds a secret or an address.
    """

    def __init__(self, is_private: Callable[[str], bool]) -> None:
        self._is_private = is_private
        self._numbers: dict[str, Comparison] = {}

    def recording(self, script: Sequence[RecordedExchange], played: Sequence[Played]) -> list[RecordedExchange]:
        """Return the new recording; what was left out or not answered is not in it."""
        by_name = {one.exchange.name: one for one in played}
        made = [by_name[exchange.name] for exchange in script if exchange.name in by_name]
        return [self._exchange(one, one.answer) for one in made if one.answer is not None]

    def _exchange(self, played: Played, answer: PlayedAnswer) -> RecordedExchange:
        exchange = played.exchange
        numbers = self._numbers.setdefault(exchange.sequence, Comparison())
        # The request refers to UUIDs by the script's numbers: it comes before the answer, which may bring new ones.
        request = self._renumbered(exchange.request, dict(played.uuids), numbers)
        abstraction = Abstraction(numbers, self._is_private)
        earlier = exchange.response.get("body", ABSENT)
        body: Any
        if lists_others(exchange.request) and answer.status < 400:
            body = "{{any}}"
        elif not isinstance(earlier, str) and "html" in answer.content_type:
            body = "{{html}}"
        else:
            body = abstraction.body(answer.body, earlier, subset=exchange.subset)
        response = {"status": answer.status, "content_type": answer.content_type, "body": body}
        return replace(exchange, request=request, response=response)

    @staticmethod
    def _renumbered(request: dict[str, Any], script: dict[str, str], numbers: Comparison) -> dict[str, Any]:
        """Return a request whose UUIDs have the new recording's numbers."""
        text = UUID_PLACEHOLDER.sub(
            lambda found: f"{{{{uuid:{numbers.number(script[found[1]])}}}}}" if found[1] in script else found[0],
            json.dumps(request, ensure_ascii=False),
        )
        renumbered: dict[str, Any] = json.loads(text)
        return renumbered
