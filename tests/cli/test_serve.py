"""`zep-conformance serve` is ended by signals, however it was started."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx
import pytest

SERVE = [sys.executable, "-m", "zep_conformance", "serve", "--part", "model", "--model-port", "0"]


def ignoring_interrupts() -> None:
    """Do what a shell does for a script's background job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_scripts_background_job_is_ended(number: signal.Signals) -> None:
    with subprocess.Popen(SERVE, stdout=subprocess.PIPE, text=True, preexec_fn=ignoring_interrupts) as process:
        try:
            url = json.loads(process.stdout.readline())["model"]
            process.send_signal(number)
            assert process.wait(90) == 0
        finally:
            process.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_so_is_one_that_is_set_up_as_a_container(number: signal.Signals) -> None:
    command = [*SERVE, "--from-environment"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=ignoring_interrupts
    ) as process:
        try:
            assert any("running on" in line for line in iter(process.stdout.readline, ""))
            process.send_signal(number)
            assert process.wait(90) == 0
        finally:
            process.kill()
