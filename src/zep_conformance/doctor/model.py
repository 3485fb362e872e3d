"""The layer model: an OpenAI-compatible server, probed without using it."""

from __future__ import annotations

import contextlib

from zep_conformance.doctor.address import Address
from zep_conformance.doctor.findings import Broken, Case
from zep_conformance.doctor.http import Connection

# The URL is the one that LangFlux uses: such faults may be this machine's alone.
_OF_THE_WAY = ("name-unknown", "name-lookup-failed", "tcp-dropped", "tcp-unreachable")


def probe(case: Case, address: Address) -> None:
    """Reach a model server and see whether it has the API. Raises Broken, OutOfTime."""
    try:
        connection = Connection(case, address)
    except Broken as broken:
        if broken.finding.code not in _OF_THE_WAY:
            raise
        case.findings.remove(broken.finding)
        case.report("model-out-of-sight", symptom=broken.finding.symptom)
        return
    with contextlib.closing(connection):
        answer = connection.get("/models")
        if answer.status == 200 and isinstance(answer.json(), dict):
            case.ok("model", f"/models answers in {answer.seconds * 1000:.0f} ms")
        elif answer.status in (401, 403):
            case.report("model-wants-key", status=answer.status)
        elif not address.path and connection.get("/v1/models").status in (200, 401, 403):
            case.fail("model-url-without-v1")
        else:
            case.fail("model-no-api", status=answer.status)
