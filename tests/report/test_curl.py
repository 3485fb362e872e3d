"""A request as a curl command: what a shell makes of it is the request, and no secret is in it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.transcript import as_curl

TOKEN = "hunter2-hunter2-hunter2"
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)


@given(method=st.sampled_from(["GET", "POST", "DELETE"]), path=texts, value=texts, body=texts)
def test_a_shell_reads_what_was_sent(method: str, path: str, value: str, body: str) -> None:
    url = f"http://zep:1/{path}"
    command = " ".join(as_curl(method, url, headers={"x-word": value}, body=body, redactor=Redactor()))
    expected = ["curl", "-i", *(["-X", method] if method != "GET" else []), "-H", f"x-word: {value}"]
    expected += ["--data-binary", body] if body else []
    words = [word for word in shlex.split(command) if word != "--path-as-is"]
    if "[hidden]" not in command:  # what looks like a secret
        assert words == [*expected, url]


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", TOKEN])
def test_a_known_secret_is_named_by_its_variable(value: str) -> None:
    redactor = Redactor([TOKEN])
    words = as_curl(
        "GET", "http://zep", headers={"authorization": value}, redactor=redactor, variables={TOKEN: "ZEP_TOKEN"}
    )
    shown = f'-H "authorization: {value.replace(TOKEN, "$ZEP_TOKEN")}"'
    assert words == ["curl -i", shown, "http://zep"]
    assert redactor(" ".join(words)) == " ".join(words), "it goes through the redactor again where it is written"


def test_any_other_secret_is_hidden_wherever_it_stands() -> None:
    redactor = Redactor([TOKEN])
    command = as_curl(
        "POST",
        f"http://zep/?key={TOKEN}",
        headers={"cookie": TOKEN, "authorization": "Bearer unheard-of"},
        body=f'{{"password": "{TOKEN}"}}',
        redactor=redactor,
    )
    assert TOKEN not in " ".join(command) and "unheard-of" not in " ".join(command)


def test_a_path_that_curl_would_tidy_is_left_as_it_is() -> None:
    assert "--path-as-is" in as_curl("GET", "http://zep//healthz", headers={}, redactor=Redactor())
    assert "--path-as-is" in as_curl("GET", "http://zep/a/../b", headers={}, redactor=Redactor())
    assert "--path-as-is" not in as_curl("GET", "http://zep/a", headers={}, redactor=Redactor())
