"""One look at a running part before anything is asked of it: is it there, is it the right thing, does it let us in?

Nothing is written and nothing of anybody's is listed. What goes wrong for people here is mostly one of a dozen
things, so each gets its own sentence.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from zep_conformance.errors import CannotTell

LIMIT = 10.0
"""Seconds for one request."""
PIN = "ghcr.io/getzep/zep-cloud:0.27.2"


def origin(url: str, option: str) -> str:
    """`url` without a trailing slash, after a look at its form.

    Raises CannotTell: not http(s), no host, or a path, which clients of Zep and LangFlux drop or double.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CannotTell(f"{option} {without_password(url)!r} is no URL", "Write it like http://127.0.0.1:8000.")
    if parts.path.strip("/") or parts.query:
        raise CannotTell(
            f"{option} {without_password(url)!r} has a path",
            f"Give the bare origin: {parts.scheme}://{parts.netloc.rpartition('@')[2]}.",
        )
    return url.rstrip("/")


def without_password(url: str) -> str:
    """`url` as it may be shown."""
    return re.sub(r"//[^/@]*@", "//***@", url)


def get(part: str, url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """GET `url` of `part`. Raises CannotTell saying which layer broke: name, TCP, TLS or HTTP."""
    shown = without_password(url)
    try:
        return httpx.get(url, headers=headers, timeout=LIMIT)
    except httpx.HTTPError as error:
        host = urlsplit(url).hostname
        causes = list(_causes(error))
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            what, advice = f"the name {host} does not resolve", "Check the spelling of the URL, and DNS."
        elif any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            found = next(cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError))
            what = f"its certificate is not trusted ({found.verify_message})"
            advice = "Mend the certificate, or name your own authority's file in $SSL_CERT_FILE."
        elif any(isinstance(cause, ssl.SSLError) for cause in causes):
            what, advice = "no TLS there", "Does that port speak plain http? Then write http:// in the URL."
        elif any(getattr(cause, "errno", None) == errno.ECONNREFUSED for cause in causes):
            what = "connection refused: the host is there, nothing listens on that port"
            advice = f"Is {part} running, on this port? 127.0.0.1 inside a container is that container."
        elif isinstance(error, httpx.ConnectTimeout):
            what = f"no answer to a TCP connection in {LIMIT:.0f} s"
            advice = "A firewall drops it (ufw, or the cloud's own), or the address is wrong."
        elif isinstance(error, httpx.TimeoutException):
            what, advice = f"connected, but no answer in {LIMIT:.0f} s", f"Is {part} hanging? See its log."
        elif isinstance(error, httpx.ConnectError):
            what, advice = f"can't connect ({error})", "Check the URL and the network between here and there."
        else:
            what = f"no HTTP there ({type(error).__name__})"
            advice = "Does that port speak https, or something else? Check scheme and port."
        raise CannotTell(f"{part} at {shown}: {what}", advice) from None
    except httpx.InvalidURL as error:
        raise CannotTell(f"{part}: {shown!r} is no URL ({error})", "Write it like http://127.0.0.1:8000.") from None


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def zep_version(url: str, token: str | None) -> str:
    """The version of the Zep 0.x at `url`, with its build: "0.27.2-embedded (documented)", or "" when it says none.

    Raises CannotTell: unreachable, no Zep, a Zep 1.x, or a token that is missing or not accepted.
    """
    health = get("zep", f"{url}/healthz")
    version: str = health.headers.get("x-zep-version", "")
    if health.status_code in (502, 503, 504):
        raise CannotTell(
            f"zep at {url}: a proxy answers {health.status_code}", "Zep behind it is down or still starting."
        )
    if re.match(r"v?[1-9]", version):
        raise _not_zep_0(url, f"says it is version {version.split()[0]}")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = get("zep", f"{url}/api/v1/sessions/zep-conformance-probe/memory?lastn=1", headers)
    if answer.status_code == 401:
        raise CannotTell(f"zep at {url} refuses: 401 {answer.text.strip()[:80]!r}", _about_token(token))
    # Before 0.20 an unknown session is 404, in plain text; a server without this API says something else.
    unknown_session = answer.status_code == 404 and "html" not in answer.headers.get("content-type", "")
    if answer.status_code == 200 or (version and unknown_session):
        return version
    if answer.status_code == 404:
        raise _not_zep_0(url, "answers 404 to /api/v1")
    raise CannotTell(
        f"zep at {url}: reading an unknown session's memory gives {answer.status_code} {answer.text.strip()[:80]!r}",
        "Expected 200. Is PostgreSQL up? Zep's log says more.",
    )


def _not_zep_0(url: str, found: str) -> CannotTell:
    return CannotTell(
        f"the server at {url} is not a Zep 0.x: it {found}",
        f"ghcr.io/getzep/zep:latest is Zep 1.x, which speaks another API: pin {PIN}.",
    )


def _about_token(token: str | None) -> str:
    if not token:
        return "It wants a token: set $ZEP_TOKEN to the JWT (not the secret) that zepcli -i printed."
    if token.count(".") != 2:
        return "What was given is no JWT: is it the secret? zepcli -i prints the secret first, then the JWT."
    return "The token is not for this Zep: another secret, another algorithm than HS256, or expired."


def langflux_version(url: str, api_key: str | None) -> tuple[str, str]:
    """The version of the LangFlux at `url`, and the manner it is embedded in ("" for a real one).

    Raises CannotTell: unreachable, no LangFlux, or it wants an API key.
    """
    ping = get("langflux", f"{url}/api/v1/ping")
    if ping.status_code != 200 or "pong" not in ping.text:
        raise CannotTell(
            f"langflux at {url}: /api/v1/ping gives {ping.status_code}, not pong",
            "Is that LangFlux's (or Flowise's) own address, without a path?",
        )
    # Not `/chatflows`: what others own is not listed.
    answer = get("langflux", f"{url}/api/v1/nodes/ZepMemory", langflux_headers(api_key))
    if answer.status_code in (401, 403):
        raise CannotTell(
            f"langflux at {url} refuses: {answer.status_code}",
            "It wants an API key (Flowise 2.0.7 and later): make one under API Keys, set $LANGFLUX_API_KEY."
            if not api_key
            else "The API key is not one of this server's: see API Keys in its page.",
        )
    version = get("langflux", f"{url}/api/v1/version", langflux_headers(api_key))
    try:
        number = str(version.json()["version"])
    except (ValueError, KeyError, TypeError):
        number = ""
    return number, ping.headers.get("x-langflux-embedded", "")


def langflux_headers(api_key: str | None) -> dict[str, str]:
    """How LangFlux is asked: with the key, or as its own page does where it is unprotected."""
    return {"authorization": f"Bearer {api_key}"} if api_key else {"x-request-from": "internal"}
