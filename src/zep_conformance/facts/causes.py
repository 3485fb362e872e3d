"""Why something did not come up, by what it wrote: one table of causes, for the parts of every target.

`source` is who wrote: a part before it ended, the Docker engine that was to do something, its socket, a registry that
an image was pulled from, the build of an image, or npm. Where a cause is also a finding of the doctor's or about
deployment files, it has the same code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from zep_conformance.facts.servers import IMAGES

Source = Literal["part", "engine", "socket", "registry", "build", "npm"]

SHOWN = 12
"""Lines of a log that are shown."""
_WIDTH = 300
"""Characters of a line that are shown."""


@dataclass(frozen=True)
class Cause:
    """One row of the table. pattern: looked for without regard to case. cause: why, as it follows a comma.

    cause and advice may have words in braces, which are filled in by `Cause.filled`.
    """

    source: Source
    code: str
    pattern: str
    cause: str
    advice: str

    def filled(self, **words: str) -> Cause:
        """Return the same cause with its words in braces filled in."""
        cause, advice = self.cause.format_map(words), self.advice.format_map(words)
        return Cause(self.source, self.code, self.pattern, cause, advice)


def _rows(source: Source, *rows: tuple[str, str, str, str]) -> tuple[Cause, ...]:
    return tuple(Cause(source, *row) for row in rows)


_DISK = "`docker system df` says what fills it, `docker system prune` makes room."
_NETWORK = (
    r"no such host|lookup |dial tcp|timeout|timed out|deadline exceeded|connection refused|connection reset|unreachable"
    r"|no route to host|tls|x509|certificate|proxyconnect|eof|server misbehaving"
)

# fmt: off
CAUSES: tuple[Cause, ...] = (
    *_rows(
        "part",
        ("image-lacks-config", r"store\.type must be set", "the image has no config.yaml in it",
         f"This image has no config.yaml in it, as ghcr.io/getzep/zep: take {IMAGES['zep']}, or mount one at "
         "/app/config.yaml."),
        ("openai-key-missing", r"ZEP_OPENAI_API_KEY is not set", "Zep is not told a key for OpenAI",
         "Zep must be given ZEP_OPENAI_API_KEY, in its .env for instance; any text will do where no OpenAI is "
         "asked."),
        ("auth-without-secret", r"Auth secret not set", "Zep demands tokens, and has no secret to check them with",
         "ZEP_AUTH_REQUIRED needs ZEP_AUTH_SECRET beside it: `zep-conformance token` makes one."),
        ("tokenizer-missing", r"tiktoken|cl100k_base|openaipublic", "Zep can't fetch its tokenizer",
         "Zep fetches its tokenizer when it starts: let it reach the internet, or set TIKTOKEN_CACHE_DIR."),
        ("other-platform", r"exec format error|GLIBC|error while loading shared libraries",
         "it was built for another machine",
         "It was built for another system, or another kind of processor, than this machine's."),
        ("disk-full", r"no space left|ENOSPC", "the disk is full",
         "The disk is full: make room, or set TMPDIR to a folder on another; `docker system df` says what Docker "
         "takes."),
        ("port-taken", r"EADDRINUSE|address already in use", "another program has its port",
         "Another program took its port: run this again."),
        ("credentials-differ", r"password authentication failed|database .* does not exist|role .* does not exist",
         "the database was made with another user, password or name",
         "User, password and database in ZEP_STORE_POSTGRES_DSN must be those of the database's own variables."),
        ("database-password-missing", r"superuser password is not specified", "the database is not told a password",
         "The database wants POSTGRES_PASSWORD for its first start."),
        ("image-lacks-pgvector", r"extension \"vector\"|vector\.control|could not open extension control file",
         "PostgreSQL has no pgvector",
         "This PostgreSQL has no pgvector, or its user may not enable it: take one with it, such as the image "
         "pgvector/pgvector."),
        ("name-unknown", r"lookup \S+.*no such host|could not translate host name|name or service not known",
         "the name of another part is not known",
         "A name in Zep's URLs is no service of this project: look at ZEP_STORE_POSTGRES_DSN and "
         "ZEP_NLP_SERVER_URL."),
        ("tcp-refused", r"connect: connection refused|dial tcp|failed to connect", "another part does not answer",
         "It could not reach another part: look at ZEP_STORE_POSTGRES_DSN and ZEP_NLP_SERVER_URL, and whether that "
         "part is up."),
        ("sqlite-unfit", r"SQLITE_|sqlite3|invalid ELF", "a compiled package is for another Node.js",
         "Its sqlite3 was built for another Node.js: npm rebuild sqlite3, beside it."),
        ("installation-incomplete", r"Cannot find module|ERR_MODULE_NOT_FOUND", "a package is missing",
         "Its installation is not complete: remove it, and install it again."),
    ),
    *_rows(
        "engine",
        ("engine-disk-full", r"no space left", "the engine's disk is full", _DISK),
        ("engine-memory-short", r"cannot allocate memory", "memory is short",
         "Give the engine more memory (6 GB are enough for all parts), or end other containers."),
        ("port-taken", r"port is already allocated|address already in use|ports are not available",
         "its port has been taken by something else",
         "`docker ps` and `ss -ltnp` say what has it. Run again: other ports are chosen then."),
        ("network-unmade", r"non-overlapping|all predefined address pools",
         "it has no more addresses for networks",
         "`docker network prune` removes those that nobody uses: an engine has room for some thirty."),
        ("external-missing", r"network .* not found|volume .* not found", "something external is not there",
         "What is external there must be made before: see `docker network`."),
    ),
    *_rows(
        "socket",
        ("engine-forbidden", r"permission denied",
         "the Docker engine's socket {where} may not be used by this user: permission denied",
         "Add the user to the socket's group (sudo usermod -aG docker $USER, then log in again), or use sudo."),
        ("engine-ssh", r"paramiko", "the Docker engine at {where} is reached by ssh, for which a package is missing",
         "Install it beside zep-conformance: pip install paramiko."),
        ("engine-missing", r"no such file or directory", "no Docker engine: there is no {where}",
         "Start one (sudo systemctl start docker, or Docker Desktop), or set $DOCKER_HOST; --target embedded needs "
         "none."),
        ("engine-refused", r"refused", "no Docker engine listens at {where}: connection refused",
         "Start it (sudo systemctl start docker), or set $DOCKER_HOST to where it is."),
    ),
    *_rows(
        "registry",
        ("engine-disk-full", r"no space left", "the engine's disk is full", _DISK),
        ("image-platform", r"no matching manifest|does not match the specified platform",
         "there is none for this machine's kind of processor", "Name another {with_}."),
        ("image-not-found", r"manifest .*unknown|manifest for|not found", "{registry} has no such image or tag",
         "Look for the tag that is meant, and name it {with_}."),
        ("registry-limit", r"too ?many ?requests", "{registry} has had too many requests from here",
         "Log in (`{login}`), wait, or name a mirror{mirror}."),
        ("registry-login", r"denied|unauthorized|authentication|no basic auth|forbidden",
         "{registry} wants a login for it, or has nothing of that name",
         "`{login}` as a user who may pull it, or name another {with_}."),
        ("registry-unreachable", _NETWORK, "the engine does not reach {registry}",
         "Let the engine's host reach it, name a mirror{mirror}, or load the image by hand (`docker load`) and name "
         "it {with_}."),
    ),
    *_rows(
        "build",
        ("engine-disk-full", r"no space left", "the engine's disk is full", _DISK),
        ("base-image-missing", r"pull access denied|failed to resolve source|manifest unknown|no such host",
         "an image that it builds on can't be had",
         "An image that it builds on (FROM) can't be had: the network, a login, or its spelling."),
    ),
    *_rows(
        "npm",
        ("disk-full", r"ENOSPC|EDQUOT", "the disk is full",
         "The disk is full: make room, or name another folder in $ZEP_CONFORMANCE_CACHE."),
        ("npm-integrity", r"EINTEGRITY", "a package is not what the lock says",
         "A package is not what the lock says it is: clear npm's cache (npm cache clean --force)."),
        ("npm-unreachable", r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|UND_ERR|network",
         "the npm registry can't be reached",
         "The npm registry could not be reached: see `npm config get registry` and the proxy's settings."),
        ("npm-login", r"E401|E403|ENEEDAUTH", "the npm registry wants a login",
         "The npm registry refuses: see `npm config get registry` and its login."),
        ("npm-lacks-package", r"E404|ETARGET", "the npm registry lacks a package",
         "The npm registry lacks a package: see `npm config get registry`."),
        ("npm-compiler-missing", r"gyp ERR!|node-gyp", "sqlite3 can't be compiled",
         "sqlite3 could not be compiled: it needs make, a C++ compiler and python3 (Debian and Ubuntu: apt-get "
         "install build-essential python3)."),
    ),
)
# fmt: on
"""The first row of a source that fits counts: the more telling come first."""


def cause_of(text: str, source: Source) -> Cause | None:
    """Return the likely cause of what `source` wrote, None where it is not known."""
    return next((one for one in CAUSES if one.source == source and re.search(one.pattern, text, re.IGNORECASE)), None)


def last_lines(text: str, count: int = SHOWN) -> str:
    """Return the last lines of what was written, as an error shows them: indented, "(nothing)" where there are none."""
    kept = [line.rstrip()[:_WIDTH] for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in kept[-count:]) or "    (nothing)"


def one_line(text: str) -> str:
    """Return what was written as one line that can be shown."""
    return re.sub(r"\s+", " ", text).strip()[:_WIDTH]
