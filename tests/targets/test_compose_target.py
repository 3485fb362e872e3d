"""`compose:PATH` on a real engine: a project comes up beside the one that runs, and nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import runs
from tests.support.compose_projects import (
    KEY,
    UserProject,
    docker,
    engine_missing,
    environment,
    left_of,
    volumes,
    volumes_of,
)
from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import CannotTell
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import Deployment, choose
from zep_conformance.targets.compose.control import ServicesControl
from zep_conformance.targets.compose.target import ComposeTarget

pytestmark = [pytest.mark.skipif(bool(engine_missing()), reason=engine_missing()), pytest.mark.xdist_group("compose")]
SPELLINGS = ("docker compose", "docker-compose")
RUN = [sys.executable, "-m", "zep_conformance", "run", "-v", "-p", "no:cacheprovider"]
SECRET = "a-secret-of-the-test-that-is-long-enough-for-anybody"
Up = Callable[..., tuple[ComposeTarget, Deployment, list[str]]]


@pytest.fixture
def project(tmp_path: Path) -> UserProject:
    """A user's project that is fit."""
    return UserProject(tmp_path / "zep")


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    """Bring a project up; it goes down at the end, and nothing may be left of it."""
    made: list[ComposeTarget] = []

    def bring(project: UserProject, spelling: str = SPELLINGS[0], **options: Any) -> Any:
        for name, value in environment(spelling, tmp_path).items():
            monkeypatch.setenv(name, value)
        target = choose(read_settings({"target": f"compose:{project.folder}", **options}), f"compose:{project.folder}")
        assert isinstance(target, ComposeTarget)
        made.append(target)
        said: list[str] = []
        target.start()
        return target, target.deployment(said.append), said

    yield bring
    for target in made:
        used = volumes_of(target.project_name)
        target.stop()
        assert left_of(target.project_name) == {}
        assert not used & volumes()
    assert list((tmp_path / "tmp").glob("zep-conformance-*")) == []


def started(containers: list[str]) -> str:
    return docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", *containers)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_project_comes_up_and_its_parts_are_controlled(project: UserProject, up: Up, spelling: str) -> None:
    (project.folder / ".env").write_text(
        f"ZEP_OPENAI_API_KEY={KEY}\nZEP_AUTH_REQUIRED=true\nZEP_AUTH_SECRET={SECRET}\n"
    )
    before = project.everything()
    target, found, said = up(project, spelling)
    assert found.zep is not None and found.zep == found.secured and found.secret == SECRET
    assert "auth" not in found.missing and "secret" not in found.missing and "control" not in found.missing
    assert any(spelling in line for line in said)
    assert set(found.details) == {"zep", "nlp", "postgres", "model"}
    assert {span.part for span in target.timeline.spans()} == {"all", "zep", "nlp", "postgres", "model"}
    zep = httpx.Client(base_url=found.zep.url, headers={"Authorization": f"Bearer {found.zep.token}"}, timeout=5)
    control = target.control
    assert isinstance(control, ServicesControl)

    # It remembers, after a crash of each part.
    zep.post("/api/v1/sessions/s/memory", json={"messages": [{"role": "human", "content": "kept"}]}).raise_for_status()
    for part in ("postgres", "zep"):
        control.kill(part)
        control.start(part)
    assert [one["content"] for one in zep.get("/api/v1/sessions/s/memory").json()["messages"]] == ["kept"]

    # Variables that differ hold for one start.
    control.stop("zep")
    words = control.attempt("zep", {"ZEP_OPENAI_API_KEY": ""})
    assert words is not None and "ZEP_OPENAI_API_KEY is not set" in words
    control.start("zep")
    assert zep.get("/healthz").status_code == 200

    assert target.ended() == {}
    docker("kill", control.container("nlp").id)  # as somebody else might
    assert target.ended() == {"nlp": "was killed (exit code 137), as happens when memory runs short"}
    control.start("nlp")

    control.pause("zep")
    with pytest.raises(httpx.ReadTimeout):
        zep.get("/healthz", timeout=0.5)
    control.resume("zep")
    assert zep.get("/healthz").status_code == 200

    control.stop("zep")
    with pytest.raises(CannotTell, match=r"zep .*ended by itself \(exit code 1\)") as caught:
        control.start("zep", {"ZEP_AUTH_SECRET": ""})
    assert "zep-conformance token" in caught.value.advice
    assert "Uvicorn running" in target.log("nlp")
    assert SECRET not in target.log("zep")
    assert project.everything() == before


