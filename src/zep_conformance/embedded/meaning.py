"""Embeddings that know what words mean: a sentence model in ONNX form, for the embedded NLP server.

Without one that server embeds words: enough to see that messages are embedded, and no use for searching by meaning.
Any model of 384 numbers will do whose inputs are BERT's, such as all-MiniLM-L6-v2, which Zep's own NLP server has::

    embed = load_model(Path("all-minilm-l6-v2"))      # a folder with one *.onnx and one *tokenizer.json
    vectors = embed(["a grey puppy", "a young dog"])

onnxruntime and tokenizers run it (`pip install 'zep-conformance[meaning]'`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Embed = Callable[[Sequence[str]], list[list[float]]]

MOST_TOKENS = 256
"""How many of a text count: what all-MiniLM-L6-v2 was trained with."""


class NoModel(Exception):
    """There is no model that can be used; the text says why, and what to do."""


def load_model(folder: Path) -> Embed:
    """Return what embeds texts with the model in a folder. Raises NoModel."""
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as error:
        raise NoModel(f"{error.name} is missing: pip install 'zep-conformance[meaning]'") from error
    model, tokenizer_file = (_only(folder, pattern) for pattern in ("*.onnx", "*tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the other parts are to have the machine's cores, too
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has a hierarchy of its own, without a common name
        raise NoModel(f"{model} can't be loaded: {error}") from error
    wanted = {one.name for one in session.get_inputs()}
    return lambda texts: _embed(session, tokenizer, wanted, texts) if texts else []


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise NoModel(f"{folder} has {len(found) or 'no'} files {pattern}, one is needed")
    return found[0]


def _embed(session: Any, tokenizer: Any, wanted: set[str], texts: Sequence[str]) -> list[list[float]]:
    """Return the mean of each text's token vectors, of length 1: how sentence models are meant to be read."""
    import numpy

    encoded = tokenizer.encode_batch(list(texts))
    mask = numpy.array([one.attention_mask for one in encoded], dtype=numpy.int64)
    inputs = {
        "input_ids": numpy.array([one.ids for one in encoded], dtype=numpy.int64),
        "attention_mask": mask,
        "token_type_ids": numpy.zeros_like(mask),
    }
    tokens = session.run(None, {name: value for name, value in inputs.items() if name in wanted})[0]
    weights = mask[:, :, None]
    means = (tokens * weights).sum(axis=1) / weights.sum(axis=1)
    vectors: list[list[float]] = (means / numpy.linalg.norm(means, axis=1, keepdims=True)).tolist()
    return vectors
