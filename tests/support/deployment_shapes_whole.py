"""Shapes of projects whose values are not all known here, and of projects in several files, stacks and databases."""

from __future__ import annotations

import copy

import yaml

from tests.support.deployment_shapes import COMPOSE, ENV, NO_ENV, PASSWORD, Project, Shape, put, shape

DSN = "ZEP_STORE_POSTGRES_DSN"


def unknown(**changes: str) -> Project:
    """The project without its .env, with variables of Zep's set otherwise."""
    made = Project()
    del made.files[".env"]
    made.zep["environment"].update(changes)
    return made


def written(document: object) -> str:
    """Return a document as YAML."""
    return yaml.safe_dump(document, sort_keys=False, width=1000)


def parted(*names: str) -> tuple[Project, dict[str, object]]:
    """Return the project without some services, and a document with those."""
    made = Project()
    apart = {name: made.services.pop(name) for name in names}
    return made, {"services": apart}


# -- what is not known is not wrong


@shape("no .env")
def _() -> Shape:
    return unknown().shape(NO_ENV)


@shape("no .env, and every variable has a default")
def _() -> Shape:
    made = unknown()
    text = written(made.document)
    for name in ("POSTGRES_PASSWORD", "ZEP_OPENAI_API_KEY", "ZEP_AUTH_SECRET"):
        text = text.replace(f"${{{name}}}", f"${{{name}:-changeme}}")
    return Shape({COMPOSE: text}, (("password-known", COMPOSE, "changeme"),))


@shape("the whole DSN in a variable")
def _() -> Shape:
    return unknown(**{DSN: "${DATABASE_URL}"}).shape(NO_ENV)


@shape("the pieces of the DSN in variables")
def _() -> Shape:
    dsn = "postgres://${PG_USER}:${PG_PASSWORD}@${PG_HOST}:${PG_PORT}/${PG_DB}?sslmode=${PG_SSL}"
    made = unknown(**{DSN: dsn})
    made.services["zep-postgres"]["environment"] = {
        "POSTGRES_USER": "${PG_USER}",
        "POSTGRES_PASSWORD": "${PG_PASSWORD}",
    }
    return made.shape(NO_ENV)


@shape("another user in the DSN than in the database, one of them unknown")
def _() -> Shape:
    made = unknown()
    made.services["zep-postgres"]["environment"]["POSTGRES_USER"] = "${DB_USER:-}"
    return made.shape(NO_ENV)


@shape("the image's tag in a variable")
def _() -> Shape:
    made = unknown()
    made.zep["image"] = "ghcr.io/getzep/zep-cloud:${ZEP_VERSION}"
    return made.shape(NO_ENV, ("image-version-untold", COMPOSE))


@shape("whether tokens are asked for in a variable")
def _() -> Shape:
    return unknown(ZEP_AUTH_REQUIRED="${AUTH:-}", ZEP_AUTH_SECRET="${SECRET:-}").shape(NO_ENV)


@shape("the web page in a variable")
def _() -> Shape:
    return unknown(ZEP_SERVER_WEB_ENABLED="${WEB}").shape(NO_ENV)


@shape("the NLP server's port in a variable, the same on both sides")
def _() -> Shape:
    made = unknown(ZEP_NLP_SERVER_URL="http://zep-nlp:${NLP_PORT}")
    made.services["zep-nlp"]["environment"] = ["ZEP_SERVER_PORT=${NLP_PORT}"]
    return made.shape(NO_ENV)


@shape("the port in variables of two names")
def _() -> Shape:
    made = unknown(ZEP_SERVER_PORT="${INNER_PORT}")
    made.zep["ports"] = ["${BIND}:${PORT}:${INNER_PORT:-}"]
    return made.shape(NO_ENV)


@shape("a default in a default, and its end unknown")
def _() -> Shape:
    made = unknown(ZEP_OPENAI_API_KEY="${A:-${B:-${C}}}", ZEP_NLP_SERVER_URL="${U:-${V:-http://zep-nlp:5557}}")
    return made.shape(NO_ENV)


@shape("a default that is wrong")
def _() -> Shape:
    return unknown(ZEP_NLP_SERVER_URL="${U:-http://zep-nlp:${P:-5555}}").shape(NO_ENV, ("wrong-port", COMPOSE, "5555"))


@shape("an env file of another name that a repository leaves out")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = "config/zep.prod.env"
    del made.zep["environment"]["ZEP_OPENAI_API_KEY"]
    return made.shape(("env-not-there", COMPOSE, "config/zep.prod.env"))


