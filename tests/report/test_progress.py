"""How far a run has come, and the line that says so."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from zep_conformance.report.live import LiveLine, composed
from zep_conformance.report.progress import Progress, durations, in_words


def test_a_feature_is_counted_when_its_last_scenario_ends() -> None:
    progress = Progress()
    progress.expect({"a": "One", "b": "One", "c": "Two", "d": "Two"})
    assert progress.end("a", "passed", 0.5) is None
    tally = progress.end("b", "failed", 1.0)
    assert tally is not None and tally.line(80) == "One: 1 passed, 1 failed in 1.5 s"
    assert progress.end("b", "failed", 1.0) is None  # its worker says so again
    assert progress.end("c", "skipped", 0.0) is None
    assert [one.line(80) for one in progress.unfinished()] == ["Two: 1 skipped, 1 not begun in 0.0 s"]
    assert progress.count == (3, 4)


def test_a_long_title_gives_way() -> None:
    progress = Progress()
    progress.expect({"a": "A long " * 20})
    tally = progress.end("a", "passed", 0.5)
    assert tally is not None
    assert len(tally.line(80)) <= 80 and tally.line(80).endswith("…: 1 passed in 0.5 s")


def test_the_time_left_is_that_of_the_run_before() -> None:
    progress = Progress({"a": 1.0, "b": 3.0, "c": 5.0})
    assert progress.time_left() is None
    progress.expect(dict.fromkeys("abcd", "One"))
    assert progress.time_left() == 12.0  # d takes as long as the others do
    progress.end("c", "passed", 9.0)
    assert progress.time_left(workers=2) == 3.0
    progress.expect(dict.fromkeys("efg", "Two"))
    assert progress.time_left() is None  # of most of them nothing is known


@pytest.mark.parametrize(("seconds", "said"), [(4.4, "4 s"), (44.0, "40 s"), (94.9, "90 s"), (150.1, "3 min")])
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert in_words(seconds) == said


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"target": null}', '{"target": {"name": "remote"}}', "[" * 9999])
def test_what_is_no_report_of_that_target_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "conformance.json"
    assert durations(path, "remote") == {}
    path.write_text(text)
    assert durations(path, "remote") == {}


def test_a_report_says_how_long_each_scenario_took(tmp_path: Path) -> None:
    scenario = {"nodeid": "a", "duration": 1.5}
    requirement = {"id": "API-1", "level": "MUST", "scenarios": [scenario]}
    path = tmp_path / "conformance.json"
    path.write_text(json.dumps({"target": {"name": "remote"}, "requirements": [requirement]}))
    assert durations(path, "remote") == {"a": 1.5}
    assert durations(path, "embedded") == {}


TEXTS = st.text(max_size=90)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.integers(10, 200))
def test_a_live_line_is_one_line_and_fits(before: str, title: str, step: str, after: str, columns: int) -> None:
    line = composed(before, title, step, after, columns)
    assert cell_len(line) <= columns
    assert line.isprintable()


def test_what_gives_way_is_the_title_then_the_step() -> None:
    title, step = "A title that is long " * 3, "Given a step that is long " * 2
    assert composed("1/9", title.strip(), "Given it", "3 s", 50) == "1/9  A title that is long A title…  Given it  3 s"
    narrow = composed("1/9", title, step, "3 s", 60)
    assert narrow.startswith("1/9  A title that") and "Given a step" in narrow and narrow.endswith("  3 s")


class TestTheLine:
    def test_it_is_gone_while_something_else_is_written_and_until_that_ends_its_line(self) -> None:
        file = io.StringIO()
        live = LiveLine(file)
        live.show(lambda _columns: "one")
        live.show(lambda _columns: "one")
        with live.aside("a word"):
            file.write("a word")
        live.show(lambda _columns: "two")
        with live.aside("\n"):
            file.write("\n")
        live.show(lambda columns: f"{columns}")
        live.hide()
        assert file.getvalue() == "\r\x1b[Kone\r\x1b[Ka word\n\r\x1b[K79\r\x1b[K"
