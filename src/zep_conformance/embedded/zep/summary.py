"""The summariser: when it is time for a summary, of what, and how the model is asked.

A summary is due when the messages since the newest covered one reach the window. It covers the oldest of
them; the newest half of a window stays as it is. Blank messages don't count (`message_summarizer.go` of Zep).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep.messages import Messages, Text
from zep_conformance.embedded.zep.summaries import Summary

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
    """About how many tokens a text has: a quarter of its UTF-8 bytes, rounded up.

    An approximation, the same everywhere, which needs no vocabulary to be downloaded. Zep counts exactly.
    """
    return (len(text.encode()) + 3) // 4


def as_line(message: Text) -> str:
    """A message as the model reads it; it is also what is counted as its tokens."""
    return f"{message.role}: {message.content}"


def due(messages: Messages, departures: Departures, session_id: str, latest: Summary, window: int) -> list[Text]:
    """The messages that a session's next summary has to cover, oldest first; none if it is not due yet."""
    limit = window if "summary-skips-beyond-window" in departures else -1
    waiting = [one for one in messages.after(session_id, latest.point_id, limit) if one.content.strip()]
    due_at = window - ("summary-early" in departures) + ("summary-late" in departures)
    if len(waiting) < due_at or "summary-never" in departures:
        return []
    if "second-summary-never" in departures and latest.point_id:
        return []
    if "summary-covers-all" in departures:
        return waiting
    return waiting[: len(waiting) - window // 2]


async def summarise(covered: Sequence[Text], previous: str, ask: Callable[[str, int], Awaitable[str]]) -> str:
    """The model's summary of messages, built on the previous one ("" for none); "" if it has nothing to say.

    ask: called with a prompt and the most tokens wanted. Raises what it raises.
    """
    lines: list[str] = []
    tokens = 0
    for message in covered:
        line = as_line(message)
        size = count_tokens(line)
        if lines and tokens + size > _MAX_INPUT:
            previous = await _step(lines, previous, ask)
            lines, tokens = [], 0
        lines.append(line)
        tokens += size
    return await _step(lines, previous, ask)


async def _step(lines: list[str], previous: str, ask: Callable[[str, int], Awaitable[str]]) -> str:
    # Not str.format: what people say has braces in it.
    prompt = _PROMPT.replace("{previous}", previous, 1).rpartition("{lines}")
    return (await ask(prompt[0] + "\n".join(lines) + prompt[2], MAX_TOKENS)).strip()
