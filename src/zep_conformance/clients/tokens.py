"""Secrets and tokens of a secured Zep 0.x: making them as `zepcli -i` does, and finding what is wrong with one.

Zep takes a JSON Web Token signed by HS256 with its `ZEP_AUTH_SECRET`, used as text; of the claims it looks at the
times only. Nothing here prints or logs, and no error carries a secret or a token.

    secret = make_secret()
    token = make_token(secret)
    flaws(token, secret)            # []
    flaws(secret)                   # [Flaw("token-is-secret")]
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SECRET_BYTES = 64
"""Random bytes in a secret of `zepcli -i`."""
SIGNATURE_BYTES = 32
"""Bytes in a signature by HS256."""
SOON = 7 * 24 * 3600
"""Seconds: a token that expires earlier than that is worth a word."""
SHORT = 32
"""Characters: a secret shorter than HS256's hash is weaker than the algorithm."""

_HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_TIMES = ("exp", "nbf", "iat")
# A fault of form hides the others: what Zep says of such a token is not about its claims.
_JWT = re.compile(r"(?<![\w.-])eyJ[\w-]{5,}\.[\w-]{2,}\.[\w-]*")
_IN_ONE_PIECE = re.compile(r"[A-Za-z0-9_-]{40,}={0,2}")


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong with a token. code: as in the doctor's catalogue. details: words for its texts."""

    code: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenContent:
    """What a token holds. claims: the payload; times in it are seconds since 1970."""

    algorithm: str
    claims: Mapping[str, Any]
    signed: str
    signature: bytes


def make_secret() -> str:
    """Return a secret as `zepcli -i` makes it: 64 random bytes in URL-safe base64, used as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def make_token(secret: str | bytes, claims: Mapping[str, Any] | None = None, algorithm: str = "HS256") -> str:
    """Return a token as `zepcli -i` makes it: HS256 over no claims. algorithm: also HS384, HS512 or none.

    Raises ValueError for another algorithm.
    """
    header = _encode(json.dumps({"alg": algorithm, "typ": "JWT"}, separators=(",", ":")).encode())
    payload = _encode(json.dumps(dict(claims or {}), separators=(",", ":")).encode())
    signed = f"{header}.{payload}"
    if algorithm == "none":
        return f"{signed}."
    if algorithm not in _HASHES:
        raise ValueError(f"no algorithm {algorithm!r}; there are {', '.join(_HASHES)}, none")
    return f"{signed}.{_encode(_sign(secret, signed, algorithm))}"


def decode_token(token: str) -> TokenContent | None:
    """Return what a token holds, its signature unchecked; None for what is no JSON Web Token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
        signature = _decode(parts[2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    return TokenContent(str(header.get("alg", "")), claims, f"{parts[0]}.{parts[1]}", signature)


def looks_like_token(text: str) -> bool:
    """Return whether a text is a JSON Web Token by its form."""
    return decode_token(text.strip().strip("'\"")) is not None


def can_be_sent(token: str) -> bool:
    """Return whether a token can stand in a header at all."""
    return bool(token) and token.isascii() and token.isprintable() and token == token.strip()


def core(token: str) -> str:
    """Return the token without what people leave around it: blanks, quotes, "Bearer "."""
    bare = token.strip().strip("'\"").strip()
    return re.sub(r"(?i)\Abearer[\s:]+", "", bare).strip().strip("'\"")


def token_within(text: str) -> str | None:
    """Return the JSON Web Token that stands among other words, as in a pasted line; None where none or several do."""
    found = {one for one in _JWT.findall(text) if decode_token(one) is not None}
    return found.pop() if len(found) == 1 else None


def flaws(token: str, secret: str | None = None, now: float | None = None) -> list[Flaw]:
    """Return what is wrong with a token, the most telling first; empty when nothing is.

    secret: what Zep checks tokens with; without it the signature is not looked at.
    now: seconds since 1970; the clock when None.
    """
    return list(_flaws(token, secret or None, time.time() if now is None else now))


def _flaws(token: str, secret: str | None, now: float) -> Iterator[Flaw]:
    if secret is not None and token_within(secret) is not None:
        yield Flaw("secret-is-token")
        secret = None
    bare = core(token)
    if not bare:
        yield Flaw("token-missing")
        return
    within = token_within(bare)
    if within is not None and decode_token(bare) is None:
        yield Flaw("token-among-words")
        token = bare = within
    if re.match(r"(?i)[\s'\"]*bearer[\s:]", token):
        yield Flaw("token-bearer-prefix")
    if re.search(r"[\s'\"]", re.sub(r"(?i)\A([\s'\"]*)bearer[ :]+", r"\1", token)):
        yield Flaw("token-quoted")
    content = decode_token(bare)
    if content is None:
        is_secret = bare == (secret or "").strip() or _IN_ONE_PIECE.fullmatch(bare)
        yield Flaw("token-is-secret" if is_secret else "token-not-jwt")
        return
    cut_off = content.algorithm == "HS256" and len(content.signature) != SIGNATURE_BYTES
    if content.algorithm.lower() == "none" or not content.signature or cut_off:
        yield Flaw("token-unsigned")
    elif content.algorithm != "HS256":
        yield Flaw("token-wrong-algorithm", {"algorithm": re.sub(r"\W", "?", content.algorithm)[:20] or "none"})
    elif secret is not None and not _is_signed_with(secret, content):
        yield Flaw("token-decoded-secret" if _is_signed_with_decoded(secret, content) else "token-other-secret")
    yield from _wrong_times(content.claims, now)


def _wrong_times(claims: Mapping[str, Any], now: float) -> Iterator[Flaw]:
    given = {name: claims[name] for name in _TIMES if name in claims}
    odd = [name for name, value in given.items() if isinstance(value, bool) or not isinstance(value, int | float)]
    if odd:
        yield Flaw("token-odd-times", {"claims": ", ".join(odd)})
        return
    if now < given.get("iat", now):
        yield Flaw("token-issued-later", {"when": moment(given["iat"])})
    if "exp" in given and now >= given["exp"]:
        yield Flaw("token-expired", {"when": moment(given["exp"])})
    elif "exp" in given and now + SOON >= given["exp"]:
        yield Flaw("token-expires-soon", {"when": moment(given["exp"])})
    if now < given.get("nbf", now):
        yield Flaw("token-not-yet-valid", {"when": moment(given["nbf"])})


def moment(seconds: float) -> str:
    """Return a time since 1970 in words, UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return "a time beyond the calendar"


def _is_signed_with(secret: str | bytes, content: TokenContent) -> bool:
    return hmac.compare_digest(_sign(secret, content.signed, "HS256"), content.signature)


def _is_signed_with_decoded(secret: str, content: TokenContent) -> bool:
    try:
        return _is_signed_with(_decode(secret.rstrip("=")), content)
    except ValueError:
        return False


def _sign(secret: str | bytes, signed: str, algorithm: str) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, signed.encode(), _HASHES[algorithm]).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Decode one part of a token. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