@shape("an env file above the folder, and one at the root")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = [{"path": "../common/zep.env"}, "/etc/zep/zep.env"]
    made.zep["environment"] = None
    return made.shape(("env-not-there", COMPOSE, "common"), ("env-not-there", COMPOSE, "/etc/zep"))


@shape("Portainer's stack.env")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = ["stack.env"]
    del made.zep["environment"]["ZEP_AUTH_SECRET"]
    return made.shape(("env-not-there", COMPOSE, "stack.env"))


@shape("an env file that need not be there")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = [{"path": "local.env", "required": False}]
    return made.shape()


@shape("an env file of another name that is there, with variables in it")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = ["./conf/zep.env"]
    made.zep["environment"] = {}
    made.files["conf/zep.env"] = (
        f"PG=zep:{PASSWORD}\nexport {DSN}=postgres://${{PG}}@zep-postgres/zep?sslmode=disable\n"
        "ZEP_NLP_SERVER_URL='http://zep-nlp:5557'\nZEP_OPENAI_API_KEY=\"sk-proj-0000aaaabbbbccccdddd\" # mine\n"
        "ZEP_AUTH_REQUIRED=true\nZEP_AUTH_SECRET=9c1b7e5d3f2a4c6e8b0d\nZEP_SERVER_WEB_ENABLED=false\n"
    )
    return made.shape()


@shape("an env file that is there, and leads elsewhere")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = ["zep.env"]
    del made.zep["environment"]["ZEP_NLP_SERVER_URL"]
    made.files["zep.env"] = "# where\nZEP_NLP_SERVER_URL=http://nlp:5557\n"
    return made.shape(("wired-elsewhere", "zep.env", "nlp"))


@shape("handed through from a shell")
def _() -> Shape:
    made = unknown()
    made.zep["environment"] = [
        f"{name}={value}" if name != "ZEP_OPENAI_API_KEY" else name for name, value in made.zep["environment"].items()
    ]
    return made.shape(NO_ENV)


# -- what belongs to this Zep


@shape("several databases, and Zep's has no name of Zep's")
def _() -> Shape:
    made = Project()
    services = made.services
    services["db"] = services.pop("zep-postgres")
    services["n8n-postgres"] = {"image": "postgres:15", "environment": {"POSTGRES_PASSWORD": "${N8N_PASSWORD:-x}"}}
    services["postgres"] = {
        "image": "postgres:16-alpine",
        "ports": ["5432:5432"],
        "environment": {"POSTGRES_DB": "app"},
    }
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@db:")
    return made.shape()


@shape("several databases, and Zep leads to the one without pgvector")
def _() -> Shape:
    made = Project()
    made.services["app-db"] = {
        "image": "postgres:16",
        "environment": {"POSTGRES_USER": "zep", "POSTGRES_DB": "zep", "POSTGRES_PASSWORD": "${POSTGRES_PASSWORD}"},
        "volumes": ["pgdata:/var/lib/postgresql/data"],
    }
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@app-db:")
    return made.shape(("image-lacks-pgvector", COMPOSE, "postgres:16"))


@shape("several databases, and nothing says which is Zep's")
def _() -> Shape:
    made = unknown(**{DSN: "${DSN}"})
    made.services["shop"] = {"image": "postgres:16", "environment": {"POSTGRES_PASSWORD": "${SHOP}"}}
    return made.shape(NO_ENV)


@shape("a database and a user that a script makes")
def _() -> Shape:
    made = Project()
    made.files["init/01-zep.sql"] = "CREATE USER memory PASSWORD 'x';\nCREATE DATABASE memories OWNER memory;\n"
    made.services["zep-postgres"]["volumes"].append("./init:/docker-entrypoint-initdb.d:ro")
    made.zep["environment"][DSN] = "postgres://memory:${MEMORY_PASSWORD:-x}@zep-postgres:5432/memories?sslmode=disable"
    return made.shape()


@shape("scripts that are not here")
def _() -> Shape:
    made = Project()
    made.services["zep-postgres"]["volumes"].append("./init.sh:/docker-entrypoint-initdb.d/init.sh")
    made.zep["environment"][DSN] = "postgres://memory:${MEMORY_PASSWORD:-x}@zep-postgres:5432/memories?sslmode=disable"
    return made.shape()


@shape("a script that makes another database")
def _() -> Shape:
    made = Project()
    made.files["init.sql"] = "CREATE DATABASE shop;\n"
    made.services["zep-postgres"]["volumes"].append("./init.sql:/docker-entrypoint-initdb.d/init.sql")
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("/zep?", "/memories?")
    return made.shape(("credentials-differ", COMPOSE, DSN))


