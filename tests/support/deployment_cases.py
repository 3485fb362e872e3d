"""Deployment files that are wrong in one way each: changes of the shipped set, and what they must be found to be.

A case is the finding's code, what is changed, and which other findings the same change brings with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zep_conformance.clients.tokens import make_secret, make_token
from zep_conformance.deployment_files.shipped import shipped
from zep_conformance.deployment_files.sources import Sources

RENDER, FLY, COMPOSE = "render.yaml", "fly.toml", "docker-compose.yaml"
NLP, POSTGRES = "fly.zep-nlp.toml", "fly.zep-postgres.toml"
KEY = "sk-" + "7c1e9b40d2f8365a" * 2
TOKEN = make_token(make_secret())
DSN = "postgres://zep:${POSTGRES_PASSWORD:?put one into .env}@zep-postgres:5432/zep?sslmode=disable"
CLOUD = "ghcr.io/getzep/zep-cloud:0.27.2"
HOSTPORT = """      - key: ZEP_NLP_SERVER_HOSTPORT
        fromService:
          name: zep-nlp
          type: pserv
          property: hostport"""
DATABASE = """databases:
  - name: zep-postgres
    databaseName: zep
    user: zep
    plan: basic-256mb
    postgresMajorVersion: "16"
    # Nobody from outside.
    ipAllowList: []
"""
FROM_DATABASE = """        fromDatabase:
          name: zep-postgres
          property: connectionString"""
PASSWORD = "${POSTGRES_PASSWORD:?put one into .env}"
SECRET = "${ZEP_AUTH_SECRET:?put one into .env}"
HEALTH_COMMAND = """      test:
        - CMD
        - bash
        - -c
        - exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q ' 200 ' <&3
"""
ZEP_YAML = """llm:
  service: openai
  model: gpt-4o-mini
nlp:
  server_url:
store:
  type: postgres
  postgres:
    dsn:
server:
  port: 8000
  web_enabled: false
auth:
  required: true
"""
"""A config.yaml of Zep's that leaves to variables what differs."""
DEFAULT = {"secrets-unseen": FLY, "keep-private": FLY}
"""Of findings about the unchanged set: about which file."""
SERVER = """  - type: pserv
    name: zep-postgres
    runtime: image
    image:
      url: pgvector/pgvector:0.8.0-pg16
    envVars:
      - key: POSTGRES_PASSWORD
        generateValue: true
    disk:
      name: data
      mountPath: /var/lib/postgresql/data
"""


