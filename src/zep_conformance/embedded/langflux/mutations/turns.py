"""Mutations of turns: whose they are, what is remembered and what is answered; and of credentials that are used."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from weakref import WeakSet

from zep_conformance.embedded.langflux.answers import FlowiseError
from zep_conformance.embedded.langflux.flow import Node
from zep_conformance.embedded.langflux.mutations.planting import (
    answered,
    around_turns,
    each,
    session,
    streamed,
    written,
)
from zep_conformance.embedded.langflux.services import Services
from zep_conformance.embedded.langflux.turns import Event, Turn
from zep_conformance.embedded.langflux.zep_memory import ZepError
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("langflux")

_PLAIN = re.compile(r"[A-Za-z0-9._-]*")

_session = MUTATIONS.family(session)
_written = MUTATIONS.family(written)
_streamed = MUTATIONS.family(streamed)


@MUTATIONS.mutation("override-ignored", "The session id of a request is ignored", "API-1", "API-4")
def override_ignored(langflux: Services) -> None:
    around(langflux.identities, "given")(lambda given, body: (None, given(body)[1]))


_written("human-turn-forgotten", "Only what the AI says is written to Zep", "API-1")(lambda _human, ai: [ai])
_written("ai-turn-forgotten", "Only what the human says is written to Zep", "API-1")(lambda human, _ai: [human])
_written("turn-written-twice", "Every turn is written to Zep twice", "API-1")(lambda human, ai: [human, ai, human, ai])
_written("roles-swapped", "In Zep the human's words are the AI's, and the other way round", "API-1")(
    lambda human, ai: [human | {"role": ai["role"]}, ai | {"role": human["role"]}]
)


@MUTATIONS.mutation("memory-not-read", "Zep is written to and never read", "API-1")
def memory_not_read(langflux: Services) -> None:
    async def read_nothing(*_asked: object) -> dict[str, Any]:
        return {}

    each(langflux, "memory", lambda memory: around(memory.zep, "memory")(read_nothing))


_session("session-id-prefixed", "In Zep a session id has langflux- before it", "API-1")(
    lambda turn: f"langflux-{turn.session}"
)
_session(
    "odd-session-ids-forgotten",
    "Under session ids of other than ASCII letters, digits and - . _ nothing is remembered",
    "SESSION-2",
    "API-1",
)(lambda turn: turn.session if _PLAIN.fullmatch(turn.session) else "")


@MUTATIONS.mutation("empty-session-id-500", "An empty session id is answered 500", "API-1")
def empty_session_id_500(langflux: Services) -> None:
    @around(langflux.identities, "given")
    def given(given: Callable[..., tuple[Any, Any]], body: Any) -> tuple[Any, Any]:
        try:
            return given(body)
        except FlowiseError as refused:
            raise FlowiseError(refused.message, 500) from refused


@MUTATIONS.mutation("users-mixed", "Turns that happen at the same time land in each other's sessions", "API-2")
def users_mixed(langflux: Services) -> None:
    latest: dict[str, str] = {}

    @around_turns(langflux, "recall")
    async def _(turn: Turn, recall: Callable[[], Any]) -> Any:
        latest[turn.flow_id] = turn.session
        return await recall()

    @around_turns(langflux, "remember")
    async def _(turn: Turn, remember: Callable[..., Any], *spoken: str) -> None:
        turn.session = latest[turn.flow_id]
        await remember(*spoken)


_session("memory-per-chatflow", "All users of a chatflow share one memory", "API-2", "API-3")(lambda turn: turn.flow_id)
_session("timestamp-ignored", "A session id is cut at its last dash", "API-3")(
    lambda turn: turn.session.rpartition("-")[0] or turn.session
)


@MUTATIONS.mutation("new-session-clears-last", "A new conversation clears the one before it in the chatflow", "API-3")
def new_session_clears_last(langflux: Services) -> None:
    @around_turns(langflux, "recall")
    async def _(turn: Turn, recall: Callable[[], Any]) -> Any:
        history, messages = await recall(), langflux.store.messages(turn.flow_id, {})
        if messages and not history:
            await langflux.memory(turn.flow.memory).clear([messages[-1]["sessionId"]])
        return history


@MUTATIONS.family
def _order(langflux: Services, order: tuple[str, ...]) -> None:
    """Have a turn's session id looked for in another order."""
    langflux.identities.order = order