@shape("several databases by a variable")
def _() -> Shape:
    made = Project()
    made.services["zep-postgres"]["environment"]["POSTGRES_MULTIPLE_DATABASES"] = "shop,memories"
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("/zep?", "/memories?")
    return made.shape()


@shape("a database that a service makes, which is run once")
def _() -> Shape:
    made = Project()
    made.services["make-db"] = {
        "image": "postgres:16",
        "command": ["psql", "-h", "zep-postgres", "-c", "CREATE DATABASE memories"],
        "depends_on": ["zep-postgres"],
    }
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("/zep?", "/memories?")
    return made.shape()


@shape("a pooler before the database")
def _() -> Shape:
    made = Project()
    made.services["pool"] = {"image": "edoburu/pgbouncer:1.23.1", "environment": {"DB_HOST": "zep-postgres"}}
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@pool:")
    return made.shape()


@shape("the NLP server in another stack, by a network of another name")
def _() -> Shape:
    made, _ = parted("zep-nlp")
    made.zep["networks"] = ["default", "ai"]
    made.document["networks"] = {"ai": {"external": {"name": "ai_shared"}}}
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://nlp:5557"
    return made.shape(("application-elsewhere", COMPOSE))


@shape("a mistyped name, though a network is external")
def _() -> Shape:
    made = Project()
    made.zep["networks"] = ["default", "web"]
    made.document["networks"] = {"web": {"external": True}}
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@zep-postgress:")
    return made.shape(("wired-elsewhere", COMPOSE, DSN))


@shape("two stacks that share a network, both given")
def _() -> Shape:
    made, apart = parted("zep-postgres")
    shared = {"networks": {"data": {"external": True}}}
    made.zep["networks"] = ["default", "data"]
    made.document |= shared
    apart["services"]["zep-postgres"]["networks"] = ["data"]  # type: ignore[index]
    found = made.shape(name="zep/compose.yaml")
    volumes = {"volumes": {"pgdata": {}}}
    found.files |= {"db/compose.yaml": written({**apart, **shared, **volumes}), "db/.env": ENV, "zep/.env": ENV}
    found.given = ("zep", "db")
    return found


@shape("links and extra hosts")
def _() -> Shape:
    made = Project()
    made.zep["links"] = ["zep-postgres:pg"]
    made.zep["extra_hosts"] = ["language:10.0.0.9"]
    del made.services["zep-nlp"]
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@pg:")
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://language:5557"
    return made.shape(("application-elsewhere", COMPOSE))


@shape("the names that Compose gives containers")
def _() -> Shape:
    made = Project()
    made.document["name"] = "mem"
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://mem-zep-nlp-1:5557"
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@mem_zep-postgres_1:")
    return made.shape()


@shape("include, long, with an env file and a folder of its own")
def _() -> Shape:
    made, apart = parted("zep-postgres")
    made.document["include"] = [{"path": "parts/db.yaml", "project_directory": "parts", "env_file": "parts/db.env"}]
    apart["services"]["zep-postgres"]["environment"]["POSTGRES_USER"] = "${DB_USER}"  # type: ignore[index]
    made.files |= {"parts/db.yaml": written(apart), "parts/db.env": "DB_USER=zep\n"}
    return made.shape()


@shape("a fault in what is included")
def _() -> Shape:
    made, apart = parted("zep-nlp", "zep-postgres")
    made.document["include"] = ["parts/all.yaml"]
    apart["services"]["zep-postgres"]["ports"] = ["5432:5432"]  # type: ignore[index]
    made.files["parts/all.yaml"] = written(apart)
    return made.shape(("exposed", "parts/all.yaml", "5432"))


@shape("include within include")
def _() -> Shape:
    made, apart = parted("zep-postgres")
    made.document["include"] = ["a/compose.yaml"]
    made.files["a/compose.yaml"] = "include: [b/compose.yaml]\n"
    made.files["a/b/compose.yaml"] = written(apart)
    return made.shape()


@shape("include of a repository")
def _() -> Shape:
    made, _ = parted("zep-postgres")
    made.document["include"] = ["https://github.com/acme/databases.git#v1"]
    return made.shape(("file-unseen", COMPOSE, "acme"), ("application-elsewhere", COMPOSE))


@shape("include of a file that is not here")
def _() -> Shape:
    made, _ = parted("zep-nlp")
    made.document["include"] = ["../nlp/compose.yaml"]
    return made.shape(("file-unseen", COMPOSE, "nlp"), ("application-elsewhere", COMPOSE))


