"""The table of causes: what is said before an end has one cause, the more telling one, and can be shown."""

from __future__ import annotations

import pytest

from zep_conformance.facts.causes import SHOWN, Source, cause_of, causes, last_lines
from zep_conformance.facts.codes import codes

WORDS = {
    "where": "unix:///x",
    "registry": "ghcr.io",
    "login": "docker login ghcr.io",
    "with_": "with --zep-image",
    "mirror": "",
}

GONE = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


@pytest.mark.parametrize(
    ("source", "text", "code"),
    [
        ("part", "level=fatal msg=store.type must be set", "image-lacks-config"),
        ("part", 'Get "https://openaipublic.blob.core.windows.net/": dial tcp: no such host', "tokenizer-missing"),
        ("part", "dial tcp: lookup zep-db on 127.0.0.11:53: no such host", "name-unknown"),
        ("part", "dial tcp 172.18.0.2:5432: connect: connection refused", "tcp-refused"),
        ("part", 'FATAL: password authentication failed for user "zep"', "credentials-differ"),
        ("part", "Error: listen EADDRINUSE: address already in use :::3000", "port-taken"),
        ("part", "exec /bin/zep: exec format error", "other-platform"),
        ("part", "node_sqlite3.node was compiled for another: NODE_MODULE_VERSION 108", "sqlite-unfit"),
        ("engine", "network proxy not found", "external-missing"),
        ("engine", "Pool overlaps: non-overlapping IPv4 address pool", "network-unmade"),
        ("socket", "[Errno 13] Permission denied", "engine-forbidden"),
        ("registry", "pull access denied, repository does not exist or may require login", "registry-login"),
        ("registry", "manifest for x:1 not found: manifest unknown", "image-not-found"),
        ("build", "failed to resolve source metadata for x", "base-image-missing"),
        *((source, GONE, "engine-missing") for source in ("engine", "registry", "build")),
        ("npm", "npm error code ENOTFOUND", "npm-unreachable"),
        ("npm", "npm error code E404", "npm-lacks-package"),
        ("npm", "cc -o build/4e401f.o not_found_error.cc\nnpm error gyp ERR! build error", "npm-compiler-missing"),
    ],
)
def test_the_more_telling_cause_counts(source: Source, text: str, code: str) -> None:
    found = cause_of(text, source)
    assert found is not None and found.code == code


def test_what_is_not_known_has_no_cause() -> None:
    assert cause_of("level=info msg=listening", "part") is None
    assert cause_of("store.type must be set", "npm") is None
    assert cause_of("Error: SQLITE_CANTOPEN: unable to open database file", "part") is None


@pytest.mark.parametrize("cause", causes(), ids=lambda one: f"{one.source}:{one.code}")
def test_every_row_is_fit_to_be_shown(cause: object) -> None:
    filled = cause.filled(**WORDS)  # type: ignore[attr-defined]
    assert filled.advice.endswith(".")
    assert "{" not in filled.cause + filled.advice


def test_the_same_thing_has_the_same_code_as_in_the_catalogues() -> None:
    shared = {one.code for one in causes()} & {*codes("doctor"), *codes("deployment-files")}
    assert shared >= {"image-lacks-config", "openai-key-missing", "auth-without-secret", "image-lacks-pgvector"}
    assert shared >= {"credentials-differ", "name-unknown", "tcp-refused"}


def test_the_last_lines_are_shown() -> None:
    assert last_lines("a\n\n  b  \n", 1) == "      b"
    assert last_lines("\n") == "    (nothing)"
    assert len(last_lines("x\n" * 99).splitlines()) == SHOWN
    assert len(last_lines("y" * 999)) < 320
