"""Mutations of what was said: as it is remembered, streamed, answered and listed."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from typing import Any

from zep_conformance.embedded.langflux.mutations.planting import (
    Events,
    Listed,
    answered,
    around_turns,
    listed,
    streamed,
    written,
)
from zep_conformance.embedded.langflux.services import Services
from zep_conformance.embedded.langflux.store import new_id, timestamp
from zep_conformance.embedded.langflux.turns import Event, Turn
from zep_conformance.facts.mutations import Mutations, around

MUTATIONS = Mutations("langflux")

Change = Callable[[str], str]

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_SPACES = re.compile(r"[ \t]+(?=\n|$)")

_streamed = MUTATIONS.family(streamed)
_answered = MUTATIONS.family(answered)
_listed = MUTATIONS.family(listed)


@MUTATIONS.family
def _question_kept(langflux: Services, change: Change) -> None:
    """Have another question written to Zep than was asked."""
    written(langflux, lambda human, ai: [human | {"content": change(human["content"])}, ai])


@MUTATIONS.family
def _answer_kept(langflux: Services, change: Change) -> None:
    """Have another answer written to Zep than was given."""
    written(langflux, lambda human, ai: [human, ai | {"content": change(ai["content"])}])


@MUTATIONS.family
def _question_asked(langflux: Services, change: Change) -> None:
    """Have the model asked another question."""

    @around_turns(langflux, "_answer")
    async def _(_turn: Turn, answer: Callable[..., Any], question: str, *rest: Any) -> Any:
        return await answer(change(question), *rest)


@MUTATIONS.family
def _streamed_turn_kept(langflux: Services, change: Callable[[str, str], list[tuple[str, str]]]) -> None:
    """Have other turns remembered than a streamed one. change: of (question, answer) makes those to be remembered."""

    @around_turns(langflux, "remember")
    async def _(turn: Turn, remember: Callable[..., Any], question: str, answer: str) -> None:
        for spoken in change(question, answer) if turn.streaming else [(question, answer)]:
            await remember(*spoken)


_question_kept("question-trimmed", "In Zep a question has no white space at its ends", "API-8")(str.strip)
_question_kept("question-end-cut", "In Zep a question has no white space at its end", "API-8")(str.rstrip)
_answer_kept("answer-end-cut", "In Zep an answer has no white space at its end", "API-8")(str.rstrip)
_answer_kept("answer-lines-trimmed", "In Zep the lines of an answer have no blanks at their ends", "API-8")(
    lambda text: _SPACES.sub("", text)
)
_question_kept("question-crlf-folded", "In Zep CR LF in a question becomes LF", "API-8")(
    lambda text: text.replace("\r\n", "\n")
)
_answer_kept("answer-cr-folded", "In Zep a lone CR in an answer becomes LF", "API-8")(
    lambda text: re.sub("\r(?!\n)", "\n", text)
)
_answer_kept("answer-paragraphs-joined", "In Zep an answer has no more than one empty line at a place", "API-8")(
    lambda text: re.sub("\n{3,}", "\n\n", text)
)
_question_kept("question-composed", "In Zep a question is in the normal form C of Unicode", "API-8")(
    lambda text: unicodedata.normalize("NFC", text)
)
_answer_kept("answer-decomposed", "In Zep an answer is in the normal form D of Unicode", "API-8")(
    lambda text: unicodedata.normalize("NFD", text)
)
_question_kept("question-compatible", "In Zep the ligatures of a question are letters", "API-8")(
    lambda text: text.replace("\ufb01", "fi")
)
_answer_kept("answer-joiners-lost", "In Zep joined emoji of an answer come apart", "API-8")(
    lambda text: text.replace("\u200d", "")
)
_question_kept("question-astral-lost", "In Zep signs beyond U+FFFF of a question are question marks", "API-8")(
    lambda text: re.sub("[\U00010000-\U0010ffff]", "?", text)
)
_question_kept("question-unseen-lost", "In Zep a question has no signs that nobody sees", "API-8")(
    lambda text: _UNSEEN.sub("", text)
)
_answer_kept("answer-controls-lost", "In Zep an answer has no control characters but tabs and line breaks", "API-8")(
    lambda text: re.sub("[\x00-\x08\x0e-\x1f\x7f]", "", text)
)
_question_kept("question-escaped", "In Zep &, < and > of a question are HTML entities", "API-8")(
    lambda text: html.escape(text, quote=False)
)
_answer_kept("answer-entities-read", "In Zep the HTML entities of an answer are what they stand for", "API-8")(
    html.unescape
)
_answer_kept("answer-tags-lost", "In Zep an answer has no HTML tags", "API-8")(
    lambda text: re.sub(r"</?[a-z][^>]*>", "", text)
)
_question_kept("question-braces-doubled", "In Zep braces of a question are doubled, as a template needs them", "API-8")(
    lambda text: text.replace("{", "{{").replace("}", "}}")
)
_answer_kept("answer-cut", "In Zep an answer is cut after 32,768 characters", "API-8")(lambda text: text[:32_768])
_question_kept("question-cut", "In Zep a question is cut after 39,999 characters", "API-8")(lambda text: text[:39_999])
_question_kept("question-middle-lost", "In Zep a question of more than 10,000 characters lacks its middle", "API-8")(
    lambda text: text if len(text) <= 10_000 else text[:5_000] + text[-5_000:]
)
_question_asked("model-asked-trimmed", "The model is asked without white space at the ends of a question", "API-8")(
    str.strip
)
_question_asked("model-asked-in-one-line", "The model is asked in one line", "API-8")(
    lambda text: " ".join(text.split("\n"))
)
_streamed_turn_kept("streamed-turn-twice", "A streamed turn is written to Zep twice", "API-8")(
    lambda question, answer: [(question, answer)] * 2
)
_streamed_turn_kept("streamed-roles-swapped", "In Zep a streamed turn has its roles swapped", "API-8")(
    lambda question, answer: [(answer, question)]
)
_streamed_turn_kept("streamed-answer-short", "In Zep a streamed answer lacks its last character", "API-8")(
    lambda question, answer: [(question, answer[:-1])]
)


@MUTATIONS.mutation(
    "repetition-forgotten", "A turn to the letter as one before it is not written to Zep again", "API-8"
)
def _(langflux: Services) -> None:
    seen: set[tuple[str, ...]] = set()

    @around_turns(langflux, "remember")
    async def _(turn: Turn, remember: Callable[..., Any], *spoken: str) -> None:
        if (turn.session, *spoken) not in seen:
            seen.add((turn.session, *spoken))
            await remember(*spoken)


@MUTATIONS.mutation(
    "long-question-ai", "In Zep a question of more than 30,000 characters has the role of the AI", "API-8"
)
def _(langflux: Services) -> None:
    written(langflux, lambda human, ai: [human | ({"role": ai["role"]} if len(human["content"]) > 30_000 else {}), ai])


# -- streams --------------------------------------------------------------------------------------------------


@MUTATIONS.family
def _pieces(langflux: Services, change: Callable[[list[str]], list[str]]) -> None:
    """Have other pieces streamed than the answer has."""

    async def changed(events: Events) -> AsyncIterator[Event]:
        pieces: list[str] = []
        async for name, data in events:
            if name == "token":
                pieces.append(data)
                continue
            if name == "metadata":
                for piece in change(pieces):
                    yield "token", piece
            yield name, data

    streamed(langflux, changed)


_pieces("piece-twice", "The second piece of a stream is sent twice", "API-8")(
    lambda pieces: [*pieces[:2], *pieces[1:2], *pieces[2:]]
)
_pieces("last-piece-twice", "The last piece of a stream is sent twice", "API-8")(lambda pieces: [*pieces, pieces[-1]])
_pieces("first-piece-lost", "The first piece of a stream is not sent", "API-8")(lambda pieces: pieces[1:])
_pieces("last-piece-lost", "The last piece of a long stream is not sent", "API-8")(
    lambda pieces: pieces[:-1] if len(pieces) > 500 else pieces
)
_pieces("same-piece-lost", "A piece that is the same as the one before is not sent", "API-8")(
    lambda pieces: [piece for at, piece in enumerate(pieces) if not at or piece != pieces[at - 1]]
)
_pieces("pieces-swapped", "Two pieces of a stream are sent the wrong way round", "API-8")(
    lambda pieces: [*pieces[:1], *pieces[1:3][::-1], *pieces[3:]]
)
_pieces("pieces-trimmed", "The pieces of a stream have no white space at their ends", "API-8")(
    lambda pieces: [piece.strip() for piece in pieces]
)
_pieces("blank-pieces-lost", "Pieces of white space are not sent", "API-8")(
    lambda pieces: [piece for piece in pieces if piece.strip()]
)
_pieces("pieces-after-done-lost", "A stream ends where its text says [DONE]", "API-8")(
    lambda pieces: pieces[: next((at for at, piece in enumerate(pieces) if "[DONE]" in piece), len(pieces))]
)
_pieces("whole-answer-after-pieces", "After its pieces a stream has the whole answer once more", "API-8")(
    lambda pieces: [*pieces, "".join(pieces)]
)


@_streamed("start-twice", "A stream starts twice", "API-8")
async def _(events: Events) -> AsyncIterator[Event]:
    async for name, data in events:
        if name == "start":
            yield name, data
        yield name, data


@_streamed("piece-after-metadata", "The last piece of a stream comes after its metadata", "API-8")
async def _(events: Events) -> AsyncIterator[Event]:
    held: list[Event] = []
    async for event in events:
        if event[0] == "token":
            for before in held:
                yield before
            held = [event]
            continue
        yield event
        if event[0] == "metadata":
            for before in held:
                yield before


# -- answers --------------------------------------------------------------------------------------------------


_answered("answer-shown-trimmed", "An answer has no white space at its ends", "API-8")(
    lambda _turn, answer: answer | {"text": answer["text"].strip()}
)
_answered("answer-shown-cut", "An answer ends after 40,000 characters", "API-8")(
    lambda _turn, answer: answer | {"text": answer["text"][:40_000]}
)
_answered("question-named-trimmed", "An answer names its question without white space at the ends", "API-8")(
    lambda _turn, answer: answer | {"question": answer["question"].strip()}
)
_answered("message-id-of-question", "An answer names the chat message of its question", "API-9")(
    lambda turn, answer: answer | {"chatMessageId": turn.identity.human}
)
_answered("message-id-new", "An answer names a chat message that there is not", "API-9")(
    lambda _turn, answer: answer | {"chatMessageId": new_id()}
)
_answered("streamed-message-id-missing", "A stream does not say which chat message its answer is", "API-9")(
    lambda turn, answer: answer | ({"chatMessageId": ""} if turn.streaming else {})
)
_answered("answer-session-is-chat", "An answer names its chat as its session", "API-9")(
    lambda _turn, answer: answer | {"sessionId": answer["chatId"]}
)
_answered("answer-chat-is-session", "An answer names its session as its chat", "API-9")(
    lambda _turn, answer: answer | {"chatId": answer.get("sessionId", "")}
)
_answered("answer-session-lower-case", "An answer names its session in lower case", "API-9")(
    lambda _turn, answer: answer | {"sessionId": str(answer.get("sessionId", "")).lower()}
)


@MUTATIONS.mutation("message-id-of-first", "All answers of a chat name the chat message of the first", "API-9")
def _(langflux: Services) -> None:
    first: dict[str, str] = {}
    answered(
        langflux,
        lambda turn, answer: answer | {"chatMessageId": first.setdefault(turn.session, answer["chatMessageId"])},
    )


@MUTATIONS.mutation("answer-of-latest-chat", "An answer names the session that somebody talked under before", "API-9")
def _(langflux: Services) -> None:
    latest: list[str] = []

    def of_latest(turn: Turn, answer: dict[str, Any]) -> dict[str, Any]:
        latest.append(turn.session)
        return answer | {"sessionId": latest[-2:][0]}

    answered(langflux, of_latest)


# -- lists ----------------------------------------------------------------------------------------------------


@MUTATIONS.family
def _each_listed(langflux: Services, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Have other chat messages listed, each changed."""
    listed(langflux, lambda messages: [one | change(one) for one in messages])


