"""The chat on the canvas: what a person says there, is answered, and clears."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from zep_conformance.clients.page import places
from zep_conformance.clients.page.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Locator


class ChatWindow:
    """The chat of the chatflow whose canvas the visit is at."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def open(self) -> None:
        """Open it, and wait until it can be typed in and shows what was said before."""
        visit = self.visit
        listed = visit.page.expect_response(lambda response: "chatmessage/" in response.url)
        with visit.trying("waiting for the chat's messages"), listed:
            visit.click(places.OPEN_CHAT)
        question = visit.find(places.QUESTION)
        visit.until("the chat can't be typed in", lambda expect: expect(question).to_be_enabled())

    def say(self, text: str) -> str:
        """Say something, and return the chatbot's answer when it is complete."""
        visit = self.visit
        answers = visit.all(places.ANSWERS)
        before = answers.count()
        question = visit.find(places.QUESTION)
        with visit.trying("typing into the chat"):
            question.fill(text)
            question.press("Enter")
        # The field is emptied, and can be typed in again, when the answer has ended.
        visit.until(f"{text!r} is not answered", lambda expect: expect(answers).to_have_count(before + 1))
        visit.until(f"the answer to {text!r} does not end", lambda expect: expect(question).to_have_value(""))
        visit.until(f"after {text!r} the chat can't be typed in", lambda expect: expect(question).to_be_enabled())
        return _beside(answers.last)

    def messages(self) -> list[str]:
        """Return what was said to the chatbot, as the chat shows it."""
        self.visit.find(places.ANSWERS)  # the greeting, which is always there
        return [_beside(picture) for picture in self.visit.all(places.QUESTIONS).all()]

    def clear(self) -> None:
        """Clear the chat history, and confirm it: the chat closes. Raises PageFailed when LangFlux does not take it."""
        visit = self.visit
        question = visit.find(places.QUESTION)

        def ask() -> None:
            visit.click(places.CLEAR_CHAT)
            visit.click(places.CONFIRM_CLEAR, visit.find(places.DIALOG))

        visit.saved_by("clearing", path="/chatmessage/", methods=("DELETE",), ask=ask)
        with visit.trying("waiting for the question whether to clear to go away"):
            places.DIALOG.as_known(visit.page).first.wait_for(state="detached")
        # It fades away. Opened again before it is gone, it would still be the old one, with the old chat's id.
        visit.until("the chat does not close when it is cleared", lambda expect: expect(question).not_to_be_attached())

    def ids(self) -> list[str]:
        """Return the chat id that each question of this visit was sent with, oldest first."""
        sent = (json.loads(heard.sent or "{}") for heard in self.visit.heard if "prediction/" in heard.url)
        return [body.get("chatId", "") for body in sent]


def _beside(picture: Locator) -> str:
    """Return the message that stands beside somebody's picture."""
    return picture.locator("xpath=..").inner_text().strip()
