"""What can be found between applications, and between them and the world."""

from __future__ import annotations

from zep_conformance.doctor.catalogue import faults, notes

APPLICATIONS = [
    *faults(
        "applications",
        (
            "application-missing",
            "there is no {missing}",
            "a Zep has three applications: zep, zep-nlp (search and entities) and zep-postgres (memory)",
            "Add it.",
        ),
    ),
    *notes(
        "applications",
        (
            "application-elsewhere",
            "there is no {missing} here, and zep is told to use one elsewhere",
            "it is made in another way, so that nothing can be said of it",
            "Make sure that it is there: {need}.",
        ),
        (
            "application-unseen",
            "there is no {missing} among these files",
            "on Fly.io each app has a file of its own, and this one's was not given",
            "Give it too, to have it looked at with the others.",
        ),
        (
            "zep-private",
            "{application} has no address outside Render",
            "it is of type {type}; the documentation copies a public address into LangFlux",
            "Make it type web, unless LangFlux runs in the same private network.",
        ),
    ),
]

WIRING = [
    *faults(
        "wiring",
        (
            "not-wired",
            "{application} is not told where its {other} is: {variable} is not set",
            "without it Zep looks on its own machine ({default}), where there is none",
            "{how}",
        ),
        (
            "wired-to-itself",
            "{variable} says {host}, which inside {application} is {application} itself",
            "each application has a machine or a container of its own",
            "Use the other application's name: {name}.",
        ),
        (
            "wired-elsewhere",
            "{variable} leads to {host}, and no {other} is called that",
            "the name is mistyped, or that application is missing here or was renamed",
            "The names there are: {names}.",
        ),
        (
            "wired-by-type",
            "{variable} refers to {host} as {type}, and it is {actual}",
            "a reference must say the type that the other application has",
            "Write {actual}.",
        ),
        (
            "wired-wrong-property",
            "{variable} takes the {what} of {host}",
            "{why}",
            "{how}",
        ),
        (
            "url-malformed",
            "{variable} is no URL of the kind that Zep wants: {why}",
            "Zep hands it to its HTTP client, or its database driver, as it is",
            "Write it like {like}.",
        ),
        (
            "hostport-ignored",
            "{image} does not look at ZEP_NLP_SERVER_HOSTPORT",
            "only the start script of the image zep-cloud does",
            "Use ghcr.io/getzep/zep-cloud, or set ZEP_NLP_SERVER_URL to the whole URL.",
        ),
        (
            "wrong-port",
            "{variable} says port {port}, and {host} listens on {actual}",
            "nothing answers on the other port",
            "Use {actual}.",
        ),
        (
            "networks-apart",
            "{application} and {host} are in no network together",
            "containers find each other in a network that they share",
            "Put both into one, or leave networks out: then there is a default one.",
        ),
        (
            "internal-is-ipv6",
            "{variable} uses {host}",
            "names in .internal are IPv6 only, and Zep's NLP server listens on IPv4 only: connection refused",
            "Use {name}, and give that app a service in its fly.toml.",
        ),
        (
            "flycast-without-service",
            "{variable} uses {host}, and that app has no service on port {port}",
            "a .flycast address leads to Fly.io's proxy, which serves the ports of services only",
            "Add [[services]] with such a port to its fly.toml.",
        ),
        (
            "flycast-forces-https",
            "{host} sends HTTP on to https",
            "force_https is set, and a .flycast address has no certificate",
            "Take force_https out of that app's fly.toml.",
        ),
        (
            "credentials-differ",
            "ZEP_STORE_POSTGRES_DSN has another {what} than {host} is made with ({variable})",
            "the database lets in whom it was made with: password authentication failed, or no such database",
            "Make them the same.",
        ),
        (
            "database-without-tls",
            "ZEP_STORE_POSTGRES_DSN does not say sslmode=disable, and {host} offers no TLS",
            "Zep's driver asks for TLS unless it is told not to, and does not try without",
            "Add ?sslmode=disable to it.",
        ),
    ),
]

PORT = [
    *faults(
        "port",
        (
            "port-closed",
            "{application} can't be reached from outside: no port of it is opened",
            "{why}",
            "{how}",
        ),
        (
            "port-wrong",
            "port {port} of {application} is opened, and it listens on {actual}",
            "{why}",
            "Use {actual}, or set ZEP_SERVER_PORT to {port}.",
        ),
        (
            "listens-on-loopback",
            "{application} listens on {host} only",
            "ZEP_SERVER_HOST says so: nobody outside its own container reaches it",
            "Take ZEP_SERVER_HOST out, or set it to 0.0.0.0.",
        ),
    ),
    *notes(
        "port",
        (
            "port-unsaid",
            "{application} does not tell Render its port",
            "PORT is not set: Render looks for an open port itself, and expects 10000",
            'Set PORT to "{actual}".',
        ),
        (
            "port-local",
            "port {port} is opened on this machine's own address only",
            "the address before it is 127.0.0.1: a LangFlux on another machine, or in a container, does not reach it",
            "Leave the address out, unless a proxy on this machine stands before it.",
        ),
    ),
]

HEALTH = [
    *faults(
        "health",
        (
            "health-check-missing",
            "{application} has no health check",
            "nobody notices when it does not answer any more, and a new version takes over before it works",
            "{how}",
        ),
        (
            "health-check-elsewhere",
            "the health check of {application} asks for {asked}",
            "Zep is asked at /healthz on port {actual}; elsewhere it answers 404, or 401 where it demands tokens",
            "Ask for /healthz there.",
        ),
        (
            "health-check-cannot-run",
            "the health check of {application} needs {tool}",
            "{why}: it fails for ever",
            "Use bash's /dev/tcp for Zep, and python for its NLP server; docs/deployment-files.md has both.",
        ),
    ),
    *notes(
        "health",
        (
            "health-check-shallow",
            "the health check of {application} only opens a connection",
            "a Zep that hangs still accepts those",
            "Ask for /healthz over HTTP.",
        ),
    ),
]

EXPOSURE = [
    *faults(
        "exposure",
        (
            "exposed",
            "{application} can be reached from outside, on port {port}",
            "{why}",
            "{how}",
        ),
        (
            "database-open",
            "everybody may try to get into {application}",
            "{why}",
            "Set ipAllowList: [] to let only other applications in.",
        ),
        (
            "admin-open",
            "{application} demands tokens, and shows everybody's sessions at /admin without one",
            "Zep's web page asks for no token, can delete, and is on unless ZEP_SERVER_WEB_ENABLED is false",
            'Set ZEP_SERVER_WEB_ENABLED to "false".',
        ),
    ),
    *notes(
        "exposure",
        (
            "open-to-everybody",
            "{application} has a public address, and demands no token",
            "ZEP_AUTH_REQUIRED is not true: whoever knows the address reads and deletes every memory",
            "Set ZEP_AUTH_REQUIRED and ZEP_AUTH_SECRET (`zep-conformance token`), and ZEP_SERVER_WEB_ENABLED to false.",
        ),
        (
            "keep-private",
            "{application} must have no public address",
            "its fly.toml has a service, for its .flycast address; by default such an app gets a public one, too",
            "Deploy it with --flycast, and see `fly ips list -a {application}`: only a private one.",
        ),
    ),
]
