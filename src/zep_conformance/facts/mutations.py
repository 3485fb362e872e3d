"""Mutations: faults planted on purpose in an embedded server, a file or the page, to prove that a check can fail.

Each is one decorated function in a file beside its part, which changes the part where that is assembled::

    MUTATIONS = Mutations("zep")

    @MUTATIONS.mutation("content-cut", "Texts are cut after 1000 characters", "STORE-1")
    def content_cut(zep: Application) -> None:
        @around(zep.service.store.messages, "add")
        def add(add, session_id, messages):
            add(session_id, [replace(one, content=one.content[:1000]) for one in messages])

    MUTATIONS.plant(["content-cut"], zep)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

Change = TypeVar("Change")
"""What differs in mutations that are planted alike: a function or a value."""
Plant = Callable[[Any], Any]
"""Plants a mutation in what it is given: an assembled server, the text of a file, a page."""


@dataclass(frozen=True)
class Mutation:
    """A fault planted on purpose.

    name: kebab-case, what then happens. part: "zep", "langflux", "model" or "nlp" for an embedded server, "files" for
    deployment files, "page" for what reaches the browser. about: what then happens, as a sentence. breaks: ids of the
    requirements that no longer hold. plant: its code. into: what that is given, see `Mutations.plant`.
    """

    name: str
    part: str
    about: str
    breaks: tuple[str, ...]
    plant: Plant = field(repr=False, compare=False)
    into: str = "part"

    @property
    def full_name(self) -> str:
        """Part and name, as --mutations wants it: `zep:content-cut`."""
        return f"{self.part}:{self.name}"


class Mutations(Mapping[str, Mutation]):
    """The mutations of one part by name, in the order in which they were declared.

    others: those of the same part from other files, which these are put together from.
    """

    def __init__(self, part: str, *others: Mutations) -> None:
        self.part = part
        self._declared: dict[str, Mutation] = {}
        for mutation in (one for declared in others for one in declared.values()):
            self._add(mutation)

    def mutation(self, name: str, about: str, *breaks: str, into: str = "part") -> Callable[[Plant], Plant]:
        """Declare the decorated function as a mutation of this part, see `Mutation`.

        Raises ValueError for a name that is taken already.
        """

        def declare(plant: Plant) -> Plant:
            self._add(Mutation(name=name, part=self.part, about=about, breaks=breaks, plant=plant, into=into))
            return plant

        return declare

    def family(self, plant: Callable[[Any, Change], Any]) -> Callable[..., Callable[[Change], Change]]:
        """Return, for what plants any of several faults that differ in a change, what declares each of them::

        @MUTATIONS.family
        def _of_texts(zep: Application, change: Callable[[str], str]) -> None: ...

        _of_texts("content-cut", "Texts are cut after 1000 characters", "STORE-1")(lambda text: text[:1000])
        """

        def named(name: str, about: str, *breaks: str) -> Callable[[Change], Change]:
            def declare(change: Change) -> Change:
                self.mutation(name, about, *breaks)(lambda target: plant(target, change))
                return change

            return declare

        return named

    def _add(self, mutation: Mutation) -> None:
        if mutation.name in self._declared:
            raise ValueError(f"two mutations {mutation.full_name}")
        self._declared[mutation.name] = mutation

    def plant(self, names: Iterable[str], target: Any, *, into: str = "part") -> None:
        """Plant the named mutations in `target`, in the order in which they were declared.

        into: which of them, where a part is changed at several moments: those that were declared with the same.
        Raises KeyError for a name that there is not: misspelt, it would be a mutation that never happens.
        """
        asked = set(names)
        for name in asked:
            self[name]
        for name, mutation in self._declared.items():
            if name in asked and mutation.into == into:
                mutation.plant(target)

    def __getitem__(self, name: str) -> Mutation:
        try:
            return self._declared[name]
        except KeyError:
            close = difflib.get_close_matches(name, self._declared, n=3)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise KeyError(f"no mutation {self.part}:{name}{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


def around(owner: object, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put the decorated function around a method of an object.

    It is called in place of the method, with the old one before the arguments.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(owner, name, partial(function, getattr(owner, name)))
        return function

    return decorate
