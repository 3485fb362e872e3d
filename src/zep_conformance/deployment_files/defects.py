"""Defects that can be planted in the deployment files that come with this project, to prove that each is noticed.

Each is what somebody has done, or could: it changes a few lines of those files, by their texts.
"""

from __future__ import annotations

from dataclasses import dataclass

from zep_conformance.facts.departures import Departure

RENDER, FLY, COMPOSE, EXAMPLE = "render.yaml", "fly.toml", "docker-compose.yaml", ".env.example"
FLY_NLP, FLY_POSTGRES = "fly.zep-nlp.toml", "fly.zep-postgres.toml"

_KEY = "sk-" + "3f9c1a7be0d24865" * 3
"""Looks like a key of OpenAI's, and is none."""


@dataclass(frozen=True)
class Edit:
    """A change of a file: a text that is in it once, and what stands there afterwards."""

    file: str
    old: str
    new: str


EDITS: dict[str, tuple[Edit, ...]] = {}
"""What each defect changes, by its name."""


def _planted(name: str, about: str, *edits: Edit) -> Departure:
    EDITS[name] = edits
    return Departure(name, "files", about, ("DEPLOY-3",))


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

PLANTED: tuple[Departure, ...] = (
    _planted(
        "zep-latest",
        "Zep's image is :latest",
        *(Edit(file, f"{_CLOUD}0.27.2", f"{_CLOUD}latest") for file in (RENDER, FLY, COMPOSE)),
    ),
    _planted(
        "zep-1",
        "Zep's image is one of Zep 1.x",
        *(Edit(file, f"{_CLOUD}0.27.2", "ghcr.io/getzep/zep:1.0.2") for file in (RENDER, FLY, COMPOSE)),
    ),
    _planted(
        "no-pgvector",
        "The database's image is PostgreSQL's own, without pgvector",
        *(Edit(file, "pgvector/pgvector:0.8.0-pg16", "postgres:16") for file in (FLY_POSTGRES, COMPOSE)),
    ),
    _planted(
        "two-applications",
        "There is no zep-nlp",
        Edit(RENDER, "    name: zep-nlp\n    runtime", "    name: another\n    runtime"),
        Edit(RENDER, "ghcr.io/getzep/zep-nlp-server:0.4.2", "docker.io/library/redis:7"),
        Edit(
            COMPOSE, "\n  zep-nlp:\n    image: ghcr.io/getzep/zep-nlp-server:0.4.2", "\n  another:\n    image: redis:7"
        ),
    ),
    _planted(
        "no-database",
        "There is no zep-postgres",
        Edit(RENDER, "databases:\n  - name: zep-postgres", "databases: []\nothers:\n  - name: zep-postgres"),
    ),
    _planted(
        "nlp-not-wired",
        "Zep is not told where its NLP server is",
        Edit(RENDER, _NLP_OF_RENDER, ""),
        Edit(FLY, '  ZEP_NLP_SERVER_URL = "http://zep-nlp.flycast:5557"\n', ""),
        Edit(COMPOSE, "      ZEP_NLP_SERVER_URL: http://zep-nlp:5557\n", ""),
    ),
    _planted(
        "database-not-wired",
        "Zep is not told where its database is",
        Edit(RENDER, _DSN_OF_RENDER, ""),
        Edit(COMPOSE, "ZEP_STORE_POSTGRES_DSN:", "ZEP_POSTGRES_DSN:"),
    ),
    _planted(
        "nlp-url-without-scheme",
        "ZEP_NLP_SERVER_URL is a host and a port, without http://",
        Edit(RENDER, "ZEP_NLP_SERVER_HOSTPORT", "ZEP_NLP_SERVER_URL"),
        Edit(FLY, "http://zep-nlp.flycast:5557", "zep-nlp.flycast:5557"),
        Edit(COMPOSE, "http://zep-nlp:5557", "zep-nlp:5557"),
    ),
    _planted(
        "wired-to-itself",
        "Zep looks for the others on localhost",
        Edit(FLY, "http://zep-nlp.flycast:5557", "http://localhost:5557"),
        Edit(COMPOSE, "http://zep-nlp:5557", "http://127.0.0.1:5557"),
    ),
    _planted(
        "nlp-by-ipv6",
        "On Fly.io zep uses the .internal name of its NLP server, which listens on IPv4 only",
        Edit(FLY, "zep-nlp.flycast:5557", "zep-nlp.internal:5557"),
    ),
    _planted(
        "wrong-port",
        "Another port is opened than the one that Zep listens on",
        Edit(RENDER, 'value: "8000"', 'value: "10000"'),
        Edit(FLY, "internal_port = 8000", "internal_port = 8080"),
        Edit(COMPOSE, "8000:8000", "8000:80"),
    ),
    _planted(
        "port-closed",
        "No port of Zep's is opened",
        Edit(FLY, "[http_service]\n  internal_port = 8000\n  force_https = true", "[http_services]\n  x = 1"),
        Edit(FLY, "[[http_service.checks]]", "[[http_services.checks]]"),
        Edit(COMPOSE, '    ports:\n      - "8000:8000"', '    expose:\n      - "8000"'),
    ),
    _planted(
        "no-health-check",
        "Nothing looks whether Zep works",
        Edit(RENDER, "    healthCheckPath: /healthz\n", ""),
        Edit(FLY, "[[http_service.checks]]", "[[http_service.machine_checks]]"),
        Edit(COMPOSE, "    healthcheck:\n      # The image has bash", "    x-healthcheck:\n      # The image has bash"),
    ),
    _planted(
        "health-check-elsewhere",
        "The health check asks for a path that Zep answers 404",
        Edit(RENDER, "healthCheckPath: /healthz", "healthCheckPath: /api/v1/healthz"),
        Edit(FLY, 'path = "/healthz"', 'path = "/"'),
    ),
    _planted(
        "health-check-by-curl",
        "The health check needs curl, which Zep's image lacks",
        Edit(
            COMPOSE, "        - bash\n        - -c\n        - exec 3<>", "        - curl\n        - --fail\n        - "
        ),
    ),
    _planted(
        "secret-in-clear",
        "A key stands in clear",
        Edit(RENDER, _KEY_OF_RENDER, f"      - key: ZEP_OPENAI_API_KEY\n        value: {_KEY}\n"),
        Edit(FLY, '  ZEP_AUTH_REQUIRED = "true"', f'  ZEP_OPENAI_API_KEY = "{_KEY}"\n  ZEP_AUTH_REQUIRED = "true"'),
        Edit(COMPOSE, "${ZEP_OPENAI_API_KEY:?put your key into .env}", _KEY),
    ),
    _planted(
        "secret-in-example",
        "A key stands in .env.example",
        Edit(EXAMPLE, "ZEP_OPENAI_API_KEY=\n", f"ZEP_OPENAI_API_KEY={_KEY}\n"),
    ),
    _planted(
        "auth-without-secret",
        "Tokens are demanded, and there is no secret to check them with",
        Edit(RENDER, "      - key: ZEP_AUTH_SECRET\n        generateValue: true\n", ""),
        Edit(COMPOSE, "      ZEP_AUTH_SECRET: ${ZEP_AUTH_SECRET:?put one into .env}\n", ""),
    ),
    _planted(
        "key-missing",
        "Zep is told no OpenAI key; on Fly.io it is told a variable of older versions",
        Edit(RENDER, _KEY_OF_RENDER, ""),
        Edit(FLY, "[env]\n", '[env]\n  ZEP_MEMORY_STORE_TYPE = "postgres"\n'),
        Edit(COMPOSE, _KEY_OF_COMPOSE, ""),
    ),
    _planted(
        "database-exposed",
        "Everybody can reach the database",
        Edit(RENDER, "    ipAllowList: []\n", ""),
        Edit(
            FLY_POSTGRES,
            "[mounts]",
            "[[services]]\n  internal_port = 5432\n[[services.ports]]\n  port = 5432\n[mounts]",
        ),
        Edit(
            COMPOSE,
            "    volumes:\n      - zep-postgres:",
            '    ports: ["5432:5432"]\n    volumes:\n      - zep-postgres:',
        ),
    ),
    _planted(
        "nlp-exposed",
        "Everybody can reach the NLP server",
        Edit(RENDER, "  - type: pserv\n    name: zep-nlp", "  - type: web\n    name: zep-nlp"),
    ),
    _planted(
        "admin-open",
        "Zep demands tokens, and shows its web page to everybody",
        Edit(RENDER, '      - key: ZEP_SERVER_WEB_ENABLED\n        value: "false"\n', ""),
        Edit(FLY, 'ZEP_SERVER_WEB_ENABLED = "false"', 'ZEP_SERVER_WEB_ENABLED = "true"'),
        Edit(COMPOSE, '      ZEP_SERVER_WEB_ENABLED: "false"\n', ""),
    ),
    _planted(
        "memory-not-kept",
        "What Zep remembers is gone after the next deployment, or after some weeks",
        Edit(RENDER, "plan: basic-256mb", "plan: free"),
        Edit(FLY_POSTGRES, _MOUNT_OF_FLY, ""),
        Edit(COMPOSE, "    volumes:\n      - zep-postgres:/var/lib/postgresql/data\n", ""),
    ),
)
"""Every defect that can be planted in the deployment files."""
