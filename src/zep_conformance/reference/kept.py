"""A sequence that failed: in words, as requests for curl, and as a file that can be carried out again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.reference.carrying import Step
from zep_conformance.reference.operations import KINDS, Kind, Operation, Request, kind
from zep_conformance.reference.searching import Found
from zep_conformance.report.transcript import as_curl, cut

BODY = 1500
"""Characters of a request's body that are shown; the file has all of it."""
VERSION = 1
"""The version of the form of the file."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A sequence as it stands in a file. about: what else is worth knowing, such as its seed."""

    kind: Kind
    operations: Sequence[Operation[Any]]
    about: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return the text of the file."""
        found = [one.as_json() for one in self.operations]
        document = {"sequence": VERSION, "kind": self.kind.name, **self.about, "operations": found}
        return json.dumps(document, indent=2) + "\n"

    def keep(self, folder: Path) -> Path:
        """Write it to a folder, which is made if it is missing; return the path. Raises CannotTell where that fails."""
        path = folder / f"sequence-{self.kind.name}.json"
        number = 2
        while self.about.get("finding", 1) > 1 and path.exists():
            path, number = folder / f"sequence-{self.kind.name}-{number}.json", number + 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(self.as_json(), encoding="utf-8")
        except OSError as error:
            advice = "Give a folder that you may write to."
            raise CannotTell(f"can't write {path}: {error.strerror}", advice, code="file-unwritable") from None
        return path


def read(path: Path) -> Kept:
    """Return the sequence in a file. Raises CannotTell where there is none that can be read."""
    advice = "Give a file that a run or `zep-conformance explore` has kept."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("sequence") != VERSION or document.get("kind") not in KINDS:
            raise ValueError("it is no sequence of this version")
        of = kind(document["kind"])
        about = {name: value for name, value in document.items() if name not in ("sequence", "kind", "operations")}
        return Kept(kind=of, operations=of.read(document["operations"]), about=about)
    except OSError as error:
        raise CannotTell(f"{path} can't be read: {error.strerror}", advice, code="sequence-unreadable") from None
    except (ValueError, KeyError, TypeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise CannotTell(f"{path} holds no sequence: {reason}", advice, code="sequence-unreadable") from None


Curl = Callable[[Request], str]


def curl_of(
    urls: Mapping[str, str],
    headers: Mapping[str, Mapping[str, str]],
    redactor: Redactor,
    variables: Mapping[str, str] | None = None,
) -> Curl:
    """Return what shows a request as a command, without secrets.

    urls, headers: of each part. variables: the environment variables that hold secrets, by secret.
    """

    def shown(request: Request) -> str:
        body = "" if request.body is None else cut(json.dumps(request.body, ensure_ascii=False), BODY)
        sent = {**headers.get(request.part, {}), **request.headers}
        sent |= {"content-type": "application/json"} if body else {}
        url = urls[request.part].rstrip("/") + request.path
        words = as_curl(request.method, url, headers=sent, body=body, redactor=redactor, variables=variables)
        return " ".join(words)

    return shown


def described(found: Found, curl: Curl, title: str = "the shortest sequence that shows it:") -> Iterator[str]:
    """Yield the lines that show a sequence that failed: in words, what differs, and as curl. title: the first line."""
    failure = found.outcome.failure
    assert failure is not None, "it failed"
    yield title
    steps = [step for step in found.outcome.steps if not step.looked or step is failure]
    for number, step in enumerate(steps, start=1):
        yield f"  {number}. {step.operation.words()}"
    yield f"which is answered {'nothing' if failure.status is None else failure.status}:"
    yield from (f"  {one}" for one in failure.differences[:8])
    if len(failure.differences) > 8:
        yield f"  and {len(failure.differences) - 8} more differences"
    yield "as requests:"
    yield from (f"  {curl(step.request)}" for step in steps)


def failing(found: Found) -> Step:
    """Return the step at which a sequence fails."""
    assert found.outcome.failure is not None, "it failed"
    return found.outcome.failure
