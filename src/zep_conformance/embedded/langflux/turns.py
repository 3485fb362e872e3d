"""One turn of a conversation: whose it is, what the model is sent, what is remembered, and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import FlowiseError, script_text
from zep_conformance.embedded.langflux.flow import Flow, FlowError
from zep_conformance.embedded.langflux.model_client import ChatModel, ModelError
from zep_conformance.embedded.langflux.nodes import SYSTEM_MESSAGE
from zep_conformance.embedded.langflux.store import new_id, timestamp
from zep_conformance.embedded.langflux.zep_memory import Message, ZepError

if TYPE_CHECKING:
    from zep_conformance.embedded.langflux.services import Services

OnToken = Callable[[str], None]
Event = tuple[str, Any]
"""Name and data of what a stream sends."""

_NOTHING = ("", None, 0, False)
"""What JavaScript takes for no question."""
_METADATA = ("chatId", "chatMessageId", "question", "sessionId", "memoryType")

# A streamed turn goes on when its reader leaves, so that it is remembered; this keeps it alive.
_RUNNING: set[asyncio.Task[None]] = set()


@dataclass(frozen=True)
class Identity:
    """Whose turn it is. chat, session: as the answer shows them (strings, but for what JSON let through).

    human: the id of the human's chat message.
    """

    chat: Any
    session: Any
    human: str

    @property
    def session_id(self) -> str:
        """The session as text, which is what memory knows it by."""
        return script_text(self.session)


class Identities:
    """Decides under which chat and session a turn is.

    order: whose id is the session's, the first that there is: the request's session id, its chat id, or the Session Id
    of the node.
    """

    def __init__(self, behaviours: Behaviours) -> None:
        self._behaviours = behaviours
        self.order: tuple[str, ...] = ("request", "chat", "node")

    def given(self, body: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return a request's session id and chat id, None for what it has not.

        Raises FlowiseError (400) for a session id that is no string or empty, and a chat id that is no string.
        """
        override = body.get("overrideConfig")
        session = override.get("sessionId") if isinstance(override, dict) else None
        chat = body.get("chatId")
        if "session-id-unchecked" in self._behaviours:
            return session, chat
        if session is not None and (not isinstance(session, str) or not session):
            raise FlowiseError("overrideConfig.sessionId must be a string that is not empty", 400)
        if chat is not None and not isinstance(chat, str):
            raise FlowiseError("chatId must be a string", 400)
        return session, chat or None

    def identity(self, flow: Flow, body: Mapping[str, Any], *, streaming: bool) -> Identity:
        """Return whose turn a request asks for; without any id that of the human's chat message is all of them.

        Raises FlowiseError, see `given`.
        """
        given, chat = self.given(body)
        human = new_id()
        made = new_id() if "session-is-chat-id" in self._behaviours else human
        chat_id = next((ident for ident in (chat, given) if ident is not None), made)
        if streaming and not chat and "stream-ignores-node-session" in self._behaviours:
            chat = chat_id
        ids = {"request": given, "chat": chat, "node": flow.memory.input("sessionId")}
        session = next((ids[whose] for whose in self.order if ids[whose]), chat_id)
        return Identity(chat=chat_id, session=session, human=human)


