"""Credentials: encrypted where they lie, masked where they are shown.

The cipher is made of what the standard library has: a key stream of HMAC-SHA256 over a counter, and an HMAC
over the outcome. It keeps a token out of the database file and out of every answer; it is not meant for more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from zep_conformance.embedded.departures import Departures
from zep_conformance.embedded.langflux.nodes import CREDENTIAL_TYPES

MASK = "_FLOWISE_BLANK_07167752-1a71-43b1-bf8f-4f32252165db"
"""What is shown instead of a password: Flowise's own constant, one and the same for every password."""

_SALTED = b"Salted__"  # The page knows ciphertexts by the base64 of it.
_NONCE = _TAG = 16


def masked(credential_type: str, data: dict[str, Any], departures: Departures) -> dict[str, Any]:
    """A credential's fields for showing: in clear only what its type declares to be no password."""
    inputs = CREDENTIAL_TYPES.get(credential_type, {}).get("inputs", [])
    passwords = {field["name"] for field in inputs if field["type"] == "password"}
    plain = {field["name"] for field in inputs} - passwords
    if "unlisted-field-shown" in departures:
        plain = set(data) - passwords
    if "credential-shown" in departures:
        plain = set(data)
    return {name: value if name in plain else MASK for name, value in data.items()}


def updated(old: dict[str, Any], new: dict[str, Any], departures: Departures) -> dict[str, Any]:
    """A credential's fields after an update. A mask that comes back means: as it was."""
    if "mask-overwrites-secret" not in departures:
        new = {name: value for name, value in new.items() if value != MASK}
    return old | new


class Vault:
    """Encrypts and decrypts credentials with the key in the file `path`, which is made when missing (mode
    600).
    """

    def __init__(self, path: Path) -> None:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(secrets.token_bytes(32)))
        self._key = base64.b64decode(path.read_bytes())

    def _mixed(self, nonce: bytes, data: bytes) -> bytes:
        stream = b""
        for block in range(0, len(data), 32):
            stream += hmac.digest(self._key, nonce + block.to_bytes(8, "big"), hashlib.sha256)
        return bytes(one ^ other for one, other in zip(data, stream, strict=False))

    def _tag(self, sealed: bytes) -> bytes:
        return hmac.digest(self._key, b"tag" + sealed, hashlib.sha256)[:_TAG]

    def encrypt(self, data: dict[str, Any]) -> str:
        """The ciphertext of a credential's fields, in base64."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._mixed(nonce, json.dumps(data).encode())
        return base64.b64encode(_SALTED + sealed + self._tag(sealed)).decode()

    def decrypt(self, ciphertext: str) -> dict[str, Any]:
        """The fields; {} for a ciphertext of another key, as Flowise has it."""
        sealed = base64.b64decode(ciphertext)[len(_SALTED) :]
        sealed, tag = sealed[:-_TAG], sealed[-_TAG:]
        if not hmac.compare_digest(tag, self._tag(sealed)):
            return {}
        fields = json.loads(self._mixed(sealed[:_NONCE], sealed[_NONCE:]))
        assert isinstance(fields, dict)
        return fields
