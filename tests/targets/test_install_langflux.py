"""Installing LangFlux: what is checked first, what is left when it goes wrong, and two at once. npm is a stand-in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell
from zep_conformance.targets.processes import installation as langflux_install
from zep_conformance.targets.processes.installation import Progress

COMMAND = [sys.executable, "-m", "zep_conformance", "install-langflux"]
ARRIVES = "for p in flowise sqlite3; do mkdir -p node_modules/$p; echo {} > node_modules/$p/package.json; done"
HANGS = "echo begun > ../begun; sleep 300"

Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A PATH with a node and an npm of our own on it (None: without), and a cache folder of our own.

    npm: shell commands that `npm ci` runs. Each call of npm is noted in the file `calls`.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "mkdir", "sleep"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("ZEP_CONFORMANCE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(folder))

    def make(npm: str | None = ARRIVES, node: str | None = "v20.11.1") -> None:
        scripts = {
            "node": node and f"echo {node}",
            "npm": npm
            and f'[ "$1" = --version ] && echo 10.1.0 && exit; echo "$*" >> {tmp_path / "calls"}\n'
            f'[ "$1" = ci ] || exit 0\n{npm}',
        }
        for name, script in scripts.items():
            (folder / name).unlink(missing_ok=True)
            if script:
                (folder / name).write_text(f"#!/bin/sh\n{script}\n")
                (folder / name).chmod(0o755)

    return make


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    """What npm was called with so far, without asking for its version."""

    def read() -> list[str]:
        path = tmp_path / "calls"
        return [line.partition(" ")[0] for line in path.read_text().splitlines()] if path.exists() else []

    return read


def left_in(tmp_path: Path) -> list[str]:
    """What is in the cache, but for the lock file."""
    return sorted(path.name for path in (tmp_path / "cache").glob("*") if path.suffix != ".lock")


# -- what is checked before anything is done ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("npm", "node", "said"),
    [
        (ARRIVES, None, "no node on the PATH"),
        (ARRIVES, "v22.1.0", "is Node.js v22.1.0"),
        (ARRIVES, "v18.14.0", "is Node.js v18.14.0"),
        (ARRIVES, "nonsense", "is Node.js nonsense"),
        (None, "v20.11.1", "no npm on the PATH"),
    ],
    ids=["no node", "node 22", "an old node 18", "a node that is none", "no npm"],
)
def test_what_is_missing_is_said_first(
    tmp_path: Path, programs: Programs, calls, npm: str | None, node: str | None, said: str
) -> None:
    programs(npm, node)
    with pytest.raises(CannotTell, match=said) as caught:
        langflux_install.install()
    assert "Node.js" in str(caught.value)
    assert calls() == []
    assert not (tmp_path / "cache").exists()


def test_an_npm_that_does_not_work_is_no_npm(programs: Programs, tmp_path: Path) -> None:
    programs()
    (tmp_path / "bin" / "npm").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(CannotTell, match="npm does not work"):
        langflux_install.install()


def test_a_full_disk_is_said_first(programs: Programs, calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_200_000_000))
    with pytest.raises(CannotTell, match=r"takes 3\.5 GB, and the disk of \S+ has 1\.2 GB free"):
        langflux_install.install()
    assert calls() == []


def test_a_cache_that_cannot_be_made_is_said_first(
    programs: Programs, calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs()
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZEP_CONFORMANCE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(CannotTell, match="can't make the folder"):
        langflux_install.install()
    assert calls() == []


def test_a_version_without_a_lock_is_refused(programs: Programs) -> None:
    programs()
    with pytest.raises(CannotTell, match=r"no committed lock for LangFlux 9\.9\.9"):
        langflux_install.install("9.9.9")


# -- an installation ------------------------------------------------------------------------------------------


def test_it_is_installed_once(tmp_path: Path, programs: Programs, calls) -> None:
    programs()
    assert langflux_install.installed() is None
    seen: list[Progress] = []
    folder = langflux_install.install(on_progress=seen.append)
    assert calls() == ["ci", "rebuild"]
    assert langflux_install.installed() == folder == langflux_install.install()
    assert calls() == ["ci", "rebuild"]
    assert left_in(tmp_path) == [folder.name]
    assert [progress.stage for progress in seen if progress.done == 0][-1] == "compiling sqlite3"
    assert {progress.total for progress in seen if progress.stage == "packages"} == {2561}
    node, script, verb = langflux_install.command("2.2.8", folder)
    assert (Path(node).name, Path(script), verb) == ("node", folder / "node_modules/flowise/bin/run", "start")


def test_packages_are_counted_as_they_arrive(programs: Programs) -> None:
    # It goes on when two packages have been counted: told by a file, since nobody naps here.
    programs(f"{ARRIVES}; while [ ! -e counted ]; do sleep 0.05; done")
    most = 0

    def on_progress(progress: Progress) -> None:
        nonlocal most
        most = max(most, progress.done)
        if progress.done == 2:
            folder = langflux_install.locked_version("2.2.8").folder
            (folder.with_name(f"{folder.name}.partial") / "counted").touch()

    langflux_install.install(on_progress=on_progress)
    assert most == 2


def test_what_is_half_there_from_before_is_replaced(tmp_path: Path, programs: Programs) -> None:
    programs()
    wanted = langflux_install.locked_version("2.2.8").folder
    for old in (wanted, wanted.with_name(f"{wanted.name}.partial")):
        (old / "node_modules").mkdir(parents=True)
        (old / "node_modules" / "stale").touch()
    folder = langflux_install.install()
    assert left_in(tmp_path) == [folder.name]
    assert not (folder / "node_modules" / "stale").exists()


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("npm error code ENOSPC", "The disk is full"),
        ("npm error code EINTEGRITY", "not what the lock says"),
        ("npm error code ENOTFOUND", "could not be reached"),
        ("npm error code E401", "refuses"),
        ("npm error code ETARGET", "lacks a package"),
        ("gyp ERR! stack Error: not found: make", "needs make, a C++ compiler"),
        ("something else", "What was begun is removed"),
    ],
)
def test_a_failing_npm_has_the_last_word(tmp_path: Path, programs: Programs, words: str, advice: str) -> None:
    programs(f"{ARRIVES}; echo '{words}' >&2; exit 7")
    with pytest.raises(CannotTell, match=r"npm ci .* failed \(7\)") as caught:
        langflux_install.install()
    assert f"    {words}" in caught.value.what.splitlines()
    assert advice in caught.value.advice
    assert left_in(tmp_path) == []
    programs()
    assert langflux_install.install().name in left_in(tmp_path)


def test_two_at_once_install_once(tmp_path: Path, programs: Programs, calls) -> None:
    programs(f"{ARRIVES}; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
    folders: list[Path] = []
    waited = threading.Event()

    def second(progress: Progress) -> None:
        if progress.stage == "another to end":
            waited.set()

    first = threading.Thread(target=lambda: folders.append(langflux_install.install()))
    first.start()
    eventually(lambda: exists(tmp_path / "calls"), 60)
    other = threading.Thread(target=lambda: folders.append(langflux_install.install(on_progress=second)))
    other.start()
    assert waited.wait(60)
    (tmp_path / "go").touch()
    first.join(10)
    other.join(10)
    assert folders == [langflux_install.installed()] * 2
    assert calls() == ["ci", "rebuild"]


def exists(path: Path) -> None:
    assert path.exists()


# -- however it ends ------------------------------------------------------------------------------------------


def processes_in(folder: Path) -> list[str]:
    """Command lines of processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def nobody_in(folder: Path) -> None:
    assert processes_in(folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_npm_ends_with_it(tmp_path: Path, programs: Programs, number: signal.Signals) -> None:
    programs(HANGS)
    process = subprocess.Popen(
        COMMAND,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    eventually(lambda: exists(tmp_path / "cache" / "begun"), 60)
    (tmp_path / "cache" / "begun").unlink()
    os.killpg(process.pid, number)
    said = process.communicate(timeout=60)[1]
    eventually(lambda: nobody_in(tmp_path / "cache"), 60)
    if number != signal.SIGKILL:
        assert process.returncode == 2
        assert "interrupted: what was begun is removed" in said
        assert left_in(tmp_path) == []
    programs()
    folder = langflux_install.install()
    assert left_in(tmp_path) == [folder.name]


# -- the command ----------------------------------------------------------------------------------------------


def test_the_command_prints_the_folder_and_nothing_else(programs: Programs) -> None:
    programs()
    ran = subprocess.run(COMMAND, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [str(langflux_install.installed())]
    assert "It takes 2.6 GB, and up to 0.9 GB in npm's cache; 3 to 10 minutes." in ran.stderr
    again = subprocess.run([*COMMAND, "--version", "2.2.8"], capture_output=True, text=True, check=True)
    assert again.stdout == ran.stdout
    assert "It takes" not in again.stderr


def test_the_command_says_what_is_wrong(programs: Programs) -> None:
    programs(node=None)
    ran = subprocess.run(COMMAND, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "no node on the PATH: LangFlux 2.2.8 runs on Node.js 18 (from 18.15) or 20" in ran.stderr


def test_the_command_lists_what_there_is(programs: Programs) -> None:
    programs()
    langflux_install.install()
    ran = subprocess.run([*COMMAND, "--list"], capture_output=True, text=True, check=True)
    lines = {line.split()[0]: line for line in ran.stdout.splitlines()}
    assert list(lines) == langflux_install.versions()
    assert "(default) installed in" in lines["2.2.8"]
    assert all("not installed" in line for version, line in lines.items() if version != "2.2.8")


# -- the locks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", langflux_install.versions())
def test_a_lock_is_whole(version: str) -> None:
    lock = langflux_install.locked_version(version)
    manifest, locked = (json.loads((lock.source / name).read_text()) for name in ("package.json", "package-lock.json"))
    packages = locked["packages"]
    assert packages[""]["dependencies"] == manifest["dependencies"]
    assert packages["node_modules/flowise"]["version"] == manifest["dependencies"]["flowise"] == version
    assert [name for name, entry in packages.items() if name and not entry.get("integrity")] == []
    # Any registry will do, and nothing is in it that npm would leave out.
    assert [name for name, entry in packages.items() if "resolved" in entry or entry.get("extraneous")] == []


def test_the_cache_of_before_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZEP_CONFORMANCE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    folder = Path("/somewhere/zep-conformance/langflux-2.2.8-dcc46e6f21c7")
    assert langflux_install.locked_version("2.2.8").folder == folder


def test_all_state_goes_into_one_folder(tmp_path: Path) -> None:
    variables = langflux_install.environment(tmp_path, 3000)
    paths = [value for name, value in variables.items() if name == "HOME" or name.endswith("_PATH")]
    assert len(paths) == 6 and all(Path(path).is_relative_to(tmp_path) for path in paths)
    assert variables["DISABLE_FLOWISE_TELEMETRY"] == "true"
