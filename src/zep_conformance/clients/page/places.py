"""Where everything is in LangFlux's page: the only module that knows selectors.

A place is looked for twice. First as Flowise 1.8.4 to 3.0.13 have it (`css`); where that is not there, by what a
person goes by: its accessible name (`role` and `name`), or the words that stand beside it (`beside`). So a page that
is laid out anew, and says the same, is still understood::

    SAVE = Place("the button that saves the chatflow", "button[title^='Save ']", role="button", name=r"^save\\b")
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Role = Literal["button", "combobox", "dialog", "heading", "img", "option", "searchbox", "textbox", "alert"]
Text = re.Pattern[str]
ZEP_MEMORY = r"Zep Memory( - Open Source)?"
"""What the node is called: the shorter name in LangFlux of 2023. There is a "Zep Memory - Cloud" beside it."""


@dataclass(frozen=True)
class Place:
    """One thing in the page.

    what: what it is, for a message that it is missing. css: where the known versions have it. role, name: its
    accessible role and a regular expression for its accessible name. beside: for what has no name, the words (a
    regular expression for all of them) that stand before it, and `axis` how to get from them to it, in XPath.
    is_text: it is a text by itself, looked for by its words alone.
    """

    what: str
    css: str
    role: Role | None = None
    name: str = ""
    beside: str = ""
    axis: str = "following::*[self::input or self::textarea][1]"
    is_text: bool = False

    def as_known(self, within: Page | Locator, text: Text | None = None) -> Locator:
        """Where the known versions have it. text: what must be in it."""
        found = within.locator(self.css)
        if text is None:
            return found
        return found.filter(has_text=text) if self.is_text else found.filter(has=_page(within).get_by_text(text))

    def by_words(self, within: Page | Locator, text: Text | None = None) -> Locator | None:
        """Where its name or the words beside it are, None where it has neither. text: what must be in it."""
        if self.role is not None:
            found = within.get_by_role(self.role, name=re.compile(self.name, re.IGNORECASE))
            return found if text is None else found.filter(has=_page(within).get_by_text(text))
        if self.beside:
            return within.get_by_text(re.compile(self.beside)).locator(f"xpath={self.axis}")
        return within.get_by_text(text) if self.is_text and text is not None else None


def _page(within: Page | Locator) -> Page:
    """The page that something is in: what a filter looks for is described from there."""
    from playwright.sync_api import Locator

    return within.page if isinstance(within, Locator) else within


def exactly(words: str) -> Text:
    """A text that is these words and nothing else."""
    return re.compile(rf"^\s*{re.escape(words)}\s*$")


# -- everywhere ---------------------------------------------------------------------------------------------------

DIALOG = Place("a dialog", ".MuiDialog-root [role='dialog']", role="dialog")
NOTICE = Place("a notice", ".SnackbarItem-message, [class*='SnackbarItem']", role="alert")

# -- signing in: a dialog that asks for a username up to 2.2.8, a page of its own from 3.0 on -----------------------

USERNAME = Place("the field for the username", "input[name='username']", role="textbox", name="user|e-?mail")
PASSWORD = Place("the field for the password", "input[name='password']", beside=r"^Password")
SIGNED_IN = Place("the list of chatflows", ".MuiDrawer-paper", role="heading", name="^chatflows")

# -- the marketplace ----------------------------------------------------------------------------------------------

TEMPLATES = Place("the marketplace", ".MuiTabs-root", role="heading", name="^marketplace")
TEMPLATE = Place("the template", ".MuiTypography-root", is_text=True)
USE_TEMPLATE = Place(
    "the button that opens the template as a new canvas",
    "button[title='Use Chatflow']",
    role="button",
    name="^use (template|chatflow)$",
)

# -- the canvas ---------------------------------------------------------------------------------------------------

NODE = Place("a node on the canvas", ".react-flow__node, [data-testid^='rf__node-']")
NODE_LABEL = Place("the node's label", "p >> nth=0")
PANE = Place("the empty canvas", ".react-flow__pane")
ZOOM_OUT = Place("the button that zooms out", ".react-flow__controls-zoomout", role="button", name="^zoom out$")
DELETE_NODE = Place("the button that deletes a node", "button[title='Delete']", role="button", name="^delete$")
ADD_NODE = Place("the button that opens the list of nodes", "button[title='Add Node']", role="button", name=r"^add\b")
SEARCH_NODES = Place(
    "the field that searches the list of nodes", "#input-search-node", role="textbox", name="search|weight"
)
LISTED_NODE = Place("the node in the list", ".MuiListItemButton-root", role="button")
OUTPUT = Place("a node's output", ".react-flow__handle.source", beside=r"^Output$", axis="following::*[@data-handleid]")
MEMORY_INPUT = Place(
    "the chain's input for a memory",
    ".react-flow__handle.target[data-handleid*='-input-memory-']",
    beside=r"^Memory",
    axis="preceding::*[@data-handleid][1]",
)
BASE_URL = Place("the field for the Base URL", "input[name='baseURL']", beside=r"^Base URL")
CHOOSE_CREDENTIAL = Place(
    "the list of credentials on the node",
    "input[role='combobox']#credential",
    beside=r"^Connect Credential",
    axis="following::*[@role='combobox'][1]",
)
CREDENTIAL_OPTION = Place("the credential in the list", ".MuiAutocomplete-option", role="option")
MORE_PARAMETERS = Place(
    "the button for additional parameters",
    "button:has-text('Additional Parameters')",
    role="button",
    name="^additional parameters$",
)
BASE_PATH = Place("the field for the model server's base path", "input[name='basepath']", beside=r"^Base ?Path")
SAVE = Place("the button that saves the chatflow", "button[title^='Save ']", role="button", name=r"^save\b")
CHATFLOW_NAME = Place("the field for the chatflow's name", "#chatflow-name", role="textbox", name="name|chatflow")
CONFIRM_NAME = Place("the button that confirms the name", ".MuiButton-contained", role="button", name="^save$")

# -- the chat -----------------------------------------------------------------------------------------------------

OPEN_CHAT = Place("the button that opens the chat", "button[title='Chat']", role="button", name="^chat$")
ANSWERS = Place("the picture beside each answer", "#messagelist img[alt='AI']", role="img", name="^AI$")
QUESTIONS = Place("the picture beside each question", "#messagelist img[alt='Me']", role="img", name="^Me$")
QUESTION = Place("the field for a question", "#userInput", role="textbox", name="type your question|waiting")
CLEAR_CHAT = Place(
    "the button that clears the chat history",
    "button[title='Clear Chat History']",
    role="button",
    name=r"^clear\b",
)
CONFIRM_CLEAR = Place("the button that confirms it", ".MuiButton-contained", role="button", name="^clear$")

# -- credentials --------------------------------------------------------------------------------------------------

ADD_CREDENTIAL = Place(
    "the button that adds a credential",
    "button:has-text('Add Credential')",
    role="button",
    name=r"^(add|new)\b.*credential",
)
KIND = Place("the kind of credential in the list", ".MuiListItemButton-root", role="button")
CREDENTIAL_NAME = Place(
    "the field for the credential's name",
    "#credName",
    beside=r"^Credential Name",
)
API_KEY = Place("the field for the API key", "input[name='apiKey']", beside=r"^API Key")
CONFIRM_CREDENTIAL = Place("the button that adds it", ".MuiButton-contained", role="button", name="^(add|save)$")
CREDENTIAL_ROW = Place("the credential in the list of credentials", "tbody tr")
EDIT_CREDENTIAL = Place("the button that edits the credential", "button[title='Edit']", role="button", name="^edit$")
