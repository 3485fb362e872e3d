"""Whether LangFlux's page can be driven from here is known before anything is, and said with what helps."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.a_page import APage, a_page
from zep_conformance.clients.page import chromium, places

ROOT = Path(__file__).parents[2]
NODE = "GET /api/v1/nodes/ZepMemory"


@pytest.fixture
def page() -> Iterator[APage]:
    with a_page() as served:
        served.shows("<div id='root'></div>")
        served.answers_json(NODE, "{}")
        yield served


@pytest.fixture
def a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called chromium, alone on PATH."""
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


@pytest.mark.usefixtures("a_browser")
def test_a_page_that_can_be_driven(page: APage) -> None:
    assert chromium.why_no_page(page.url, None, can_sign_in=False) is None


@pytest.mark.usefixtures("a_browser")
@pytest.mark.parametrize(
    "answer", [(200, "application/json", "{}"), (404, "text/html", "<script>"), (200, "text/html", "It works!")]
)
def test_what_is_no_page_is_named_as_that(page: APage, answer: tuple[int, str, str]) -> None:
    page.answers["GET /"] = answer
    why = chromium.why_no_page(page.url, None, can_sign_in=False)
    assert why == f"this LangFlux serves no page: GET / is answered {answer[0]} {answer[1]}"


@pytest.mark.usefixtures("a_browser")
def test_a_page_that_asks_for_a_login_needs_one(page: APage) -> None:
    page.answers_json(NODE, "{}", 401)
    assert "give --langflux-user and $LANGFLUX_PASSWORD" in str(chromium.why_no_page(page.url, None, can_sign_in=False))
    assert chromium.why_no_page(page.url, None, can_sign_in=True) is None


@pytest.mark.usefixtures("a_browser")
def test_without_playwright_the_command_that_installs_it_is_named(page: APage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    why = chromium.why_no_page(page.url, None, can_sign_in=False)
    assert why == "Playwright is not installed: pip install 'zep-conformance[page]'"


def test_without_a_chromium_the_command_that_installs_one_is_named(
    page: APage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    why = chromium.why_no_page(page.url, None, can_sign_in=False)
    assert why == "no Chromium on PATH: apt-get install chromium, or give --browser PATH"


def test_the_browser_that_is_given_goes_before_those_on_the_path(a_browser: Path) -> None:
    assert chromium.find() == str(a_browser)
    assert chromium.find(Path("/opt/mine")) == "/opt/mine"


def run(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "features", "-q", "-p", "no:cacheprovider", "-m", "UI-1"]
    command += ["--reports", str(tmp_path), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)


def test_a_browser_that_is_none_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    done = run(tmp_path, "--target", "embedded", "--browser", str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "--browser: is no program that can be started" in done.stdout


@pytest.mark.parametrize(
    ("mutation", "advice"),
    [
        ("page:template-mising", "Did you mean page:template-missing"),
        ("zep:lastn-ignored", "target remote does not use it"),
    ],
)
def test_a_mutation_that_a_remote_target_can_not_have_ends_the_run(tmp_path: Path, mutation: str, advice: str) -> None:
    done = run(tmp_path, "--target", "remote", "--zep-url", "http://127.0.0.1:9", "--mutations", mutation)
    assert done.returncode == 2
    assert advice in " ".join(done.stdout.split())


def test_the_embedded_langflux_has_no_page_and_the_scenarios_say_so(tmp_path: Path) -> None:
    done = run(tmp_path, "--target", "embedded")
    assert done.returncode == 2, "nothing ran"
    assert "no capability ui: the embedded LangFlux has no page" in (tmp_path / "summary.md").read_text()


def test_the_table_of_places_has_all_that_are_used_and_no_others() -> None:
    sources = Path(places.__file__).parent.glob("*.py")
    used = {name for path in sources for name in re.findall(r"\bplaces\.([A-Z_]+)\b", path.read_text())}
    assert used == set(places.load_places())
