"""reports/junit.xml: as pytest writes it, with what the verdict rests on as properties of the whole suite."""

from __future__ import annotations

import xml.etree.ElementTree
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zep_conformance.redaction.output import clean_junit
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report import folder


def finish(draft: Path, to: Path, report: Mapping[str, Any], redactor: Redactor) -> None:
    """Complete what pytest has written, without secrets, and put it where it belongs. Raises OSError.

    report: see `document.document`. A draft that is not there, or is no XML, is left alone.
    """
    clean_junit(draft, redactor)
    try:
        tree = xml.etree.ElementTree.parse(draft)
    except (FileNotFoundError, xml.etree.ElementTree.ParseError):
        return
    for suite in tree.iter("testsuite"):
        properties = suite.find("properties")
        if properties is None:
            properties = xml.etree.ElementTree.Element("properties")
            suite.insert(0, properties)
        for name, value in _properties(report):
            xml.etree.ElementTree.SubElement(properties, "property", name=name, value=redactor(value))
    text = xml.etree.ElementTree.tostring(tree.getroot(), encoding="unicode", xml_declaration=True)
    folder.write(to, text + "\n")
    if draft != to:
        draft.unlink()


def _properties(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a pipeline may want to know beside which scenarios failed, by name."""
    basis = report["basis"]
    yield "verdict", report["verdict"]
    yield "exit-code", str(report["exit_code"])
    yield "basis", basis["words"]
    yield "requirements", str(basis["requirements"])
    yield "requirements-checked", str(basis["checked"])
    yield "must-unchecked", ", ".join(f"{one['id']} ({one['why']})" for one in basis["must_unchecked"])
    yield "require-unmet", ", ".join(f"{one['id']} ({one['why']})" for one in report["gate"]["unmet"])
    yield "target", (report["target"] or {}).get("name", "")
    yield "seed", str(report["seed"])
    for name, part in report["parts"].items():
        if "version" in part:
            yield f"version-of-{name}", part["version"]
