"""Tokens: made as zepcli makes them, and looked at without being shown."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runs import command
from zep_conformance.clients import tokens

Serve = Callable[..., dict[str, str]]
SECRET = tokens.make_secret()
NOW = 1_750_000_000


def token_command(*options: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return command("token", *options, folder=Path(), variables={"PATH": "/usr/bin:/bin", **environment}, given=stdin)


# -- making ---------------------------------------------------------------------------------------------------------


def test_a_secret_is_64_bytes_in_url_safe_base64() -> None:
    secret = tokens.make_secret()
    assert len(base64.urlsafe_b64decode(secret)) == 64
    assert secret != tokens.make_secret()


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("claims", [{}, {"exp": NOW, "name": "Zoë"}])
def test_a_token_is_what_pyjwt_makes(algorithm: str, claims: dict[str, object]) -> None:
    assert tokens.make_token(SECRET, claims, algorithm) == jwt.encode(claims, SECRET, algorithm)


def test_an_unsigned_token_is_what_pyjwt_makes() -> None:
    assert tokens.make_token(SECRET, algorithm="none") == jwt.encode({}, None, algorithm="none")


def test_no_other_algorithm() -> None:
    with pytest.raises(ValueError, match="RS256"):
        tokens.make_token(SECRET, algorithm="RS256")


def test_what_is_made_opens_a_secured_zep(served: Serve) -> None:
    made = json.loads(token_command("--json").stdout)
    urls = served("--auth-secret", made["secret"])
    path = f"{urls['zep']}/api/v1/sessions/nobody/memory"
    assert httpx.get(path).status_code == 401
    assert httpx.get(path, headers={"authorization": f"Bearer {made['secret']}"}).status_code == 401
    assert httpx.get(path, headers={"authorization": f"Bearer {made['token']}"}).status_code == 200


# -- the command ----------------------------------------------------------------------------------------------------


def test_on_a_terminal_each_is_labelled() -> None:
    done = token_command()
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    secret = next(line.removeprefix("ZEP_AUTH_SECRET=") for line in lines if line.startswith("ZEP_AUTH_SECRET="))
    assert "ZEP_AUTH_REQUIRED=true" in lines
    assert tokens.make_token(secret) in lines
    assert "API Key" in done.stdout


def test_to_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "zep.env"
    done = token_command("--env-file", str(path))
    values = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    assert path.stat().st_mode & 0o777 == 0o600
    assert values["ZEP_AUTH_REQUIRED"] == "true"
    assert values["ZEP_TOKEN"] == tokens.make_token(values["ZEP_AUTH_SECRET"])
    for secret in (values["ZEP_TOKEN"], values["ZEP_AUTH_SECRET"]):
        assert secret not in done.stdout + done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["zep.env"]


@pytest.mark.parametrize("as_link", [False, True])
def test_a_file_is_overwritten_when_that_is_asked_for_only(tmp_path: Path, as_link: bool) -> None:
    path = tmp_path / "zep.env"
    if as_link:
        (tmp_path / "theirs").write_text("theirs")
        path.symlink_to(tmp_path / "theirs")
    else:
        path.write_text("mine")
        path.chmod(0o644)
    before = path.read_text()
    assert token_command("--env-file", str(path)).returncode == 2
    assert path.read_text() == before
    assert token_command("--env-file", str(path), "--force").returncode == 0
    assert "ZEP_TOKEN" in path.read_text() and not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    if as_link:
        assert (tmp_path / "theirs").read_text() == "theirs"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = token_command("--env-file", str(tmp_path / "no" / "zep.env"))
    assert done.returncode == 2 and "Traceback" not in done.stderr


@pytest.mark.parametrize("way", ["stdin", "variable"])
def test_a_token_for_a_secret_that_is_there(way: str) -> None:
    if way == "stdin":
        done = token_command("--secret-stdin", "--json", stdin=SECRET + "\n")
    else:
        done = token_command("--json", ZEP_AUTH_SECRET=SECRET)
    assert json.loads(done.stdout) == {"token": tokens.make_token(SECRET)}


def test_a_secret_that_was_given_is_not_shown() -> None:
    assert SECRET not in token_command(ZEP_AUTH_SECRET=SECRET).stdout


def test_a_new_secret_all_the_same() -> None:
    assert json.loads(token_command("--json", "--new", ZEP_AUTH_SECRET=SECRET).stdout)["secret"] != SECRET


@pytest.mark.parametrize("secret", ["", " " + "x" * 40, "x" * 20 + " " + "x" * 20, tokens.make_token(SECRET), '"x"'])
def test_what_is_no_secret(secret: str) -> None:
    done = token_command("--secret-stdin", stdin=secret + "\n")
    assert done.returncode == 2 and not done.stdout
    assert not secret.strip() or secret.strip() not in done.stderr


LONG = "Q" * 64 + "\n" + "abcdefghijklmnopqrstuv=="


@pytest.mark.parametrize("secret", [LONG, LONG.replace("\n", "\r\n"), f"{LONG}\n\n", "x" * 40 + "\n\n\n" + "y" * 40])
@pytest.mark.parametrize("way", ["stdin", "variable"])
def test_a_secret_of_several_lines_is_refused(secret: str, way: str) -> None:
    if way == "stdin":
        done = token_command("--secret-stdin", stdin=secret + "\n")
    else:
        done = token_command(ZEP_AUTH_SECRET=secret)
    assert done.returncode == 2 and not done.stdout
    assert "line break in the secret" in done.stderr and "secret-malformed" in done.stderr
    assert "openssl rand -base64 64" in " ".join(done.stderr.split())
    assert "QQQQ" not in done.stderr


@pytest.mark.parametrize(
    "line", ["ZEP_AUTH_SECRET={}", "export ZEP_AUTH_SECRET={}", "secret: {}", "ZEP_AUTH_SECRET = {}"]
)
def test_a_whole_line_is_no_secret(line: str) -> None:
    done = token_command("--secret-stdin", stdin=line.format("x" * 40))
    assert done.returncode == 2 and "a whole line was given" in done.stderr and "xxxx" not in done.stderr


@pytest.mark.parametrize("line", ["Bearer {}", "ZEP_TOKEN={}", "your JWT: {}"])
def test_a_line_with_a_token_is_no_secret(line: str) -> None:
    done = token_command("--secret-stdin", stdin=line.format(tokens.make_token(SECRET)))
    assert done.returncode == 2 and "is a JWT" in done.stderr and "eyJ" not in done.stderr


def on_a_terminal(*options: str, stdin: str = "", **environment: str) -> tuple[int, str]:
    """The exit code of the command and what it shows on a terminal."""
    main, other = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "zep_conformance", "token", *options],
        input=stdin.encode(), stdout=other, stderr=other, check=False, env={"PATH": "/usr/bin:/bin", **environment},
    )  # fmt: skip
    os.close(other)
    shown = b""
    with contextlib.suppress(OSError):  # how the end of a terminal shows
        while piece := os.read(main, 1 << 16):
            shown += piece
    os.close(main)
    return done.returncode, shown.decode()


@pytest.mark.parametrize("given", [{}, {"ZEP_AUTH_SECRET": SECRET}, {"stdin": SECRET}])
def test_nothing_secret_is_shown_on_a_terminal_unasked(given: dict[str, str]) -> None:
    code, shown = on_a_terminal(*(["--secret-stdin"] if "stdin" in given else []), **given)
    assert code == 2
    assert "eyJ" not in shown and SECRET not in shown and "ZEP_AUTH_SECRET=" not in shown
    assert "--env-file" in shown and "--show" in shown and "secret-unasked" in shown


def test_what_is_asked_for_is_shown_on_a_terminal(tmp_path: Path) -> None:
    assert "eyJ" in on_a_terminal("--show")[1]
    assert "eyJ" in on_a_terminal("--json")[1]
    code, shown = on_a_terminal("--env-file", str(tmp_path / "zep.env"))
    assert code == 0 and "eyJ" not in shown


# -- looking at one -------------------------------------------------------------------------------------------------

GOOD = tokens.make_token(SECRET)
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    ("token", "secret", "codes"),
    [
        (GOOD, None, []),
        (GOOD, SECRET, []),
        ("", None, ["token-missing"]),
        ("  ", None, ["token-missing"]),
        (SECRET, None, ["token-is-secret"]),
        ("tiny", "tiny", ["token-is-secret"]),
        ("not.a.token", None, ["token-not-jwt"]),
        ("tiny", None, ["token-not-jwt"]),
        (GOOD[:40], None, ["token-not-jwt"]),
        (f"Bearer {GOOD}", SECRET, ["token-bearer-prefix"]),
        (f'"{GOOD}"', SECRET, ["token-quoted"]),
        (f" {GOOD}\n", SECRET, ["token-quoted"]),
        (f"'Bearer {GOOD}'", SECRET, ["token-bearer-prefix", "token-quoted"]),
        (f"{HEADER}.{PAYLOAD}.", None, ["token-unsigned"]),
        (GOOD[:-5], None, ["token-unsigned"]),
        (tokens.make_token(SECRET, algorithm="none"), SECRET, ["token-unsigned"]),
        (tokens.make_token(SECRET, algorithm="HS512"), SECRET, ["token-wrong-algorithm"]),
        (tokens.make_token("other"), SECRET, ["token-other-secret"]),
        (tokens.make_token("other"), None, []),
        (tokens.make_token(base64.urlsafe_b64decode(SECRET)), SECRET, ["token-decoded-secret"]),
        (tokens.make_token(SECRET, {"exp": NOW}), SECRET, ["token-expired"]),
        (tokens.make_token(SECRET, {"exp": NOW + 3600}), SECRET, ["token-expires-soon"]),
        (tokens.make_token(SECRET, {"exp": NOW + 10**7}), SECRET, []),
        (tokens.make_token(SECRET, {"nbf": NOW + 1}), SECRET, ["token-not-yet-valid"]),
        (tokens.make_token(SECRET, {"nbf": NOW}), SECRET, []),
        (tokens.make_token(SECRET, {"iat": NOW + 60}), SECRET, ["token-issued-later"]),
        (tokens.make_token(SECRET, {"exp": True}), SECRET, ["token-odd-times"]),
        (tokens.make_token(SECRET, {"exp": 1e300}), SECRET, []),
        (tokens.make_token("other", {"exp": NOW - 1}), SECRET, ["token-other-secret", "token-expired"]),
        (GOOD, GOOD, ["secret-is-token"]),
    ],
)
def test_flaws(token: str, secret: str | None, codes: list[str]) -> None:
    assert [flaw.code for flaw in tokens.flaws(token, secret, now=NOW)] == codes


@pytest.mark.parametrize(
    "token", ["..", "a.b.c", "é.é.é", "e30.e30.", "W10.W10.x", "[" * 5000 + ".e30.x", "\x00.\x00.\x00"]
)
def test_odd_texts_are_no_tokens(token: str) -> None:
    assert tokens.flaws(token, SECRET)


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("token", "code", "status"),
    [
        (GOOD, "", 0),
        (SECRET, "token-is-secret", 1),
        (f"Bearer {GOOD}", "token-bearer-prefix", 1),
        (tokens.make_token(SECRET, {"exp": int(time.time()) + 3600, "sub": "somebody"}), "token-expires-soon", 0),
        (tokens.make_token("other"), "token-other-secret", 1),
    ],
)
@pytest.mark.parametrize("way", ["stdin", "variable"])
def test_inspect(token: str, code: str, status: int, way: str, as_json: bool) -> None:
    given = {"stdin": token + "\n"} if way == "stdin" else {"ZEP_TOKEN": token}
    done = token_command("inspect", *["--json"] * as_json, ZEP_AUTH_SECRET=SECRET, **given)
    assert done.returncode == status, done.stderr
    assert code in done.stdout
    for secret in (token.removeprefix("Bearer "), SECRET, *token.split(".")[2:], "somebody"):
        assert secret not in done.stdout + done.stderr
    if as_json:
        assert json.loads(done.stdout)["good"] is (status == 0)


def test_inspect_without_a_token() -> None:
    assert token_command("inspect").returncode == 2


def test_help_is_quick_to_import() -> None:
    """The commands' own modules, and what they stand on, are not needed for the list of commands."""
    heavy = ("httpx", "pydantic", "pytest", "ssl")
    code = f"import sys, zep_conformance.cli.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert done.stdout.strip() == "[]", done.stderr


AROUND = {
    "a variable": "ZEP_TOKEN={}",
    "an export": 'export ZEP_TOKEN="{}"',
    "a header": "Authorization: Bearer {}",
    "curl": "curl -H 'Authorization: Bearer {}' http://127.0.0.1:8000/api/v1/sessions",
    "what zepcli says": "Your JWT token is {}\nPress Enter",
    "yaml": "  token: '{}'",
    "json": '{{"token": "{}"}}',
}


@pytest.mark.parametrize("line", AROUND.values(), ids=AROUND)
def test_a_token_in_a_pasted_line_is_recognised(line: str) -> None:
    assert [one.code for one in tokens.flaws(line.format(GOOD), SECRET)] == ["token-among-words"]
    other = [one.code for one in tokens.flaws(line.format(tokens.make_token("y" * 40)), SECRET)]
    assert other == ["token-among-words", "token-other-secret"]


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_token_among_any_words_is_found_or_it_is_said_that_there_is_none(before: str, after: str) -> None:
    text = f"{before} {GOOD} {after}"
    assert tokens.token_within(text) == GOOD
    assert {one.code for one in tokens.flaws(text, SECRET)} <= {
        "token-among-words", "token-bearer-prefix", "token-quoted",
    }  # fmt: skip
