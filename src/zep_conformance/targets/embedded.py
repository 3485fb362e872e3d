"""The `embedded` target: Zep, LangFlux, model and NLP servers of our own, for trying and testing the suite.

A run against it says nothing about anybody's deployment. Parts given by URL are used instead of embedded ones.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zep_conformance.clients.families import family_of
from zep_conformance.deployment_files.chosen import missing_files
from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import LANGFLUX_VERSION, ZEP_VERSION
from zep_conformance.settings import Settings
from zep_conformance.targets.base import Deployment, LangFluxServer, Say, ZepServer
from zep_conformance.targets.departures import changes
from zep_conformance.targets.remote import NO_MEANING, given_langflux, given_zep
from zep_conformance.targets.supervised import SupervisedTarget

PARTS = ("postgres", "nlp", "model", "zep", "zep-secured", "langflux")


class EmbeddedTarget(SupervisedTarget):
    """Our own servers, each a process, under one supervisor."""

    name = "embedded"
    shared = False

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._api_key = secrets.token_urlsafe(24)

    def start(self) -> None:
        """Launch the supervisor and tell it what to start."""
        settings = self._settings
        changed = changes(settings)
        given = {
            name: url
            for name, url in (("zep", settings.zep_url), ("langflux", settings.langflux_url))
            if url is not None
        }
        self._supervisor.make_folder()
        self._supervisor.launch(
            {
                "names": [name for name in PARTS if name not in given],
                **changed,
                "secrets": {"zep-secured": self._secret},
                "api_key": self._api_key,
                "embedding_model": str(settings.embedding_model) if settings.embedding_model else None,
            }
        )

    def deployment(self, say: Say) -> Deployment:  # noqa: ARG002  (it takes half a second)
        """Wait until every part answers. Raises CannotTell when one does not, with its last words."""
        with self._timeline.phase("all", "start"):  # all together: they are forked from one process
            urls = self._urls = self._supervisor.await_parts(lambda *_: None)
        documented = self._settings.manner == "documented"
        deployed = bool(self._settings.zep_url or self._settings.langflux_url)
        missing = {"ui": "the embedded LangFlux has no page", **missing_files(self._settings, own=not deployed)}
        if self._settings.embedding_model is None and not self._settings.zep_url:
            missing["meaning"] = NO_MEANING
        if sys.platform != "linux":
            missing["network"] = "only Linux drops what is sent to a port that nobody serves"
        zep = given_zep(self._settings) or ZepServer(urls["zep"], urls["zep"], None, ZEP_VERSION, documented, "zep")
        secured = ZepServer(
            urls["zep-secured"],
            urls["zep-secured"],
            self.token_of("zep-secured"),
            ZEP_VERSION,
            documented,
            "zep-secured",
        )
        model = f"{urls['model']}/v1"
        if self._settings.langflux_url:
            settings = self._settings.model_copy(
                update={"model_url": self._settings.model_url or model, "zep_url": zep.url}
            )
            langflux = given_langflux(settings, missing)
            if langflux and langflux.account and not langflux.api_key and family_of(langflux.version).has_accounts:
                raise CannotTell(
                    "--target embedded makes no API key with a login in a LangFlux that is given",
                    "Make one on LangFlux's page and set $LANGFLUX_API_KEY; or use --target remote.",
                )
        else:
            langflux = LangFluxServer(
                urls["langflux"], self._api_key, model, zep.url_from_langflux, "", LANGFLUX_VERSION, documented
            )
        if self._settings.zep_url:
            missing["control"] = missing["network"] = "this Zep is not ours to stop"
            secured = replace(secured, part="zep-secured")
        return Deployment(self.name, zep, secured, self._secret, langflux, missing, deployed)

    def handover(self) -> dict[str, Any]:
        """Nothing: each worker has servers of its own."""
        return {}

    def attach(self, handed: Mapping[str, Any]) -> None:
        """Nothing: each worker has servers of its own."""
