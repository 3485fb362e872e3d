"""Our own servers, each a process, under one supervisor."""

from __future__ import annotations

import secrets
import sys
from typing import Any

from zep_conformance.clients.families import family_of
from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import LANGFLUX_VERSION, ZEP_VERSION
from zep_conformance.mutation.asked import planted_in_servers
from zep_conformance.settings import CAPABILITIES, Settings, revealed
from zep_conformance.targets.base import AFTER, BEFORE, Deployment, LangFluxServer, Say, Upgrade, ZepServer
from zep_conformance.targets.seen import NO_MEANING, given_langflux, given_zep, missing_tokens
from zep_conformance.targets.supervised import SupervisedTarget

OLDER_ZEP, OLDER_LANGFLUX = "0.23.0", "2.2.7"
"""What an upgrade begins with, unless it is told otherwise."""
PARTS = ("postgres", "nlp", "model", "zep", "zep-secured", "langflux")


class EmbeddedTarget(SupervisedTarget):
    """Zep, LangFlux, model, NLP server and store of our own, which start in a second: each worker has a set."""

    name = "embedded"
    offers = frozenset(CAPABILITIES) - {"ui"}
    shared = False

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._api_key = secrets.token_urlsafe(24)
        self._upgrades = {
            part: Upgrade(before=before or earlier, after=after or usual, has_begun=bool(before))
            for part, given, before, earlier, after, usual in (
                ("zep", settings.zep_url, settings.from_zep, OLDER_ZEP, settings.to_zep, ZEP_VERSION),
                ("langflux", settings.langflux_url, settings.from_langflux, OLDER_LANGFLUX, settings.to_langflux,
                 LANGFLUX_VERSION),
            )
            if not given
        }  # fmt: skip
        self._begin_as = {part: one.before for part, one in self._upgrades.items() if one.has_begun}
        """Which version each part is from the start on, where somebody says so."""

    def start(self) -> None:
        """Launch the supervisor and tell it what to start."""
        settings = self.settings
        given = {"zep": settings.zep_url, "langflux": settings.langflux_url}
        self._supervisor.make_folder()
        self._supervisor.launch(
            {
                "names": [name for name in PARTS if given.get(name) is None],
                **planted_in_servers(settings),
                "secrets": {"zep-secured": self._secret},
                "api_key": self._api_key,
                "begin_as": self._begin_as,
                "versions": {part: {BEFORE: one.before, AFTER: one.after} for part, one in self._upgrades.items()},
                "embedding_model": str(settings.embedding_model) if settings.embedding_model else None,
            }
        )

    def deployment(self, say: Say) -> Deployment:  # noqa: ARG002  (it takes half a second)
        """Wait until every part answers. Raises CannotTell when one does not, with its last words."""
        with self.timeline.phase("all", "start"):  # all together: they are forked from one process
            urls = self._urls = self._supervisor.await_parts(lambda *_: None)
        documented = self.settings.recorded_behaviours != "all"
        deployed = bool(self.settings.zep_url or self.settings.langflux_url)
        missing = missing_files(self.settings, own=not deployed)
        if self.settings.embedding_model is None and not self.settings.zep_url:
            missing["meaning"] = NO_MEANING
        if sys.platform != "linux":
            missing["network"] = "only Linux drops what is sent to a port that nobody serves"
        started: dict[str, Any] = {"version": self._begin_as.get("zep", ZEP_VERSION), "documented": documented}
        zep = given_zep(self.settings) or ZepServer(url=urls["zep"], url_from_langflux=urls["zep"], **started)
        secured, secret = zep, revealed(self.settings.zep_auth_secret)
        if self.settings.zep_url:
            missing |= missing_tokens(zep, secret)
        else:
            url, token, secret = urls["zep-secured"], self.token_of("zep-secured"), self._secret
            secured = ZepServer(url=url, url_from_langflux=url, token=token, part="zep-secured", **started)
        model = f"{urls['model']}/v1"
        langflux: LangFluxServer | None
        if self.settings.langflux_url:
            langflux, lacking = given_langflux(
                self.settings,
                model_url=self.settings.model_url or model,
                zep_url=self.settings.zep_url_from_langflux or zep.url,
            )
            missing |= lacking
            if langflux and langflux.account and not langflux.api_key and family_of(langflux.version).has_accounts:
                what = "--target embedded makes no API key with a login in a LangFlux that is given"
                advice = "Make one on LangFlux's page and set $LANGFLUX_API_KEY; or use --target remote."
                raise CannotTell(what, advice, code="langflux-key-unmade")
        else:
            missing["ui"] = "the embedded LangFlux has no page"
            langflux = LangFluxServer(
                url=urls["langflux"],
                api_key=self._api_key,
                model_url=model,
                zep_url=zep.url_from_langflux,
                version=self._begin_as.get("langflux", LANGFLUX_VERSION),
                documented=documented,
                embedded=True,
            )
        if self.settings.zep_url:
            missing["control"] = missing["network"] = "this Zep is not ours to stop"
            missing["zep-upgrade"] = missing["way-back"] = "this Zep is not ours to start as another version"
        if self.settings.langflux_url:
            missing["langflux-upgrade"] = "this LangFlux is not ours to start as another version"
        return Deployment(
            target=self.title,
            zep=zep,
            secured=None if "auth" in missing else secured,
            secret=secret,
            langflux=langflux,
            missing=missing,
            deployed=deployed,
            own=self.settings.zep_url is None,
            upgrades=self._upgrades,
        )
