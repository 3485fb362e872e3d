"""What the tests of the harness share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, settings

from zep_conformance.doctor import network

# What a test runs without naming a target is the embedded one: `auto` is containers, where an engine has the images.
os.environ.setdefault("ZEP_CONFORMANCE_TARGET", "embedded")

Serve = Callable[..., dict[str, str]]

# Examples are asked of servers, over HTTP: how long one takes is the machine's affair.
_COMMON = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],  # Phase.explain traces every line
    print_blob=True,
)
settings.register_profile("ci", _COMMON, derandomize=True, database=None)
settings.register_profile("nightly", _COMMON, max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    """Make a mark of what takes too long for every change, and of which every change tries something alike."""
    config.addinivalue_line("markers", "nightly: `make nightly` runs it, `make test` does not")


SHORT = ("settings", "facts", "features", "compatibility", "reference", "docsgen", "deployment_files")
"""The rooms whose tests start nothing, or little."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, so that no worker is left with a long file when the other has nothing more to do."""
    items.sort(key=lambda item: item.path.parent.name in SHORT)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names of tests without tokens in them, and the same in every process."""
    text = val.decode(errors="replace") if isinstance(val, bytes) else val
    is_token = isinstance(text, str) and (len(text) > 40 or text.count(".") == 2)
    return f"{len(text)} characters" if is_token else None


@contextmanager
def serving() -> Iterator[Serve]:
    """Yield what starts `zep-conformance serve` on free ports with further options, and gives its URLs."""
    processes: list[subprocess.Popen[str]] = []

    def serve(*options: str) -> dict[str, str]:
        ports = [word for part in ("zep", "langflux", "model", "nlp") for word in (f"--{part}-port", "0")]
        process = subprocess.Popen(
            [sys.executable, "-m", "zep_conformance", "serve", *ports, *options], stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        urls: dict[str, str] = json.loads(process.stdout.readline())
        return urls

    yield serve
    for process in processes:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.fixture
def served() -> Iterator[Serve]:
    """Start `zep-conformance serve` on free ports with further options; gives its URLs."""
    with serving() as serve:
        yield serve


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor waits less for a connection, and asks no proxy."""
    monkeypatch.setattr(network, "CONNECT_LIMIT", 0.7)
    monkeypatch.setattr(network, "_GLANCE", 0.5)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
