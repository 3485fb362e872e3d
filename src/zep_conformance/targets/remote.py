"""The `remote` target: parts that run already, given by URL. Nothing is started, so nothing can be stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from zep_conformance.clients.families import Account
from zep_conformance.clients.page.chromium import why_no_page
from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.doctor.address import parse
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.doctor.preflight import checked_origin, probe_langflux, probe_model, probe_zep
from zep_conformance.errors import CannotTell
from zep_conformance.report.timeline import Timeline
from zep_conformance.settings import Settings, revealed
from zep_conformance.targets.base import Control, Deployment, LangFluxServer, Say, ZepServer
from zep_conformance.targets.departures import departures_by_part

NO_MEANING = "the embedded NLP server embeds words, not what they mean; see --embedding-model"


@dataclass
class RemoteTarget:
    """Parts at URLs. Raises CannotTell on `start` when none is given."""

    settings: Settings
    name = "remote"
    shared = True
    control: Control | None = None

    def start(self) -> None:
        """Check what was given; there is nothing to start."""
        if not self.settings.zep_url and not self.settings.langflux_url:
            raise CannotTell(
                "--target remote needs to know where: no --zep-url and no --langflux-url",
                "Give them, or set $ZEP_URL and $LANGFLUX_URL.",
            )
        if departures_by_part(self.settings.departures):
            raise CannotTell(
                f"--departures {self.settings.departures}: this target has no server of ours",
                "Only the page can be made to depart here (page:NAME); --target embedded has the servers.",
            )

    def deployment(self, say: Say) -> Deployment:  # noqa: ARG002  (one look)
        """Look at each part once. Raises CannotTell when one is unfit."""
        missing = {
            "control": "remote parts are not ours to stop",
            "network": "remote parts are not ours to cut off",
            **missing_files(self.settings, own=False),
        }
        zep = given_zep(self.settings)
        langflux = given_langflux(self.settings, missing)
        secret = revealed(self.settings.zep_auth_secret)
        if zep is None:
            missing |= {"zep": "no --zep-url", "model": "no --zep-url"}
        if zep is not None and zep.embedded:
            missing["meaning"] = NO_MEANING
        if zep is not None and (address := parse(zep.url)) and address.is_loopback:
            missing["elsewhere"] = "its Zep is at this machine's own loopback address"
        if zep is None or zep.token is None:
            missing["auth"] = "this Zep is open: it wants no token"
        if "auth" in missing or not secret:
            missing["secret"] = "no $ZEP_AUTH_SECRET"
        secured = None if "auth" in missing else zep
        return Deployment(self.name, zep, secured, secret, langflux, missing)

    def handover(self) -> dict[str, Any]:
        """Nothing: a worker needs no more than what is known of the parts."""
        return {}

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Nothing: a worker needs no more than what is known of the parts."""

    def timeline(self) -> Timeline:
        """Nothing was started."""
        return Timeline()

    def look(self, part: str) -> list[Finding]:  # noqa: ARG002  (there is one Zep)
        """What the doctor finds when it looks at the Zep."""
        return diagnose(self.settings.zep_url, revealed(self.settings.zep_token))

    def ended(self) -> Mapping[str, str]:
        """Nothing: whether remote parts run can't be seen from here."""
        return {}

    def log(self, part: str) -> str:  # noqa: ARG002
        """Nothing: the logs of remote parts can't be seen from here."""
        return ""

    def stop(self) -> None:
        """Nothing was started."""


def given_zep(settings: Settings) -> ZepServer | None:
    """The Zep that the settings give the URL of, looked at once; None without one.

    Raises CannotTell with the doctor's finding when it is unfit.
    """
    if not settings.zep_url:
        return None
    found = seen_zep(settings.zep_url, revealed(settings.zep_token), revealed(settings.zep_auth_secret))
    if not settings.zep_url_from_langflux:
        return found
    return replace(found, url_from_langflux=checked_origin(settings.zep_url_from_langflux, "zep as LangFlux sees it"))


def seen_zep(url: str, token: str | None, secret: str | None, part: str = "zep") -> ZepServer:
    """The Zep at a URL, looked at once. Raises CannotTell with the doctor's finding when it is unfit."""
    seen = probe_zep(url, token, secret)
    number = re.match(r"v?(\d+\.\d+\.\d+)", seen.version)
    return ZepServer(
        seen.url,
        seen.url,
        seen.token,
        number[1] if number else seen.version,
        documented="(documented)" in seen.version,
        embedded="-embedded" in seen.version,
        part=part,
    )


def given_langflux(settings: Settings, missing: dict[str, str]) -> LangFluxServer | None:
    """The LangFlux that the settings give the URL of, looked at once; None, with the reason in `missing`, without.

    Raises CannotTell with the doctor's finding when it is unfit.
    """
    if not settings.langflux_url:
        missing["langflux"] = missing["ui"] = "no --langflux-url"
        return None
    api_key = revealed(settings.langflux_api_key)
    account = Account.given(settings.langflux_user, revealed(settings.langflux_password))
    chatflow = settings.chatflow or ""
    found = seen_langflux(settings.langflux_url, api_key, account, settings.model_url or "", "", chatflow)
    look_at_page(settings, found, missing)
    zep_url = settings.zep_url_from_langflux or settings.zep_url or ""
    if not settings.chatflow:
        if not settings.model_url:
            missing["langflux"] = "no --model-url for the chatflows that are made in it, and no --chatflow"
            return None
        if not zep_url:
            missing["langflux"] = "no --zep-url-from-langflux for the chatflows that are made in it"
            return None
        probe_model(settings.model_url, found.url)
    return replace(found, zep_url=zep_url.rstrip("/"))


def seen_langflux(
    url: str, api_key: str | None, account: Account | None, model_url: str, zep_url: str, chatflow: str = ""
) -> LangFluxServer:
    """The LangFlux at a URL, looked at once. Raises CannotTell with the doctor's finding when it is unfit."""
    seen = probe_langflux(url, api_key, account)
    documented = seen.manner == "documented"
    return LangFluxServer(
        seen.url, api_key, model_url.rstrip("/"), zep_url, chatflow, seen.version, documented, account
    )


def look_at_page(settings: Settings, langflux: LangFluxServer, missing: dict[str, str]) -> None:
    """Say in `missing` why the page of a LangFlux can't be driven, if it can't."""
    missing.pop("ui", None)
    if settings.max_requests or settings.rate:
        missing["ui"] = "--max-requests or --rate was given, and what a browser asks for can't be held to them"
        return
    try:
        why = why_no_page(langflux.url, settings.browser, can_sign_in=langflux.account is not None)
    except httpx.HTTPError as error:
        why = f"its page does not answer ({type(error).__name__})"
    if why:
        missing["ui"] = why
