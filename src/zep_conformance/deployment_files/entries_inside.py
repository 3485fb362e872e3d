"""What can be found of an application itself: its image, what it is told, its secrets, and what it keeps."""

from __future__ import annotations

from zep_conformance.doctor.catalogue import faults, notes
from zep_conformance.facts.servers import IMAGES, ZEP_VERSION

IMAGE = [
    *faults(
        "image",
        (
            "image-unpinned",
            "{image} is whatever is newest on the day of the deployment",
            "its tag moves, or there is none; :latest is Zep 1.x by now: 404 on /api/v1, and a chat forgets everything",
            f"Pin {IMAGES['zep']}.",
        ),
        (
            "image-zep-1",
            "{image} is Zep {version}",
            "Zep 1.x speaks another API (/api/v2, no JWT): 404 on /api/v1, and a chat forgets everything",
            f"Pin {IMAGES['zep']}.",
        ),
        (
            "image-too-old",
            "{image} is Zep {version}",
            "before 0.20 an empty memory and an empty search are 404 and memories have no summary, so clients of "
            "today fail",
            f"Pin {IMAGES['zep']}.",
        ),
        (
            "image-from-branch",
            "{application} is built from {repository}, branch {branch}",
            "a branch moves, and the main branch of Zep's repository holds no Zep 0.x any more",
            f"Use the image {IMAGES['zep']}, or build from the tag v{ZEP_VERSION}.",
        ),
        (
            "image-lacks-config",
            "{image} has no config.yaml, and none is put at /app/config.yaml",
            'this image comes without one: it stops at once, with "store.type must be set"',
            f"Use {IMAGES['zep']}, which has its own, or put a config.yaml there.",
        ),
        (
            "image-lacks-pgvector",
            "{image} has no pgvector",
            "Zep stores embeddings in columns of the type that this extension brings, and stops without it",
            f"Use an image with pgvector 0.5 or newer, such as {IMAGES['postgres']}.",
        ),
    ),
    *notes(
        "image",
        (
            "image-version-untold",
            "{image} does not say which version it is",
            "its tag or digest is no version",
            "Look at X-Zep-Version of what it brings up: `zep-conformance doctor`.",
        ),
        (
            "image-built-here",
            "{application} is built from {context}, whose version is not said here",
            "it is whatever is checked out there when it is built",
            f"Check out v{ZEP_VERSION} before: `git describe --tags`.",
        ),
        (
            "companion-unpinned",
            "{image} is whatever is newest on the day of the deployment",
            f"its tag moves, or there is none: a newer one may not fit Zep {ZEP_VERSION}, or the database's files",
            f"Pin one that works: {IMAGES['nlp']}, {IMAGES['postgres']}.",
        ),
        (
            "image-pgvector-untold",
            "{image} does not say whether it has pgvector",
            "only images that say so in their name are known here",
            "Make sure that CREATE EXTENSION vector works in it, with version 0.5 or newer.",
        ),
    ),
]

SETTINGS = [
    *faults(
        "settings",
        (
            "openai-key-missing",
            "{application} is not told ZEP_OPENAI_API_KEY",
            "it is missing or empty; no other name is looked at, not even OPENAI_API_KEY; without it Zep stops at once",
            "{how}",
        ),
        (
            "variable-needed",
            "{variable} is wanted, and {env} does not set it",
            "it is missing or empty there: Compose refuses to start",
            "Set it in {env}.",
        ),
        (
            "env-file-missing",
            "{application} reads {env}, which is not there",
            "Compose refuses to start without a file that env_file names",
            "Write it, or take it out of env_file.",
        ),
        (
            "variable-renamed",
            f"{{variable}} means nothing to Zep {ZEP_VERSION}",
            "it is a name of older versions, so that the default is used in its stead",
            "Use {instead}.",
        ),
        (
            "embedding-width",
            "{variable}: {service} embeds with {wanted} dimensions, and Zep is told {told}",
            "the database's column gets the width that Zep is told, and no embedding fits it: search finds nothing",
            "Set {dimensions} to {wanted}.",
        ),
    ),
    *notes(
        "settings",
        (
            "env-not-there",
            "there is no {env}, from which some of it comes",
            "it is kept out of the repository, as it should be, or was not written yet",
            "Where it is deployed: copy .env.example, or write one, and look again.",
        ),
        (
            "secrets-unseen",
            "to be set as secrets of {application}, which no file shows: {names}",
            "Fly.io keeps secrets apart from fly.toml",
            "`fly secrets list -a {application}` names them; `fly secrets set` sets one.",
        ),
        (
            "override-unseen",
            "{file} changes this project, and was not looked at",
            "Compose merges it in when it is started without -f",
            "Look at what Compose makes of both: docker compose config.",
        ),
    ),
]

