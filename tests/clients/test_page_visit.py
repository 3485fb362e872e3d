"""How things are found in a page, what is heard of it, and what is kept when a scenario fails: in a real Chromium."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fixtures.page_evidence import PageEvidence
from tests.support.a_page import APage, a_page
from zep_conformance.clients import tokens
from zep_conformance.clients.page import chromium, places
from zep_conformance.clients.page.mutations import MUTATIONS
from zep_conformance.clients.page.places import PagePlace
from zep_conformance.clients.page.visit import Disturbed, PageFailed, Visit
from zep_conformance.redaction import output
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.session.run import Run
from zep_conformance.settings import Settings

pytestmark = pytest.mark.skipif(chromium.find() is None, reason="no Chromium: apt-get install chromium")
LIMIT = 3.0
"""Seconds that a visit waits for what is not there."""
BUTTON = PagePlace("the button", "#save", role="button", name="^save$")
FIELD = PagePlace("the field", "#url", beside="^Base URL")


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[chromium.Chromium, Any]]:
    browser = chromium.Chromium(str(chromium.find()))
    yield browser, browser.start()
    browser.stop()


@pytest.fixture
def page() -> Iterator[APage]:
    with a_page() as served:
        yield served


@pytest.fixture
def visit(page: APage, started: tuple[chromium.Chromium, Any]) -> Iterator[Visit]:
    opened = Visit(started[1], page.url, limit=LIMIT)
    yield opened
    opened.close()


# -- finding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        "<button id=save>Speichern</button>",
        "<button>Save</button>",
        "<button aria-label=save><svg></svg></button>",
        "<button title=Save></button><button>Discard</button>",
        "<button id=save style='display:none'>old</button><button>Save</button>",
    ],
    ids=["as it is known", "by its text", "by its label", "by its title", "hidden where it is known"],
)
def test_a_button_is_found_where_it_is_known_or_by_its_name(page: APage, visit: Visit, html: str) -> None:
    page.shows(f"<button>Other</button>{html}<p id=said></p>")
    page.shows(page.answers["GET /"][2] + "<script>onclick = e => said.textContent = e.target.outerHTML</script>")
    visit.open("/", BUTTON)
    visit.click(BUTTON)
    clicked = visit.page.inner_text("#said")
    assert "Other" not in clicked and "Discard" not in clicked and "old" not in clicked
    assert clicked


@pytest.mark.parametrize("html", ["<input id=url>", "<p>Base URL *</p><div><div><input></div></div><input>"])
def test_a_field_is_found_where_it_is_known_or_by_the_words_beside_it(page: APage, visit: Visit, html: str) -> None:
    page.shows(html)
    visit.open("/", FIELD)
    visit.fill(FIELD, "http://zep")
    assert visit.page.locator("input").first.input_value() == "http://zep"


def test_what_is_missing_is_named_with_where_it_was_looked_for(page: APage, visit: Visit) -> None:
    page.shows("<p>Nothing to press</p>")
    with pytest.raises(PageFailed) as failed:
        visit.open("/", BUTTON)
    where = f"looking for the button: not within 3 s, at {page.url}/"
    assert str(failed.value).splitlines() == [where, "  the page shows: Nothing to press"]


def test_words_that_are_missing_are_named_as_they_are_read(page: APage, visit: Visit) -> None:
    page.shows("<p>Agent</p>")
    visit.open("/", PagePlace("a text", "p"))
    names = re.compile("|".join(rf"^{re.escape(name)}$" for name in ("Conversation Chain", "Simple (old)")))
    for text, said in ((names, "“Conversation Chain” or “Simple (old)”"), (places.exactly("My key"), "“My key”")):
        with pytest.raises(PageFailed, match=re.escape(f"looking for the button {said}: not within 3 s")):
            visit.find(BUTTON, text=text)


def test_a_page_that_can_not_be_reached_is_the_pages_failure(visit: Visit) -> None:
    visit.url = "http://127.0.0.1:9"
    with pytest.raises(PageFailed, match=r"opening /: .*net::ERR"):
        visit.open("/", BUTTON)


def network_changes(visit: Visit) -> None:
    """Chromium gives up a request, as it does when an interface of the machine appears."""
    given_up: Any = type("Request", (), {"url": "", "method": "GET", "failure": "net::ERR_NETWORK_CHANGED"})
    visit._missed(given_up)


def test_a_network_that_changed_meanwhile_is_nobodys_failure(page: APage, visit: Visit) -> None:
    page.shows("<button id=save>Save</button>")
    visit.open("/", BUTTON)
    network_changes(visit)
    with pytest.raises(Disturbed, match="A network interface of this machine") as ended:
        visit.find(FIELD)
    assert "Run it again" in str(ended.value) and "report it" not in str(ended.value)


def test_a_page_that_was_interrupted_while_it_opened_is_opened_again(page: APage, visit: Visit) -> None:
    page.shows(
        "<script>if (!sessionStorage.seen) sessionStorage.seen = 1;"
        "else document.write('<button id=save>Save</button>')</script>"
    )
    network_changes(visit)
    visit.open("/", BUTTON)
    assert page.asked.count("GET /") == 2


# -- hearing ------------------------------------------------------------------------------------------------------


def test_what_the_page_asks_is_heard_and_what_others_are_asked_for_is_not(page: APage, visit: Visit) -> None:
    elsewhere = "http://zep-conformance.invalid"
    page.answers_json("POST /api/v1/things", '{"made": 1}')
    page.shows(
        f"<img src='{elsewhere}/logo.png'><link rel=stylesheet href='{elsewhere}/style.css'><button id=save>x</button>"
        "<script>fetch('/api/v1/things', {method: 'POST', body: 'a thing'}); console.log('hello')</script>"
    )
    visit.open("/", BUTTON)
    visit.all_heard()
    assert [(heard.method, heard.sent, heard.status, heard.answer) for heard in visit.heard] == [
        ("POST", "a thing", 200, '{"made": 1}')
    ]
    assert "log: hello" in visit.console


# -- keeping ------------------------------------------------------------------------------------------------------


@pytest.fixture
def token() -> str:
    return tokens.make_token(tokens.make_secret())


@pytest.fixture
def kept(
    tmp_path: Path, started: tuple[chromium.Chromium, Any], visit: Visit, token: str
) -> Callable[[], tuple[str, ...]]:
    def keep() -> tuple[str, ...]:
        run = Run.of(Settings(seed=1))
        run.redactor.hide(token)
        return PageEvidence(visit, run, folder=tmp_path / "kept", private=started[0].folder).keep()

    return keep


def everything_in(folder: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in folder.rglob("*.zip"):
        with zipfile.ZipFile(path) as trace:
            found |= {f"{path.name}/{name}": trace.read(name) for name in trace.namelist()}
    return found


FORM = """
<input id=url type=password><button id=save>Save</button>
<script>save.onclick = () => { console.log('sending ' + url.value); history.replaceState(0, '', '/?t=' + url.value);
  fetch('/api/v1/credentials', {method: 'POST', body: JSON.stringify({apiKey: url.value})}); }</script>
