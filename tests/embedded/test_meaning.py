"""Search by meaning: a real model passes SEARCH-3, and servers that rank otherwise do not."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zep_conformance.embedded.meaning import NoModel, load_model

MODEL = os.environ.get("ZEP_CONFORMANCE_EMBEDDING_MODEL")
FIRST_WORD = 1000
"""Number from which on a BERT vocabulary has words, and no marks of its own."""
needs_model = pytest.mark.skipif(MODEL is None, reason="$ZEP_CONFORMANCE_EMBEDDING_MODEL names no model")


def outcomes(tmp_path: Path, *options: str) -> dict[str, int]:
    """What SEARCH-3's scenarios came to on the embedded servers."""
    command = [sys.executable, "-m", "zep_conformance", "run", "-q", "--target", "embedded", "-m", "SEARCH-3"]
    subprocess.run([*command, f"--reports={tmp_path}", *options], check=False, capture_output=True, timeout=170)
    found: dict[str, int] = json.loads((tmp_path / "conformance.json").read_text())["outcomes"]
    return found


@needs_model
def test_a_model_that_knows_what_words_mean_passes(tmp_path: Path) -> None:
    found = outcomes(tmp_path)
    assert {outcome: count for outcome, count in found.items() if count} == {"passed": 4}


@needs_model
def test_a_model_that_takes_each_word_for_another_fails(tmp_path: Path) -> None:
    """The same text still has the same vector, and texts that share words are close; but meaning is lost."""
    model = Path(MODEL or "")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.onnx").symlink_to(next(model.glob("*.onnx")))
    tokenizer = json.loads(next(model.glob("*tokenizer.json")).read_text())
    words = {word: number for word, number in tokenizer["model"]["vocab"].items() if number >= FIRST_WORD}
    tokenizer["model"]["vocab"].update(zip(words, reversed(words.values()), strict=True))
    (broken / "tokenizer.json").write_text(json.dumps(tokenizer))
    assert outcomes(tmp_path, "--embedding-model", str(broken))["failed"] >= 3


@needs_model
def test_vectors_have_zeps_width_and_length_1_alone_and_in_a_batch() -> None:
    embed = load_model(Path(MODEL or ""))
    [alone], batch = embed(["a young dog"]), embed(["a young dog", "a much longer text about the price of copper"])
    assert len(alone) == 384
    assert math.hypot(*alone) == pytest.approx(1, abs=1e-5)
    assert batch[0] == pytest.approx(alone, abs=0.02)  # the model is quantised
    assert embed([]) == []


def test_words_alone_are_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZEP_CONFORMANCE_EMBEDDING_MODEL", raising=False)
    assert outcomes(tmp_path)["skipped"] == 4


@pytest.mark.parametrize(("name", "said"), [("other.txt", r"no files \*.onnx"), ("a.onnx", "no files .*tokenizer")])
def test_a_folder_without_a_model_is_named(tmp_path: Path, name: str, said: str) -> None:
    for module in ("onnxruntime", "tokenizers"):
        pytest.importorskip(module)
    (tmp_path / name).touch()
    with pytest.raises(NoModel, match=said):
        load_model(tmp_path)
