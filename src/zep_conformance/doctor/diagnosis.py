"""The whole examination: every part, layer by layer.

for finding in diagnose("http://127.0.0.1:8000", langflux_url="http://127.0.0.1:3000"):
    print(finding.part, finding.layer, finding.verdict, finding.symptom)
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

from zep_conformance.clients import tokens
from zep_conformance.clients.families import Account
from zep_conformance.doctor import langflux, model, view, writing, zep
from zep_conformance.doctor.address import typed
from zep_conformance.doctor.findings import WHOLE_LIMIT, Case, Finding, TimeBudget, faults
from zep_conformance.redaction.redactor import Redactor


def diagnose(
    zep_url: str | None = None,
    token: str | None = None,
    *,
    secret: str | None = None,
    langflux_url: str | None = None,
    api_key: str | None = None,
    zep_url_from_langflux: str | None = None,
    model_url: str | None = None,
    account: Account | None = None,
    write: bool = False,
    window: int = 12,
    prefix: str | None = None,
    limit: float = WHOLE_LIMIT,
    connect_limit: float | None = None,
) -> list[Finding]:
    """Return what is wrong with a Zep, a LangFlux and a model server, as far as their URLs are given.

    token: the JWT that Zep wants. secret: what Zep checks it with. api_key: LangFlux's. zep_url_from_langflux:
    Zep's URL as LangFlux has it, where that differs. model_url: with /v1, as LangFlux has it. account: a login for
    LangFlux, where there is no key.
    write: also write to Zep and make a temporary chatflow, under names with `prefix` (drawn when None); both are
    removed. window: messages that bring a summary. limit: seconds for everything.
    connect_limit: seconds for each connection, None for the usual 5.

    Returns findings part by part, in the order of the layers. Raises nothing for what it finds. No text of a
    finding has a secret in it.
    """
    token, secret, api_key = token or None, secret or None, api_key or None
    redactor = redactor_for(token, secret, api_key, account.password if account else None)
    budget = TimeBudget(limit, connect_limit)
    prefix = prefix or f"zc-{secrets.token_hex(4)}"
    cases = {part: Case(part, redactor=redactor, budget=budget) for part in ("zep", "langflux", "model")}

    def further_layers(case: Case, probe: zep.ZepProbe) -> None:
        zep.search(case, probe, written=write)
        if write:
            writing.write(case, probe, prefix, window)

    def zep_part() -> zep.ZepProbe | None:
        case = cases["zep"]
        if not zep_url:
            return None
        probe = case.examine(lambda: zep.probe(case, typed(case, zep_url), token, secret))
        if probe is not None:
            case.examine(lambda: further_layers(case, probe))
        return probe

    def langflux_part() -> langflux.LangFluxProbe | None:
        case = cases["langflux"]
        if not langflux_url:
            return None
        return case.examine(lambda: langflux.probe(case, typed(case, langflux_url), api_key, account))

    def model_part() -> None:
        case = cases["model"]
        if model_url:
            case.examine(lambda: model.probe(case, typed(case, model_url, path_allowed=True)))

    with ThreadPoolExecutor(3) as pool:
        of_zep, of_langflux, of_model = pool.submit(zep_part), pool.submit(langflux_part), pool.submit(model_part)
        zep_probe, langflux_probe = of_zep.result(), of_langflux.result()
        of_model.result()

    case = cases["langflux"]
    seen = zep_url_from_langflux or zep_url
    if langflux_url and seen and not (seen == zep_url and not zep_url_from_langflux and _url_is_bad(cases["zep"])):
        tried = write and model_url is not None

        def view_part() -> None:
            address = view.as_typed(case, seen)
            if langflux_probe is None:
                return
            view.reason(case, address, langflux_probe, tried=tried)
            if tried:
                wanted = zep_probe.token if zep_probe is not None else token
                session = writing.ProbeSession(case, zep_probe, f"{prefix}-view") if zep_probe is not None else None
                url = (model_url or "").rstrip("/")
                view.predict(case, langflux_probe, address, token=wanted, model_url=url, prefix=prefix, session=session)

        case.examine(view_part)
    if zep_probe is not None:
        zep_probe.connection.close()
    if langflux_probe is not None:
        langflux_probe.close()
    return [finding for case in cases.values() for finding in case.findings]


def _url_is_bad(case: Case) -> bool:
    """Whether a URL is found bad as it was typed, so that this need not be said again for LangFlux."""
    return any(finding.layer == "URL" for finding in faults(case.findings))


def redactor_for(*secrets_given: str | None) -> Redactor:
    """Return a redactor of these secrets, and of what people leave around them."""
    given = [secret for secret in secrets_given if secret]
    return Redactor([*given, *(secret.strip() for secret in given), *map(tokens.core, given)])