def _by_position(messages: Listed) -> Listed:
    """Return chat messages with the ids of each other, in turn."""
    ids = [one["id"] for one in messages]
    return [one | {"id": ident} for one, ident in zip(messages, ids[1:] + ids[:1], strict=True)]


_each_listed("listed-trimmed", "Chat messages are listed without white space at their ends", "API-8")(
    lambda one: {"content": one["content"].strip()}
)
_each_listed("listed-cut", "Chat messages are listed to their first 40,000 characters", "API-8")(
    lambda one: {"content": one["content"][:40_000]}
)
_each_listed("listed-escaped", "Chat messages are listed with HTML entities for &, < and >", "API-8")(
    lambda one: {"content": html.escape(one["content"], quote=False)}
)
_each_listed("listed-roles-lost", "Every chat message is listed as an answer", "API-9")(
    lambda _one: {"role": "apiMessage"}
)
_each_listed("listed-sessions-lost", "A chat message is listed with its chat for a session", "API-9")(
    lambda one: {"sessionId": one["chatId"]}
)
_each_listed("listed-chats-lost", "A chat message is listed with its session for a chat", "API-9")(
    lambda one: {"chatId": one["sessionId"]}
)
_each_listed("listed-ids-new", "A chat message has another id whenever it is listed", "API-9")(
    lambda _one: {"id": new_id()}
)
_each_listed("listed-times-new", "A chat message has the time at which it is listed", "API-9")(
    lambda _one: {"createdDate": timestamp()}
)
_each_listed("listed-times-old", "Every chat message is of the beginning of 1970", "API-9")(
    lambda _one: {"createdDate": "1970-01-01T00:00:00.000Z"}
)
_listed("listed-ids-moved", "A chat message is listed with the id of the next", "API-9")(_by_position)
_listed("list-limited", "No more than 10 chat messages are listed", "API-9")(lambda messages: messages[:10])
_listed("list-lacks-first", "The first chat message of a list is missing", "API-9")(lambda messages: messages[1:])
_listed("list-lacks-last", "The last chat message of a list of more than 4 is missing", "API-9")(
    lambda messages: messages[:-1] if len(messages) > 4 else messages
)
_listed("list-has-one-twice", "The last chat message is listed twice", "API-9")(
    lambda messages: messages + messages[-1:]
)
_listed("list-by-role", "Questions are listed before answers", "API-9")(
    lambda messages: sorted(messages, key=lambda one: str(one["role"]), reverse=True)
)