class Turn:
    """A request to a chatflow, ready to be run.

    identity: whose turn it is. session: what memory knows the conversation by; under "" nothing is remembered.
    Raises FlowiseError when no run would change what is wrong with the request (see `Identities.given`), FlowError
    when the flow can't be run.
    """

    def __init__(
        self, services: Services, chatflow: Mapping[str, Any], body: Mapping[str, Any], *, streaming: bool
    ) -> None:
        self._services, self.streaming = services, streaming
        self.flow_id = str(chatflow["id"])
        self.flow = flows.runnable_flow(chatflow["flowData"])
        self.question = body.get("question")
        self._asked = script_text(self.question) if "question" in body else "undefined"
        self.identity = services.identities.identity(self.flow, body, streaming=streaming)
        self.session = self.identity.session_id

    async def run(self, on_token: OnToken | None = None) -> dict[str, Any]:
        """Answer, remember, and return the answer's fields. on_token: takes the answer's pieces as they come.

        Raises FlowiseError (500) when a part fails; then nothing is saved here.
        """
        started = timestamp()
        try:
            question = self._question()
            history = await self.recall()
            answer = await self._answer(question, history, on_token)
            if self.question in _NOTHING:
                raise FlowError("input values have 1 keys, you must specify an input key or pass only 1 key as input")
            await self.remember(question, answer)
            if isinstance(self.question, int | float):
                kind = "boolean" if isinstance(self.question, bool) else "number"
                raise FlowError(f"Cannot create property 'additional_kwargs' on {kind} '{question}'")
        except (FlowError, ZepError, ModelError) as error:
            raise FlowiseError(f"Error: predictionsServices.buildChatflow - {error}") from error
        return self._saved(question, answer, started)

    async def events(self) -> AsyncIterator[Event]:
        """Run it, and yield what a stream sends of it: start, token…, metadata (or error), end."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        task = asyncio.create_task(self._run_into(queue))
        _RUNNING.add(task)
        task.add_done_callback(_RUNNING.discard)
        while (event := await queue.get()) is not None:
            yield event

    async def recall(self) -> list[Message]:
        """Return what the model is sent of the past. Raises ZepError."""
        return await self._services.memory(self.flow.memory).load(self.session)

    async def remember(self, question: str, answer: str) -> None:
        """Write both sides of the turn to memory. Raises ZepError when Zep did not take them."""
        await self._services.memory(self.flow.memory).save(self.session, question=question, answer=answer)

    async def _run_into(self, queue: asyncio.Queue[Event | None]) -> None:
        """Run it and put its events on the queue, None at the end."""
        started = False

        def on_token(piece: str) -> None:
            nonlocal started
            if not started:
                queue.put_nowait(("start", ""))
                started = True
            queue.put_nowait(("token", piece))

        try:
            answer = await self.run(on_token)
            queue.put_nowait(("metadata", {name: answer[name] for name in _METADATA if answer.get(name)}))
        except FlowiseError as refused:
            queue.put_nowait(("error", refused.message))
        except Exception as unforeseen:
            queue.put_nowait(("error", f"Internal error ({type(unforeseen).__name__})"))
            raise
        finally:
            queue.put_nowait(("end", "[DONE]"))
            queue.put_nowait(None)

    def _question(self) -> str:
        """Return what the model is asked. Raises FlowError, unless it is found out later that it is no question."""
        if "question-checked-late" in self._services.behaviours:
            return self._asked
        if not isinstance(self.question, str) or not self.question:
            raise FlowError("the question must be a string that is not empty")
        return self.question

    async def _answer(self, question: str, history: list[Message], on_token: OnToken | None) -> str:
        """Return the model's answer to system message, history and question."""
        key = self._services.credentials.secret(self.flow.model, "openAIApiKey")
        model = ChatModel(self._services.http, self.flow.model.inputs, key)
        system = self.flow.ending.input("systemMessagePrompt") or SYSTEM_MESSAGE
        messages = [{"role": "system", "content": system}, *history, {"role": "user", "content": question}]
        if on_token is None:
            return await model.complete(messages)
        answer = ""
        async for piece in model.stream(messages):
            on_token(piece)
            answer += piece
        return answer

    def _saved(self, question: str, answer: str, started: str) -> dict[str, Any]:
        """Save both chat messages and return the answer's fields."""
        identity = self.identity
        common = {
            "chatflowid": self.flow_id,
            "chatId": script_text(identity.chat),
            "memoryType": self.flow.memory.label,
            "sessionId": identity.session_id,
        }
        message_id = new_id()
        human = {"id": identity.human, "role": "userMessage", "content": question, "createdDate": started}
        ai = {"id": message_id, "role": "apiMessage", "content": answer, "createdDate": timestamp()}
        self._services.store.add_messages([human | common, ai | common])
        fields = {
            "text": answer,
            "question": question,
            "chatId": identity.chat,
            "chatMessageId": message_id,
            "isStreamValid": self.streaming,
        }
        if identity.session:
            fields["sessionId"] = identity.session
        return fields | {"memoryType": self.flow.memory.label}