"""


def test_a_token_that_was_typed_sent_logged_and_answered_is_in_nothing_that_is_kept(
    page: APage,
    visit: Visit,
    token: str,
    tmp_path: Path,
    started: tuple[chromium.Chromium, Any],
    kept: Callable[[], tuple[str, ...]],
) -> None:
    page.shows(FORM)
    page.answers_json("POST /api/v1/credentials", f'{{"plainDataObj": {{"apiKey": "{token}"}}}}')
    visit.open("/", BUTTON)
    visit.fill(FIELD, token)
    visit.click(BUTTON)
    visit.all_heard()
    paths = kept()
    assert [Path(path).name for path in paths] == ["screenshot.png", "page.txt", "console.txt", "trace.zip"]
    found = everything_in(tmp_path / "kept")
    header, _, signature = token.split(".")
    for name, content in found.items():
        for piece in (token, signature, signature[:16], signature[-16:], header):
            assert piece.encode() not in content, name
    # It is a trace all the same: of what was done, and how the page looked then.
    trace = found["trace.zip/trace.trace"].decode()
    assert '"fill"' in trace and "frame-snapshot" in trace and "[hidden]" in trace
    assert any(b"POST" in content for name, content in found.items() if name.endswith(".network"))
    assert not (started[0].folder / "trace.zip").exists(), "what was not cleaned yet is gone"


def test_a_screenshot_that_would_show_the_token_is_left_out(
    page: APage, visit: Visit, token: str, tmp_path: Path, kept: Callable[[], tuple[str, ...]]
) -> None:
    page.shows(f"<button id=save>Save</button><p>{token}</p>")
    visit.open("/", BUTTON)
    assert kept()[0] == "no screenshot.png: it would show a secret"
    assert not (tmp_path / "kept" / "screenshot.png").exists()


def test_what_can_not_be_kept_of_a_page_that_is_gone_is_said(
    page: APage, visit: Visit, kept: Callable[[], tuple[str, ...]]
) -> None:
    page.shows("<button id=save>Save</button>")
    visit.open("/", BUTTON)
    visit.page.close()
    lines = kept()
    assert lines[0].startswith("no screenshot.png: ")
    assert any(line.endswith("console.txt") for line in lines)


def test_a_context_that_is_gone_leaves_the_failure_as_it_is(
    page: APage, visit: Visit, kept: Callable[[], tuple[str, ...]]
) -> None:
    page.shows("<button id=save>Save</button>")
    visit.open("/", BUTTON)
    visit.context.close()
    lines = kept()
    assert [line.partition(":")[0] for line in lines if line.startswith("no ")] == [
        "no screenshot.png",
        "no page.txt",
        "no trace.zip",
    ]


def test_a_trace_keeps_its_pictures_and_loses_what_is_no_text_or_too_long(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as raw:
        raw.writestr("resources/1.png", b"\x89PNG")
        raw.writestr("resources/2.bin", b"\xff\xfe\x00")
        raw.writestr("resources/3.json", "x" * (output.LARGEST + 1))
        raw.writestr("resources/4.css", "a{color:red}b{content:'the-secret-one'}")
        raw.writestr("trace.trace", '{"a": ["the-secret-one", 3, null, "it"]}\n{"b": ["STYLE", {}, "c{d:e}"]}')
    output.clean_trace(tmp_path / "raw.zip", Redactor(["the-secret-one"]), tmp_path / "clean.zip")
    with zipfile.ZipFile(tmp_path / "clean.zip") as clean:
        assert {name: clean.read(name) for name in clean.namelist()} == {
            "resources/1.png": b"\x89PNG",
            "resources/2.bin": b"(left out: 3 bytes)",
            "resources/3.json": b"(left out: 100001 characters)",
            "resources/4.css": b"a{color:red}b{content:'[hidden]'}",
            "trace.trace": b'{"a": ["[hidden]", 3, null, "it"]}\n{"b": ["STYLE", {}, "c{d:e}"]}',
        }


# -- mutations ------------------------------------------------------------------------------------------------------


def test_every_mutation_can_be_planted(visit: Visit) -> None:
    MUTATIONS.plant(MUTATIONS, visit.context)
    with pytest.raises(KeyError):
        MUTATIONS.plant(["no-such-mutation"], visit.context)


def test_a_mutation_changes_what_the_page_is_answered(page: APage, visit: Visit) -> None:
    page.answers_json("GET /api/v1/credentials", '[{"name": "mine"}]')
    page.shows("<button id=save>x</button><script>fetch('/api/v1/credentials')</script>")
    MUTATIONS.plant(["credentials-unlisted"], visit.context)
    visit.open("/", BUTTON)
    visit.all_heard()
    assert visit.heard[0].answer == "[]"


def test_what_langflux_answers_to_saving_is_returned_and_its_refusal_is_the_pages_failure(
    page: APage, visit: Visit
) -> None:
    page.shows("<button id=save>x</button><script>onclick = () => fetch('/api/v1/flows', {method: 'PUT'})</script>")
    visit.open("/", BUTTON)
    saving = partial(
        visit.saved_by, "saving", path="/api/v1/flows", methods=("POST", "PUT"), ask=partial(visit.click, BUTTON)
    )
    page.answers_json("PUT /api/v1/flows", '{"id": "7"}')
    assert saving() == {"id": "7"}
    page.answers["PUT /api/v1/flows"] = (403, "text/plain", "not yours")
    with pytest.raises(PageFailed, match="saving is answered 403 not yours"):
        saving()


def test_known_places_say_what_they_are() -> None:
    known = places.load_places().values()
    assert len(known) > 25
    for place in known:
        assert place.what.startswith(("a ", "the ", "what ")), place
        assert place.role is None or place.role == "dialog" or place.name is not None
