"""What a person does on LangFlux's page: puts a chatflow together, talks to it, keeps a Zep's token as a credential."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

from zep_conformance.clients.page import places
from zep_conformance.clients.page.places import ZEP_MEMORY
from zep_conformance.clients.page.visit import PageFailed, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ZEP_CREDENTIAL = r"^Zep Memory A[Pp][Ii]$"
"""What the kind of credential is called in the list."""
ROOM = {"width": 330, "height": 480}
"""Pixels that a node like Zep Memory takes at full size, with some air around it."""
_FREE_SPOT = """([width, height]) => {
    const pane = document.querySelector('.react-flow__pane');
    const box = pane.getBoundingClientRect();
    const zoom = new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a;
    const [w, h] = [width * zoom, height * zoom];
    const free = (x, y) => document.elementFromPoint(x, y) === pane;
    for (let y = box.top + 10; y + h < box.bottom; y += 20)
        for (let x = box.left + 10; x + w < box.right; x += 20) {
            let whole = true;
            for (let i = 0; whole && i <= 6; i++)
                for (let j = 0; whole && j <= 6; j++) whole = free(x + w * i / 6, y + h * j / 6);
            if (whole) return [x + 110 - box.left, y + 60 - box.top];
        }
    return null;
}"""
"""A spot on the pane where a node of that size can be dropped without lying on others: a dropped node's corner is 100
to the left of the mouse and 50 above it. Null where there is none at this zoom."""


def open_template(visit: Visit, *names: str) -> None:
    """Open the marketplace's template of one of these names as a new canvas. Raises PageFailed where there is none."""
    visit.open("/marketplaces", places.TEMPLATES)
    visit.click(places.TEMPLATE, text=re.compile("|".join(rf"^{re.escape(name)}$" for name in names)))
    visit.click(places.USE_TEMPLATE)
    visit.find(places.PANE)


