"""What came of holding a server to a recording: for people, in 80 columns, and for machines."""

from __future__ import annotations

import json
import re
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from zep_conformance import __version__, suite
from zep_conformance.facts import deviations
from zep_conformance.facts.deviations import Deviation
from zep_conformance.facts.servers import ZEP_VERSION
from zep_conformance.recordings.comparison import ABSENT, UUID, UUID_PLACEHOLDER, Difference, is_time, written
from zep_conformance.recordings.format import RecordedExchange, by_sequence
from zep_conformance.recordings.player import Played, SentRequest
from zep_conformance.recordings.server import ReplayServer
from zep_conformance.recordings.verify import Verification
from zep_conformance.redaction.redactor import Redactor
from zep_conformance.report.transcript import as_curl, cut

FILE = "promises.toml"


@dataclass(frozen=True)
class Promises:
    """What is known of one part's exchanges: ids of requirements and deviations, by sequence or by exchange.

    deviations: what those are.
    """

    known: dict[str, list[str]]
    deviations: dict[str, Deviation]

    @classmethod
    def of(cls, part: str) -> Promises:
        """Return those of a part: zep or langflux."""
        path = suite.data() / "recordings" / FILE
        known = tomllib.loads(path.read_text(encoding="utf-8")).get(part, {})
        return cls(known, deviations.load_deviations())

    def requirements(self, exchange: RecordedExchange) -> tuple[str, ...]:
        """Return the requirements that an exchange shows, most often one; none where nobody has said."""
        return tuple(name for name in self._of(exchange) if not name.startswith("DEV-"))

    def fault(self, exchange: RecordedExchange) -> str | None:
        """Return the deviation whose fault the recorded answer is."""
        return next((name for name in self._of(exchange) if name.startswith("DEV-")), None)

    def _of(self, exchange: RecordedExchange) -> list[str]:
        return self.known.get(exchange.name, self.known.get(exchange.sequence, []))


WIDTH = 79
"""Columns at most, but for words that are no use when broken: URLs, and the bodies of curl commands."""
PLACES = 5
"""How many places of one answer are shown, without --verbose."""
VALUE, BODY = 320, 600
"""Characters of a value, and of a request's body, that are shown, without --verbose."""
_VARIABLES = {"zep": "ZEP_TOKEN", "langflux": "LANGFLUX_API_KEY"}
SHORT = 40
"""Characters up to which a text is its own sort."""
_LITERAL = re.compile(UUID)
_INDEX = re.compile(r"\[\d+\]")

Kind = tuple[str, str, str]
"""The kind of a difference: where (any index), the sort of value recorded, the sort come. A server that is altogether
different differs in a few ways a hundred times over; each way is shown once."""


