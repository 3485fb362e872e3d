"""No engine, no permission, no image, no room: one clear message each. No real engine is asked here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import fake_engine
from zep_conformance.errors import CannotTell
from zep_conformance.report.observations import Timeline
from zep_conformance.settings import Settings
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import containers, resolved
from zep_conformance.targets.containers import images
from zep_conformance.targets.containers.images import DEFAULTS, named, obtain, other_image, split
from zep_conformance.targets.containers.plan import Secrets, fingerprint, plan
from zep_conformance.targets.containers.startup import Startup
from zep_conformance.targets.docker.control import ended_by_itself, how_ended, succeeds
from zep_conformance.targets.docker.engine import PUBLISHED, DockerEngine, connect, refused, unreachable
from zep_conformance.targets.docker.ownership import RUN, remove_leftovers


@pytest.fixture(autouse=True)
def no_images_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default images, whatever .ci/images has named for other tests."""
    for part in DEFAULTS:
        monkeypatch.delenv(f"{part.upper()}_IMAGE", raising=False)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_engine.FakeEngine]:
    """An engine that refuses, at $DOCKER_HOST."""
    with fake_engine.running() as found:
        monkeypatch.setenv("DOCKER_HOST", found.address)
        yield found


def refusal(host: str, monkeypatch: pytest.MonkeyPatch) -> CannotTell:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(CannotTell) as caught:
        connect()
    return caught.value


# -- no engine ------------------------------------------------------------------------------------------------


def test_no_socket_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(f"unix://{tmp_path}/docker.sock", monkeypatch)
    assert said.what == f"no Docker engine: there is no unix://{tmp_path}/docker.sock"
    assert "systemctl start docker" in said.advice


def test_a_socket_that_nobody_listens_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(f"{tmp_path}/docker.sock")
    said = refusal(f"unix://{tmp_path}/docker.sock", monkeypatch)
    assert "connection refused" in said.what


def test_a_remote_engine_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    assert f"tcp://127.0.0.1:{port}" in refusal(f"tcp://127.0.0.1:{port}", monkeypatch).what