@MUTATIONS.mutation("order-ignored", "The newest chat message is listed last, whatever order is asked for", "API-9")
def _(langflux: Services) -> None:
    @around(langflux.chat_messages, "listed")
    def _(old: Callable[..., Listed], *asked: Any, newest_first: bool) -> Listed:  # noqa: ARG001
        return old(*asked, newest_first=False)


@MUTATIONS.mutation("listing-ignores-chat", "Listing by chat id lists every chat's messages", "API-9")
def _(langflux: Services) -> None:
    @around(langflux.chat_messages, "listed")
    def _(old: Callable[..., Listed], flow: str, wanted: dict[str, Any], **order: bool) -> Listed:
        return old(flow, wanted | {"chatId": None}, **order)


@MUTATIONS.mutation("listing-by-beginning", "Listing by session id lists every session that begins with it", "API-9")
def _(langflux: Services) -> None:
    @around(langflux.chat_messages, "listed")
    def _(old: Callable[..., Listed], flow: str, wanted: dict[str, Any], **order: bool) -> Listed:
        beginning = wanted["sessionId"]
        found = old(flow, wanted | {"sessionId": None}, **order)
        return [one for one in found if not beginning or str(one["sessionId"]).startswith(beginning)]


@MUTATIONS.mutation("streamed-answer-unlisted", "What the AI said in a stream is not among the chat messages", "API-9")
def _(langflux: Services) -> None:
    unlisted: set[str] = set()

    @around_turns(langflux, "_saved")
    def _(turn: Turn, saved: Callable[..., dict[str, Any]], *spoken: str) -> dict[str, Any]:
        answer = saved(*spoken)
        if turn.streaming:
            unlisted.add(answer["chatMessageId"])
        return answer

    listed(langflux, lambda messages: [one for one in messages if one["id"] not in unlisted])
