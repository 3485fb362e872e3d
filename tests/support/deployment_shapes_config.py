"""Shapes of projects in which Zep is told by its config.yaml."""

from __future__ import annotations

from tests.support.deployment_shapes import CONFIG, MOUNT, PASSWORD, Project, Shape, configured, put, shape

DSN = f"postgres://zep:{PASSWORD}@zep-postgres:5432/zep?sslmode=disable"
IN_CLEAR = ("secret-in-clear", "config.yaml", "dsn:")
WITH_DSN = put(CONFIG, "dsn:", f'dsn: "{DSN}"')


def mounted(old: str, new: str, *found: tuple[str, ...], config: str = CONFIG) -> Shape:
    """The project with a config.yaml that is changed in one place."""
    return configured(put(config, old, new), MOUNT).shape(*found)


@shape("config.yaml by a short volume")
def _() -> Shape:
    return configured(CONFIG, MOUNT).shape()


@shape("config.yaml by a long volume")
def _() -> Shape:
    long = {"type": "bind", "source": "./config.yaml", "target": "/app/config.yaml", "read_only": True}
    return configured(CONFIG, {"volumes": [long]}).shape()


@shape("config.yaml by a folder at /app")
def _() -> Shape:
    made = configured(None, {"volumes": ["./zep:/app"]})
    made.files["zep/config.yaml"] = put(CONFIG, ":5557", ":5556")
    return made.shape(("wrong-port", "zep/config.yaml", "server_url"))


@shape("config.yaml elsewhere, by --config")
def _() -> Shape:
    made = configured(None, {"volumes": ["./conf:/etc/zep"], "command": "--config /etc/zep/prod.yaml"})
    made.files["conf/prod.yaml"] = put(CONFIG, "port: 8000", "port: 8001")
    return made.shape(("port-wrong", "docker-compose.yaml"), ("health-check-elsewhere", "docker-compose.yaml"))


@shape("config.yaml as a config of Compose")
def _() -> Shape:
    made = configured(
        put(CONFIG, "zep-nlp:5557", "nlp:5557"), {"configs": [{"source": "z", "target": "/app/config.yaml"}]}
    )
    made.document["configs"] = {"z": {"file": "./config.yaml"}}
    return made.shape(("wired-elsewhere", "config.yaml", "server_url"))


@shape("config.yaml in the Compose file")
def _() -> Shape:
    made = configured(None, {"configs": [{"source": "z", "target": "/app/config.yaml"}]})
    made.document["configs"] = {"z": {"content": put(CONFIG, ":5557", ":5555")}}
    return made.shape(("wrong-port", "docker-compose.yaml"))


@shape("config.yaml as a config made elsewhere")
def _() -> Shape:
    made = configured(None, {"configs": [{"source": "z", "target": "/app/config.yaml"}]})
    made.document["configs"] = {"z": {"external": True}}
    return made.shape(("config-unseen", "docker-compose.yaml"))


@shape("config.yaml copied by a Dockerfile")
def _() -> Shape:
    made = configured(put(CONFIG, ":5557", ":5559"), {"build": "."})
    del made.zep["image"]
    made.files["Dockerfile"] = "FROM ghcr.io/getzep/zep:0.27.2\nCOPY config.yaml /app/config.yaml\n"
    return made.shape(("wrong-port", "config.yaml", "server_url"))


@shape("config.yaml copied by a Dockerfile in a folder")
def _() -> Shape:
    made = configured(None, {"build": {"context": "./zep", "dockerfile": "Dockerfile.zep", "args": {"V": "0.27.2"}}})
    del made.zep["image"]
    made.files["zep/Dockerfile.zep"] = "ARG V\nFROM ghcr.io/getzep/zep:${V}\nWORKDIR /app\nCOPY config.yaml .\n"
    made.files["zep/config.yaml"] = CONFIG
    return made.shape()


@shape("config.yaml that is not here")
def _() -> Shape:
    return configured(None, MOUNT).shape(("config-unseen", "docker-compose.yaml"))


@shape("variables go before config.yaml")
def _() -> Shape:
    made = configured(put(CONFIG, ":5557", ":5550"), MOUNT)
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://zep-nlp:5557"
    return made.shape()


