"""`zep-conformance run` as its users meet it: exit codes, what it says, and its reports."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

import zep_conformance
from tests.support.needles import text_in
from tests.support.runs import ENVIRONMENT, WITHOUT, report_in, run
from zep_conformance import suite
from zep_conformance.settings import GROUPS, SETTINGS


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A small run that conforms, and the folder that it ran in."""
    folder = tmp_path_factory.mktemp("run")
    return folder, run(folder, "-m", "API-3 or SESSION-3", "--seed", "7")


class TestWhatConforms:
    def test_exit_code_is_0(self, finished) -> None:
        assert finished[1].returncode == 0, finished[1].stdout

    def test_first_and_last_lines_say_that_it_is_no_deployment(self, finished) -> None:
        lines = [line for line in finished[1].stdout.splitlines() if "nothing about a deployment" in line]
        assert len(lines) == 2

    def test_seed_parts_and_capabilities_are_printed(self, finished) -> None:
        output = finished[1].stdout
        assert "target embedded, seed 7" in output
        assert "parts: zep 0.27.2, langflux 2.2.8" in output
        assert "capabilities: zep langflux" in output
        assert "not offered: ui (" in output

    def test_report_says_the_same(self, finished) -> None:
        found = report_in(finished[0])
        assert found["verdict"] == "conforms as far as asked"
        assert found["seed"] == 7
        passed = found["outcomes"]["passed"]
        none = dict.fromkeys(("failed", "skipped", "deviation", "error", "not run"), 0)
        assert found["outcomes"] == {"passed": passed, **none}
        assert f"{passed} passed" in finished[1].stdout
        assert found["gate"] == {
            "fail_on": "should", "strict_deviations": False, "failing": [], "uncounted": [], "baseline": None,
            "accepted": [], "require": "", "unmet": [],
        }  # fmt: skip
        timeline = found["target"].pop("timeline")
        assert [(span["part"], span["phase"]) for span in timeline] == [("all", "start")]
        assert 0 <= timeline[0]["began"] < timeline[0]["ended"]
        assert found["target"] == {"name": "embedded", "deployed": False}
        assert not found["capabilities"]["ui"]["offered"]
        by_id = {requirement["id"]: requirement for requirement in found["requirements"]}
        assert by_id["API-3"]["outcome"] == "passed"
        assert by_id["API-3"]["scenarios"][0]["duration"] > 0
        left_out = by_id["STORE-3"].pop("left_out")
        assert [one["why"] for one in left_out] == ["not selected"]
        assert by_id["STORE-3"] | {"text": ""} == {
            "id": "STORE-3", "level": "MUST", "text": "", "source": "intro", "outcome": "not run",
            "checked": "not checked", "scenarios": [],
        }  # fmt: skip

    def test_junit_is_written_beside_it(self, finished) -> None:
        root = xml.etree.ElementTree.parse(finished[0] / "reports" / "junit.xml").getroot()
        assert int(root.find("testsuite").attrib["tests"]) == report_in(finished[0])["outcomes"]["passed"]


def test_what_does_not_conform_shows_its_evidence(tmp_path: Path) -> None:
    finished = run(
        *(tmp_path, "-m", "API-6", "-k", "session_alone", "--seed", "3"),
        *("--recorded-behaviours", "langflux:delete-by-session-keeps-zep"),
    )
    assert finished.returncode == 1
    output = finished.stdout
    in_order = (
        "✗ Deleting chat messages by session alone clears Zep's memory",
        "API-6 (MUST): Chat messages are listed per session",
        "source: the documentation, “Use in LangFlux UI”",
        'failed at: And asking "What is my name?" shows no memory',
        "the chatbot still remembers",
        "curl -i -X POST",
        "again:\nzep-conformance run",
        "--seed 3",
        "langflux:delete-by-session-keeps-zep",
        "the rest: reports/2",
        "does not conform: ",
    )
    positions = [output.find(text) for text in in_order]
    assert -1 not in positions, output
    assert positions == sorted(positions)
    found = report_in(tmp_path)
    assert found["outcomes"]["failed"] == 1
    failed = [one for one in found["requirements"] if one["outcome"] == "failed"]
    assert [one["id"] for one in failed] == ["API-6"]
    assert "still remembers" in next(one for one in failed[0]["scenarios"] if one["outcome"] == "failed")["reason"]


