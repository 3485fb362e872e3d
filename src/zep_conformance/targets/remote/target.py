"""Parts at URLs."""

from __future__ import annotations

from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.doctor.address import parse
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding
from zep_conformance.errors import CannotTell
from zep_conformance.settings import CAPABILITIES, UPGRADES, revealed
from zep_conformance.targets.base import Deployment, Say, Target
from zep_conformance.targets.seen import NO_MEANING, given_langflux, given_zep, missing_tokens
from zep_conformance.targets.upgrading import NOT_OURS


class RemoteTarget(Target):
    """Parts that run already; logs, ends and control of them are out of reach."""

    name = "remote"
    offers = frozenset(CAPABILITIES) - {"control", "network"} - UPGRADES

    def start(self) -> None:
        """Check what was given; there is nothing to start. Raises CannotTell when no URL is."""
        if not self.settings.zep_url and not self.settings.langflux_url:
            what = "--target remote needs to know where: no --zep-url and no --langflux-url"
            advice = "Give them, or set $ZEP_URL and $LANGFLUX_URL."
            raise CannotTell(what, advice, code="address-missing")

    def deployment(self, say: Say) -> Deployment:  # noqa: ARG002  (each is asked once)
        """Return the parts, each asked once. Raises CannotTell when one is unfit."""
        missing = {
            "control": "remote parts are not ours to stop",
            "network": "remote parts are not ours to cut off",
            **NOT_OURS,
            **missing_files(self.settings, own=False),
        }
        zep = given_zep(self.settings)
        langflux, lacking = given_langflux(
            self.settings,
            model_url=self.settings.model_url or "",
            zep_url=self.settings.zep_url_from_langflux or self.settings.zep_url or "",
        )
        missing |= lacking
        secret = revealed(self.settings.zep_auth_secret)
        if zep is None:
            missing |= {"zep": "no --zep-url", "model": "no --zep-url"}
        if zep is not None and zep.embedded:
            missing["meaning"] = NO_MEANING
        if zep is not None and (address := parse(zep.url)) and address.is_loopback:
            missing["elsewhere"] = "its Zep is at this machine's own loopback address"
        missing |= missing_tokens(zep, secret)
        return Deployment(
            target=self.title,
            zep=zep,
            secured=None if "auth" in missing else zep,
            secret=secret,
            langflux=langflux,
            missing=missing,
        )

    def diagnose(self, part: str) -> list[Finding]:  # noqa: ARG002  (there is one Zep)
        """Return what the doctor finds at the Zep, from here."""
        return diagnose(self.settings.zep_url, revealed(self.settings.zep_token))
