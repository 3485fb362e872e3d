"""Runs on a real Docker engine: what is kept, what is used again, and that nothing else is left, whatever ends a run.

They need images: `eval "$(.ci/images)"` makes and names some. .ci/containers does so.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell
from zep_conformance.report.observations import Timeline
from zep_conformance.settings import Settings
from zep_conformance.targets.containers import images
from zep_conformance.targets.containers.startup import Startup
from zep_conformance.targets.docker import images as docker_images
from zep_conformance.targets.docker.engine import connect
from zep_conformance.targets.docker.ownership import OWNER, RUN, Owner, remove_run

NAMED = ("ZEP_IMAGE", "NLP_IMAGE", "POSTGRES_IMAGE", "LANGFLUX_IMAGE", "MODEL_IMAGE")
COMMAND = [sys.executable, "-m", "zep_conformance", "run", "--target", "containers", "-v", "-p", "no:cacheprovider"]


def _why_not() -> str:
    if not all(os.environ.get(name) for name in NAMED):
        return 'no images are named: eval "$(.ci/images)"'
    if subprocess.run(["docker", "version"], capture_output=True).returncode:
        return "no Docker engine answers"
    return ""


pytestmark = [pytest.mark.skipif(bool(_why_not()), reason=_why_not()), pytest.mark.timeout(600)]


def docker(*arguments: str) -> list[str]:
    """The lines that the docker command prints."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def containers(run: str = "") -> set[str]:
    return set(docker("ps", "-aq", "--filter", f"label={RUN}{'=' + run if run else ''}"))


def volumes(ids: set[str]) -> set[str]:
    """The volumes that containers have."""
    template = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    return {name for line in docker("inspect", "--format", template, *ids) for name in line.split()} if ids else set()


class Running:
    """A run in a process group of its own, and what it has written."""

    def __init__(self, folder: Path, *options: str, **variables: str) -> None:
        self.output = folder / f"output-{len(list(folder.iterdir()))}"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*COMMAND, f"--reports={folder}/reports", *options],
                env={**os.environ, "ZEP_CONFORMANCE_CACHE": str(folder), **variables},
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def says(self, words: str, limit: float = 120) -> None:
        """Wait until it does."""

        def said() -> None:
            assert words in self.output.read_text(), self.output.read_text()

        eventually(said, limit)

    def end(self, number: signal.Signals) -> int:
        """Send a signal to all its processes."""
        os.killpg(self.process.pid, number)
        return self.process.wait(120)

    def done(self) -> str:
        """What it has written when it is over, which must be well."""
        assert self.process.wait(240) == 0, self.output.read_text()
        return self.output.read_text()

    def ids(self) -> set[str]:
        """The ids that are in the labels of what this process owns; of one run, at most."""
        template = f'{{{{.Label "{RUN}"}}}}|{{{{.Label "{OWNER}"}}}}'
        lines = docker("ps", "-a", "--filter", f"label={RUN}", "--format", template)
        return {line.partition("|")[0] for line in lines if f'"pid":{self.process.pid},' in line}

    def id(self) -> str:
        """The id of the run, as soon as it has a container."""

        def found() -> str:
            assert self.ids(), self.output.read_text()
            return self.ids().pop()

        return eventually(found, 120)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start runs whose kept containers are this test's own; all are ended, and what they kept is removed."""
    started: list[Running] = []

    def start(*options: str, **variables: str) -> Running:
        started.append(Running(tmp_path, *options, **variables))
        return started[-1]

    yield start
    engine = connect()
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)
        for name in one.ids():
            assert remove_run(engine, name) == []


QUICK = ("-m", "DEPLOY-1")


def nothing_left(run: str, had: set[str]) -> None:
    assert containers(run) == set()
    assert docker("network", "ls", "-q", "--filter", f"label={RUN}={run}") == []
    assert had.isdisjoint(docker("volume", "ls", "-q"))


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGINT, "nlp: ready in"), (signal.SIGTERM, "PASSED")],
    ids=["Ctrl-C while it starts", "a pipeline that is cancelled while it runs"],
)
def test_an_interrupted_run_leaves_nothing(run, number: signal.Signals, moment: str) -> None:
    one = run()
    name = one.id()
    one.says(moment)
    had = volumes(containers(name))
    assert one.end(number) == 2
    nothing_left(name, had)


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_of_one_that_lives(run) -> None:
    killed, alive = run(), run("--message-window", "6")
    names = killed.id(), alive.id()
    killed.says("PASSED"), alive.says("PASSED")
    left, kept = containers(names[0]), containers(names[1])
    had = volumes(left)
    assert left and had
    killed.end(signal.SIGKILL)
    assert containers(names[0]) == left, "somebody else removed what this is about"
    next_one = run(*QUICK)
    assert "removed what 1 killed run had left" in next_one.done()
    nothing_left(names[0], had)
    assert containers(names[1]) >= kept, "a run that lives lost its containers"
    had = volumes(kept)
    alive.end(signal.SIGINT)
    nothing_left(names[1], had)


def test_kept_containers_are_used_again_while_they_fit(run) -> None:
    first = run("--keep", *QUICK)
    name = first.id()
    first.done()
    kept = containers(name)
    assert len(kept) == 6

    assert "using the containers that were kept" in run("--keep", "-m", "SESSION-1 or AUTH-1 or FAULT-1").done()
    assert containers(name) == kept


