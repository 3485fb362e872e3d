"""Findings about deployment files as SARIF 2.1.0, for what shows such at the lines of the files: code scanning."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zep_conformance import __version__
from zep_conformance.deployment_files.findings import FileFinding
from zep_conformance.facts.codes import Code, codes

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"fault": "error", "note": "note"}


def sarif(findings: Sequence[FileFinding], folder: Path | None = None) -> str:
    """Return the faults and notes among findings as a SARIF log. What is well is left out.

    folder: what the files' names are relative to, the current one by default.
    """
    base = (folder or Path()).resolve()
    rules = codes("deployment-files")
    places = {code: number for number, code in enumerate(rules)}
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "zep-conformance",
                        "semanticVersion": __version__,
                        "rules": [_rule(code) for code in rules.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, places[one.code], base) for one in findings if one.code in places],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(code: Code) -> dict[str, Any]:
    symptom, cause, advice = (code.explained(text, str.upper) for text in (code.symptom, code.cause, code.advice))
    more = f"zep-conformance explain {code.code}"
    return {
        "id": code.code,
        "name": "".join(map(str.capitalize, code.code.split("-"))),
        "shortDescription": {"text": symptom},
        "fullDescription": {"text": f"{symptom}: {cause}"},
        "help": {
            "text": f"Why: {cause}\nTo do: {advice}\nMore: {more}",
            "markdown": f"**Why:** {cause}\n\n**To do:** {advice}\n\nMore: `{more}`",
        },
        "defaultConfiguration": {"level": _LEVELS[code.verdict]},
        "properties": {"tags": ["zep", code.layer]},
    }


def _result(finding: FileFinding, rule: int, base: Path) -> dict[str, Any]:
    uri = _uri(finding.file, base)
    # Lines move when something is written above them: what is found stays the same.
    same = hashlib.sha256("\0".join((finding.code, uri, finding.symptom)).encode(errors="replace")).hexdigest()
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.verdict],
        "message": {"text": f"{finding.symptom}\nWhy: {finding.cause}\nTo do: {finding.advice}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    # GitHub shows nothing that has no line.
                    "region": {"startLine": finding.line or 1},
                }
            }
        ],
        "partialFingerprints": {"finding/v1": same},
    }


def _uri(file: str, base: Path) -> str:
    """Return a file's name as a URI: relative to the folder where it is in that, else with all its folders."""
    path = Path(os.path.normpath(base / file))
    return quote(os.fsencode(path.relative_to(base))) if path.is_relative_to(base) else path.as_uri()
