"""Deployment files: every finding is produced by a file that is wrong in that way, and the shipped set has no fault."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.deployment_files import ExaminedFiles
from tests.deployment_files.test_kubernetes import CASES as MANIFESTS
from tests.support.deployment_cases import CASES, Case, kinds_changed
from tests.support.deployment_spellings import SPELLINGS, respelt
from zep_conformance.deployment_files.compose import read_project
from zep_conformance.deployment_files.examination import examine, kinds
from zep_conformance.deployment_files.findings import ASPECTS
from zep_conformance.deployment_files.shipped import MUTATIONS, folder, shipped
from zep_conformance.deployment_files.sources import load
from zep_conformance.errors import CannotTell
from zep_conformance.facts.codes import codes
from zep_conformance.redaction.redactor import Redactor

ROOT = Path(__file__).parents[2]
UNCHANGED = {(one.part, one.code) for one in examine(shipped()) if one.verdict != "ok"}


def test_the_shipped_set_has_no_fault_and_every_aspect_was_looked_at() -> None:
    found = examine(shipped())
    assert [one for one in found if one.verdict == "fault"] == []
    for kind in ("render", "fly", "compose"):
        assert [one.layer for one in found if one.part == kind and one.verdict == "ok"] == list(ASPECTS)


@pytest.mark.parametrize("wrong", CASES, ids=lambda one: one.code)
def test_what_is_wrong_is_found_and_nothing_else(wrong: Case) -> None:
    found = {(one.part, one.code) for one in examine(wrong.sources()) if one.verdict != "ok"}
    assert found - UNCHANGED == {(wrong.kind, code) for code in {wrong.code, *wrong.also}} - UNCHANGED
    assert (wrong.kind, wrong.code) in found
    assert UNCHANGED - found == {(wrong.kind, code) for code in wrong.without}


@pytest.mark.parametrize("wrong", CASES, ids=lambda one: one.code)
def test_a_scenario_always_has_something_to_go_by(wrong: Case) -> None:
    """A file that lacks an application is no fault of the harness: a scenario fails, or is skipped."""
    sources = wrong.sources()
    for kind in kinds(sources):
        looked_at = ExaminedFiles(kind, examine(sources, kind))
        for aspect in ASPECTS:
            with contextlib.suppress(AssertionError, pytest.skip.Exception):
                looked_at.must_be_well(aspect)


@pytest.mark.parametrize("name", SPELLINGS)
def test_what_is_fit_in_other_words_is_fit(name: str) -> None:
    found = {(one.part, one.code) for one in examine(respelt(name)) if one.verdict != "ok"}
    assert found == UNCHANGED


def test_every_finding_is_produced_by_a_case() -> None:
    of_manifests = {code for _, found in MANIFESTS.values() for code in found}
    assert {one.code for one in CASES} | of_manifests == set(codes("deployment-files"))


@pytest.mark.parametrize("code", codes("deployment-files"))
def test_an_entry_is_fit_to_be_read(code: str) -> None:
    entry = codes("deployment-files")[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert entry.layer in ASPECTS
    for text in (entry.symptom, entry.cause, entry.advice):
        assert text and len(text) < 250 and "\n" not in text
        assert Redactor()(text) == text, "it looks as if it held a secret"


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_a_fault_in_each_file_that_it_changes(name: str) -> None:
    mutated = shipped([name])
    found = {one.part for one in examine(mutated) if one.verdict == "fault"}
    assert found == kinds_changed(mutated) != set()


def test_lines_are_those_of_the_fault() -> None:
    text = shipped().texts["fly.toml"]
    found = examine(shipped(["wrong-port"]))
    line = next(one.line for one in found if (one.part, one.code) == ("fly", "port-wrong"))
    assert line is not None
    assert "internal_port" in text.splitlines()[line - 1]


# -- from the disk --------------------------------------------------------------------------------------------------


def test_a_folder_stands_for_the_deployment_files_in_it(tmp_path: Path) -> None:
    for name, text in shipped().texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "docker-compose.dev.yaml").write_text("services: {}\n")
    (tmp_path / "docker-compose.override.yaml").write_text("services: {}\n")
    (tmp_path / "values.yaml").write_text("- just: a list\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "blueprint.yml").write_text("services:\n  - type: web\n    name: landing\n")
    (tmp_path / "fly").mkdir()
    found = load([tmp_path])
    assert {Path(name).name for name in found.given} == {
        "render.yaml", "blueprint.yml", "fly.toml", "fly.zep-nlp.toml", "fly.zep-postgres.toml", "docker-compose.yaml",
        "docker-compose.override.yaml",
    }  # fmt: skip
    assert [Path(name).name for name in found.other] == ["docker-compose.dev.yaml"]
    assert str(tmp_path / ".env.example") in found.texts


def test_compose_takes_the_first_of_its_names(tmp_path: Path) -> None:
    for name in ("docker-compose.yml", "compose.yml"):
        (tmp_path / name).write_text("services: {a: {image: 'b:1'}}\n")
    assert [Path(name).name for name in load([tmp_path]).given] == ["compose.yml"]


def test_a_file_is_told_by_what_it_holds(tmp_path: Path) -> None:
    for name, text in shipped().texts.items():
        (tmp_path / f"another-{name.removeprefix('.')}").write_text(text)
    given = sorted(path for path in tmp_path.iterdir() if path.suffix != ".example")
    assert kinds(load(given)) == {"render", "fly", "compose"}


def test_env_files_in_other_folders_are_read(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "zep.env").write_text("ZEP_OPENAI_API_KEY=\n")
    compose = tmp_path / "compose.yaml"
    compose.write_text("services:\n  zep:\n    image: ghcr.io/getzep/zep-cloud:0.27.2\n    env_file: config/zep.env\n")
    found = {one.code: one for one in examine(load([compose]))}
    assert found["openai-key-missing"].file == str(tmp_path / "config" / "zep.env")
    assert found["openai-key-missing"].line == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("render.yaml", "services:\n  - type: web\n   name: x\n", "line 3, column 4"),
        ("render.yaml", "services: []\nservices: []\n", "line 2, column 1: this key is there twice"),
        ("render.yaml", "a: 1\n---\nb: 2\n", "line 2, column 1"),
        ("render.yaml", "services: \x00\n", "unacceptable character|special characters"),
        ("render.yaml", "? [a]\n: b\n", "used as a key"),
        ("render.yaml", "[" * 3000, "nested too deeply"),
        ("render.yaml", "", "it has no keys at its top"),
        ("render.yaml", "- a\n", "it has no keys at its top"),
        ("fly.toml", 'app = "x"\n[env\n', "line 2, column 5"),
        ("fly.toml", "app = " + "[" * 3000, "nested too deeply|line 1"),
        ("values.yaml", "a: 1\n", "no deployment file that is known"),
        ("compose.yaml", "services: {}\nother: *none\n", "line 2, column 8: found undefined alias …\n"),
    ],
)
def test_what_can_not_be_read_is_said_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(CannotTell, match=said):
        examine(load([path]))


def test_what_is_no_text_or_too_large_or_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "render.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "fly.toml").write_text("#" * (1 << 20) + "\n")
    for path, said in ((tmp_path / "render.yaml", "no text in UTF-8"), (tmp_path / "fly.toml", "more than 1 MiB")):
        with pytest.raises(CannotTell, match=said):
            load([path])
    with pytest.raises(CannotTell, match="there is no"):
        load([tmp_path / "nothing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotTell, match="no deployment files in"):
        load([tmp_path / "empty"])
    os.mkfifo(tmp_path / "compose.yaml")
    with pytest.raises(CannotTell, match="is no file"):
        load([tmp_path / "compose.yaml"])


# -- the command ----------------------------------------------------------------------------------------------------


def check_files(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zep_conformance", "check-files", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
    )


def too_wide(output: str) -> list[str]:
    """Return the lines of more than 80 columns, but for a path that has a line for itself."""
    return [line for line in output.splitlines() if len(line) > 80 and (" " in line or not line.startswith("/"))]


def test_command_on_files_that_are_well() -> None:
    done = check_files(folder())
    assert done.returncode == 0, done.stdout + done.stderr
    assert too_wide(done.stdout) == []
    assert "fit" in done.stdout.splitlines()[-1]


def test_command_on_files_that_are_not(tmp_path: Path) -> None:
    secret = "sk-" + "9d3f7a10c5e2b468" * 2
    for name, text in shipped().texts.items():
        (tmp_path / name).write_text(text.replace("${ZEP_OPENAI_API_KEY:?put your key into .env}", secret))
    shown = check_files(tmp_path)
    assert shown.returncode == 1
    assert "ZEP_OPENAI_API_KEY stands in clear" in shown.stdout and "[secret-in-clear]" in shown.stdout
    assert too_wide(shown.stdout) == []
    for_machines = check_files("--json", tmp_path)
    found = json.loads(for_machines.stdout)
    assert (for_machines.returncode, found["schema"], found["fit"]) == (1, 1, False)
    wrong = next(one for one in found["findings"] if one["verdict"] == "fault")
    assert wrong["file"] == str(tmp_path / "docker-compose.yaml")
    assert wrong["line"] == 17 and wrong["advice"]
    for output in (shown.stdout, shown.stderr, for_machines.stdout, for_machines.stderr):
        assert not any(secret[at : at + 8] in output for at in range(len(secret) - 8))


def test_a_long_path_stays_whole_and_its_kind_goes_to_the_next_line(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 80) / "render.yaml"
    path.parent.mkdir()
    path.write_text(shipped().texts["render.yaml"])
    output = check_files(path).stdout
    assert output.splitlines()[:2] == [str(path), "  (Render blueprint)"]
    assert too_wide(output) == []


def test_command_that_could_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a path of more than 80 characters is not broken
    (tmp_path / "render.yaml").write_text("services:\n  - type: web\n   name: x\n")
    for arguments in ([], [tmp_path / "none"], [tmp_path / "render.yaml"], [tmp_path.parent / "no.yaml", "--json"]):
        assert check_files(*arguments).returncode == 2
    done = check_files("render.yaml")
    assert "line 3, column 4" in " ".join(done.stderr.split()) and not done.stdout
    assert max(map(len, done.stderr.splitlines())) <= 80


# -- in a run -------------------------------------------------------------------------------------------------------


def run_suite(tmp_path: Path, *options: object) -> tuple[int, dict[str, list[str]], str]:
    """Run the scenarios of DEPLOY-3; the exit code, their reasons by outcome, and what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "zep_conformance", "run", "-q", "-m", "DEPLOY-3", "-p", "no:cacheprovider",
         f"--reports={tmp_path / 'reports'}", *map(str, options)],
        capture_output=True, text=True, timeout=170,
    )  # fmt: skip
    report = json.loads((tmp_path / "reports" / "conformance.json").read_text())
    outcomes: dict[str, list[str]] = {}
    for requirement in report["requirements"]:
        for scenario in requirement["scenarios"]:
            outcomes.setdefault(scenario["outcome"], []).append(scenario["reason"])
    return done.returncode, outcomes, done.stdout


