"""reports/junit.xml: the scenarios by their own names, for the pages that CI systems make of test results.

testsuite       zep-conformance; its properties say what the verdict rests on
  testcase      a scenario; its class name is its feature: features.sessions
    properties  requirement (one each), level, and where there is one: deviation
    failure     failed           error    the harness broke
    skipped     skipped, not run, or deviates as this version is known to
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from typing import Any

from zep_conformance.report.document import scenarios_in
from zep_conformance.report.events import RunEnded
from zep_conformance.report.folder import JUNIT
from zep_conformance.report.transcript import in_words
from zep_conformance.report.writers.base import AtEnd

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may have."""
_ELEMENT = {"failed": "failure", "error": "error", "skipped": "skipped", "not run": "skipped", "deviation": "skipped"}


class JUnit(AtEnd):
    """Writes JUnit's report."""

    file = JUNIT

    def text(self, event: RunEnded) -> str:
        """Return it as XML."""
        return render(event.document)


def render(report: Mapping[str, Any]) -> str:
    """Return the report of a run (see `document.document`) as JUnit's XML."""
    scenarios = scenarios_in(report)
    evidence = {one["nodeid"]: one for one in report["evidence"]}
    elements = [_ELEMENT.get(one["outcome"], "") for one in scenarios]
    counts = {
        f"{name}s" if name != "skipped" else name: str(elements.count(name)) for name in ("failure", "error", "skipped")
    }
    known = {"name": "zep-conformance", "tests": str(len(scenarios)), **counts, "time": f"{report['duration']:.3f}"}
    root = ElementTree.Element("testsuites", known)
    suite = ElementTree.SubElement(root, "testsuite", known | {"timestamp": report["started"]})
    _add_properties(suite, _of_the_run(report))
    for scenario, element in zip(scenarios, elements, strict=True):
        case = ElementTree.SubElement(suite, "testcase", _named(scenario))
        _add_properties(case, _of_a_scenario(scenario, report["seed"]))
        if element:
            kind = {"message": _clean(scenario["reason"]), "type": scenario["outcome"]}
            found = ElementTree.SubElement(case, element, kind)
            if scenario["nodeid"] in evidence:
                found.text = _clean(_told(evidence[scenario["nodeid"]]))
    if trouble := report["trouble"] or ("" if scenarios else report["verdict"]):
        _add_trouble(root, suite, trouble)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _told(evidence: Mapping[str, Any]) -> str:
    """Return what tells of a scenario, for the page that shows it."""
    steps = "\n".join(f"{one['outcome']}: {one['text']} (line {one['line']})" for one in evidence["steps"])
    sections = [evidence["complaint"], steps, *map(in_words, evidence["exchanges"])]
    sections += [f"log of {part}:\n{log}" for part, log in evidence["logs"].items()]
    sections += ["\n".join(evidence["attached"]), evidence["rerun"]]
    return "\n\n".join(text.strip() for text in sections if text.strip())


def _add_trouble(root: ElementTree.Element, suite: ElementTree.Element, trouble: str) -> None:
    """Let a run that could not tell anything be no green one."""
    case = ElementTree.SubElement(suite, "testcase", {"classname": "zep-conformance", "name": "the run", "time": "0"})
    ElementTree.SubElement(
        case, "error", {"message": _clean(trouble.partition("\n")[0]), "type": "could not tell"}
    ).text = _clean(trouble)
    for element in (root, suite):
        for name in ("tests", "errors"):
            element.set(name, str(int(element.get(name, "0")) + 1))


def _named(scenario: Mapping[str, Any]) -> dict[str, str]:
    feature = scenario["feature"]
    return {
        "classname": feature.removesuffix(".feature").replace("/", ".") or "zep-conformance",
        "name": _clean(scenario["name"]),
        "file": feature,
        "line": str(scenario["line"]),
        "time": f"{scenario['duration']:.4f}",
    }


def _of_a_scenario(scenario: Mapping[str, Any], seed: int) -> Iterator[tuple[str, str]]:
    for identifier in scenario["requirements"]:
        yield "requirement", identifier
    yield "level", scenario["level"]
    if scenario["deviation"]:
        yield "deviation", scenario["deviation"]
    yield "seed", str(seed)
    yield "nodeid", scenario["nodeid"]


def _of_the_run(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
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


def _add_properties(element: ElementTree.Element, found: Iterator[tuple[str, str]]) -> None:
    properties = ElementTree.SubElement(element, "properties")
    for name, value in found:
        ElementTree.SubElement(properties, "property", name=name, value=_clean(value))


def _clean(text: str) -> str:
    return NOT_XML.sub("�", text)
