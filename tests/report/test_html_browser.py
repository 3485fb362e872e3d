"""The page in a browser: nothing keeps anybody from using it, and it asks the network for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import axe
from tests.support.records import evidence, record
from tests.support.reports import large, report
from zep_conformance.clients.page import chromium
from zep_conformance.clients.waiting import eventually
from zep_conformance.report.writers.html import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(chromium.find() is None, reason="no Chromium: apt-get install chromium")
HOSTILE = "</script><img src=x onerror=alert(1)><script>alert(2)</script>"
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
FOLDED = "[...document.querySelectorAll('.cause [data-part]')].length"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = chromium.find()
    assert found is not None
    started = chromium.Chromium(found)
    yield started.start()
    started.stop()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of the page of a run in which everything happened that a page can show."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "screenshot.png").write_bytes(PNG)
    figures = {"count": 25, "min": 1.0, "p25": 2.0, "p50": 3.0, "p75": 4.0, "p95": 9.0, "p99": 10.0, "max": 2400.0}
    told = evidence(
        f"the memory is another {HOSTILE}\n2 differences:\n  [0].role: 'ai' came, 'human' was expected\n"
        f"  [1]: nothing came, {HOSTILE} was expected\nand {'words ' * 40}{'x' * 300}",
        steps=tuple(
            {"text": f"Given a zebra {outcome}", "line": 3, "outcome": outcome, "duration": 0.1}
            for outcome in ("passed", "failed", "not run")
        ),
        attached=(str(folder / "screenshot.png"), str(folder / "gone.png")),
    )
    found = report(
        *(record(f"alike {number}", "failed", "STORE-1", "API-5", evidence=told) for number in range(4)),
        *(
            record(f"else {one}", "failed", "STORE-2", evidence=replace(told, complaint=f"{one} is wrong"))
            for one in "abcdefghijklmno"
        ),
        record("broken", "error", "AUTH-1", reason="KeyError: 1", evidence=evidence("KeyError: 1")),
        record("known", "deviation", "API-4", reason="DEV-6: as known", deviation="DEV-6", evidence=told),
        record("fixed", "passed", "API-6", reason="DEV-4 is fixed here", fixed=True, deviation="DEV-4"),
        record("skipped", "skipped", "UI-1", reason="no capability ui: there is no page"),
        *(record(f"fine {number}", "passed", "SEARCH-1", "SEARCH-2") for number in range(20)),
        record("measured", "passed", "LATENCY-1", measurements={"write": figures, "time to summary": figures}),
        left_behind=(f"session {HOSTILE}",), ended=("the time limit is over",),
    )  # fmt: skip
    (folder / "index.html").write_text(render(found), encoding="utf-8")
    return (folder / "index.html").as_uri()


class Opened:
    """A page that is open, with what it has asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))

    def until(self, condition: str) -> None:
        """Wait until something is so: by asking from outside, since the page lets nobody evaluate a text in it."""

        def so() -> None:
            assert self.page.evaluate(condition), f"not so: {condition}; found: {self.page.inner_text('#matches')}"

        eventually(so, 60)


@pytest.fixture
def opened(browser: Browser, shown: str, request: pytest.FixtureRequest) -> Iterator[Opened]:
    options: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
    context = browser.new_context(**{**options, **getattr(request, "param", {})})
    found = Opened(context.new_page())
    found.page.goto(shown)
    yield found
    context.close()


SCHEMES = [
    pytest.param({"color_scheme": scheme, "viewport": {"width": width, "height": 900}}, id=f"{scheme}, {width} px wide")
    for scheme in ("light", "dark")
    for width in (1280, 390)
]


