"""Nothing secret is written: needles are planted in texts, and looked for in what the redactor leaves."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.needles import ENCODINGS, MODEST, WRAPPED, drawn, leaks, plain, secret, typed, words
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.redaction.redactor import HIDDEN, PIECE, Redactor


@pytest.mark.parametrize("encoding", ENCODINGS)
@MODEST
@given(needle=secret, before=words, after=words)
def test_what_it_was_told_is_found_however_it_is_written(encoding: str, needle: str, before: str, after: str) -> None:
    written = ENCODINGS[encoding](needle)
    cleaned = Redactor([needle])(f"{before} {written} {after}")
    assert HIDDEN in cleaned
    assert not leaks(needle, cleaned)
    assert written not in cleaned
    assert cleaned.startswith(before[:-1])


@pytest.mark.parametrize("wrapping", WRAPPED)
@MODEST
@given(needle=drawn, before=words, after=words)
def test_what_is_wrapped_is_found(wrapping: str, needle: str, before: str, after: str) -> None:
    cleaned = Redactor([needle])(f"{before} {WRAPPED[wrapping](needle)} {after}")
    assert HIDDEN in cleaned
    assert not leaks(needle, cleaned)


@MODEST
@given(needle=drawn.filter(lambda text: len(text) >= 24), data=st.data())
def test_what_is_cut_is_found(needle: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(PIECE, len(needle) - PIECE))
    for text in (f"a body {needle[:at]}… (5000 characters)", f"...{needle[at:]}' == ''", f"it ends in {needle[:at]}"):
        cleaned = Redactor([needle])(text)
        assert HIDDEN in cleaned, text
        assert needle[:at] not in cleaned and needle[at:] not in cleaned


@MODEST
@given(needle=st.binary(min_size=40, max_size=64).map(lambda octets: base64.urlsafe_b64encode(octets).decode()))
def test_what_is_split_over_log_lines_is_found(needle: str) -> None:
    middle = len(needle) // 2
    text = f"2026-11-22 09:00:00 ERROR {needle[:middle]}\n2026-11-22 09:00:00 ERROR {needle[middle:]} was refused"
    cleaned = Redactor([needle])(text)
    assert cleaned.count(HIDDEN) == 2
    assert not leaks(needle[:middle], cleaned) and not leaks(needle[middle:], cleaned)


# -- secrets of others, that nobody told us ---------------------------------------------------------------------

SHAPES = {
    "a header": "Authorization: Bearer {}",
    "a header of httpx": "headers=[('authorization', 'Bearer {}')]",
    "a header in bytes": "[(b'Authorization', b'Bearer {}'), (b'Accept', b'*/*')]",
    "another scheme": "authorization: Api-Key {}",
    "a key's header": "x-api-key: {}",
    "a header in JSON": '{{"Authorization": "Token {}"}}',
    "a cookie": "Cookie: connect.sid={}; theme=dark",
    "a cookie that is set": "set-cookie: token={}; Path=/; HttpOnly",
    "a cookie in a command": "curl -H 'cookie: sid={}' http://127.0.0.1/",
    "a cookie in bytes": "(b'Set-Cookie', b'sid={}; Path=/')",
    "a URL": "postgres://postgres:{}@db:5432/zep",
    "a URL without a name": "redis://:{}@cache/0",
    "a URL with nothing but it": "https://{}@github.example/zep.git",
    "JSON": '{{"name": "x", "apiKey": "{}", "n": 1}}',
    "JSON with other blanks": '{{"openAIApiKey" :"{}"}}',
    "JSON in JSON": '{{"flowData": "{{\\"password\\": \\"{}\\"}}"}}',
    "JSON twice in JSON": '"{{\\\\\\"client_secret\\\\\\": \\\\\\"{}\\\\\\"}}"',
    "JSON that is cut": '{{"access_token": "{}',
    "a dict": "{{'zep_auth_secret': '{}', 'port': 8000}}",
    "a variable": "ZEP_AUTH_SECRET={} was set",
    "a variable in quotes": 'OPENAI_API_KEY="{}"',
    "an option": "zep-conformance run --zep-token={}",
    "an option's next word": "zep-conformance run --zep-token {} -v",
    "a query": "GET /api?limit=3&token={}&x=1",
    "a query's key": "https://model.example.com/v1?key={}",
    "a query in a URL in a URL": "/login?next=%2Fapi%3Ftoken%3D{}%26x%3D1",
    "YAML": "postgres:\n  password: {}\n  port: 5432",
    "a log line": "level=info msg=connected dsn_password={}",
    "OpenAI's key": "Incorrect API key provided: sk-{}.",
    "GitHub's token": "remote: ghp_{} is not allowed",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("shape", SHAPES)
@MODEST
@given(needle=plain, before=words)
def test_what_looks_like_a_secret_is_hidden(shape: str, needle: str, before: str) -> None:
    cleaned = Redactor()(f"{before}\n{SHAPES[shape].format(needle)}")
    assert HIDDEN in cleaned
    assert needle not in cleaned


@MODEST
@given(user=plain, password=typed)
def test_basic_authentication_is_hidden(user: str, password: str) -> None:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert pair.rstrip("=") not in Redactor()(f"authorization: Basic {pair}\nlog: Basic {pair}")


@MODEST
@given(claims=st.dictionaries(plain, plain, max_size=3), signature=plain)
def test_tokens_are_hidden_whole_cut_and_wrapped(claims: dict[str, str], signature: str) -> None:
    header, payload = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    token = f"{header}.{payload}.{signature}"
    cleaned = Redactor()(f"{token} and {token[:-9]}…\n{token[:40]}\n{token[40:]}")
    assert signature not in cleaned
    assert header not in cleaned
    assert "and" in cleaned


ORDINARY = (
    *(requirement.text for requirement in load_requirements().values()),
    "the secret as a token is answered 401 'Unauthorized'",
    "Zep refuses the token: is it the secret? no $ZEP_AUTH_SECRET, no --zep-token and no $ZEP_TOKEN",
    '{"token_count": 12, "session_id": "user-42", "content": "my password is a word, she said"}',
    "http://127.0.0.1:8000/api/v1/users/me@example.com http://[::1]:8000/@x",
    "Basic authentication and Bearer tokens; Bearer authentication: token, cookie, key",
    "not offered: secret (no $ZEP_AUTH_SECRET), auth (this Zep is open: it wants no token)",
    "features/test_features.py::test_a_token_that_is_not_good_is_refused[changed after signing]",
    "zep at http://127.0.0.1:8000: no answer in 2 s. Is the key right? The password: it may be wrong.",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_texts_stay(text: str) -> None:
    assert Redactor(["correct horse battery staple", "x8Jk2-a-real-secret-9Qm"])(text) == text


@MODEST
@given(st.lists(st.one_of(words, secret, st.sampled_from(sorted(SHAPES.values()))), max_size=8).map("\n".join), secret)
def test_cleaning_what_is_clean_changes_nothing(text: str, needle: str) -> None:
    redactor = Redactor([needle])
    once = redactor(f"{text}\n{needle}")
    assert redactor(once) == once


@MODEST
@given(needle=secret, text=st.text(max_size=200))
def test_any_text_can_be_cleaned(needle: str, text: str) -> None:
    Redactor([needle])(text)


def test_short_values_are_left_alone() -> None:
    assert Redactor(["abc"])("abc abcdef") == "abc abcdef"


@pytest.mark.timeout(60)
def test_a_long_text_does_not_take_for_ever() -> None:
    redactor = Redactor(f"{number}-{'k' * number}-{number * 7919}-secret" for number in range(40))
    text = "".join(f'line {n}: {{"id": {n}, "text": "a%20b \\"c\\" & d"}}\n' for n in range(4000))
    assert redactor(text) == text