_order("chat-id-first", "A request's chat id goes before its session id", "API-4")(("chat", "request", "node"))
_order("chat-id-ignored", "A request's chat id does not count", "API-4")(("request", "node"))
_order("node-session-first", "The node's Session Id goes before the request's ids", "API-4")(
    ("node", "request", "chat")
)
_order("node-session-ignored", "The node's Session Id does not count", "API-4")(("request", "chat"))


@MUTATIONS.mutation("long-questions-413", "Questions of more than 100,000 characters are answered 413", "API-7")
def long_questions_413(langflux: Services) -> None:
    @around_turns(langflux, "run")
    async def _(turn: Turn, run: Callable[..., Any], *args: Any) -> Any:
        if len(str(turn.question)) > 100_000:
            raise FlowiseError("request entity too large", 413)
        return await run(*args)


@MUTATIONS.mutation(
    "nameless-session-shared",
    "Without a session id the chatflow's id is the session id, for everybody and for good",
    "UI-5",
)
def nameless_session_shared(langflux: Services) -> None:
    def share(turn: Turn) -> None:
        made_up = turn.identity.human
        if turn.identity.chat == made_up:
            session = turn.flow_id if turn.identity.session == made_up else turn.identity.session
            turn.identity = replace(turn.identity, chat=turn.flow_id, session=session)
            turn.session = turn.identity.session_id

    each(langflux, "turn", share)


