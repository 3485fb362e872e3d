"""What the embedded LangFlux does with secrets, and who may ask it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.chatting import API_KEY
from zep_conformance.embedded.applications import langflux_app
from zep_conformance.embedded.langflux.services import MASK
from zep_conformance.embedded.langflux.store import LangFluxStore
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

KEY = {"authorization": f"Bearer {API_KEY}"}
SECRET = "a-token-that-is-nobodys-business"


@contextmanager
def serving(folder: Path, **changes: Mapping[str, list[str]]) -> Iterator[httpx.Client]:
    """A LangFlux, and what asks it."""
    with (
        Fleet(parts_for(["langflux"], data=folder, **changes)) as fleet,
        httpx.Client(base_url=fleet.url("langflux")) as client,
    ):
        yield client


@pytest.fixture
def langflux(tmp_path: Path) -> Iterator[httpx.Client]:
    with serving(tmp_path) as client:
        yield client


def added(client: httpx.Client) -> dict[str, str]:
    body = {"name": "c", "credentialName": "zepMemoryApi", "plainDataObj": {"apiKey": SECRET, "other": SECRET}}
    answer: dict[str, str] = client.post("/api/v1/credentials", json=body, headers=KEY).json()
    return answer


def test_a_credential_is_shown_masked(langflux: httpx.Client) -> None:
    made = added(langflux)
    answers = [langflux.get(f"/api/v1/credentials{path}", headers=KEY) for path in ("", f"/{made['id']}")]
    assert answers[1].json()["plainDataObj"] == {"apiKey": MASK, "other": MASK}
    assert [one["id"] for one in answers[0].json()] == [made["id"]]
    assert SECRET not in "".join([str(made), *(answer.text for answer in answers)])


def test_fields_that_a_type_does_not_know_are_shown_as_recorded(tmp_path: Path) -> None:
    with serving(tmp_path, recorded_behaviours={"langflux": ["unlisted-field-shown"]}) as client:
        made = added(client)
        fields = client.get(f"/api/v1/credentials/{made['id']}", headers=KEY).json()["plainDataObj"]
    assert fields == {"apiKey": MASK, "other": SECRET}


def test_only_its_owner_may_read_the_database(langflux: httpx.Client, tmp_path: Path) -> None:
    added(langflux)
    holding = [path for path in tmp_path.iterdir() if SECRET.encode() in path.read_bytes()]
    assert holding, "the credential is in none of its files"
    assert {path.stat().st_mode & 0o077 for path in holding} == {0}


def test_what_was_kept_is_there_again_and_what_another_version_kept_is_refused(tmp_path: Path) -> None:
    """Its tables had other columns: it started, and everything that was asked for was answered 500."""
    for _ in range(2):
        store = LangFluxStore(tmp_path / "db")
        made = store.add_credential("c", "zepMemoryApi", {})
        store.close()
    assert made["id"] in [one["id"] for one in LangFluxStore(tmp_path / "db").credentials()]
    with sqlite3.connect(tmp_path / "old") as old:
        old.execute("CREATE TABLE credential (id TEXT PRIMARY KEY, encryptedData TEXT NOT NULL)")
    with pytest.raises(sqlite3.DatabaseError, match="of another version of zep-conformance: remove it"):
        LangFluxStore(tmp_path / "old")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/chatflows", {}, 401),
        ("/API/v1/chatflows", {}, 401),
        ("/api/v1/chatflows", {"authorization": "Bearer another"}, 401),
        ("/api/v1/chatflows", {"x-request-from": "internal"}, 200),
        ("/api/v1/chatflows", KEY, 200),
        ("/api/v1/ping", {}, 200),
        ("/canvas", {}, 200),
    ],
)
def test_the_key_is_checked(langflux: httpx.Client, path: str, headers: dict[str, str], status: int) -> None:
    assert langflux.get(path, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({}, "documented"),
        ({"recorded_behaviours": {"langflux": ["session-is-chat-id"]}}, "recorded"),
        ({"mutations": {"langflux": ["credential-shown"]}}, "mutated"),
    ],
)
def test_every_answer_says_what_it_is_of(tmp_path: Path, changes: Any, variant: str) -> None:
    with serving(tmp_path, **changes) as client:
        assert client.get("/api/v1/chatflows").headers["X-LangFlux-Embedded"] == variant


@pytest.mark.parametrize("changes", [{"mutations": ["no-such-name"]}, {"recorded_behaviours": ["no-such-name"]}])
def test_an_unknown_name_is_refused(tmp_path: Path, changes: dict[str, list[str]]) -> None:
    with pytest.raises(KeyError, match="no-such-name"):
        langflux_app(database=tmp_path / "db", api_key=API_KEY, **changes)