class ResultText:
    """One server's result as lines. verbose: show every difference of every exchange, in full."""

    def __init__(self, held: Verification, redactor: Redactor, *, verbose: bool = False) -> None:
        self._held, self._redactor, self._verbose = held, redactor, verbose
        self._promises = Promises.of(held.server.part)
        self._seen: dict[Kind, str] = {}

    def lines(self) -> Iterator[str]:
        """Yield the result, secrets removed."""
        held = self._held
        version = f" {held.server.version}" if held.server.version else ""
        url = self._redactor(held.server.url)
        yield from wrapped(f"{held.server.part}{version} at {url}, held to {held.recording}")
        yield ""
        played = {one.exchange.name: one for one in held.played}
        for sequence, exchanges in by_sequence(one.exchange for one in held.played).items():
            block = [played[exchange.name] for exchange in exchanges]
            if any(not one.as_recorded for one in block):
                yield from self._sequence(sequence, block)
                yield ""
        yield from self.conclusion()

    def conclusion(self) -> Iterator[str]:
        """Yield the last lines: how many, what that touches, what was left out."""
        held = self._held
        counted = f"{held.as_recorded} of {held.total} exchanges answered as recorded"
        yield f"{held.server.part}: {counted}, in {held.seconds:.1f} s"
        if held.left_out:
            why = "which can't be asked of a server that others use"
            yield from wrapped(f"{len(held.left_out)} left out, {why}: {named(held.left_out)}")
        if labelled := sum(one.only_labelled_otherwise for one in held.differing):
            why = f"the content type (Zep {ZEP_VERSION} sends JSON as text)"
            yield from wrapped(f"{labelled} of these differ in nothing but {why}")
        differing = [one for one in held.differing if not one.only_labelled_otherwise]
        touched = Counter(name for one in differing for name in self._promises.requirements(one.exchange))
        if touched:
            counts = ", ".join(f"{name} ({count})" for name, count in sorted(touched.items()))
            yield from wrapped(f"requirements touched: {counts}")
        faults: dict[str, list[Played]] = {}
        for one in differing:
            if fault := self._promises.fault(one.exchange):
                faults.setdefault(fault, []).append(one)
        for fault, found in sorted(faults.items()):
            what = self._promises.deviations[fault].what
            yield from wrapped(f"a known fault is recorded of {named(found)}: another answer may be right")
            yield from wrapped(f"{fault}: {what}", "  ")
        if held.trouble:
            yield from wrapped(f"ended early: {self._redactor(str(held.trouble))}")

    def _sequence(self, name: str, block: list[Played]) -> Iterator[str]:
        good = sum(one.as_recorded for one in block)
        yield f"{name}: {good} of {len(block)} as recorded"
        again: dict[str, list[int]] = {}
        for one in block:
            if one.left_out:
                yield from wrapped(f"{one.exchange.step} {_asked(one)}: left out, {one.left_out}", "  ")
            elif one.differences:
                news, earlier = self._news(one)
                if news:
                    yield from self._exchange(one, news, earlier)
                else:
                    again.setdefault(earlier, []).append(one.exchange.step)
        for first, steps in again.items():
            yield from wrapped(f"{ranges(steps)}: as {first}", "  ")

    def _news(self, played: Played) -> tuple[list[list[Difference]], str]:
        """Return what an exchange shows that none before did, a list a kind; and the exchange that showed the rest."""
        by_kind: dict[Kind, list[Difference]] = {}
        for difference in telling(played):
            by_kind.setdefault(kind(difference), []).append(difference)
        earlier = next((self._seen[one] for one in by_kind if one in self._seen), "")
        news = [differences for one, differences in by_kind.items() if one not in self._seen]
        for one in by_kind:
            self._seen.setdefault(one, played.exchange.name)
        if self._verbose:
            return [[difference] for difference in played.differences], ""
        if news:  # with another status, the rest of the answer is shown beside it
            news += [[one] for one in played.differences if one not in telling(played)]
        return news, earlier

    def _exchange(self, played: Played, news: list[list[Difference]], earlier: str) -> Iterator[str]:
        exchange = played.exchange
        yield from wrapped(f"{exchange.step} {_asked(played)}", "  ")
        fault = self._promises.fault(exchange)
        notes = [exchange.about, ", ".join(self._promises.requirements(exchange))]
        notes += [f"recorded is a known fault, {fault}"] if fault else []
        notes += ["asked until the time was up"] if exchange.eventually else []
        if any(notes):
            yield from wrapped(f"({'; '.join(note for note in notes if note)})", "    ")
        shown = news if self._verbose else news[:PLACES]
        for alike in shown:
            yield from self._difference(alike[0], dict(played.uuids), len(alike) - 1)
        if len(shown) < len(news):
            yield f"    and {len(news) - len(shown)} more places (--verbose)"
        if earlier:
            yield f"    and as {earlier}"
        if played.sent is not None:
            yield from self._curl(played.sent)

    def _difference(self, difference: Difference, uuids: Mapping[str, str], alike: int) -> Iterator[str]:
        yield from wrapped(difference.where + (f" (and {alike} more like it)" if alike else ""), "    ")
        for side, value in (("recorded", difference.recorded), ("came", difference.came)):
            text = self._redactor(written(value))
            if not self._verbose:
                text = cut(text, VALUE)
            text += _known(value, uuids) if side == "came" else ""
            yield from textwrap.wrap(
                text, WIDTH, initial_indent=f"      {side + ':':10}", subsequent_indent=" " * 16, break_on_hyphens=False
            )

    def _curl(self, sent: SentRequest) -> Iterator[str]:
        if len(sent.content) > BODY and not self._verbose:
            yield f"    (its body has {len(sent.content)} characters; --verbose shows it, and a curl command)"
            return
        line = "    "
        for word in curl(sent, self._held.server, self._redactor):
            if line.strip() and len(line) + len(word) + 3 > WIDTH:
                yield f"{line}\\"
                line = "      "
            line += f"{word} "
        yield line.rstrip()


