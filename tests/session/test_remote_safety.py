"""A remote run does no harm: what it may send, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.runs import report_in, run
from zep_conformance.clients.http import Limits
from zep_conformance.errors import LimitReached


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def client(limits: Limits) -> httpx.Client:
    return httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200)),
        base_url="http://zep",
        event_hooks={"request": [limits.check]},
    )


def test_a_rate_spreads_requests_evenly() -> None:
    clock = Clock()
    one = client(Limits(rate=4, sleep=clock.sleep, clock=lambda: clock.now))
    for _ in range(5):
        one.get("/healthz")
    assert clock.slept == [0.25] * 4


def test_a_budget_ends_and_leaves_room_for_the_removal() -> None:
    limits = Limits(max_requests=2)
    one = client(limits)
    one.get("/a")
    one.get("/b")
    with pytest.raises(LimitReached, match="--max-requests: 2 requests"):
        one.get("/c")
    limits.lift_budget()
    one.delete("/a")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/sessions/s/memory", True),
        ("POST", "/api/v1/sessions/s/search", True),
        ("POST", "/api/v1/sessions/s/memory", False),
        ("PATCH", "/api/v1/sessions/s", False),
        ("DELETE", "/api/v1/sessions/s/memory", False),
        ("POST", "/api/v1/prediction/f", False),
    ],
)
def test_read_only_lets_through_what_can_not_write(method: str, path: str, allowed: bool) -> None:
    one = client(Limits(read_only=True))
    if allowed:
        one.request(method, path)
    else:
        with pytest.raises(LimitReached, match="--read-only"):
            one.request(method, path)


def test_a_read_only_run_sends_nothing_that_writes(tmp_path: Path, served: Callable[..., dict[str, str]]) -> None:
    secret = "a-secret-of-the-test-0123456789-0123456789"
    urls = served("--auth-secret", secret, "--recorded-behaviours", "none")
    import jwt

    token = jwt.encode({}, secret, "HS256")
    finished = run(
        tmp_path, "-q", "--target", "remote", "--zep-url", urls["zep"], "--read-only",
        ZEP_TOKEN=token, ZEP_AUTH_SECRET=secret,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout
    found = report_in(tmp_path)
    assert found["outcomes"]["passed"] >= 15
    assert found["outcomes"]["error"] == 0
    assert "no capability write: --read-only was given" in finished.stdout
    headers = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{urls['zep']}/api/v1/sessions", headers=headers).json() == []


def test_a_spent_budget_can_not_tell_and_leaves_nothing(tmp_path: Path, served: Callable[..., dict[str, str]]) -> None:
    urls = served("--recorded-behaviours", "none")
    finished = run(tmp_path, "--target", "remote", "--zep-url", urls["zep"], "--max-requests", "40")
    assert finished.returncode == 2, finished.stdout
    assert "--max-requests: 40 requests have been sent" in finished.stdout
    assert httpx.get(f"{urls['zep']}/api/v1/sessions").json() == []


def langflux_options(urls: dict[str, str]) -> tuple[str, ...]:
    return ("--target", "remote", "--langflux-url", urls["langflux"])


def outcomes_of(found: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["outcome"] for one in found["requirements"]}


def nothing_left(urls: dict[str, str], chatflows: int = 0) -> None:
    assert httpx.get(f"{urls['zep']}/api/v1/sessions").json() == []
    with httpx.Client(base_url=urls["langflux"], headers={"x-request-from": "internal"}) as langflux:
        flows = langflux.get("/api/v1/chatflows").json()
        assert len(flows) == chatflows
        for flow in flows:
            assert langflux.get(f"/api/v1/chatmessage/{flow['id']}").json() == []


def test_langflux_alone(tmp_path: Path, served: Callable[..., dict[str, str]]) -> None:
    urls = served("--recorded-behaviours", "none")
    finished = run(
        tmp_path, "-q", *langflux_options(urls), "--zep-url-from-langflux", urls["zep"], "--model-url", urls["model"],
        LANGFLUX_API_KEY=urls["langflux_api_key"],
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout
    outcomes = outcomes_of(report_in(tmp_path))
    assert {name for name, outcome in outcomes.items() if outcome == "passed"} == {
        "API-2", "API-3", "API-4", "API-5", "API-9", "CLEAR-2", "UI-5", "AUTH-5",
    }  # fmt: skip
    nothing_left(urls)


def test_a_chatflow_of_ones_own(tmp_path: Path, served: Callable[..., dict[str, str]]) -> None:
    from zep_conformance.clients.langflux import LangFlux
    from zep_conformance.facts.flows import with_model, with_zep_memory

    urls = served("--recorded-behaviours", "none")
    langflux = LangFlux(urls["langflux"], urls["langflux_api_key"])
    flow = with_zep_memory(langflux.template(), langflux.node("ZepMemory"), base_url=urls["zep"])
    credential = langflux.add_credential("own", "openAIApi", "sk-0123456789")
    own = langflux.add_chatflow("own", with_model(flow, model_url=urls["model"], credential=credential))
    finished = run(
        tmp_path, "-q", *langflux_options(urls), "--chatflow", own, LANGFLUX_API_KEY=urls["langflux_api_key"]
    )
    assert finished.returncode == 0, finished.stdout
    outcomes = outcomes_of(report_in(tmp_path))
    assert {name for name, outcome in outcomes.items() if outcome == "passed"} == {
        "API-2", "API-3", "API-5", "API-9", "CLEAR-2", "UI-5",
    }  # fmt: skip
    assert "no capability build: --chatflow was given" in finished.stdout
    langflux.close()
    nothing_left(urls, chatflows=1)
