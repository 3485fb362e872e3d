"""Where everything is in LangFlux's page, as data (fixtures/data/page-places.toml): `places.SAVE` is one of them.

A place is looked for twice. First as Flowise 1.8.4 to 3.0.13 have it (`css`); where that is not there, by what a
person goes by: its accessible name (`role` and `name`), or the words that stand beside it (`beside`). So a page that
is laid out anew, and says the same, is still understood.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from zep_conformance import suite

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Role = Literal["button", "combobox", "dialog", "heading", "img", "option", "searchbox", "textbox", "alert"]
Text = re.Pattern[str]
ZEP_MEMORY = r"Zep Memory( - Open Source)?"
"""What the node is called: the shorter name in LangFlux of 2023. There is a "Zep Memory - Cloud" beside it."""


@dataclass(frozen=True)
class PagePlace:
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
    """Return the page that something is in: what a filter looks for is described from there."""
    from playwright.sync_api import Locator

    return within.page if isinstance(within, Locator) else within


def exactly(words: str) -> Text:
    """Return a text that is these words and nothing else."""
    return re.compile(rf"^\s*{re.escape(words)}\s*$")


@cache
def load_places() -> dict[str, PagePlace]:
    """Return every place by its name. Raises TypeError for an entry with a field that a place has not."""
    entries = tomllib.loads((suite.data() / "page-places.toml").read_text(encoding="utf-8"))
    return {name: PagePlace(**entry) for name, entry in entries.items()}


def __getattr__(name: str) -> PagePlace:
    """Return the place of that name. Raises AttributeError where there is none."""
    try:
        return load_places()[name]
    except KeyError:
        raise AttributeError(f"no place {name} in page-places.toml") from None
