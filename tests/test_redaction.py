"""Nothing secret is written: needles are planted wherever one could come from, and looked for in what comes out."""

from __future__ import annotations

import base64
import html
import json
import logging
import os
import shlex
import string
import subprocess
import sys
import textwrap
import warnings
import xml.etree.ElementTree
import xml.sax.saxutils
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zep_conformance.errors import CannotTell
from zep_conformance.evidence import output, reports, summary
from zep_conformance.evidence.encodings import readings
from zep_conformance.evidence.failure import Failure
from zep_conformance.evidence.gate import Gate
from zep_conformance.evidence.outcomes import Record
from zep_conformance.evidence.redaction import HIDDEN, LONG_PIECE, PIECE, Redactor
from zep_conformance.evidence.transcript import Transcript
from zep_conformance.harness import load_requirements
from zep_conformance.settings import Settings, defaults, passwords_in

MODEST = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
TOKEN = string.ascii_letters + string.digits + "-_"
PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))

drawn = st.text(TOKEN, min_size=12, max_size=70).filter(lambda text: any(map(str.isdigit, text)) and text.isprintable())
"""What a machine draws: a key, a secret, a part of a token."""
typed = st.text(PRINTABLE + "äß€\N{SNOWMAN}\N{GRINNING FACE}", min_size=8, max_size=40).filter(
    lambda text: text == text.strip() and len(set(text)) > 4
)
"""What a person thinks of: any characters, blanks and quotes too."""
secret = st.one_of(drawn, typed)
words = st.lists(st.sampled_from(["the", "message of", "Zita", "{", "was", "é", "12", "→", "'", '"']), max_size=5).map(
    " ".join
)


def percent(text: str) -> str:
    return quote(text, safe="")


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": percent,
    "in a URL, lower case": lambda text: "".join(
        char if char.isalnum() and char.isascii() else percent(char).lower() for char in text
    ),
    "in a URL, every character": lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
    "in a form": quote_plus,
    "in JSON": in_json,
    "in JSON in JSON": lambda text: in_json(in_json(text)),
    "in JSON, unescaped letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in JSON in a URL": lambda text: percent(json.dumps({"a": text})),
    "twice in a URL": lambda text: percent(percent(text)),
    "in a repr": repr,
    "in the repr of bytes": lambda text: repr(text.encode()),
    "in a shell command": shlex.quote,
    "in HTML": html.escape,
    "in XML": lambda text: xml.sax.saxutils.escape(text, {'"': "&quot;"}),
    "in Markdown": summary.text,
    "user:password in base64": lambda text: base64.b64encode(f"me:{text}".encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(f"somebody:{text}".encode()).decode().rstrip("="),
    "in base64 in a URL": lambda text: percent(base64.b64encode(f"a:{text}".encode()).decode()),
    "in hexadecimal": lambda text: text.encode().hex(),
    "over two lines": lambda text: f"{text[: len(text) // 2]}\n    {text[len(text) // 2 :]}",
}
WRAPPED: dict[str, Callable[[str], str]] = {
    "in a narrow frame": lambda text: "│ " + " │\n│ ".join(textwrap.wrap(text, 7, break_on_hyphens=False)) + " │",
    "over a failure's lines": lambda text: f"E   {text[:9]}\nE   {text[9:]}",
    "over a command's lines": lambda text: f"{text[:5]}\\\n{text[5:]}",
}


def leaks(needle: str, text: str) -> list[str]:
    """Pieces of a needle that some reading of a text has, the longest there is first."""
    found = []
    for reading in readings(text, blanks=" " in needle):
        if needle in reading.text:
            found.append(needle)
        found += [
            needle[at : at + LONG_PIECE]
            for at in range(len(needle) - LONG_PIECE + 1)
            if needle[at : at + LONG_PIECE] in reading.text
        ]
    return found


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
plain = st.text(string.ascii_letters + string.digits, min_size=20, max_size=60).filter(
    lambda text: any(map(str.isdigit, text)) and any(map(str.isalpha, text))
)


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


def test_a_long_text_is_cleaned_quickly() -> None:
    import time

    redactor = Redactor(f"{number}-{'k' * number}-{number * 7919}-secret" for number in range(40))
    text = "".join(f'line {n}: {{"id": {n}, "text": "a%20b \\"c\\" & d"}}\n' for n in range(4000))
    began = time.process_time()
    assert redactor(text) == text
    assert time.process_time() - began < 5


# -- the writers ------------------------------------------------------------------------------------------------


