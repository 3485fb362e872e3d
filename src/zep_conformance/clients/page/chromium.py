"""The browser of a run: a Chromium that is on the machine already. Nothing is ever downloaded.

Playwright starts a driver of its own, and that the browser; both end when this process does, however it ends. Their
files are in a folder of ours, which is removed at the end; where nobody could do that (kill -9), the next run does.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from zep_conformance.clients.http import trusted
from zep_conformance.errors import CannotTell
from zep_conformance.facts.flows import ZEP_MEMORY, node_path
from zep_conformance.processes.folders import owned_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""What a Chromium is called on PATH, the most likely first."""
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # A browser asks its maker's servers for this and that, which a test must not, and a closed network refuses.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FOLDER = "zep-conformance-page-"
"""What the name of the folder for the browser's files begins with."""
LONGEST = 62
"""Characters of that folder's path: Chromium puts a socket into it, whose path the system limits to 107."""
LOOK_LIMIT = 10.0
"""Seconds for one request when it is found out whether there is a page."""


def find(given: Path | None = None) -> str | None:
    """Return the Chromium to use: the one given, else the first on PATH; None where there is none."""
    if given is not None:
        return str(given)
    return next((path for path in map(shutil.which, NAMES) if path), None)


def why_no_page(url: str, browser: Path | None, *, can_sign_in: bool) -> str | None:
    """Why the page of the LangFlux at `url` can't be driven from here, with the command that helps; None if it can.

    Asks for two things that every visitor's browser asks for; raises httpx.HTTPError where there is no answer.
    """
    with httpx.Client(base_url=url, verify=trusted(), timeout=LOOK_LIMIT, follow_redirects=True) as client:
        front = client.get("/")
        kind = front.headers.get("content-type", "").partition(";")[0]
        if front.status_code != 200 or kind != "text/html" or "<script" not in front.text:
            return f"this LangFlux serves no page: GET / is answered {front.status_code} {kind or 'without a type'}"
        # Something harmless, asked for as the page does when nobody has signed in.
        node = client.get(node_path(ZEP_MEMORY), headers={"x-request-from": "internal"})
    if node.status_code in (401, 403) and not can_sign_in:
        return "the page asks who it is: give --langflux-user and $LANGFLUX_PASSWORD"
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed: pip install 'zep-conformance[page]'"
    if find(browser) is None:
        return "no Chromium on PATH: apt-get install chromium, or give --browser PATH"
    return None


class Chromium:
    """One Chromium, started by `start` and gone after `stop`. executable: its path."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._closing = contextlib.ExitStack()

    def start(self) -> Browser:
        """Start it, headless. Raises CannotTell when it does not come up."""
        from playwright.sync_api import Error, sync_playwright

        self.folder = self._closing.enter_context(_folder())
        with _temporary_folder(self.folder):
            playwright: Playwright = sync_playwright().start()
        self._closing.callback(playwright.stop)
        try:
            browser = playwright.chromium.launch(
                executable_path=self._executable,
                args=list(FLAGS),
                # Ctrl-C reaches the whole process group: it must not take the browser from under a clean end.
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except Error as error:
            self._closing.close()
            what = f"{self._executable} does not start: {_last_words(str(error))}"
            advice = "Start it by hand with --headless to see why, or give another one with --browser PATH."
            raise CannotTell(what, advice, code="browser-fails") from None
        self._closing.callback(_closed, browser)
        return browser

    def stop(self) -> None:
        """End it, and remove its files."""
        self._closing.close()


def _last_words(text: str) -> str:
    """Return what a browser that did not start has said, out of what Playwright says of it."""
    said = [line.partition("[err]")[2].strip() for line in text.partition("Call log:")[0].splitlines()]
    return " ".join(" ".join(filter(None, said) if any(said) else [text]).split())[:600]


def _closed(browser: Browser) -> None:
    """Close a browser; one that has ended by itself is closed."""
    from playwright.sync_api import Error

    with contextlib.suppress(Error):
        browser.close()


def _folder() -> contextlib.AbstractContextManager[Path]:
    """Return a folder for the browser's files, removed at the end; those of killed runs are removed, too."""
    where = Path(tempfile.gettempdir())
    return owned_folder(FOLDER, where if len(str(where / FOLDER)) + 8 <= LONGEST else Path("/tmp"))


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Iterator[None]:
    """Have what is started meanwhile take `folder` for the machine's temporary one."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