def brought_up(timeline: Timeline | None = None, **given: object) -> tuple[str, list[str]]:
    """The id of a set that came up and was ended, in this process, and what was said. Few parts, to be quick."""
    images = {f"{name.lower()}": os.environ[name] for name in NAMED}
    elsewhere = {"zep_url": "http://zep.example.com", "langflux_url": "http://langflux.example.com"}
    startup, lines = Startup(Settings(**{**images, **elsewhere, **given}), timeline or Timeline()), []
    startup.begin()
    try:
        return startup.wait(lines.append).parts.run, lines
    finally:
        startup.end()


@pytest.mark.usefixtures("run")
def test_the_timeline_has_each_phase_of_each_part() -> None:
    timeline = Timeline()
    brought_up(timeline)
    spans = timeline.spans()
    for part in ("postgres", "nlp", "model", "zep-secured"):
        of_part = [span for span in spans if span.part == part and span.phase != "pull"]
        assert [span.phase for span in of_part] == ["create", "start", "ready"]
        assert all(one.ended <= next_one.began for one, next_one in itertools.pairwise(of_part))
    assert {span.part for span in spans if span.phase == "pull"} == {"postgres", "nlp", "model", "zep"}


@pytest.mark.usefixtures("run")
@pytest.mark.nightly
def test_kept_containers_are_replaced_where_they_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEP_CONFORMANCE_CACHE", str(tmp_path))
    first, _ = brought_up(keep=True)
    kept = containers(first)
    assert len(kept) == 4

    own, lines = brought_up()
    assert own != first and containers(own) == set(), "a run without --keep has its own, and removes them"
    assert containers(first) == kept, "and leaves the others alone"

    docker("stop", "-t", "0", *docker("ps", "-q", "--filter", f"name={first}-nlp"))
    second, lines = brought_up(keep=True)
    assert "the kept containers are not as they were left: they are replaced" in lines
    assert containers(first) == set() and len(containers(second)) == 4

    third, lines = brought_up(keep=True, message_window=6)
    assert "the kept containers are of another configuration: they are replaced" in lines
    assert containers(second) == set()

    had = volumes(containers(third))
    assert had, "PostgreSQL's image has a volume"
    fourth, lines = brought_up(fresh=True)
    assert "removed the kept containers" in lines
    nothing_left(third, had)
    nothing_left(fourth, set())


@pytest.mark.nightly
def test_two_runs_that_keep_do_not_meet(run) -> None:
    first = run("--keep")
    first.says("PASSED")
    second = run("--keep", *QUICK)
    assert "another run uses the kept containers" in second.done()
    assert first.end(signal.SIGINT) == 2, first.output.read_text()


def test_a_part_that_dies_at_its_start_ends_the_run_with_its_last_words(run) -> None:
    # Zep's stand-in in LangFlux's place: nobody gives it a key there.
    one = run("--langflux-image", os.environ["ZEP_IMAGE"], *QUICK)
    name = one.id()
    assert one.process.wait(120) == 2
    said = " ".join(one.output.read_text().split())
    assert "ended by itself (exit code 1); its log ends: ZEP_OPENAI_API_KEY is not set" in said
    assert "Traceback" not in said
    assert containers(name) == set()


@pytest.mark.nightly
def test_ryuk_only_where_it_is_asked_for(run) -> None:
    one = run(*QUICK, TESTCONTAINERS_RYUK_DISABLED="false", RYUK_CONTAINER_IMAGE="nowhere.invalid/ryuk:1")
    assert one.process.wait(120) == 2
    assert "asks for Ryuk, and it can't be started" in " ".join(one.output.read_text().split())


def test_containers_beside_a_zep_that_is_given(run, served) -> None:
    urls = served("--part", "zep", "--part", "model", "--recorded-behaviours", "none")
    said = run("--zep-url", urls["zep"], *QUICK)
    assert said.process.wait(120) == 2
    assert "is that container itself there" in " ".join(said.output.read_text().split())
    without = run("--zep-url", urls["zep"], "--zep-url-from-langflux", "http://host.docker.internal:1", *QUICK)
    assert "this Zep is not ours to stop" in " ".join(without.done().split())


def test_owners() -> None:
    """A process that is gone is known by its boot, its number, and when it began."""
    me = Owner.here()
    assert not me.is_gone()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert replace(me, pid=child.pid).is_gone()
    assert replace(me, began=me.began + 1).is_gone()
    assert replace(me, boot="another").is_gone()
    assert not replace(me, machine="another", pid=child.pid).is_gone()
    assert not replace(me, pids="another", pid=child.pid).is_gone()
    assert Owner.on({"org.zep-conformance.owner": me.label()}) == me
    assert Owner.on({}) is None and Owner.on({"org.zep-conformance.owner": '{"pid": 1}'}) is None


def test_our_image_is_said_how_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (images, docker_images):
        monkeypatch.setattr(module, "OURS", "zep-conformance:never")
    monkeypatch.setattr(images.suite, "is_installed", lambda: True)
    with pytest.raises(CannotTell, match="docker build -t zep-conformance:never"):
        images.obtain(connect(), "model", "zep-conformance:never", [].append)
    assert images.named(Settings(model_image="mine:1"), "model") == "mine:1"