def test_a_socket_that_may_not_be_used() -> None:
    denied = OSError("Error while fetching server API version")
    denied.__cause__ = PermissionError(13, "Permission denied")
    said = unreachable(denied)
    assert "may not be used by this user" in said.what and "usermod -aG docker" in said.advice


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_without_permission_is_told_so(tmp_path: Path) -> None:
    """For real: a listening socket of root's, asked by nobody."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{tmp_path}/docker.sock")
        listening.listen()
        os.chmod(f"{tmp_path}/docker.sock", 0o600)
        for folder in (tmp_path, *tmp_path.parents[:-2]):
            os.chmod(folder, folder.stat().st_mode | 0o011)
        pid = os.fork()
        if pid == 0:
            os.setuid(65534)
            os.environ["DOCKER_HOST"] = f"unix://{tmp_path}/docker.sock"
            try:
                connect()
            except CannotTell as error:
                os._exit(0 if "may not be used by this user" in error.what else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_run_without_an_engine_ends_with_two_lines_and_2(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "zep_conformance", "run", "--target", "containers", "-q"],
        cwd=tmp_path,
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock", "COLUMNS": "80"},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 2, finished.stdout
    assert "no Docker engine: there is no" in finished.stdout
    assert "Traceback" not in finished.stdout + finished.stderr


# -- images that can't be pulled ------------------------------------------------------------------------------

REFUSALS = {
    'Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host': ("does not reach ghcr.io", "--registry"),
    'Get "https://ghcr.io/v2/": net/http: TLS handshake timeout': ("does not reach ghcr.io", "docker load"),
    "manifest for ghcr.io/getzep/zep-cloud:0.27.2 not found: manifest unknown": ("no such image or tag", "--zep-image"),
    "pull access denied for x, repository does not exist or may require 'docker login'": ("a login", "docker login"),
    "unauthorized: authentication required": ("wants a login", "docker login ghcr.io"),
    "no matching manifest for linux/arm64/v8 in the manifest list entries": ("kind of processor", "--zep-image"),
    "toomanyrequests: You have reached your pull rate limit": ("too many requests", "mirror"),
    "write /var/lib/docker/tmp/x: no space left on device": ("disk is full", "docker system prune"),
}


@pytest.mark.parametrize("refused", REFUSALS, ids=range(len(REFUSALS)))
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "while it is pulled"])
def test_an_image_that_cannot_be_pulled(engine: fake_engine.FakeEngine, refused: str, at_once: bool) -> None:
    engine.pulled = (500, refused) if at_once else [{"status": "Pulling"}, {"error": refused}]
    why, what_to_do = REFUSALS[refused]
    with pytest.raises(CannotTell) as caught:
        obtain(connect(), "zep", DEFAULTS["zep"], [].append)
    assert why in caught.value.what and DEFAULTS["zep"] in caught.value.what
    assert what_to_do in caught.value.advice


def test_what_a_pull_says(engine: fake_engine.FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "SAY_EVERY", -1)
    progress = {"status": "Downloading", "id": "a", "progressDetail": {"current": 12_000_000, "total": 40_000_000}}
    engine.pulled = [progress, {**progress, "id": "b"}, {"error": "manifest unknown"}]
    lines: list[str] = []
    with pytest.raises(CannotTell):
        obtain(connect(), "zep", DEFAULTS["zep"], lines.append)
    assert lines == [
        "zep: pulling ghcr.io/getzep/zep-cloud:0.27.2",
        "zep: 12 of 40 MB so far",
        "zep: 24 of 80 MB so far",
    ]


def test_an_image_that_is_there_is_not_pulled(engine: fake_engine.FakeEngine) -> None:
    engine.images = {DEFAULTS["zep"]}
    found = obtain(connect(), "zep", DEFAULTS["zep"], pytest.fail)
    assert found.digest == "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("pgvector/pgvector:0.8.0-pg16", ("pgvector/pgvector", "0.8.0-pg16")),
        ("localhost:5000/zep", ("localhost:5000/zep", "latest")),
        ("ghcr.io/getzep/zep@sha256:abc", ("ghcr.io/getzep/zep", "sha256:abc")),
    ],
)
def test_names_of_images(image: str, parts: tuple[str, str]) -> None:
    assert split(image) == parts


def test_a_registry_is_for_the_default_images() -> None:
    settings = Settings(registry="registry.example.com/mirror/", nlp_image="mine/nlp:1")
    assert named(settings, "zep-secured") == "registry.example.com/mirror/getzep/zep-cloud:0.27.2"
    assert named(settings, "langflux") == "registry.example.com/mirror/flowiseai/flowise:2.2.8"
    assert named(settings, "nlp") == "mine/nlp:1"


def test_an_image_by_option_variable_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.zep-conformance]\nzep-image = "from/file:1"\n')
    assert named(read_settings({}, tmp_path), "zep") == "from/file:1"
    monkeypatch.setenv("ZEP_IMAGE", "from/variable:1")
    assert named(read_settings({}, tmp_path), "zep") == "from/variable:1"
    assert named(read_settings({"zep_image": "from/option:1"}, tmp_path), "zep") == "from/option:1"


# -- containers that don't start ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("driver failed: Bind for 127.0.0.1:20001 failed: port is already allocated", "its port has been taken"),
        ("listen tcp4 127.0.0.1:20001: bind: address already in use", "its port has been taken"),
        ("mkdir /var/lib/docker/overlay2/x: no space left on device", "disk is full"),
        ("fork/exec /usr/bin/runc: cannot allocate memory", "memory is short"),
        ("something else", "the engine says: something else"),
    ],
)
def test_a_container_that_the_engine_refuses(text: str, why: str) -> None:
    assert why in refused(OSError(text), "zep", "an/image:1").what


def test_a_refused_start_ends_the_run(engine: fake_engine.FakeEngine) -> None:
    names = {part: f"an/image:{part}" for part in DEFAULTS}
    engine.images = set(names.values())
    engine.created = (500, "no space left on device")
    settings = Settings(**{f"{part}_image": name for part, name in names.items()})
    startup = Startup(settings, Timeline())
    startup.begin()
    with pytest.raises(CannotTell, match="disk is full"):
        startup.wait([].append)
    startup.end()


def test_what_was_created_is_on_the_timeline(engine: fake_engine.FakeEngine) -> None:
    names = {part: f"an/image:{part}" for part in DEFAULTS}
    engine.images, engine.publishing, engine.created = set(names.values()), {"c1": ("", "")}, (201, "c1")
    timeline = Timeline()
    startup = Startup(Settings(**{f"{part}_image": name for part, name in names.items()}), timeline)
    startup.begin()
    with pytest.raises(CannotTell, match="no such thing"):  # which this engine says to a start
        startup.wait([].append)
    startup.end()
    assert "create" in {span.phase for span in timeline.spans()}


class Ended:
    """A container that has."""

    def __init__(self, **state: object) -> None:
        self.attrs = {"State": state, "Config": {"Image": "ghcr.io/getzep/zep:0.27.2"}}

    def logs(self, since: float | None = None) -> bytes:
        """What it wrote, all of it."""
        assert since is None
        return b"one\nstore.type must be set\n"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"ExitCode": 137, "OOMKilled": True}, "was killed, it had used up the memory"),
        ({"ExitCode": 137}, "was killed (exit code 137), as happens when memory runs short"),
        ({"ExitCode": 1}, "ended by itself (exit code 1)"),
        ({"ExitCode": 127, "Error": "no such file"}, "ended by itself (exit code 127, no such file)"),
    ],
)
def test_how_a_container_ended(state: dict[str, object], words: str) -> None:
    assert how_ended(Ended(**state)) == words  # type: ignore[arg-type]


def test_an_image_that_another_run_removes_meanwhile_is_no_obstacle(engine: fake_engine.FakeEngine) -> None:
    engine.built = {"sha256:gone": {RUN: "zc-1"}}
    assert remove_leftovers(connect()) == []


def test_nothing_succeeds_in_a_container_that_has_just_ended(engine: fake_engine.FakeEngine) -> None:
    engine.publishing = {"gone": ("", "")}  # its exec is refused
    assert not succeeds(connect().client.containers.get("gone"), ["true"])


def test_the_last_words_are_shown_and_explained() -> None:
    died = ended_by_itself(Ended(ExitCode=1), "zep", otherwise="")  # type: ignore[arg-type]
    assert died.what.startswith("zep (ghcr.io/getzep/zep:0.27.2) ended by itself (exit code 1)")
    assert died.what.endswith("its log ends:\n    one\n    store.type must be set")
    assert died.code == "image-lacks-config" and "zep-cloud" in died.advice


def test_other_targets_import_no_docker_library() -> None:
    code = "import sys, zep_conformance.session.plugin, zep_conformance.targets; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# -- the plan -------------------------------------------------------------------------------------------------


def test_the_plan_without_what_is_given_by_url() -> None:
    settings = Settings(zep_url="https://zep.example.com", langflux_url="https://langflux.example.com")
    parts = [spec.part for spec in plan(settings, DEFAULTS, Secrets(zep="s", postgres="p"))]
    assert parts == ["postgres", "nlp", "model", "zep-secured"]


def test_secrets_are_in_no_repr() -> None:
    assert "hush" not in repr(plan(Settings(), DEFAULTS, Secrets(zep="hush", postgres="hush")))


def test_a_fingerprint_is_of_images_and_settings() -> None:
    same = fingerprint(Settings(), DEFAULTS)
    assert same == fingerprint(Settings(), DEFAULTS)
    assert same != fingerprint(Settings(message_window=6), DEFAULTS)
    assert same != fingerprint(Settings(), {**DEFAULTS, "zep": "sha256:other"})


def test_a_port_in_use_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        monkeypatch.setattr("zep_conformance.targets.docker.engine.PUBLISHED", range(number, number + 3))
        engine = DockerEngine(None, "127.0.0.1")  # type: ignore[arg-type]
        assert engine.free_port([number + 1]) == number + 2
    assert min(PUBLISHED) > 1024 and max(PUBLISHED) < 32768


# -- auto -----------------------------------------------------------------------------------------------------


def test_auto_without_an_engine_is_embedded_and_quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(containers, "SOCKET", tmp_path / "docker.sock")
    began = time.monotonic()
    assert resolved(Settings(target="auto"), {}) == (
        "embedded",
        "auto: embedded, and not containers: there is no Docker engine",
    )
    assert time.monotonic() - began < 0.1


def test_auto_with_images_that_cannot_be_had_is_embedded(engine: fake_engine.FakeEngine) -> None:
    engine.distribution = (500, "dial tcp: lookup ghcr.io: no such host")
    name, why = resolved(Settings(target="auto"), {})
    assert name == "embedded" and "can't be pulled" in why


def test_auto_with_images_that_can_be_pulled_is_containers(engine: fake_engine.FakeEngine) -> None:
    assert resolved(Settings(target="auto"), {})[0] == "containers"
    engine.images = {DEFAULTS["zep"]}
    assert resolved(Settings(target="auto"), {})[0] == "containers"


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ({}, None),
        ({"to_zep": "0.26.0"}, "ghcr.io/getzep/zep-cloud:0.26.0"),
        ({"to_zep": "0.26.0", "zep_image": "mine/zep:0.23.0"}, "mine/zep:0.26.0"),
        ({"to_zep": "mine/zep@sha256:0123"}, "mine/zep@sha256:0123"),
    ],
)
def test_the_image_to_upgrade_to(given: dict[str, str], image: str | None) -> None:
    settings = Settings(**given)
    assert other_image(settings, "zep") == image
    made = {one.part: one for one in plan(settings, {**DEFAULTS}, Secrets.drawn())}
    assert made["zep"].after == made["zep-secured"].after == (image or "")


def test_two_versions_of_langflux_have_a_folder_in_common() -> None:
    alone, other = (
        {one.part: one for one in plan(Settings(to_langflux=to), {**DEFAULTS}, Secrets.drawn())}["langflux"]
        for to in (None, "3.0.13")
    )
    assert (alone.kept, alone.after) == ("", "")
    assert other.after == "flowiseai/flowise:3.0.13"
    assert other.environment["DATABASE_PATH"] == other.kept
