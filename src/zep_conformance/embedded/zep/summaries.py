"""Summaries: each covers all messages up to one, and takes the place of the one before.

A summary is due when the messages since the newest covered one reach the window. It covers the oldest of them; the
newest half of a window stays as it is. Blank messages don't count (`message_summarizer.go` of Zep).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import uuid4

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.database import SUMMARY_TOPICS, Enriched
from zep_conformance.embedded.zep.encoding import ZERO_TIME, ZERO_UUID, now, quote
from zep_conformance.embedded.zep.messages import Messages, Text

_COLUMNS = "id, uuid, created_at, content, metadata, token_count, point_id, point_uuid"
_LATEST = f"SELECT {_COLUMNS} FROM summaries WHERE session_id = ? ORDER BY id DESC LIMIT 1"
_INSERT = (
    "INSERT INTO summaries (uuid, session_id, created_at, content, token_count, point_id, point_uuid)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class Summary(NamedTuple):
    """A summary. point_id and point_uuid: the newest message that it covers; metadata: JSON text or None."""

    id: int
    uuid: str
    created_at: str
    content: str
    metadata: str | None
    token_count: int
    point_id: int
    point_uuid: str


NONE = Summary(0, ZERO_UUID, ZERO_TIME, "", None, 0, 0, ZERO_UUID)
"""What a session without a summary has: all zeros, as Zep 0.27.2 answers."""


def render(summary: Summary) -> str:
    """Return a summary as Zep's JSON."""
    metadata = summary.metadata
    extra = f'"metadata":{metadata},' if metadata and metadata != "{}" else ""
    return (
        f'{{"uuid":"{summary.uuid}","created_at":"{summary.created_at}","content":{quote(summary.content)},'
        f'"recent_message_uuid":"{summary.point_uuid}",{extra}"token_count":{summary.token_count}}}'
    )


class Summaries(Enriched):
    """The summaries table."""

    table, embeddings = "summaries", "summary_embeddings"

    def latest(self, session_id: str) -> Summary:
        """Return a session's newest summary, or NONE."""
        row = self._db.execute(_LATEST, (session_id,)).fetchone()
        return NONE if row is None else Summary(*row)

    def get(self, number: int) -> Summary | None:
        """Return the summary with this row id, unless it was deleted."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM summaries WHERE id = ?", (number,)).fetchone()
        return None if row is None else Summary(*row)

    def add(self, session_id: str, content: str, token_count: int, point: Text) -> None:
        """Store a summary covering everything up to `point`, and queue its own tasks. In a transaction.

        Does nothing when that message is gone: the conversation was cleared while the model was thinking.
        """
        if self._db.execute("SELECT 1 FROM messages WHERE id = ?", (point.id,)).fetchone() is None:
            return
        values = (str(uuid4()), session_id, now(), content, token_count, point.id, point.uuid)
        number = self._db.execute(_INSERT, values).lastrowid
        assert number is not None
        self._tasks.add(SUMMARY_TOPICS, session_id, number, number)


MAX_TOKENS = 1024
"""Tokens that the model may answer with."""
_MAX_INPUT = 126_000
"""Tokens of conversation that one call may carry; more is summarised step by step."""

# The first words and the headings are those by which a model server tells a summary prompt of Zep.
_PROMPT = """
Review the Current Content and the New Lines of a conversation below. Write one short summary that keeps
what the Current Content says and adds what the New Lines tell. Where the New Lines tell nothing, repeat the
Current Content.

EXAMPLE
Current summary:
The human asks for a quiet place to read. The AI suggests the city library.
New lines of conversation:
Human: When does it close?
AI: At eight in the evening, on Sundays at five.
New summary:
The human asks for a quiet place to read. The AI suggests the city library, open until eight, on Sundays until
five.
EXAMPLE END

Current summary:
{previous}
New lines of conversation:
{lines}
New summary:
"""


def count_tokens(text: str) -> int:
    """Return about how many tokens a text has: a quarter of its UTF-8 bytes, rounded up.

    An approximation, the same everywhere, which needs no vocabulary to be downloaded. Zep counts exactly.
    """
    return (len(text.encode()) + 3) // 4


def as_line(message: Text) -> str:
    """Return a message as the model reads it; it is also what is counted as its tokens."""
    return f"{message.role}: {message.content}"


class Summariser:
    """Says when a session is due for a summary, and asks the model for it.

    window: messages after which it is due. ask: called with a prompt and the most tokens wanted of the answer.
    due_at, kept: messages, not covered yet, at which a summary is due, and how many of them it leaves as they are.
    """

    def __init__(
        self, *, messages: Messages, behaviours: Behaviours, window: int, ask: Callable[[str, int], Awaitable[str]]
    ) -> None:
        self._messages, self._ask = messages, ask
        self._most = window if "summary-skips-beyond-window" in behaviours else -1
        self.due_at, self.kept = window, window // 2

    def due(self, session_id: str, latest: Summary) -> list[Text]:
        """Return the messages that the next summary has to cover, oldest first; none if it is not due yet."""
        after = self._messages.after(session_id, latest.point_id, self._most)
        waiting = [one for one in after if one.content.strip()]
        return waiting[: len(waiting) - self.kept] if len(waiting) >= self.due_at else []

    async def summarise(self, covered: Sequence[Text], previous: str) -> str:
        """Return the model's summary of messages, built on the previous one ("" for none).

        It is "" if the model has nothing to say. Raises what `ask` raises.
        """
        lines: list[str] = []
        tokens = 0
        for message in covered:
            line = as_line(message)
            size = count_tokens(line)
            if lines and tokens + size > _MAX_INPUT:
                previous = await self._step(lines, previous)
                lines, tokens = [], 0
            lines.append(line)
            tokens += size
        return await self._step(lines, previous)

    async def _step(self, lines: list[str], previous: str) -> str:
        # Not str.format: what people say has braces in it.
        before, _, after = _PROMPT.replace("{previous}", previous, 1).rpartition("{lines}")
        return (await self._ask(before + "\n".join(lines) + after, MAX_TOKENS)).strip()
