"""The short look that a run takes at its target: is each part there, is it the right thing, does it let us in?

The same examination as the doctor's up to the store, so that a run that can't begin ends with the doctor's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from zep_conformance.clients.families import Account
from zep_conformance.doctor import langflux, model, zep
from zep_conformance.doctor.address import parse, typed
from zep_conformance.doctor.diagnosis import redactor_for
from zep_conformance.doctor.findings import Broken, Case, Finding, OutOfTime, Patience, faults
from zep_conformance.errors import CannotTell
from zep_conformance.redaction.redactor import Redactor

T = TypeVar("T")


@dataclass(frozen=True)
class ZepSeen:
    """A Zep that can be used. version: X-Zep-Version as it came. token: None where it wants none."""

    url: str
    version: str
    token: str | None


@dataclass(frozen=True)
class LangFluxSeen:
    """A LangFlux that can be used. manner: "documented" and so on for an embedded one, "" for a real one."""

    url: str
    version: str
    manner: str


def zep_at_the_door(url: str, token: str | None, secret: str | None, *, any_version: bool = False) -> ZepSeen:
    """Look at a Zep. Raises CannotTell with the fault that makes it unfit.

    any_version: a Zep 0.x that is too old for clients of today is fit all the same.
    """
    case = _case("zep", redactor_for(token, secret))

    def look_at() -> zep.Look:
        return zep.at_the_door(case, typed(case, url), token or None, secret or None, any_version=any_version)

    look = _fit(case, url, look_at)
    look.line.close()
    return ZepSeen(look.line.address.url, look.version, look.token)


def langflux_at_the_door(url: str, api_key: str | None, account: Account | None = None) -> LangFluxSeen:
    """Look at a LangFlux. Raises CannotTell with the fault that makes it unfit."""
    case = _case("langflux", redactor_for(api_key, account.password if account else None))
    look = _fit(case, url, lambda: langflux.at_the_door(case, typed(case, url), api_key or None, account))
    look.close()
    return LangFluxSeen(look.line.address.url, look.version, look.manner)


def model_at_the_door(url: str, langflux_url: str) -> None:
    """Look at the model server that LangFlux is to use. Raises CannotTell with the fault that makes it unfit.

    A loopback URL means another machine here than there, unless LangFlux is on this one: then nothing is looked at.
    """
    address, langflux_address = parse(url), parse(langflux_url)
    if address and address.is_loopback and not (langflux_address and langflux_address.is_loopback):
        return
    case = _case("model", Redactor())

    def look() -> bool:
        model.examine(case, typed(case, url, path_allowed=True))
        return True

    _fit(case, url, look)


def origin(url: str, part: str) -> str:
    """`url` without a trailing slash. Raises CannotTell: no http or https URL, or one with a path."""
    case = _case(part, Redactor())
    return _fit(case, url, lambda: typed(case, url)).url


def _case(part: str, redactor: Redactor) -> Case:
    return Case(part, redactor, Patience())


def _fit(case: Case, url: str, look: Callable[[], T]) -> T:
    """What `look` returns. Raises CannotTell with the first fault that it comes upon."""
    try:
        found = look()
    except Broken:
        found = None
    except OutOfTime as error:
        case.report("out-of-time", limit=f"{error.limit:g}")
        found = None
    wrong = faults(case.findings)
    if wrong or found is None:
        raise unfit(wrong[0], url)
    return found


def unfit(finding: Finding, url: str) -> CannotTell:
    """A fault as the reason why a run can't tell anything."""
    address = parse(url)
    where = f" at {address.origin}{address.path}" if address is not None else ""
    return CannotTell(f"{finding.part}{where}: {finding.symptom}", f"{finding.cause}. {finding.advice}")
