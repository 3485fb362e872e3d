"""A plugin for runs: says how many messages were in a request that a scenario sent, at most."""

from __future__ import annotations

import json

import pytest

from zep_conformance.session.run import RUN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it."""
    terminalreporter.write_line(f"messages in a request, at most: {max(sizes, default=0)}")


sizes: list[int] = []


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Look at what a scenario has sent."""
    for exchange in item.config.stash[RUN].transcript.exchanges:
        if exchange.method == "POST" and exchange.url.endswith("/memory"):
            sizes.append(len(json.loads(exchange.body)["messages"]))
