"""One scenario's use of LangFlux's page: a context of its own in the browser, and how things are found in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zep_conformance.clients.page import places
from zep_conformance.clients.page.places import PagePlace, Text
from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell, DeploymentFailed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Request, Response, Route, ViewportSize

VIEW: ViewportSize = {"width": 1500, "height": 1000}
"""Pixels of the window: room for the template's nodes beside the list of nodes."""
DECORATION = ("image", "font", "stylesheet", "media")
"""What is not fetched from other servers than LangFlux: the page works without it, and nobody is told of the test."""
SEEN = 300
"""Characters of what the page shows that a failure tells; the rest is in page.txt."""
UNREAD = "(could not be read)"
"""In place of an answer that the browser no longer had when it was asked for it."""
_STILL = """() => document.getAnimations().every(
    one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)"""
_VALUES = """([fields]) => [...document.querySelectorAll(fields)].map(field => field.value).join('\\n')"""


class PageFailed(DeploymentFailed):
    """The page lacks something that it should have, or something could not be done there."""


class Disturbed(CannotTell):
    """Chromium has given up what was under way, as a network interface came or went: that says nothing of the page."""

    def __init__(self, what: str) -> None:
        why = "\nA network interface of this machine (a container's, most likely) came or went meanwhile, and so "
        what = f"{what}{why}Chromium gave up what was under way: that says nothing about LangFlux."
        super().__init__(what, "Run it again, and start no containers meanwhile.", code="browser-disturbed")


@dataclass(frozen=True)
class Heard:
    """What the page asked LangFlux, and was answered. sent: the request's body, "" without one."""

    method: str
    url: str
    headers: dict[str, str]
    sent: str
    status: int
    answer: str
    seconds: float


