"""One file to hand on: what is in it, without secrets and host names, and the same each time."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kept_runs import document, kept
from tests.support.records import evidence, record
from zep_conformance.cli.main import main
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.bundle import ABOUT, CONTENTS, Bundle, bundle
from zep_conformance.report.folder import FILES, INDEX, REPORT, RunFolder, write
from zep_conformance.report.reading import read

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJlLW9mLXNvbWVib2R5"
BASIC = base64.b64encode(b"me:open-sesame-42").decode()
NEEDLES = {
    f"authorization: Bearer {JWT}": JWT,
    f"a token {JWT} alone": JWT,
    f"Authorization: Basic {BASIC}": BASIC,
    "postgres://zep:Xk29-open-sesame@db/zep": "Xk29-open-sesame",
    '{"api_key": "sk-abcdefghijklmnopqrstuvwxyz123456"}': "sk-abcdefghijklmnopqrstuvwxyz123456",
    "LANGFLUX_PASSWORD=correct-Horse7battery": "correct-Horse7battery",
}
KNOWN = "known only to this machine"


def run(reports: Path, **files: str) -> RunFolder:
    parts = {"zep": {"version": "0.27.2", "url": "https://zep.example.com:8000"}}
    found = document(record("a", "failed", evidence=evidence("GET https://zep.example.com/x")), parts=parts)
    return kept(reports, found, **files)


def opened(found: Bundle) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(found.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def bundled(folder: RunFolder, **more: Any) -> Bundle:
    return bundle(read(folder.path / REPORT), Redactor([KNOWN]), **more)


@pytest.mark.parametrize("text", NEEDLES)
@pytest.mark.parametrize("where", ["a file of the run", "the report", "what is packed"])
def test_no_secret_is_in_it_though_a_file_was_edited(tmp_path: Path, text: str, where: str) -> None:
    folder = run(tmp_path, log="all is well\n", exchanges="")
    if where == "a file of the run":
        (folder.path / "log.txt").write_text(f"first\n{text}\nlast\n")
    elif where == "the report":
        found = json.loads((folder.path / REPORT).read_text())
        found["evidence"][0]["logs"]["zep"] = text
        (folder.path / REPORT).write_text(json.dumps(found))
    else:
        line = json.dumps({"nodeid": "a", "answer": text})
        (folder.path / "exchanges.txt").rename(folder.path / "exchanges.ndjson.gz")
        (folder.path / "exchanges.ndjson.gz").write_bytes(gzip.compress(line.encode()))
        listed = json.loads((folder.path / ".files.json").read_text())
        (folder.path / ".files.json").write_text(json.dumps([*listed, "exchanges.ndjson.gz"]))
    made = bundled(folder)
    inside = "".join(opened(made).values())
    assert NEEDLES[text] not in inside
    assert "[hidden]" in inside
    assert any(line.startswith("taken out: ") and not line.startswith("taken out: 0") for line in made.lines())


def test_what_this_machine_is_given_is_hidden_as_well(tmp_path: Path) -> None:
    inside = opened(bundled(run(tmp_path, log=f"somebody pasted {KNOWN} here")))
    assert all(KNOWN not in text for text in inside.values())


def test_hosts_have_other_names_the_same_ones_everywhere(tmp_path: Path) -> None:
    log = "GET https://zep.example.com/a then http://other.example.org:3000/b, http://127.0.0.1:8000/c, "
    log += "at zep.example.com"
    made = bundled(run(tmp_path, log=log))
    inside = opened(made)
    assert all("example." not in text for text in inside.values())
    assert "http://127.0.0.1:8000/c" in inside["log.txt"]
    assert json.loads(inside[REPORT])["parts"]["zep"]["url"] == "https://host-1:8000"
    assert inside["log.txt"].startswith("GET https://host-1/a then http://host-2:3000/b,")
    assert inside["log.txt"].endswith("at host-1")
    assert "replaced: 2 names of hosts" in made.lines()


NAMES = st.from_regex(
    r"[a-z][a-z0-9]{3,9}(-[a-z0-9]{2,6})?(\.[a-z][a-z0-9-]{3,8}[a-z0-9]){1,2}\.(com|internal)", fullmatch=True
)
ADDRESSES = st.ip_addresses(v=4).filter(
    lambda one: not (one.is_loopback or str(one).startswith("0."))
) | st.ip_addresses(v=6, network="2001:db8::/32")
PLACES = (
    "GET https://{}/a", "postgres://zep:x@{}:5432/zep", "host={} port=5432 dbname=zep", "Host: {}",
    "dial tcp: lookup {} on 127.0.0.11:53: no such host", "getaddrinfo ENOTFOUND {}",
    'connection to server at "{}", port 5432 failed', "HTTPSConnectionPool(host='{}', port=443)",
    'could not translate host name "{}" to address', "http%3A%2F%2F{}%3A8000",
)  # fmt: skip
"""Where a name is known by what stands around it."""
BARE = (
    "{}", "it is at {}, they say", "a line\nthen {}\nanother", "x-forwarded-for: {}", "me@{}", "{}: connection refused",
    'Traceback:\n  File "/app/zep.py", line 3, in ask\nConnectionError: {} hung up', "{}.",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(name=NAMES, address=ADDRESSES, place=st.sampled_from(PLACES), bare=st.sampled_from(BARE), data=st.booleans())
def test_no_host_is_in_it_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, name: str, address: Any, place: str, bare: str, data: bool
) -> None:
    known = f"{place.format(name)}\n{bare.format(address)}"
    said = f"{bare.format(name)} and http://127.0.0.1:8000/, localhost:3000, [::1]:80, test.py::test_a at 12:30:45"
    told = evidence(json.dumps({"body": said}) if data else said)
    found = document(record("a", "failed", reason=said, evidence=told)) | {"settings": {"zep-url": said}}
    folder = kept(tmp_path_factory.mktemp("run"), found, log=said, other=known)
    made = bundled(folder)
    for file, text in opened(made).items():
        # Where a letter of an address is escaped, or stands in a time, chance may have it.
        assert name not in text.lower(), (file, text)
        assert str(address) not in text, (file, text)
        assert name.partition(".")[2] not in text.lower(), (file, text)
    log = opened(made)["log.txt"]
    assert log.endswith("http://127.0.0.1:8000/, localhost:3000, [::1]:80, test.py::test_a at 12:30:45")
    assert "host-" in log


@pytest.mark.parametrize(
    "text",
    ["zep 0.27.2", "chromium 120.0.6099.109", "f.py::test_a", "::error::it broke", "12:30:45.123", "a::before {}",
     "00:1a:2b:3c:4d:5e", "host=localhost", "lookup postgres on 127.0.0.11:53", "std::string", "[::1]:8000", 'xmlns="http://www.w3.org/2000/svg"'],
)  # fmt: skip
def test_what_is_no_host_of_anybody_stays(tmp_path: Path, text: str) -> None:
    assert opened(bundled(run(tmp_path, log=text)))["log.txt"] == text


def test_a_name_is_known_whichever_file_tells_it(tmp_path: Path) -> None:
    inside = opened(bundled(run(tmp_path, a="PGHOST is db7.acme.io", z="psql: host=db7.acme.io user=zep")))
    assert "acme" not in "".join(inside.values())
    assert inside["a.txt"] == f"PGHOST is {inside['z.txt'].removeprefix('psql: host=').removesuffix(' user=zep')}"


def test_what_is_clean_is_as_it_was_and_data_stays_data(tmp_path: Path) -> None:
    text = """curl -H "authorization: Bearer $ZEP_TOKEN" -d '{"password": "$X"}' token_count"""
    found = document(record("a", "failed", evidence=evidence(text)))
    folder = kept(tmp_path, found)
    made = bundled(folder)
    assert json.loads(opened(made)[REPORT]) == json.loads(json.dumps(found))
    assert "taken out: 0 texts that looked like secrets, beside what the run had hidden" in made.lines()


@pytest.mark.parametrize(
    "data", [{"password": "correct-horse"}, {"name": "Cookie", "value": "connect.sid=a"}, {"api_key": ["open-sesame"]}]
)
def test_what_is_a_secret_by_its_name_is_hidden_in_data(tmp_path: Path, data: dict[str, Any]) -> None:
    folder = kept(tmp_path, document(record("a", "failed"), extra=data))
    inside = json.loads(opened(bundled(folder))[REPORT])["extra"]
    assert "[hidden]" in json.dumps(inside)
    assert not any(word in json.dumps(inside) for word in ("correct-horse", "sid=a", "open-sesame"))


def test_only_what_the_run_wrote_is_in_it(tmp_path: Path) -> None:
    folder = run(tmp_path, log="text")
    (folder.path / "mine.txt").write_text("mine")
    (folder.path / "link.txt").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("mine")
    inside = opened(bundled(folder))
    assert set(inside) == {CONTENTS, ABOUT, REPORT, "log.txt"}
    for name, text in inside.items():
        assert name == CONTENTS or name in inside[CONTENTS]
        assert "mine" not in text


def test_what_can_not_be_searched_is_left_out_and_named(tmp_path: Path) -> None:
    folder = begun = RunFolder(tmp_path, "2026-11-26T23-17-19Z-00000001")
    begun.hold()
    write(folder.path / REPORT, json.dumps(document(record("a", "failed"))))
    (folder.path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\xff")
    (folder.path / "broken.ndjson.gz").write_bytes(b"\x1f\x8b no more")
    folder.close(keep=20)
    made = bundled(folder)
    assert set(made.left_out) == {"picture.png", "broken.ndjson.gz"}
    assert "left out: picture.png: it can't be searched for secrets" in made.lines()
    assert "picture.png" in opened(made)[CONTENTS]


def test_the_page_is_made_again_of_what_is_clean(tmp_path: Path) -> None:
    folder = run(tmp_path)
    found = json.loads((folder.path / REPORT).read_text())
    found["evidence"][0]["complaint"] = f"it answered {KNOWN} at https://zep.example.com"
    (folder.path / REPORT).write_text(json.dumps(found))
    (folder.path / INDEX).write_text(f"an older page with {KNOWN}")
    (folder.path / FILES).write_text(json.dumps([REPORT, INDEX]))
    page = opened(bundled(folder))[INDEX]
    assert "it answered [hidden] at https://host-1" in page.replace("&#58;", ":")
    assert "an older page" not in page and "zep.example.com" not in page
    packed = [json.loads(zlib.decompress(base64.b64decode(one))) for one in re.findall(r">(eJ[\w+/=]{40,})<", page)]
    assert packed and all(KNOWN not in json.dumps(one) and "zep.example" not in json.dumps(one) for one in packed)
    del found["basis"]
    (folder.path / REPORT).write_text(json.dumps(found))
    assert "it could not be made again" in bundled(folder).left_out[INDEX]


def test_of_all_exchanges_those_of_failures_are_in_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "2026-11-26T23-17-19Z-00000001")
    folder.hold()
    write(folder.path / REPORT, json.dumps(document(record("a", "failed"), record("b", "passed"))))
    lines = [json.dumps({"nodeid": nodeid, "order": order}) for order, nodeid in enumerate("abab")]
    (folder.path / "exchanges.ndjson.gz").write_bytes(gzip.compress("\n".join([*lines, "{"]).encode()))
    folder.close(keep=20)
    inside = opened(bundled(folder))
    assert [json.loads(line)["order"] for line in inside["exchanges.ndjson"].splitlines()] == [0, 2]


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    folder = run(tmp_path / "a", log="text")
    other = run(tmp_path / "b", log="text")
    assert bundled(folder).content == bundled(folder).content == bundled(other).content


@pytest.mark.parametrize("size", [0, 500, 1500, 3000, 6000])
def test_it_is_no_larger_than_asked(tmp_path: Path, size: int) -> None:
    noise = "".join(random.Random(7).choices("abcdefghijkl mnopqrs", k=9000))
    folder = run(tmp_path, one=noise, other="short")
    made = bundled(folder, most=4000 + size)
    assert len(made.content) <= 4000 + size + 1500  # what the archive says of itself, and its list
    assert (REPORT in opened(made)) or REPORT in made.left_out


def test_what_the_run_ran_on_is_in_it_and_no_name_of_the_machine(tmp_path: Path) -> None:
    import platform

    about = json.loads(opened(bundled(run(tmp_path)))[ABOUT])
    assert about["packages"]["pytest"] and about["run"]["seed"] == 7
    assert about["run"]["parts"]["zep"]["version"] == "0.27.2"
    assert platform.node() not in json.dumps(about) or not platform.node()


def test_the_command_says_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEP_TOKEN", KNOWN)
    folder = run(tmp_path / "reports", log=f"it has {KNOWN} in it")
    assert main(["report", "bundle"]) == 0
    name = f"zep-conformance-{folder.path.name}.zip"
    said = capsys.readouterr().out
    assert "log.txt" in said and "taken out: 1 text" in said and name in said
    assert max(map(len, said.splitlines())) <= 80
    assert KNOWN.encode() not in b"".join(
        zipfile.ZipFile(name).read(one) for one in zipfile.ZipFile(name).namelist()
    )  # fmt: skip
    assert main(["report", "bundle"]) == 2
    assert main(["report", "bundle", folder.path.name, "--force"]) == 0
    assert main(["report", "bundle", "nothing"]) == 2