def test_a_run_looks_at_the_files_that_are_given(tmp_path: Path) -> None:
    path = tmp_path / "render.yaml"
    path.write_text(shipped(["zep-latest"]).texts["render.yaml"])
    code, outcomes, said = run_suite(tmp_path, "--target", "embedded", "--deployment-files", path)
    assert code == 1
    assert len(outcomes["failed"]) == 1 and "image-unpinned" not in outcomes["failed"][0]
    assert f"{path}, line 10" in " ".join(said.split())
    assert f"--deployment-files {path}" in " ".join(said.replace("\\\n", "").split())
    assert set(outcomes["skipped"]) == {
        f"no capability files: no {called} among the --deployment-files"
        for called in ("Fly.io configuration", "Compose project")
    }


@pytest.mark.parametrize("text", [None, "services: [\n"])
def test_a_run_can_not_tell_without_files_that_can_be_read(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "render.yaml"
    if text is not None:
        path.write_text(text)
    code, outcomes, said = run_suite(tmp_path, "--target", "embedded", "--deployment-files", path)
    assert code == 2 and not outcomes.keys() & {"passed", "failed"}
    assert str(path) in "".join(said.split())  # it may be wrapped


def test_another_targets_files_are_not_ours(tmp_path: Path, served: object) -> None:
    urls = served("--part", "zep")  # type: ignore[operator]
    code, outcomes, _said = run_suite(tmp_path, "--target", "remote", "--zep-url", urls["zep"])
    assert code == 2
    assert set(outcomes) == {"skipped"}
    assert set(outcomes["skipped"]) == {"no capability files: no --deployment-files given"}


# -- which service is which part ------------------------------------------------------------------------------------


def roles(tmp_path: Path, **services: dict[str, object]) -> dict[str, str]:
    """The role of each service of a Compose project with these."""
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": services}))
    sources = load([tmp_path])
    applications = read_project(sources.files(), sources).applications
    return {one.name: one.role for one in applications}


def test_a_part_that_nothing_names_is_told_by_its_port_and_variables(tmp_path: Path) -> None:
    server = {"build": ".", "ports": ["8000:8000"], "environment": {"ZEP_STORE_TYPE": "postgres"}}
    found = roles(tmp_path, server=server, words={"build": "words", "expose": [5557]}, front={"image": "nginx"})
    assert found == {"server": "zep", "words": "nlp", "front": ""}


def test_a_port_makes_no_second_zep(tmp_path: Path) -> None:
    found = roles(tmp_path, zep={"image": "ghcr.io/getzep/zep-cloud:0.27.2"}, app={"image": "app", "ports": ["8000"]})
    assert found == {"zep": "zep", "app": ""}


@pytest.mark.parametrize(
    ("dsn", "role"), [("postgres://zep:x@ep-cool.neon.tech/zep", ""), ("postgres://zep:x@db:5432/zep", "postgres")]
)
def test_what_is_called_db_is_zeps_database_unless_that_is_elsewhere(tmp_path: Path, dsn: str, role: str) -> None:
    environment = {"ZEP_STORE_POSTGRES_DSN": dsn}
    zep = {"image": "ghcr.io/getzep/zep-cloud:0.27.2", "environment": environment}
    assert roles(tmp_path, zep=zep, db={"image": "mysql:8.4"}) == {"zep": "zep", "db": role}


def test_a_password_that_ends_a_url_is_named_as_the_reason(tmp_path: Path) -> None:
    zep = {"image": "zep-cloud:0.27.2", "environment": {"ZEP_STORE_POSTGRES_DSN": "postgres://zep:a/b@db:5432/zep"}}
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": {"zep": zep}}))
    (finding,) = [one for one in examine(load([tmp_path])) if one.code == "url-malformed"]
    assert "before the @ ends it: write them as %2F" in finding.symptom


def test_an_env_file_that_all_are_given_makes_no_zep_a_database(tmp_path: Path) -> None:
    given = {"POSTGRES_PASSWORD": "x", "ZEP_OPENAI_API_KEY": "x"}
    found = roles(tmp_path, zep={"build": ".", "environment": given}, db={"image": "postgres", "environment": given})
    assert found == {"zep": "zep", "db": "postgres"}


def test_a_key_that_is_in_the_env_file_and_not_handed_on(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": {"zep": {"image": "zep-cloud:0.27.2"}}}))
    for text, advice in (("ZEP_OPENAI_API_KEY=sk-1\n", "needs env_file: .env"), ("X=1\n", "has no ZEP_OPENAI_API_KEY")):
        (tmp_path / ".env").write_text(text)
        (finding,) = [one for one in examine(load([tmp_path])) if one.code == "openai-key-missing"]
        assert advice in finding.advice
