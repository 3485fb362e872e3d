"""What only a write can show: the store keeps it, and Zep's queues enrich it. Done when it is asked for.

One session is made, under a name with a prefix, and removed when it is enriched: clearing a session before its
last message is enriched stalls the queues of a Zep 0.27.2 for 14 seconds.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from zep_conformance.clients.waiting import eventually
from zep_conformance.doctor.answers import code_of
from zep_conformance.doctor.findings import (
    ANSWER_LIMIT,
    ENRICH_LIMIT,
    REMOVAL_LIMIT,
    SEARCH_LIMIT,
    Broken,
    Case,
    Late,
    TimeUp,
)
from zep_conformance.doctor.http import HttpAnswer
from zep_conformance.doctor.zep import ZepProbe
from zep_conformance.facts.servers import FREEZE, HEALTH_PATHS, session_path

HEALTHY = 1.0
"""Seconds within which a Zep that is frozen answers its health check."""
THAW_LIMIT = FREEZE + 15
"""Seconds for removing what was made where Zep is frozen, which it is for a minute."""


@dataclass
class EnrichmentState:
    """What has come so far of a session's enrichment."""

    found: bool = False
    entities: bool = False
    intent: bool = False
    summary: bool = False
    refusal: str = ""

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.found and self.entities and self.intent and self.summary


class ProbeSession:
    """A throw-away session in a Zep."""

    def __init__(self, case: Case, probe: ZepProbe, name: str) -> None:
        self._case, self._probe, self.name = case, probe, name
        self._path = session_path(name)
        self._is_frozen = False

    def _ask(self, method: str, path: str, body: Any = None, limit: float | None = None) -> HttpAnswer | None:
        """None when there is no answer in time. Raises Broken, OutOfTime."""
        url, headers = f"{self._path}{path}", self._probe.headers()
        try:
            return self._probe.connection.ask(method, url, headers=headers, body=body, limit=limit or SEARCH_LIMIT)
        except Late:
            return None

    def write(self, texts: list[str]) -> None:
        """Write messages, of a human and an AI in turn. Raises Broken when they are refused.

        A turn a request: more at once may keep everybody waiting (DEV-15).
        """
        messages = [{"role": role, "content": text} for role, text in zip(cycle(("human", "ai")), texts, strict=False)]
        for first in range(0, len(messages), 2):
            self._write(messages[first : first + 2])

    def _write(self, messages: list[dict[str, str]]) -> None:
        answer = self._ask("POST", "/memory", {"messages": messages})
        if answer is None:
            self.memory(1)
            self._case.fail("write-refused", status="not", answer=f"nothing in {SEARCH_LIMIT:g} s")
        if answer.status != 200:
            known = code_of(answer.text, "store") if answer.status >= 500 else None
            self._case.fail(known or "write-refused", status=answer.status, answer=self._case.quoted(answer.text))

    def memory(self, lastn: int) -> dict[str, Any]:
        """Return the newest messages and the summary; empty when they can't be read. Raises Broken, OutOfTime."""
        path = f"/memory?lastn={lastn}"
        answer = self._ask("GET", path) or self._ask_again(path)
        return answer.fields() if answer.status == 200 else {}

    def _ask_again(self, path: str) -> HttpAnswer:
        """Read what was not answered once more, where the health check is late too.

        Raises Broken where that is answered at once, which is a freeze, or nothing is; OutOfTime.
        """
        ask = self._probe.connection.ask
        health = ask("GET", HEALTH_PATHS["zep"], limit=ANSWER_LIMIT, late="http-silent")
        if health.seconds <= HEALTHY:
            self._is_frozen = True
            self._case.fail("zep-freezes", limit=f"{SEARCH_LIMIT:g}")
        headers = self._probe.headers()
        return ask("GET", f"{self._path}{path}", headers=headers, limit=ANSWER_LIMIT, late="store-silent")

    def messages(self, lastn: int) -> list[dict[str, Any]]:
        """Return the newest messages."""
        return list(self.memory(lastn).get("messages") or [])

    def wait(self, last: str, count: int, limit: float, *, summary: bool) -> EnrichmentState:
        """Wait until the last message, with this text, is enriched, and where that is wanted a summary is there.

        limit: seconds. Returns what has come by then. Raises Broken, OutOfTime.
        """
        come = EnrichmentState(summary=not summary)

        def refresh() -> None:
            self._refresh(come, last, count)
            assert come.complete

        with contextlib.suppress(AssertionError):  # what has not come is for the caller to say
            eventually(refresh, limit)
        return come

    def _refresh(self, come: EnrichmentState, last: str, count: int) -> None:
        """Note what has come since."""
        if not come.found:
            answer = self._ask("POST", f"/search?limit={count}", {"text": last})
            results = answer.json() if answer is not None and answer.status == 200 else None
            come.refusal = answer.text if answer is not None and answer.status != 200 else come.refusal
            come.found = isinstance(results, list) and any(last == _content(result) for result in results)
        memory = self.memory(count)
        newest = [one for one in memory.get("messages") or [] if one.get("content") == last]
        system = ((newest[0].get("metadata") or {}).get("system") or {}) if newest else {}
        come.entities, come.intent = "entities" in system, "intent" in system
        come.summary = come.summary or bool((memory.get("summary") or {}).get("content"))

    def remove(self) -> None:
        """Remove it; what can't be removed is noted."""
        answer = None
        limit = THAW_LIMIT if self._is_frozen else REMOVAL_LIMIT
        self._case.budget.spare(limit)
        with contextlib.suppress(Broken, TimeUp):
            answer = self._ask("DELETE", "/memory", limit=limit)
        if answer is not None and answer.status in (200, 404):
            return
        why = "no answer" if answer is None else f"{answer.status} {answer.text}"
        self._case.report("left-behind", what=f"Zep's session {self.name}", answer=why)


def _content(result: Any) -> str | None:
    message = result.get("message") if isinstance(result, dict) else None
    return message.get("content") if isinstance(message, dict) else None


def write(case: Case, probe: ZepProbe, prefix: str, window: int) -> None:
    """Write a window full of messages, wait for their enrichment, and remove them. Raises Broken, OutOfTime.

    window: messages that bring a summary.
    """
    texts = [f"Message {number} of {window} of the examination {prefix}" for number in range(1, window + 1)]
    session = ProbeSession(case, probe, f"{prefix}-doctor")
    try:
        session.write(texts)
        kept = len(session.messages(window))
        if kept < window:
            case.fail("write-lost", found=kept, count=window)
        case.ok("store", f"{window} messages written and read")
        came = session.wait(texts[-1], window, ENRICH_LIMIT, summary=True)
        _conclude(case, came, window)
    finally:
        session.remove()


def _conclude(case: Case, came: EnrichmentState, window: int) -> None:
    limit = f"{ENRICH_LIMIT:g}"
    if came.found:
        case.ok("NLP", "a message was embedded and found")
    elif came.refusal:
        code = code_of(came.refusal, "search") or "search-odd-answer"
        case.report(code, status=500, answer=case.quoted(came.refusal))
    elif came.entities:
        case.report("embedding-width", answer="a message's entities came, and its embedding never did")
    else:
        case.report("not-enriched", limit=limit)
    if came.summary and came.intent:
        case.ok("model", "a summary and an intent came")
    elif came.summary:
        case.report("intent-missing", limit=limit)
    elif came.intent:
        case.report("summary-missing", count=window, limit=limit)
    else:
        case.report("not-summarised", count=window, limit=limit)
