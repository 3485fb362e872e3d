"""Shapes of projects in which Zep is reached in other ways than by its ports, and of what is open beside it."""

from __future__ import annotations

from typing import Any

from tests.support.deployment_shapes import COMPOSE, Project, Shape, put, shape

TRAEFIK = [
    "traefik.enable=true",
    "traefik.http.routers.zep.rule=Host(`zep.example.org`)",
    "traefik.http.services.zep.loadbalancer.server.port=8000",
]


def closed(**changes: Any) -> Project:
    """The project with no port of Zep's opened."""
    made = Project()
    del made.zep["ports"]
    made.zep.update(changes)
    return made


def behind(image: str, conf: str, mounted: str, *, name: str = "proxy", inside: str = "", **changes: Any) -> Project:
    """The project with a proxy before Zep. inside: where its configuration is put; mounted: the file of it."""
    made = closed()
    volumes = [f"./{mounted}:{inside}"] if inside else []
    made.services[name] = {
        "image": image,
        "restart": "always",
        "ports": ["80:80", "443:443"],
        "volumes": volumes,
        **changes,
    }
    if conf:
        made.files[mounted] = conf
    return made


def open_zep(made: Project) -> Project:
    """Let a Zep demand no token."""
    made.zep["environment"]["ZEP_AUTH_REQUIRED"] = "false"
    del made.zep["environment"]["ZEP_AUTH_SECRET"]
    return made


NGINX = "server {\n  listen 443 ssl;\n  location / {\n    proxy_pass http://zep:8000;\n  }\n}\n"
CADDY = "zep.example.org {\n  reverse_proxy zep:8000\n}\n"


@shape("nginx with an upstream")
def _() -> Shape:
    conf = "http {\n  upstream m {\n    server zep:8000;\n  }\n  server { location / { proxy_pass http://m; } }\n}\n"
    return behind("nginx:1.27-alpine", conf, "nginx.conf", inside="/etc/nginx/nginx.conf:ro").shape()


@shape("nginx that leads to another port")
def _() -> Shape:
    return behind(
        "nginx:1.27", put(NGINX, "zep:8000", "zep:8080"), "n/zep.conf", inside="/etc/nginx/conf.d/zep.conf"
    ).shape(("port-wrong", "n/zep.conf", "zep:8080"))


@shape("nginx that leads to another service")
def _() -> Shape:
    return behind("nginx:1.27", put(NGINX, "zep:8000", "shop:8000"), "n.conf", inside="/etc/nginx/conf.d/z.conf").shape(
        ("port-closed", COMPOSE, "zep:")
    )


@shape("nginx whose line is a comment")
def _() -> Shape:
    conf = put(NGINX, "    proxy_pass", "    # proxy_pass")
    return behind("nginx:1.27", conf, "n.conf", inside="/etc/nginx/nginx.conf").shape(("port-closed", COMPOSE))


@shape("nginx before a Zep that demands no token")
def _() -> Shape:
    made = open_zep(behind("nginx:1.27", NGINX, "n.conf", inside="/etc/nginx/conf.d/default.conf"))
    return made.shape(("open-to-everybody", COMPOSE, "ZEP_AUTH_REQUIRED"))


@shape("nginx that asks for a password before a Zep that demands no token")
def _() -> Shape:
    conf = put(NGINX, "    proxy_pass", '    auth_basic "Zep";\n    proxy_pass')
    return open_zep(behind("nginx:1.27", conf, "n.conf", inside="/etc/nginx/conf.d/default.conf")).shape()


@shape("nginx before a Zep with its web page on")
def _() -> Shape:
    made = behind("nginx:1.27", NGINX, "n.conf", inside="/etc/nginx/conf.d/default.conf")
    made.zep["environment"]["ZEP_SERVER_WEB_ENABLED"] = "true"
    return made.shape(("admin-open", COMPOSE, "WEB_ENABLED"))


@shape("nginx that leads to the API only, before a Zep with its web page on")
def _() -> Shape:
    made = behind("nginx:1.27", put(NGINX, "location /", "location /api/"), "n.conf", inside="/etc/nginx/conf.d/d.conf")
    made.zep["environment"]["ZEP_SERVER_WEB_ENABLED"] = "true"
    return made.shape()


@shape("Caddy")
def _() -> Shape:
    return behind("caddy:2.8-alpine", CADDY, "Caddyfile", inside="/etc/caddy/Caddyfile").shape()


@shape("Caddy by its command")
def _() -> Shape:
    return behind("caddy:2", "", "", command="caddy reverse-proxy --from zep.example.org --to zep:8000").shape()


