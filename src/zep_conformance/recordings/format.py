"""Recorded exchanges of real servers: the format of the files (docs/recordings.md describes it for people).

A recording is a file of JSON Lines, one exchange a line: a request, and the answer in which everything that may
differ from server to server is a placeholder (``{{uuid:1}}``, ``{{time}}`` …). Exchanges of one sequence belong
together and are played in order::

    for exchange in load_recording(path):
        print(exchange.name, exchange.request["method"], exchange.response["status"])
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
"""Stands for no UUID; it is literal in recordings."""
ZERO_TIME = "0001-01-01T00:00:00Z"
"""Stands for no time; it is literal in recordings."""
MODEL_URL, ZEP_URL = "model-url", "zep-url"
"""The variables of requests: the model server's base URL (with /v1), and Zep's."""


@dataclass(frozen=True)
class RecordedExchange:
    """One recorded request with its answer; `response` is empty in a script, which says what to ask only.

    eventually: the answer may come later. subset: the real answer has more keys than are compared.
    """

    sequence: str
    step: int
    request: dict[str, Any]
    response: dict[str, Any] = field(default_factory=dict)
    about: str = ""
    eventually: bool = False
    subset: bool = False

    @property
    def name(self) -> str:
        """`sequence-step`, unique in a recording."""
        return f"{self.sequence}-{self.step}"

    def line(self) -> str:
        """Return the exchange as a line of a recording."""
        entry: dict[str, Any] = {"sequence": self.sequence, "step": self.step, "about": self.about}
        entry |= {"request": self.request, "response": self.response}
        entry |= {name: True for name in ("eventually", "subset") if getattr(self, name)}
        return json.dumps(entry, ensure_ascii=False)


def load_recording(path: Path) -> list[RecordedExchange]:
    """Return the exchanges of a recording, in order. Raises ValueError naming the line that is not one."""
    return _unique(path, _exchanges(path, script=False))


def load_script(path: Path) -> list[RecordedExchange]:
    """Return what is to be asked: a recording, or requests alone, a line each.

    A line may be a bare request (`{"method": "GET", "path": "/healthz"}`), or lack sequence and step: then its
    sequence is named like the file, and its step is the number of its line. Raises ValueError naming the line that
    is neither.
    """
    return _unique(path, _exchanges(path, script=True))


def by_sequence(exchanges: Iterable[RecordedExchange]) -> dict[str, list[RecordedExchange]]:
    """Return the exchanges of each sequence, sequences and steps in the order in which they came."""
    found: dict[str, list[RecordedExchange]] = {}
    for exchange in exchanges:
        found.setdefault(exchange.sequence, []).append(exchange)
    return found


def _exchanges(path: Path, *, script: bool) -> Iterator[RecordedExchange]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if script and isinstance(entry, dict) and "method" in entry:
                entry = {"request": entry}
            if script:
                entry = {"sequence": path.stem, "step": number, **entry}
            yield _checked(RecordedExchange(**entry), script=script)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}:{number} is not an exchange: {error}") from error


def _checked(exchange: RecordedExchange, *, script: bool) -> RecordedExchange:
    """`exchange`. Raises ValueError when its request or its answer lacks something, or is of another type."""
    if not isinstance(exchange.sequence, str) or not isinstance(exchange.step, int):
        raise ValueError("`sequence` must be a text and `step` a number")
    request, response = exchange.request, exchange.response
    if not isinstance(request, dict) or not isinstance(response, dict):
        raise ValueError("`request` and `response` must be objects")
    if not isinstance(request.get("method"), str) or not str(request.get("path", "")).startswith("/"):
        raise ValueError("`request` must have a `method`, and a `path` that begins with /")
    if not all(isinstance(text, str) for text in [*request.get("headers", {}).values(), request.get("raw", "")]):
        raise ValueError("`headers` of a request must be texts, and so must `raw`")
    if response or not script:
        missing = [name for name in ("status", "content_type", "body") if name not in response]
        if missing:
            raise ValueError(f"`response` lacks {', '.join(missing)}")
    if exchange.eventually and not response:
        raise ValueError("`eventually` without a `response` leaves nothing to wait for")
    return exchange


def _unique(path: Path, exchanges: Iterable[RecordedExchange]) -> list[RecordedExchange]:
    found: dict[str, RecordedExchange] = {}
    for exchange in exchanges:
        if exchange.name in found:
            raise ValueError(f"{path} has two exchanges {exchange.name}")
        found[exchange.name] = exchange
    return list(found.values())


def without_system_metadata(body: Any) -> Any:
    """`body` as it was compared when recording: `metadata.system` arrives when it arrives, so it is left out."""
    if isinstance(body, list):
        return [without_system_metadata(item) for item in body]
    if not isinstance(body, dict):
        return body
    kept = {key: without_system_metadata(value) for key, value in body.items()}
    metadata = kept.get("metadata")
    if isinstance(metadata, dict) and "system" in metadata:
        del metadata["system"]
        if not metadata:
            del kept["metadata"]
    return kept