@dataclass(frozen=True)
class Case:
    """One change. changes: (file, old, new), where old stands in the file once; "" is the whole file.

    beside: further files. also: what else it brings. without: what of the unchanged set is not found any more.
    """

    code: str
    changes: tuple[tuple[str, str, str], ...]
    also: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of the files that are changed."""
        files = [file for file, _old, _new in self.changes] or [DEFAULT.get(self.code, COMPOSE)]
        return {RENDER: "render", COMPOSE: "compose", ".env.example": "compose"}.get(files[0], "fly")

    def sources(self) -> Sources:
        """The shipped set with the change."""
        found = shipped()
        texts = dict(found.texts) | dict(self.beside)
        for file, old, new in self.changes:
            if not old:
                texts.pop(file)
                if new:
                    texts[file] = new
                continue
            assert texts[file].count(old) == 1, f"{old!r} is {texts[file].count(old)} times in {file}"
            texts[file] = texts[file].replace(old, new)
        return Sources(texts, tuple(name for name in found.given if name in texts))


def case(
    code: str,
    *changes: tuple[str, str, str],
    also: str = "",
    without: str = "",
    beside: Mapping[str, str] | None = None,
) -> Case:
    """A case; `also` and `without` are codes with blanks between them."""
    return Case(code, changes, frozenset(also.split()), frozenset(without.split()), beside or {})


ENV = "ZEP_OPENAI_API_KEY=%s\nPOSTGRES_PASSWORD=%s\nZEP_AUTH_REQUIRED=true\nZEP_AUTH_SECRET=%s\n"

CASES = (
    # -- applications
    case("application-missing", (RENDER, DATABASE, ""), also="wired-elsewhere"),
    case("application-missing", (FLY, "", "")),
    case(
        "application-elsewhere",
        (RENDER, DATABASE, ""),
        (RENDER, FROM_DATABASE, "        sync: false"),
    ),
    case("application-elsewhere", (COMPOSE, "    image: pgvector/pgvector:0.8.0-pg16", "    image: redis:7"),
         (COMPOSE, DSN, "postgres://zep:${POSTGRES_PASSWORD}@db.example.org:5432/zep"),
         (COMPOSE, f"      POSTGRES_DB: zep\n      POSTGRES_PASSWORD: {PASSWORD}\n", ""),
         (COMPOSE, "\n  zep-postgres:\n    image", "\n  cache:\n    image")),
    case("application-unseen", (NLP, "", ""), without="keep-private"),
    case("zep-private", (RENDER, "  - type: web\n    name: zep\n", "  - type: pserv\n    name: zep\n")),
    # -- image
    case("image-unpinned", (FLY, CLOUD, "ghcr.io/getzep/zep-cloud")),
    case("image-unpinned", (COMPOSE, CLOUD, "${ZEP_IMAGE:-ghcr.io/getzep/zep-cloud:latest}")),
    case("image-zep-1", (COMPOSE, CLOUD, "docker.io/zepai/zep:1.0.2")),
    case("image-zep-1", (FLY, CLOUD, "zepai/zep:latest"), without="secrets-unseen keep-private"),
    case("image-too-old", (FLY, CLOUD, "ghcr.io/getzep/zep-cloud:v0.18.0")),
    case("image-from-branch", (COMPOSE, f"image: {CLOUD}", "build: https://github.com/getzep/zep.git#main")),
    case(
        "image-from-branch",
        (RENDER, "    runtime: image\n    image:\n"
         "      # Never :latest, which moves; nor zepai/zep, which is Zep 1.x and speaks another API.\n"
         f"      url: {CLOUD}", "    runtime: docker\n    repo: https://github.com/getzep/zep"),
    ),
    case("image-lacks-config", (COMPOSE, CLOUD, "ghcr.io/getzep/zep:0.27.2")),
    case("image-lacks-pgvector", (COMPOSE, "pgvector/pgvector:0.8.0-pg16", "docker.io/library/postgres:16-alpine")),
    case("image-version-untold", (FLY, CLOUD, "ghcr.io/getzep/zep-cloud@sha256:" + "ab12" * 16)),
    case("image-version-untold", (FLY, CLOUD, "ghcr.io/getzep/zep-cloud:sha-41bda30")),
    case("image-built-here", (FLY, f'image = "{CLOUD}"', 'dockerfile = "Dockerfile.cloud"')),
    case("image-built-here", (COMPOSE, f"image: {CLOUD}", "build:\n      context: .")),
    case("companion-unpinned", (COMPOSE, "zep-nlp-server:0.4.2", "zep-nlp-server:latest")),
    case("image-pgvector-untold", (COMPOSE, "pgvector/pgvector:0.8.0-pg16", "registry.example.org/our-postgres:16")),
    # -- settings
    case("openai-key-missing", (RENDER, "key: ZEP_OPENAI_API_KEY", "key: OPENAI_API_KEY")),
    case(
        "openai-key-missing",
        (COMPOSE, "${ZEP_OPENAI_API_KEY:?put your key into .env}", "${ZEP_OPENAI_API_KEY}"),
        beside={".env": ENV % ("", "c0ffee15900d", "x" * 3)},
        without="env-not-there",
    ),
    case(
        "variable-needed",
        beside={".env": ENV % (KEY, "", "x" * 3)},
        without="env-not-there",
    ),
    case("variable-renamed", (FLY, "[env]\n", '[env]\n  ZEP_MEMORY_STORE_POSTGRES_DSN = "x"\n')),
    case(
        "embedding-width",
        (COMPOSE, "ZEP_NLP_", "ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS_SERVICE: openai\n      ZEP_NLP_"),
    ),
    *(
        case(code, (FLY, "[env]\n", f"[env]\n{added}"))
        for code, added in (
            ("variable-unknown", '  ZEP_POSTGRES_DSN = "x"\n'),
            ("variable-unknown", '  ZEP_OPENAI_API_BASE = "https://llm.example.org/v1"\n'),
            ("variable-unread", '  ZEP_FLAVOUR = "x"\n'),
            ("value-malformed", '  ZEP_MEMORY_MESSAGE_WINDOW = "twelve"\n'),
            ("value-malformed", '  ZEP_STORE_TYPE = "sqlite"\n'),
            ("purge-off", '  ZEP_DATA_PURGE_EVERY = "0"\n'),
        )
    ),
    *(
        case(code, (COMPOSE, "      ZEP_NLP_", "".join(f"      {line}\n" for line in (*lines, "ZEP_NLP_"))[:-1]))
        for code, lines in (
            ("model-unknown", ("ZEP_LLM_MODEL: gpt-4.1-mini",)),
            ("model-unknown", ("ZEP_LLM_SERVICE: anthropic", "ZEP_ANTHROPIC_API_KEY: ${ANTHROPIC_API_KEY}")),
            ("llm-service-unknown", ("ZEP_LLM_SERVICE: ollama",)),
            ("anthropic-key-missing", ("ZEP_LLM_SERVICE: anthropic", "ZEP_LLM_MODEL: claude-2")),
            ("endpoints-exclude", ("ZEP_LLM_OPENAI_ENDPOINT: http://llm/v1", "ZEP_LLM_AZURE_OPENAI_ENDPOINT: x")),
            ("azure-embedding-missing", (
                "ZEP_LLM_AZURE_OPENAI_ENDPOINT: https://x.openai.azure.com",
                "ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS_SERVICE: openai",
            )),
            ("embedding-not-of-anthropic", (
                "ZEP_LLM_SERVICE: anthropic", "ZEP_LLM_MODEL: claude-2", "ZEP_ANTHROPIC_API_KEY: ${ANTHROPIC_API_KEY}",
                "ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS_SERVICE: openai",
            )),
        )
    ),
    case("sync-in-group",
         (RENDER, "      - key: ZEP_OPENAI_API_KEY\n        sync: false\n", "      - fromGroup: keys\n"),
         (RENDER, "databases:\n", "envVarGroups:\n  - name: keys\n    envVars:\n      - key: ZEP_OPENAI_API_KEY\n"
          "        sync: false\n\ndatabases:\n")),
    case("env-not-there"),
    case("variable-unset", beside={".env": (ENV % (KEY, "c0ffee15900d", "x" * 3)).replace("ZEP_AUTH_SECRET", "OTHER")},
         without="env-not-there"),
    case("secrets-unseen"),
    case("env-not-there", (COMPOSE, CLOUD, f"{CLOUD}\n    env_file: [zep.env]")),
    case("file-unseen", (COMPOSE, "services:\n", "include: [monitoring.yaml]\nservices:\n")),
    case("config-unseen", (COMPOSE, f"{CLOUD}\n", f"{CLOUD}\n    volumes: [./config.yaml:/app/config.yaml:ro]\n")),
    *(
        case(code, (COMPOSE, f"{CLOUD}\n", f"{CLOUD}\n    volumes: [./zep.yaml:/app/config.yaml]\n"),
             beside={"zep.yaml": ZEP_YAML.replace(old, new)}, also=also)
        for code, old, new, also in (
            ("config-unreadable", "nlp:", "\tnlp:", ""),
            ("config-key-unknown", "nlp:", "memory: {window: 4}\nnlp:", ""),
            ("config-key-missing", "  port: 8000\n", "", ""),
            ("config-value-wrong", "8000", "eight", "health-check-elsewhere port-wrong"),
            ("config-not-expanded", "8000\n", '8000\n  host: "${ZEP_HOST}"\n', ""),
            ("variable-without-key", "  required: true\n", "", "open-to-everybody secret-not-required"),
        )
    ),
    # -- wiring
    case("not-wired", (FLY, "  ZEP_NLP_SERVER_URL", "  ZEP_NLP_URL"), also="exposed variable-unknown",
         without="keep-private"),
    case("not-wired", (COMPOSE, f": {DSN}", ': ""')),
    case("wired-to-itself", (COMPOSE, "@zep-postgres:5432", "@localhost:5432")),
    case("wired-elsewhere", (COMPOSE, "http://zep-nlp:5557", "http://nlp:5557")),
    case("wired-elsewhere", (RENDER, "          name: zep-nlp\n", "          name: zep-postgres\n")),
    case("wired-by-type", (RENDER, "          type: pserv", "          type: web")),
    case("wired-wrong-property", (RENDER, "property: hostport", "property: host")),
    case("wired-wrong-property", (RENDER, "key: ZEP_NLP_SERVER_HOSTPORT", "key: ZEP_NLP_SERVER_URL")),
    case("wired-wrong-property", (RENDER, "property: connectionString", "property: host")),
    case("url-malformed", (COMPOSE, "http://zep-nlp:5557", "zep-nlp:5557")),
    case("url-malformed", (COMPOSE, "http://zep-nlp:5557", "http://zep-nlp:5557/embeddings")),
    case("url-malformed", (COMPOSE, "http://zep-nlp:5557", "http://zep-nlp:port")),
    case("url-malformed", (COMPOSE, f"zep:{PASSWORD}@", "zep#${POSTGRES_PASSWORD}@")),
    case("url-malformed", (COMPOSE, f"zep:{PASSWORD}@", "zep:a/${POSTGRES_PASSWORD}@")),
    case("url-malformed", (COMPOSE, "postgres://zep:", "postgresql+psycopg://zep:")),
    case("url-malformed", (COMPOSE, "ZEP_NLP_SERVER_URL: http", "ZEP_NLP_SERVER_HOSTPORT: http")),
    case("hostport-ignored", (RENDER, CLOUD, "ghcr.io/getzep/zep:0.27.2"), also="image-lacks-config"),
    case("wrong-port", (COMPOSE, "http://zep-nlp:5557", "http://zep-nlp")),
    case("wrong-port", (RENDER, 'value: "5557"', 'value: "8000"')),
    case(
        "wrong-port",
        (COMPOSE, "zep-nlp-server:0.4.2\n", "zep-nlp-server:0.4.2\n    environment: [ZEP_SERVER_PORT=8000]\n"),
    ),
    case(
        "networks-apart",
        (COMPOSE, f"    image: {CLOUD}\n", f"    image: {CLOUD}\n    networks: [front, back]\n"),
        (COMPOSE, "zep-nlp-server:0.4.2\n", "zep-nlp-server:0.4.2\n    networks: [back]\n"),
    ),
    case("internal-is-ipv6", (FLY, "zep-nlp.flycast", "zep-nlp.internal"), also="exposed", without="keep-private"),
    case("flycast-without-service", (FLY, "zep-nlp.flycast:5557", "zep-nlp.flycast")),
    case("flycast-forces-https", (NLP, '    handlers = ["http"]', '    handlers = ["http"]\n    force_https = true')),
    case("credentials-differ", (COMPOSE, "postgres://zep:$", "postgres://postgres:$")),
    case("credentials-differ", (COMPOSE, "POSTGRES_DB: zep\n", "POSTGRES_DB: memories\n")),
    case("database-without-tls", (COMPOSE, "?sslmode=disable", "")),
    # -- port
    case("port-closed", (COMPOSE, '    ports:\n      - "8000:8000"\n', "")),
    case("port-wrong", (COMPOSE, '- "8000:8000"', "- target: 80\n        published: 8000")),
    case("port-wrong", (NLP, "internal_port = 5557", "internal_port = 8080")),
    case("port-wrong", (FLY, 'ZEP_SERVER_PORT = "8000"', "ZEP_SERVER_PORT = 9000"), also="health-check-elsewhere"),
    case("listens-on-loopback", (FLY, "[env]\n", '[env]\n  ZEP_SERVER_HOST = "127.0.0.1"\n')),
    case("port-unsaid", (RENDER, '      - key: PORT\n        value: "8000"\n', "")),
    case("proxy-unseen", (COMPOSE, '    ports:\n      - "8000:8000"\n', ""),
         (COMPOSE, "\nvolumes:\n", "\n  proxy:\n    image: jc21/nginx-proxy-manager:2.11\n    ports: [443:443]\n"
          "\nvolumes:\n")),
    case("reached-inside", (COMPOSE, '    ports:\n      - "8000:8000"\n', "    networks: [default, shared]\n"),
         (COMPOSE, "\nvolumes:\n", "\nnetworks:\n  shared: {external: true}\n\nvolumes:\n")),
    case("port-local", (COMPOSE, '"8000:8000"', '"127.0.0.1:8000:8000"')),
    # -- health
    case("health-check-missing", (RENDER, "    healthCheckPath: /healthz\n", "")),
    case("health-check-missing", (COMPOSE, HEALTH_COMMAND, "      disable: true\n")),
    case("health-check-elsewhere", (RENDER, "healthCheckPath: /healthz", "healthCheckPath: /")),
    case("health-check-elsewhere", (COMPOSE, "/dev/tcp/127.0.0.1/8000", "/dev/tcp/127.0.0.1/8080")),
    case(
        "health-check-cannot-run",
        (COMPOSE, HEALTH_COMMAND, "      test: wget -q http://localhost:8000/healthz\n"),
    ),
    case("health-check-cannot-run", (COMPOSE, "- CMD\n        - bash\n        - -c\n", "- CMD-SHELL\n")),
    case("health-check-shallow", (FLY, "[[http_service.checks]]\n    method = \"GET\"\n    path = \"/healthz\"",
         "[[http_service.checks]]\n    type = \"tcp\"")),
    # -- secrets
    case("secret-in-clear", (RENDER, "generateValue: true", f"value: {make_secret()}")),
    case("secret-in-clear", (FLY, "#   fly deploy", f"# {KEY}\n#   fly deploy")),
    case("secret-in-clear", (COMPOSE, f"{PASSWORD}@", "c0ffee15900d@")),
    case("secret-in-clear", (COMPOSE, SECRET, "${ZEP_AUTH_SECRET:-c0ffee15900d}")),
    case("secret-in-clear", (".env.example", "POSTGRES_PASSWORD=\n", "POSTGRES_PASSWORD=c0ffee15900d\n")),
    case("auth-without-secret", (COMPOSE, f"      ZEP_AUTH_SECRET: {SECRET}\n", "")),
    case("auth-secret-published", (COMPOSE, SECRET, "do-not-use-this-secret-in-production")),
    case(
        "auth-secret-is-token",
        beside={".env": ENV % (KEY, "c0ffee15900d", TOKEN)},
        without="env-not-there",
    ),
    case("password-known", (COMPOSE, f"POSTGRES_PASSWORD: {PASSWORD}", "POSTGRES_PASSWORD: postgres"),
         (COMPOSE, f"zep:{PASSWORD}@", "zep:postgres@")),
    # -- exposure
    case("exposed", (RENDER, "pserv\n    name: zep-nlp", "web\n    name: zep-nlp"), also="wired-by-type"),
    case("exposed", (COMPOSE, "    image: pgvector", "    ports: [5432:5432]\n    image: pgvector")),
    case("database-open", (RENDER, "ipAllowList: []", "ipAllowList:\n      - source: 0.0.0.0/0")),
    case("admin-open", (FLY, 'ZEP_SERVER_WEB_ENABLED = "false"', "ZEP_SERVER_WEB_ENABLED = true")),
    case("open-to-everybody", (RENDER, "REQUIRED\n        value: \"true\"", "REQUIRED\n        value: yes"),
         also="value-malformed"),
    case("secret-not-required", (RENDER, "REQUIRED\n        value: \"true\"", "REQUIRED\n        value: \"false\""),
         also="open-to-everybody"),
    case("keep-private"),
    # -- store
    case("database-not-kept", (COMPOSE, "zep-postgres:/var/lib/postgresql/data", "zep-postgres:/data")),
    case("database-not-kept", (COMPOSE, "- zep-postgres:/var/lib", "- /var/lib")),
    case("data-folder-not-empty", (POSTGRES, '  PGDATA = "/var/lib/postgresql/data/pgdata"\n', "")),
    case("data-folder-not-empty", (RENDER, DATABASE, SERVER), (RENDER, FROM_DATABASE,
         "        value: postgres://postgres@zep-postgres/?sslmode=disable")),
    case("database-expires", (RENDER, "plan: basic-256mb", "plan: free")),
    case("plan-not-offered", (RENDER, "plan: basic-256mb", "plan: starter")),
    case("plan-not-offered", (RENDER, "plan: standard", "plan: free")),
    case("starts-before-database",
         (COMPOSE, f"{CLOUD}\n    restart: unless-stopped\n    depends_on:\n", f"{CLOUD}\n    x-depends_on:\n")),
    case("never-restarts", (FLY, "[[vm]]", '[[restart]]\n  policy = "never"\n[[vm]]')),
    case("sleeps-when-idle", (FLY, '"off"\n  min_machines_running = 1', '"stop"')),
    case("sleeps-when-idle", (RENDER, "plan: starter", "plan: free")),
    case("zep-freezes", (FLY, '  GOMAXPROCS = "8"\n', "")),
    case("zep-freezes", (COMPOSE, f"{CLOUD}\n", f'{CLOUD}\n    cpuset: "0"\n')),
    case("few-cores", (COMPOSE, f"{CLOUD}\n", f'{CLOUD}\n    deploy: {{resources: {{limits: {{cpus: "0.5"}}}}}}\n')),
    case("memory-small", (COMPOSE, "zep-nlp-server:0.4.2\n", "zep-nlp-server:0.4.2\n    mem_limit: 512m\n")),
    case("memory-small", (NLP, '[[vm]]\n  size = "shared-cpu-2x"\n  memory = "2gb"\n', "")),
)  # fmt: skip


def kinds_changed(files: Sources) -> set[str]:
    """The kinds of the files that are not as they come with the project."""
    kind = {"render.yaml": "render", "docker-compose.yaml": "compose", ".env.example": "compose"}
    return {kind.get(name, "fly") for name, text in shipped().texts.items() if files.texts[name] != text}