@shape("extends from another file, with paths of its own")
def _() -> Shape:
    made = Project()
    common = {"image": made.zep.pop("image"), "restart": "always", "env_file": ["common.env"]}
    made.zep["extends"] = {"service": "zep-base", "file": "common/services.yaml"}
    del made.zep["restart"], made.zep["environment"]["ZEP_NLP_SERVER_URL"]
    made.files["common/services.yaml"] = written({"services": {"zep-base": common}})
    made.files["common/common.env"] = "ZEP_NLP_SERVER_URL=http://zep-nlp:5557\n"
    return made.shape()


@shape("extends of what extends, and a fault in the first")
def _() -> Shape:
    made = Project()
    services = made.services
    services["base"] = {
        "restart": "always",
        "profiles": ["x"],
        "environment": {"ZEP_NLP_SERVER_URL": "http://zep-nlp:5558"},
    }
    services["middle"] = {"extends": "base", "image": made.zep.pop("image"), "profiles": ["x"]}
    made.zep["extends"] = "middle"
    del made.zep["environment"]["ZEP_NLP_SERVER_URL"]
    return made.shape(("wrong-port", COMPOSE, "5558"))


@shape("extends in a circle")
def _() -> Shape:
    made = Project()
    made.services["one"] = {"extends": "two", "image": "redis:7", "profiles": ["x"]}
    made.services["two"] = {"extends": "one", "profiles": ["x"]}
    return made.shape()


@shape("an override that mends")
def _() -> Shape:
    made = Project()
    made.zep["image"] = "ghcr.io/getzep/zep-cloud:latest"
    made.files["docker-compose.override.yml"] = written(
        {"services": {"zep": {"image": "ghcr.io/getzep/zep-cloud:0.27.2", "environment": ["X=1"]}}}
    )
    return made.shape()


@shape("an override that breaks")
def _() -> Shape:
    made = Project()
    made.files["docker-compose.override.yaml"] = "services:\n  zep:\n    image: ghcr.io/getzep/zep-cloud:latest\n"
    return made.shape(("image-unpinned", "docker-compose.override.yaml", "latest"))


@shape("an override that resets")
def _() -> Shape:
    made = Project()
    made.services["zep-postgres"]["ports"] = ["5432:5432"]
    made.files["docker-compose.override.yaml"] = (
        "services:\n  zep-postgres:\n    ports: !reset []\n  zep:\n    ports: !override\n      - '8000:8000'\n"
    )
    return made.shape()


@shape("two files that are both named")
def _() -> Shape:
    made, apart = parted("zep-postgres")
    found = made.shape()
    found.files["docker-compose.db.yaml"] = written(apart)
    found.given = (COMPOSE, "docker-compose.db.yaml")
    return found


@shape("files that .env names")
def _() -> Shape:
    made, apart = parted("zep-postgres", "zep-nlp")
    made.files[".env"] += "COMPOSE_FILE=docker-compose.yaml:parts.yaml\n"
    made.files["parts.yaml"] = written(apart)
    return made.shape()


@shape("one file of another name, named")
def _() -> Shape:
    found = Project().shape(name="zep.stack.yml")
    found.given = ("zep.stack.yml",)
    return found


@shape("profiles for everything of Zep's")
def _() -> Shape:
    made = Project()
    for one in made.services.values():
        one["profiles"] = ["memory"]
    made.services["web"] = {"image": "nginx:1.27"}
    return made.shape()


@shape("a second Zep for development, in a profile")
def _() -> Shape:
    made = Project()
    made.services["zep-dev"] = {**copy.deepcopy(made.zep), "profiles": ["dev"], "ports": ["8001:8000"]}
    return made.shape()


@shape("everything in one network with aliases")
def _() -> Shape:
    made = Project()
    made.document["networks"] = {"m": {"driver": "bridge"}}
    for one in made.services.values():
        one["networks"] = ["m"]
    made.services["zep-postgres"]["networks"] = {"m": {"aliases": ["store"]}}
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@store:")
    return made.shape()


@shape("anchors and merges")
def _() -> Shape:
    made = Project()
    text = made.shape().files[COMPOSE]
    text = "x-common: &common\n  restart: unless-stopped\n" + text.replace(
        "    restart: unless-stopped\n", "    <<: *common\n"
    )
    return Shape({COMPOSE: text, ".env": ENV})


@shape("a Compose file with comments and quotes")
def _() -> Shape:
    text = put(Project().shape().files[COMPOSE], "services:\n", "# ours\nversion: '3.9'\nservices:\n")
    return Shape({"compose.yml": text, ".env": ENV.replace("=", '="').replace("\n", '"\n')})


@shape("an env file of somebody else's that is not here")
def _() -> Shape:
    made = Project()
    made.services["langflow"] = {"image": "langflowai/langflow:1.1", "env_file": ["./conf/langflow.env"]}
    made.services["redis"] = {"image": "redis:7", "command": "redis-server --requirepass ${REDIS_PASSWORD}"}
    return made.shape()


