"""Real programs under the fleet: started, watched, stopped, killed, paused, cut off, with all that they start."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support import stand_ins
from zep_conformance.clients.waiting import eventually
from zep_conformance.errors import PartDied, PortTaken
from zep_conformance.processes import programs
from zep_conformance.processes.fleet import Fleet, Program

SERVER = """#!{python}
import json, os, signal, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
{before}
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())
print("serving", flush=True)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
Make = Callable[..., Program]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Describe a small HTTP server that shows its variables. before: what it does first."""

    def program(name: str = "it", before: str = "", **fields: Any) -> Program:
        folder = tmp_path / name
        path = stand_ins.script(folder / "program", SERVER.format(python=sys.executable, before=before))
        described = Program(
            name=name, command=(str(path),), folder=folder, log=tmp_path / f"{name}.log", health="/",
            environment={"PORT": "{" + name + ".port}", "KEPT": "as it is"}, **fields,
        )  # fmt: skip
        return Program.from_json(described.as_json())

    return program


def variables(fleet: Fleet, name: str = "it") -> dict[str, str]:
    found: dict[str, str] = httpx.get(fleet.url(name)).json()
    return found


class TestStarting:
    def test_what_must_be_there_first_is_waited_for_and_wired_in(self, make: Make) -> None:
        told: list[tuple[str, str]] = []
        first = make("first", prepare=(("true",),))
        second = make("second", after=("first",))
        with Fleet((), [second, first], on_phase=lambda name, phase, *_: told.append((name, phase))) as fleet:
            assert variables(fleet, "second")["PORT"] == str(fleet.parts["second"].port)
        assert told == [("first", "create"), ("first", "start"), ("second", "start")]

    def test_changed_variables_hold_for_one_start_and_nothing_is_inherited(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ZEP_TOKEN", "not for you")
        with Fleet((), [make()]) as fleet:
            fleet.stop("it")
            fleet.start("it", {"KEPT": "", "NEW": "there"})
            assert {"NEW"} <= variables(fleet).keys() and not {"KEPT", "ZEP_TOKEN"} & variables(fleet).keys()
            fleet.stop("it")
            fleet.start("it")
            assert variables(fleet)["KEPT"] == "as it is" and "NEW" not in variables(fleet)

    def test_another_version_is_another_command_on_the_same_port_and_stays_it(self, make: Make) -> None:
        first = make()
        script = f"import os, sys; os.environ['IS'] = 'the other'; os.execv({first.command[0]!r}, sys.argv)"
        other = replace(first, versions={"after": (sys.executable, "-c", script)})
        with Fleet((), [other]) as fleet:
            assert "IS" not in variables(fleet)
            fleet.stop("it")
            fleet.start_as("it", "after")
            assert variables(fleet)["IS"] == "the other"
            fleet.kill("it")
            fleet.start("it")
            assert variables(fleet)["IS"] == "the other"

    @pytest.mark.parametrize(
        ("before", "fields", "how"),
        [
            ('sys.exit("I won\'t")', {}, "ended with exit code 1; its log ends: I won't"),
            ("os.kill(os.getpid(), signal.SIGKILL)", {}, "was ended by SIGKILL"),
            ("", {"prepare": (("sh", "-c", "echo no room; exit 3"),)}, "ended with exit code 3; its log ends: no room"),
            ("", {"prepare": (("/no/such/program",),)}, "could not be run: /no/such/program"),
        ],
        ids=["exits", "is killed", "can't be prepared", "is none"],
    )
    def test_one_that_ends_is_named_with_its_last_words(
        self, make: Make, before: str, fields: dict[str, Any], how: str
    ) -> None:
        with pytest.raises(PartDied) as caught:
            Fleet((), [make(before=before, **fields)]).__enter__()
        assert str(caught.value).startswith(f"it {how}")

    def test_one_that_does_not_answer_within_its_own_limit_is_ended(self, make: Make) -> None:
        program = make(before="import time; print(os.getpid(), flush=True); time.sleep(600)", limit=3.0)
        assert Program.from_json(json.loads(json.dumps(program.as_json()))).limit == program.limit
        with pytest.raises(PartDied, match="did not answer within 3 s"):
            Fleet((), [program]).__enter__()
        assert not psutil.pid_exists(int(program.log.read_text()))

    def test_a_port_that_somebody_else_took_is_named(self, make: Make) -> None:
        program = make()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((program.host, program.port))
            taken.listen()
            with pytest.raises(PortTaken, match=f"port {program.port} on 127.0.0.1, for it, is in use"):
                Fleet((), [program]).__enter__()


class TestEnding:
    def test_it_is_stopped_with_its_own_signal(self, make: Make) -> None:
        before = "signal.signal(signal.SIGINT, lambda *_: (print('goodbye', flush=True), os._exit(0)))"
        with Fleet((), [make(before=before, stop="SIGINT")]) as fleet:
            fleet.stop("it")
            assert fleet.log("it").endswith("goodbye\n")
            assert fleet.ended() == {}, "it was asked to"
            with pytest.raises(httpx.ConnectError):
                httpx.get(fleet.url("it"))

    @pytest.mark.parametrize("end", ["kill", "stop"])
    def test_what_it_has_started_ends_with_it(self, make: Make, end: str) -> None:
        before = (
            "own = subprocess.Popen(['sleep', '600'])\n"
            "gone = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
            "print(own.pid, gone.pid, flush=True)"
        )
        with Fleet((), [make(before=before)]) as fleet:
            children = [psutil.Process(int(pid)) for pid in fleet.log("it").splitlines()[0].split()]
            getattr(fleet, end)("it")
            alive = [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
            assert alive == []

    def test_one_that_does_not_stop_is_killed(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(programs, "STOP_LIMIT", 0.3)
        with Fleet((), [make(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)")]) as fleet:
            fleet.stop("it")
            fleet.start("it")
            assert variables(fleet)

    def test_one_that_ends_by_itself_is_told_of(self, make: Make) -> None:
        with Fleet((), [make(before="print(os.getpid(), flush=True)")]) as fleet:
            os.kill(int(fleet.log("it").split()[0]), signal.SIGTERM)

            def told() -> None:
                assert fleet.ended() == {"it": "was ended by SIGTERM"}

            eventually(told, 60)


class TestDisturbing:
    def test_paused_it_does_not_answer_and_goes_on_afterwards(self, make: Make) -> None:
        with Fleet((), [make()]) as fleet:
            fleet.pause("it")
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(fleet.url("it"), timeout=0.3)
            fleet.resume("it")
            assert variables(fleet)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux drops what is sent to a full queue")
    def test_cut_off_it_can_not_be_connected_to_and_comes_back(self, make: Make) -> None:
        with Fleet((), [make()]) as fleet:
            fleet.cut_off("it")
            with pytest.raises(httpx.ConnectTimeout):
                httpx.get(fleet.url("it"), timeout=0.3)
            fleet.reconnect("it")
            assert variables(fleet)