@shape("an empty variable goes before nothing")
def _() -> Shape:
    made = configured(put(CONFIG, ":5557", ":5550"), MOUNT)
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = ""
    return made.shape(("wrong-port", "config.yaml", "server_url"))


@shape("config.yaml over that of the image zep-cloud")
def _() -> Shape:
    made = configured(put(CONFIG, "required: true", "required: false"), MOUNT)
    made.zep["image"] = "ghcr.io/getzep/zep-cloud:0.27.2"
    return made.shape(*OPEN)


OPEN = (("open-to-everybody", "config.yaml", "required"), ("secret-not-required", "docker-compose.yaml"))


@shape("a database in config.yaml")
def _() -> Shape:
    made = configured(WITH_DSN, MOUNT)
    del made.zep["environment"]["ZEP_STORE_POSTGRES_DSN"]
    return made.shape(IN_CLEAR)


@shape("another user in config.yaml")
def _() -> Shape:
    made = configured(put(WITH_DSN, "//zep:", "//memory:"), MOUNT)
    del made.zep["environment"]["ZEP_STORE_POSTGRES_DSN"]
    return made.shape(IN_CLEAR, ("credentials-differ", "config.yaml", "dsn:"))


@shape("no sslmode in config.yaml")
def _() -> Shape:
    made = configured(put(WITH_DSN, "?sslmode=disable", ""), MOUNT)
    del made.zep["environment"]["ZEP_STORE_POSTGRES_DSN"]
    return made.shape(IN_CLEAR, ("database-without-tls", "config.yaml", "dsn:"))


@shape("a secret in config.yaml")
def _() -> Shape:
    made = configured(put(CONFIG, "secret:", "secret: 8d1f0c7be3a94562"), MOUNT)
    del made.zep["environment"]["ZEP_AUTH_SECRET"]
    return made.shape(("secret-in-clear", "config.yaml", "secret:"))


@shape("a key in a comment of config.yaml")
def _() -> Shape:
    return mounted("nlp:\n", "# openai_api_key: sk-proj-9d3f7a10c5e2b4689d3f7a10\nnlp:\n",
                   ("secret-in-clear", "config.yaml", "sk-proj"))  # fmt: skip


@shape("the printed secret in config.yaml")
def _() -> Shape:
    made = configured(put(CONFIG, "secret:", "secret: do-not-use-this-secret-in-production"), MOUNT)
    del made.zep["environment"]["ZEP_AUTH_SECRET"]
    return made.shape(("auth-secret-published", "config.yaml", "secret:"))


@shape("OpenAI's embeddings with the wrong width in config.yaml")
def _() -> Shape:
    return mounted(
        "      service: local\n", "      service: openai\n", ("embedding-width", "config.yaml", "service: openai")
    )


@shape("OpenAI's embeddings by a variable, their width in config.yaml")
def _() -> Shape:
    made = configured(put(CONFIG, "      dimensions: 384\n", "      dimensions: 1536\n"), MOUNT)
    made.zep["environment"]["ZEP_EXTRACTORS_MESSAGES_EMBEDDINGS_SERVICE"] = "openai"
    return made.shape()


@shape("the web page on in config.yaml")
def _() -> Shape:
    return mounted("web_enabled: false", "web_enabled: true", ("admin-open", "config.yaml", "web_enabled"))


@shape("config.yaml listens on loopback")
def _() -> Shape:
    return mounted("0.0.0.0", "127.0.0.1", ("listens-on-loopback", "config.yaml", "host:"))


@shape("config.yaml without a port")
def _() -> Shape:
    return mounted("  port: 8000\n", "", ("config-key-missing", "config.yaml"))


@shape("config.yaml without a store")
def _() -> Shape:
    return mounted("store:\n  type: postgres\n  postgres:\n    dsn:\n", "", ("config-key-missing", "config.yaml"),
                   ("variable-without-key", "docker-compose.yaml", "DSN"), ("not-wired", "config.yaml"))  # fmt: skip


@shape("a name of older versions in config.yaml")
def _() -> Shape:
    return mounted("store:\n", "memory_store:\n", ("config-key-unknown", "config.yaml", "memory_store"),
                   ("config-key-missing", "config.yaml"), ("variable-without-key", "docker-compose.yaml", "DSN"),
                   ("not-wired", "config.yaml"))  # fmt: skip


