"""Findings about deployment files as SARIF: fit for its schema, with the rule, file and line of each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given

from tests.support.deployment_cases import CASES
from tests.support.needles import MODEST, drawn, leaks
from tests.support.schemas import AWKWARD, must_fit
from zep_conformance.cli import check_files
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.findings import FileFinding
from zep_conformance.deployment_files.sarif import sarif
from zep_conformance.facts.codes import codes

WRONG = """services:
  zep:
    image: ghcr.io/getzep/zep-cloud:latest
    ports: ["8000:8000"]
    environment:
      ZEP_STORE_POSTGRES_DSN: postgres://postgres:{password}@zep-postgres:5432/postgres
      ZEP_AUTH_SECRET: {password}
"""


def read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    must_fit("sarif", found)
    return found["runs"][0]  # type: ignore[no-any-return]


def test_every_finding_is_a_result_with_its_rule_and_its_line() -> None:
    found = (one for wrong in CASES for one in examine(wrong.sources()) if one.verdict != "ok")
    findings = [*{one.code: one for one in found}.values()]
    assert len(findings) > 50
    run = read(sarif(findings))
    assert [one["ruleId"] for one in run["results"]] == [one.code for one in findings]
    for result, finding in zip(run["results"], findings, strict=True):
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == finding.code
        assert (
            result["level"] == rule["defaultConfiguration"]["level"] == {"fault": "error"}.get(finding.verdict, "note")
        )
        place = result["locations"][0]["physicalLocation"]
        assert place["region"] == {"startLine": finding.line or 1}
        assert place["artifactLocation"]["uri"].endswith(Path(finding.file).name)
        assert finding.symptom in result["message"]["text"] and finding.advice in result["message"]["text"]


def test_every_rule_says_why_and_what_to_do() -> None:
    run = read(sarif([]))
    assert run["results"] == []
    rules = {one["id"]: one for one in run["tool"]["driver"]["rules"]}
    assert rules.keys() == codes("deployment-files").keys()
    for code, rule in rules.items():
        assert "Why: " in rule["help"]["text"] and "To do: " in rule["help"]["text"]
        assert f"zep-conformance explain {code}" in rule["help"]["markdown"]


def test_the_schema_refuses_what_is_none() -> None:
    log = json.loads(sarif([]))
    log["runs"][0]["results"] = [{"ruleId": "x"}]
    with pytest.raises(jsonschema.ValidationError):
        must_fit("sarif", log)


def finding(symptom: str, file: str, line: int | None = 7) -> FileFinding:
    return FileFinding("compose", "image", "fault", "image-unpinned", symptom, "a", "b", file, line)


def test_a_finding_keeps_its_fingerprint_when_its_line_moves(tmp_path: Path) -> None:
    there, moved = (sarif([finding("it is so", "compose.yaml", line)], tmp_path) for line in (7, 9))
    elsewhere = sarif([finding("it is so", "other/compose.yaml")], tmp_path)
    ids = [read(one)["results"][0]["partialFingerprints"] for one in (there, moved, elsewhere)]
    assert ids[0] == ids[1] != ids[2]


def test_names_of_files_are_uris(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    names = ["a b/ü#?.yaml", str(tmp_path / "here" / "c.yaml"), "../d.yaml", "./e.yaml", os.fsdecode(b"\xff.yaml")]
    run = read(sarif([finding("x", name) for name in names], tmp_path / "here"))
    uris = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]]
    assert uris == ["a%20b/%C3%BC%23%3F.yaml", "c.yaml", (tmp_path / "d.yaml").as_uri(), "e.yaml", "%FF.yaml"]


def test_any_text_survives() -> None:
    run = read(sarif([finding(AWKWARD, "compose.yaml")]))
    assert AWKWARD in run["results"][0]["message"]["text"]


@MODEST
@given(needle=drawn)
def test_no_secret_of_a_file_is_in_it(needle: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("files")
    (folder / "compose.yaml").write_text(WRONG.format(password=needle))
    log = folder / "found.sarif"
    ended = CliRunner().invoke(check_files.command, [str(folder), "--sarif", str(log)])
    assert ended.exception is None, ended.output
    results = json.loads(log.read_text())["runs"][0]["results"]
    assert any(one["ruleId"] == "image-unpinned" for one in results)
    assert not leaks(needle, log.read_text()) and not leaks(needle, ended.output)


def test_the_command_writes_it_beside_what_it_shows(tmp_path: Path) -> None:
    log = tmp_path / "found.sarif"
    log.write_text("of before")
    (tmp_path / "compose.yaml").write_text(WRONG.format(password="x"))
    ended = CliRunner().invoke(check_files.command, [str(tmp_path), "--sarif", str(log)], standalone_mode=False)
    assert ended.return_value == 1
    assert "FAULT" in ended.output
    assert read(log.read_text())["results"]
    assert {one.name for one in tmp_path.iterdir()} == {log.name, "compose.yaml"}
