"""What a part of a deployment wrote before it ended, and what that means: causes that are known, and what to do."""

from __future__ import annotations

import re

from zep_conformance.facts.servers import IMAGES

ADVICE: tuple[tuple[str, str], ...] = (
    (
        r"store\.type must be set",
        f"This image has no config.yaml in it, as ghcr.io/getzep/zep: take {IMAGES['zep']}, or mount "
        "one at /app/config.yaml.",
    ),
    (
        r"ZEP_OPENAI_API_KEY is not set",
        "Zep must be given ZEP_OPENAI_API_KEY, in its .env for instance; any text will do where no OpenAI is asked.",
    ),
    (
        r"Auth secret not set",
        "ZEP_AUTH_REQUIRED needs ZEP_AUTH_SECRET beside it: `zep-conformance token` makes one.",
    ),
    (
        r"tiktoken|cl100k_base",
        "Zep fetches its tokenizer when it starts: let it reach the internet, or set TIKTOKEN_CACHE_DIR.",
    ),
    (r"exec format error", "The image is for another kind of processor than this machine's."),
    (r"(?i)no space left on device", "The disk is full: `docker system df` says what takes the room."),
    (
        r"(?i)password authentication failed|database .* does not exist|role .* does not exist",
        "User, password and database in ZEP_STORE_POSTGRES_DSN must be those of the database's own variables.",
    ),
    (
        r"(?i)superuser password is not specified",
        "The database wants POSTGRES_PASSWORD for its first start.",
    ),
    (
        r"(?i)extension \"vector\"|could not open extension control file",
        "This PostgreSQL has no pgvector: take an image with it, such as pgvector/pgvector.",
    ),
    (
        r"(?i)lookup \S+.*no such host|could not translate host name|name or service not known",
        "A name in Zep's URLs is no service of this project: look at ZEP_STORE_POSTGRES_DSN and ZEP_NLP_SERVER_URL.",
    ),
    (
        r"(?i)connect: connection refused|dial tcp|failed to connect",
        "It could not reach another part: look at ZEP_STORE_POSTGRES_DSN and ZEP_NLP_SERVER_URL, and whether that part "
        "is up.",
    ),
)
"""A pattern in a log, and what to do. The first that fits counts: the more telling come first."""


def advice_on(log: str) -> str | None:
    """What to do about a part whose log ends so; None where the cause is not known."""
    return next((advice for pattern, advice in ADVICE if re.search(pattern, log)), None)


def end_of(log: str, lines: int = 5) -> str:
    """The last lines of a log, as they are shown; "(nothing)" where there are none."""
    kept = [line.rstrip()[:300] for line in log.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in kept[-lines:]) or "    (nothing)"
