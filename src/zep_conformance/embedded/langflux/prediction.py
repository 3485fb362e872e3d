"""One prediction: whose conversation it is, what the model is sent, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.langflux import flow as flows
from zep_conformance.embedded.langflux.answers import Refusal, read_json, script_text
from zep_conformance.embedded.langflux.flow import Flow, FlowError, Node
from zep_conformance.embedded.langflux.model_client import ChatModel, ModelError
from zep_conformance.embedded.langflux.nodes import SYSTEM_MESSAGE
from zep_conformance.embedded.langflux.settings import Shared
from zep_conformance.embedded.langflux.spoiling import memory_key, spoilt_turn
from zep_conformance.embedded.langflux.store import new_id, now
from zep_conformance.embedded.langflux.zep_client import ZepClient, ZepError

Message = dict[str, str]
OnToken = Callable[[str], None]

_LATEST: dict[str, str] = {}  # by chatflow, the session of the turn that began last: what mixes users up


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


def _override(body: Mapping[str, Any]) -> Mapping[str, Any]:
    override = body.get("overrideConfig")
    return override if isinstance(override, dict) else {}


def identify(
    shared: Shared, flow: Flow, flow_id: str, body: Mapping[str, Any], *, internal: bool, streaming: bool
) -> Identity:
    """Decide chat and session id: the request's sessionId, else its chatId, else the node's Session Id, else
    new.

    The first two count only for outside callers: the web page has none but chat ids of its own making.
    Raises Refusal (400) for a sessionId that is no string or empty.
    """
    departures = shared.departures
    given, chat = _override(body).get("sessionId"), body.get("chatId")
    if "session-id-unchecked" not in departures:
        if given is not None and (not isinstance(given, str) or not given):
            status = 500 if "empty-session-id-500" in departures else 400
            raise Refusal("overrideConfig.sessionId must be a string that is not empty", status)
        if chat is not None and not isinstance(chat, str):
            raise Refusal("chatId must be a string", 400)
        chat = chat or None
    human = new_id()
    if "override-ignored" in departures:
        given = None
    default = new_id() if "session-is-chat-id" in departures else human
    if "nameless-session-shared" in departures:
        default = flow_id
    chat_id = next((ident for ident in (chat, given) if ident is not None), default)
    fixed = flow.session_node.input("sessionId") if flow.session_node else ""
    if not internal:
        if streaming and not chat and "stream-ignores-node-session" in departures:
            chat = chat_id
        session = _first_choice(departures, given, chat, fixed) or chat_id
    elif "session-is-chat-id" in departures:
        session = fixed or chat_id
    else:
        session = fixed or (chat and shared.store.session_of_chat(flow_id, chat)) or human
    return Identity(chat_id, session, human)


def _first_choice(departures: Departures, given: Any, chat: Any, fixed: str) -> Any:
    """The session of an outside caller: the request's session id, its chat id, or the node's Session Id."""
    if "node-session-first" in departures:
        return fixed or given or chat
    if "chat-id-first" in departures:
        return chat or given or fixed
    if "chat-id-ignored" in departures:
        return given or fixed
    return given or chat or ("" if "node-session-ignored" in departures else fixed)


def zep_of(shared: Shared, node: Node) -> ZepClient:
    """The Zep of a Zep Memory node, with its credential's token. Raises ZepError for a wrong Base URL."""
    token = "" if "credential-ignored" in shared.departures else secret(shared, node, "apiKey")
    return ZepClient(shared.http, node.input("baseURL"), token, shared.departures)


def secret(shared: Shared, node: Node, field: str) -> str:
    """A field of the credential that a node has selected; "" where it has none."""
    credential = shared.store.credential(node.credential) if node.credential else None
    if credential is None and "any-credential-used" in shared.departures:
        fitting = (one for one in shared.store.credentials() if field in shared.vault.decrypt(one["encryptedData"]))
        credential = next(fitting, None)
    return str(shared.vault.decrypt(credential["encryptedData"]).get(field) or "") if credential else ""


