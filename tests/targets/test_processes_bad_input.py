"""Target `processes`: what is missing is said before anything is started, with the command that helps."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import stand_ins
from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings
from zep_conformance.settings.sources import read_settings
from zep_conformance.targets.processes import langflux, postgres, surroundings, tokenizer, zep


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, and an empty cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("ZEP_CONFORMANCE_CACHE", str(tmp_path / "cache"))
    return folder


def refused(call: Callable[..., object], *arguments: Any) -> CannotTell:
    with pytest.raises(CannotTell) as caught:
        call(*arguments)
    return caught.value


def settings(**options: Any) -> Settings:
    return read_settings({"target": "processes", **options}, Path("/"))


# -- LangFlux ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("programs")
class TestLangFlux:
    def test_none_at_all_names_the_command_that_installs_it_and_what_that_costs(self) -> None:
        error = refused(langflux.find, settings())
        assert "no `flowise` on the PATH, and 2.2.8 is not installed in" in error.what
        assert "`zep-conformance install-langflux` does that (2.6 GB" in error.advice

    def test_a_version_that_is_not_installed(self, programs: Path) -> None:
        stand_ins.shell(programs / "flowise", "exit 0")  # the one on the PATH is not what was asked for
        error = refused(langflux.find, settings(langflux_version="2.2.8"))
        assert error.what.startswith("no LangFlux to start: 2.2.8 is not installed")

    def test_a_version_without_a_lock(self) -> None:
        assert "no committed lock for LangFlux 0.0.1" in refused(langflux.find, settings(langflux_version="0.0.1")).what

    def test_on_the_path_but_no_node(self, programs: Path) -> None:
        stand_ins.script(programs / "flowise", "#!/usr/bin/env node\n")
        error = refused(langflux.find, settings())
        assert "no node is on the PATH" in error.what
        assert "nvm install 20" in error.advice

    def test_a_known_version_on_the_path_and_a_node_that_does_not_fit(self, programs: Path, tmp_path: Path) -> None:
        package = tmp_path / "lib" / "flowise"
        stand_ins.script(package / "bin" / "run", "#!/usr/bin/env node\n")
        (package / "package.json").write_text('{"name": "flowise", "version": "2.2.8"}')
        (programs / "flowise").symlink_to(package / "bin" / "run")
        stand_ins.shell(programs / "node", "echo v16.20.0")
        error = refused(langflux.find, settings())
        assert "is Node.js v16.20.0: LangFlux 2.2.8 runs on Node.js 18" in error.what
        assert "nvm install 20" in error.advice

    def test_on_the_path_it_is_taken(self, programs: Path) -> None:
        flowise = stand_ins.shell(programs / "flowise", "exit 0")
        assert langflux.find(settings()) == langflux.LangFluxProgram((str(flowise), "start"), str(flowise))

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            ("no-such-program start", "no-such-program is no program on the PATH"),
            ("'unclosed", "can't be read"),
            ("   ", "is empty"),
        ],
    )
    def test_a_command_that_is_none(self, command: str, said: str) -> None:
        error = refused(langflux.find, settings(langflux_command=command))
        assert said in error.what
        assert '"npx flowise start"' in error.advice

    def test_a_command_that_may_not_be_run(self, tmp_path: Path) -> None:
        (tmp_path / "it").write_text("#!/bin/sh\n")
        error = refused(langflux.find, settings(langflux_command=f"{tmp_path / 'it'} start"))
        assert "may not be run" in error.what
        assert error.advice == f"chmod +x {tmp_path / 'it'}"

    def test_a_command_is_split_as_a_shell_does(self, programs: Path) -> None:
        npx = stand_ins.shell(programs / "npx", "exit 0")
        assert langflux.find(settings(langflux_command="npx flowise 'sta rt'")) == langflux.LangFluxProgram(
            (str(npx), "flowise", "sta rt"), str(npx)
        )


# -- Zep --------------------------------------------------------------------------------------------------------


ELF_X86 = b"\x7fELF\x02\x01\x01" + bytes(11) + b"\x3e\x00"
ELF_ARM = b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xb7\x00"


class TestZep:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (ELF_ARM, "is a program for aarch64; this is x86_64 with Linux"),
            (b"\xcf\xfa\xed\xfe" + bytes(20), "is a program for macOS"),
            (b"MZ" + bytes(20), "is a program for Windows"),
            (b"not a program at all", "is no program"),
            (b"", "is no program"),
        ],
        ids=["another processor", "macOS", "Windows", "a text", "nothing"],
    )
    def test_not_for_this_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str
    ) -> None:
        monkeypatch.setattr("platform.machine", lambda: "x86_64")
        monkeypatch.setattr("sys.platform", "linux")
        (tmp_path / "zep").write_bytes(content)
        (tmp_path / "zep").chmod(0o755)
        error = refused(zep.check, tmp_path / "zep")
        assert said in error.what
        assert "docs/processes.md" in error.advice

    def test_for_this_machine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("platform.machine", lambda: "AMD64")
        monkeypatch.setattr("sys.platform", "linux")
        (tmp_path / "zep").write_bytes(ELF_X86 + bytes(40))
        (tmp_path / "zep").chmod(0o755)
        assert zep.check(tmp_path / "zep") == tmp_path / "zep"

    def test_not_there(self, tmp_path: Path) -> None:
        assert f"there is no {tmp_path / 'zep'}" in refused(zep.check, tmp_path / "zep").what

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "is no file" in refused(zep.check, tmp_path).what

    def test_not_executable(self, tmp_path: Path) -> None:
        (tmp_path / "a zep").write_bytes(ELF_X86)
        error = refused(zep.check, tmp_path / "a zep")
        assert "may not be run" in error.what
        assert error.advice == f"chmod +x '{tmp_path / 'a zep'}'"


# -- PostgreSQL -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """No PostgreSQL on this machine, neither a wheel's nor the system's."""
    monkeypatch.setattr(postgres, "SYSTEM_PLACES", ())
    monkeypatch.setattr(postgres, "_check_client", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)


def system_postgres(folder: Path, version: str, *, with_pgvector: bool) -> None:
    """Programs as a system installs them."""
    shared = folder.parent / "share"
    (shared / "extension").mkdir(parents=True)
    if with_pgvector:
        (shared / "extension" / "vector.control").touch()
    stand_ins.shell(folder / "initdb", "exit 0")
    stand_ins.shell(folder / "postgres", f"echo 'postgres (PostgreSQL) {version} (Debian)'")
    stand_ins.shell(folder / "pg_config", f"echo {shared}")


class TestPostgreSQL:
    def test_no_client(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        assert refused(postgres.find).advice == "pip install 'zep-conformance[processes]'"

    @pytest.mark.usefixtures("no_wheel", "programs")
    def test_none_at_all(self) -> None:
        error = refused(postgres.find)
        assert "there is none on this machine" in error.what
        assert "pip install 'zep-conformance[processes]'" in error.advice

    @pytest.mark.usefixtures("no_wheel")
    def test_the_systems_without_pgvector(self, tmp_path: Path, programs: Path) -> None:
        system_postgres(tmp_path / "15" / "bin", "15.17", with_pgvector=False)
        (programs / "initdb").symlink_to(tmp_path / "15" / "bin" / "initdb")
        error = refused(postgres.find)
        assert f"that in {tmp_path / '15' / 'bin'} has none" in error.what
        assert "apt-get install postgresql-15-pgvector" in error.advice

    @pytest.mark.usefixtures("no_wheel")
    def test_the_systems_with_pgvector_is_taken_though_another_is_first(
        self, tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system_postgres(tmp_path / "pg" / "9" / "bin", "9.6", with_pgvector=True)
        system_postgres(tmp_path / "pg" / "15" / "bin", "15.17", with_pgvector=False)
        system_postgres(tmp_path / "pg" / "16" / "bin", "16.4", with_pgvector=True)
        (programs / "initdb").symlink_to(tmp_path / "pg" / "15" / "bin" / "initdb")
        monkeypatch.setattr(postgres, "SYSTEM_PLACES", (f"{tmp_path}/pg/*/bin",))
        assert postgres.find() == postgres.Programs(tmp_path / "pg" / "16" / "bin", "16.4")

    def test_root_and_no_other_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody(name: str) -> None:
            raise KeyError(name)

        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(pwd, "getpwnam", nobody)
        error = refused(postgres.check_user)
        assert "refuses to be run by root" in error.what
        assert "useradd --system postgres" in error.advice

    def test_root_and_a_temporary_folder_that_its_user_can_not_get_into(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        tmp_path.chmod(0o700)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(pwd, "getpwnam", lambda _: SimpleNamespace(pw_uid=65534, pw_gid=65534))
        monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
        error = refused(postgres.check_user)
        assert f"can't get into {tmp_path}" in error.what
        assert "export TMPDIR=/tmp" in error.advice

    @pytest.mark.parametrize("dsn", ["mysql://a:hunter2hunter2@b/c", "host=b password=hunter2hunter2"])
    def test_a_dsn_that_is_none(self, dsn: str) -> None:
        pytest.importorskip("psycopg", reason="the extra `processes` is not installed")
        error = refused(postgres.check_given, dsn)
        assert "is no postgres:// URL" in error.what
        assert "hunter2" not in str(error)

    def test_a_server_that_is_not_there(self) -> None:
        pytest.importorskip("psycopg", reason="the extra `processes` is not installed")
        error = refused(postgres.check_given, "postgres://somebody:hunter2hunter2@127.0.0.1:1/zep")
        assert "does not let us in: connection" in error.what
        assert "hunter2" not in str(error)


# -- what is around them ----------------------------------------------------------------------------------------


def test_a_disk_with_too_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=80_000_000))
    error = refused(surroundings.check_room)
    assert "has 0.08 GB free" in error.what
    assert "export TMPDIR=" in error.advice


def test_programs_get_neither_the_settings_of_a_run_nor_its_secrets() -> None:
    given = {"ZEP_TOKEN": "x", "LANGFLUX_API_KEY": "x", "FLOWISE_PASSWORD": "x", "PGPASSWORD": "x", "PATH": "/bin"}
    assert surroundings.variables(given).keys() - {"NO_PROXY", "no_proxy"} == {"PATH"}


class TestTokenizer:
    def test_one_that_is_set(self, tmp_path: Path) -> None:
        (tmp_path / tokenizer.NAME).touch()
        assert tokenizer.folder({"TIKTOKEN_CACHE_DIR": str(tmp_path)}) == tmp_path

    def test_its_name_is_what_zep_looks_for(self) -> None:
        assert tokenizer.NAME == "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"

    def test_offline(self, tmp_path: Path) -> None:
        error = refused(tokenizer.folder, {"ZEP_CONFORMANCE_CACHE": str(tmp_path)}, "http://127.0.0.1:1/it")
        assert "can't be fetched" in error.what
        assert f"curl -o {tokenizer.NAME} https://" in error.advice
        assert f"into {tmp_path / 'tiktoken'}" in error.advice

    def test_another_file_than_it_is_not_kept(self, tmp_path: Path, served: Any) -> None:
        somewhere = served("--part", "nlp")["nlp"] + "/healthz"
        error = refused(tokenizer.folder, {"ZEP_CONFORMANCE_CACHE": str(tmp_path)}, somewhere)
        assert "gave another file" in error.what
        assert not (tmp_path / "tiktoken").exists()
