"""Who may ask: JSON Web Tokens as Zep 0.27.2 checks them (go-chi/jwtauth, HS256 only, any claims)."""

from __future__ import annotations

import math
import time
import warnings
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers

from zep_conformance.embedded.zep.wire import Refusal

_REMEMBERED = 1000


class Guard:
    """Checks the token of a request.

    secret: used as text, not decoded; None lets everybody in. algorithms: those that a token may be signed with.
    Raises ValueError for an empty secret, as Zep refuses to start with it.
    """

    def __init__(self, secret: str | None) -> None:
        if secret is not None and not secret:
            raise ValueError("Auth secret not set. Ensure ZEP_AUTH_SECRET is set in your environment.")
        self.secret, self.algorithms = secret, ["HS256"]
        self._known: dict[str, dict[str, Any]] = {}  # claims of tokens whose signature was right

    def check(self, headers: Headers) -> None:
        """Check that a good token is in the Authorization header or the cookie `jwt`. Raises Refusal 401."""
        if self.secret is None:
            return
        token = _token(headers)
        if not token:
            raise Refusal(401, "no token found")
        claims = self._known.get(token)
        if claims is None:
            claims = self.verify(token, self.secret)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[token] = claims
        now = time.time()
        if "iat" in claims and int(now) < int(claims["iat"]):
            raise Refusal(401, "token iat validation failed")
        if "exp" in claims and int(now) >= int(claims["exp"]):
            raise Refusal(401, "token is expired")
        if "nbf" in claims and int(now) < int(claims["nbf"]):
            raise Refusal(401, "token nbf validation failed")

    def verify(self, token: str, secret: str) -> dict[str, Any]:
        """Return the claims of a token with the right signature. Raises Refusal 401."""
        import jwt  # heavy, and not needed where everybody may ask

        # Only the signature is PyJWT's business: of the claims Zep looks at none but the times.
        others = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
        options: Any = {"verify_signature": True} | {f"verify_{claim}": False for claim in others}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # whether a secret is too short is not asked here
                claims = jwt.decode(token, secret, algorithms=self.algorithms, options=options)
        except Exception as error:
            raise Refusal(401, "token is unauthorized") from error
        for claim in ("exp", "nbf", "iat"):
            if claim in claims and not _is_time(claims[claim]):
                raise Refusal(401, "token is unauthorized")
        return claims


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