@pytest.mark.timeout(400)
def test_a_deployment_that_runs_already_is_not_touched(project: UserProject, tmp_path: Path) -> None:
    """Names, ports, volumes and networks of its own, an external volume among them: all stay, and go on."""
    variables = environment("docker compose", tmp_path)
    name, theirs = f"theirs-{os.getpid()}", f"theirs-{os.getpid()}-external"
    port = _free_port()
    document = project.read()
    document["networks"]["zep-network"] = {"name": f"{name}-network"}
    document["volumes"] = {"zep-db": {"name": f"{name}-db"}, "theirs": {"name": theirs, "external": True}}
    for service in document["services"]:
        document["services"][service]["container_name"] = f"{name}-{service}"
    zep = document["services"]["zep"]
    zep |= {"ports": [f"{port}:8000"], "volumes": ["theirs:/theirs"]}
    zep["environment"] |= {
        "ZEP_STORE_POSTGRES_DSN": f"postgres://postgres:postgres@{name}-db:5432/?sslmode=disable",
        "ZEP_NLP_SERVER_URL": f"http://{name}-nlp:5557",
    }
    project.write(document)
    compose = ["docker", "compose", "--project-name", name]
    docker("volume", "create", theirs)
    try:
        subprocess.run([*compose, "up", "--detach", "--wait"], cwd=project.folder, env=variables, check=True)
        running = [f"{name}-{service}" for service in ("db", "nlp", "zep")]
        before, files = started(running), project.everything()
        done = subprocess.run(
            [*RUN, "--target", "compose:zep", "-m", "STORE-3 or DEPLOY-4 or DEPLOY-5", "--reports=reports"],
            cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert "4 passed" in done.stdout
        assert KEY not in done.stdout + (tmp_path / "reports" / "conformance.json").read_text()
        assert started(running) == before and project.everything() == files
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        assert left_of(ours_in(done.stdout)) == {}
    finally:
        subprocess.run([*compose, "down", "--volumes", "--timeout", "0"], cwd=project.folder, env=variables, check=True)
        docker("volume", "rm", theirs)  # fails if the run had removed it


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ours_in(output: str) -> str:
    """The name of the project that a run has said."""
    found = re.search(r"as\s+project\s+(zc-[0-9a-f]{8})", output)
    assert found, output
    return found[1]


def containers_there() -> set[str]:
    """The ids of all containers that the engine has."""
    return set(subprocess.run(["docker", "ps", "-aq"], capture_output=True, text=True, check=True).stdout.split())


class TestWhatDoesNotComeUp:
    """Each time: the part's last words, a cause, and nothing is left (see `up`)."""

    def dies(self, project: UserProject, said: str) -> None:
        project.change("zep", entrypoint=["sh", "-c", f"echo '{said}'; exit 3"])

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_a_zep_that_ends(self, project: UserProject, up: Up, spelling: str) -> None:
        self.dies(project, "level=fatal msg=store.type must be set")
        with pytest.raises(CannotTell, match=r"(?s)zep \(.*exit code 3\).*store\.type must be set") as caught:
            up(project, spelling)
        assert "zep-cloud:0.27.2" in caught.value.advice

    @pytest.mark.nightly
    def test_one_that_another_waits_for(self, project: UserProject, up: Up) -> None:
        project.change("db", entrypoint=["sh", "-c", f"echo cannot use {KEY}; exit 1"])
        project.change("zep", depends_on={"db": {"condition": "service_healthy"}})
        with pytest.raises(CannotTell, match=r"db .*ended by itself \(exit code 1\)") as caught:
            up(project)
        assert KEY not in str(caught.value)

    @pytest.mark.nightly
    def test_one_that_is_never_healthy(self, project: UserProject, up: Up) -> None:
        check = {"test": ["CMD-SHELL", "echo no such tool; exit 1"], "interval": "0.2s", "retries": 2}
        project.change("nlp", healthcheck=check)
        with pytest.raises(CannotTell, match=r"(?s)nlp .*is unhealthy; the check says: no such tool.*Uvicorn running"):
            up(project)

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_a_build_that_fails(self, project: UserProject, up: Up, spelling: str) -> None:
        (project.folder / "Dockerfile").write_text(
            f"FROM {os.environ['ZEP_IMAGE']}\nRUN echo go: cannot find main module >&2 && false\n"
        )
        project.change("zep", image="my/zep:dev", build=".")
        before = containers_there()
        with pytest.raises(CannotTell, match=r"(?s)the build failed:.*go: cannot find main module"):
            up(project, spelling)
        assert containers_there() == before

    @pytest.mark.parametrize("spelling", SPELLINGS)
    def test_an_image_that_can_not_be_pulled(self, project: UserProject, up: Up, spelling: str) -> None:
        project.change("nlp", image="registry.invalid/zep-nlp-server:0.4.2")
        with pytest.raises(CannotTell, match="an image can't be pulled") as caught:
            up(project, spelling)
        assert caught.value.code == "registry-unreachable"
        assert "docker load" in caught.value.advice

    @pytest.mark.nightly
    def test_a_zep_that_turns_out_to_be_1(self, project: UserProject, up: Up) -> None:
        serve = (
            "import http.server as h; H = type('H', (h.BaseHTTPRequestHandler,), {'do_GET': lambda s: ("
            "s.send_response(200), s.send_header('X-Zep-Version', '1.0.2-x'), s.end_headers())}); "
            "h.HTTPServer(('', 8000), H).serve_forever()"
        )
        project.change("zep", entrypoint=["python3", "-c", serve])
        with pytest.raises(CannotTell, match=r"1\.0\.2"):
            up(project)

    @pytest.mark.nightly
    def test_a_service_that_is_switched_off(self, project: UserProject, up: Up) -> None:
        project.change("nlp", scale=0)
        target, *_ = up(project)  # a scale is dropped: what is in the file comes up
        assert target.control is not None


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_image_that_is_built_is_removed_again(project: UserProject, up: Up, spelling: str) -> None:
    (project.folder / "Dockerfile").write_text(f"FROM {os.environ['ZEP_IMAGE']}\nENV BUILT=here\n")
    project.change("zep", image=f"zep-conformance-test/of-the-user:{os.getpid()}", build=".")
    _, found, said = up(project, spelling)
    assert found.details["zep"]["image"].startswith("zc-")
    assert any(line.startswith("building zep") for line in said)
    assert docker("image", "ls", "--quiet", f"zep-conformance-test/of-the-user:{os.getpid()}") == ""


# -- however it ends ------------------------------------------------------------------------------------------------


class StartedRun:
    """A run in a process group of its own, as a terminal starts it."""

    def __init__(self, tmp_path: Path, project: UserProject) -> None:
        self.path = tmp_path / "output"
        self.process = runs.start(
            [*RUN, "--target", f"compose:{project.folder}", f"--reports={tmp_path / 'reports'}"],
            tmp_path,
            environment("docker compose", tmp_path),
        )

    def until(self, words: str, count: int = 1) -> None:
        """Wait until it has written some words so often."""

        def written() -> None:
            assert self.process.poll() is None, self.path.read_text()
            assert self.path.read_text().count(words) >= count

        eventually(written, 90)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to everything in its group."""
        os.killpg(self.process.pid, number)

    def ended(self) -> int:
        """Return its exit code as soon as it has ended; with what it has written, where it does not end."""
        try:
            return self.process.wait(180)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.path.read_text()) from None


@pytest.fixture
def session(tmp_path: Path, project: UserProject) -> Iterator[StartedRun]:
    """A run that goes on."""
    running = StartedRun(tmp_path, project)
    yield running
    if running.process.poll() is None:
        running.signal(signal.SIGINT)
        running.ended()


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGINT, "comes up as"), (signal.SIGTERM, "PASSED")],
    ids=["Ctrl-C while it comes up", "a cancelled pipeline while scenarios run"],
)
def test_an_interrupted_run_leaves_nothing(session: StartedRun, number: signal.Signals, words: str) -> None:
    session.until(words)
    session.signal(number)
    assert session.ended() == 2
    assert left_of(ours_in(session.path.read_text())) == {}


def test_what_a_killed_run_leaves_is_removed_by_the_next(session: StartedRun, project: UserProject, up: Up) -> None:
    session.until("PASSED")
    session.signal(signal.SIGKILL)
    session.process.wait(60)
    name = ours_in(session.path.read_text())
    used = volumes_of(name)
    assert set(left_of(name)) == {"container", "network", "volume"}
    TestWhatDoesNotComeUp().dies(project, "anything")
    with pytest.raises(CannotTell):
        up(project)
    assert left_of(name) == {}
    assert not used & volumes()
