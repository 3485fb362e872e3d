"""Findings, and the limits of the time that it may take to come to them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from zep_conformance.facts.codes import CodeVerdict, codes
from zep_conformance.redaction.redactor import Redactor

T = TypeVar("T")

LAYERS = ("URL", "name", "TCP", "TLS", "HTTP", "version", "token", "store", "NLP", "model", "key", "view")
"""In the order in which they are examined. view: Zep as LangFlux sees it."""
CONNECT_LIMIT = 5.0
"""Seconds for a name, a TCP connection, a TLS handshake: each."""
ANSWER_LIMIT = 10.0
"""Seconds for one answer over HTTP, to its last byte."""
SEARCH_LIMIT = 5.0
"""Seconds for a search: a Zep 0.27.2 whose NLP server is down takes 31."""
ENRICH_LIMIT = 15.0
"""Seconds for what was written to be enriched."""
PREDICTION_LIMIT = 30.0
"""Seconds for a prediction, which has a model behind it."""
REMOVAL_LIMIT = 10.0
"""Seconds for removing what was made, beyond all others."""
WHOLE_LIMIT = 60.0
"""Seconds for the whole examination."""
QUOTED = 240
"""Characters of an answer that are shown."""


@dataclass(frozen=True)
class Finding:
    """What the examination of one layer of a part concludes.

    part: zep, langflux or model. layer: of LAYERS. code: of `facts.codes`, or "ok".
    symptom: what was seen. cause, advice: why, and what to do; empty where all is well.
    """

    part: str
    layer: str
    verdict: CodeVerdict
    code: str
    symptom: str
    cause: str = ""
    advice: str = ""


class Broken(Exception):
    """A layer of a part is broken, so that the layers behind it can't be examined. Carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.symptom)
        self.finding = finding


class TimeUp(Exception):
    """Something took longer than it may. limit: seconds."""

    def __init__(self, limit: float) -> None:
        super().__init__(f"not within {limit:g} s")
        self.limit = limit


class Late(TimeUp):
    """A single step took longer than it may."""


class OutOfTime(TimeUp):
    """The time of the whole examination is up."""


class TimeBudget:
    """How long everything together may take, in seconds from now, and a connection by itself (None: as usual)."""

    def __init__(self, limit: float = WHOLE_LIMIT, connect_limit: float | None = None) -> None:
        self.limit = limit
        self.connect_limit = connect_limit
        self._end = time.monotonic() + limit

    def within(self, limit: float, work: Callable[[], T]) -> T:
        """Return what `work` returns, if it does so in `limit` seconds and before the end of the examination.

        Whatever blocks in it is left to itself, in a thread that holds up nobody's end. Raises Late, or
        OutOfTime where it was the whole examination's time that was up, and what `work` raises.
        """
        granted = self.at_most(limit)
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        if not wait([future], granted).done:
            raise OutOfTime(self.limit) if granted < limit else Late(limit)
        return future.result()

    def spare(self, seconds: float) -> None:
        """Leave at least so many seconds, for removing what was made."""
        self._end = max(self._end, time.monotonic() + seconds)

    def at_most(self, limit: float) -> float:
        """Return the seconds that are left, at most `limit`. Raises OutOfTime when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutOfTime(self.limit)
        return min(limit, left)


class Case:
    """One part under examination: what has been found of it so far.

    part: its name. redactor: cleans every text. has_login: whether its URL has a user's name and password in it.
    """

    def __init__(self, part: str, *, redactor: Redactor, budget: TimeBudget, **words: object) -> None:
        self.part, self.budget = part, budget
        self.findings: list[Finding] = []
        self.has_login = False
        self._redactor = redactor
        self._words: dict[str, object] = {"part": part, **words}

    def know(self, **words: object) -> None:
        """Words for the texts of findings from here on: host, port, origin and the like."""
        self._words |= words

    def ok(self, layer: str, symptom: str) -> None:
        """All is well with a layer."""
        self.findings.append(Finding(self.part, layer, "ok", "ok", self.clean(symptom)))

    def report(self, code: str, **details: object) -> Finding:
        """Note a finding and go on. details: words for its texts."""
        entry = codes("doctor")[code]
        words = {name: self.clean(str(word)) for name, word in {**self._words, **details}.items()}
        texts = (self.clean(text.format_map(words)) for text in (entry.symptom, entry.cause, entry.advice))
        finding = Finding(self.part, entry.layer, entry.verdict, code, *texts)
        self.findings.append(finding)
        return finding

    def fail(self, code: str, **details: object) -> NoReturn:
        """Note a fault behind which nothing can be seen. Raises Broken."""
        raise Broken(self.report(code, **details))

    def clean(self, text: str) -> str:
        """`text` on one line, without secrets and what a terminal would obey."""
        return self._redactor(re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text)).strip()

    def quoted(self, text: str) -> str:
        """Return an answer's text as it is quoted in a finding: cleaned, then cut."""
        clean = self.clean(text)
        return repr(clean if len(clean) <= QUOTED else clean[:QUOTED] + "…") if clean else "nothing"

    def examine(self, work: Callable[[], T]) -> T | None:
        """Do the work; None when a layer was broken, which is among the findings then."""
        try:
            return work()
        except Broken:
            return None
        except OutOfTime as error:
            self.report("out-of-time", limit=f"{error.limit:g}")
            return None


def faults(findings: list[Finding]) -> list[Finding]:
    """Return the faults among findings."""
    return [finding for finding in findings if finding.verdict == "fault"]
