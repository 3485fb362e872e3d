"""What a server streams, heard on its way to whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx


class Heard(httpx.SyncByteStream):
    """Another stream, of which what was read is kept.

    closed: told, when it is closed, what was read, and what broke the reading off, "" where nothing did.
    """

    def __init__(self, stream: Any, closed: Callable[[bytes, str], None]) -> None:
        self._stream, self._closed = stream, closed
        self._octets: list[bytes] = []
        self._error = ""
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            for octets in self._stream:
                self._octets.append(octets)
                yield octets
        except httpx.RequestError as error:
            self._error = in_short(error)
            raise

    def close(self) -> None:
        """Close it."""
        self._stream.close()
        if not self._is_closed:
            self._is_closed = True
            self._closed(b"".join(self._octets), self._error)


def text_of(response: httpx.Response, octets: bytes) -> str:
    """Return as text what was read of a response, which may have been compressed."""
    try:
        return httpx.Response(response.status_code, headers=response.headers, content=octets).text
    except httpx.DecodingError:  # it broke off
        return octets.decode(errors="backslashreplace")


def in_short(error: Exception) -> str:
    """Return the name and the text of an error."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
