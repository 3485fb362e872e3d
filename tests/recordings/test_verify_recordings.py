"""`zep-conformance verify-recordings`: any server held to recordings, and none harmed by it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest

from tests.support import doctor_servers
from tests.support.replaying import (
    KEY,
    LANGFLUX,
    SECRET,
    ZEP,
    Shell,
    langflux_options,
    made_in,
    running,
    script,
    sessions,
)
from tests.support.runs import as_from_a_terminal
from zep_conformance.clients.waiting import eventually
from zep_conformance.processes.fleet import Fleet
from zep_conformance.recordings.format import RecordedExchange

KNOWN_FAULTS = {
    "search-4", "search-5", "search-6", "memory-round-trip-9", "session-records-2", "client-uuid-2",
    "default-session-5", "override-session-11",
}  # fmt: skip
"""Exchanges of both recordings that a server without faults answers otherwise."""


@pytest.fixture(scope="module")
def documented() -> Iterator[Fleet]:
    with running({"zep": ["json-as-text"]}) as fleet:
        yield fleet


def test_both_parts_answer_as_recorded(shell: Shell, recorded_servers: Fleet) -> None:
    code = shell("verify", "--zep-url", recorded_servers.url("zep"), *langflux_options(recorded_servers), "--keep")
    assert code == 0, shell.output
    assert "zep: 142 of 142 exchanges answered as recorded" in shell.output
    assert "langflux: 54 of 54 exchanges answered as recorded" in shell.output


def test_a_server_in_use_gives_the_same_result_twice_and_is_left_as_it_was(shell: Shell) -> None:
    with running() as fleet:
        zep, langflux = fleet.url("zep"), fleet.url("langflux")
        others = {"rec-rt": "somebody's own words", "somebody": "Hi, my name is Eve"}
        for name, text in others.items():
            body = {"messages": [{"role": "human", "content": text}]}
            httpx.post(f"{zep}/api/v1/sessions/{name}/memory", json=body).raise_for_status()
        for _ in range(2):
            # Without bad-input, which stalls Zep 0.27.2: the removal would wait for half a minute.
            code = shell("verify", "--zep-url", zep, *langflux_options(fleet), "--skip", "bad-input")
            assert code == 0, shell.output
            assert "zep: 125 of 125 exchanges" in shell.output
            assert "langflux: 54 of 54 exchanges" in shell.output
            assert "left behind" not in shell.output
            assert sessions(zep) == dict.fromkeys(others, 1)
            assert made_in(langflux) == 0


def test_what_stalled_the_queue_is_waited_for_before_anything_is_removed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zep_conformance.embedded.zep.enrichment.STALL", 3.0)  # where it is measured it is 14 s
    with running() as fleet:
        zep = fleet.url("zep")
        began = time.monotonic()
        assert shell("verify", "--zep-url", zep, "--only", "bad-input") == 0, shell.output
        assert time.monotonic() - began > 6  # it posts twice without messages
        assert "left behind" not in shell.output
        assert sessions(zep) == {}
        # Had it been cleared too early, this search would find nothing for some seconds.
        assert shell("verify", "--zep-url", zep, "--only", "search", "--wait-limit", "1", "--keep") == 0, shell.output


def test_a_server_without_faults_differs_where_faults_are_recorded(
    shell: Shell, documented: Fleet, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    options = ["--zep-url", documented.url("zep"), *langflux_options(documented), "--keep", "--report", report]
    assert shell("verify", *options) == 1
    assert shell.differing == KNOWN_FAULTS, shell.output
    assert "zep: 136 of 142 exchanges answered as recorded" in shell.output
    assert "requirements touched: BADINPUT-1 (6)" in shell.output
    assert "DEV-11: Some mistakes of a client are answered 500" in shell.output
    found = json.loads(report.read_text())["recordings"]
    assert {one["name"] for part in found for one in part["differing"]} == KNOWN_FAULTS
    first = next(one for part in found for one in part["differing"] if one["name"] == "memory-round-trip-9")
    assert first["differences"] == [{"where": "status", "recorded": 500, "came": 400}]
    assert first["requirements"] == ["BADINPUT-1"] and first["known_fault"] == "DEV-11"
    # The curl command asks the same again: what was made was kept.
    method, url = "GET", shlex.split(first["curl"])[-1]
    assert httpx.request(method, url).status_code == 400


def test_a_label_is_not_waited_for_and_breaks_no_promise(shell: Shell) -> None:
    with running("none") as fleet:
        began = time.monotonic()
        assert shell("verify", "--zep-url", fleet.url("zep"), "--only", "summary", "--keep") == 1
        assert time.monotonic() - began < 20  # it has four answers that are waited for, for 30 s each
    assert "zep: 13 of 20 exchanges answered as recorded" in shell.output
    assert "7 of these differ in nothing but the content type" in shell.output
    assert "requirements touched" not in shell.output


def test_the_output_fits_a_terminal(shell: Shell, documented: Fleet) -> None:
    shell("verify", "--zep-url", documented.url("zep"), *langflux_options(documented), "--keep")
    wide = [line for line in shell.output.splitlines() if len(line) > 80]
    # A URL or a body that was broken could not be pasted.
    assert all(line.lstrip().startswith(("http", "'http", "--data-binary")) for line in wide), wide


@pytest.mark.parametrize(
    ("mutation", "sequence", "exchanges"),
    [
        ("lastn-off-by-one", "memory-round-trip", {5, 6}),
        ("session-ids-ignore-case", "isolation", {7}),
        ("search-unknown-404", "search", {8}),
        ("clear-does-nothing", "isolation", {5}),
    ],
)
def test_a_mutation_of_zep_is_named(shell: Shell, mutation: str, sequence: str, exchanges: set[int]) -> None:
    with running(zep=[mutation]) as fleet:
        code = shell("verify", "--zep-url", fleet.url("zep"), "--only", sequence, "--keep")
    assert code == 1, shell.output
    assert {f"{sequence}-{step}" for step in exchanges} <= shell.differing, shell.output


@pytest.mark.parametrize(
    ("mutation", "sequence", "step"),
    [("override-ignored", "override-session", 3), ("memory-not-read", "default-session", 3)],
)
def test_a_mutation_of_langflux_is_named(shell: Shell, mutation: str, sequence: str, step: int) -> None:
    with running(langflux=[mutation]) as fleet:
        code = shell("verify", *langflux_options(fleet), "--only", sequence, "--keep")
    assert code == 1, shell.output
    assert f"{sequence}-{step}" in shell.differing, shell.output


def test_a_server_that_is_altogether_different_is_summed_up(shell: Shell) -> None:
    with doctor_servers.serving(doctor_servers.app(doctor_servers.ZEP)) as port:
        options = ["--zep-url", doctor_servers.url(port), "--wait-limit", "0.1", "--keep"]
        assert shell("verify", *options) == 1
        short = shell.output
        assert "zep: 0 of 142 exchanges answered as recorded" in short
        assert len(short.splitlines()) < 200
        assert shell("verify", *options, "--verbose") == 1
    assert len(shell.output.splitlines()) > 5 * len(short.splitlines())


def test_a_zep_that_is_too_old_for_clients_is_held_to_them_all_the_same(shell: Shell) -> None:
    old = {"x-zep-version": "0.18.0-0df2850 (2023-11-01T00:00:00+0000)"}
    answers = {
        doctor_servers.HEALTH: (200, old, "."),
        doctor_servers.MEMORY: (404, old, "not found"),
        "GET /admin": (200, old, "<html>"),
    }
    with doctor_servers.serving(doctor_servers.app(answers)) as port:
        code = shell("verify", "--zep-url", doctor_servers.url(port), "--only", "service", "--keep")
    assert code == 1, shell.output
    assert "zep 0.18.0-0df2850" in shell.output and "of 4 exchanges" in shell.output


class TestCannotTell:
    """Exit code 2, and why."""

    def test_a_zep_of_another_generation(self, shell: Shell) -> None:
        answers = {doctor_servers.HEALTH: (200, {"x-zep-version": "1.0.2-abc"}, ".")}
        with doctor_servers.serving(doctor_servers.app(answers)) as port:
            assert shell("verify", "--zep-url", doctor_servers.url(port)) == 2
        assert "1.0.2" in shell.output and "answered as recorded" not in shell.output

    def test_nothing_given(self, shell: Shell) -> None:
        assert shell("verify") == 2
        assert "no --zep-url and no --langflux-url" in shell.output

    def test_nothing_there(self, shell: Shell) -> None:
        url = doctor_servers.url(doctor_servers.closed_port())
        assert shell("verify", "--zep-url", url) == 2
        assert "connection refused" in shell.output

    def test_another_product(self, shell: Shell, documented: Fleet) -> None:
        assert shell("verify", "--zep-url", documented.url("langflux")) == 2
        assert "answered as recorded" not in shell.output

    def test_what_a_recording_needs_is_not_given(self, shell: Shell, documented: Fleet) -> None:
        assert shell("verify", "--langflux-url", documented.url("langflux")) == 2
        assert "needs --model-url" in shell.output
        assert shell("verify", "--langflux-url", documented.url("langflux"), "--recording", ZEP) == 2
        assert "needs --zep-url" in shell.output

    def test_an_unknown_sequence(self, shell: Shell, documented: Fleet) -> None:
        assert shell("verify", "--zep-url", documented.url("zep"), "--only", "sumary") == 2
        assert "no sequence sumary" in shell.output and "summary" in shell.output

    def test_a_version_that_was_not_recorded(self, shell: Shell, documented: Fleet) -> None:
        assert shell("verify", "--zep-url", documented.url("zep"), "--version", "0.18.0") == 2
        assert "no recording of version 0.18.0" in shell.output and "0.23.0" in shell.output

    def test_a_version_and_a_file(self, shell: Shell, documented: Fleet) -> None:
        assert shell("verify", "--zep-url", documented.url("zep"), "--version", "0.23.0", "--recording", ZEP) == 2
        assert "Give one of them" in shell.output

    def test_an_unknown_option_or_a_bad_value(self, shell: Shell) -> None:
        assert shell("verify", "--zep") == 2
        assert shell("verify", "--zep-url", "http://127.0.0.1:1", "--wait-limit", "-1") == 2
        assert "--wait-limit" in shell.output

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            ("{", "is not an exchange"),
            ('{"sequence": "a", "step": 1, "request": {"method": "GET"}, "response": {}}', "`path`"),
            ('{"sequence": "a", "step": 1, "request": {"method": "GET", "path": "/"}}', "lacks status"),
            ("", "has no exchange in it"),
        ],
    )
    def test_a_broken_recording(self, shell: Shell, tmp_path: Path, line: str, complaint: str) -> None:
        (tmp_path / "own.jsonl").write_text(line)
        assert shell("verify", "--zep-url", "http://127.0.0.1:1", "--recording", tmp_path / "own.jsonl") == 2
        said = " ".join(shell.output.split())
        assert complaint in said and "own.jsonl" in said


class TestSecured:
    """Tokens and keys: used, and never shown."""

    def test_zep(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        token = jwt.encode({"who": "the-test"}, SECRET, "HS256")
        report = tmp_path / "report.json"
        with running({"zep": ["json-as-text"]}, secret=SECRET) as fleet:
            options = ["--zep-url", fleet.url("zep"), "--skip", "bad-input", "--report", report]
            monkeypatch.setenv("ZEP_TOKEN", token)
            assert shell("verify", *options) == 1
            assert "zep: 119 of 125 exchanges" in shell.output
            assert '-H "authorization: Bearer $ZEP_TOKEN"' in shell.output
            assert sessions(fleet.url("zep"), token) == {}
            for shown in (shell.output, report.read_text()):
                assert token not in shown and token.split(".")[2] not in shown
            monkeypatch.setenv("ZEP_TOKEN", jwt.encode({}, SECRET + "x", "HS256"))
            assert shell("verify", *options) == 2
            monkeypatch.delenv("ZEP_TOKEN")
            assert shell("verify", *options) == 2

    def test_langflux(self, shell: Shell, documented: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANGFLUX_API_KEY", KEY)
        before = made_in(documented.url("langflux"))
        code = shell("verify", *langflux_options(documented), "--only", "default-session", "--only", "service")
        assert code == 1
        assert "langflux: 11 of 12 exchanges" in shell.output
        assert '-H "authorization: Bearer $LANGFLUX_API_KEY"' in shell.output
        assert KEY not in shell.output
        assert made_in(documented.url("langflux")) == before


def test_what_could_do_harm_is_left_out(shell: Shell, documented: Fleet, tmp_path: Path) -> None:
    zep = documented.url("zep")
    httpx.post(f"{zep}/api/v1/sessions/theirs/memory", json={"messages": [{"role": "human", "content": "private"}]})
    done = {"status": 200, "content_type": "text/plain; charset=utf-8", "body": "OK"}
    listed = {"status": 200, "content_type": "text/plain; charset=utf-8", "body": []}
    refused = {"status": 400, "content_type": "text/plain; charset=utf-8", "body": "bad request"}
    own = script(
        tmp_path / "own.jsonl",
        RecordedExchange("harm", 1, {"method": "DELETE", "path": "/api/v1/sessions/x/../theirs/memory"}, done),
        RecordedExchange("harm", 2, {"method": "GET", "path": "/api/v1/sessions"}, listed),
        RecordedExchange("harm", 3, {"method": "POST", "path": "/admin/sessions/delete/theirs"}, done),
        # Refused where it was recorded; here it is not, and what comes is nobody's business.
        RecordedExchange("harm", 4, {"method": "GET", "path": "/api/v1/sessions?limit=5"}, refused),
        # A name is always one of the run's own.
        RecordedExchange("harm", 5, {"method": "DELETE", "path": "/api/v1/sessions/theirs/memory"}, done),
    )
    assert shell("verify", "--zep-url", zep, "--recording", own, "--verbose") == 1
    assert "3 left out" in shell.output and "harm 1-3" in shell.output
    assert shell.differing >= {"harm-4", "harm-5"}
    assert "not shown: it may hold what is not ours" in shell.output and "private" not in shell.output
    assert sessions(zep).get("theirs") == 1


def test_nothing_compared_is_no_verdict(shell: Shell, documented: Fleet, tmp_path: Path) -> None:
    listed = {"status": 200, "content_type": "text/plain; charset=utf-8", "body": []}
    own = script(
        tmp_path / "own.jsonl", RecordedExchange("a", 1, {"method": "GET", "path": "/api/v1/sessions"}, listed)
    )
    assert shell("verify", "--zep-url", documented.url("zep"), "--recording", own) == 2
    assert "nothing was compared" in shell.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing_behind(documented: Fleet, tmp_path: Path, number: signal.Signals) -> None:
    zep = documented.url("zep")
    session = {"path": "/api/v1/sessions/rec-late/memory"}
    wrote = {"method": "POST", **session, "body": {"messages": [{"role": "human", "content": "hello"}]}}
    done = {"status": 200, "content_type": "text/plain; charset=utf-8", "body": "OK"}
    never = {**done, "body": "this never comes"}
    own = script(
        tmp_path / "own.jsonl",
        RecordedExchange("late", 1, wrote, done),
        RecordedExchange("late", 2, {"method": "GET", **session}, never, eventually=True),
    )
    command = [sys.executable, "-m", "zep_conformance", "verify-recordings", "--zep-url", zep, "--recording", own]

    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=as_from_a_terminal,
        env={name: value for name, value in os.environ.items() if not name.startswith(("ZEP_", "LANGFLUX_"))},
    )  # fmt: skip

    def written() -> None:
        assert any(name.endswith("rec-late") for name in sessions(zep))

    try:
        eventually(written, 120)
        process.send_signal(number)
        said, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 2, said
    assert "interrupted" in said and "left behind" not in said
    assert not any(name.endswith("rec-late") for name in sessions(zep))


def test_the_recordings_that_come_with_it_are_the_ones(shell: Shell, recorded_servers: Fleet) -> None:
    options = [*langflux_options(recorded_servers), "--zep-url", recorded_servers.url("zep"), "--keep"]
    assert shell("verify", *options, "--recording", LANGFLUX, "--only", "service") == 0
    assert "held to langflux-flowise-2.2.8.jsonl" in " ".join(shell.output.split())
    assert "zep: " not in shell.output


def test_another_recording_that_comes_with_it_is_chosen_by_its_version(shell: Shell, recorded_servers: Fleet) -> None:
    zep = ["--zep-url", recorded_servers.url("zep"), "--keep", "--only", "unknown-session"]
    assert shell("verify", *zep, "--version", "0.23.0") == 0
    assert "held to zep-0.23.0.jsonl" in " ".join(shell.output.split())
    assert shell("verify", *zep, "--version", "0.20.1") == 1  # it lists no messages
    assert "unknown-session: " in shell.output and "recorded: 404" in shell.output
