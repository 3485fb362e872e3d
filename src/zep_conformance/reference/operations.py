"""Operations: what a client does, as data; and the kinds of sequences that are made of them."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from uuid import NAMESPACE_URL, uuid5

from zep_conformance.reference.rules import ANYTHING, Cell, Rule, rule_of

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

KINDS: Mapping[str, str] = {
    "memory": "zep_conformance.reference.zep.sequences",
    "records": "zep_conformance.reference.zep.sequences",
    "search": "zep_conformance.reference.zep.sequences",
    "chats": "zep_conformance.reference.langflux.sequences",
}
"""The module of each kind of sequence, which is imported when it is asked for."""


@dataclass(frozen=True)
class Chatbot:
    """A chatbot in LangFlux. chatflow: its id. session: the Session Id of its Zep Memory node, "" for none."""

    chatflow: str
    session: str = ""


@dataclass(frozen=True)
class World:
    """One carrying out of a sequence: the same names in a sequence are others in each world.

    prefix: what every name begins with; nobody else's does. behaviours: names of the recorded behaviours that the
    version of the server is known to show. window: messages that a memory shows, and that bring a summary. chatbots:
    those that may be talked to. knows_model: whether the model behind them is the suite's own.
    """

    prefix: str
    behaviours: frozenset[str] = frozenset()
    window: int = 12
    chatbots: tuple[Chatbot, ...] = ()
    knows_model: bool = True

    def name(self, short: str) -> str:
        """Return the id that a name in a sequence stands for here."""
        return f"{self.prefix}-{short}"

    def uuid(self, number: int) -> str:
        """Return the uuid that a client of this world gives to its message of this number."""
        return str(uuid5(NAMESPACE_URL, f"{self.prefix}/{number}"))


@dataclass(frozen=True)
class Request:
    """One request. part: zep or langflux. path: as it is sent, with its query. body: JSON, None for none."""

    method: str
    path: str
    body: Any = None
    part: str = "zep"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What must come of a request.

    statuses: those that it may have; refusals have no body that matters. body: a value or a rule for the body of a
    success: of its JSON, or of its text where it is none. patience: whether it may take its time, and be asked again.
    dated: cells of times that are the request's own.
    """

    statuses: tuple[int, ...]
    body: Any = ANYTHING
    patience: bool = False
    dated: tuple[Cell, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule for the body of a success."""
        return rule_of(self.body)


M = TypeVar("M")


class Operation(ABC, Generic[M]):
    """One thing that a client does: a frozen dataclass whose fields are JSON. M: the model that it asks and changes."""

    do: ClassVar[str]
    """Its name in files."""

    @abstractmethod
    def words(self) -> str:
        """Return what is done, in words: a verb phrase, names as the sequence has them."""

    def needs(self, model: M) -> Sequence[Operation[M]]:  # noqa: ARG002  (most need none)
        """Return the operations that must be carried out first."""
        return ()

    @abstractmethod
    def request(self, model: M) -> Request:
        """Return how it is asked for; called before `expected`."""

    @abstractmethod
    def expected(self, model: M) -> Expected:
        """Return what must come of it, and let it happen in the model."""

    def comparable(self, body: Any) -> Any:
        """Return what of the JSON of an answer two servers must have in common, whenever they enrich what they have."""
        return body

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in a file: what is as it is by default is left out."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}  # type: ignore[arg-type]
        return {"do": self.do, **{name: _plain(value) for name, value in found.items()}}


def _plain(value: Any) -> Any:
    """Return a field of an operation as JSON."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.as_json() if hasattr(value, "as_json") else value


@dataclass(frozen=True)
class Drawn:
    """How sequences are drawn.

    batch: messages in one write, at most. listing: whether everybody's records may be listed, as on servers of a run's
    own. behaviours: those that are expected. length: operations in a sequence, at most. streams: whether LangFlux
    streams in the answer itself. wild: whether texts and ids are drawn from all of Unicode, too.
    """

    batch: int = 30
    listing: bool = True
    behaviours: frozenset[str] = frozenset()
    length: int = 20
    streams: bool = True
    wild: bool = False


class Kind(ABC):
    """One kind of sequence. name: as in `KINDS`. about: what such a sequence is, in words. parts: those it asks."""

    name: ClassVar[str]
    about: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ("zep",)
    operations: ClassVar[tuple[type[Operation[Any]], ...]]

    @abstractmethod
    def model(self, world: World) -> Any:
        """Return a model in which nothing has happened yet. It has `everything()`, see the package."""

    @abstractmethod
    def sequences(self, how: Drawn) -> SearchStrategy[list[Operation[Any]]]:
        """Return what draws sequences. Imports Hypothesis."""

    def draws(self, operation: Operation[Any], how: Drawn) -> bool:  # noqa: ARG002  (most kinds draw all there is)
        """Return whether an operation is such as are drawn.

        A sequence that is made shorter stays one of those: it does no harm that the drawn one would not have done.
        """
        return True

    def read(self, found: Iterable[Mapping[str, Any]]) -> list[Operation[Any]]:
        """Return a sequence from a file's JSON. Raises ValueError for what is no operation of this kind."""
        from pydantic import TypeAdapter

        known = {one.do: one for one in self.operations}
        read = []
        for entry in found:
            given = dict(entry)
            name = str(given.pop("do", ""))
            if name not in known:
                raise ValueError(f"{self.name}: no operation {name!r}; there are {', '.join(known)}")
            read.append(TypeAdapter(known[name]).validate_python(given))
        return read


def kind(name: str) -> Kind:
    """Return a kind of sequence by its name. Raises KeyError."""
    module = importlib.import_module(KINDS[name])
    return next(one for one in vars(module).values() if isinstance(one, Kind) and one.name == name)