def _without(left_out: str) -> Callable[[AsyncIterator[Event]], AsyncIterator[Event]]:
    """Return what makes a stream lack a kind of event."""

    async def rest(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for name, data in events:
            if name != left_out:
                yield name, data

    return rest


@MUTATIONS.mutation("streamed-turn-forgotten", "A streamed turn is not written to Zep", "API-5")
def streamed_turn_forgotten(langflux: Services) -> None:
    @around_turns(langflux, "remember")
    async def _(turn: Turn, remember: Callable[..., Any], question: str, answer: str) -> None:
        if not turn.streaming:
            await remember(question, answer)


@MUTATIONS.mutation("stream-without-memory", "For a streamed answer Zep is not read", "API-5")
def stream_without_memory(langflux: Services) -> None:
    @around_turns(langflux, "recall")
    async def _(turn: Turn, recall: Callable[[], Any]) -> Any:
        return [] if turn.streaming else await recall()


@_streamed("stream-in-one-piece", "A stream's answer comes in one piece", "API-5")
async def stream_in_one_piece(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    pieces: list[str] = []
    async for name, data in events:
        if name == "metadata":
            yield "token", "".join(pieces)
        if name == "token":
            pieces.append(data)
        else:
            yield name, data


_streamed("stream-without-start", "A stream has no start event", "API-5")(_without("start"))
_streamed("stream-without-metadata", "A stream has no metadata event", "API-5")(_without("metadata"))
_streamed("stream-without-end", "A stream has no end event", "API-5")(_without("end"))


@MUTATIONS.mutation("credential-ignored", "The token of the node's credential is not sent", "AUTH-4")
def credential_ignored(langflux: Services) -> None:
    @around(langflux.credentials, "secret")
    def secret(secret: Callable[..., str], node: Node, field: str) -> str:
        return "" if node.name == "ZepMemory" else secret(node, field)


@MUTATIONS.mutation("any-credential-used", "A node without a credential uses the first that there is", "AUTH-4")
def any_credential_used(langflux: Services) -> None:
    @around(langflux.credentials, "secret")
    def secret(secret: Callable[..., str], node: Node, field: str) -> str:
        fitting = (one["fields"][field] for one in langflux.store.credentials() if field in one["fields"])
        return secret(node, field) or str(next(fitting, ""))


@MUTATIONS.mutation("memory-kept-locally", "When Zep refuses, LangFlux remembers by itself", "AUTH-4", "FAULT-3")
def memory_kept_locally(langflux: Services) -> None:
    roles = {"userMessage": "user", "apiMessage": "assistant"}
    refused: WeakSet[Turn] = WeakSet()

    @around_turns(langflux, "recall")
    async def _(turn: Turn, recall: Callable[[], Any]) -> Any:
        try:
            return await recall()
        except ZepError:
            refused.add(turn)
            kept = langflux.store.messages(turn.flow_id, {"sessionId": turn.session})
            return [{"role": roles[one["role"]], "content": one["content"]} for one in kept]

    @around_turns(langflux, "remember")
    async def _(turn: Turn, remember: Callable[..., Any], *spoken: str) -> None:
        if turn not in refused:
            await remember(*spoken)


@MUTATIONS.mutation("forgets-after-failure", "After a prediction that failed Zep is not read any more", "FAULT-3")
def forgets_after_failure(langflux: Services) -> None:
    failed: set[str] = set()

    @around_turns(langflux, "recall")
    async def _(turn: Turn, recall: Callable[[], Any]) -> Any:
        if turn.session in failed:
            return []
        try:
            return await recall()
        except ZepError:
            failed.add(turn.session)
            raise


@MUTATIONS.mutation(
    "refusal-hidden", "When Zep refuses, the prediction is answered 200 with an apology", "AUTH-4", "FAULT-3"
)
def refusal_hidden(langflux: Services) -> None:
    @around_turns(langflux, "run")
    async def _(turn: Turn, run: Callable[..., Any], *args: Any) -> Any:
        try:
            return await run(*args)
        except FlowiseError as refused:
            if isinstance(refused.__cause__, ZepError):
                return {"text": "Sorry, something went wrong", "chatId": turn.identity.chat}
            raise


def _refuse(langflux: Services, message: Callable[[Turn, str], str]) -> None:
    """Have a prediction that fails say something else."""

    @around_turns(langflux, "run")
    async def _(turn: Turn, run: Callable[..., Any], *args: Any) -> Any:
        try:
            return await run(*args)
        except FlowiseError as refused:
            raise FlowiseError(message(turn, refused.message), refused.status) from refused


@MUTATIONS.mutation("refusal-misnamed", "When Zep refuses, the prediction fails with other words", "AUTH-4")
def refusal_misnamed(langflux: Services) -> None:
    _refuse(langflux, lambda _turn, _message: "Unexpected token < in JSON at position 0")


@MUTATIONS.mutation("first-answer-empty", "Where nothing is remembered the answer is empty", "API-3", "UI-5")
def first_answer_empty(langflux: Services) -> None:
    new: WeakSet[Turn] = WeakSet()

    @around_turns(langflux, "recall")
    async def _(turn: Turn, recall: Callable[[], Any]) -> Any:
        found = await recall()
        if not found:
            new.add(turn)
        return found

    answered(langflux, lambda turn, answer: answer | {"text": ""} if turn in new else answer)


@MUTATIONS.mutation("empty-session-id-404", "An empty session id is answered 404", "API-1")
def empty_session_id_404(langflux: Services) -> None:
    @around(langflux.identities, "given")
    def given(given: Callable[..., tuple[Any, Any]], body: Any) -> tuple[Any, Any]:
        try:
            return given(body)
        except FlowiseError as refused:
            raise FlowiseError(refused.message, 404) from refused


@MUTATIONS.mutation("refusal-unexplained", "When Zep refuses, the prediction fails and does not say why", "AUTH-4")
def refusal_unexplained(langflux: Services) -> None:
    _refuse(langflux, lambda _turn, _message: "Internal Server Error")


_TOLD = {
    "stack-in-error": ("a stack", "Error\n    at Zep.connect (/app/node_modules/flowise/dist/zep.js:42:13)"),
    "query-in-error": ("a database query", 'SELECT "id" FROM "credential" WHERE "id" = $1'),
    "dsn-in-error": ("the database's address and password", "postgres://flowise:9dW-x2Lq@db/flowise"),
}
"""By mutation, what a prediction that fails has in its error, in words and as it is."""


@MUTATIONS.family
def _telling(langflux: Services, told: str) -> None:
    """Have a prediction that fails say something more."""
    _refuse(langflux, lambda _turn, message: f"{message}: {told}")


for _name, (_what, _told) in _TOLD.items():
    _telling(_name, f"The error of a prediction that fails has {_what} in it", "ERRORS-1")(_told)


@MUTATIONS.mutation("query-for-absent-chatflow", "For a chatflow that is not there the query is shown", "ERRORS-1")
def query_for_absent_chatflow(langflux: Services) -> None:
    @around(langflux, "chatflow")
    def chatflow(chatflow: Callable[[str], dict[str, Any]], ident: str) -> dict[str, Any]:
        try:
            return chatflow(ident)
        except FlowiseError as refused:
            query = f"SELECT * FROM chat_flow WHERE id = '{ident}'"
            raise FlowiseError(f"{refused.message} ({query})", refused.status) from refused


@MUTATIONS.mutation("token-in-error", "The error of a refused prediction quotes the token", "AUTH-5", "ERRORS-1")
def token_in_error(langflux: Services) -> None:
    def quoting(turn: Turn, message: str) -> str:
        return f"{message} ({langflux.credentials.secret(turn.flow.memory, 'apiKey')})"

    _refuse(langflux, quoting)