@shape("a stack whose network has a variable's name")
def _() -> Shape:
    made = Project()
    text = put(
        made.shape().files[COMPOSE],
        "volumes:\n  pgdata: {}\n",
        "volumes:\n  pgdata: {}\nnetworks: {$NET: {external: true}}\n",
    )
    text = text.replace("    restart: unless-stopped\n", "    restart: unless-stopped\n    networks: [$NET]\n")
    return Shape({COMPOSE: text, ".env": ENV + "NET=web\n"})


@shape("one database for everything, which a script makes, and Zep is told by a file")
def _() -> Shape:
    made = Project()
    made.services["postgres"] = made.services.pop("zep-postgres")
    made.services["postgres"]["environment"] |= {"POSTGRES_USER": "${PG_USER}", "POSTGRES_DB": "main"}
    made.services["postgres"]["container_name"] = "ai-postgres"
    made.services["postgres"]["volumes"].append("./init-db.sh:/docker-entrypoint-initdb.d/init-db.sh")
    made.files["init-db.sh"] = "psql <<-EOSQL\n  CREATE DATABASE zep;\n  CREATE DATABASE flowise;\nEOSQL\n"
    made.files[".env"] += "PG_USER=zep\n"
    made.services["flowise"] = {"image": "flowiseai/flowise:2.2.8", "environment": {"DATABASE_HOST": "ai-postgres"}}
    made.zep["environment"][DSN] = made.zep["environment"][DSN].replace("@zep-postgres:", "@ai-postgres:")
    return made.shape()


@shape("a path from PWD")
def _() -> Shape:
    made = Project()
    made.zep["env_file"] = ["${PWD}/conf/zep.env"]
    del made.zep["environment"]["ZEP_NLP_SERVER_URL"]
    made.files["conf/zep.env"] = "ZEP_NLP_SERVER_URL=http://zep-nlp:5558\n"
    return made.shape(("wrong-port", "conf/zep.env", "5558"))


@shape("an .env that lacks what a shell may have")
def _() -> Shape:
    made = Project()
    made.files[".env"] = ENV.replace("ZEP_OPENAI_API_KEY=", "OTHER=")
    return made.shape(("variable-unset", COMPOSE, "ZEP_OPENAI_API_KEY"))


@shape("an .env that lacks what need not be there")
def _() -> Shape:
    made = Project()
    made.zep["environment"] |= {"ZEP_LLM_OPENAI_ORG_ID": "${ORG:-}", "ZEP_LOG_LEVEL": "${LEVEL-}"}
    return made.shape()


@shape("an .env with nothing for what is wanted")
def _() -> Shape:
    made = Project()
    made.zep["environment"]["ZEP_OPENAI_API_KEY"] = "${OPENAI_KEY:?put it into .env}"
    made.files[".env"] += "OPENAI_KEY=\n"
    return made.shape(("variable-needed", COMPOSE, "OPENAI_KEY"))


@shape("one service's file is another's folder")
def _() -> Shape:
    made, apart = parted("zep-nlp", "zep-postgres")
    shared = {"networks": {"default": {"name": "memory", "external": True}}}
    made.document |= shared
    found = made.shape(name="zep/docker-compose.yml")
    found.files = {"zep/docker-compose.yml": found.files["zep/docker-compose.yml"], "zep/.env": ENV, "parts/.env": ENV}
    apart["services"]["zep-nlp"]["environment"] = {"ZEP_SERVER_PORT": "5558"}  # type: ignore[index]
    found.files["parts/compose.yaml"] = written({**apart, **shared, "volumes": {"pgdata": {}}})
    found.given = ("parts", "zep")
    found.found = (("wrong-port", "zep/docker-compose.yml", "5557"),)
    return found


@shape("include of what is not here, and everything of Zep's may be in it")
def _() -> Shape:
    made, _ = parted("zep", "zep-nlp", "zep-postgres")
    made.document["include"] = ["../zep/compose.yaml"]
    made.services["web"] = {"image": "nginx:1.27"}
    return made.shape(("file-unseen", COMPOSE, "zep"), ("application-elsewhere", COMPOSE))


@shape("Zep 1.x with an include that is not here")
def _() -> Shape:
    made, _ = parted("zep-nlp", "zep-postgres")
    made.document["include"] = ["../.repos/supabase/docker-compose.yml"]
    made.zep["image"] = "zepai/zep:latest"
    return made.shape(("file-unseen", COMPOSE, "supabase"), ("image-zep-1", COMPOSE, "zepai"))
