"""What the examination of deployment files finds, and where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from zep_conformance.deployment_files.model import Application, Place, PlannedDeployment
from zep_conformance.doctor.findings import Finding
from zep_conformance.facts.codes import codes
from zep_conformance.redaction.redactor import Redactor

ASPECTS = ("applications", "image", "settings", "wiring", "port", "health", "secrets", "exposure", "store")
"""The sides of a deployment that are examined, in this order."""


@dataclass(frozen=True)
class FileFinding(Finding):
    """A finding of the doctor's form, about a file. part: the kind of file; layer: one of ASPECTS.

    file: as it was named; line: from 1 on, None where it is about no line.
    """

    file: str = ""
    line: int | None = None


_IN_ONE_FILE = ("compose", "kubernetes")
"""Kinds whose applications stand in one file, so that what is wrong with several is said once."""


def _at(place: Place) -> tuple[str, int | None]:
    """Return file and line of a place as a finding has them."""
    return place.file, place.line or None


class Ledger:
    """The findings about one deployment, in the order of the aspects."""

    def __init__(self, deployment: PlannedDeployment, redactor: Redactor) -> None:
        self._kind, self._redactor = deployment.kind, redactor
        self._found: list[FileFinding] = []
        self._about: dict[tuple[object, ...], tuple[Place, list[str]]] = {}

    def report(self, code: str, place: Place, of: Application | None = None, **words: object) -> None:
        """Note a finding. of: the application that it is about. words: for its texts, beside those of its code."""
        entry = codes("deployment-files")[code]
        alike = (code, place.file, tuple(sorted((name, str(word)) for name, word in words.items())))
        if of is not None and self._kind in _IN_ONE_FILE and "{application}" not in entry.cause + entry.advice:
            first, names = self._about.setdefault(alike, (place, []))
            if of.name not in names:
                names.append(of.name)
            if names[1:]:  # the same of several is one finding, at the first of them
                self._found = [one for one in self._found if (one.code, one.file, one.line) != (code, *_at(first))]
                self._note(code, first, {"application": f"each of {' and '.join(names)}"} | words)
                return
        self._note(code, place, {"application": of.name} | words if of is not None else words)

    def _note(self, code: str, place: Place, known: Mapping[str, object]) -> None:
        entry = codes("deployment-files")[code]
        clean = {name: self._clean(str(word)) for name, word in known.items()}
        filled = {name: word.format_map(clean) for name, word in entry.words.get(self._kind, {}).items()} | clean
        symptom, cause, advice = (
            self._clean(text.format_map(filled)) for text in (entry.symptom, entry.cause, entry.advice)
        )
        file, line = _at(place)
        found = FileFinding(self._kind, entry.layer, entry.verdict, code, symptom, cause, advice, file, line)
        if found not in self._found:
            self._found.append(found)

    def well(self, aspect: str, place: Place, symptom: str) -> None:
        """All is well with an aspect, unless a fault of it was noted."""
        if not any(one.layer == aspect and one.verdict == "fault" for one in self._found):
            self._found.append(FileFinding(self._kind, aspect, "ok", "ok", self._clean(symptom), file=place.file))

    def findings(self) -> list[FileFinding]:
        """Return the findings, by aspect; what is well first."""
        return sorted(self._found, key=lambda one: (ASPECTS.index(one.layer), one.verdict != "ok"))

    def _clean(self, text: str) -> str:
        return self._redactor(re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text)).strip()
