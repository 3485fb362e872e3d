"""Reports as a run makes them: of given records, and of any number of scenarios."""

from __future__ import annotations

import base64
import json
import random
import re
import uuid
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.support.records import evidence
from zep_conformance.facts.requirements import load_requirements
from zep_conformance.report.observations import Observations, PartSeen, Span, TargetSeen
from zep_conformance.report.outcomes import Record
from zep_conformance.session.verdict import Gate, conclude

SENTENCE = """the message of a session was not what had been written to it before and whoever reads its memory again
after some turns finds another answer than the one that came when nobody had cleared any of them under their id"""
WORDS = SENTENCE.split()
PHASES = (
    ("postgres", "pull", 0.1, 2.5),
    ("postgres", "start", 2.5, 3),
    ("zep", "pull", 0.1, 4),
    ("zep", "ready", 4, 6),
)
SEEN = Observations(
    target=TargetSeen(
        name="containers",
        deployed=True,
        timeline=tuple(Span(part=part, phase=phase, began=began, ended=ended) for part, phase, began, ended in PHASES),
    ),
    parts={"zep": PartSeen(version="0.27.2", url="https://zep.example.com", image="zep:0.27.2", digest="sha256:abc")},
    capabilities={"auth": None, "ui": "this LangFlux has no page"},
    requests=12,
)


def report(*records: Record, gate: Gate | None = None, **observed: Any) -> dict[str, Any]:
    """Return the report of a run with these records. observed: what else it found out."""
    return conclude(
        records, replace(SEEN, **observed), gate or Gate(), requirements=load_requirements(), exit_status=0, seed=7,
        prefix="zc-1", started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), duration=12.5,
    ).report  # fmt: skip


def large(scenarios: int, failing: int, *, causes: int = 40) -> dict[str, Any]:
    """Return the report of a run with so many scenarios: ids, texts and times differ, as in a real one."""
    drawn, identifiers = random.Random(7), [*load_requirements()]

    def words(count: int) -> str:
        return " ".join(drawn.choices(WORDS, k=count))

    def identifier() -> str:
        return str(uuid.UUID(int=drawn.getrandbits(128)))

    def exchange() -> dict[str, Any]:
        messages = [{"uuid": identifier(), "content": words(9), "token_count": drawn.randrange(40)} for _ in range(8)]
        body = json.dumps({"messages": [{"role": "human", "content": words(9)}]})
        return {
            "request": f"curl -i -X POST --data-binary '{body}' http://zep:8000/api/v1/sessions/{identifier()}/memory",
            "status": 200, "milliseconds": drawn.uniform(1, 90), "answer": json.dumps({"messages": messages}),
            "times": drawn.randrange(1, 60),
        }  # fmt: skip

    kinds = [f"the {words(6)}" for _ in range(causes)]

    def record(number: int) -> Record:
        failed = number % (scenarios // failing) == 0 if failing else False
        name = f"{words(8)} {number}"
        told = evidence(
            f"{drawn.choice(kinds)} {number}\nassert 2 differences:\n"
            f"  [0].content: {words(6)!r} came, {words(6)!r} was expected"
            f"\n  [1].uuid: {identifier()!r} came, {identifier()!r} was expected",
            steps=tuple({"text": words(9), "line": line, "outcome": "passed", "duration": 0.1} for line in range(5)),
            exchanges=tuple(exchange() for _ in range(8)),
            logs={"zep": "\n".join(f"{identifier()} level=info msg={words(8)}" for _ in range(25))},
            rerun=f"zep-conformance run features/test_features.py::test_{number} --target containers --seed 7",
        )
        return Record(
            name=name, feature=f"features/storing.feature:{number}", nodeid=f"features/test_features.py::test_{number}",
            requirements=tuple({drawn.choice(identifiers), drawn.choice(identifiers)}), duration=drawn.uniform(0.01, 3),
            outcome="failed" if failed else "passed", reason=told.complaint.partition("\n")[0] if failed else "",
            evidence=told if failed else None,
        )  # fmt: skip

    return report(*(record(number) for number in range(scenarios)))


def unpacked(page: str, block: str) -> Any:
    """Return what a page carries in one of its blocks: "packed" or "listed"."""
    found = re.search(rf'<script type="text/plain" id="{block}">([^<]*)</script>', page)
    assert found, f"the page has no block {block}"
    return json.loads(zlib.decompress(base64.b64decode(found[1])))
