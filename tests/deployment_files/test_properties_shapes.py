"""A healthy project is healthy in whatever words, and what is wrong in it is found wherever it stands."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.deployment_shapes import BASE, COMPOSE, CONFIG, ENV, put
from tests.support.needles import MODEST
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.findings import FileFinding
from zep_conformance.deployment_files.interpolation import Interpolation, is_known
from zep_conformance.deployment_files.sources import Sources

OVERRIDE = "docker-compose.override.yaml"
NLP_URL = "ZEP_NLP_SERVER_URL"
PLACES = (
    "here",
    "list",
    "env file",
    "config",
    "override",
    "extends",
    "extends elsewhere",
    "default",
    "nested",
    "anchor",
)
"""Where Zep is told something."""
WAYS = ("ports", "long ports", "traefik", "caddy", "nginx", "langflux", "expose", "tunnel")
"""How Zep is reached."""
HOMES = ("here", "include", "include of include", "override", "profile")
"""Where the other two are."""

spellings = st.fixed_dictionaries(
    {
        "told": st.sampled_from(PLACES),
        "way": st.sampled_from(WAYS),
        "home": st.sampled_from(HOMES),
        "network": st.sampled_from(["", "default", "inner", "external"]),
        "name": st.sampled_from(["zep-nlp", "nlp", "language_server", "zep_nlp"]),
        "host": st.sampled_from(["name", "container", "hostname", "alias", "capitals"]),
        "beside": st.sets(st.sampled_from(["shop-db", "redis", "pgadmin", "n8n"]), max_size=2),
        "env": st.booleans(),
    }
)
BESIDE: dict[str, dict[str, Any]] = {
    "shop-db": {"image": "postgres:16", "environment": {"POSTGRES_PASSWORD": "${SHOP}"}},
    "redis": {"image": "redis:7", "ports": ["6379:6379"]},
    "pgadmin": {"image": "dpage/pgadmin4:8", "ports": ["5050:80"]},
    "n8n": {"image": "n8nio/n8n:1.60.0", "env_file": ["n8n.env"]},
}


def spelt(how: dict[str, Any], port: str = "5557") -> Sources:
    """The healthy project in other words. port: of the NLP server, as Zep is told it."""
    document, files = copy.deepcopy(BASE), {".env": ENV} if how["env"] else {}
    services = document["services"]
    nlp = services.pop("zep-nlp")
    services[how["name"]] = nlp
    host = how["name"]
    if how["host"] == "container":
        nlp["container_name"] = host = "memory-language"
    elif how["host"] == "hostname":
        nlp["hostname"] = host = "words"
    elif how["host"] == "capitals":
        host = host.upper()
    _network(document, how, nlp)
    if how["host"] == "alias" and how["network"]:
        nlp["networks"] = {name: {"aliases": ["speech"]} for name in nlp["networks"]}
        host = "speech"
    for name in how["beside"]:
        services[name] = copy.deepcopy(BESIDE[name])
    _lead(document, files, how["way"])
    text = _tell(document, files, how["told"], f"http://{host}:{port}", _house(document, files, how))
    files[COMPOSE] = text + yaml.safe_dump(document, sort_keys=False, width=1000).replace("'<<': TOLD", "<<: *told")
    given = (COMPOSE, OVERRIDE) if OVERRIDE in files else (COMPOSE,)
    return Sources(files, given)


def _network(document: dict[str, Any], how: dict[str, Any], nlp: dict[str, Any]) -> None:
    kind = how["network"]
    if not kind:
        return
    for one in document["services"].values():
        one["networks"] = [kind]
    if kind != "default":
        document["networks"] = {kind: {"external": True} if kind == "external" else None}
    assert nlp["networks"]


def _lead(document: dict[str, Any], files: dict[str, str], way: str) -> None:
    """Let Zep be reached in a way."""
    services, zep = document["services"], document["services"]["zep"]
    del zep["ports"]
    networks = {"networks": zep["networks"]} if "networks" in zep else {}
    if way == "ports":
        zep["ports"] = ["0.0.0.0:18000:8000/tcp"]
    elif way == "long ports":
        zep["ports"] = [{"target": 8000, "published": "8000", "protocol": "tcp"}]
    elif way == "traefik":
        zep["labels"] = ["traefik.enable=true", "traefik.http.routers.z.rule=Host(`z.example.org`)"]
    elif way == "caddy":
        zep["labels"] = {"caddy": "z.example.org", "caddy.reverse_proxy": "{{upstreams 8000}}"}
    elif way == "nginx":
        volumes = ["./nginx.conf:/etc/nginx/nginx.conf:ro"]
        services["proxy"] = {"image": "nginx:1.27", "ports": ["443:443"], "volumes": volumes, **networks}
        files["nginx.conf"] = "http { server { location / { proxy_pass http://zep:8000; } } }\n"
    elif way in ("langflux", "expose"):
        services["flowise"] = {"image": "flowiseai/flowise:2.2.8", "ports": ["3000:3000"], **networks}
        zep |= {"expose": ["8000"]} if way == "expose" else {}
    else:
        services["tunnel"] = {"image": "ngrok/ngrok:3", "command": "http zep:8000", **networks}


def _house(document: dict[str, Any], files: dict[str, str], how: dict[str, Any]) -> dict[str, Any]:
    """Put the other two where they are said to be. Returns the services of the override."""
    services, home = document["services"], how["home"]
    apart = {name: services.pop(name) for name in (how["name"], "zep-postgres")}
    if home in ("include", "include of include"):
        shared = {"networks": document["networks"]} if "networks" in document else {}
        text = yaml.safe_dump({"services": apart, "volumes": document.pop("volumes"), **shared}, width=1000)
        files["parts/all.yaml" if home == "include" else "parts/more/all.yaml"] = text
        if ENV in files.values():
            files["parts/.env"] = ENV
        if home == "include of include":
            files["parts/all.yaml"] = "include:\n  - path: more/all.yaml\n"
        document["include"] = ["parts/all.yaml"]
        return {}
    if home == "override":
        return apart
    services |= apart
    if home == "profile":
        for name in ("zep", *apart):
            services[name]["profiles"] = ["memory"]
    return {}


def _tell(document: dict[str, Any], files: dict[str, str], place: str, url: str, over: dict[str, Any]) -> str:
    """Tell Zep where its NLP server is. Returns what stands before the document."""
    zep = document["services"]["zep"]
    environment, before = zep["environment"], ""
    del environment[NLP_URL]
    if place == "list":
        zep["environment"] = [*(f"{name}={value}" for name, value in environment.items()), f"{NLP_URL}={url}"]
    elif place == "env file":
        zep["env_file"] = "conf/zep.env"
        files["conf/zep.env"] = f"# where\nexport {NLP_URL}='{url}'\n"
    elif place == "config":
        zep["volumes"] = ["./zep.yaml:/app/config.yaml:ro"]
        files["zep.yaml"] = put(CONFIG, "http://zep-nlp:5557", url)
    elif place == "override":
        over["zep"] = {"environment": {NLP_URL: url}}
    elif place == "extends":
        document["services"]["base"] = {"image": zep.pop("image"), "environment": {NLP_URL: url}, "profiles": ["never"]}
        zep["extends"] = "base"
    elif place == "extends elsewhere":
        files["base/zep.yaml"] = yaml.safe_dump(
            {"services": {"base": {"environment": [f"{NLP_URL}={url}"]}}}, width=1000
        )
        zep["extends"] = {"file": "./base/zep.yaml", "service": "base"}
    elif place == "default":
        environment[NLP_URL] = f"${{ZEP_NLP:-{url}}}"
    elif place == "nested":
        environment[NLP_URL] = f"${{ZEP_NLP:-${{NLP-{url}}}}}"
    elif place == "anchor":
        before = f"x-told: &told\n  {NLP_URL}: {url}\n"
        environment["<<"] = "TOLD"
    else:
        environment[NLP_URL] = url
    if over:
        files[OVERRIDE] = yaml.safe_dump({"services": over}, sort_keys=False, width=1000)
    return before


def found_in(sources: Sources) -> list[FileFinding]:
    return [one for one in examine(sources) if one.verdict != "ok"]


@MODEST
@given(how=spellings)
def test_a_healthy_project_is_healthy_in_whatever_words(how: dict[str, Any]) -> None:
    found = found_in(spelt(how))
    assert {one.code for one in found} <= (set() if how["env"] else {"env-not-there"}), found


@MODEST
@given(how=spellings)
def test_what_is_wrong_is_found_where_it_stands(how: dict[str, Any]) -> None:
    sources = spelt(how, "5599")
    found = [one for one in found_in(sources) if one.code != "env-not-there"]
    assert {one.code for one in found} == {"wrong-port"}, found
    for one in found:
        assert one.line is not None and "5599" in sources.texts[one.file].splitlines()[one.line - 1], found


# -- variables


names = st.sampled_from(["A", "B_1", "ZEP", "x"])
texts = st.recursive(
    st.text("ab:/@.- ", max_size=4),
    lambda inner: st.one_of(
        st.builds(
            lambda name, sign, rest: f"${{{name}{sign}{rest}}}", names, st.sampled_from([":-", "-", ":+", "+"]), inner
        ),
        st.builds(lambda one, other: one + other, inner, inner),
        names.map(lambda name: f"${{{name}}}"),
    ),
    max_leaves=6,
)


def as_compose_does(text: str, known: dict[str, str]) -> str:
    """What a text comes to where all variables that have none are empty: the specification, one brace at a time."""
    at = text.rfind("${")
    while at >= 0:
        end = text.index("}", at)
        name, sign, rest = _parts(text[at + 2 : end])
        value = known.get(name)
        is_there = bool(value) if sign.startswith(":") else value is not None
        if "-" in sign:
            value = value if is_there else rest
        elif "+" in sign:
            value = rest if is_there else ""
        text = text[:at] + (value or "") + text[end + 1 :]
        at = text.rfind("${")
    return text


def _parts(inside: str) -> tuple[str, str, str]:
    name = inside[: next((at for at, sign in enumerate(inside) if sign in ":-+"), len(inside))]
    rest = inside[len(name) :]
    sign = rest[:2] if rest.startswith(":") else rest[:1]
    return name, sign, rest[len(sign) :]


@MODEST
@given(text=texts, known=st.dictionaries(names, st.sampled_from(["", "v", "w x"])))
def test_variables_are_put_in_as_compose_does(text: str, known: dict[str, str]) -> None:
    everything = dict.fromkeys(("A", "B_1", "ZEP", "x"), "") | known
    assert Interpolation(everything, complete=True).put_in(text) == as_compose_does(text, everything)


@MODEST
@given(text=texts, known=st.dictionaries(names, st.sampled_from(["v", "w"])))
def test_what_is_not_known_stays_a_variable(text: str, known: dict[str, str]) -> None:
    made = Interpolation(known).put_in(text)
    if is_known(made):
        assert made == as_compose_does(text, known)
