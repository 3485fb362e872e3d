"""The canvas: nodes that are put there, joined, filled in and saved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from zep_conformance.clients.page import places
from zep_conformance.clients.page.places import ZEP_MEMORY
from zep_conformance.clients.page.visit import PageFailed, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Locator

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
    """The canvas that the visit is at."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def open(self, chatflow: str) -> None:
        """Open the canvas of a saved chatflow, with its nodes."""
        self.visit.open(f"/canvas/{chatflow}", places.NODE)

    def reload(self) -> None:
        """Reload the page, as a browser does."""
        self.visit.reload()
        self.visit.find(places.NODE)

    # -- looking ----------------------------------------------------------------------------------------------

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

    # -- changing ---------------------------------------------------------------------------------------------

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
