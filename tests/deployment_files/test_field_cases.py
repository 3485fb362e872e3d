"""Deployments like those of other people are found to be what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.field_cases import FOLDER, FieldCase, field_cases
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.sources import load
from zep_conformance.errors import CannotTell

CASES = [pytest.param(one, id=one.name) for one in field_cases("check-files")]


def test_every_folder_is_listed() -> None:
    listed = {one.name for one in field_cases()}
    assert len(listed) == len(field_cases()) == 29
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == {
        one.name for one in field_cases() if one.by != "doctor"
    }


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: FieldCase) -> None:
    if case.said:
        with pytest.raises(CannotTell) as caught:
            load(case.given)
        assert case.said in f"{caught.value.what} {caught.value.advice}"
        return
    found = [one for one in examine(load(case.given)) if one.verdict != "ok"]
    placed = [(one.code, str(Path(one.file).relative_to(case.folder)), one.line) for one in found]
    assert sorted({code for code, *_ in placed}) == sorted({str(one[0]) for one in case.found}), found
    for wanted in case.found:
        assert any(one[: len(wanted)] == wanted for one in placed), placed
