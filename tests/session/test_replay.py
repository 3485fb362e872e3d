"""A run is judged again by what it recorded: the same as then, unless the recording or the rules are others."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import ENVIRONMENT, replay, run
from zep_conformance.clients.recorded import NotRecorded, Player
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.folder import EXCHANGES, REPORT
from zep_conformance.session.replaying import CONNECTS, GUARD, STARTS

CHOSEN = (
    "unchanged_and_in_order or entities_appear or streamed_prediction_remembers or wait_for_enrichment or "
    "many_users_at_once or users_who_talk_at_the_same_time or model_down_writes or nobody_reads"
)
UNCHANGED = "Messages come back unchanged and in order"
Line = dict[str, Any]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the reports of a run of some scenarios, whose servers are gone."""
    folder = tmp_path_factory.mktemp("recorded")
    ended = run(folder, "-q", "--reports", "reports", "-k", CHOSEN)
    assert ended.returncode == 0, ended.stdout
    found = folder / "found"
    shutil.copytree(_reports(folder / "reports"), found)
    return found


def _reports(folder: Path) -> Path:
    """Return the folder that has the reports, which may be of a run's own."""
    return next(path.parent for path in sorted(folder.rglob(EXCHANGES)))


def changed(recorded: Path, folder: Path, change: Callable[[list[Line]], list[Line]]) -> Path:
    """Return a copy of a recording with other lines."""
    copy = folder / "changed"
    shutil.copytree(recorded, copy)
    with gzip.open(copy / EXCHANGES, "rt") as lines:
        found = [json.loads(line) for line in lines]
    with gzip.open(copy / EXCHANGES, "wt") as lines:
        lines.writelines(f"{json.dumps(one)}\n" for one in change(found))
    return copy


def of(line: Line, scenario: str) -> bool:
    return scenario in line["nodeid"]


def text(ended: subprocess.CompletedProcess[str]) -> str:
    """Return what was written, in one line."""
    return " ".join((ended.stdout + ended.stderr).split())


def test_a_run_comes_out_as_it_did_without_its_servers(recorded: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in recorded.iterdir()}
    ended = replay(recorded, "-v")
    said = text(ended)
    assert ended.returncode == 0, said
    assert "judged again: 8 the same, 0 differ, 0 can't be told; 0 fail (exit code 0)" in said
    assert "passed: Nobody reads without the right token" in said
    assert f"passed: {UNCHANGED}" in said
    assert "Nothing was asked of any server" in said
    assert {path.name: path.stat().st_mtime_ns for path in recorded.iterdir()} == before
    assert all(len(line) <= 80 for line in ended.stdout.splitlines())


def test_another_role_in_an_answer_is_noticed(recorded: Path, tmp_path: Path) -> None:
    def other_role(lines: list[Line]) -> list[Line]:
        for one in lines:
            if of(one, "unchanged_and_in_order") and one["request"]["method"] == "GET":
                one["answer"] = one["answer"].replace('"role":"human"', '"role":"ai"')
        return lines

    ended = replay(changed(recorded, tmp_path, other_role))
    assert ended.returncode == 1
    assert f"✗ {UNCHANGED}" in ended.stdout
    assert f"differs: {UNCHANGED}: passed then, failed now" in text(ended)
    assert "zep-conformance replay" in ended.stdout.partition("again:")[2]
    assert "7 the same, 1 differs, 0 can't be told; 1 fails (exit code 1)" in text(ended)


def test_a_stranger_who_was_let_in_is_noticed(recorded: Path, tmp_path: Path) -> None:
    def let_in(lines: list[Line]) -> list[Line]:
        chosen = [one for one in lines if "with one that has expired" in one.get("by", "")]
        assert chosen
        chosen[0] |= {"status": 200, "answer": "(2 characters that may be anybody's: not kept)"}
        return lines

    ended = replay(changed(recorded, tmp_path, let_in), "-k", "nobody_reads")
    said = text(ended)
    assert ended.returncode == 1, said
    assert "not refused: 1 of " in said and "with one that has expired" in said
    assert '-H "' in said and "$ONE_THAT_HAS_EXPIRED" in said


def test_what_is_not_recorded_is_not_told(recorded: Path, tmp_path: Path) -> None:
    def without_reads(lines: list[Line]) -> list[Line]:
        return [one for one in lines if not (of(one, "unchanged_and_in") and one["request"]["method"] == "GET")]

    ended = replay(changed(recorded, tmp_path, without_reads), "-k", "unchanged_and_in_order")
    assert ended.returncode == 2
    assert "can't tell (1 scenario): the steps ask for something else than the run did" in text(ended)
    assert f"{UNCHANGED}: GET http://" in text(ended)