@pytest.mark.parametrize(
    "opened",
    [
        SCHEMES[0],
        SCHEMES[3],
        *(pytest.param(*one.values, id=one.id, marks=pytest.mark.nightly) for one in SCHEMES[1:3]),
    ],
    indirect=True,
)
def test_axe_finds_nothing(opened: Opened) -> None:
    script = axe.script()
    if script is None:
        pytest.skip("axe-core is not kept on this machine, and npm can't fetch it")
    opened.page.evaluate(UNFOLD)
    opened.until(f"{FOLDED} === 0 && document.querySelectorAll('.scenarios').length > 3")
    opened.page.evaluate(UNFOLD)  # what has been unfolded may have some in it
    opened.page.evaluate(f"{script}; undefined")
    found = opened.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert found["passes"], "axe has looked at nothing"
    assert [
        (one["id"], node["html"][:200], node["failureSummary"]) for one in found["violations"] for node in one["nodes"]
    ] == []


def test_axe_would_find_something(opened: Opened) -> None:
    script = axe.script()
    if script is None:
        pytest.skip("axe-core is not kept on this machine, and npm can't fetch it")
    opened.page.evaluate("document.querySelector('#query').previousElementSibling.remove()")
    opened.page.evaluate("document.querySelector('#query').removeAttribute('placeholder')")
    opened.page.evaluate("document.querySelector('h1').setAttribute('style', '')")
    opened.page.evaluate("document.documentElement.removeAttribute('lang')")
    opened.page.evaluate(f"{script}; undefined")
    found = opened.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert {"label", "html-has-lang"} <= {one["id"] for one in found["violations"]}


@pytest.mark.parametrize("opened", SCHEMES[1:2], indirect=True)
def test_it_asks_for_nothing_and_runs_nobodys_script(opened: Opened) -> None:
    opened.page.evaluate(UNFOLD)
    opened.until(f"{FOLDED} === 0")
    assert {url.partition(":")[0] for url in opened.asked} <= {"file", "data"}
    assert [url for url in opened.asked if url.startswith("file:")] == [opened.page.url]
    assert opened.complaints == []
    images = "[...document.querySelectorAll('.cause img')]"  # those of a page that a scenario ended on are ours
    assert opened.page.evaluate(f"{images}.filter((one) => !one.src.startsWith('data:image/png;')).length") == 0
    refused = opened.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'let through', (error) => String(error))")
    assert "let through" not in refused
    assert any("Content Security Policy" in text for text in opened.complaints), "the policy has kept it from nothing"


@pytest.mark.parametrize(
    "opened",
    [
        pytest.param({"viewport": {"width": width, "height": 700}, "color_scheme": scheme}, id=f"{width} px, {scheme}")
        for width, scheme in ((320, "light"), (320, "dark"), (390, "light"), (768, "light"))
    ],
    indirect=True,
)
def test_nothing_is_wider_than_the_screen(opened: Opened) -> None:
    opened.page.evaluate(UNFOLD)
    opened.until(f"{FOLDED} === 0")
    opened.page.evaluate(UNFOLD)
    width, most = opened.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= most
    beyond = opened.page.evaluate(
        "[...document.querySelectorAll('main *')].filter((one) => !one.closest('svg')"
        " && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 90))"
    )
    assert beyond == []


