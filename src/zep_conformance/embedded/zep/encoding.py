"""JSON, times and uuids as Zep writes and reads them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from zep_conformance.embedded.nesting import is_too_deep

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
ZERO_TIME = "0001-01-01T00:00:00Z"

quote: Callable[[str], str] = encode_basestring
"""A string as JSON text, letters of any script left as they are."""

dumps: Callable[[Any], str] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False
).encode
"""A value as compact JSON text with sorted keys: what Go's encoder makes of a map."""

_UUID = re.compile(r"(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?")
_UUID_LENGTHS = (32, 36, 38, 45)  # plain, with dashes, in braces, as a URN
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?")
_JSON_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG = 300
"""Digits up to which an integer is certainly one that a float can hold."""


def now() -> str:
    """Return the current time as RFC 3339 text in UTC, always with six decimals so that text order is time order."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> str:
    """Return a date or an RFC 3339 time in the form of `now`. A time without a zone is UTC.

    Raises ValueError for anything else.
    """
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time")
    time = datetime.fromisoformat(text.upper())
    try:
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not a time in the years 1 to 9999 of UTC") from None
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def check_time(text: str) -> str:
    """Return a time of JSON, which is RFC 3339 with a zone, as it came. Raises ValueError for anything else."""
    if not _JSON_TIME.fullmatch(text):
        raise ValueError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": {text!r} is not a time')
    parse_time(text)
    return text


def parse_uuid(text: str) -> str:
    """Return a uuid in its usual form (lower case, dashes). Raises ValueError if the text is none."""
    match = _UUID.fullmatch(text.lower())
    if match is None:
        length = len(text.encode())
        raise ValueError("invalid UUID format" if length in _UUID_LENGTHS else f"invalid UUID length: {length}")
    return "-".join(match.groups())


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"number {text[:40]} out of range")
    return number


def _integer(text: str) -> int:
    if len(text) > _LONG:
        _number(text)  # an integer of any length is too much for whoever computes with it
    return int(text)


def _constant(text: str) -> float:
    raise ValueError(f"invalid character {text[0]!r} looking for beginning of value")


_decoder = json.JSONDecoder(parse_float=_number, parse_int=_integer, parse_constant=_constant)


def _without_surrogates(value: Any) -> Any:
    # Go's decoder puts U+FFFD where an escape is half a surrogate pair; SQLite could not store it at all.
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def loads(body: bytes, *, trailing: bool = False) -> Any:
    """Return the JSON value of a body. trailing: ignore what follows the value.

    Raises ValueError for anything that is not JSON (NaN, Infinity, numbers out of range and nesting deeper than
    `nesting.MAX_DEPTH` included). Bytes that are not UTF-8 become U+FFFD, as in Go.
    """
    text = body.decode("utf-8", "replace")
    if not text.strip():
        raise ValueError("EOF")
    try:
        value = _decoder.raw_decode(text.lstrip(" \t\r\n"))[0] if trailing else _decoder.decode(text)
    except RecursionError:
        raise ValueError("exceeded max depth") from None
    except json.JSONDecodeError as error:
        wrong = text[error.pos : error.pos + 1]
        what = f"invalid character {wrong!r} looking for beginning of value" if wrong else "unexpected EOF"
        raise ValueError(what) from None
    if is_too_deep(body, value):
        raise ValueError("exceeded max depth")
    if b"\\ud" in body or b"\\uD" in body:
        value = _without_surrogates(value)
    return value


def kept_text(text: str) -> str:
    """Return a text as the store keeps it, which holds no NUL character."""
    return text.replace("\0", "")


def kept_metadata(value: Any) -> Any:
    """Return metadata as the store keeps them.

    A number is what a 64-bit float holds, without a point where it is whole; NUL is a text of six characters.
    """
    if isinstance(value, str):
        return value.replace("\0", r"\u0000")
    if isinstance(value, int | float) and not isinstance(value, bool):
        # By way of its shortest decimal digits: that is how PostgreSQL is told it.
        exact = Decimal(repr(float(value)))
        return int(exact) if exact == exact.to_integral_value() else float(value)
    if isinstance(value, list):
        return [kept_metadata(item) for item in value]
    if isinstance(value, dict):
        return {kept_metadata(key): kept_metadata(item) for key, item in value.items()}
    return value


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return `old` with the keys of `new` put over it, object by object. Lists and null replace."""
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        merged[key] = merge(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
