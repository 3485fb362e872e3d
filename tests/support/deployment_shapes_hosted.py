"""Shapes of what is deployed on Render and Fly.io, in which Zep is told by its config.yaml."""

from __future__ import annotations

import base64

from tests.support.deployment_shapes import CONFIG, Shape, put, shape
from tests.support.deployment_spellings import respelt
from zep_conformance.deployment_files.shipped import shipped

FLY, RENDER = "fly.toml", "render.yaml"
UNSET = {"fly": (("secrets-unseen", FLY), ("keep-private", "fly.zep-nlp.toml")), "render": ()}
IMAGE = '  image = "ghcr.io/getzep/zep-cloud:0.27.2"\n'


def fly(config: str, *found: tuple[str, ...], how: str = "", image: str = IMAGE, url: bool = False) -> Shape:
    """The shipped set for Fly.io, told by a file. how: what puts it into the machine."""
    texts = {name: text for name, text in shipped().texts.items() if name.endswith(".toml")}
    texts[FLY] = put(texts[FLY], IMAGE, image)
    if not url:
        texts[FLY] = put(texts[FLY], '  ZEP_NLP_SERVER_URL = "http://zep-nlp.flycast:5557"\n', "")
    texts[FLY] += how
    return Shape({**texts, "config.yaml": config}, (*UNSET["fly"], *found))


FILE = '\n[[files]]\n  guest_path = "/app/config.yaml"\n  local_path = "config.yaml"\n'
ON_FLY = put(CONFIG, "http://zep-nlp:5557", "http://zep-nlp.flycast:5557")


@shape("config.yaml by [[files]] on Fly.io")
def _() -> Shape:
    return fly(ON_FLY, how=FILE)


@shape("config.yaml by [[files]] on Fly.io, by IPv6")
def _() -> Shape:
    config = put(ON_FLY, "zep-nlp.flycast", "zep-nlp.internal")
    made = fly(config, ("internal-is-ipv6", "config.yaml", "server_url"), how=FILE)
    kept = [one for one in made.found if one[0] != "keep-private"]
    made.found = (*kept, ("exposed", "fly.zep-nlp.toml"))
    return made


@shape("config.yaml in fly.toml itself, in base64")
def _() -> Shape:
    raw = base64.b64encode(put(ON_FLY, ":5557", ":5558").encode()).decode()
    how = f'\n[[files]]\n  guest_path = "/app/config.yaml"\n  raw_value = "{raw}"\n'
    return fly("", ("flycast-without-service", FLY), how=how)


@shape("config.yaml copied by a Dockerfile on Fly.io")
def _() -> Shape:
    found = ("flycast-without-service", "config.yaml", "server_url")
    made = fly(put(ON_FLY, ":5557", ":5558"), found, image='  dockerfile = "Dockerfile.zep"\n')
    made.files["Dockerfile.zep"] = "FROM ghcr.io/getzep/zep:0.27.2\nCOPY config.yaml /app/\n"
    return made


@shape("a database in config.yaml on Fly.io, where a secret may say another")
def _() -> Shape:
    dsn = "dsn: postgres://postgres:a81c0f27d9@localhost:5432/zep"
    return fly(put(ON_FLY, "dsn:", dsn), ("secret-in-clear", "config.yaml", "dsn"), how=FILE)


@shape("config.yaml copied by a Dockerfile on Render")
def _() -> Shape:
    text = put(shipped().texts[RENDER], "ghcr.io/getzep/zep-cloud:0.27.2", "x")
    start = text.index("    runtime: image\n")
    end = text.index("\n", text.index("url: x")) + 1
    text = (
        text[:start]
        + "    runtime: docker\n    dockerfilePath: ./zep/Dockerfile\n    dockerContext: ./zep\n"
        + text[end:]
    )
    files = {
        RENDER: text,
        "zep/Dockerfile": "FROM ghcr.io/getzep/zep-cloud:0.27.2\nCOPY config.yaml /app/config.yaml\n",
    }
    return Shape({**files, "zep/config.yaml": put(CONFIG, "port: 8000", "port: 8002")}, PORTS)


PORTS = (("port-wrong", RENDER, "8000"),)


@shape("the shipped set on Render")
def _() -> Shape:
    return Shape({RENDER: respelt("Render as it was in 2023").texts[RENDER]})