SECRETS = [
    *faults(
        "secrets",
        (
            "secret-in-clear",
            "{what} stands in clear",
            "whoever can read the repository can read it, now and in its history",
            "Take it out, make a new one, and {how}.",
        ),
        (
            "auth-without-secret",
            "{application} demands tokens, and is not told ZEP_AUTH_SECRET",
            "it does not start then; or, with Zep's own config.yaml as in zep-cloud, it takes the secret that is "
            "printed there, by which anybody can make a token",
            "Make one with `zep-conformance token`, and {how}.",
        ),
        (
            "auth-secret-published",
            "ZEP_AUTH_SECRET is the one that is printed in Zep's own config.yaml",
            "everybody can make a token by it",
            "Make one with `zep-conformance token`, and {how}.",
        ),
        (
            "auth-secret-is-token",
            "what is set as ZEP_AUTH_SECRET is a JWT",
            "the two were mixed up: zepcli -i prints the secret first, then the JWT made by it",
            "Give Zep the secret, and its clients the JWT.",
        ),
    ),
    *notes(
        "secrets",
        (
            "password-known",
            "the password of {application} is one that everybody tries first",
            "it is the default, or close to it; whoever gets into this network gets into the database",
            "Use one that is drawn at random, and {how}.",
        ),
    ),
]

STORE = [
    *faults(
        "store",
        (
            "database-not-kept",
            "{application} keeps its data inside its container: {folder} is on no volume with a name",
            "every memory is gone when it is deployed again",
            "Mount a volume at {folder}.",
        ),
        (
            "data-folder-not-empty",
            "{application} has its data at {folder}, the top of its volume",
            "there is a lost+found at the top of a new one, and PostgreSQL begins only in an empty folder",
            "Set PGDATA to a folder in it: {folder}/pgdata.",
        ),
        (
            "database-expires",
            "{application} has the plan free",
            "Render deletes a free database some weeks after it was made, and every memory with it",
            "Choose basic-256mb or a larger plan.",
        ),
        (
            "plan-not-offered",
            "{application} has the plan {plan}, which Render does not offer",
            "there is no free private service, and no new database with a plan of before 2024 (starter, standard, pro)",
            "Choose {instead} or a larger plan.",
        ),
        (
            "starts-before-database",
            "{application} starts without waiting for its database, and stays down when that is not ready",
            "Zep stops when it can't reach its database; a new database takes some seconds",
            "Set restart: unless-stopped, or depends_on with condition: service_healthy.",
        ),
        (
            "never-restarts",
            "{application} is not started again when it stops",
            "its restart policy is never; Zep stops when it can't reach its database",
            "Leave out the restart policy, or set on-failure.",
        ),
    ),
    *notes(
        "store",
        (
            "sleeps-when-idle",
            "{application} is put to sleep when nobody asks it anything",
            "the next message waits until it has started, or fails, and nothing is enriched meanwhile",
            "{how}",
        ),
        (
            "memory-small",
            "{application} has {memory} of memory",
            "it holds an embedding model and a language model in memory, and is ended when they do not fit",
            "Give it 1 GB or more ([[vm]], memory).",
        ),
    ),
]
