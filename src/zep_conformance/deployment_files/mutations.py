"""Mutations of the deployment files that come with this project.

Each is what somebody has done, or could: it changes a few lines of those files, by their texts.
"""

from __future__ import annotations

from zep_conformance.errors import HarnessError
from zep_conformance.facts.mutations import Mutations

Texts = dict[str, str]
"""The files' texts, by their bare names."""

MUTATIONS = Mutations("files")

RENDER, FLY, COMPOSE, EXAMPLE = "render.yaml", "fly.toml", "docker-compose.yaml", ".env.example"
FLY_POSTGRES = "fly.zep-postgres.toml"

_KEY = "sk-" + "3f9c1a7be0d24865" * 3
"""Looks like a key of OpenAI's, and is none."""
_NLP_OF_RENDER = """      # The zep-cloud image makes ZEP_NLP_SERVER_URL of this.
      - key: ZEP_NLP_SERVER_HOSTPORT
        fromService:
          name: zep-nlp
          type: pserv
          property: hostport
"""
_DSN_OF_RENDER = """      - key: ZEP_STORE_POSTGRES_DSN
        fromDatabase:
          name: zep-postgres
          property: connectionString
"""
_KEY_OF_RENDER = "      - key: ZEP_OPENAI_API_KEY\n        sync: false\n"
_KEY_OF_COMPOSE = "      ZEP_OPENAI_API_KEY: ${ZEP_OPENAI_API_KEY:?put your key into .env}\n"
_CLOUD = "ghcr.io/getzep/zep-cloud:"
_MOUNT_OF_FLY = """[mounts]
  source = "zep_postgres"
  destination = "/var/lib/postgresql/data"
  initial_size = "10gb"
"""


def _change(texts: Texts, file: str, old: str, new: str) -> None:
    """Replace a text that must be in a file once. Raises HarnessError where it is not."""
    if texts[file].count(old) != 1:
        raise HarnessError(f"a mutation does not fit {file} any more: {old!r}")
    texts[file] = texts[file].replace(old, new)


@MUTATIONS.mutation("zep-latest", "Zep's image is :latest", "DEPLOY-3")
def zep_latest(texts: Texts) -> None:
    for file in (RENDER, FLY, COMPOSE):
        _change(texts, file, f"{_CLOUD}0.27.2", f"{_CLOUD}latest")


@MUTATIONS.mutation("zep-1", "Zep's image is one of Zep 1.x", "DEPLOY-3")
def zep_1(texts: Texts) -> None:
    for file in (RENDER, FLY, COMPOSE):
        _change(texts, file, f"{_CLOUD}0.27.2", "ghcr.io/getzep/zep:1.0.2")


@MUTATIONS.mutation("no-pgvector", "The database's image is PostgreSQL's own, without pgvector", "DEPLOY-3")
def no_pgvector(texts: Texts) -> None:
    for file in (FLY_POSTGRES, COMPOSE):
        _change(texts, file, "pgvector/pgvector:0.8.0-pg16", "postgres:16")


@MUTATIONS.mutation("two-applications", "There is no zep-nlp", "DEPLOY-3")
def two_applications(texts: Texts) -> None:
    _change(texts, RENDER, "    name: zep-nlp\n    runtime", "    name: another\n    runtime")
    _change(texts, RENDER, "ghcr.io/getzep/zep-nlp-server:0.4.2", "docker.io/library/redis:7")
    _change(
        texts,
        COMPOSE,
        "\n  zep-nlp:\n    image: ghcr.io/getzep/zep-nlp-server:0.4.2",
        "\n  another:\n    image: redis:7",
    )


@MUTATIONS.mutation("no-database", "There is no zep-postgres", "DEPLOY-3")
def no_database(texts: Texts) -> None:
    _change(texts, RENDER, "databases:\n  - name: zep-postgres", "databases: []\nothers:\n  - name: zep-postgres")


