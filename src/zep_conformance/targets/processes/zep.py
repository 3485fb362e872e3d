"""The real Zep: whether a binary can run here, and how it is started beside the others."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from zep_conformance.errors import CannotTell
from zep_conformance.facts.servers import (
    DEFAULT_WINDOW,
    HEALTH_PATHS,
    PORTS,
    SERVER_HOST,
    SERVER_PORT,
    ZEP_VERSION,
    mended,
    zep_environment,
)
from zep_conformance.processes.programs import Program
from zep_conformance.targets.processes import surroundings

GET_ZEP = f"docs/processes.md says how to come by a Zep {ZEP_VERSION}."
_ELF_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64"}
"""e_machine in an ELF header, elf(5)."""
_SAME = {"amd64": "x86_64", "arm64": "aarch64"}
_OTHER_SYSTEMS = {b"MZ": "Windows", b"\xcf\xfa\xed\xfe": "macOS", b"\xca\xfe\xba\xbe": "macOS"}
RULED_OUT = {"DEV-14": "this Zep is started in a folder of its own, where no config.yaml lies"}
"""Deviations that a Zep started so does not have."""
_unusable = partial(CannotTell, code="zep-binary-unusable")


def check(path: Path, given: str = "--zep-binary") -> Path:
    """Return the absolute path of a Zep. Raises CannotTell where there is none, or not one for this machine.

    given: the option that has it.
    """
    binary = path.expanduser().absolute()
    if not binary.exists():
        raise _unusable(f"{given}: there is no {binary}", GET_ZEP)
    if not binary.is_file():
        raise _unusable(f"{given}: {binary} is no file", "Name the program itself, as …/zep.")
    if not os.access(binary, os.X_OK):
        raise _unusable(f"{given}: {binary} may not be run", f"chmod +x {shlex.quote(str(binary))}")
    with binary.open("rb") as file:
        wrong = _unfit(file.read(20))
    if wrong:
        raise _unusable(f"{given}: {binary} {wrong}; this is {_machine()} with {_system()}", GET_ZEP)
    return binary


def _unfit(head: bytes) -> str:
    """Why a file that begins so can't run here, "" where it can."""
    if head.startswith(b"#!"):
        return ""
    if head.startswith(b"\x7fELF"):
        if sys.platform == "darwin":
            return "is a program for Linux"
        machine = int.from_bytes(head[18:20], "little" if head[5:6] == b"\x01" else "big")
        made_for = _ELF_MACHINES.get(machine, f"another processor ({machine:#x})")
        return "" if made_for == _machine() else f"is a program for {made_for}"
    system = next((name for magic, name in _OTHER_SYSTEMS.items() if head.startswith(magic)), "")
    if system and system != _system():
        return f"is a program for {system}"
    return "" if system else "is no program"


def _machine() -> str:
    name = platform.machine().lower()
    return _SAME.get(name, name)


def _system() -> str:
    return {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)


def program(
    name: str,
    binary: Path,
    state: Path,
    *,
    dsn: str,
    secret: str | None,
    window: int,
    tokenizer: Path,
    after: tuple[str, ...],
    versions: Mapping[str, Path] | None = None,
) -> Program:
    """Zep between the others, configured by its variables alone.

    name: zep or zep-secured. dsn: of its database. secret: what it checks tokens with, None for an open one.
    window: its memory.message_window. tokenizer: the folder that its tokenizer's file is in. after: parts that must
    be ready before. versions: the programs of other versions, by what those are called.
    """
    folder = surroundings.subfolder(state, name)
    # A variable counts only where the file has a setting of that name. JSON is YAML.
    (folder / "config.yaml").write_text(json.dumps(_SETTINGS, indent=1))
    own = zep_environment(model_url="{model.url}/v1", nlp_url="{nlp.url}", dsn=dsn, secret=secret, window=window) | {
        **mended(os.environ),
        SERVER_HOST: "127.0.0.1",
        SERVER_PORT: "{" + name + ".port}",
        "TIKTOKEN_CACHE_DIR": str(tokenizer),
    }
    return Program(
        name=name,
        command=(str(binary),),
        folder=folder,
        log=state / f"{name}.log",
        environment={**surroundings.variables(), **own},
        health=HEALTH_PATHS["zep"],
        after=after,
        versions={version: (str(one),) for version, one in (versions or {}).items()},
    )


_EMBEDDINGS = {"enabled": True, "dimensions": 384, "service": "local"}
_SETTINGS = {
    "llm": {"service": "openai", "model": "gpt-4o-mini", "openai_endpoint": "", "openai_org_id": ""},
    "nlp": {"server_url": ""},
    "memory": {"message_window": DEFAULT_WINDOW},
    "extractors": {
        "documents": {"embeddings": {**_EMBEDDINGS, "chunk_size": 1000}},
        "messages": {
            "summarizer": {"enabled": True, "entities": {"enabled": True}, "embeddings": _EMBEDDINGS},
            "entities": {"enabled": True},
            "intent": {"enabled": True},
            "embeddings": _EMBEDDINGS,
        },
    },
    "store": {"type": "", "postgres": {"dsn": ""}},
    "server": {"host": "", "port": PORTS["zep"], "web_enabled": True, "max_request_size": 5 * 1024 * 1024},
    "auth": {"required": False, "secret": ""},
    "data": {"purge_every": 60},
    "log": {"level": "info"},
    "opentelemetry": {"enabled": False},
}
"""Zep's settings by their documented names and values; no secret is among them, so that one must be given."""
