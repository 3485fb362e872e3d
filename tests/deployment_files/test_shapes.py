"""Projects of any shape: nothing is found in a healthy one, and what is wrong in one is found where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

import tests.support.deployment_shapes_config
import tests.support.deployment_shapes_hosted
import tests.support.deployment_shapes_reach
import tests.support.deployment_shapes_told
import tests.support.deployment_shapes_whole  # noqa: F401
from tests.support.deployment_shapes import SHAPES
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.sources import load


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_found(tmp_path: Path, name: str) -> None:
    made = SHAPES[name]()
    found = [one for one in examine(load(made.write(tmp_path))) if one.verdict != "ok"]
    assert sorted({one.code for one in found}) == sorted({code for code, *_ in made.found}), found
    for code, *place in made.found:
        lines = {
            (str(Path(one.file).relative_to(tmp_path)), _line(Path(one.file), one.line))
            for one in found
            if one.code == code
        }
        for file in place[:1]:
            assert any(where == file and (place[1:] or [""])[0] in line for where, line in lines), (code, lines)


def _line(file: Path, line: int | None) -> str:
    return file.read_text().splitlines()[line - 1] if line else ""
