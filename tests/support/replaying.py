"""What the tests of `verify-recordings` and `record` share: embedded servers, and the commands run in this process."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from zep_conformance import suite
from zep_conformance.cli.main import main
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for
from zep_conformance.recordings.format import RecordedExchange

RECORDINGS = suite.data() / "recordings"
ZEP, LANGFLUX = RECORDINGS / "zep-0.27.2.jsonl", RECORDINGS / "langflux-flowise-2.2.8.jsonl"
KEY = "embedded-langflux-key"
SECRET = "a-secret-of-the-test-0123456789-0123456789"
COMMANDS = {"verify": "verify-recordings", "record": "record"}


@contextlib.contextmanager
def running(
    recorded_behaviours: str | Mapping[str, Sequence[str]] = "all",
    *,
    zep: Sequence[str] = (),
    langflux: Sequence[str] = (),
    secret: str | None = None,
) -> Iterator[Fleet]:
    """The embedded servers with mutations of Zep and LangFlux; Zep secured where there is a secret."""
    with tempfile.TemporaryDirectory(prefix="zep-conformance-") as folder:
        parts = parts_for(
            ["zep", "nlp", "model", "langflux"],
            recorded_behaviours=recorded_behaviours,
            data=Path(folder),
            mutations={"zep": zep, "langflux": langflux},
            secrets={"zep": secret},
        )
        with Fleet(parts) as fleet:
            yield fleet


class Shell:
    """Runs the commands as a shell would, and knows what they wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        for name in ("ZEP_URL", "ZEP_TOKEN", "ZEP_AUTH_SECRET", "LANGFLUX_URL", "LANGFLUX_API_KEY", "MODEL_URL"):
            monkeypatch.delenv(name, raising=False)
        self.output = ""

    def __call__(self, command: str, *arguments: str | Path) -> int:
        """Run `verify` or `record`. Returns its exit code; what it wrote is `output`."""
        self._capsys.readouterr()
        code = main([COMMANDS[command], *map(str, arguments)])
        written = self._capsys.readouterr()
        self.output = written.out + written.err
        return code

    @property
    def differing(self) -> set[str]:
        """The names of the exchanges that were said to differ."""
        names, sequence = set(), ""
        for line in self.output.splitlines():
            if heading := re.match(r"(\S+): \d+ of \d+ as recorded", line):
                sequence = heading[1]
            elif step := re.match(r"  ([\d, -]+)(?: [A-Z]+ |: as )", line):
                for first, _, last in (run.partition("-") for run in step[1].split(", ")):
                    names |= {f"{sequence}-{number}" for number in range(int(first), int(last or first) + 1)}
        return names


def langflux_options(fleet: Fleet) -> list[str]:
    """The options for a fleet's LangFlux."""
    return [
        "--langflux-url", fleet.url("langflux"), "--model-url", fleet.url("model") + "/v1",
        "--zep-url-from-langflux", fleet.url("zep"),
    ]  # fmt: skip


def sessions(zep: str, token: str = "") -> dict[str, int]:
    """Every session that a Zep has, with the number of its messages."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=zep, headers=headers) as client:
        names = [one["session_id"] for one in client.get("/api/v1/sessions?limit=1000").json()]
        return {name: client.get(f"/api/v1/sessions/{name}/messages").json()["total_count"] for name in names}


def made_in(langflux: str) -> int:
    """How many chatflows and credentials a LangFlux has."""
    with httpx.Client(base_url=langflux, headers={"x-request-from": "internal"}) as client:
        return sum(len(client.get(f"/api/v1/{kind}").json()) for kind in ("chatflows", "credentials"))


def script(path: Path, *exchanges: RecordedExchange) -> Path:
    """A file of exchanges."""
    path.write_text("".join(f"{exchange.line()}\n" for exchange in exchanges), encoding="utf-8")
    return path
