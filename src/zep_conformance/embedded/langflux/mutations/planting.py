"""How a mutation is put around the turns and the memories that an embedded LangFlux makes for each request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from zep_conformance.embedded.langflux.services import Services
from zep_conformance.embedded.langflux.turns import Event, Turn
from zep_conformance.embedded.langflux.zep_memory import Message
from zep_conformance.facts.mutations import around

Events = AsyncIterator[Event]
Listed = list[dict[str, Any]]
"""Chat messages as they are shown."""


def each(langflux: Services, made_by: str, change: Callable[[Any], object]) -> None:
    """Have a change made to each object that a method of the services returns: `turn` or `memory`."""

    @around(langflux, made_by)
    def _(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        made = make(*args, **kwargs)
        change(made)
        return made


def around_turns(langflux: Services, method: str) -> Callable[[Callable[..., Any]], None]:
    """Put the decorated function around a method of each turn. It is called with the turn before the old method."""
    return lambda function: each(langflux, "turn", lambda turn: around(turn, method)(partial(function, turn)))


def session(langflux: Services, change: Callable[[Turn], str]) -> None:
    """Have Zep asked with another session id than the turn's."""
    each(langflux, "turn", lambda turn: setattr(turn, "session", change(turn)))


def written(langflux: Services, change: Callable[[Message, Message], list[Message]]) -> None:
    """Have something else written to Zep than what the human and the AI say."""

    async def write(add: Callable[..., Any], session: str, messages: list[Message]) -> None:
        await add(session, change(*messages))

    each(langflux, "memory", lambda memory: around(memory.zep, "add")(write))


def streamed(langflux: Services, change: Callable[[Events], Events]) -> None:
    """Have other events sent than those of the turn."""

    @around_turns(langflux, "events")
    def _(_turn: Turn, events: Callable[[], Events]) -> Events:
        return change(events())


def answered(langflux: Services, change: Callable[[Turn, dict[str, Any]], dict[str, Any]]) -> None:
    """Have a prediction answered with other fields than it has; a stream's metadata are of them."""

    @around_turns(langflux, "run")
    async def _(turn: Turn, run: Callable[..., Any], *args: Any) -> Any:
        return change(turn, await run(*args))


def listed(langflux: Services, change: Callable[[Listed], Listed]) -> None:
    """Have other chat messages listed than those that are there."""
    around(langflux.chat_messages, "listed")(lambda old, *asked, **order: change(old(*asked, **order)))
