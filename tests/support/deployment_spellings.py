"""Deployment files that say what the shipped set says, in other words: nothing more may be found wrong with them."""

from __future__ import annotations

from tests.support.deployment_cases import CLOUD, COMPOSE, DATABASE, FLY, NLP, POSTGRES, RENDER, Case
from zep_conformance.deployment_files.sources import Sources

GROUPED = """envVarGroups:
  - name: shared
    envVars:
      - key: ZEP_SERVER_WEB_ENABLED
        value: false
"""

PROJECT = """projects:
  - name: memory
    environments:
      - name: production
        databases:
          - {name: zep-postgres, plan: basic-1gb, ipAllowList: []}
"""
CONFIG = """
configs:
  zep:
    content: |
      nlp: {server_url: }
      store: {type: postgres, postgres: {dsn: }}
      server: {port: 8000, web_enabled: true}
      auth: {required: false}

volumes:
"""
OURS = """x-ours: &ours
  ZEP_SERVER_WEB_ENABLED: 'false'
  ZEP_AUTH_REQUIRED: 'true'
"""

SPELLINGS = {
    "Render as it was in 2023": (
        (RENDER, "    runtime: image\n    image:\n      # Never", "    env: image\n    image:\n      # Never"),
        (RENDER, '        value: "8000"', "        value: 8000"),
        (RENDER, '        value: "false"', "        value: false"),
    ),
    "a group of variables on Render": (
        (RENDER, '      - key: ZEP_SERVER_WEB_ENABLED\n        value: "false"\n', "      - fromGroup: shared\n"),
        (RENDER, "databases:\n", f"{GROUPED}databases:\n"),
    ),
    "a project on Render": (
        (RENDER, DATABASE, ""),
        (RENDER, "services:\n", f"{PROJECT}services:\n"),
    ),
    "other names on Render": (
        (RENDER, "    name: zep-nlp\n    runtime", "    name: our-language-server\n    runtime"),
        (RENDER, "          name: zep-nlp\n", "          name: our-language-server\n"),
    ),
    "other names on Fly.io": (
        (FLY, 'app = "zep"', 'app = "acme-zep"'),
        (FLY, "zep-nlp.flycast", "acme-zep-nlp.flycast"),
        (NLP, 'app = "zep-nlp"', 'app = "acme-zep-nlp"'),
        (POSTGRES, 'app = "zep-postgres"', 'app = "acme-memory"'),
    ),
    "a service on Fly.io": (
        (FLY, "[http_service]\n  internal_port = 8000\n  force_https = true", "[[services]]\n  internal_port = 8000\n"
         "  ports = [{ port = 443, handlers = ['tls', 'http'] }]"),
        (FLY, "[[http_service.checks]]", "[[services.http_checks]]"),
    ),
    "a check by itself on Fly.io": (
        (FLY, "  [[http_service.checks]]", "[checks.alive]\n    type = 'http'\n    port = 8_000"),
    ),
    "HTTP without a port on Fly.io": (
        (FLY, "zep-nlp.flycast:5557", "zep-nlp.flycast"),
        (NLP, "    port = 5557", "    port = 80"),
    ),
    "lists in Compose": (
        (COMPOSE, "ZEP_STORE_POSTGRES_DSN: postgres", "- ZEP_STORE_POSTGRES_DSN=postgres"),
        *((COMPOSE, f"      {name}: ", f"      - {name}=") for name in ("ZEP_NLP_SERVER_URL", "ZEP_AUTH_REQUIRED",
          "ZEP_AUTH_SECRET")),
        (COMPOSE, "ZEP_OPENAI_API_KEY: ${ZEP_OPENAI_API_KEY:?put your key into .env}", "- ZEP_OPENAI_API_KEY"),
        (COMPOSE, '      ZEP_SERVER_WEB_ENABLED: "false"', "      - ZEP_SERVER_WEB_ENABLED=0"),
    ),
    "long forms in Compose": (
        (COMPOSE, '      - "8000:8000"', "      - target: 8000\n        published: 8000"),
        (COMPOSE, "- zep-postgres:/var", "- type: volume\n        source: zep-postgres\n        target: /var"),
    ),
    "anchors in Compose": (
        (COMPOSE, "services:\n", f"{OURS}services:\n"),
        (COMPOSE, "    environment:\n      ZEP_STORE", "    environment:\n      <<: *ours\n      ZEP_STORE"),
        (COMPOSE, '      ZEP_SERVER_WEB_ENABLED: "false"\n', ""),
        (COMPOSE, "      ZEP_AUTH_REQUIRED: ${ZEP_AUTH_REQUIRED:-true}\n", ""),
    ),
    "networks and other hosts in Compose": (
        (COMPOSE, f"{CLOUD}\n", f"{CLOUD}\n    networks: {{front: , back: }}\n"),
        (COMPOSE, "zep-nlp-server:0.4.2\n", "zep-nlp-server:0.4.2\n    networks: {back: {aliases: [language]}}\n"),
        (COMPOSE, "    image: pgvector", "    networks: [back]\n    container_name: memories\n    image: pgvector"),
        (COMPOSE, "http://zep-nlp:5557", "http://language:5557/"),
        (COMPOSE, "@zep-postgres:5432", "@memories"),
    ),
    "Zep's own image with a configuration": (
        (COMPOSE, f"{CLOUD}\n", "ghcr.io/getzep/zep:0.27\n    configs: [{source: zep, target: /app/config.yaml}]\n"),
        (COMPOSE, "\nvolumes:\n", CONFIG),
    ),
    "the host's network": (
        (COMPOSE, f"{CLOUD}\n", f"{CLOUD}\n    network_mode: host\n"),
        (COMPOSE, "http://zep-nlp:5557", "http://localhost:5557"),
        (COMPOSE, "@zep-postgres:", "@127.0.0.1:"),
        (COMPOSE, "zep-nlp-server:0.4.2\n", "zep-nlp-server:0.4.2\n    ports: ['127.0.0.1:5557:5557']\n"),
        (COMPOSE, "    image: pgvector", "    ports: ['127.0.0.1:5432:5432']\n    image: pgvector"),
    ),
    "OpenAI's embeddings": (
        (FLY, "[env]\n", "[env]\n  ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS_SERVICE = 'openai'\n"
         "  ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS_DIMENSIONS = 1536\n"),
    ),
    "a variable that stands for nothing secret": (
        (FLY, "[env]\n", "[env]\n  SOME_API_KEY = '<yours>'\n  OTHER_TOKEN = 'changeme'\n  PASSWORD_FILE = '/run/p'\n"),
        (".env.example", "ZEP_OPENAI_API_KEY=\n", "ZEP_OPENAI_API_KEY=sk-your-key-here\n"),
    ),
}  # fmt: skip
"""By what is said otherwise, the changes that say it."""


def respelt(name: str) -> Sources:
    """The shipped set in other words."""
    return Case("", SPELLINGS[name]).sources()
