"""One file to attach to a report of a bug: what a run has written and what it ran on, without secrets and host names.

What a run wrote is clean already. It is cleaned once more here, for it may have been edited since, and whoever makes
the file may know other secrets than the run did. Names and addresses of hosts are replaced by others (`hosts`), the
same for the same host; those of this machine stay. What can't be searched (pictures, archives) is left out, and so is
whatever the run did not write. The same run gives the same file, to the last byte.
"""

from __future__ import annotations

import gzip
import io
import json
import platform
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from zep_conformance import __version__
from zep_conformance.redaction.redactor import HIDDEN, Redactor
from zep_conformance.report.folder import INDEX, JUNIT, LOGS, REPORT, SUMMARY, written
from zep_conformance.report.hosts import Hosts
from zep_conformance.report.reading import Report

CONTENTS = "CONTENTS.txt"
"""What is in the file and what is not, in it."""
ABOUT = "about.json"
"""What the run ran on."""
EXCHANGES = "exchanges.ndjson"
"""Every exchange of a run, as it is unpacked."""
MOST = 20_000_000
"""How many bytes it may have: more than a bug tracker takes is of no use."""
LARGEST = 200_000_000
"""How many bytes of one file are looked at."""
_FIRST = (REPORT, SUMMARY, INDEX, JUNIT)
_WRONG = ("failed", "error", "deviation")
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""When everything in the file is from: when it was made is nobody's concern, and would make each one another."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a bundle. hidden: how many places were cleaned that were not clean before."""

    name: str
    content: bytes
    hidden: int = 0


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What is handed on. left_out: by file, why. hosts: how many names of hosts were replaced."""

    members: Sequence[Member]
    left_out: Mapping[str, str]
    hosts: int
    content: bytes

    def lines(self) -> list[str]:
        """Return in words what is in it, and what was taken out."""
        return list(_contents(self.members, self.left_out, self.hosts))


def bundle(report: Report, redactor: Redactor, *, most: int = MOST) -> Bundle:
    """Return the bundle of a run. redactor: knows the secrets of the settings as they are now. most: bytes.

    report: that of the run; a report that stands alone is bundled without the rest. Raises OSError.
    """
    run = report.path.parent
    files = {path.relative_to(run).as_posix(): path for path in written(run)} or {REPORT: report.path}
    cleaner = _Cleaner(redactor, report)
    found: dict[str, Member] = {}
    left_out: dict[str, str] = {}
    for name, path in files.items():
        if name != INDEX:  # it is made again
            cleaner.learn(name, path)
    for name, path in files.items():
        try:
            member = cleaner.page() if name == INDEX else cleaner.member(name, path)
        except _LeftOut as why:
            left_out[name] = str(why)
        else:
            found[member.name] = member
    about = cleaner.text(ABOUT, json.dumps(_about(report), indent=2) + "\n")
    members, size = [about], _compressed(about)
    for member in sorted(found.values(), key=_order):
        size += _compressed(member)
        if size > most:
            left_out[member.name] = f"the file would be larger than {_bytes(most)}"
            size -= _compressed(member)
        else:
            members.append(member)
    contents = "\n".join(_contents(members, left_out, len(cleaner.hosts.known))) + "\n"
    packed = _packed([Member(name=CONTENTS, content=contents.encode()), *members])
    return Bundle(members=members, left_out=left_out, hosts=len(cleaner.hosts.known), content=packed)


class _LeftOut(Exception):
    """A file is not handed on, for a reason."""


class _Cleaner:
    """Cleans texts of secrets and hosts."""

    def __init__(self, redactor: Redactor, report: Report) -> None:
        self._redactor, self._document = redactor, report.document
        self.hosts = Hosts()
        self._wrong = {one.nodeid for one in report.scenarios.values() if one.outcome in _WRONG}
        for text in _texts(report.document):
            self.hosts.learn(text)

    def learn(self, name: str, path: Path) -> None:
        """Know the hosts in a file: a name is known by where only a host stands, and may stand anywhere before that."""
        with suppress(_LeftOut):
            self.hosts.learn(self._read(name, path))

    def member(self, name: str, path: Path) -> Member:
        """Return a file without secrets. Raises _LeftOut where that can't be."""
        return self.text(name.removesuffix(".gz"), self._read(name, path))

    def _read(self, name: str, path: Path) -> str:
        """Return what is handed on of a file, as it is. Raises _LeftOut where that can't be searched."""
        if path.stat().st_size > LARGEST:
            raise _LeftOut("it is too large to be looked at")
        content = path.read_bytes()
        if name.endswith(".gz"):
            name, content = name.removesuffix(".gz"), _unpacked(content)
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise _LeftOut("it can't be searched for secrets") from None
        if "\0" in text:
            raise _LeftOut("it can't be searched for secrets")
        return self._of_failures(text) if name == EXCHANGES else text

    def page(self) -> Member:
        """Return the page of the report, made again of what is clean: in it texts are packed, and can't be searched.

        It has no pictures. Raises _LeftOut where a report of another form makes none.
        """
        from zep_conformance.report.writers.html import render

        document = json.loads(self.text(REPORT, json.dumps(self._document)).content)
        try:
            for evidence in document["evidence"]:
                evidence["attached"] = []
            return self.text(INDEX, render(document))
        except Exception as error:  # whatever a damaged report makes of it
            raise _LeftOut(f"it could not be made again without secrets ({type(error).__name__})") from None

    def text(self, name: str, text: str) -> Member:
        """Return a text without secrets."""
        clean = self._clean(name, text)
        return Member(name=name, content=clean.encode(), hidden=clean.count(HIDDEN) - text.count(HIDDEN))

    def _clean(self, name: str, text: str) -> str:
        if name.endswith((".json", ".har")):
            clean = self._as_data(text, indent=2)
        elif name.endswith(".ndjson"):
            clean = "".join(f"{self._as_data(line)}\n" for line in text.splitlines())
        else:
            clean = self._redactor(text)
        return self.hosts.without(clean)

    def _as_data(self, text: str, indent: int | None = None) -> str:
        """Return JSON without secrets in its texts, still JSON; what is none is cleaned as a text."""
        try:
            data = self._everywhere(json.loads(text))
        except (ValueError, RecursionError):
            return self._redactor(text)
        return json.dumps(data, indent=indent, ensure_ascii=False) + ("\n" if indent else "")

    def _everywhere(self, value: Any, name: str = "") -> Any:
        """Return data without secrets. name: what the value is called, by which it may be one."""
        if isinstance(value, str):
            clean, called = self._redactor(value), f"{name}: {value}"
            return HIDDEN if name and clean == value and self._redactor(called) != called else clean
        if isinstance(value, dict):
            pair = value.get("name") if isinstance(value.get("value"), str) else None  # as HAR has a header
            return {
                key: self._everywhere(member, pair if key == "value" and isinstance(pair, str) else key)
                for key, member in value.items()
            }
        return [self._everywhere(member, name) for member in value] if isinstance(value, list) else value

    def _of_failures(self, text: str) -> str:
        """Return the exchanges of what failed, broke or deviated: those of all others are many, and tell nothing."""
        return "".join(f"{line}\n" for line in text.splitlines() if self._is_wrong(line))

    def _is_wrong(self, line: str) -> bool:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and found.get("nodeid") in self._wrong


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a document."""
    if isinstance(value, str):
        yield value
    for member in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts(member)


def _unpacked(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            found = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        raise _LeftOut("it can't be unpacked") from None
    if len(found) > LARGEST:
        raise _LeftOut("it is too large to be looked at")
    return found


def _about(report: Report) -> dict[str, Any]:
    """Return what the run, and this command, ran on: no name of the machine or of a user."""
    return {
        "zep-conformance": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": dict(sorted(_packages())),
        "run": {
            name: report.document.get(name)
            for name in (*("tool", "started", "verdict", "exit_code", "target", "parts"),
                         *("capabilities", "seed", "settings", "gate"))
        },
    }  # fmt: skip


def _packages() -> Iterator[tuple[str, str]]:
    """Yield the version of each package that this one asks for and that is installed."""
    try:
        asked = metadata.requires("zep-conformance") or []
    except metadata.PackageNotFoundError:
        return
    for requirement in asked:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _order(member: Member) -> tuple[int, str]:
    """Return what decides which files are in it where not all can be, the least first."""
    if member.name in _FIRST:
        return _FIRST.index(member.name), ""
    return len(_FIRST) + (0 if member.name.startswith(f"{LOGS}/") else 1), member.name


def _compressed(member: Member) -> int:
    return len(zlib.compress(member.content)) + 200  # what the archive says of it


def _packed(members: Iterable[Member]) -> bytes:
    """Return the archive, the same for the same members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, date_time=_MOMENT)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            archive.writestr(info, member.content)
    return out.getvalue()


def _contents(members: Iterable[Member], left_out: Mapping[str, str], hosts: int) -> Iterator[str]:
    """Yield in words what is in it, what was taken out, and what is not in it."""
    hidden = 0
    for member in members:
        hidden += max(member.hidden, 0)
        yield f"{_bytes(len(member.content)):>8}  {member.name}"
    yield f"taken out: {hidden} text{'s' * (hidden != 1)} that looked like secrets, beside what the run had hidden"
    yield f"replaced: {hosts} name{'s' * (hosts != 1)} of hosts"
    for name, why in sorted(left_out.items()):
        yield f"left out: {name}: {why}"


def _bytes(count: int) -> str:
    for unit in ("B", "kB"):
        if count < 1000:
            return f"{count} {unit}"
        count = round(count / 1000)
    return f"{count} MB"
