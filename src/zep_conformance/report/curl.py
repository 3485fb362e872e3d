"""A request as a curl command: what a failure shows, so that somebody can ask the same again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from zep_conformance.redaction.redactor import Redactor


def as_curl(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: str = "",
    redactor: Redactor,
    variables: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the words of a shell command that sends a request, each option with its value as one word.

    variables: the names of the environment variables that hold secrets, by secret: `"$ZEP_TOKEN"` stands for the one
    that a header ends with. Every other secret is hidden, so that the command shows none and may not run as it is.
    """
    words = ["curl -i"] + ([] if method == "GET" else [f"-X {shlex.quote(method)}"])
    words += [f"-H {_header(name, value, redactor, variables or {})}" for name, value in headers.items()]
    words += [f"--data-binary {shlex.quote(redactor(body))}"] if body else []
    words += ["--path-as-is"] if "//" in url.partition("://")[2] or "/." in url else []
    return [*words, shlex.quote(redactor(url))]


def _header(name: str, value: str, redactor: Redactor, variables: Mapping[str, str]) -> str:
    """A header as a shell word."""
    before, _, last = value.rpartition(" ")
    if last in variables:
        return f'"{" ".join(filter(None, (f"{name}:", before, f"${variables[last]}")))}"'
    return shlex.quote(redactor(f"{name}: {value}"))