def test_what_was_too_much_to_be_recorded_is_said_to_be(recorded: Path, tmp_path: Path) -> None:
    def without_the_rest(lines: list[Line]) -> list[Line]:
        mine = [one for one in lines if of(one, "unchanged_and_in")]
        mine[0]["left_out"] = len(mine) - 1
        return [*(one for one in lines if not of(one, "unchanged_and_in")), mine[0]]

    ended = replay(changed(recorded, tmp_path, without_the_rest), "-k", "unchanged_and_in_order")
    said = text(ended)
    assert ended.returncode == 2
    assert "can't tell (1 scenario): it had more exchanges than a recording keeps of a scenario" in said, said
    assert f"{UNCHANGED}: " in said and " are left out" in said


def test_a_rule_of_now_may_fail_what_passed(recorded: Path) -> None:
    ended = replay(recorded, "--latency-budget", "0.001", "-k", "wait_for_enrichment")
    assert ended.returncode == 1 and "the budget is 0.001 ms" in text(ended)


def test_a_step_that_asks_for_more_fails_what_passed(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "stricter.py").write_text(
        "from fixtures.conversations import Conversation\n"
        "kept = Conversation.texts.fget\n"
        "Conversation.texts = property(lambda self: [(role, text.upper()) for role, text in kept(self)])\n"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    ended = replay(recorded, "-p", "stricter", "-k", "unchanged_and_in_order", PYTHONPATH=path)
    assert ended.returncode == 1 and "passed then, failed now" in text(ended)


def test_what_failed_fails_again_with_the_same_complaint(tmp_path: Path) -> None:
    options = ("--mutations", "zep:messages-reversed", "-k", "unchanged_and_in_order or lastn_returns")
    assert run(tmp_path, "-q", *options).returncode == 1
    reports = _reports(tmp_path / "reports")
    document = json.loads((reports / REPORT).read_text())
    ended = replay(reports)
    assert ended.returncode == 1 and " 0 differ, 0 can't be told" in text(ended)
    complaint = next(one["complaint"] for one in document["evidence"] if "unchanged_and_in" in one["nodeid"])
    assert complaint.splitlines()[0] in text(ended)


@pytest.mark.nightly
def test_the_workers_of_a_run_are_replayed_each_by_itself(tmp_path: Path) -> None:
    chosen = (
        "unchanged_and_in_order or streamed_prediction_remembers or users_who_talk_at_the_same_time or new_timestamp"
    )
    assert run(tmp_path, "-q", "-n", "2", "-k", chosen).returncode == 0
    ended = replay(_reports(tmp_path / "reports"))
    assert ended.returncode == 0 and "judged again: 4 the same, 0 differ, 0 can't be told" in text(ended)


def test_what_is_no_recording_is_said_in_two_lines(recorded: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    ended = replay(alone)
    assert ended.returncode == 2 and "[report-unreadable]" in text(ended)
    shutil.copy(recorded / REPORT, alone)
    ended = replay(alone)
    assert ended.returncode == 2 and EXCHANGES in text(ended) and "[replay-unreadable]" in text(ended)


def test_settings_of_what_is_over_are_refused(recorded: Path) -> None:
    ended = replay(recorded, "--zep-url", "http://127.0.0.1:1")
    assert ended.returncode == 2 and "[setting-unused]" in text(ended)


def test_nothing_is_reached_past_a_recording() -> None:
    player = Player(Redactor())
    player.begin(())
    with GUARD.over(player):
        for reach in (
            lambda: socket.create_connection(("127.0.0.1", 9)),
            lambda: subprocess.run(["true"], check=False),
        ):
            with pytest.raises(NotRecorded):
                reach()
    assert {one.why for one in player.missing} == {CONNECTS, STARTS}
    subprocess.run(["true"], check=True)


@pytest.mark.nightly
def test_several_processes_judge_as_one_does(tmp_path: Path) -> None:
    ended = run(tmp_path, "-q", "--recorded-behaviours", "all", "-m", "BADINPUT-1 or SESSION-2 or STORE-1 or DEPLOY-5")
    assert ended.returncode == 0, ended.stdout
    reports = _reports(tmp_path / "reports")
    several = replay(reports)
    alone = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), sys.executable, "-m", "zep_conformance"]
    known = {**ENVIRONMENT, "COLUMNS": "80"}
    one = subprocess.run([*alone, "replay", str(reports)], env=known, capture_output=True, text=True, check=False)
    assert "the same, 0 differ" in several.stdout and "can't tell" in several.stdout, several.stdout + several.stderr
    assert (several.returncode, several.stdout) == (one.returncode, one.stdout)
