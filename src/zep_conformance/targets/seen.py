"""What the URLs of running parts turn out to be: each is asked once, and unfit ones end a run in the doctor's words."""

from __future__ import annotations

from dataclasses import replace

import httpx

from zep_conformance.clients import tokens
from zep_conformance.clients.families import Account
from zep_conformance.clients.page.chromium import why_no_page
from zep_conformance.deployment_files.chosen import files_ask_for_tokens
from zep_conformance.doctor.preflight import checked_origin, probe_langflux, probe_model, probe_zep
from zep_conformance.facts.servers import version_in
from zep_conformance.settings import Settings, revealed
from zep_conformance.targets.base import LangFluxServer, ZepServer

NO_MEANING = "the embedded NLP server embeds words, not what they mean; see --embedding-model"
Access = tuple[str | None, Account | None]
"""What lets us into a LangFlux: its key, or a login."""


def given_zep(settings: Settings) -> ZepServer | None:
    """Return the Zep that the settings give the URL of; None without one.

    Raises CannotTell with the doctor's finding when it is unfit.
    """
    if not settings.zep_url:
        return None
    found = seen_zep(
        settings.zep_url,
        token=revealed(settings.zep_token),
        secret=revealed(settings.zep_auth_secret),
        is_said_to_want_tokens=files_ask_for_tokens(settings),
    )
    return as_langflux_sees(found, settings)


def missing_tokens(zep: ZepServer | None, secret: str | None) -> dict[str, str]:
    """Return why the capabilities `auth` and `secret` are missing for a Zep that is given, empty where they are not.

    zep: None where none is given. secret: what it checks tokens with, as far as that is known.
    """
    if zep is None or zep.token is None:
        why = "no --zep-url" if zep is None else "this Zep is open: it wants no token, and none was given"
        return dict.fromkeys(("auth", "secret"), why)
    return {} if secret else {"secret": "no $ZEP_AUTH_SECRET"}


def as_langflux_sees(zep: ZepServer, settings: Settings) -> ZepServer:
    """Return a Zep with the URL that the settings give for LangFlux. Raises CannotTell for one that is none."""
    if not settings.zep_url_from_langflux:
        return zep
    return replace(zep, url_from_langflux=checked_origin(settings.zep_url_from_langflux, "zep as LangFlux sees it"))


def seen_zep(
    url: str, *, token: str | None, secret: str | None, is_said_to_want_tokens: bool = False, part: str = "zep"
) -> ZepServer:
    """Return the Zep at a URL. Raises CannotTell with the doctor's finding when it is unfit.

    token, secret: what was given for it; a token is made where only the secret is known. Each says that it wants
    tokens, and so may something else: then it is asked with one, even where it is seen to want none.
    """
    token = token or (tokens.make_token(secret) if secret else None)
    seen = probe_zep(url, token, secret)
    found = seen.token
    if found is None and (token or is_said_to_want_tokens):
        found = token if token and tokens.can_be_sent(token) else tokens.make_token(secret or tokens.make_secret())
    return ZepServer(
        url=seen.url,
        url_from_langflux=seen.url,
        token=found,
        version=version_in(seen.version) or seen.version,
        documented="(documented)" in seen.version,
        embedded="-embedded" in seen.version,
        part=part,
    )


def given_langflux(settings: Settings, *, model_url: str, zep_url: str) -> tuple[LangFluxServer | None, dict[str, str]]:
    """Return the LangFlux that the settings give the URL of, and why a capability is missing for it.

    model_url, zep_url: for the chatflows that are made in it, as it sees them; "" where they are not known. It is None
    where it can't be used. Raises CannotTell with the doctor's finding when it is unfit.
    """
    if not settings.langflux_url:
        return None, dict.fromkeys(("langflux", "ui"), "no --langflux-url")
    return usable_langflux(settings, url=settings.langflux_url, model_url=model_url, zep_url=zep_url)


def usable_langflux(
    settings: Settings, *, url: str, model_url: str, zep_url: str, access: Access = (None, None)
) -> tuple[LangFluxServer | None, dict[str, str]]:
    """Return a LangFlux as it is seen, and why a capability is missing for it; None where it can't be used.

    access: its key and login, where they are not what the settings say. Raises CannotTell with the doctor's finding
    when it, or the model server for its chatflows, is unfit.
    """
    server = LangFluxServer(
        url=url,
        api_key=access[0] or revealed(settings.langflux_api_key),
        account=access[1] or Account.given(settings.langflux_user, revealed(settings.langflux_password)),
        model_url=model_url,
        zep_url=zep_url,
        chatflow=settings.chatflow or "",
    )
    found = seen_langflux(server)
    missing = missing_page(found, settings)
    if not found.chatflow:
        lacking = "--model-url" if not found.model_url else "--zep-url-from-langflux" if not found.zep_url else ""
        if lacking:
            either = ", and no --chatflow" if lacking == "--model-url" else ""
            return None, missing | {"langflux": f"no {lacking} for the chatflows that are made in it{either}"}
        probe_model(found.model_url, found.url)
    return found, missing


def seen_langflux(server: LangFluxServer) -> LangFluxServer:
    """Return a LangFlux with what it says of itself. Raises CannotTell with the doctor's finding when it is unfit."""
    seen = probe_langflux(server.url, server.api_key, server.account)
    return replace(
        server,
        url=seen.url,
        model_url=server.model_url.rstrip("/"),
        zep_url=server.zep_url.rstrip("/"),
        version=seen.version,
        documented=seen.embedded == "documented",
        embedded=bool(seen.embedded),
    )


def missing_page(langflux: LangFluxServer, settings: Settings) -> dict[str, str]:
    """Return why the capability `ui` is missing, as the page of a LangFlux can't be driven; empty where it can."""
    if settings.max_requests or settings.rate:
        return {"ui": "--max-requests or --rate was given, and what a browser asks for can't be held to them"}
    try:
        why = why_no_page(langflux.url, settings.browser, can_sign_in=langflux.account is not None)
    except httpx.HTTPError as error:
        why = f"its page does not answer ({type(error).__name__})"
    return {"ui": why} if why else {}
