"""Target `processes` with a real PostgreSQL under a Zep that is a stand-in: one of our own, and one that is given."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import runs, stand_ins
from tests.support.runs import nothing_left, output_of, some_scenarios_ran
from zep_conformance.clients.waiting import eventually
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.programs import Program
from zep_conformance.targets.processes import postgres, tokenizer

psycopg = pytest.importorskip("psycopg", reason="the extra `processes` is not installed")

RUN = [sys.executable, "-m", "zep_conformance", "run", "--target", "processes", "-p", "no:cacheprovider"]


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that PostgreSQL's user can get into, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="zc-test-"))
    for open_to_all in (folder, folder / "tmp"):
        open_to_all.mkdir(exist_ok=True)
        open_to_all.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def begin(root: Path, *options: str) -> runs.Process:
    """Start a run with stand-ins for LangFlux and Zep."""
    stand_ins.langflux(root / "bin" / "flowise")
    zep = stand_ins.zep(root / "bin" / "zep")
    (root / tokenizer.NAME).touch()
    variables = runs.environment(root, PATH=stand_ins.on_path(root / "bin"), TIKTOKEN_CACHE_DIR=str(root))
    return runs.start([*RUN, "--zep-binary", str(zep), *options], root, variables)


def test_it_stops_crashes_and_comes_back_under_zep_and_nothing_is_left(root: Path) -> None:
    process = begin(root, "-v", "-k", "postgresql or does_not_start or history_outlives")
    assert process.wait(170) == 0, output_of(root)
    output = output_of(root)
    assert "postgres is ready after" in output
    assert output.count("PASSED") == 7
    nothing_left(root)
    log = (root / "reports" / "latest" / "logs" / "postgres.log").read_text()
    assert "received fast shutdown request" in log, "it was stopped as an operator does it"
    assert "was interrupted" in log, "it was killed"


def test_nothing_of_it_is_left_of_a_killed_run(root: Path) -> None:
    process = begin(root, "-v")
    some_scenarios_ran(root, limit=90)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
    nothing_left(root)


class TestGiven:
    @pytest.fixture
    def dsn(self, root: Path) -> Iterator[str]:
        """A PostgreSQL that is not the run's."""
        state = root / "theirs"
        state.mkdir()
        program, _ = postgres.program(postgres.find(), state, ["theirs"])
        with Fleet((), [Program.from_json(program.as_json())]) as fleet:
            running = fleet.parts["postgres"]
            assert isinstance(running, Program)
            yield running.dsn

    @staticmethod
    def databases(dsn: str) -> set[str]:
        with psycopg.connect(dsn) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    def test_databases_are_made_in_it_and_removed(self, root: Path, dsn: str) -> None:
        before = self.databases(dsn)
        process = begin(root, "-v", "-k", "two_sessions or history_outlives", "--postgres-dsn", dsn)
        assert process.wait(120) == 0, output_of(root)
        assert "no capability control: this PostgreSQL is not ours to stop" in output_of(root).replace("\n    ", " ")
        assert self.databases(dsn) == before
        nothing_left(root)

    def test_they_are_removed_after_a_killed_run(self, root: Path, dsn: str) -> None:
        before = self.databases(dsn)
        process = begin(root, "-v", "--postgres-dsn", dsn)
        some_scenarios_ran(root, limit=90)
        assert len(self.databases(dsn) - before) == 2
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)

        def removed() -> None:
            assert self.databases(dsn) == before

        eventually(removed, 60)
        nothing_left(root)

    def test_one_that_may_not_make_databases(self, dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE ROLE reader LOGIN PASSWORD 'hunter2hunter2'")
        with pytest.raises(Exception, match="reader may not make databases") as caught:
            postgres.check_given(dsn.replace(dsn.partition("//")[2].partition("@")[0], "reader:hunter2hunter2"))
        assert "ALTER ROLE reader CREATEDB" in str(caught.value)
        assert "hunter2" not in str(caught.value)