class ZepMemory:
    """The memory of a Zep Memory node, for one session of a chatflow."""

    def __init__(self, shared: Shared, node: Node, flow_id: str, session: str) -> None:
        self._departures, self._node = shared.departures, node
        self._session = memory_key(shared.departures, flow_id, session)
        self._zep = zep_of(shared, node)

    def _size(self) -> int | None:
        """How many messages are read; None (Zep decides) where the node's Size is empty or no number."""
        try:
            return int(float(self._node.input("k")))
        except ValueError:
            return None

    async def load(self) -> list[Message]:
        """What the model is sent of the past: the summary as a system message, then the newest messages."""
        await self._zep.connect()
        if "memory-not-read" in self._departures or not self._session:
            return []
        memory = await self._zep.memory(self._session, self._size())
        summary = (memory.get("summary") or {}).get("content")
        sent: list[Message] = [{"role": "system", "content": summary}] if summary else []
        roles = {self._node.input("humanPrefix"): "user", self._node.input("aiPrefix"): "assistant"}
        for message in memory.get("messages") or []:
            if message.get("content"):
                role = str(message.get("role"))
                sent.append({"role": roles.get(role, role), "content": message["content"]})
        return sent

    async def save(self, question: str, answer: str) -> None:
        """Write both sides of the turn. Raises ZepError when Zep did not take them."""
        if not self._session:
            return
        human, ai = self._node.input("humanPrefix"), self._node.input("aiPrefix")
        turn = [{"role": human, "content": question}, {"role": ai, "content": answer}]
        try:
            await self._zep.add(self._session, spoilt_turn(turn, self._departures))
        except ZepError:
            if "failed-write-swallowed" not in self._departures:
                raise

    async def clear(self, session: str) -> None:
        """Delete what Zep remembers under a session."""
        await self._zep.delete(session)


class BufferMemory:
    """The memory of a Buffer Memory node, for one session: the chat messages, which are saved anyhow."""

    def __init__(self, shared: Shared, flow_id: str, session: str) -> None:
        self._store, self._flow_id, self._session = shared.store, flow_id, session

    async def load(self) -> list[Message]:
        """What the model is sent of the past: every chat message of the session."""
        history = self._store.history(self._flow_id, self._session) if self._session else []
        return [{"role": _chat_role(role), "content": content} for role, content in history]

    async def save(self, question: str, answer: str) -> None:
        """Nothing: the prediction saves its chat messages."""


def _chat_role(role: Any) -> str:
    return "user" if role == "userMessage" else "assistant"


def _earlier(history: Any) -> list[Message]:
    """A request's own `history` as messages for the model."""
    found = []
    for one in history if isinstance(history, list) else []:
        if isinstance(one, dict):
            content = one.get("content") or one.get("message")
            if content:
                found.append({"role": _chat_role(one.get("role") or one.get("type")), "content": str(content)})
    return found


def _allowed(chatflow: Mapping[str, Any]) -> dict[str, Any]:
    """By node label, the inputs that a request may override: none unless the chatflow's settings say so."""
    try:
        override = read_json(chatflow["apiConfig"] or "{}").get("overrideConfig") or {}
        nodes = override.get("nodes") if override.get("status") else None
    except (ValueError, AttributeError):
        return {}
    return nodes if isinstance(nodes, dict) else {}


