"""What a run checks of its target before it begins: is each part there, is it the right thing, does it let us in?

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
from zep_conformance.doctor.findings import Case, Finding, TimeBudget, faults
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
    """A LangFlux that can be used. embedded: "documented" and so on for an embedded one, "" for a real one."""

    url: str
    version: str
    embedded: str


def probe_zep(url: str, token: str | None, secret: str | None, *, any_version: bool = False) -> ZepSeen:
    """Return what a Zep is. Raises CannotTell with the fault that makes it unfit.

    any_version: a Zep 0.x that is too old for clients of today is fit all the same.
    """
    case = _case("zep", redactor_for(token, secret))
    given = token or None, secret or None
    found = _fit(case, url, lambda: zep.probe(case, typed(case, url), *given, any_version=any_version))
    found.connection.close()
    return ZepSeen(found.connection.address.url, found.version, found.token)


def probe_langflux(url: str, api_key: str | None, account: Account | None = None) -> LangFluxSeen:
    """Return what a LangFlux is. Raises CannotTell with the fault that makes it unfit."""
    case = _case("langflux", redactor_for(api_key, account.password if account else None))
    found = _fit(case, url, lambda: langflux.probe(case, typed(case, url), api_key or None, account))
    found.close()
    return LangFluxSeen(found.connection.address.url, found.version, found.embedded)


def probe_model(url: str, langflux_url: str) -> None:
    """Check the model server that LangFlux is to use. Raises CannotTell with the fault that makes it unfit.

    A loopback URL means another machine here than there, unless LangFlux is on this one: then nothing is checked.
    """
    address, langflux_address = parse(url), parse(langflux_url)
    if address and address.is_loopback and not (langflux_address and langflux_address.is_loopback):
        return
    case = _case("model", Redactor())

    def probe() -> bool:
        model.probe(case, typed(case, url, path_allowed=True))
        return True

    _fit(case, url, probe)


def checked_origin(url: str, part: str) -> str:
    """Return `url` without a trailing slash. Raises CannotTell: no http or https URL, or one with a path."""
    case = _case(part, Redactor())
    return _fit(case, url, lambda: typed(case, url)).url


def _case(part: str, redactor: Redactor) -> Case:
    return Case(part, redactor=redactor, budget=TimeBudget())


def _fit(case: Case, url: str, probe: Callable[[], T]) -> T:
    """Return what `probe` does. Raises CannotTell with the first fault that it comes upon."""
    found = case.examine(probe)
    wrong = faults(case.findings)
    if wrong or found is None:
        raise unfit(wrong[0], url)
    return found


def unfit(finding: Finding, url: str) -> CannotTell:
    """Return a fault as the reason why a run can't tell anything; its code is the finding's."""
    address = parse(url)
    where = f" at {address.origin}{address.path}" if address is not None else ""
    return CannotTell(
        f"{finding.part}{where}: {finding.symptom}", f"{finding.cause}. {finding.advice}", code=finding.code
    )