def exchanged(redactor: Redactor, needle: str, told: bool) -> str:
    """A transcript in which a needle went out and came back."""
    transcript = Transcript(redactor)
    body = json.dumps({"echo": needle, "padding": "x" * 1400, "apiKey": needle})

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, content=iter([body.encode()]), headers={"set-cookie": f"sid={percent(needle)}"})

    client = httpx.Client(transport=httpx.MockTransport(answer), event_hooks={"response": [transcript.answered]})
    headers = {"authorization": f"Bearer {percent(needle)}", "cookie": f"sid={percent(needle)}"}
    client.get(f"http://zep/api?key={percent(needle)}", headers=headers)
    client.post("http://zep/", json={"password": needle}, headers=headers)
    if told:
        client.get("http://zep/", params={"q": needle}, auth=("me", needle))
    return transcript.shown()


@MODEST
@given(needle=secret)
def test_transcripts(needle: str) -> None:
    assert not leaks(needle, exchanged(Redactor([needle]), needle, told=True))


@MODEST
@given(needle=plain)
def test_transcripts_with_secrets_of_others(needle: str) -> None:
    shown = exchanged(Redactor(), needle, told=False).replace(f'"echo": "{needle}"', "")
    assert needle not in shown


def record(needle: str) -> Record:
    return Record(f"a scenario of {needle}", "a.feature:1", f"a.py::test[{needle}]", ("API-1",), "failed", 0.1, needle)