class Prediction:
    """A request to a chatflow, ready to be run. identity: whose turn it is.

    Raises Refusal when the request is one that no run would change (see `identify`), FlowError when the flow
    can't be run.
    """

    def __init__(
        self,
        shared: Shared,
        chatflow: Mapping[str, Any],
        body: Mapping[str, Any],
        *,
        internal: bool,
        streaming: bool,
    ) -> None:
        self._shared, self._body, self._internal, self._streaming = shared, body, internal, streaming
        self._flow_id = str(chatflow["id"])
        flow = flows.parse(chatflow["flowData"])
        self.identity = identify(shared, flow, self._flow_id, body, internal=internal, streaming=streaming)
        given, allowed = _override(body), _allowed(chatflow)
        self._ending = flows.overridden(flow.ending, given, allowed)
        self._model = flows.overridden(flow.model, given, allowed)
        self._memory = flows.overridden(flow.memory, given, allowed)
        self._memory_type = flow.session_node.label if flow.session_node else ""

    async def run(self, on_token: OnToken | None = None) -> dict[str, Any]:
        """Answer, remember, and return what the caller is told. on_token: takes the answer's pieces as they
        come.

        Raises Refusal (500) when a part fails; then nothing is saved here.
        """
        try:
            return await self._run(on_token)
        except (FlowError, ZepError, ModelError) as error:
            departures, reason = self._shared.departures, str(error)
            if isinstance(error, ZepError) and "refusal-hidden" in departures:
                return {"text": "Sorry, something went wrong", "chatId": self.identity.chat}
            if "refusal-unexplained" in departures:
                reason = "Internal Server Error"
            if "token-in-error" in departures:
                reason += f" ({secret(self._shared, self._memory, 'apiKey')})"
            raise Refusal(f"Error: predictionsServices.buildChatflow - {reason}") from error

    async def _run(self, on_token: OnToken | None) -> dict[str, Any]:
        started = now()
        question = self._question()
        session, departures = self.identity.session_id, self._shared.departures
        _LATEST[self._flow_id] = session
        memory = self._remembering(session)
        try:
            history = await memory.load()
        except ZepError:
            if "memory-kept-locally" not in departures:
                raise
            memory = BufferMemory(self._shared, self._flow_id, session)
            history = await memory.load()
        if not history and "new-session-clears-last" in departures:
            await self._clear_last(memory)
        if on_token is not None and "stream-without-memory" in departures:
            history = []
        model = ChatModel(self._shared.http, self._model.inputs, secret(self._shared, self._model, "openAIApiKey"))
        messages = self._messages(question, history)
        if on_token is None:
            answer = await model.complete(messages)
        else:
            answer = ""
            async for piece in model.stream(messages):
                on_token(piece)
                answer += piece
        if "users-mixed" in departures:
            memory = self._remembering(_LATEST[self._flow_id])
        if on_token is None or "streamed-turn-forgotten" not in departures:
            await memory.save(question, answer)
        return self._saved(question, answer, started)

    def _remembering(self, session: str) -> ZepMemory | BufferMemory:
        """The flow's memory of a session."""
        if self._memory.name == "ZepMemory":
            return ZepMemory(self._shared, self._memory, self._flow_id, session)
        return BufferMemory(self._shared, self._flow_id, session)

    async def _clear_last(self, memory: ZepMemory | BufferMemory) -> None:
        """Have Zep forget the session of the chatflow's newest chat message."""
        said = self._shared.store.messages(self._flow_id, {})
        if said and isinstance(memory, ZepMemory):
            await memory.clear(said[-1]["sessionId"])

    def _question(self) -> str:
        question = self._body.get("question")
        if not isinstance(question, str) or not question:
            raise FlowError("the question must be a string that is not empty")
        if len(question) > 100_000 and "long-questions-413" in self._shared.departures:
            raise Refusal("request entity too large", 413)
        return question

    def _messages(self, question: str, history: list[Message]) -> list[Message]:
        """What the model is sent: system message, history, question."""
        system = flows.prompt(self._ending.input("systemMessagePrompt") or SYSTEM_MESSAGE, question)
        return [
            {"role": "system", "content": system},
            *_earlier(self._body.get("history")),
            *history,
            {"role": "user", "content": question},
        ]

    def _saved(self, question: str, answer: str, started: str) -> dict[str, Any]:
        """Save both chat messages and return the answer's fields."""
        identity = self.identity
        common = {
            "chatflowid": self._flow_id,
            "chatType": "INTERNAL" if self._internal else "EXTERNAL",
            "chatId": script_text(identity.chat),
            "memoryType": self._memory_type,
            "sessionId": identity.session_id,
        }
        message_id = new_id()
        human = {"id": identity.human, "role": "userMessage", "content": question, "createdDate": started}
        ai = {"id": message_id, "role": "apiMessage", "content": answer, "createdDate": now()}
        self._shared.store.add_messages([human | common, ai | common])
        told = {
            "text": answer,
            "question": question,
            "chatId": identity.chat,
            "chatMessageId": message_id,
            "isStreamValid": self._streaming,
        }
        if identity.session:
            told["sessionId"] = identity.session
        if self._memory_type:
            told["memoryType"] = self._memory_type
        return told
