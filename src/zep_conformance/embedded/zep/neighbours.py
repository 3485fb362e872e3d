"""The two servers that Zep asks: the NLP server (entities, embeddings) and the language model.

Wire formats: Zep 0.27.2 (`pkg/tasks/ner.go`, `pkg/llms/embeddings_local.go`), OpenAI's chat completions.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence
from typing import Any

import httpx

from zep_conformance.embedded.zep.encoding import ZERO_UUID
from zep_conformance.embedded.zep.messages import Text

MODEL = "gpt-4o-mini"
_KEY = "embedded"  # the model server wants a key and does not look at it
_TIMEOUT = httpx.Timeout(30.0, connect=2.0)
"""Seconds for enrichment: a model may think for long, but a server that is there takes connections."""
ANSWER_PATIENCE = 10.0
"""Seconds that a search waits for an answer of an NLP server that takes connections."""
_CALLS = 8
"""Calls of the model at the same time."""


class Unavailable(Exception):
    """A server can't be reached or does not answer."""


class Refused(Exception):
    """A server answered, but not what was asked for."""


class Neighbours:
    """Client of the NLP server and the model. Either may be None: then nothing may be asked of it.

    Every method raises Unavailable or Refused.
    """

    def __init__(self, model_url: str | None, nlp_url: str | None) -> None:
        self._model = model_url and model_url.rstrip("/")
        self._nlp = nlp_url and nlp_url.rstrip("/")
        secure = any(url and url.startswith("https") for url in (model_url, nlp_url))
        # Loading the certificates takes longer than starting everything else: only where they are of use.
        self._thinking = asyncio.Semaphore(_CALLS)
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, verify=secure, trust_env=secure)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self, url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        try:
            answer = await self._client.post(url, json=body, headers=headers)
        except httpx.TransportError as error:
            raise Unavailable(f"{url}: {error or type(error).__name__}") from error
        if answer.status_code != 200:
            raise Refused(f"{url} answered {answer.status_code}")
        try:
            return answer.json()
        except ValueError as error:
            raise Refused(f"{url} did not answer JSON") from error

    async def embed(self, texts: Sequence[str]) -> list[array[float]]:
        """Return the embeddings of texts, in their order."""
        if self._nlp is None:
            raise Unavailable("no NLP server is configured")
        url = f"{self._nlp}/embeddings/message"
        documents = [{"uuid": ZERO_UUID, "text": text, "language": ""} for text in texts]
        answer = await self._post(url, {"uuid": ZERO_UUID, "documents": documents})
        try:
            vectors = [array("f", document["embedding"]) for document in answer["documents"]]
        except (KeyError, TypeError) as error:
            raise Refused(f"{url} answered without embeddings") from error
        if len(vectors) != len(texts):
            raise Refused(f"{url} answered {len(vectors)} embeddings for {len(texts)} texts")
        return vectors

    async def embed_within(self, text: str, seconds: float) -> array[float]:
        """Return the embedding of one text, trying to reach the NLP server for at most so many seconds.

        One that is there is busy, and has longer (ANSWER_PATIENCE).
        """
        pause, tried_until = 0.05, time.monotonic() + seconds
        try:
            async with asyncio.timeout(ANSWER_PATIENCE):
                while True:
                    try:
                        return (await self.embed([text]))[0]
                    except Unavailable:
                        if self._nlp is None:
                            raise
                        if time.monotonic() + pause > tried_until:
                            raise TimeoutError from None
                        await asyncio.sleep(pause)
                        pause *= 2
        except TimeoutError:
            raise Unavailable(f"the NLP server at {self._nlp} does not answer") from None

    async def entities(self, texts: Sequence[Text]) -> dict[str, list[dict[str, Any]]]:
        """Return the named entities of texts, by uuid, with the keys that Zep stores (Name, Label, Matches)."""
        url = f"{self._nlp}/entities"
        records = [{"uuid": text.uuid, "text": text.content, "language": "en"} for text in texts]
        answer = await self._post(url, {"texts": records})
        try:
            found = {record["uuid"]: _as_stored(record["entities"] or []) for record in answer["texts"]}
        except (KeyError, TypeError) as error:
            raise Refused(f"{url} answered without entities") from error
        if not found.keys() >= {text.uuid for text in texts}:
            raise Refused(f"{url} left out a text")
        return found

    async def complete(self, prompt: str, max_tokens: int) -> str:
        """Return what the model makes of a prompt."""
        url = f"{self._model}/chat/completions"
        body = {"model": MODEL, "messages": [{"role": "system", "content": prompt}], "max_tokens": max_tokens}
        async with self._thinking:
            answer = await self._post(url, body, {"Authorization": f"Bearer {_KEY}"})
        try:
            content = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise Refused(f"{url} answered without a choice") from error
        return content if isinstance(content, str) else ""


def _as_stored(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Zep stores its own field names, not those of the wire.
    return [
        {
            "Name": entity["name"],
            "Label": entity["label"],
            "Matches": [{key.title(): match[key] for key in ("start", "end", "text")} for match in entity["matches"]],
        }
        for entity in entities
    ]
