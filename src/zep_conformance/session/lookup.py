"""Finding the function of a step among those of the suite, which are gone through once.

pytest-bdd asks pytest at every step for the definitions of every fixture that the scenario may see: that is a tenth of
what a scenario without a server takes. What a scenario sees is what its module does, and stays as it is when all is
collected. See docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

# By its name, since the package has a function of the same one. What is not there is of another version, and is left.
_BDD = import_module("pytest_bdd.scenario")
_FIND = "find_fixturedefs_for_step"
_CONTEXTS: Mapping[Any, Any] | None = getattr(_BDD, "step_function_context_registry", None)
_names: Callable[..., list[str]] | None = getattr(_BDD, "get_fixture_names", None)
_definitions: Callable[..., Any] | None = getattr(_BDD, "getfixturedefs", None)
_SEEN: pytest.StashKey[list[tuple[Any, Any]]] = pytest.StashKey()
"""The steps that the scenarios of a module see: the definition of each, and what pytest-bdd knows of it."""


@contextmanager
def at_once() -> Iterator[None]:
    """Let pytest-bdd find steps so inside the block; other versions of it than 9 as they do."""
    before = getattr(_BDD, _FIND, None)
    if before is None or _CONTEXTS is None or _names is None or _definitions is None:
        yield
        return
    setattr(_BDD, _FIND, _found)
    try:
        yield
    finally:
        setattr(_BDD, _FIND, before)


def _found(step: Any, fixturemanager: Any, node: pytest.Item) -> list[Any]:
    """Return the definitions of the steps that have these words, in the order in which pytest-bdd finds them."""
    module = node.parent
    assert module is not None
    seen = module.stash.get(_SEEN, None)
    if seen is None:
        seen = module.stash[_SEEN] = [*_seen_by(module, fixturemanager)]
    return [
        definition
        for definition, context in seen
        if context.type in (None, step.type) and context.parser.is_matching(step.name)
    ]


def _seen_by(module: Any, fixturemanager: Any) -> Iterator[tuple[Any, Any]]:
    assert _CONTEXTS is not None and _names is not None and _definitions is not None
    for name in _names(fixturemanager=fixturemanager):
        for definition in _definitions(fixturemanager, name, module) or ():
            context = _CONTEXTS.get(definition.func)
            if context is not None:
                yield definition, context
