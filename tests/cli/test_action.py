"""The GitHub Action's script, run with what GitHub gives it; its metadata, the workflows and the GitLab snippet."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.needles import text_in
from zep_conformance.report.folder import runs
from zep_conformance.settings import SETTINGS

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".github" / "run-action"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "conformance.yml").read_text())
SECRETS = ("zep-token", "zep-auth-secret", "langflux-api-key", "langflux-password")


@dataclass(frozen=True)
class Step:
    """What one step came to."""

    code: int
    output: str
    outputs: dict[str, str]
    summary: str
    folder: Path


@pytest.fixture
def step(tmp_path: Path) -> Callable[..., Step]:
    """Run the script as the action does: with these inputs, in an empty workspace."""

    def run(variables: dict[str, str] | None = None, **inputs: str) -> Step:
        workspace = tmp_path / "workspace"
        workspace.mkdir(exist_ok=True)
        (tmp_path / "output").write_text("")
        (tmp_path / "summary").write_text("")
        given = {name: values.get("default", "") for name, values in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "CI": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "ZEP_CONFORMANCE_VENV": sys.prefix,
            **{f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()},
            **(variables or {}),
        }
        finished = subprocess.run(
            ["bash", SCRIPT], cwd=workspace, env=environment, text=True, timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        lines = (tmp_path / "output").read_text().splitlines()
        return Step(
            finished.returncode,
            finished.stdout,
            dict(line.split("=", 1) for line in lines),
            (tmp_path / "summary").read_text(),
            workspace,
        )

    return run


def test_what_conforms(step) -> None:
    done = step(target="embedded", arguments="-m 'API-3 or API-4' --seed 7")
    assert done.code == 0, done.output
    basis = json.loads((done.folder / "reports/conformance.json").read_text())["basis"]
    assert (basis["checked"], basis["in_part"]) == (2, 0)
    assert done.outputs == {
        "verdict": "conforms as far as asked", "exit-code": "0", "failed": "0", "report": "reports/conformance.json",
        "summary": "reports/summary.md", "basis": basis["words"],
    }  # fmt: skip
    assert (done.folder / done.outputs["summary"]).read_text() in done.summary
    assert done.summary.startswith("## zep-conformance: conforms as far as asked\n")
    assert "| API-3" in done.summary
    assert json.loads((done.folder / done.outputs["report"]).read_text())["seed"] == 7


def test_what_does_not_conform_and_its_baseline(step) -> None:
    inputs = {
        "target": "embedded",
        "arguments": "-q -m 'API-6 or API-3' --recorded-behaviours langflux:delete-by-session-keeps-zep",
        "reports": "out/of the way",
    }
    first = step(**inputs)
    assert first.code == 1
    assert first.outputs["verdict"] == "does not conform"
    assert int(first.outputs["failed"]) >= 1
    assert "**failed**" in first.summary
    stop = re.search(r"^::stop-commands::(\w{32})$", first.output, re.MULTILINE)
    assert stop is not None
    annotated = first.output.partition(f"::{stop[1]}::\n")[2].splitlines()
    assert len(annotated) >= int(first.outputs["failed"])
    for line in annotated:
        assert re.match(r"::error file=features/\w+\.feature,line=\d+,title=API-6", line), line
    (first.folder / "out/of the way/conformance.json").rename(first.folder / "before.json")
    second = step(**inputs, baseline="before.json")
    assert second.code == 0, second.output
    assert second.outputs["verdict"] == "does not conform"
    assert second.outputs["exit-code"] == "0"
    assert second.outputs["report"] == "out/of the way/conformance.json"
    assert "no worse than the baseline" in second.summary


NASTY = "s3cret $(touch hacked) `touch hacked` \"two\" 'one' \\ ; & | > hacked * ~ ${HOME} %41 !x #0123456789"


def test_a_remote_target_with_a_secret_that_a_shell_would_mangle(step, served) -> None:
    urls = served("--recorded-behaviours", "none", "--auth-secret", NASTY)
    from zep_conformance.clients.tokens import make_token

    token = make_token(NASTY)
    common = {
        "target": "remote",
        "zep_url": urls["zep"],
        "langflux_url": urls["langflux"],
        "langflux_api_key": urls["langflux_api_key"],
        "model_url": urls["model"],
        "arguments": "-v -m 'AUTH-1 or API-3'",
    }
    done = step(**common, zep_token=token, zep_auth_secret=NASTY)
    assert done.code == 0, done.output
    assert done.outputs["verdict"] == "conforms as far as asked"
    refused = step(**common, zep_token=NASTY)
    assert refused.code == 2, refused.output
    assert refused.outputs["verdict"] == "could not tell"
    assert "**Why:**" in refused.summary
    written = [done.output, done.summary, refused.output, refused.summary]
    written += [text_in(path) for path in done.folder.rglob("*") if path.is_file()]
    for text in written:
        assert NASTY not in text and token not in text and "$(touch" not in text
    assert not (done.folder / "hacked").exists()


def test_inputs_that_are_empty_leave_the_jobs_variables_alone(step) -> None:
    done = step({"ZEP_CONFORMANCE_FAIL_ON": "deviation"}, target="embedded", fail_on="", arguments="-q -m API-3")
    assert done.code == 0, done.output
    assert json.loads((done.folder / "reports/conformance.json").read_text())["gate"]["fail_on"] == "deviation"


CAN_NOT_TELL = {
    "no URL": ({"target": "remote"}, "needs to know where"),
    "an unknown option": ({"target": "embedded", "arguments": "--bogus"}, "unknown option: --bogus"),
    "a quote that is open": ({"target": "embedded", "arguments": "-m 'API-3"}, "a quote is not closed"),
    "an unknown level": ({"target": "embedded", "fail_on": "may"}, "must be must, should or deviation"),
    "no baseline there": ({"target": "embedded", "baseline": "none.json"}, "none.json can't be read"),
}


@pytest.mark.parametrize("case", CAN_NOT_TELL)
def test_what_can_not_be_told_is_exit_code_2(step, case: str) -> None:
    inputs, said = CAN_NOT_TELL[case]
    done = step(**inputs)
    assert done.code == 2
    assert said in re.sub(r"\s+", " ", done.output)
    assert done.outputs["verdict"] == "could not tell"
    assert done.outputs["exit-code"] == "2"
    assert "could not tell" in done.summary


def test_an_older_report_is_not_taken_for_this_runs(step) -> None:
    before = step(target="embedded", arguments="-q -m API-3")
    assert before.outputs["verdict"] == "conforms as far as asked"
    after = step(target="embedded", arguments="--bogus")
    assert (after.code, after.outputs["verdict"], after.outputs["report"]) == (2, "could not tell", "")


def test_a_run_that_can_not_tell_leaves_an_earlier_report_and_points_to_its_own(step) -> None:
    before = step(target="embedded", arguments="-q -m API-3")
    assert before.outputs["report"] == "reports/conformance.json"
    after = step(target="embedded", arguments="-q -m API-3", require="API-99")
    assert (after.code, after.outputs["verdict"]) == (2, "could not tell")
    assert after.outputs["report"] == f"reports/{runs(after.folder / 'reports')[-1].name}/conformance.json"
    assert (after.folder / after.outputs["summary"]).read_text() in after.summary


def test_arguments_are_words_and_no_commands(step) -> None:
    done = step(target="embedded", arguments="-q -k '$(touch hacked); `touch hacked`' > hacked")
    assert done.code == 2
    assert not (done.folder / "hacked").exists()


def test_what_servers_said_is_no_command_to_the_runner(step) -> None:
    done = step(target="embedded", arguments="-q -m API-3")
    stop = re.search(r"^::stop-commands::(\w{32})$", done.output, re.MULTILINE)
    assert stop is not None
    assert (
        done.output.index(stop[0])
        < done.output.index("conforms as far as asked")
        < done.output.rindex(f"::{stop[1]}::")
    )


@pytest.mark.nightly
def test_it_installs_from_its_own_folder(step, tmp_path: Path) -> None:
    """Once, as a runner does the first time."""
    done = step({"ZEP_CONFORMANCE_VENV": "", "PYTHON": sys.executable}, target="embedded", arguments="-q -m API-3")
    assert done.code == 0, done.output
    assert list((tmp_path / "temp").glob("zep-conformance-*/bin/zep-conformance"))


def test_what_can_not_be_installed(step, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    variables = {"ZEP_CONFORMANCE_VENV": "", "PYTHON": "false", "GITHUB_ACTION_PATH": str(tmp_path / "empty")}
    done = step(variables, target="embedded")
    assert (done.code, done.outputs["verdict"]) == (2, "could not tell")
    assert "could not be installed" in done.summary


# -- what is written down about it ------------------------------------------------------------------------------


def test_every_input_reaches_the_script_by_a_variable() -> None:
    run = ACTION["runs"]["steps"][-1]
    passed = {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"] if name != "python-version"}
    assert set(run["env"].values()) == passed
    script = SCRIPT.read_text()
    for variable, value in run["env"].items():
        assert variable in script
        assert variable == "INPUT_" + value[11:-3].upper().replace("-", "_")
    assert "${{" not in run["run"]


def test_the_script_sets_variables_that_there_are() -> None:
    known = {setting.variable for setting in SETTINGS.values()}
    assert set(re.findall(r"^give (\w+) INPUT", SCRIPT.read_text(), re.MULTILINE)) <= known


def test_outputs_are_those_that_the_script_writes() -> None:
    written = set(re.findall(r"^  output ([\w-]+) ", SCRIPT.read_text(), re.MULTILINE))
    assert written == set(ACTION["outputs"])


def test_the_reusable_workflow_takes_secrets_as_secrets() -> None:
    call = WORKFLOW[True]["workflow_call"]  # YAML 1.1 reads the word on as a truth value
    assert set(call["secrets"]) == set(SECRETS)
    assert not set(call["inputs"]) & set(SECRETS)
    step = next(step for step in WORKFLOW["jobs"]["conformance"]["steps"] if step.get("id") == "run")
    for name in SECRETS:
        assert step["with"][name] == f"${{{{ secrets.{name} }}}}"
    assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_gitlab_snippet_is_one() -> None:
    found = yaml.safe_load((ROOT / "docs" / "ci" / "gitlab.yml").read_text())
    job = found["zep-conformance"]
    assert job["artifacts"]["reports"]["junit"] == "reports/junit.xml"
    assert job["artifacts"]["when"] == "always"
    known = {setting.variable for setting in SETTINGS.values()}
    assert {name for name in job["variables"] if name != "SUITE"} <= known
    assert not {"ZEP_TOKEN", "ZEP_AUTH_SECRET", "LANGFLUX_API_KEY"} & set(job["variables"])


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck here: apt-get install shellcheck")
def test_scripts_are_clean() -> None:
    scripts = [
        SCRIPT,
        *(path for path in (ROOT / ".ci").iterdir() if path.read_bytes().startswith(b"#!/usr/bin/env bash")),
    ]
    finished = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout
