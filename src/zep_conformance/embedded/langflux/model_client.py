"""The chat model of a flow: OpenAI's chat completions, whole or streamed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

OPENAI = "https://api.openai.com/v1"
"""Where the model is when the node's BasePath is empty."""

TIMEOUT = 60.0
"""Seconds for the model to answer."""

_NO_KEY = (
    "The OPENAI_API_KEY environment variable is missing or empty; either provide it, or select a credential "
    "on the ChatOpenAI node"
)


class ModelError(Exception):
    """The model could not be reached or refused; says why, in words that hold no key."""


class ChatModel:
    """The model that a ChatOpenAI node describes. inputs: the node's. key: of its credential, or "".

    Raises ModelError without a key.
    """

    def __init__(self, http: httpx.AsyncClient, inputs: Mapping[str, Any], key: str) -> None:
        if not key:
            raise ModelError(_NO_KEY)
        self._http = http
        self._url = f"{str(inputs.get('basepath') or OPENAI).rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._model = inputs.get("modelName") or "gpt-4o-mini"

    def _request(self, messages: list[dict[str, str]], stream: bool) -> httpx.Request:
        body = json.dumps({"model": self._model, "stream": stream, "messages": messages}).encode()
        return self._http.build_request("POST", self._url, content=body, headers=self._headers, timeout=TIMEOUT)

    async def complete(self, messages: list[dict[str, str]]) -> str:
        """Return the whole answer. Raises ModelError."""
        try:
            response = await self._http.send(self._request(messages, stream=False))
            self._check(response)
            return str(json.loads(response.content)["choices"][0]["message"]["content"] or "")
        except (LookupError, TypeError) as error:
            raise ModelError("The model's answer is not a chat completion") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _failure(error) from error

    async def stream(self, messages: list[dict[str, str]]) -> AsyncIterator[str]:
        """Yield the answer, piece by piece as it comes. Raises ModelError."""
        try:
            response = await self._http.send(self._request(messages, stream=True), stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    self._check(response)
                async for line in _lines(response.aiter_text()):
                    data = line.removeprefix("data:").strip()
                    if line.startswith("data:") and data != "[DONE]":
                        choices = json.loads(data).get("choices") or [{}]
                        piece = choices[0].get("delta", {}).get("content")
                        if piece:
                            yield str(piece)
            finally:
                await response.aclose()
        except (LookupError, TypeError, AttributeError) as error:
            raise ModelError("The model's answer is not a stream of chat completions") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _failure(error) from error

    @staticmethod
    def _check(response: httpx.Response) -> None:
        if response.is_success:
            return
        reason = response.reason_phrase
        try:
            reason = str(json.loads(response.content)["error"]["message"])
        except (ValueError, LookupError, TypeError):
            reason = reason or "status code (no body)"
        raise ModelError(f"{response.status_code} {reason}")


async def _lines(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield a text's lines. Only a newline ends one: an answer may have others, that end one elsewhere (U+2028)."""
    rest = ""
    async for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        for line in whole:
            yield line
    yield rest


def _failure(error: Exception) -> ModelError:
    """Return the words for a failed request: never why one could not be written, which may quote the key."""
    match error:
        case httpx.TimeoutException():
            return ModelError("Request timed out.")
        case httpx.LocalProtocolError() | httpx.InvalidURL() | httpx.UnsupportedProtocol() | UnicodeError():
            return ModelError("the request can't be sent: the BasePath or the key holds a wrong character")
        case json.JSONDecodeError():
            return ModelError("The model's answer is not JSON")
    return ModelError("Connection error.")
