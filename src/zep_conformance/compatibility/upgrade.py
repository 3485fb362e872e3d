"""What it means to move from one version of a part to another: what gets better, what gets worse, what there is to do.

    answer = compare({"zep": ("0.23.0", "0.27.2")})
    answer.code     # 0: nothing gets worse, 1: something does, 2: a version that nobody has measured

It is answered from the deviations that are known of each version, from what whole runs came to on it, and from what
`fixtures/data/upgrades.toml` knows of the way. A part that is not named may be of any version.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from packaging.version import Version

from zep_conformance import suite
from zep_conformance.compatibility.measurements import WORST_FIRST, Held, Measurement, kept
from zep_conformance.facts.deviations import Deviation, load_deviations
from zep_conformance.facts.measured import standing_for
from zep_conformance.facts.requirements import load_requirements

Moves = Mapping[str, tuple[str, str]]
"""From which version to which, by part; the same twice for a part that stays."""
Code = Literal[0, 1, 2]


@dataclass(frozen=True)
class Change:
    """One thing that is other afterwards. subject: the id of a deviation or a requirement. text: what it is."""

    subject: str
    text: str


@dataclass(frozen=True)
class ToDo:
    """One thing to do. subject: of a deviation that a setting mends, else the part. why: what is other."""

    subject: str
    what: str
    why: str


@dataclass(frozen=True)
class StandIn:
    """A version that nobody has measured, and the measured one that it is taken for."""

    part: str
    version: str
    taken_for: str


@dataclass(frozen=True)
class Known:
    """One measurement that an answer rests on. runs: how many. verdict: what they came to."""

    title: str
    runs: int
    measured: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a move means. stays: deviations before and after. unmeasured: versions that others stand for.

    apart: the pairs of versions that nobody has measured together, each in words: it is said of each part by itself.
    """

    moves: Moves
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    stays: tuple[Change, ...]
    to_do: tuple[ToDo, ...]
    unmeasured: tuple[StandIn, ...]
    apart: tuple[str, ...]
    rests_on: tuple[Known, ...]

    @property
    def code(self) -> Code:
        """Return the exit code."""
        return 2 if self.unmeasured else 1 if self.worse else 0


def compare(moves: Moves, measured: Iterable[Measurement] | None = None) -> Answer:
    """Return what these moves mean. measured: what is kept of whole runs, unless others are given."""
    found = list(kept() if measured is None else measured)
    versions = {part: _versions(part, found) for part in ("zep", "langflux")}
    moves = {part: (_spelt(one, versions[part]), _spelt(other, versions[part])) for part, (one, other) in moves.items()}
    before = {part: standing_for(one, versions[part]) for part, (one, _) in moves.items()}
    after = {part: standing_for(one, versions[part]) for part, (_, one) in moves.items()}
    moved = {part for part, (one, other) in moves.items() if one != other}
    deviations = [one for one in load_deviations().values() if moved & set(one.versions)]
    had = {one.id for one in deviations if _applies(one, before)}
    has = {one.id for one in deviations if _applies(one, after)}
    told = {one.id: Change(one.id, one.what) for one in deviations}
    pair = _pair(found, before, after)
    held = _held(*pair) if pair else {"better": [], "worse": []}
    unmeasured = dict.fromkeys(
        StandIn(part, version, standing_for(version, versions[part]))
        for part, both in moves.items()
        for version in both
        if version not in versions[part]
    )
    return Answer(
        moves=moves,
        better=(*(told[one.id] for one in deviations if one.id in had - has), *held["better"]),
        worse=(*(told[one.id] for one in deviations if one.id in has - had), *held["worse"]),
        stays=tuple(told[one.id] for one in deviations if one.id in had & has),
        to_do=(*_mended(one for one in deviations if one.id in has), *_notes(moves)),
        unmeasured=tuple(unmeasured),
        apart=tuple(dict.fromkeys(_apart(found, both) for both in (before, after) if _apart(found, both))),
        rests_on=tuple(dict.fromkeys(_known(one) for one in pair or ())),
    )


