"""Which requirements an exchange shows, and where its recorded answer is a known fault (promises.toml)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from zep_conformance import suite
from zep_conformance.facts import deviations
from zep_conformance.facts.deviations import Deviation
from zep_conformance.recordings.format import RecordedExchange

FILE = "promises.toml"


@dataclass(frozen=True)
class Promises:
    """What is known of one part's exchanges: ids of requirements and deviations, by sequence or by exchange.

    deviations: what those are.
    """

    known: dict[str, list[str]]
    deviations: dict[str, Deviation]

    @classmethod
    def of(cls, part: str) -> Promises:
        """Return those of a part: zep or langflux."""
        path = suite.data() / "recordings" / FILE
        known = tomllib.loads(path.read_text(encoding="utf-8")).get(part, {})
        return cls(known, deviations.load_deviations())

    def requirements(self, exchange: RecordedExchange) -> tuple[str, ...]:
        """Return the requirements that an exchange shows, most often one; none where nobody has said."""
        return tuple(name for name in self._of(exchange) if not name.startswith("DEV-"))

    def fault(self, exchange: RecordedExchange) -> str | None:
        """Return the deviation whose fault the recorded answer is."""
        return next((name for name in self._of(exchange) if name.startswith("DEV-")), None)

    def _of(self, exchange: RecordedExchange) -> list[str]:
        return self.known.get(exchange.name, self.known.get(exchange.sequence, []))