def test_known_deviations_are_reported_as_such(tmp_path: Path) -> None:
    finished = run(tmp_path, "-m", "API-6 or UI-5", "--recorded-behaviours", "all")
    assert finished.returncode == 0, finished.stdout
    assert "known deviation: DEV-4" in finished.stdout
    found = report_in(tmp_path)
    assert found["outcomes"]["deviation"] == 2
    scenarios = [scenario for requirement in found["requirements"] for scenario in requirement["scenarios"]]
    assert {one["deviation"] for one in scenarios if one["outcome"] == "deviation"} == {"DEV-4", "DEV-6"}


def test_a_missing_capability_skips_with_its_name(tmp_path: Path) -> None:
    finished = run(tmp_path, "-m", "AUTH-3 or STORE-4", "--without", "auth")
    assert finished.returncode == 0
    said = r"skipped \(\d+ scenarios\): no capability auth: --without was given"
    assert re.search(said, finished.stdout)


WRONG = {
    "an unknown option": (("--bogus",), {}, "unknown option: --bogus"),
    "an option without its value": (("--seed",), {}, "--seed"),
    "an unknown target": (("--target", "nowhere"), {}, "no target 'nowhere'"),
    "auto in a pipeline": (("--target", "auto"), {"CI": "true"}, "a gate must name what it tests"),
    "remote without a URL": (("--target", "remote"), {}, "no --zep-url"),
    "a number that is none": (("--wait-limit", "soon"), {}, "--wait-limit"),
    "a number that can't be": (("--wait-limit", "0"), {}, "must be more than 0"),
    "a mistyped option": (("--tarjet", "embedded"), {}, "Did you mean --target?"),
    "a renamed option": (("--manner", "faithful"), {}, "Did you mean --recorded-behaviours?"),
    "a mistyped variable": ((), {"ZEP_CONFORMANCE_SED": "4"}, "Did you mean $ZEP_CONFORMANCE_SEED?"),
    "a scenario that there is not": (("features/nowhere.py::x",), {}, "not found: features/nowhere.py"),
    "an option of another target": (("--zep-image", "x"), {}, "--zep-image was given, and target embedded does not"),
    "a variable of ours for another target": ((), {"ZEP_CONFORMANCE_KEEP": "1"}, "$ZEP_CONFORMANCE_KEEP was given"),
    "an unknown mutation, whatever the target": (
        ("--target", "remote", "--zep-url", "http://127.0.0.1:9", "--mutations", "zep:lastn-ignord"),
        {},
        "Did you mean zep:lastn-ignored",
    ),
    "an unknown capability": (("--without", "zeppelin"), {}, "no capability zeppelin"),
    "an unknown recorded behaviour": (
        ("--recorded-behaviours", "zep:token-count-rest"),
        {},
        "Did you mean zep:token-count-reset",
    ),
    "a URL that is none": (("--target", "remote", "--zep-url", "localhost:8000"), {}, "is no URL"),
    "nothing selected": (("-k", "nothing_is_called_that"), {}, "no scenario ran"),
    "everything skipped": (("-m", "AUTH-3", "--without", "auth"), {}, "could not tell"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_not_be_told_is_exit_code_2(tmp_path: Path, case: str) -> None:
    options, variables, said = WRONG[case]
    finished = run(tmp_path, "-q", *options, **variables)
    assert finished.returncode == 2, finished.stdout + finished.stderr
    assert said in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr


def test_secrets_are_nowhere(tmp_path: Path, served) -> None:
    secret, token = "a-secret-that-nobody-may-see-0123456789", "eyJhbGciOiJIUzI1NiJ9.e30.bm90LWEtc2lnbmF0dXJl"
    urls = served("--auth-secret", secret)
    finished = run(
        tmp_path, "-v", "--target", "remote", "--zep-url", urls["zep"], ZEP_TOKEN=token, ZEP_AUTH_SECRET=secret
    )
    assert finished.returncode == 2
    written = (
        finished.stdout + finished.stderr + "".join(text_in(path) for path in tmp_path.rglob("*.*") if path.is_file())
    )
    assert "token" in finished.stdout
    assert secret not in written
    assert token not in written


@pytest.mark.parametrize(
    ("model_url", "said"),
    [("http://127.0.0.1:9/v1", "model at http://127.0.0.1:9/v1"), ("{zep}/v1", "model at")],
    ids=["nobody there", "no model server"],
)
def test_a_model_server_that_is_none_is_named(tmp_path: Path, served, model_url: str, said: str) -> None:
    urls = served("--recorded-behaviours", "none")
    finished = run(
        tmp_path, "-m", "API-3", "--target", "remote", "--zep-url", urls["zep"], "--langflux-url", urls["langflux"],
        "--model-url", model_url.format(**urls), LANGFLUX_API_KEY=urls["langflux_api_key"],
    )  # fmt: skip
    assert finished.returncode == 2, finished.stdout
    assert said in finished.stdout


def test_one_part_given_by_url_and_the_rest_started(tmp_path: Path, served) -> None:
    urls = served("--recorded-behaviours", "none")
    finished = run(tmp_path, "-m", "API-3 or STORE-3", "--target", "embedded", "--zep-url", urls["zep"])
    assert finished.returncode == 0, finished.stdout
    found = report_in(tmp_path)
    assert found["parts"]["zep"]["url"] == urls["zep"]
    assert found["target"]["deployed"]
    assert "this Zep is not ours to stop" in finished.stdout


def test_a_bare_pytest_elsewhere_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=170,
    )  # fmt: skip
    assert finished.returncode == 0
    assert "conformance" not in finished.stdout
    assert not (tmp_path / "reports").exists()


def test_a_variable_that_the_target_does_not_use_is_named(tmp_path: Path) -> None:
    finished = run(tmp_path, "-q", "-m", "API-3", ZEP_IMAGE="x", LANGFLUX_API_KEY="hunter2hunter2")
    assert finished.returncode == 0, finished.stdout
    assert "not used by target embedded: $LANGFLUX_API_KEY, $ZEP_IMAGE" in finished.stdout


def test_help_fits_a_terminal_and_has_every_setting_in_its_group() -> None:
    command = [sys.executable, "-m", "zep_conformance", "run", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert max(map(len, shown.splitlines())) <= 80
    places = {title: shown.index(f"\n{title.capitalize()}:\n") for title in GROUPS}
    for setting in SETTINGS.values():
        assert f"\n  {setting.option} " in shown
        before = [title for title, place in places.items() if place < shown.index(f"\n  {setting.option} ")]
        assert before[-1] == setting.group


# -- in a clone, and installed --------------------------------------------------------------------------------------

BROKEN = "zep:garbage-token-accepted"
"""A mutation that one example of an outline notices."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a wheel lays it out: with the suite inside, and nobody may write beside it."""
    site = tmp_path_factory.mktemp("site")
    package, ignored = site / "zep_conformance", shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(zep_conformance.__file__).parent, package, ignore=ignored)
    top = Path(__file__).parents[2]
    for source, target in tomllib.loads((top / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]["force-include"].items():
        copy = shutil.copytree if (top / source).is_dir() else shutil.copy
        (site / target).parent.mkdir(exist_ok=True)
        copy(top / source, site / target)
    return site


@pytest.fixture(params=[pytest.param("clone", marks=pytest.mark.nightly), "installed"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a line of shell with `zep-conformance`, in a folder that is neither the clone nor the copy."""
    program = tmp_path / "bin" / "zep-conformance"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m zep_conformance "$@"\n')
    program.chmod(0o755)
    own = {"PATH": f"{program.parent}:{os.environ['PATH']}", "ZEP_CONFORMANCE_CACHE": str(tmp_path / "cache")}
    if request.param == "installed":
        own["PYTHONPATH"] = str(request.getfixturevalue("site"))
    else:  # other tests run scenarios in this clone at the same time, and what failed there is not for --lf here
        own["PYTEST_ADDOPTS"] = f"-o cache_dir={tmp_path / 'remembered'}"
    folder = tmp_path / "a folder of my own"
    folder.mkdir()

    def run_line(line: str) -> subprocess.CompletedProcess[str]:
        words = ["bash", "-c", line]
        return subprocess.run(
            words, cwd=folder, env={**ENVIRONMENT, **own}, capture_output=True, text=True, timeout=170
        )

    return run_line


def ran(finished: subprocess.CompletedProcess[str]) -> str:
    """Return pytest's last line, without the time."""
    return finished.stdout.strip().splitlines()[-1].strip("= ").partition(" in ")[0]


def named(finished: subprocess.CompletedProcess[str], outcome: str) -> set[str]:
    """Return the names of the scenarios that pytest's summary (-rA) gives this outcome."""
    listed = re.sub(r"\n +", " ", finished.stdout.partition("= scenarios =")[2])
    return set(re.findall(rf"^{outcome} +(.*?) \(", listed, re.MULTILINE))


def test_just_one_example_is_run_again_by_the_line_that_a_failure_shows(command) -> None:
    first = command(f"zep-conformance run -q -m AUTH-3 -k good --mutations {BROKEN} --load-users 5")
    line = first.stdout.partition("\nagain:\n")[2].partition("\nthe rest:")[0]
    assert shlex.split(line.replace("\\\n", ""))[2].startswith(
        "features/test_features.py::test_a_token_that_is_not_good"
    )
    assert line.replace("\\\n", "").endswith(f"--load-users 5 --mutations {BROKEN}")
    again = command(line)
    assert again.returncode == 1, again.stdout
    assert ran(again) == "1 failed"


def test_what_failed_is_run_alone_and_nothing_where_nothing_did(command, site: Path) -> None:
    before = {path for path in site.rglob("*") if "__pycache__" not in path.parts}
    words = "zep-conformance run -q -rA -m 'AUTH-3 or API-3'"
    assert command(f"{words}").returncode == 0
    nothing = command(f"{words} --lf")
    assert nothing.returncode == 2
    assert "no scenario ran" in nothing.stdout
    broken = command(f"{words} --mutations {BROKEN}")
    failed = named(broken, "FAILED")
    assert failed and named(broken, "PASSED")
    again = command(f"{words} --lf")
    assert named(again, "PASSED") == failed
    assert ran(again).split(", ")[0] == f"{len(failed)} passed"
    assert {path for path in site.rglob("*") if "__pycache__" not in path.parts} == before


def test_workers_and_ff_and_x_work_anywhere(command) -> None:
    finished = command("zep-conformance run -q -n 2 --ff -x -m API-3 -k timestamp")
    assert finished.returncode == 0, finished.stdout
    assert ran(finished) == "1 passed"


class TestACheckoutBehindALink:
    def test_is_the_suite_all_the_same(self, tmp_path) -> None:
        link = tmp_path / "linked"
        link.symlink_to(Path(zep_conformance.__file__).parents[2])
        words = [sys.executable, "-m", "zep_conformance", "run", *WITHOUT, "-m", "SESSION-3", "--seed", "7"]
        variables = {**ENVIRONMENT, "PYTHONPATH": str(link / "src")}
        ended = subprocess.run(words, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=170)
        assert ended.returncode == 0, ended.stdout
        assert "target embedded, seed 7" in ended.stdout


@pytest.mark.parametrize(
    ("options", "workers"),
    [
        ([], "2"),
        (["--seed", "7", "-q", "--recorded-behaviours", "all"], "2"),
        (["-n", "3"], "3"),
        (["-n", "0"], "0"),
        (["-m", "API-3"], "None"),
        (["-k", "timestamp"], "None"),
        (["-x"], "None"),
        (["-s"], "None"),
        (["--failed"], "None"),
        (["-p", "no:xdist"], "None"),
        (["features/security.feature"], "None"),
        (["--mutations", "zep:no-such-mutation"], "None"),
        (["--zep-binary", "/bin/true"], "None"),
        (["--zep-url", "http://127.0.0.1:9"], "None"),
        (["--target", "remote", "--zep-url", "http://127.0.0.1:9"], "None"),
    ],
    ids=" ".join,
)
def test_the_whole_suite_on_servers_of_its_own_runs_on_two_workers(
    options: list[str], workers: str, tmp_path: Path
) -> None:
    (tmp_path / "seen_options.py").write_text(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_cmdline_main(config):\n"
        "    print('workers:', getattr(config.option, 'numprocesses', None))\n"
        "    return 0\n"
    )
    ended = run(tmp_path, "-p", "seen_options", *options, PYTHONPATH=str(tmp_path), ZEP_CONFORMANCE_TARGET="embedded")
    assert f"workers: {workers if suite.cores() > 1 or workers != '2' else 'None'}\n" in ended.stdout
