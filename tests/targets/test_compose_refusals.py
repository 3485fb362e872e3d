"""What `compose:PATH` says before anything starts: no engine, no Compose, no project, or one that can't work."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from testcontainers.core.config import testcontainers_config

from tests.support import fake_engine
from tests.support.compose_projects import UserProject, engine_missing, environment
from zep_conformance.errors import CannotTell
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets import choose
from zep_conformance.targets.compose.target import ComposeTarget

FAKE = """#!/bin/sh
case "$*" in
  "compose version"*) [ -z "$FAKE_NO_COMPOSE" ] || exit 1; echo 2.40.3 ;;
  compose*config) [ -z "$FAKE_SAID" ] || { echo "$FAKE_SAID" >&2; exit 15; }; cat "$FAKE_CONFIG"
    echo "$DOCKER_HOST" > "$FAKE_CONFIG.host" ;;
esac
"""
SERVICES: dict[str, Any] = {
    "db": {"image": "pgvector/pgvector:0.8.0-pg16", "environment": {"POSTGRES_PASSWORD": "hunter2hunter2"}},
    "nlp": {"image": "ghcr.io/getzep/zep-nlp-server:0.4.2"},
    "zep": {
        "image": "ghcr.io/getzep/zep-cloud:0.27.2",
        "ports": ["8000:8000"],
        "environment": {
            "ZEP_OPENAI_API_KEY": "sk-0123456789",
            "ZEP_STORE_POSTGRES_DSN": "postgres://zep:hunter2hunter2@db:5432/zep",
        },
    },
}
Refused = Callable[..., CannotTell]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder; what is in its file does not matter, since `config` is pretended."""
    (tmp_path / "zep").mkdir()
    (tmp_path / "zep" / "docker-compose.yaml").write_text("services: {}\n")
    (tmp_path / "zep" / ".env").write_text("ZEP_OPENAI_API_KEY=sk-0123456789\n")
    return tmp_path / "zep"


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_engine.FakeEngine]:
    """An engine that pretends, at $DOCKER_HOST."""
    with fake_engine.running() as found:
        monkeypatch.setenv("DOCKER_HOST", found.address)
        yield found


@pytest.fixture
def target(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ComposeTarget]:
    """A target on an engine and a Compose that pretend. zep: what differs in its service, None for no such key."""

    def make(
        path: Path | str = folder,
        *,
        services: dict[str, Any] | None = None,
        zep: dict[str, Any] | None = None,
        variables: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
        **fake: str,
    ) -> ComposeTarget:
        found = {name: dict(one) for name, one in (services or SERVICES).items()}
        if "zep" in found:
            found["zep"] |= zep or {}
            found["zep"]["environment"] = {**found["zep"].get("environment", {}), **(variables or {})}
        (tmp_path / "config").write_text(json.dumps({"services": found}))
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "docker").write_text(FAKE)
        (tmp_path / "bin" / "docker").chmod(0o755)
        cat = tmp_path / "bin" / "cat"
        if not cat.exists():
            cat.symlink_to(shutil.which("cat") or "/bin/cat")
        monkeypatch.setenv(
            "PATH", fake.pop("programs", str(tmp_path / "bin"))
        )  # and no docker-compose of this machine's
        monkeypatch.setenv("FAKE_CONFIG", str(tmp_path / "config"))
        for name, value in fake.items():
            monkeypatch.setenv(f"FAKE_{name.upper()}", value)
        made = choose(read_settings({"target": f"compose:{path}", **(options or {})}), f"compose:{path}")
        assert isinstance(made, ComposeTarget)
        return made

    return make


@pytest.fixture
def refused(target: Callable[..., ComposeTarget]) -> Refused:
    """Why such a target does not start. Nothing secret is ever in it."""

    def why(*arguments: Any, **options: Any) -> CannotTell:
        made = target(*arguments, **options)
        try:
            with pytest.raises(CannotTell) as caught:
                made.start()
        finally:
            made.stop()
        assert "hunter2" not in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 10
        return caught.value

    return why


