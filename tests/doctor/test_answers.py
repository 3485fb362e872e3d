"""The text that Zep answers with decides the cause."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.doctor_servers import HEALTH, MEMORY, PRODUCED, SEARCH, VERSION, ZEP, app, check, serving, url
from zep_conformance.doctor.answers import code_of, known_codes
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.facts.codes import codes

OF_EMBEDDING = "storage error: failed to embed query (original error: llm error: error while creating embedding (original error: {}))"  # noqa: E501
OF_NLP = "storage error: failed to embed query (original error: {})"
SEARCHES = {
    OF_EMBEDDING.format(
        "API returned unexpected status code: 401: Incorrect API key provided"
    ): "embedding-key-refused",
    OF_EMBEDDING.format("API returned unexpected status code: 403: country not supported"): "embedding-key-refused",
    OF_EMBEDDING.format(
        "API returned unexpected status code: 429: You exceeded your current quota"
    ): "embedding-quota-spent",
    OF_EMBEDDING.format(
        'Post "https://api.openai.com/v1/embeddings": POST https://… giving up after 6 attempt(s)'
    ): "embedding-service-fails",
    OF_EMBEDDING.format(
        "API returned unexpected status code: 404: The model `x` does not exist"
    ): "embedding-model-missing",
    OF_EMBEDDING.format("API returned unexpected status code: 400: bad"): "embedding-service-fails",
    OF_EMBEDDING.format(
        'Post "https://api.openai.com/v1/embeddings": dial tcp: lookup api.openai.com: no such host'
    ): "embedding-service-fails",
    OF_EMBEDDING.format(
        'Post "http://llm:11434/v1/embeddings": dial tcp 10.0.0.4:11434: connection refused'
    ): "embedding-service-fails",
    OF_EMBEDDING.format(
        "API returned unexpected status code: 404: The API deployment for this resource does not exist."
    ): "embedding-model-missing",
    OF_NLP.format("not implemented. use a local embedding model"): "embedding-not-of-anthropic",
    OF_NLP.format(
        'Post "http://zep-nlp:5557/embeddings/message": giving up after 6 attempt(s): connection refused'
    ): "nlp-down",
    OF_NLP.format('Post "http://zep-nlp:5557/embeddings/message": dial tcp: lookup zep-nlp: no such host'): "nlp-down",
    OF_NLP.format('Post "/embeddings/message": unsupported protocol scheme'): "nlp-down",
    OF_NLP.format("Error making POST request: 404 - 404 Not Found"): "nlp-odd-answer",
    OF_NLP.format("Error making POST request: 500 - 500 Internal Server Error"): "nlp-odd-answer",
    OF_NLP.format("invalid character '<' looking for beginning of value"): "nlp-odd-answer",
    "storage error: memory searchMemory failed (original error: ERROR: different vector dimensions 384 and 1536 (SQLSTATE=22000))": "embedding-width",  # noqa: E501
    'storage error: memory searchMemory failed (original error: ERROR: relation "message_embedding" does not exist (SQLSTATE=42P01))': "store-without-tables",  # noqa: E501
    "storage error: memory searchMemory failed (original error: dial tcp 10.0.0.2:5432: connect: connection refused)": "store-down",  # noqa: E501
}
READS = {
    "FATAL: terminating connection due to administrator command": "store-down",
    "failed to get session: dial tcp 172.18.0.2:5432: connect: connection refused": "store-down",
    "failed to get session: dial tcp: lookup zep-postgres on 127.0.0.11:53: no such host": "store-down",
    "failed to get session: EOF": "store-down",
    "FATAL: the database system is starting up (SQLSTATE=57P03)": "store-down",
    "read tcp 10.0.0.3:39842->10.0.0.2:5432: i/o timeout": "store-down",
    'ERROR: relation "session" does not exist (SQLSTATE=42P01)': "store-without-tables",
    'failed to get: ERROR: relation "summary_embedding" does not exist (SQLSTATE=42P01)': "store-without-tables",
    "ERROR: column m.token_count does not exist (SQLSTATE=42703)": "store-without-tables",
    'FATAL: password authentication failed for user "zep" (SQLSTATE=28P01)': "store-refuses",
    'FATAL: database "zep" does not exist (SQLSTATE=3D000)': "store-refuses",
    'FATAL: role "zep" does not exist (SQLSTATE=28000)': "store-refuses",
    'FATAL: no pg_hba.conf entry for host "10.0.0.3", user "zep", no encryption (SQLSTATE=28000)': "store-refuses",
    'ERROR: type "vector" does not exist (SQLSTATE=42704)': "store-lacks-pgvector",
    "FATAL: sorry, too many clients already (SQLSTATE=53300)": "store-connections-spent",
    "FATAL: remaining connection slots are reserved for roles with SUPERUSER": "store-connections-spent",
    'could not extend file "base/16384/16402": No space left on device (SQLSTATE=53100)': "store-disk-full",
    "ERROR: cannot execute INSERT in a read-only transaction (SQLSTATE=25006)": "store-read-only",
    "ERROR: permission denied for table session (SQLSTATE=42501)": "store-forbids",
    "failed to get session: context deadline exceeded": "store-busy",
    "ERROR: canceling statement due to statement timeout (SQLSTATE=57014)": "store-busy",
    "something else": "store-odd-answer",
    "": "store-odd-answer",
}
PRODUCED.update({*SEARCHES.values(), *READS.values()})


def diagnosed(**changes: Any) -> list[Finding]:
    """Of a Zep that is well but for the answers changed: health, memory or search."""
    names = {"health": HEALTH, "memory": MEMORY, "search": SEARCH}
    with serving(app({**ZEP, **{names[name]: answer for name, answer in changes.items()}})) as port:
        return diagnose(url(port))


@pytest.mark.parametrize(("text", "code"), SEARCHES.items())
def test_a_search_that_fails(text: str, code: str) -> None:
    assert code_of(text, "search") == code


@pytest.mark.parametrize(("text", "code"), READS.items())
def test_a_read_that_fails(text: str, code: str) -> None:
    assert (code_of(text, "store") or "store-odd-answer") == code


def test_every_code_is_one_of_the_doctors_and_has_a_text() -> None:
    assert known_codes() <= set(codes("doctor"))
    assert known_codes() <= {*SEARCHES.values(), *READS.values()}


@pytest.mark.parametrize("code", sorted(known_codes()))
def test_it_is_what_the_doctor_says(code: str) -> None:
    reads = [text for text, found in READS.items() if found == code]
    if reads:
        check(diagnosed(memory=(500, VERSION, reads[0])), code)
    else:
        text = next(text for text, found in SEARCHES.items() if found == code)
        check(diagnosed(search=(500, VERSION, text)), code)


@given(st.text(max_size=40), st.sampled_from(sorted(SEARCHES)), st.text(max_size=40))
def test_what_stands_around_it_changes_nothing(before: str, text: str, after: str) -> None:
    around = (before + after).lower()
    if not any(code_of(one, "search") for one in (before, after, around)):
        assert code_of(f"{before} {text} {after}", "search") == SEARCHES[text]


@given(st.sampled_from([401, 403, 429, 404, 400, 500, 502, 503]))
def test_an_embedding_service_that_refuses_is_never_the_nlp_server(status: int) -> None:
    text = OF_EMBEDDING.format(f"API returned unexpected status code: {status}: refused by the provider")
    entry = codes("doctor")[str(code_of(text, "search"))]
    assert "zep-nlp has no part in it" in entry.cause
    assert "ZEP_OPENAI_API_KEY" in entry.cause + entry.advice
