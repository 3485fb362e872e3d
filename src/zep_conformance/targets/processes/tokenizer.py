"""The tokenizer's file that a real Zep wants at its start: found, or fetched once into the cache.

Zep counts tokens with OpenAI's encoding cl100k_base. It fetches the encoding's file when it starts, and ends where it
can't; a copy in $TIKTOKEN_CACHE_DIR, named by the SHA-1 of the file's address, saves it the way.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import httpx

from zep_conformance.clients.http import trusted
from zep_conformance.errors import CannotTell
from zep_conformance.settings.sources import cache

ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
NAME = hashlib.sha1(ADDRESS.encode(), usedforsecurity=False).hexdigest()
DIGEST = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
"""SHA-256 of the file, as OpenAI's own library tiktoken checks it."""
FETCH_LIMIT = 20.0
"""Seconds for each step of fetching 1.7 MB."""


def folder(environment: Mapping[str, str] = os.environ, address: str = ADDRESS) -> Path:
    """Return the folder for Zep's TIKTOKEN_CACHE_DIR: the one that is set, or one in the cache, with the file in it.

    address: where it is fetched from where it is in neither. Raises CannotTell where it can't be had.
    """
    own = cache(environment) / "tiktoken"
    for place in (Path(environment.get("TIKTOKEN_CACHE_DIR") or own), own):
        if (place / NAME).is_file():
            return place
    missing = partial(CannotTell, code="tokenizer-missing")
    help_ = f"On a machine that can: curl -o {NAME} {ADDRESS} — then put the file into {own} here."
    try:
        answer = httpx.get(address, verify=trusted(), timeout=FETCH_LIMIT)
        answer.raise_for_status()
        if hashlib.sha256(answer.content).hexdigest() != DIGEST:
            raise missing(f"{address} gave another file than Zep's tokenizer (cl100k_base.tiktoken)", help_)
        _keep(own, answer.content)
    except httpx.HTTPError as error:
        what = "Zep needs its tokenizer's file cl100k_base.tiktoken to start, and it can't be fetched"
        raise missing(f"{what}: {error or type(error).__name__}", help_) from None
    except OSError as error:
        raise CannotTell(
            f"can't keep Zep's tokenizer in {own}: {error.strerror}",
            "Name a folder that you may write to in $ZEP_CONFORMANCE_CACHE.",
            code="file-unwritable",
        ) from None
    return own


def _keep(place: Path, content: bytes) -> None:
    """Whole or not at all: another run may be looking."""
    place.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=place)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(draft).replace(place / NAME)
