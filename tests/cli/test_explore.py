"""`zep-conformance explore`, as a user runs it: what it finds, keeps, carries out again, and compares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.support.properties import broken
from zep_conformance.cli.main import main
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

CRLF = {"sequence": 1, "kind": "memory", "operations": [
    {"do": "write", "session": "team", "messages": [{"role": "human", "content": "one\r\ntwo"}]},
    {"do": "read-memory", "session": "team"},
]}  # fmt: skip


@pytest.fixture(scope="module")
def zep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Zep that keeps every requirement."""
    with Fleet(parts_for(["nlp", "zep"], data=tmp_path_factory.mktemp("data"))) as fleet:
        yield fleet.url("zep")


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Zep that changes line breaks."""
    with broken(tmp_path_factory.mktemp("bad"), ["nlp", "zep"], {"zep": ["newlines-normalised"]}) as fleet:
        yield fleet.url("zep")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A file with a sequence in it."""
    path = tmp_path / "sequence.json"
    path.write_text(json.dumps(CRLF))
    return path


def explore(tmp_path: Path, *options: Any) -> int:
    return main(["explore", "--reports", str(tmp_path / "reports"), "--seed", "7", *map(str, options)])


def test_what_differs_is_shown_short_and_kept_and_found_again(
    tmp_path: Path, zep: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = ("--mutations", "zep:newlines-normalised")
    assert explore(tmp_path, *bad, "--operations", 200, "--kind", "memory") == 1
    shown = capsys.readouterr().out
    assert "the shortest sequence that shows it:\n  1. write " in shown
    assert "\\r\\n" in shown
    assert "curl -i -X POST -H 'content-type: application/json' --data-binary" in shown
    path = tmp_path / "reports" / "sequence-memory.json"
    assert 1 < len(json.loads(path.read_text())["operations"]) + 1 <= 3
    assert explore(tmp_path, *bad, "--replay", path) == 1
    assert explore(tmp_path, "--zep-url", zep, "--replay", path) == 0


def test_where_nothing_differs_that_is_said(tmp_path: Path, zep: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explore(tmp_path, "--zep-url", zep, "--operations", 60) == 0
    assert "no difference in " in capsys.readouterr().out
    assert not [*(tmp_path / "reports").glob("sequence*")]


def test_two_servers_are_compared(
    tmp_path: Path, zep: str, bad: str, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explore(tmp_path, "--zep-url", zep, "--against", bad, "--replay", kept) == 1
    assert 'messages[0].content: expected "one\\r\\ntwo", came "one\\ntwo"' in capsys.readouterr().out
    assert explore(tmp_path, "--zep-url", zep, "--against", zep, "--replay", kept) == 0


def test_what_was_made_is_removed(tmp_path: Path, served: Serve, kept: Path) -> None:
    urls = served("--recorded-behaviours", "none")
    import httpx

    assert explore(tmp_path, "--zep-url", urls["zep"], "--replay", kept) == 0
    assert httpx.get(f"{urls['zep']}/api/v1/sessions").json() == []


def test_a_budget_ends_it(tmp_path: Path, zep: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explore(tmp_path, "--zep-url", zep, "--max-requests", 40) == 0
    assert "ended before its time: --max-requests: 40 requests have been sent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--read-only"], "options-conflict"),
        (["--kind", "nonsense"], "option-invalid"),
        (["--for", "soon"], "usage-wrong"),
        (["--replay", "nowhere.json"], "sequence-unreadable"),
    ],
)
def test_what_can_not_be_explored_is_refused(
    tmp_path: Path, options: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explore(tmp_path, *options) == 2
    assert f"[{code}]" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", '{"sequence": 9}', '{"sequence": 1, "kind": "memory", "operations": [{}]}',
                                  '{"sequence": 1, "kind": "memory", "operations": [{"do": "write"}]}'])  # fmt: skip
def test_a_file_that_is_no_sequence_is_refused(
    tmp_path: Path, kept: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write_text(text)
    assert explore(tmp_path, "--replay", kept) == 2
    assert "[sequence-unreadable]" in capsys.readouterr().err


CHAT = {"sequence": 1, "kind": "chats", "operations": [
    {"do": "talk", "session": "team", "question": "my name is Ada"},
    {"do": "talk", "question": " hello ", "streamed": True},
    {"do": "talk", "chat": "made-0", "question": "What is my name?"},
    {"do": "clear", "session": "team", "chat": "team"},
]}  # fmt: skip


@pytest.mark.parametrize(("mutations", "code"), [((), 0), (("--mutations", "langflux:question-trimmed"), 1)])
def test_a_sequence_of_chats_is_carried_out_in_langflux_and_zep(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mutations: tuple[str, ...], code: int
) -> None:
    path = tmp_path / "chats.json"
    path.write_text(json.dumps(CHAT))
    assert explore(tmp_path, "--target", "embedded", "--replay", path, *mutations) == code
    shown = capsys.readouterr().out
    assert ("no difference" in shown) == (code == 0)
    if code:
        assert 'expected " hello ", came "hello"' in shown
        assert "authorization: Bearer [hidden]" in shown


def test_two_langfluxes_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, key = tmp_path / "chats.json", "key-of-the-other"
    path.write_text(json.dumps(CHAT))
    with broken(tmp_path / "other", ["langflux"], {"langflux": ["listing-lacks-answers"]}, api_key=key) as fleet:
        other = ("--against-langflux", fleet.url("langflux"), "--against-langflux-api-key", key)
        assert explore(tmp_path, "--target", "embedded", "--replay", path, *other) == 1
    shown = capsys.readouterr().out
    assert "expected 2 chat messages" in shown or "list the chat messages" in shown
    assert key not in shown