@shape("Caddy by labels")
def _() -> Shape:
    made = closed(labels={"caddy": "zep.example.org", "caddy.reverse_proxy": "{{upstreams 8000}}"})
    return made.shape()


@shape("Caddy by labels, to another port")
def _() -> Shape:
    made = closed(labels={"caddy": "zep.example.org", "caddy.reverse_proxy": "{{upstreams 8080}}"})
    return made.shape(("port-wrong", COMPOSE, "8080"))


@shape("HAProxy")
def _() -> Shape:
    conf = "frontend f\n  bind *:80\n  default_backend b\nbackend b\n  server z1 zep:8000 check\n"
    return behind("haproxy:3.0", conf, "haproxy.cfg", inside="/usr/local/etc/haproxy/haproxy.cfg").shape()


@shape("Traefik by labels, as a list")
def _() -> Shape:
    return closed(labels=TRAEFIK).shape()


@shape("Traefik by labels, as a mapping, with the proxy in the project")
def _() -> Shape:
    made = closed(labels=dict(one.split("=", 1) for one in TRAEFIK))
    made.services["traefik"] = {
        "image": "traefik:v3.1",
        "ports": ["443:443"],
        "volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"],
    }
    return made.shape()


@shape("Traefik by labels without a port")
def _() -> Shape:
    return closed(labels=TRAEFIK[:2]).shape()


@shape("Traefik by labels, to another port")
def _() -> Shape:
    return closed(labels=[*TRAEFIK[:2], TRAEFIK[2].replace("8000", "8080")]).shape(("port-wrong", COMPOSE, "8080"))


@shape("Traefik that is switched off")
def _() -> Shape:
    return closed(labels=["traefik.enable=false", *TRAEFIK[1:]]).shape(("port-closed", COMPOSE))


@shape("Traefik before a Zep that demands no token")
def _() -> Shape:
    return open_zep(closed(labels=TRAEFIK)).shape(("open-to-everybody", COMPOSE))


@shape("Traefik that asks for a login before a Zep that demands no token")
def _() -> Shape:
    guard = "traefik.http.routers.zep.middlewares=zep-auth@docker"
    return open_zep(closed(labels=[*TRAEFIK, guard])).shape()


@shape("Traefik that leads to the NLP server")
def _() -> Shape:
    made = Project()
    made.services["zep-nlp"]["labels"] = [
        "traefik.enable=true", "traefik.http.routers.nlp.rule=Host(`nlp.example.org`)",
    ]  # fmt: skip
    return made.shape(("exposed", COMPOSE, "nlp.example.org"))


@shape("Traefik that leads to the database")
def _() -> Shape:
    made = Project()
    made.services["zep-postgres"]["deploy"] = {
        "labels": {
            "traefik.enable": "true",
            "traefik.tcp.routers.pg.rule": "HostSNI(`*`)",
            "traefik.tcp.services.pg.loadbalancer.server.port": "5432",
        }
    }
    return made.shape(("exposed", COMPOSE, "5432"))


@shape("nginx-proxy by variables")
def _() -> Shape:
    made = closed()
    made.zep["environment"] |= {"VIRTUAL_HOST": "zep.example.org", "VIRTUAL_PORT": "8000"}
    return made.shape()


@shape("a proxy with a page of its own")
def _() -> Shape:
    return behind("jc21/nginx-proxy-manager:2.11.3", "", "").shape(("proxy-unseen", COMPOSE, "zep:"))


@shape("a tunnel whose ways are said elsewhere")
def _() -> Shape:
    made = behind("cloudflare/cloudflared:2024.8.3", "", "", command="tunnel run")
    del made.services["proxy"]["ports"]
    return made.shape(("proxy-unseen", COMPOSE))


@shape("the machine's network")
def _() -> Shape:
    made = closed(network_mode="host")
    env = made.zep["environment"]
    env["ZEP_NLP_SERVER_URL"] = "http://127.0.0.1:5557"
    env["ZEP_STORE_POSTGRES_DSN"] = env["ZEP_STORE_POSTGRES_DSN"].replace("@zep-postgres:5432", "@localhost:5433")
    made.services["zep-nlp"]["ports"] = ["127.0.0.1:5557:5557"]
    made.services["zep-postgres"]["ports"] = ["127.0.0.1:5433:5432"]
    return made.shape()


@shape("the NLP server in the machine's network")
def _() -> Shape:
    made = Project()
    made.services["zep-nlp"]["network_mode"] = "host"
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://host.docker.internal:5557"
    made.zep["extra_hosts"] = ["host.docker.internal:host-gateway"]
    return made.shape(("exposed", COMPOSE))


