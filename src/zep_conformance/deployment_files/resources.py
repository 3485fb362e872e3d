"""What an application is given of a machine, by whatever kind of file: memory, and processors."""

from __future__ import annotations

import re

from zep_conformance.deployment_files.findings import Ledger
from zep_conformance.deployment_files.model import Application, PlannedDeployment
from zep_conformance.facts.servers import CORES

_ENOUGH = 1000
"""MB that the NLP server needs for its models, roughly."""
_UNITS = {"": 1 / (1 << 20), "b": 1 / (1 << 20), "k": 1 / 1024, "m": 1, "g": 1024, "t": 1 << 20}


def check(deployment: PlannedDeployment, ledger: Ledger) -> None:
    """Look at what is too little."""
    for application in deployment.having("nlp"):
        memory = megabytes(application.memory, unit="m" if deployment.kind == "fly" else "")
        if memory is not None and memory < _ENOUGH:
            ledger.report("memory-small", application.place, application, memory=application.memory)
    for application in deployment.having("zep"):
        _cores(application, ledger)


def megabytes(memory: str, *, unit: str = "") -> float | None:
    """Return a memory as these files write it (2gb, 512M, 1.5Gi, 500e6, "512 MB") in MB; None for anything else.

    unit: what a bare number is of.
    """
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)(e\d{1,2})?\s*([kmgt]?)(i?)b?", memory.strip().lower())
    if found is None:
        return None
    of = found[3] or ("" if found[2] else unit)
    return float(found[1] + (found[2] or "")) * _UNITS[of]


def processors(text: str) -> int:
    """Return how many a set of processors has: "0", "0-1", "0,2,4"; 0 for what is none."""
    count = 0
    for piece in text.replace(" ", "").split(","):
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", piece)
        if found is None:
            return 0
        count += max(0, int(found[2] or found[1]) - int(found[1]) + 1)
    return count


def share(text: str) -> float | None:
    """Return a limit of processor time as these files write it (0.5, 500m) in processors; None for anything else."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(m?)", text.strip())
    return float(found[1]) / (1000 if found[2] else 1) if found else None


def _cores(zep: Application, ledger: Ledger) -> None:
    """Report a Zep that takes itself to have one core, or may."""
    told = zep.variables.get(CORES)
    if told is not None and told.text != "":
        if told.text is not None and told.text.isdecimal() and int(told.text) == 1:
            ledger.report("zep-freezes", told.place, zep, what=f"{CORES} is 1")
        return
    limit = share(zep.share)
    if zep.cores == 1:
        ledger.report("zep-freezes", zep.cores_place, zep, what="it is given one processor")
    elif limit is not None and limit <= 1:
        ledger.report("few-cores", zep.cores_place, zep, limit=zep.share)
