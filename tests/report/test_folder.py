"""Each run has a folder of its own; `latest` is the last that could tell; the oldest go, and nobody else's files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from zep_conformance.report import folder
from zep_conformance.report.folder import FILES, LATEST, RunFolder, latest, runs, write, written

BEGAN = datetime(2026, 11, 26, 23, 17, 19, tzinfo=UTC)


def begin(reports: Path, second: int = 0) -> RunFolder:
    run = RunFolder.of(reports, started=BEGAN + timedelta(seconds=second), prefix=f"zc-{second:08x}")
    run.hold()
    return run


def kept(
    reports: Path, second: int = 0, verdict: str = "conforms", *, is_whole: bool = True, keep: int = 20, **files: str
) -> RunFolder:
    run = begin(reports, second)
    for name, text in {"conformance": json.dumps({"verdict": verdict, "second": second}), **files}.items():
        write(run.path / f"{name}.{'json' if name == 'conformance' else 'txt'}", text)
    run.publish(is_whole=is_whole)
    run.close(keep=keep)
    return run


def second_in(path: Path) -> int:
    found: int = json.loads((path / "conformance.json").read_text())["second"]
    return found


def test_a_run_is_named_by_when_it_began_and_by_what_it_makes(tmp_path: Path) -> None:
    run = RunFolder.of(tmp_path, started=BEGAN.astimezone(), prefix="zc-b817fafd")
    assert run.path == tmp_path / "2026-11-26T23-17-19Z-b817fafd"


def test_latest_leads_to_the_last_and_its_reports_are_beside_the_runs(tmp_path: Path) -> None:
    for second in (0, 1):
        run = kept(tmp_path, second)
        assert latest(tmp_path) == run.path
        assert second_in(tmp_path / LATEST) == second_in(tmp_path) == second
        assert run.standing == "latest"
    assert [second_in(path) for path in runs(tmp_path)] == [0, 1]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("verdict", ["conforms", "conforms as far as asked", "does not conform"])
def test_latest_stays_where_a_run_could_not_tell(tmp_path: Path, verdict: str) -> None:
    kept(tmp_path, 0, verdict)
    run = kept(tmp_path, 1, "could not tell", is_whole=False)
    assert second_in(tmp_path / LATEST) == second_in(tmp_path) == 0
    assert run.standing == "latest is an earlier run still"
    kept(tmp_path, 2)
    assert second_in(tmp_path / LATEST) == second_in(tmp_path) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[" * 100_000, '{"verdict": "could not tell"}'])
def test_what_tells_nothing_does_not_stay_the_latest(tmp_path: Path, text: str) -> None:
    (tmp_path / "conformance.json").write_text(text)
    kept(tmp_path, 1, "could not tell", is_whole=False)
    assert second_in(tmp_path / LATEST) == second_in(tmp_path) == 1


def test_reports_of_before_there_were_runs_stay_where_a_run_could_not_tell(tmp_path: Path) -> None:
    (tmp_path / "conformance.json").write_text('{"verdict": "conforms"}')
    kept(tmp_path, 1, "could not tell", is_whole=False)
    assert (tmp_path / "conformance.json").read_text() == '{"verdict": "conforms"}'
    assert latest(tmp_path) is None


def test_a_run_that_could_tell_may_say_more_in_the_end(tmp_path: Path) -> None:
    run = begin(tmp_path)
    write(run.path / "conformance.json", '{"verdict": "conforms", "second": 1}')
    run.publish(is_whole=True)
    write(run.path / "conformance.json", '{"verdict": "could not tell", "second": 2}')
    assert run.publish(is_whole=False)
    assert second_in(tmp_path) == 2


def test_what_the_run_before_left_beside_the_runs_goes_and_what_is_somebody_elses_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    kept(tmp_path, 0, only_then="then", mine="not mine")
    (tmp_path / "mine.txt").write_text("mine")
    kept(tmp_path, 1)
    assert not (tmp_path / "only_then.txt").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_the_oldest_go_and_never_the_latest(tmp_path: Path) -> None:
    kept(tmp_path, 0)
    for second in range(1, 6):
        kept(tmp_path, second, "could not tell", is_whole=False, keep=3)
    assert [second_in(path) for path in runs(tmp_path)] == [0, 4, 5]
    assert second_in(tmp_path / LATEST) == 0
    kept(tmp_path, 6, keep=1)
    assert [second_in(path) for path in runs(tmp_path)] == [6]


def test_what_is_still_being_written_stays(tmp_path: Path) -> None:
    running = begin(tmp_path)
    write(running.path / "conformance.json", '{"second": 0}')
    kept(tmp_path, 1, keep=1)
    kept(tmp_path, 2, keep=1)
    assert [second_in(path) for path in runs(tmp_path)] == [0, 2]
    running.close(keep=20)
    kept(tmp_path, 3, keep=1)
    assert [second_in(path) for path in runs(tmp_path)] == [3]


def test_what_a_killed_run_left_goes_in_its_turn(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\n"
        "from zep_conformance.report.folder import RunFolder, write\n"
        f"run = RunFolder(Path(sys.argv[1]), {BEGAN.strftime('%Y-%m-%dT%H-%M-%SZ-0')!r})\n"
        "run.hold()\nwrite(run.path / 'page' / 'one' / 'page.txt', 'text')\nwrite(run.path / '.junit.xml', 'text')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=120, check=False)
    assert len(runs(tmp_path)) == 1
    kept(tmp_path, 1, keep=1)
    assert [second_in(path) for path in runs(tmp_path)] == [1]
    assert len(list(tmp_path.glob("2026*"))) == 1


def test_nobody_elses_files_go(tmp_path: Path) -> None:
    run = kept(tmp_path, 0)
    (run.path / "notes").mkdir()
    (run.path / "notes" / "mine.txt").write_text("mine")
    (tmp_path / "2026-01-01T00-00-00Z-mine").mkdir()
    (tmp_path / "2026-01-01T00-00-00Z-mine" / "conformance.json").write_text("{}")
    kept(tmp_path, 1, keep=1)
    assert not (run.path / "conformance.json").exists()
    assert (run.path / "notes" / "mine.txt").read_text() == "mine"
    assert (tmp_path / "2026-01-01T00-00-00Z-mine" / "conformance.json").exists()
    assert [second_in(path) for path in runs(tmp_path)] == [1]


@pytest.mark.parametrize("name", ["../outside.txt", "link/outside.txt", "link.txt", "", "."])
def test_a_list_of_files_names_only_files_of_its_folder(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    run = kept(tmp_path / "reports", 0)
    (run.path / "link").symlink_to(tmp_path)
    (run.path / "link.txt").symlink_to(outside)
    (run.path / FILES).write_text(json.dumps([name, str(outside), 7, "conformance.json"]))
    assert written(run.path) == [run.path / "conformance.json"]
    kept(tmp_path / "reports", 1, keep=1)
    assert outside.read_text() == "mine"


@pytest.mark.parametrize("text", ["{", "{}", "7", "[" * 100_000])
def test_a_broken_list_of_files_names_none(tmp_path: Path, text: str) -> None:
    run = kept(tmp_path, 0)
    (run.path / FILES).write_text(text)
    assert [path for path in written(run.path) if path.name != "conformance.json"] == []


def test_a_run_that_wrote_nothing_leaves_nothing(tmp_path: Path) -> None:
    begin(tmp_path).close(keep=20)
    assert list(tmp_path.iterdir()) == []


def test_without_links_a_file_names_the_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refused)
    for second in (0, 1):
        run = kept(tmp_path, second)
        assert not (tmp_path / LATEST).is_symlink()
        assert (tmp_path / LATEST).read_text() == f"{run.path.name}\n"
        assert latest(tmp_path) == run.path


def test_a_folder_of_that_name_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / LATEST).mkdir()
    (tmp_path / LATEST / "mine.txt").write_text("mine")
    kept(tmp_path, 0)
    assert (tmp_path / LATEST / "mine.txt").read_text() == "mine"
    assert second_in(tmp_path) == 0
    assert latest(tmp_path) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [LATEST, "conformance.json", runs(tmp_path)[0].name]
    )


@pytest.mark.parametrize("to", ["/etc", "..", "gone", "2026-11-26T23-17-19Z-gone"])
def test_latest_leads_nowhere_else(tmp_path: Path, to: str) -> None:
    (tmp_path / LATEST).symlink_to(to)
    assert latest(tmp_path) is None
    kept(tmp_path, 3)
    assert second_in(tmp_path / LATEST) == 3


def test_a_file_system_without_locks_is_used_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("no locks here")

    monkeypatch.setattr(folder.fcntl, "flock", refused)
    kept(tmp_path, 0)
    kept(tmp_path, 1, keep=1)
    # Whether another is still being written can't be seen: it stays.
    assert [second_in(path) for path in runs(tmp_path)] == [0, 1]
    assert second_in(tmp_path) == 1


def test_runs_at_once_do_not_spoil_each_other(tmp_path: Path) -> None:
    program = (
        "import json, sys\nfrom pathlib import Path\n"
        "from zep_conformance.report.folder import RunFolder, write\n"
        "reports, which = Path(sys.argv[1]), sys.argv[2]\n"
        "for number in range(20):\n"
        "    run = RunFolder(reports, f'2026-11-26T23-17-19Z-{which}{number:02}')\n"
        "    run.hold()\n"
        "    for name in ('conformance.json', 'summary.md', 'junit.xml'):\n"
        "        write(run.path / name, json.dumps({'verdict': 'conforms', 'of': run.path.name}))\n"
        "    run.publish(is_whole=True)\n"
        "    run.close(keep=5)\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), which]) for which in "abc"]
    assert [process.wait(120) for process in started] == [0, 0, 0]
    found = {
        json.loads((tmp_path / name).read_text())["of"] for name in ("conformance.json", "summary.md", "junit.xml")
    }
    assert found == {os.readlink(tmp_path / LATEST)}
    assert 1 <= len(runs(tmp_path)) <= 7  # two of them may have been under way when the last was over
    for run in runs(tmp_path):
        assert {json.loads(path.read_text())["of"] for path in written(run)} == {run.name}
