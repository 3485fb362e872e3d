"""Findings on a terminal of 80 columns: words stay whole, and what is no secret stays readable."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.support.deployment_shapes import Project
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.sources import load
from zep_conformance.doctor.findings import Finding
from zep_conformance.doctor.report import show_group
from zep_conformance.redaction.redactor import Redactor

WHOLE = (
    "postgres://user:…@zep-postgres:5432/zep?sslmode=disable",
    "https://github.com/getzep/zep/blob/v0.27.2/config.yaml#L80-L91",
    "http://zep-nlp.a-rather-long-namespace.svc.cluster.local:5557/healthz",
    "ghcr.io/getzep/zep-cloud@sha256:0123456789abcdef",
    "ZEP_EXTRACTORS_MESSAGES_SUMMARIZER_EMBEDDINGS_DIMENSIONS",
)


def on_a_terminal(advice: str, column: int = 12) -> str:
    """A finding with this advice as it is shown."""
    screen = io.StringIO()
    finding = Finding("compose", "wiring", "fault", "not-wired", "a symptom", "a cause", advice)
    show_group(Console(file=screen, width=80), "docker-compose.yaml", [(finding, finding.symptom)], column=column)
    return screen.getvalue()


@pytest.mark.parametrize("word", WHOLE)
@pytest.mark.parametrize("before", range(0, 60, 7))
def test_what_is_to_be_copied_stands_in_one_line(word: str, before: int) -> None:
    shown = on_a_terminal(f"{'x ' * before}{word} and so on.")
    assert any(word in line for line in shown.splitlines())
    assert max(map(cell_len, shown.splitlines())) <= 80


@given(st.lists(st.text("abc/:.?=&-é漢", min_size=1, max_size=80), min_size=1, max_size=30), st.sampled_from([7, 12]))
def test_words_stay_whole_and_lines_short(words: list[str], column: int) -> None:
    shown = on_a_terminal(" ".join(words), column)
    assert max(map(cell_len, shown.splitlines())) <= 80
    pieces = shown.split()
    assert all(word in pieces for word in words if cell_len(word) <= 80)


@pytest.mark.parametrize(
    "text",
    [
        *WHOLE,
        "api-key-service@sha256:" + "0f" * 32,
        "image: registry.example.org/token-service@sha256:" + "ab12" * 16,
        "postgres://zep:…@db-7f9c2b1e4d2f6a8b.internal.example.org:5432/zep",
        "postgres://zep:***@zep-postgres:5432/zep",
        "dpg-cj4k2l3m4n5o6p7q8r9s-a.frankfurt-postgres.render.com",
    ],
)
def test_a_digest_a_host_and_a_gap_are_no_secrets(text: str) -> None:
    assert Redactor()(text) == text


@pytest.mark.parametrize("host", ["db-7f9c2b1e4d2f6a8b.example.org", "zep-postgres", "10.0.0.7"])
def test_of_a_url_the_password_alone_is_hidden(host: str) -> None:
    assert Redactor()(f"postgres://zep:hunter2A9@{host}:5432/zep") == f"postgres://zep:[hidden]@{host}:5432/zep"


def test_a_password_that_is_a_hosts_name_hides_no_host(tmp_path: Path) -> None:
    made = Project()
    made.files[".env"] = made.files[".env"].replace("5f0d9a7c3b1e4d2f6a8b", "zep-postgres")
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://zep-postgres:5557"
    found = examine(load(made.shape().write(tmp_path)))
    assert any("zep-postgres" in one.symptom for one in found if one.verdict == "fault")


def test_the_same_of_several_is_one(tmp_path: Path) -> None:
    made = Project()
    made.services["zep-too"] = {**made.zep, "ports": ["8001:8000"]}
    for name in ("zep", "zep-too"):
        made.services[name] = {key: value for key, value in made.services[name].items() if key != "healthcheck"}
    found = [one for one in examine(load(made.shape().write(tmp_path))) if one.code == "health-check-missing"]
    assert [one.symptom for one in found] == ["each of zep and zep-too has no health check"]


@pytest.mark.parametrize(("nlp", "dsn", "said"), [
    (True, True, "zep is told where its NLP server and its database are"),
    (True, False, "zep is told where its NLP server is; where its database is, no file says"),
])  # fmt: skip
def test_one_is_and_several_are(tmp_path: Path, nlp: bool, dsn: bool, said: str) -> None:
    made = Project()
    told = made.zep["environment"]
    told["ZEP_STORE_POSTGRES_DSN"] = told["ZEP_STORE_POSTGRES_DSN"] if dsn else "${ELSEWHERE}"
    if not dsn:
        del made.files[".env"]
        told["ZEP_NLP_SERVER_URL"] = "http://zep-nlp:5557"
    assert nlp and said in {one.symptom for one in examine(load(made.shape().write(tmp_path)))}