def test_it_can_be_used_without_a_mouse(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the failures"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, "it can be seen"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#failures"
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus can be seen"
    assert reached[0] == "SUMMARY"
    page.focus("#cause-3 > summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('cause-3').open") is True
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.cause').id") == "cause-3"
    page.focus("#SEARCH-1 > summary")
    page.keyboard.press(" ")
    page.wait_for_selector("#SEARCH-1 .scenarios li")
    assert page.locator("#SEARCH-1 .scenarios li").count() == 20
    order = page.evaluate(
        "[...document.querySelectorAll('a,button,input,select,summary')].every((one) => one.tabIndex === 0)"
    )
    assert order, "the order of tabs is the order of the page"


def test_a_link_unfolds_what_it_leads_to(opened: Opened) -> None:
    opened.page.evaluate("location.hash = '#STORE-2'")
    opened.until("document.getElementById('STORE-2').open")
    opened.page.locator("#STORE-2 a[href^='#cause-']").last.click()
    opened.until("document.querySelector('.cause:target')?.open")
    assert opened.page.locator(".cause:target .complaint").first.is_visible()


def test_the_search_finds_requirements_scenarios_and_texts(opened: Opened) -> None:
    page = opened.page

    def visible(selector: str) -> list[str]:
        return page.evaluate(
            f"[...document.querySelectorAll('{selector}')].filter((one) => one.checkVisibility()).map((one) => one.id)"
        )

    everything = visible(".row")
    page.fill("#query", "fine 17")
    opened.until("document.getElementById('matches').textContent !== ''")
    assert page.inner_text("#matches") == "2 requirements, 1 scenario, 0 causes"
    assert visible(".row") == ["SEARCH-1", "SEARCH-2"]
    page.click("#SEARCH-1 > summary")
    page.wait_for_selector("#SEARCH-1 .scenarios li")
    assert page.inner_text("#SEARCH-1 .scenarios").startswith("passed Scenario fine 17")
    page.fill("#query", "zebra not")  # stands in what is packed only
    opened.until("document.getElementById('matches').textContent.endsWith('17 causes')")
    page.fill("#query", "deleting a SESSION's memory")
    opened.until("document.getElementById('matches').textContent.startsWith('1 requirement,')")
    assert visible(".row") == ["SESSION-3"]
    page.fill("#query", "")
    page.select_option("#outcome", "deviation")
    opened.until("document.getElementById('matches').textContent === '1 requirement, 1 scenario, 1 cause'")
    page.select_option("#outcome", "")
    opened.until("document.getElementById('matches').textContent === ''")
    assert visible(".row") == everything


def test_on_paper_all_of_the_failures_is_there(opened: Opened) -> None:
    page = opened.page
    page.emulate_media(media="print")
    opened.until("performance.now() > 0")
    page.wait_for_load_state("networkidle")
    pdf_before = page.evaluate(FOLDED)
    assert pdf_before > 10
    opened.until(f"(dispatchEvent(new Event('beforeprint')), true) && {FOLDED} === 0")
    hidden = page.evaluate(
        "[...document.querySelectorAll('.cause pre, .cause .complaint, .cause .steps li')]"
        ".filter((one) => !one.getBoundingClientRect().height || !one.checkVisibility({contentVisibilityAuto: true}))"
        ".length"
    )
    assert hidden == 0
    assert page.locator(".find").is_hidden()


@pytest.mark.parametrize("opened", [pytest.param({"java_script_enabled": False}, id="without scripts")], indirect=True)
def test_without_scripts_it_says_where_the_rest_is(opened: Opened) -> None:
    page = opened.page
    assert page.locator("noscript").inner_text().startswith("Scripts are off")
    assert page.locator("#find").is_hidden()
    assert page.locator("#cause-1 .differences").is_visible()
    page.click("#cause-1 .body > details:first-of-type > summary")
    assert page.locator("#cause-1 .body > details:first-of-type").inner_text().count("conformance.json") == 1


@pytest.mark.parametrize(
    "opened",
    [pytest.param({"reduced_motion": motion}, id=motion) for motion in ("reduce", "no-preference")],
    indirect=True,
)
def test_nothing_moves_where_nobody_wants_it(opened: Opened) -> None:
    moves = opened.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior")
    reduced = opened.page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert (moves == "auto") == reduced


def test_it_is_dark_where_people_want_it_dark(opened: Opened) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        colours[scheme] = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colours == {"light": "rgb(247, 247, 245)", "dark": "rgb(20, 22, 24)"}


def test_five_thousand_scenarios_can_be_searched(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(render(large(5000, 400)), encoding="utf-8")
    context = browser.new_context()
    opened = Opened(context.new_page())
    opened.page.goto((tmp_path / "index.html").as_uri())
    opened.page.fill("#query", "4321")
    opened.until("document.getElementById('matches').textContent !== ''")
    assert " 1 scenario," in opened.page.inner_text("#matches")
    assert opened.complaints == []
    context.close()