@MUTATIONS.mutation("nlp-not-wired", "Zep is not told where its NLP server is", "DEPLOY-3")
def nlp_not_wired(texts: Texts) -> None:
    _change(texts, RENDER, _NLP_OF_RENDER, "")
    _change(texts, FLY, '  ZEP_NLP_SERVER_URL = "http://zep-nlp.flycast:5557"\n', "")
    _change(texts, COMPOSE, "      ZEP_NLP_SERVER_URL: http://zep-nlp:5557\n", "")


@MUTATIONS.mutation("database-not-wired", "Zep is not told where its database is", "DEPLOY-3")
def database_not_wired(texts: Texts) -> None:
    _change(texts, RENDER, _DSN_OF_RENDER, "")
    _change(texts, COMPOSE, "ZEP_STORE_POSTGRES_DSN:", "ZEP_POSTGRES_DSN:")


@MUTATIONS.mutation("nlp-url-without-scheme", "ZEP_NLP_SERVER_URL is a host and a port, without http://", "DEPLOY-3")
def nlp_url_without_scheme(texts: Texts) -> None:
    _change(texts, RENDER, "ZEP_NLP_SERVER_HOSTPORT", "ZEP_NLP_SERVER_URL")
    _change(texts, FLY, "http://zep-nlp.flycast:5557", "zep-nlp.flycast:5557")
    _change(texts, COMPOSE, "http://zep-nlp:5557", "zep-nlp:5557")


@MUTATIONS.mutation("wired-to-itself", "Zep looks for the others on localhost", "DEPLOY-3")
def wired_to_itself(texts: Texts) -> None:
    _change(texts, FLY, "http://zep-nlp.flycast:5557", "http://localhost:5557")
    _change(texts, COMPOSE, "http://zep-nlp:5557", "http://127.0.0.1:5557")


@MUTATIONS.mutation(
    "nlp-by-ipv6", "On Fly.io zep uses the .internal name of its NLP server, which listens on IPv4 only", "DEPLOY-3"
)
def nlp_by_ipv6(texts: Texts) -> None:
    _change(texts, FLY, "zep-nlp.flycast:5557", "zep-nlp.internal:5557")


@MUTATIONS.mutation("wrong-port", "Another port is opened than the one that Zep listens on", "DEPLOY-3")
def wrong_port(texts: Texts) -> None:
    _change(texts, RENDER, 'value: "8000"', 'value: "10000"')
    _change(texts, FLY, "internal_port = 8000", "internal_port = 8080")
    _change(texts, COMPOSE, "8000:8000", "8000:80")


@MUTATIONS.mutation("port-closed", "No port of Zep's is opened", "DEPLOY-3")
def port_closed(texts: Texts) -> None:
    _change(texts, FLY, "[http_service]\n  internal_port = 8000\n  force_https = true", "[http_services]\n  x = 1")
    _change(texts, FLY, "[[http_service.checks]]", "[[http_services.checks]]")
    _change(texts, COMPOSE, '    ports:\n      - "8000:8000"', '    expose:\n      - "8000"')


@MUTATIONS.mutation("no-health-check", "Nothing looks whether Zep works", "DEPLOY-3")
def no_health_check(texts: Texts) -> None:
    _change(texts, RENDER, "    healthCheckPath: /healthz\n", "")
    _change(texts, FLY, "[[http_service.checks]]", "[[http_service.machine_checks]]")
    _change(
        texts, COMPOSE, "    healthcheck:\n      # The image has bash", "    x-healthcheck:\n      # The image has bash"
    )


@MUTATIONS.mutation("health-check-elsewhere", "The health check asks for a path that Zep answers 404", "DEPLOY-3")
def health_check_elsewhere(texts: Texts) -> None:
    _change(texts, RENDER, "healthCheckPath: /healthz", "healthCheckPath: /api/v1/healthz")
    _change(texts, FLY, 'path = "/healthz"', 'path = "/"')


@MUTATIONS.mutation("health-check-by-curl", "The health check needs curl, which Zep's image lacks", "DEPLOY-3")
def health_check_by_curl(texts: Texts) -> None:
    _change(
        texts,
        COMPOSE,
        "        - bash\n        - -c\n        - exec 3<>",
        "        - curl\n        - --fail\n        - ",
    )


