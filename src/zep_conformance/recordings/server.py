"""The servers that recordings are played to: probed by the doctor, then asked over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpx

from zep_conformance.clients.http import http_client
from zep_conformance.clients.langflux import TIMEOUT
from zep_conformance.doctor.preflight import checked_origin, probe_langflux, probe_model, probe_zep
from zep_conformance.errors import CannotTell
from zep_conformance.recordings.format import MODEL_URL, ZEP_URL, RecordedExchange
from zep_conformance.settings import Settings, revealed

INTERNAL = "x-request-from"
"""The header by which LangFlux's own page asks without a key; a recorded request with it stands for one with a key."""
_LANGFLUX_PATHS = ("/api/v1/prediction", "/api/v1/chatflows", "/api/v1/credentials", "/api/v1/nodes", "/api/v1/ping")


@dataclass(frozen=True, kw_only=True)
class ReplayServer:
    """One server. part: zep or langflux. client: bare, at its URL. headers: on every request.

    key: headers in place of the recorded `x-request-from`. variables: what `{{model-url}}` and `{{zep-url}}` stand for.
    """

    part: str
    url: str
    version: str
    client: httpx.Client
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None) -> httpx.Response:
        """Send a request as it is written. Raises httpx.HTTPError."""
        # Written by hand: a client that tidied the path (`//`, `%2F`) would not send what was recorded.
        url = self.client.base_url.copy_with(raw_path=path.encode())
        return self.client.request(method, url, headers=self.with_key(headers), content=content)

    def with_key(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of a request as this server wants them, with its token or key for a recorded one."""
        kept = {name: value for name, value in headers.items() if name.lower() != INTERNAL}
        return {**self.headers, **(self.key if len(kept) < len(headers) else {}), **kept}


def part_of(exchanges: Iterable[RecordedExchange]) -> str:
    """Return the part that a recording was made of: langflux where one of its paths is asked for, else zep."""
    paths = (exchange.request["path"] for exchange in exchanges)
    return "langflux" if any(path.startswith(_LANGFLUX_PATHS) for path in paths) else "zep"


def zep_server(settings: Settings) -> ReplayServer:
    """Return the Zep of the settings. Raises CannotTell with the doctor's finding when it is unfit, or not given."""
    url = _wanted(settings.zep_url, "--zep-url", "a recording of Zep")
    token, secret = revealed(settings.zep_token), revealed(settings.zep_auth_secret)
    seen = probe_zep(url, token, secret, any_version=True)
    headers = {"authorization": f"Bearer {seen.token}"} if seen.token else {}
    client = http_client(seen.url, timeout=TIMEOUT)
    return ReplayServer(part="zep", url=seen.url, version=seen.version, client=client, headers=headers)


def langflux_server(settings: Settings, exchanges: Iterable[RecordedExchange]) -> ReplayServer:
    """Return the LangFlux of the settings, and what the chatflows of a recording need.

    Raises CannotTell with the doctor's finding when one is unfit, or not given.
    """
    url = _wanted(settings.langflux_url, "--langflux-url", "a recording of LangFlux")
    api_key = revealed(settings.langflux_api_key)
    seen = probe_langflux(url, api_key)
    key = {"authorization": f"Bearer {api_key.strip()}"} if api_key else {INTERNAL: "internal"}
    text = "".join(exchange.line() for exchange in exchanges)
    variables: dict[str, str] = {}
    if f"{{{{{MODEL_URL}}}}}" in text:
        model = _wanted(settings.model_url, "--model-url", "a recording with chatflows in it")
        probe_model(model, seen.url)
        variables[MODEL_URL] = model.rstrip("/")
    if f"{{{{{ZEP_URL}}}}}" in text:
        zep = settings.zep_url_from_langflux or settings.zep_url
        wanted = _wanted(zep, "--zep-url-from-langflux", "a recording with chatflows in it")
        variables[ZEP_URL] = checked_origin(wanted, "zep as LangFlux sees it")
    client, version = http_client(seen.url, timeout=TIMEOUT), seen.version
    return ReplayServer(part="langflux", url=seen.url, version=version, client=client, key=key, variables=variables)


def _wanted(value: str | None, option: str, why: str) -> str:
    if not value:
        raise CannotTell(
            f"{why} needs {option}",
            f"Give {option}, or set ${option[2:].upper().replace('-', '_')}.",
            code="address-missing",
        )
    return value


def addresses(settings: Settings) -> list[str]:
    """Return what says where the servers are, as it would be in a text: never to be written into a recording."""
    given = (settings.zep_url, settings.langflux_url, settings.zep_url_from_langflux, settings.model_url)
    places = {httpx.URL(url.strip()).netloc.decode() for url in given if url}
    # A bare word (`zep`, `localhost`) is one only in a URL.
    return [place if "." in place or ":" in place else f"//{place}" for place in sorted(places)]