class Visit:
    """The page of the LangFlux at `url`, in a new context of `browser`.

    limit: seconds to wait for anything in the page. sign_in: username and password, None where none are known.
    on_heard: called with each exchange of the page with LangFlux's API. Methods raise PageFailed.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        limit: float,
        sign_in: tuple[str, str] | None = None,
        on_heard: Callable[[Heard], None] = lambda _: None,
    ) -> None:
        from playwright.sync_api import expect

        self.url = url.rstrip("/")
        self.limit = limit * 1000
        """Milliseconds, as Playwright counts."""
        self._sign_in = sign_in
        self._on_heard = on_heard
        self.heard: list[Heard] = []
        self.console: list[str] = []
        self._unanswered: set[Request] = set()
        self._disturbed = False
        self.context = browser.new_context(
            viewport=VIEW,
            reduced_motion="reduce",
            # Chromium has a list of authorities of its own. What these variables name is what our clients have
            # checked the same server by.
            ignore_https_errors=any(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")),
        )
        self.context.set_default_timeout(self.limit)
        expect.set_options(timeout=self.limit)
        self.context.tracing.start(snapshots=True)
        self.context.route(re.compile(f"^(?!{re.escape(self.url)})"), self._from_elsewhere)
        self.context.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        self.context.on("weberror", lambda error: self.console.append(f"uncaught: {error.error}"))
        self.context.on("request", self._asked)
        self.context.on("requestfinished", self._listened)
        self.context.on("requestfailed", self._missed)
        self.page: Page = self.context.new_page()

    def close(self) -> None:
        """End it; the context's storage goes with it."""
        from playwright.sync_api import Error

        with contextlib.suppress(Error):  # the browser may be gone already
            self.context.close()

    def _from_elsewhere(self, route: Route) -> None:
        if route.request.resource_type in DECORATION:
            route.abort()
        else:
            route.fallback()

    def _asked(self, request: Request) -> None:
        if request.url.startswith(f"{self.url}/api/") and request.resource_type in ("xhr", "fetch"):
            self._unanswered.add(request)

    def _missed(self, request: Request) -> None:
        self._unanswered.discard(request)
        self._disturbed = self._disturbed or "ERR_NETWORK_CHANGED" in (request.failure or "")
        if request.url.startswith(self.url):
            self.console.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _listened(self, request: Request) -> None:
        """Keep what LangFlux's API was asked and has answered."""
        from playwright.sync_api import Error

        response = request.response() if request in self._unanswered else None
        if response is None:
            return
        timing = request.timing
        try:
            answer = response.text()
        except Error:  # the page has gone on to another before it was read
            answer = UNREAD
        seconds, sent = max(0.0, timing["responseEnd"]) / 1000, request.post_data or ""
        heard = Heard(request.method, request.url, request.headers, sent, response.status, answer, seconds)
        self._unanswered.discard(request)
        self.heard.append(heard)
        self._on_heard(heard)

    def all_heard(self) -> None:
        """Wait until the page has been answered all that it has asked: what it leaves behind can't be heard."""

        def answered() -> None:
            self.page.evaluate("0")  # lets Playwright tell us what has happened meanwhile
            assert not self._unanswered, f"LangFlux does not answer {', '.join(one.url for one in self._unanswered)}"

        eventually(answered, self.limit / 1000)

    def everything_shown(self) -> str:
        """Return the page as it is now: its HTML, and what stands in its fields."""
        return f"{self.page.content()}\n{self.page.evaluate(_VALUES, ['input, textarea'])}"

    def visible_text(self) -> str:
        """Return what can be read on the page as it is now: its text, and its fields, but for those that show dots."""
        values = self.page.evaluate(_VALUES, ["input:not([type=password]), textarea"])
        return f"{self.page.inner_text('body')}\n{values}"

    def open(self, path: str, landmark: PagePlace) -> None:
        """Go to a path of the page, and wait until what it is known by is there. Signs in where that is asked for."""
        if self._sign_in is not None:
            self._go("/")
            self._signed_in(*self._sign_in)
            self._sign_in = None
        self._go(path)
        try:
            self.find(landmark)
        except Disturbed:
            # As a person does whose own connection was interrupted; nothing has been done on this page yet.
            self._disturbed = False
            self._go(path)
            self.find(landmark)

    def reload(self) -> None:
        """Load the page again, as a browser does."""
        self.all_heard()
        with self.trying("reloading the page"):
            self.page.reload(wait_until="domcontentloaded")

    def _go(self, path: str) -> None:
        self.all_heard()
        with self.trying(f"opening {path}"):
            self.page.goto(f"{self.url}{path}", wait_until="domcontentloaded")

    def _signed_in(self, username: str, password: str) -> None:
        """Sign in, unless we are already."""
        asked = places.USERNAME.as_known(self.page)
        with self.trying("waiting for the list of chatflows, or to be asked who we are"):
            asked.or_(places.SIGNED_IN.as_known(self.page)).first.wait_for()
        if asked.count() == 0:
            # Up to 2.2.8 the page is there at once, and asks when its first request was refused.
            with self.trying("waiting for what the page asks first"):
                self.page.wait_for_load_state("networkidle")
        if asked.count() == 0:
            return
        self.fill(places.USERNAME, username)
        self.fill(places.PASSWORD, password)
        field = self.find(places.PASSWORD)
        with self.trying("signing in"):
            field.press("Enter")
            asked.wait_for(state="detached")
            places.SIGNED_IN.as_known(self.page).first.wait_for()
            self.page.wait_for_load_state("networkidle")
        if asked.count():
            raise PageFailed("the page asks again who we are: it does not take what --langflux-user says")

    def still(self) -> None:
        """Wait until nothing on the page moves any more, but for what moves for ever."""
        with self.trying("waiting for the page to stand still"):
            self.page.wait_for_function(_STILL)

    def find(self, place: PagePlace, within: Locator | None = None, text: Text | None = None) -> Locator:
        """Where a place is, as soon as it is there and visible. text: what must be in it."""
        root: Page | Locator = within if within is not None else self.page
        known, by_words = place.as_known(root, text), place.by_words(root, text)
        either = (known if by_words is None else known.or_(by_words)).filter(visible=True).first
        with self.trying(f"looking for {place.what}" + (f" {_in_words(text)}" if text is not None else "")):
            either.wait_for()
        known = known.filter(visible=True)
        return known.first if by_words is None or known.count() else by_words.filter(visible=True).first

    def all(self, place: PagePlace) -> Locator:
        """Every such place that is there now."""
        known, by_words = place.as_known(self.page), place.by_words(self.page)
        return known if by_words is None or known.count() else by_words

    def click(self, place: PagePlace, within: Locator | None = None, text: Text | None = None) -> None:
        """Click a place."""
        found = self.find(place, within, text)
        with self.trying(f"clicking {place.what}"):
            found.click()

    def fill(self, place: PagePlace, text: str, within: Locator | None = None) -> None:
        """Type a text into a field, in place of what is there."""
        found = self.find(place, within)
        with self.trying(f"typing into {place.what}"):
            found.fill(text)

    @contextlib.contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """Do something in the page. Raises PageFailed saying what, if it can't be done.

        What Playwright says of a browser that is gone is let through: that is no fault of the page.
        """
        from playwright.sync_api import Error, TimeoutError

        try:
            yield
        except TimeoutError as error:
            log = [line.strip(" -") for line in str(error).partition("Call log:")[2].splitlines()[1:]]
            why = f"\n  {log[-1]}" if log and not log[-1].startswith("waiting for locator") else ""
            raise self._failed(f"{what}: not within {self.limit / 1000:g} s, at {self.page.url}{why}") from error
        except Error as error:
            if "net::" not in str(error):
                raise
            raise self._failed(f"{what}: {str(error).partition(chr(10))[0]}") from error

    def saved_by(self, what: str, *, path: str, methods: tuple[str, ...], ask: Callable[[], None]) -> dict[str, Any]:
        """Make the page ask LangFlux to change something, and return its answer. Raises PageFailed when it refuses.

        what: "saving the chatflow". path, methods: what the page's request is known by. ask: what a person does.
        """

        def is_it(response: Response) -> bool:
            return path in response.url and response.request.method in methods

        with self.trying(f"waiting for LangFlux to answer {what}"), self.page.expect_response(is_it) as answered:
            ask()
        answer = answered.value
        if answer.status != 200:
            raise PageFailed(f"{what} is answered {answer.status} {answer.text()[:300]}")
        body: dict[str, Any] = json.loads(answer.text())
        return body

    def until(self, what: str, condition: Callable[[Any], Any]) -> None:
        """Wait with one of Playwright's own waits: `condition` is given its `expect`. Raises PageFailed with `what`."""
        from playwright.sync_api import expect

        try:
            condition(expect)
        except AssertionError as error:
            raise self._failed(f"{what}, within {self.limit / 1000:g} s, at {self.page.url}") from error

    def _failed(self, why: str) -> Exception:
        """Return what is to be raised when something in the page was in vain."""
        if self._disturbed or "ERR_NETWORK_CHANGED" in why:
            return Disturbed(why)
        seen = self._seen()
        return PageFailed(f"{why}\n  the page shows: {seen}" if seen else why)

    def _seen(self) -> str:
        """Return the beginning of what can be read on the page as it is now; "" where nothing can be."""
        from playwright.sync_api import Error

        try:
            text = str(self.page.evaluate("document.body ? document.body.innerText : ''"))
        except Error:  # it has gone on to another, or the browser is gone
            return ""
        words = " ".join(text.split())
        return words if len(words) <= SEEN else f"{words[:SEEN]}…"


def _in_words(text: Text) -> str:
    """Return what is looked for as a person would say it: the words of a pattern."""
    words = (re.sub(r"\\(.)", r"\1", one.replace(r"\s*", "").strip("^$")) for one in text.pattern.split("|"))
    return " or ".join(f"“{one}”" for one in words)