class Canvas:
    """The canvas that the visit is at: nodes that are put there, joined, filled in and saved."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def open(self, chatflow: str) -> None:
        """Open the canvas of a saved chatflow, with its nodes."""
        self.visit.open(f"/canvas/{chatflow}", places.NODE)

    def reload(self) -> None:
        """Reload the page, as a browser does."""
        self.visit.reload()
        self.visit.find(places.NODE)

    def node(self, label: str) -> Locator:
        """Return the node with that label (a regular expression). Raises PageFailed when it does not appear."""
        return self.visit.find(places.NODE, text=re.compile(f"^{label}$"))

    def labels(self) -> list[str]:
        """Return the label of every node on the canvas, sorted."""
        self.visit.find(places.NODE)
        nodes = self.visit.all(places.NODE).all()
        return sorted(places.NODE_LABEL.as_known(node).inner_text().strip() for node in nodes)

    def see_joined(self, source: str, target: str) -> None:
        """See that an edge leads from one node to the other. Raises PageFailed when none appears.

        source, target: labels (regular expressions).
        """
        ids = [self.node(label).get_attribute("data-id") for label in (source, target)]
        edge = self.visit.page.get_by_label(f"Edge from {ids[0]} to {ids[1]}", exact=True)
        with self.visit.trying(f"looking for the edge that joins {source} to {target}"):
            edge.wait_for(state="attached")

    def base_url(self) -> str:
        """Return what stands in the Base URL of the Zep Memory node."""
        return self.visit.find(places.BASE_URL, self.node(ZEP_MEMORY)).input_value()

    def remove(self, label: str) -> None:
        """Delete a node, with the button that appears beside it."""
        node = self.node(label)
        with self.visit.trying(f"pointing at the node {label}"):
            node.hover()
        self.visit.click(places.DELETE_NODE)
        with self.visit.trying(f"deleting the node {label}"):
            node.wait_for(state="detached")

    def add(self, label: str, search: str) -> None:
        """Drag a node from the list of nodes to a free spot on the canvas.

        label: a regular expression. search: what to search the list for; up to 1.8.4 that is not the label, but a
        name without blanks.
        """
        visit = self.visit
        visit.click(places.ADD_NODE)
        visit.fill(places.SEARCH_NODES, search)
        listed = visit.find(places.LISTED_NODE, text=re.compile(f"^{label}$"))
        pane = visit.find(places.PANE)
        x, y = self._free_spot()
        visit.still()  # the list unfolds what was found: pressed while it moves, the mouse drags nothing
        with visit.trying(f"dragging {label} from the list to the canvas"):
            listed.drag_to(pane, target_position={"x": x, "y": y})
        self.node(label)

    def _free_spot(self) -> tuple[float, float]:
        """Where a node can be dropped, in pixels from the pane's corner; zooms out until there is room."""
        for _ in range(5):
            found = self.visit.page.evaluate(_FREE_SPOT, [ROOM["width"], ROOM["height"]])
            if found is not None:
                return found[0], found[1]
            self.visit.click(places.ZOOM_OUT)
        raise PageFailed("there is no room for another node on the canvas, however far it is zoomed out")

    def join_memory(self, memory: str, chain: str) -> None:
        """Join a memory's output to the chain's input for it, by dragging from one to the other."""
        source = self.visit.find(places.OUTPUT, self.node(memory))
        target = self.visit.find(places.MEMORY_INPUT, self.node(chain))
        self.visit.still()
        with self.visit.trying(f"dragging from the output of {memory} to the memory input of {chain}"):
            source.drag_to(target)
        self.see_joined(memory, chain)

    def type_base_url(self, url: str) -> None:
        """Type the Base URL of the Zep Memory node."""
        self.visit.fill(places.BASE_URL, url, self.node(ZEP_MEMORY))

    def choose_credential(self, label: str, name: str) -> None:
        """Choose a credential by its name, on the node with that label."""
        chooser = self.visit.find(places.CHOOSE_CREDENTIAL, self.node(label))
        with self.visit.trying(f"typing a credential's name on the node {label}"):
            chooser.fill(name)
        self.visit.click(places.CREDENTIAL_OPTION, text=places.exactly(name))

    def type_base_path(self, label: str, url: str) -> None:
        """Type the model server's URL into the additional parameters of a model's node."""
        self.visit.click(places.MORE_PARAMETERS, self.node(label))
        dialog = self.visit.find(places.DIALOG)
        self.visit.fill(places.BASE_PATH, url, dialog)
        with self.visit.trying("closing the additional parameters"):
            self.visit.page.keyboard.press("Escape")
            dialog.wait_for(state="detached")

    def save(self, name: str = "") -> str:
        """Save the chatflow; returns its id. name: for one that was never saved, which is asked for its name.

        Raises PageFailed when LangFlux does not take it, with its answer.
        """
        visit = self.visit

        def ask() -> None:
            visit.click(places.SAVE)
            if name:
                dialog = visit.find(places.DIALOG)
                visit.fill(places.CHATFLOW_NAME, name, dialog)
                visit.click(places.CONFIRM_NAME, dialog)

        kept = visit.saved_by("saving the chatflow", path="/api/v1/chatflows", methods=("POST", "PUT"), ask=ask)
        visit.find(places.NOTICE, text=re.compile("saved", re.IGNORECASE))
        return str(kept["id"])


class ChatWindow:
    """The chat on the canvas that the visit is at: what a person says there, is answered, and clears."""

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


class CredentialsPage:
    """LangFlux's page of credentials: where a Zep's token is put, and must never be seen again."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def open(self) -> None:
        """Open it; it can be added to."""
        self.visit.open("/credentials", places.ADD_CREDENTIAL)

    def add_zep(self, name: str, token: str) -> str:
        """Add a credential for Zep that holds a token; returns its id. Raises PageFailed with LangFlux's refusal."""
        visit = self.visit
        visit.click(places.ADD_CREDENTIAL)
        visit.click(places.KIND, visit.find(places.DIALOG), text=re.compile(ZEP_CREDENTIAL))
        # The first dialog gives way to one that asks for the credential.
        dialog = visit.find(places.DIALOG, text=re.compile(r"^Credential Name"))
        visit.fill(places.CREDENTIAL_NAME, name, dialog)
        visit.fill(places.API_KEY, token, dialog)
        ask = partial(visit.click, places.CONFIRM_CREDENTIAL, dialog)
        added = visit.saved_by("adding a credential", path="/api/v1/credentials", methods=("POST",), ask=ask)
        return str(added["id"])

    def listed(self, name: str) -> Locator:
        """Return the row of a credential. Raises PageFailed when it is not listed."""
        return self.visit.find(places.CREDENTIAL_ROW, text=places.exactly(name))

    def edit(self, name: str) -> Locator:
        """Open a credential to edit it; returns the dialog, with the credential in it."""
        visit = self.visit
        visit.click(places.EDIT_CREDENTIAL, self.listed(name))
        dialog = visit.find(places.DIALOG)
        field = visit.find(places.CREDENTIAL_NAME, dialog)
        visit.until("the credential is not shown for editing", lambda expect: expect(field).to_have_value(name))
        return dialog