def _versions(part: str, found: Iterable[Measurement]) -> list[str]:
    return sorted({version for one in found if (version := getattr(one, part))}, key=Version)


def _spelt(version: str, measured: Iterable[str]) -> str:
    """Return a version as it is spelt where it was measured: 0.23 as 0.23.0."""
    return next((one for one in measured if Version(one) == Version(version)), version)


def _apart(found: Iterable[Measurement], versions: Mapping[str, str]) -> str:
    """Return a Zep and a LangFlux that nobody has measured together, in words; "" where somebody has."""
    if len(versions) < 2 or any((one.zep, one.langflux) == (versions["zep"], versions["langflux"]) for one in found):
        return ""
    return f"Zep {versions['zep']} with LangFlux {versions['langflux']}"


def _applies(deviation: Deviation, versions: Mapping[str, str]) -> bool:
    """Return whether a deviation shows with these versions, where each part that is not named may be any."""
    return all(versions[part] in specifier for part, specifier in deviation.versions.items() if part in versions)


def _pair(
    found: list[Measurement], before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[Measurement, Measurement] | None:
    """Return the two measurements to compare: of the versions named, of any other part the newest that both have."""
    by_versions = {(one.zep, one.langflux): one for one in found}
    zeps = [*dict.fromkeys((before.get("zep"), after.get("zep")))]
    langfluxes = [*dict.fromkeys((before.get("langflux"), after.get("langflux")))]
    if zeps == [None]:
        common = [
            one for one in reversed(_versions("zep", found)) if all((one, other) in by_versions for other in langfluxes)
        ]
        places = [((common[0], before["langflux"]), (common[0], after["langflux"]))] if common else []
    elif langfluxes == [None]:
        places = [((str(before["zep"]), ""), (str(after["zep"]), ""))]
    else:
        places = [((before["zep"], before["langflux"]), (after["zep"], after["langflux"]))]
    for one, other in places:
        if one in by_versions and other in by_versions:
            return by_versions[one], by_versions[other]
    return None


def _held(before: Measurement, after: Measurement) -> dict[str, list[Change]]:
    """Return the requirements that hold on one of the two and fail on the other; deviations say the rest."""
    texts = load_requirements()
    changed: dict[str, list[Change]] = {"better": [], "worse": []}
    for name in (one for one in texts if one in before.requirements and one in after.requirements):
        one, other = before.requirements[name], after.requirements[name]
        fails = [_fails(one, before), _fails(other, after)]
        if fails[0] != fails[1] and "skipped" not in (one.outcome, other.outcome):
            changed["worse" if fails[1] else "better"].append(Change(name, texts[name].text))
    return changed


def _fails(held: Held, of: Measurement) -> bool:
    """Return whether a requirement failed in every run: what fails now and then is no change of version."""
    return held.outcome == WORST_FIRST[0] and held.times == len(of.runs)


def _mended(deviations: Iterable[Deviation]) -> Iterable[ToDo]:
    return (ToDo(one.id, one.mended_by, one.what) for one in deviations if one.mended_by)


def _notes(moves: Moves) -> Iterable[ToDo]:
    """Yield what there is to do on the way; on a way back what holds of every move, and what is said of that way."""
    path = suite.data() / "upgrades.toml"
    for note in tomllib.loads(path.read_text(encoding="utf-8"))["upgrade"]:
        one, other = moves.get(note["part"], ("0", "0"))
        older, newer = (other, one) if note.get("back") else (one, other)
        if one != other and (not note["since"] or Version(older) < Version(note["since"]) <= Version(newer)):
            yield ToDo(note["part"], note["to_do"], note["what"])


def _known(found: Measurement) -> Known:
    last = max(run.measured for run in found.runs)
    return Known(found.title, len(found.runs), last, found.verdict)