@shape("a variable's name in config.yaml")
def _() -> Shape:
    return mounted("server_url: http://zep-nlp:5557", "server_url: ${ZEP_NLP_SERVER_URL}",
                   ("config-not-expanded", "config.yaml", "server_url"))  # fmt: skip


@shape("yes in config.yaml")
def _() -> Shape:
    return mounted("required: true", 'required: "yes"', ("config-value-wrong", "config.yaml", "required"), OPEN[0])


@shape("config.yaml with tabs")
def _() -> Shape:
    return mounted("  type: postgres", "\ttype: postgres", ("config-unreadable", "config.yaml"))


@shape("config.yaml in capitals and other words")
def _() -> Shape:
    made = configured(CONFIG.replace("nlp:\n  server_url", "NLP:\n  Server_URL").replace("384", '"384"'), MOUNT)
    return made.shape()


@shape("config.yaml of an .env's name")
def _() -> Shape:
    made = configured(None, {"volumes": ["${ZEP_CONFIG}:/app/config.yaml"]})
    made.files[".env"] += "ZEP_CONFIG=./zep/settings.yml\n"
    made.files["zep/settings.yml"] = put(CONFIG, ":5557", ":1")
    return made.shape(("wrong-port", "zep/settings.yml", "server_url"))


@shape("no config.yaml at all")
def _() -> Shape:
    file = "docker-compose.yaml"
    open_ = ("open-to-everybody", file)
    return configured(None, {}).shape(("image-lacks-config", file), ("not-wired", file), open_, OPEN[1])


@shape("zep-cloud without a mounted file")
def _() -> Shape:
    return Project().shape()


@shape("config.yaml as a secret of Compose, with anchors")
def _() -> Shape:
    config = CONFIG.replace("{enabled: true, dimensions: 384, service: local}", "*local").replace(
        "{enabled: true, chunk_size: 1000, dimensions: 384, service: local}",
        "&local {enabled: true, dimensions: 768, service: local, chunk_size: 9}",
    )
    made = configured(config, {"secrets": [{"source": "z", "target": "/app/config.yaml"}]})
    made.document["secrets"] = {"z": {"file": "config.yaml"}}
    return made.shape(("embedding-width", "config.yaml", "&local"))


@shape("config.yaml in a folder of its own, by an entrypoint")
def _() -> Shape:
    made = configured(
        None, {"volumes": ["${PWD}/conf:/app/conf"], "entrypoint": ["/app/zep", "--config=/app/conf/z.yaml"]}
    )
    made.files["conf/z.yaml"] = put(CONFIG, "host: 0.0.0.0", "host: localhost")
    return made.shape(("listens-on-loopback", "conf/z.yaml", "host:"))


@shape("a store that Zep does not have")
def _() -> Shape:
    return mounted("type: postgres", "type: memory", ("config-value-wrong", "config.yaml", "type: memory"))


@shape("config.yaml demands tokens, and nothing has a secret")
def _() -> Shape:
    made = configured(CONFIG, MOUNT)
    del made.zep["environment"]["ZEP_AUTH_SECRET"]
    return made.shape(("auth-without-secret", "config.yaml", "secret:"))


@shape("two Zeps with files of their own")
def _() -> Shape:
    made = configured(CONFIG, MOUNT)
    made.services["zep-eu"] = {**made.zep, "ports": ["8001:8000"], "volumes": ["./eu.yaml:/app/config.yaml"]}
    made.files["eu.yaml"] = put(CONFIG, ":5557", ":5550")
    return made.shape(("wrong-port", "eu.yaml", "5550"))


@shape("a secret in config.yaml that a variable goes before")
def _() -> Shape:
    return mounted("secret:", "secret: 8d1f0c7be3a94562", ("secret-in-clear", "config.yaml", "secret:"))


@shape("a database in config.yaml that a variable goes before")
def _() -> Shape:
    return mounted("dsn:", "dsn: postgres://a:b81c0f27d9@elsewhere/zep", ("secret-in-clear", "config.yaml", "dsn:"))
