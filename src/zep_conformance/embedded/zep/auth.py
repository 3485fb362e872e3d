"""Who may ask: JSON Web Tokens as Zep 0.27.2 checks them (go-chi/jwtauth, HS256 only, any claims)."""

from __future__ import annotations

import base64
import math
import time
import warnings
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.zep.refusals import Refusal
from zep_conformance.facts.servers import PUBLISHED_SECRET

_REMEMBERED = 1000
_UNSIGNED = tuple(
    base64.urlsafe_b64encode(header.encode()).decode().rstrip("=")
    for header in ('{"alg":"none","typ":"JWT"}', '{"typ":"JWT","alg":"none"}', '{"alg":"none"}')
)
"""The header of an unsigned token, as libraries write it."""


class Guard:
    """Checks the token of a request.

    secret: used as text, not decoded; None lets everybody in. Raises ValueError for an empty one, as Zep
    refuses to start with it.
    """

    def __init__(self, secret: str | None, departures: Departures) -> None:
        if secret is not None and not secret:
            raise ValueError("Auth secret not set. Ensure ZEP_AUTH_SECRET is set in your environment.")
        self._secret, self._departures = secret, departures
        self._known: dict[str, dict[str, Any]] = {}  # claims of tokens whose signature was right

    def check(self, headers: Headers) -> None:
        """Raises Refusal 401 unless a good token is in the Authorization header or the cookie `jwt`."""
        if self._secret is None:
            return
        token = _token(headers)
        if not token:
            raise Refusal(401, "no token found")
        if "right-token-refused" in self._departures:
            raise Refusal(401, "token is unauthorized")
        claims = self._known.get(token)
        if claims is None:
            claims = self._verify(token, self._secret)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[token] = claims
        now = time.time()
        if "iat" in claims and int(now) < int(claims["iat"]):
            raise Refusal(401, "token iat validation failed")
        if "exp" in claims and "expired-token-accepted" not in self._departures and int(now) >= int(claims["exp"]):
            raise Refusal(401, "token is expired")
        if "nbf" in claims and "early-token-accepted" not in self._departures and int(now) < int(claims["nbf"]):
            raise Refusal(401, "token nbf validation failed")

    def _verify(self, token: str, secret: str) -> dict[str, Any]:
        """The claims of a token with the right signature. Raises Refusal 401."""
        import jwt  # heavy, and not needed where everybody may ask

        if self._waved_through(token, secret):
            return {}
        algorithms = ["HS256"]
        algorithms += [one for one in ("HS384", "HS512") if f"{one.lower()}-accepted" in self._departures]
        # Only the signature is PyJWT's business: of the claims Zep looks at none but the times.
        others = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
        options: Any = {"verify_signature": True} | {f"verify_{claim}": False for claim in others}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a short secret is not ours to judge
                claims = jwt.decode(token, secret, algorithms=algorithms, options=options)
        except Exception as error:
            raise Refusal(401, "token is unauthorized") from error
        for claim in ("exp", "nbf", "iat"):
            if claim in claims and not _is_time(claims[claim]):
                raise Refusal(401, "token is unauthorized")
        return claims

    def _waved_through(self, token: str, secret: str) -> bool:
        """Whether a planted defect accepts a token without a look at its claims."""
        departures = self._departures
        if not departures.active:
            return False
        import jwt

        header, _, rest = token.partition(".")
        signature = rest.partition(".")[2]
        decoded = base64.urlsafe_b64decode(secret + "==") if "decoded-secret-accepted" in departures else b""
        bare = {key: jwt.encode({}, key, "HS256").rpartition(".")[2] for key in (secret, decoded) if key}
        unsigned = header in _UNSIGNED
        return (
            ("secret-accepted" in departures and token == secret)
            or ("garbage-token-accepted" in departures and token.count(".") == 2 and not header.startswith("ey"))
            or ("unsigned-token-accepted" in departures and unsigned)
            or ("token-without-signature-accepted" in departures and not signature and not unsigned)
            or ("changed-token-accepted" in departures and signature == bare[secret])
            or ("other-secret-accepted" in departures and bool(signature) and header.startswith("ey"))
            or ("published-secret-accepted" in departures and signature == _signed(PUBLISHED_SECRET))
            or ("decoded-secret-accepted" in departures and signature == bare[decoded])
        )


def _signed(secret: str) -> str:
    """The signature of a token over no claims."""
    import jwt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwt.encode({}, secret, "HS256").rpartition(".")[2]


def _is_time(claim: Any) -> bool:
    return isinstance(claim, int | float) and not isinstance(claim, bool) and math.isfinite(claim)


def _token(headers: Headers) -> str:
    header = headers.get("authorization", "")
    if len(header) > 7 and header[:6].upper() == "BEARER":
        return header[7:]
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get("jwt")
    except CookieError:
        return ""
    return cookie.value if cookie else ""