@MODEST
@given(needle=secret)
def test_reports(needle: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("reports")
    records = [record(needle)]
    facts = {
        "trouble": str(CannotTell(f"zep said {needle!r}", f"Look at {percent(needle)}.")),
        "target": {"name": "remote", "deployed": True},
        "parts": {"zep": {"version": needle, "url": f"http://me:{percent(needle)}@zep"}},
        "left_behind": [f"session {needle}"],
    }
    judgement = Gate().judge(records, facts, trouble=True, settled=True)
    found = reports.document(
        records, load_requirements(), facts=facts, version="0", seed=1, started=datetime.now(UTC), duration=1.0,
        exit_code=judgement.code, verdict=judgement.verdict, gate=judgement.as_json(),
    )  # fmt: skip
    reports.write(folder, found, Redactor([needle]))
    for path in folder.iterdir():
        assert not leaks(needle, path.read_text()), path.name
    assert json.loads((folder / "conformance.json").read_text())["exit_code"] == 1


@MODEST
@given(needle=secret)
def test_failures(needle: str) -> None:
    evidence = Failure((), needle, needle, f"expected {needle!r}", "", (("zep", f"a log of\n{needle}"),), needle)
    assert not leaks(needle, Redactor([needle])(str(evidence)))


@MODEST
@given(needle=secret)
def test_junit(needle: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("junit") / "junit.xml"
    root = xml.etree.ElementTree.Element("testsuites")
    case = xml.etree.ElementTree.SubElement(root, "testcase", name=f"test[{needle}]")
    xml.etree.ElementTree.SubElement(case, "failure", message=needle).text = f"Bearer {needle}"
    xml.etree.ElementTree.SubElement(case, "system-out").text = in_json(needle)
    xml.etree.ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    output.clean_junit(path, Redactor([needle]))
    again = xml.etree.ElementTree.parse(path).getroot()
    assert not leaks(needle, path.read_text())
    assert again.find(".//failure").attrib["message"] == HIDDEN


def test_junit_that_is_clean_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text('<?xml version="1.0"?><testsuites   name="as pytest wrote it"/>')
    before = path.stat().st_mtime_ns, path.read_text()
    output.clean_junit(path, Redactor(["a-secret-of-somebody"]))
    output.clean_junit(tmp_path / "none.xml", Redactor())
    assert (path.stat().st_mtime_ns, path.read_text()) == before


@MODEST
@given(needle=secret)
def test_reports_of_pytest(needle: str) -> None:
    report = pytest.TestReport(
        "a.py::test", ("a.py", 1, "test"), {}, "failed", f"E  {needle}", "call",
        [("Captured stdout call", needle), ("Captured log call", percent(needle))], 0.1, 0, 1, [("said", needle)],
    )  # fmt: skip
    output.clean_report(report, Redactor([needle]))
    assert not leaks(needle, f"{report.longrepr}\n{report.sections}\n{report.user_properties}")
    skipped = pytest.TestReport("a.py::test", ("a.py", 1, "test"), {}, "skipped", ("a.py", 1, needle), "setup")
    output.clean_report(skipped, Redactor([needle]))
    assert not leaks(needle, str(skipped.longrepr))


def test_settings_know_the_passwords_in_urls() -> None:
    assert passwords_in("http://zep:8000/a@b") == []
    assert passwords_in("http://me:p%40ss%2Fword@zep:8000/") == ["p%40ss%2Fword", "p@ss/word"]
    assert "hunter2hunter2" in Settings(zep_url="https://me:hunter2hunter2@zep").secrets()


def test_a_run_with_wrong_settings_knows_what_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEP_TOKEN", "a-token-from-a-variable")
    monkeypatch.setenv("ZEP_CONFORMANCE_WAIT_LIMIT", "soon")
    found = defaults({"langflux_api_key": "a-key-from-an-option", "reports": None})
    assert {"a-token-from-a-variable", "a-key-from-an-option"} <= set(found.secrets())
    assert found.reports == Path("reports")


# -- a whole run ------------------------------------------------------------------------------------------------

LEAKY = """
import logging, os, urllib.parse, warnings
import pytest

NEEDLE = os.environ["ZEP_TOKEN"]

@pytest.fixture(autouse=True)
def leaky(request, record_property):
    record_property("said", NEEDLE)
    print("printed", NEEDLE)
    logging.getLogger("leaky").error("logged %s", NEEDLE)
    try:
        raise ValueError(NEEDLE)
    except ValueError:
        logging.getLogger("leaky").exception("raised")
    warnings.warn(f"warned of {urllib.parse.quote(NEEDLE, safe='')}")
    held = {"the header": NEEDLE}
    yield
    if HOW == "fails":
        raise AssertionError(f"the server said {NEEDLE} of {held!r}")
    if HOW == "breaks":
        raise RuntimeError(NEEDLE)
"""


@pytest.mark.parametrize("how", ["passes", "fails", "breaks"])
def test_a_whole_run_with_everything_shown(tmp_path: Path, how: str) -> None:
    """Whatever somebody adds to the suite, and however much they ask pytest to show."""
    needle = 'n33dle-"with"-$(quotes)-&-%41-and-more'
    (tmp_path / "leaky.py").write_text(f"HOW = {how!r}\n{LEAKY}")
    command = [
        sys.executable, "-m", "zep_conformance", "run", "-p", "leaky", "-p", "no:cacheprovider", "--target", "embedded",
        "-m", "API-3", "-vv", "-rA", "-l", "--log-level=DEBUG", "--log-cli-level=DEBUG", "--log-file=all.log",
        "-o", "junit_logging=all", "--setup-show", "--durations=3", "--full-trace",
    ]  # fmt: skip
    environment = {**os.environ, "ZEP_TOKEN": needle, "PYTHONPATH": str(tmp_path), "CI": ""}
    finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert finished.returncode == {"passes": 0, "fails": 2, "breaks": 2}[how], finished.stdout
    assert finished.stdout.count(HIDDEN) > 3
    written = {"stdout": finished.stdout, "stderr": finished.stderr}
    written |= {path.name: path.read_text() for path in tmp_path.rglob("*.*") if path.is_file()}
    assert {"all.log", "junit.xml", "conformance.json", "summary.md"} <= set(written)
    for name, text in written.items():
        if not name.startswith("leaky"):
            assert not leaks(needle, text), (name, leaks(needle, text), text)


def test_what_is_mistyped_is_not_repeated(tmp_path: Path) -> None:
    for words_given in (["--zep-tokn=n33dle-n33dle-n33dle"], ["--zep-tokn", "n33dle-n33dle-n33dle"]):
        command = [sys.executable, "-m", "zep_conformance", "run", "--target", "embedded", *words_given]
        finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert finished.returncode == 2
        assert "--zep-tokn" in finished.stderr
        assert "n33dle" not in finished.stdout + finished.stderr


def test_logging_is_left_as_it_was() -> None:
    before = logging.getLogRecordFactory()

    class Plugins:
        @staticmethod
        def hasplugin(_: str) -> bool:
            return False

    class Configuration:
        pluginmanager = Plugins()

    with output.clean(Configuration(), Redactor(["a-secret-of-somebody"])), warnings.catch_warnings():  # type: ignore[arg-type]
        made = logging.getLogRecordFactory()("a", 20, "a.py", 1, "said %s", ("a-secret-of-somebody",), None)
        assert made.getMessage() == f"said {HIDDEN}"
        wrong = logging.getLogRecordFactory()("a", 20, "a.py", 1, "said %d", ("no number",), None)
        assert wrong.args == ("no number",)
    assert logging.getLogRecordFactory() is before