@shape("the network of another container")
def _() -> Shape:
    made = closed(network_mode="service:gate")
    made.services["gate"] = {"image": "nginx:1.27", "ports": ["8000:8000"]}
    return made.shape()


@shape("an address that only containers reach")
def _() -> Shape:
    made = open_zep(Project())
    made.zep["ports"] = ["172.17.0.1:8000:8000"]
    return made.shape()


@shape("an address of a private network, long")
def _() -> Shape:
    made = open_zep(Project())
    made.zep["ports"] = [{"target": 8000, "published": "8000", "host_ip": "10.0.0.7"}]
    return made.shape()


@shape("the NLP server's port at an address that only containers reach")
def _() -> Shape:
    made = Project()
    made.services["zep-nlp"]["ports"] = ["172.17.0.1:5557:5557"]
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://172.17.0.1:5557"
    return made.shape()


@shape("the machine's own address, and LangFlux beside it")
def _() -> Shape:
    made = Project()
    made.zep["ports"] = ["127.0.0.1:8000:8000"]
    made.services["flowise"] = {"image": "docker.io/flowiseai/flowise:2.2.8", "ports": ["3000:3000"]}
    return made.shape()


@shape("LangFlux in another network of the project")
def _() -> Shape:
    made = closed(networks=["back"])
    for name in ("zep-nlp", "zep-postgres"):
        made.services[name]["networks"] = ["back"]
    made.services["flowise"] = {"image": "flowiseai/flowise:2.2.8", "ports": ["3000:3000"], "networks": ["front"]}
    made.document["networks"] = {"front": {}, "back": {}}
    return made.shape(("port-closed", COMPOSE, "zep:"))


@shape("LangFlux built here, with expose")
def _() -> Shape:
    made = closed(expose=["8000"])
    made.services["langflux"] = {"build": "./langflux", "ports": ["3000:3000"]}
    return made.shape()


@shape("an application of one's own that is told Zep's address")
def _() -> Shape:
    made = closed()
    made.services["backend"] = {"build": "./backend", "environment": {"MEMORY_URL": "http://zep:8000"}}
    return made.shape()


@shape("expose to whoever joins a network")
def _() -> Shape:
    made = closed(expose=["8000"], networks=["default", "web"])
    made.document["networks"] = {"web": {"external": True}}
    return made.shape(("reached-inside", COMPOSE))


@shape("Coolify")
def _() -> Shape:
    made = closed()
    made.zep["environment"]["SERVICE_FQDN_ZEP_8000"] = "/"
    return made.shape()


@shape("nobody at all")
def _() -> Shape:
    return closed(expose=["8000"]).shape(("port-closed", COMPOSE, "zep:"))


@shape("Traefik that asks for a login at /admin alone")
def _() -> Shape:
    admin = "traefik.http.routers.admin.rule=Host(`zep.example.org`) && PathPrefix(`/admin`)"
    made = closed(labels=[*TRAEFIK, admin, "traefik.http.routers.admin.middlewares=zep-auth"])
    made.zep["environment"]["ZEP_SERVER_WEB_ENABLED"] = "true"
    return made.shape()


@shape("Traefik that asks for a login at /admin alone, before a Zep that demands no token")
def _() -> Shape:
    admin = "traefik.http.routers.admin.rule=Host(`zep.example.org`) && PathPrefix(`/admin`)"
    made = open_zep(closed(labels=[*TRAEFIK, admin, "traefik.http.routers.admin.middlewares=zep-auth"]))
    return made.shape(("open-to-everybody", COMPOSE))


@shape("a port of the NLP server's container that it does not listen on")
def _() -> Shape:
    made = Project()
    made.services["zep-nlp"]["ports"] = ["5555:5555"]
    return made.shape()


@shape("nginx by a template and variables")
def _() -> Shape:
    conf = put(
        NGINX, "    proxy_pass http://zep:8000", "    proxy_set_header Host $host;\n    proxy_pass http://${UPSTREAM}"
    )
    made = behind("nginx:1.27", conf, "t/z.conf.template", inside="/etc/nginx/templates/z.conf.template")
    made.services["proxy"]["environment"] = {"UPSTREAM": "zep:8001"}
    return made.shape(("port-wrong", "t/z.conf.template", "UPSTREAM"))