@MUTATIONS.mutation("secret-in-clear", "A key stands in clear", "DEPLOY-3")
def secret_in_clear(texts: Texts) -> None:
    _change(texts, RENDER, _KEY_OF_RENDER, f"      - key: ZEP_OPENAI_API_KEY\n        value: {_KEY}\n")
    _change(
        texts, FLY, '  ZEP_AUTH_REQUIRED = "true"', f'  ZEP_OPENAI_API_KEY = "{_KEY}"\n  ZEP_AUTH_REQUIRED = "true"'
    )
    _change(texts, COMPOSE, "${ZEP_OPENAI_API_KEY:?put your key into .env}", _KEY)


@MUTATIONS.mutation("secret-in-example", "A key stands in .env.example", "DEPLOY-3")
def secret_in_example(texts: Texts) -> None:
    _change(texts, EXAMPLE, "ZEP_OPENAI_API_KEY=\n", f"ZEP_OPENAI_API_KEY={_KEY}\n")


@MUTATIONS.mutation("auth-without-secret", "Tokens are demanded, and there is no secret to check them with", "DEPLOY-3")
def auth_without_secret(texts: Texts) -> None:
    _change(texts, RENDER, "      - key: ZEP_AUTH_SECRET\n        generateValue: true\n", "")
    _change(texts, COMPOSE, "      ZEP_AUTH_SECRET: ${ZEP_AUTH_SECRET:?put one into .env}\n", "")


@MUTATIONS.mutation(
    "key-missing", "Zep is told no OpenAI key; on Fly.io it is told a variable of older versions", "DEPLOY-3"
)
def key_missing(texts: Texts) -> None:
    _change(texts, RENDER, _KEY_OF_RENDER, "")
    _change(texts, FLY, "[env]\n", '[env]\n  ZEP_MEMORY_STORE_TYPE = "postgres"\n')
    _change(texts, COMPOSE, _KEY_OF_COMPOSE, "")


@MUTATIONS.mutation("database-exposed", "Everybody can reach the database", "DEPLOY-3")
def database_exposed(texts: Texts) -> None:
    _change(texts, RENDER, "    ipAllowList: []\n", "")
    _change(
        texts,
        FLY_POSTGRES,
        "[mounts]",
        "[[services]]\n  internal_port = 5432\n[[services.ports]]\n  port = 5432\n[mounts]",
    )
    _change(
        texts,
        COMPOSE,
        "    volumes:\n      - zep-postgres:",
        '    ports: ["5432:5432"]\n    volumes:\n      - zep-postgres:',
    )


@MUTATIONS.mutation("nlp-exposed", "Everybody can reach the NLP server", "DEPLOY-3")
def nlp_exposed(texts: Texts) -> None:
    _change(texts, RENDER, "  - type: pserv\n    name: zep-nlp", "  - type: web\n    name: zep-nlp")


@MUTATIONS.mutation("admin-open", "Zep demands tokens, and shows its web page to everybody", "DEPLOY-3")
def admin_open(texts: Texts) -> None:
    _change(texts, RENDER, '      - key: ZEP_SERVER_WEB_ENABLED\n        value: "false"\n', "")
    _change(texts, FLY, 'ZEP_SERVER_WEB_ENABLED = "false"', 'ZEP_SERVER_WEB_ENABLED = "true"')
    _change(texts, COMPOSE, '      ZEP_SERVER_WEB_ENABLED: "false"\n', "")


@MUTATIONS.mutation(
    "memory-not-kept", "What Zep remembers is gone after the next deployment, or after some weeks", "DEPLOY-3"
)
def memory_not_kept(texts: Texts) -> None:
    _change(texts, RENDER, "plan: basic-256mb", "plan: free")
    _change(texts, FLY_POSTGRES, _MOUNT_OF_FLY, "")
    _change(texts, COMPOSE, "    volumes:\n      - zep-postgres:/var/lib/postgresql/data\n", "")