def curl(sent: SentRequest, server: ReplayServer, redactor: Redactor) -> list[str]:
    """Return a request as the words of a shell command; the server's token or key is named by its variable."""
    secret = {**server.headers, **server.key}.get("authorization", "").removeprefix("Bearer ")
    variables = {secret: _VARIABLES[server.part]} if secret else {}
    return as_curl(
        sent.method, sent.url, headers=sent.headers, body=sent.content, redactor=redactor, variables=variables
    )


def as_json(all_held: list[Verification], redactor: Redactor) -> str:
    """Return every result for machines, secrets removed."""
    body = {"schema": 1, "harness": __version__, "recordings": [_held(held, redactor) for held in all_held]}
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def _held(held: Verification, redactor: Redactor) -> dict[str, Any]:
    promises = Promises.of(held.server.part)
    return {
        "recording": held.recording,
        "part": held.server.part,
        "version": held.server.version,
        "url": redactor(held.server.url),
        "exchanges": held.total,
        "as_recorded": held.as_recorded,
        "seconds": round(held.seconds, 3),
        "trouble": redactor(str(held.trouble)) if held.trouble else None,
        "left_out": [{"name": one.exchange.name, "why": one.left_out} for one in held.left_out],
        "left_behind": held.left_behind,
        "differing": [
            {name: getattr(one.exchange, name) for name in ("name", "sequence", "step", "about")}
            | {
                "method": one.exchange.request["method"],
                "path": one.exchange.request["path"],
                "requirements": list(promises.requirements(one.exchange)),
                "known_fault": promises.fault(one.exchange),
                "curl": " ".join(curl(one.sent, held.server, redactor)) if one.sent else None,
                "differences": [redactor.everywhere(_place(difference)) for difference in one.differences],
            }
            for one in held.differing
        ],
    }


def _place(difference: Difference) -> dict[str, Any]:
    sides = {"recorded": difference.recorded, "came": difference.came}
    return {"where": difference.where} | {side: value for side, value in sides.items() if value is not ABSENT}


def _known(came: Any, uuids: Mapping[str, str]) -> str:
    """Where a UUID came that has a number already, which one that is."""
    number = next((number for number, known in uuids.items() if known == came), None)
    return f" (which is {{{{uuid:{number}}}}})" if number else ""


def named(all_played: Iterable[Played]) -> str:
    """Return exchanges by name, those of a sequence together: summary 1-4, 6; search 2."""
    steps: dict[str, list[int]] = {}
    for one in all_played:
        steps.setdefault(one.exchange.sequence, []).append(one.exchange.step)
    return "; ".join(f"{sequence} {ranges(sorted(found))}" for sequence, found in steps.items())


def ranges(steps: Sequence[int]) -> str:
    """Return numbers in order, those that follow each other as a range: 1-4, 6."""
    runs = [[step for _, step in run] for _, run in groupby(enumerate(steps), lambda one: one[1] - one[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _asked(played: Played) -> str:
    return f"{played.exchange.request['method']} {cut(played.exchange.request['path'], 200)}"


def wrapped(text: str, indent: str = "") -> Iterator[str]:
    """Yield a text in lines that fit, what goes on indented further."""
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )


def kind(difference: Difference) -> Kind:
    """Return the kind of a difference: where (any index), the sort recorded, the sort come."""
    where = _INDEX.sub("[*]", difference.where)
    exact = where in ("status", "content_type", "request")
    return where, _sort(difference.recorded, exact=exact), _sort(difference.came, exact=exact)


def telling(played: Played) -> tuple[Difference, ...]:
    """Return the differences that tell exchanges apart: with another status the rest of the answer follows from it."""
    by_status = tuple(difference for difference in played.differences if difference.where == "status")
    return by_status or played.differences


def _sort(value: Any, *, exact: bool) -> str:
    if value is ABSENT:
        return "nothing"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        if is_time(value):
            return "a time"
        text = _LITERAL.sub("{{uuid}}", UUID_PLACEHOLDER.sub("{{uuid}}", value))
        return repr(text) if exact or len(text) <= SHORT else "a text"
    if isinstance(value, bool) or value is None or exact:
        return repr(value)
    return "a number"