@shape("nginx in another network of the project")
def _() -> Shape:
    made = behind("nginx:1.27", NGINX, "n.conf", inside="/etc/nginx/conf.d/default.conf", networks=["front"])
    made.document["networks"] = {"front": {}}
    return made.shape(("networks-apart", COMPOSE, "proxy:"))


@shape("nginx in the machine's network")
def _() -> Shape:
    conf = put(NGINX, "http://zep:8000", "http://127.0.0.1:8000")
    made = behind("nginx:1.27", conf, "n.conf", inside="/etc/nginx/conf.d/default.conf", network_mode="host")
    del made.services["proxy"]["ports"]
    made.zep["ports"] = ["127.0.0.1:8000:8000"]
    return open_zep(made).shape(("open-to-everybody", COMPOSE))


@shape("Caddy by a variable")
def _() -> Shape:
    made = behind("caddy:2", put(CADDY, "zep:8000", "{$ZEP:zep:8080}"), "Caddyfile", inside="/etc/caddy/Caddyfile")
    made.services["proxy"]["environment"] = ["ZEP=zep:8000"]
    return made.shape()


@shape("Traefik by a file, in a folder")
def _() -> Shape:
    conf = "http:\n  services:\n    zep:\n      loadBalancer:\n        servers:\n          - url: http://zep:8000\n"
    made = behind("traefik:v3.1", "", "dynamic", inside="/dynamic:ro", command=["--providers.file.directory=/dynamic"])
    made.files["dynamic/zep.yml"] = conf
    return made.shape()


@shape("Envoy, with the port on a line of its own")
def _() -> Shape:
    conf = "a:\n  socket_address:\n    address: zep\n    port_value: 8000\n"
    return behind("envoyproxy/envoy:v1.31.0", conf, "envoy.yaml", inside="/etc/envoy/envoy.yaml").shape()


@shape("a tunnel whose ways are said here, before a Zep that demands no token")
def _() -> Shape:
    conf = "tunnel: a\ningress:\n  - hostname: zep.example.org\n    service: http://zep:8000\n"
    made = behind("cloudflare/cloudflared:2024.8.3", conf, "cf.yml", inside="/etc/cloudflared/config.yml")
    del made.services["proxy"]["ports"]
    return open_zep(made).shape(("open-to-everybody", COMPOSE))


@shape("LangFlux in the machine's network, and no port")
def _() -> Shape:
    made = closed()
    made.services["flowise"] = {"image": "flowiseai/flowise:2.2.8", "network_mode": "host"}
    return made.shape(("port-closed", COMPOSE))


@shape("a proxy that is built here on nginx")
def _() -> Shape:
    made = closed()
    made.services["edge"] = {"build": "./edge", "ports": ["443:443"]}
    made.files["edge/Dockerfile"] = "FROM nginx:1.27-alpine\nCOPY zep.conf /etc/nginx/conf.d/\n"
    made.files["edge/zep.conf"] = put(NGINX, "zep:8000", "zep:8005")
    return made.shape(("port-wrong", "edge/zep.conf", "zep:8005"))


@shape("SWAG, which is told host and port apart")
def _() -> Shape:
    conf = "location / {\n  set $upstream_app zep;\n  set $upstream_port 8000;\n  proxy_pass http://$upstream_app:$upstream_port;\n}\n"
    made = behind("lscr.io/linuxserver/swag:2.11.0", conf, "swag/nginx/site-confs/zep.conf")
    made.services["proxy"]["volumes"] = ["./swag:/config"]
    return made.shape()


@shape("the network of a container of another project")
def _() -> Shape:
    made = closed(network_mode="container:gluetun")
    made.zep["environment"]["ZEP_NLP_SERVER_URL"] = "http://127.0.0.1:5557"
    made.zep["environment"]["ZEP_STORE_POSTGRES_DSN"] = "${DSN:-}"
    made.services["zep-nlp"]["network_mode"] = "container:gluetun"
    made.services["zep-postgres"]["network_mode"] = "container:gluetun"
    made.files[".env"] += "DSN=postgres://zep:5f0d9a7c3b1e4d2f6a8b@127.0.0.1:5432/zep?sslmode=disable\n"
    return made.shape(("reached-inside", COMPOSE))


@shape("nginx that leads everybody to the database")
def _() -> Shape:
    conf = "stream {\n  server {\n    listen 5432;\n    proxy_pass zep-postgres:5432;\n  }\n}\n"
    made = behind("nginx:1.27", conf, "n.conf", inside="/etc/nginx/nginx.conf")
    made.zep["ports"] = ["8000:8000"]
    return made.shape(("exposed", "n.conf", "zep-postgres:5432"))
