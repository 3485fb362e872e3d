"""The doctor's catalogue, its page in the documentation, its command, and what a run makes of its findings."""

from __future__ import annotations

import importlib
import io
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.doctor_servers import PRODUCED, ZEP, app, closed_port, serving, talking, url
from zep_conformance.cli.main import main
from zep_conformance.clients import tokens
from zep_conformance.doctor import report
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import LAYERS, Case, Finding, Late, TimeBudget
from zep_conformance.doctor.preflight import checked_origin, probe_langflux, probe_zep
from zep_conformance.errors import CannotTell
from zep_conformance.facts.codes import codes
from zep_conformance.redaction.redactor import Redactor

HERE = Path(__file__).parent
Serve = Callable[..., dict[str, str]]


def test_every_code_has_a_test_that_produces_it() -> None:
    for module in HERE.glob("test_*.py"):
        importlib.import_module(f"tests.doctor.{module.stem}")
    assert PRODUCED - {"ok"} == set(codes("doctor"))


@pytest.mark.parametrize("code", codes("doctor"))
def test_an_entry_is_fit_to_be_read(code: str) -> None:
    entry = codes("doctor")[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert entry.layer in LAYERS
    for text in (entry.symptom, entry.cause, entry.advice):
        assert text and len(text) < 250 and "\n" not in text


def test_no_probe_outlives_its_limit() -> None:
    with pytest.raises(Late):
        TimeBudget(5).within(0.2, threading.Event().wait)


def test_secrets_that_a_server_echoes_are_hidden() -> None:
    secret, token = tokens.make_secret(), tokens.make_token("x" * 40)
    case = Case("zep", redactor=Redactor([secret, token]), budget=TimeBudget())
    case.report(
        "store-down", status=500, answer=case.quoted(f"bad {secret} Bearer {token} postgres://u:pw12345@db\x1b[2J")
    )
    shown = str(case.findings)
    assert secret not in shown and token not in shown and "pw12345" not in shown and "\\x1b" not in shown


# -- the command ----------------------------------------------------------------------------------------------------


def doctor(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "zep_conformance", "doctor", *options],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_command_on_a_pair_that_is_well(served: Serve) -> None:
    urls = served()
    done = doctor("--zep-url", urls["zep"], LANGFLUX_URL=urls["langflux"], LANGFLUX_API_KEY=urls["langflux_api_key"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "fit" in done.stdout and urls["langflux_api_key"] not in done.stdout


def test_command_for_machines() -> None:
    done = doctor("--json", "--zep-url", url(closed_port()))
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["schema"], found["fit"], found["findings"][-1]["code"]) == (1, False, "tcp-refused")


def test_command_without_anything_to_examine() -> None:
    done = doctor()
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("options", [["--no-such-option"], ["--message-window", "many", "--zep-url", "http://x"]])
def test_command_with_wrong_options(options: list[str]) -> None:
    assert doctor(*options).returncode == 2


def test_command_takes_the_settings_of_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--help"]) == 0
    shown = capsys.readouterr().out
    for variable in ("ZEP_URL", "ZEP_TOKEN", "ZEP_AUTH_SECRET", "LANGFLUX_URL", "LANGFLUX_API_KEY", "MODEL_URL"):
        assert f"${variable}]" in shown


def test_a_servers_words_are_no_markup() -> None:
    finding = Finding("zep", "store", "fault", "store-down", "[bold]said[/bold] [/nothing]", "why", "do")
    console = Console(file=io.StringIO(), width=80)
    report.show(console, [finding], 0.1)
    assert isinstance(console.file, io.StringIO)
    assert "[bold]said[/bold] [/nothing]" in console.file.getvalue()


# -- what a run makes of it -----------------------------------------------------------------------------------------


def test_an_unfit_target_is_told_in_two_lines() -> None:
    with pytest.raises(CannotTell) as told:
        probe_zep(url(closed_port()), None, None)
    assert len(str(told.value).splitlines()) == 2
    assert "connection refused" in told.value.what and "published" in told.value.advice


def test_an_unfit_langflux_is_told() -> None:
    with pytest.raises(CannotTell, match="pong"), serving(app({})) as port:
        probe_langflux(url(port), None)


def test_a_fit_target_is_asked_no_more_than_needed() -> None:
    asked: list[str] = []

    def counted(path: str) -> Callable[[str], object]:
        def answer(_body: str) -> object:
            asked.append(path)
            return ZEP[path]

        return answer

    with serving(app({path: counted(path) for path in ZEP})) as port:  # type: ignore[misc]
        seen = probe_zep(url(port) + "/", None, None)
    assert (seen.url, seen.token) == (url(port), None)
    assert len(asked) == 2


def test_an_origin_with_a_path_is_refused() -> None:
    with pytest.raises(CannotTell, match="has a path"):
        checked_origin("http://127.0.0.1:8000/zep", "zep")
    assert checked_origin("http://127.0.0.1:8000/", "zep") == "http://127.0.0.1:8000"


def test_a_run_against_an_unfit_target_ends_with_the_finding() -> None:
    with serving(app({"*": (502, {}, "Bad Gateway")})) as port:
        done = subprocess.run(
            [sys.executable, "-m", "zep_conformance", "run", "--target", "remote", "--zep-url", url(port), "-q",
             "-p", "no:cacheprovider"],
            capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert "a proxy answers 502 to /healthz" in done.stdout + done.stderr


def test_a_whole_examination_ends_in_its_time() -> None:
    def hush(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass

    with talking(hush) as port:
        found = diagnose(url(port), langflux_url=url(port), model_url=url(port) + "/v1", limit=1.0)
    late = [finding.part for finding in found if finding.code == "out-of-time"]
    assert late == ["zep", "langflux", "model"]
