"""What a run says while it goes on: in a terminal, in a pipe, and as much as is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.runs import ENVIRONMENT, run
from tests.support.terminals import COLOUR, Shown, run_in_terminal

CHOSEN = ("--target", "embedded", "-m", "API-3 or SESSION-3", "--seed", "7")
LIVE = re.compile(r"\d+/\d+  \S|the start of target embedded")
"""How a live line begins."""
SCENARIO = "A new timestamp starts a new conversation for the same user"
FEATURE = "A chatbot that is used through LangFlux's API remembers: 1 passed in "
LAST = re.compile(r"=* ?\d+ passed.* in [\d.]+s(?: \([\d:]+\))? ?=*")


@pytest.fixture
def shown(tmp_path: Path) -> Callable[..., Shown]:
    """Run the suite in a terminal."""

    def in_terminal(*options: str, columns: int = 80, until: str = "", **variables: str) -> Shown:
        known = {name: value for name, value in ENVIRONMENT.items() if name not in ("COLUMNS", "NO_COLOR")}
        command = [sys.executable, "-m", "zep_conformance", "run", "-p", "no:cacheprovider", *options]
        environment = {**known, "TERM": "xterm", **variables}
        return run_in_terminal(command, tmp_path, environment, columns=columns, until=until)

    return in_terminal


def last(lines: list[str]) -> str:
    return [line for line in lines if line.strip()][-1]


def live_in(lines: list[str]) -> list[str]:
    return [line for line in lines if LIVE.match(line)]


class TestInATerminal:
    @pytest.mark.parametrize(
        ("columns", "workers"), [(40, ()), (80, ()), (80, ("-n", "2"))], ids=["narrow", "alone", "two workers"]
    )
    def test_a_line_says_what_is_done_and_is_gone_at_the_end(
        self, shown: Callable[..., Shown], workers: tuple[str, ...], columns: int
    ) -> None:
        found = shown(*CHOSEN, *workers, columns=columns)
        assert found.code == 0, found.sent
        assert live_in(found.rewritten), found.sent
        assert max(map(len, found.rewritten)) < columns
        assert live_in(found.screen) == [], found.screen
        assert LAST.fullmatch(last(found.screen)), found.screen
        if columns == 80:
            assert max(map(len, found.screen)) <= 80
            assert any(line.startswith(FEATURE) for line in found.screen), found.screen

    def test_it_names_the_scenario_and_its_step_and_how_far_the_run_is(self, shown: Callable[..., Shown]) -> None:
        slowly = ("--target", "embedded", "-k", "latency or timestamp", "--rate", "20")
        lines = shown(*slowly, columns=200).rewritten
        assert any(re.match(rf"\d/\d  {SCENARIO}  (Given|And|When|Then) ", line) for line in lines), lines
        assert not any(line.endswith(" left") for line in lines), lines
        again = shown(*slowly, columns=200).rewritten
        assert any(re.search(r"about [\d]+ (s|min) left$", line) for line in again), again

    def test_ctrl_c_leaves_a_clean_terminal(self, shown: Callable[..., Shown]) -> None:
        found = shown("--target", "embedded", until=" remembers: ")
        assert found.code == 2, found.sent
        assert live_in(found.screen) == [], found.screen
        assert [line for line in found.screen if "interrupted" in line], found.screen
        assert not [line for line in found.screen if "KeyboardInterrupt" in line or "full-trace" in line]
        assert re.search(r"(passed|no tests ran).* in [\d.]+s", last(found.screen)), found.screen

    @pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"CI": "1"}], ids=["dumb", "a pipeline"])
    def test_nothing_is_rewritten_where_nobody_watches(
        self, shown: Callable[..., Shown], variables: dict[str, str]
    ) -> None:
        found = shown(*CHOSEN, **variables)
        assert found.code == 0, found.sent
        assert "\x1b[K" not in found.sent and "\r\r" not in found.sent.replace("\r\n", "")
        assert LAST.fullmatch(last(found.screen))

    @pytest.mark.parametrize("option", ["-q", "-s"])
    def test_nor_where_it_would_be_in_the_way(self, shown: Callable[..., Shown], option: str) -> None:
        assert shown(*CHOSEN, option).rewritten == []

    def test_without_colours_there_are_none(self, shown: Callable[..., Shown]) -> None:
        assert COLOUR.search(shown(*CHOSEN).sent)
        assert not COLOUR.search(shown(*CHOSEN, NO_COLOR="1").sent)

    def test_a_secret_is_in_no_line_that_was_there(
        self, shown: Callable[..., Shown], served: Callable[..., dict[str, str]]
    ) -> None:
        secret = "a-needle-that-nobody-may-see-0123456789"
        urls = served("--auth-secret", secret)
        chosen = ("--target", "remote", "--zep-url", urls["zep"], "-m", "SESSION-1 or AUTH-2", "--rate", "20", "-v")
        found = shown(*chosen, columns=400, ZEP_AUTH_SECRET=secret)
        assert live_in(found.rewritten), found.sent
        assert secret not in found.sent and "eyJ" not in found.sent


class TestInAPipe:
    def test_each_feature_has_a_line_and_pytest_says_nothing_of_itself(self, tmp_path: Path) -> None:
        output = run(tmp_path, *CHOSEN).stdout
        lines = output.splitlines()
        assert [line for line in lines if line.startswith(FEATURE)], output
        assert lines[0].endswith("target embedded, seed 7")
        assert not [word for word in ("platform", "rootdir", "plugins:", "::test_", "[100%]") if word in output]
        assert LAST.fullmatch(lines[-1])
        assert max(map(len, lines)) <= 80

    @pytest.mark.parametrize("options", [("-q",), ("-qq",), ("-q", "-n", "2")], ids=" ".join)
    def test_quiet_is_nothing_until_the_end(self, tmp_path: Path, options: tuple[str, ...]) -> None:
        lines = run(tmp_path, *CHOSEN, *options).stdout.splitlines()
        conclusion = next(at for at, line in enumerate(lines) if "- conformance -" in line)
        beginnings = ("zep-conformance", "These are", "scenarios:", "parts:", "capabilities:", "not offered:", "    ")
        assert [line for line in lines[:conclusion] if line and not line.startswith(beginnings)] == []
        assert LAST.fullmatch(lines[-1]), lines

    @pytest.mark.parametrize(
        "workers",
        [pytest.param((), id="alone"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.nightly)],
    )
    def test_verbose_is_a_line_a_scenario(self, tmp_path: Path, workers: tuple[str, ...]) -> None:
        output = run(tmp_path, *CHOSEN, "-v", *workers).stdout
        assert re.search(rf"^PASSED    {SCENARIO} \(API-3\)\s+\d+\.\d\d s$", output, re.MULTILINE), output
        assert "::test_" not in output
        assert LAST.fullmatch(output.splitlines()[-1])

    def test_very_verbose_has_node_ids_and_what_pytest_is(self, tmp_path: Path) -> None:
        output = run(tmp_path, *CHOSEN, "-vv").stdout
        assert "platform " in output and "rootdir: " in output
        assert "features/test_features.py::test_a_new_timestamp" in output

    def test_a_word_that_selects_nothing_is_said_to(self, tmp_path: Path) -> None:
        finished = run(tmp_path, "--target", "embedded", "-q", "-k", "nonsuch")
        assert finished.returncode == 2
        wrong = run(tmp_path, "--target", "remote", "--zep-url", "http://127.0.0.1:9", "-m", "SESSION-1")
        assert "is selected by" not in wrong.stdout
        assert re.search(r"^scenarios: none of \d+ is selected by -k nonsuch ", finished.stdout, re.MULTILINE)

    def test_what_fails_is_said_at_once_and_by_its_title(self, tmp_path: Path) -> None:
        planted = ("--mutations", "zep:garbage-token-accepted")
        finished = run(tmp_path, "--target", "embedded", "-m", "AUTH-3", *planted, "-rA")
        assert finished.returncode == 1
        output = " ".join(finished.stdout.partition("- conformance -")[0].split())
        said = re.findall(r"FAILED +A token that is not good is refused \[[^\]]+\] \(AUTH-3", output)
        assert said, finished.stdout
        assert "= scenarios =" in finished.stdout
        assert re.search(r"PASSED +A token that is not good is refused \[[^\]]+\] \(AUTH-3", finished.stdout)
        assert "again:" in finished.stdout and "::test_" in finished.stdout.partition("again:")[2]


def test_what_is_none_of_ours_is_reported_by_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    output = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=170).stdout
    assert "test session starts" in output and "test_own.py::test_own PASSED" in output
