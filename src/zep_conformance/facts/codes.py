"""Every code that an error or a finding has, and what it means, as data (fixtures/data/codes.toml)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from zep_conformance import suite
from zep_conformance.facts.servers import IMAGES, LANGFLUX_VERSION, NEWEST_LANGFLUX, PORTS, ZEP_VERSION

Catalogue = Literal["errors", "doctor", "deployment-files"]
CodeVerdict = Literal["ok", "fault", "note", "error"]

_FACTS = {
    **{f"{part}-image": image for part, image in IMAGES.items()},
    **{f"{part}-port": str(port) for part, port in PORTS.items()},
    "zep-version": ZEP_VERSION,
    "langflux-version": LANGFLUX_VERSION,
    "newest-langflux": NEWEST_LANGFLUX,
}
"""What stands between «guillemets» in the texts."""
_KINDS = {"render": "Render", "fly": "Fly.io", "compose": "Compose", "kubernetes": "Kubernetes"}
"""What the kinds of deployment files are called."""


@dataclass(frozen=True)
class Code:
    """What one code stands for. Texts of findings have words in {braces}, which are filled in from what was found.

    catalogue: "errors" end a run or a command; the others are of findings. layer: what it is about. verdict: "error",
    or what the finding is. symptom: what is seen. cause, advice: why, and what to do. words: those of the braces that a
    kind of deployment file always fills in alike, by the kind; under "any" those that `explained` fills in.
    """

    code: str
    catalogue: Catalogue
    layer: str
    verdict: CodeVerdict
    symptom: str
    cause: str
    advice: str
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False)

    def explained(self, text: str, otherwise: Callable[[str], str]) -> str:
        """Return one of its texts for no finding in particular: with the words that each kind of file fills in.

        otherwise: what stands for the other words in {braces}.
        """

        def filled(found: re.Match[str]) -> str:
            usual = {kind: words[found[1]] for kind, words in self.words.items() if found[1] in words}
            named = [(_KINDS.get(kind, ""), self.explained(word, otherwise)) for kind, word in usual.items()]
            if all(word.endswith(".") for _, word in named):
                return " ".join(f"{kind}: {word}" if kind else word for kind, word in named) or otherwise(found[1])
            return ", or ".join(f"{word} ({kind})" if kind else word for kind, word in named)

        return re.sub(r"\{(\{\w+\})\}", r"\1", re.sub(r"(?<!\{)\{(\w+)\}(?!\})", filled, text))


@cache
def codes(catalogue: Catalogue) -> dict[str, Code]:
    """Return the codes of a catalogue, in the order of its layers. Raises KeyError or TypeError for a bad entry."""
    entries: list[dict[str, Any]] = tomllib.loads((suite.data() / "codes.toml").read_text(encoding="utf-8"))["code"]
    return {entry["code"]: Code(**with_facts(entry)) for entry in entries if entry["catalogue"] == catalogue}


def with_facts(text: Any) -> Any:
    """Return a text of a data file, or a table, with what stands in «guillemets» filled in.

    Raises KeyError for what is unknown.
    """
    if isinstance(text, dict):
        return {name: with_facts(one) for name, one in text.items()}
    return re.sub("«([^»]*)»", lambda found: _FACTS[found[1]], text)
