"""Streaming as LangFlux did it before 2.1.0: a prediction names a socket.io client, which is sent the tokens.

The part of Engine.IO 4 and Socket.IO 5 that listening by long polling needs, over the client's own httpx: so each
request of it is counted, limited and written down like any other (docs/decisions/0003).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import closing
from typing import Any

import httpx

from zep_conformance.clients.http import LangFluxRefused

PATH = "/socket.io/"
END_LIMIT = 30.0
"""Seconds for the end of a stream whose prediction has been answered."""
SEPARATOR = "\x1e"
"""Between two packets in one answer."""
# Packets: the first digit is Engine.IO's (open, close, ping, pong, message), a message's second Socket.IO's.
OPEN, CLOSE, PING, PONG, CONNECTED, EVENT, REFUSED = "0", "1", "2", "3", "40", "42", "44"

Event = tuple[str, Any]


class Listener:
    """A socket.io client that only listens. id: what a prediction calls it."""

    def __init__(self, client: httpx.Client) -> None:
        """Connect. Raises LangFluxRefused, httpx.HTTPError."""
        self._client = client
        self._query = {"EIO": "4", "transport": "polling"}
        opened = self._packets()
        assert opened and opened[0].startswith(OPEN), f"socket.io does not open a connection: {opened}"
        self._query["sid"] = json.loads(opened[0][1:])["sid"]
        self._send(CONNECTED)
        self._waiting = self._packets()
        assert self._waiting and self._waiting[0].startswith(CONNECTED), f"socket.io refuses: {self._waiting}"
        self.id = str(json.loads(self._waiting.pop(0)[2:])["sid"])

    def events(self) -> Iterator[Event]:
        """Yield the events as they come, (name, data), to the one called "end", or until the connection is closed."""
        while True:
            for packet in self._waiting:
                if packet.startswith(CLOSE):
                    return
                if packet.startswith(PING):
                    self._send(PONG)
                if packet.startswith(EVENT):
                    name, *data = json.loads(packet[2:])
                    yield name, data[0] if data else None
                    if name == "end":
                        return
            self._waiting = self._packets()

    def close(self) -> None:
        """End the connection; who listens is told so."""
        self._send(CLOSE)

    def _packets(self) -> list[str]:
        """Return the next packets, waited for by the server."""
        return self._checked(self._client.get(PATH, params=self._query)).text.split(SEPARATOR)

    def _send(self, packet: str) -> None:
        headers = {"content-type": "text/plain;charset=UTF-8"}
        self._checked(self._client.post(PATH, params=self._query, content=packet, headers=headers))

    @staticmethod
    def _checked(answer: httpx.Response) -> httpx.Response:
        if answer.status_code != 200:
            raise LangFluxRefused("listening to a stream by socket.io", answer)
        return answer


def streamed(client: httpx.Client, path: str, question: dict[str, Any]) -> list[Event]:
    """Return the events of a streamed prediction, in the order and with the names that later versions have for them.

    These versions answer the prediction itself as well: that is what the event "metadata" holds.
    Raises LangFluxRefused, httpx.HTTPError.
    """
    with ThreadPoolExecutor(1) as pool, closing(Listener(client)) as listener:
        heard = pool.submit(lambda: list(listener.events()))
        answer = client.post(path, json={**question, "socketIOClientId": listener.id})
        if answer.status_code != 200:
            raise LangFluxRefused("a streamed prediction", answer)
        try:
            events = heard.result(END_LIMIT)
        except FutureTimeout:
            raise AssertionError(
                f"{END_LIMIT:g} s after its prediction was answered the stream has not ended"
            ) from None
    body = answer.json()
    ends = [event for event in events if event[0] == "end"]
    return [*(event for event in events if event[0] != "end"), ("metadata", body), *ends]
