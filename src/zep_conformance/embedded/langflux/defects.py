"""Defects that can be planted in the embedded LangFlux, to prove that a scenario notices each.

No recorded version has them. `python -m zep_conformance.mutation.runner` plants one after the other.
"""

from __future__ import annotations

from zep_conformance.facts.departures import Departure


def _planted(name: str, about: str, *breaks: str) -> Departure:
    return Departure(name, "langflux", about, breaks)


_MEMORY = (
    _planted("override-ignored", "The session id of a request is ignored", "API-1", "API-4"),
    _planted("human-turn-forgotten", "Only what the AI says is written to Zep", "API-1"),
    _planted("ai-turn-forgotten", "Only what the human says is written to Zep", "API-1"),
    _planted("turn-written-twice", "Every turn is written to Zep twice", "API-1"),
    _planted("roles-swapped", "In Zep the human's words are the AI's, and the other way round", "API-1"),
    _planted("memory-not-read", "Zep is written to and never read", "API-1"),
    _planted("session-id-prefixed", "In Zep a session id has langflux- before it", "API-1"),
    _planted(
        "odd-session-ids-forgotten",
        "Under session ids of other than ASCII letters, digits and - . _ nothing is remembered",
        "SESSION-2",
        "API-1",
    ),
    _planted("empty-session-id-500", "An empty session id is answered 500", "API-1"),
    _planted("users-mixed", "Turns that happen at the same time land in each other's sessions", "API-2"),
    _planted("memory-per-chatflow", "All users of a chatflow share one memory", "API-2", "API-3"),
    _planted("timestamp-ignored", "A session id is cut at its last dash", "API-3"),
    _planted("new-session-clears-last", "A new conversation clears the one before it in the chatflow", "API-3"),
    _planted("chat-id-first", "A request's chat id goes before its session id", "API-4"),
    _planted("chat-id-ignored", "A request's chat id does not count", "API-4"),
    _planted("node-session-first", "The node's Session Id goes before the request's ids", "API-4"),
    _planted("node-session-ignored", "The node's Session Id does not count", "API-4"),
    _planted("long-questions-413", "Questions of more than 100,000 characters are answered 413", "API-7"),
    _planted(
        "nameless-session-shared",
        "Without a session id the chatflow's id is the session id, for everybody and for good",
        "UI-5",
    ),
)

_STREAMS = (
    _planted("streamed-turn-forgotten", "A streamed turn is not written to Zep", "API-5"),
    _planted("stream-without-memory", "For a streamed answer Zep is not read", "API-5"),
    _planted("stream-in-one-piece", "A stream's answer comes in one piece", "API-5"),
    _planted("stream-without-start", "A stream has no start event", "API-5"),
    _planted("stream-without-metadata", "A stream has no metadata event", "API-5"),
    _planted("stream-without-end", "A stream has no end event", "API-5"),
)

_CHAT_MESSAGES = (
    _planted("listing-ignores-session", "Listing by session id lists every session's chat messages", "API-6"),
    _planted("listing-reversed", "Chat messages are listed in the wrong order", "API-6"),
    _planted("listing-lacks-answers", "What the AI said is not listed", "API-6"),
    _planted("clear-keeps-chat-messages", "Deleting chat messages is acknowledged and not done", "API-6", "UI-5"),
    _planted("clear-keeps-zep", "Deleting chat messages leaves Zep's memory as it was", "API-6"),
    _planted("clear-takes-all", "Deleting chat messages deletes those of everybody in the chatflow", "API-6"),
)

_CREDENTIALS = (
    _planted("credential-ignored", "The token of the node's credential is not sent", "AUTH-4"),
    _planted("any-credential-used", "A node without a credential uses the first that there is", "AUTH-4"),
    _planted("memory-kept-locally", "When Zep refuses, LangFlux remembers by itself", "AUTH-4", "FAULT-3"),
    _planted("refusal-hidden", "When Zep refuses, the prediction is answered 200 with an apology", "AUTH-4", "FAULT-3"),
    _planted("refusal-unexplained", "When Zep refuses, the prediction fails and does not say why", "AUTH-4"),
    _planted("credential-shown", "A fetched credential has its token in clear", "AUTH-5"),
    _planted("credential-in-chatflow", "A fetched chatflow has the tokens of all credentials", "AUTH-5"),
    _planted("token-in-error", "The error of a refused prediction quotes the token", "AUTH-5"),
)

PLANTED: tuple[Departure, ...] = (*_MEMORY, *_STREAMS, *_CHAT_MESSAGES, *_CREDENTIALS)
"""Every defect that can be planted in the embedded LangFlux."""