class TestTheMachine:
    def test_has_no_docker(self, refused: Refused, tmp_path: Path) -> None:
        assert "neither `docker compose` nor" in refused(programs=str(tmp_path / "empty")).what

    def test_has_no_engine(self, target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = target()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
        with pytest.raises(CannotTell, match="no Docker engine: there is no unix:") as caught:
            made.start()
        assert "systemctl start docker" in caught.value.advice

    def test_has_an_engine_that_is_named_to_testcontainers(
        self, target, engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DOCKER_HOST")
        monkeypatch.setitem(testcontainers_config.tc_properties, "tc.host", engine.address)
        made = target()
        made.start()
        made.stop()
        assert (tmp_path / "config.host").read_text() == f"{engine.address}\n"  # Compose asks the same

    def test_has_no_compose(self, refused: Refused) -> None:
        assert "neither `docker compose` nor `docker-compose` is installed" in refused(no_compose="1").what

    def test_has_an_engine_that_fails_at_its_work(self, refused: Refused, engine) -> None:
        engine.answer = lambda *asked: (200, fake_engine.VERSION) if "/version" in asked else (500, {"message": "ill"})
        error = refused()
        assert error.code == "engine-unusable" and "ill" in error.what


class TestThePath:
    def test_must_be_given(self, refused: Refused) -> None:
        assert "no path behind it" in refused("").what

    def test_must_be_there(self, refused: Refused) -> None:
        assert "there is no /no/such/place" in refused("/no/such/place").what

    def test_must_hold_a_project(self, refused: Refused, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        error = refused(tmp_path / "other")
        assert "no Compose file is in that folder" in error.what
        assert "docker-compose.yaml" in error.advice

    @pytest.mark.parametrize("path", ["x" * 300, "~nobody-is-called-that/zep", "\n", "zep\tzep"])
    def test_may_be_any_text(self, refused: Refused, path: str) -> None:
        assert refused(path).code == "compose-path-wrong"

    def test_is_for_this_target_only(self) -> None:
        with pytest.raises(CannotTell, match="no target 'embedded:x'") as caught:
            choose(read_settings({}), "embedded:x")
        assert "compose:PATH" in caught.value.advice


class TestTheKey:
    @pytest.mark.parametrize("text", [None, "", "ZEP_OPENAI_API_KEY=\n", "# ZEP_OPENAI_API_KEY=sk-0123456789\n"])
    def test_is_missing(self, refused: Refused, folder: Path, text: str | None) -> None:
        (folder / ".env").unlink() if text is None else (folder / ".env").write_text(text)
        error = refused(variables={"ZEP_OPENAI_API_KEY": ""})
        assert error.code == "openai-key-missing"
        assert error.what.startswith("zep is not told ZEP_OPENAI_API_KEY: it is missing or empty")
        assert ("is not there" if text is None else "has no ZEP_OPENAI_API_KEY") in error.advice
        assert str(folder / ".env") in error.advice

    def test_is_in_the_file_and_not_handed_on(self, refused: Refused) -> None:
        error = refused(variables={"ZEP_OPENAI_API_KEY": ""})
        assert "needs env_file: .env" in error.advice

    @pytest.mark.parametrize(
        "said",
        [
            "env file /x/.env not found: stat /x/.env: no such file or directory",
            "Couldn't find env file: /x/.env",
            "error while interpolating services.zep: required variable ZEP_OPENAI_API_KEY is missing a value: put one",
        ],
    )
    def test_is_missing_so_that_compose_stops(self, refused: Refused, folder: Path, said: str) -> None:
        (folder / ".env").unlink()
        assert refused(said=said).what.startswith("Zep is not told ZEP_OPENAI_API_KEY")


class TestTheProject:
    def test_is_not_understood(self, refused: Refused, folder: Path) -> None:
        error = refused(said="level=warning msg=obsolete\nyaml: line 3: did not find expected node content")
        assert "does not understand" in error.what and "line 3" in error.what and "obsolete" not in error.what
        assert str(folder) in error.advice

    @pytest.mark.parametrize("config", ["", "[]", "zep", "a: [", "services: 3", "services: {zep: 3}", "name: zep"])
    def test_is_printed_as_something_else(self, target, tmp_path: Path, config: str) -> None:
        made = target()
        (tmp_path / "config").write_text(config)
        with pytest.raises(CannotTell) as caught:
            made.start()
        made.stop()
        assert caught.value.code in ("compose-unreadable", "compose-no-zep")

    def test_is_of_a_compose_that_can_not_be_run(self, target, tmp_path: Path) -> None:
        made = target()
        (tmp_path / "bin" / "docker").write_bytes(b"\x7fELF")
        with pytest.raises(CannotTell) as caught:
            made.start()
        made.stop()
        assert caught.value.code == "compose-missing"

    def test_has_a_file_of_variables_that_we_may_not_read(
        self, refused: Refused, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = Path.read_text

        def guarded(path: Path, *arguments: Any, **options: Any) -> str:
            if path.name == ".env":
                raise PermissionError(13, "Permission denied")
            return read(path, *arguments, **options)

        monkeypatch.setattr(Path, "read_text", guarded)
        error = refused(said="open /x/.env: permission denied")
        assert error.code == "compose-unreadable" and "permission denied" in error.what

    @pytest.mark.parametrize("image", ["ghcr.io/getzep/zep:1.0.2", "zepai/zep-ce", "zepai/zep:latest"])
    def test_has_a_zep_1(self, refused: Refused, image: str) -> None:
        error = refused(zep={"image": image})
        assert error.code == "image-zep-1" and image in error.what and "is Zep 1." in error.what
        assert "ghcr.io/getzep/zep-cloud:0.27.2" in error.advice

    def test_has_no_zep(self, refused: Refused) -> None:
        assert "its services are db" in refused(services={"db": SERVICES["db"]}).what

    def test_wants_tokens_and_has_no_secret(self, refused: Refused) -> None:
        error = refused(variables={"ZEP_AUTH_REQUIRED": "true", "ZEP_AUTH_SECRET": ""})
        assert error.code == "auth-without-secret" and "is not told ZEP_AUTH_SECRET" in error.what
        assert "zep-conformance token" in error.advice

    @pytest.mark.parametrize("dsn", ["postgres://zep:hunter2hunter2@db.example.com/zep", "host=10.0.0.7 user=zep"])
    def test_has_its_database_elsewhere(self, refused: Refused, dsn: str) -> None:
        error = refused(variables={"ZEP_STORE_POSTGRES_DSN": dsn})
        assert "would work on your data" in error.what
        assert "--target remote" in error.advice

    def test_has_no_database(self, refused: Refused) -> None:
        services = {name: one for name, one in SERVICES.items() if name != "db"}
        assert "would work on your data" in refused(services=services).what

    def test_has_another_window(self, refused: Refused) -> None:
        assert refused(variables={"ZEP_MEMORY_MESSAGE_WINDOW": "6"}).advice == "Give --message-window 6."

    def test_is_on_the_hosts_network(self, refused: Refused) -> None:
        assert "network_mode: host" in refused(zep={"network_mode": "host"}).what


def test_a_moving_tag_is_brought_up_and_looked_at_then(target) -> None:
    made = target(zep={"image": "ghcr.io/getzep/zep-cloud:latest"})
    made.start()
    made.stop()


def test_an_image_whose_name_is_none_is_for_compose_to_complain_of(target) -> None:
    made = target(services={**SERVICES, "db": {**SERVICES["db"], "image": "pgvector/pgvector:"}})
    made.start()
    try:
        with pytest.raises(CannotTell):  # this engine pretends
            made.deployment(print)
    finally:
        made.stop()


def test_a_port_that_somebody_has_is_said_and_is_no_obstacle(target, engine, folder: Path) -> None:
    engine.publishing = {"web-1": ("web", "/srv/web"), "zep-1": ("zep", str(folder))}
    made = target()
    said: list[str] = []
    made.start()
    try:
        made.deployment(said.append)
    except CannotTell:
        pass  # this engine pretends
    finally:
        made.stop()
    (line,) = [line for line in said if line.startswith("port 8000")]
    assert "is taken by container web-1 of project web" in line
    assert "this run uses another, but `up` of yours would fail" in line


@pytest.mark.skipif(bool(engine_missing()), reason=engine_missing())
@pytest.mark.parametrize("spelling", ["docker compose", "docker-compose"])
class TestBothComposes:
    """What they really say, understood."""

    @pytest.fixture
    def why(
        self, spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[UserProject], CannotTell]:
        def refused(project: UserProject) -> CannotTell:
            for name, value in environment(spelling, tmp_path).items():
                monkeypatch.setenv(name, value)
            target = choose(read_settings({"target": f"compose:{project.file}"}), f"compose:{project.file}")
            try:
                with pytest.raises(CannotTell) as caught:
                    target.start()
            finally:
                target.stop()
            return caught.value

        return refused

    def test_no_env_file(self, tmp_path: Path, why) -> None:
        project = UserProject(tmp_path / "zep")
        (project.folder / ".env").unlink()
        assert "is not there. Put ZEP_OPENAI_API_KEY=… into it" in why(project).advice

    def test_an_empty_env_file(self, tmp_path: Path, why) -> None:
        assert "has no ZEP_OPENAI_API_KEY" in why(UserProject(tmp_path / "zep", env="")).advice

    def test_a_variable_that_is_required(self, tmp_path: Path, why) -> None:
        project = UserProject(tmp_path / "zep", env="")
        project.change("zep", environment={"ZEP_OPENAI_API_KEY": "${ZEP_OPENAI_API_KEY:?put your key into .env}"})
        assert "has no ZEP_OPENAI_API_KEY" in why(project).advice

    def test_a_file_that_is_no_yaml(self, tmp_path: Path, why) -> None:
        project = UserProject(tmp_path / "zep")
        project.file.write_text("services: [\n")
        assert "does not understand" in why(project).what

    def test_a_key_that_there_is_not(self, tmp_path: Path, why) -> None:
        project = UserProject(tmp_path / "zep")
        project.change("zep", imagee="zep")
        assert "imagee" in why(project).what
