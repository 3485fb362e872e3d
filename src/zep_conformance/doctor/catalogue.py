"""The catalogue: every finding that there can be, by its code: what is seen, why, and what to do.

The words in braces are filled in from what was found. docs/doctor.md holds the same as a table, and
`zep-conformance explain CODE` shows one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zep_conformance.facts.servers import (
    IMAGES,
    LANGFLUX_VERSION,
    NEWEST_LANGFLUX,
    OPENAI_API_KEY,
    PORTS,
    POSTGRES_DSN,
    ZEP_VERSION,
)

Verdict = Literal["ok", "fault", "note"]

LAYERS = ("URL", "name", "TCP", "TLS", "HTTP", "version", "token", "store", "NLP", "model", "key", "view")
"""In the order in which they are examined. view: Zep as LangFlux sees it."""


@dataclass(frozen=True)
class Entry:
    """One finding that there can be. Its texts have words in braces for what was found."""

    code: str
    layer: str
    verdict: Verdict
    symptom: str
    cause: str
    advice: str


def faults(layer: str, *rows: tuple[str, str, str, str]) -> list[Entry]:
    """Faults of one layer, each (code, symptom, cause, advice)."""
    return [Entry(code, layer, "fault", symptom, cause, advice) for code, symptom, cause, advice in rows]


def notes(layer: str, *rows: tuple[str, str, str, str]) -> list[Entry]:
    """Notes of one layer: worth a word, and no fault."""
    return [Entry(code, layer, "note", symptom, cause, advice) for code, symptom, cause, advice in rows]


URL = [
    *faults(
        "URL",
        (
            "url-unreadable",
            "{shown} is no URL",
            "http:// or the host is missing, there are blanks or quotes around it, or its port is no number",
            f"Write it like http://127.0.0.1:{PORTS['zep']}.",
        ),
        (
            "url-has-path",
            "{shown} has a path or a query",
            "clients put their own path behind it: they drop this one, or double it",
            "Give the bare origin: {origin}",
        ),
    ),
    *notes(
        "URL",
        (
            "url-trailing-slash",
            "{shown} ends with a slash",
            "here that does no harm, but as the Base URL in LangFlux it makes //healthz, which is 404",
            "Write it without: {origin}",
        ),
    ),
]
NETWORK = [
    *faults(
        "name",
        (
            "name-unknown",
            "the name {host} does not resolve",
            "the name is misspelt, is not in DNS, or is known inside a container network only",
            "Check the spelling; from outside a compose project use the host's name and the published port.",
        ),
        (
            "name-lookup-failed",
            "no answer to the question what {host} is: {answer}",
            "this machine's name server does not answer; that says nothing about the name",
            "Check this machine's network and /etc/resolv.conf.",
        ),
    ),
    *faults(
        "TCP",
        (
            "tcp-refused",
            "connection refused by {address} port {port}",
            "the host is there and nothing listens on that port: {part} is down, is on another port, or listens "
            "on another address; 127.0.0.1 inside a container is that container",
            "Is {part} running, and is its port published? See its log.",
        ),
        (
            "tcp-dropped",
            "no answer from {address} port {port} to a connection in {limit} s",
            "a firewall drops it without a word (ufw, or the cloud provider's own), or the address is nobody's",
            "Open port {port} for this machine, in the host's firewall and in the provider's.",
        ),
        (
            "tcp-unreachable",
            "no way to {address}: {answer}",
            "there is no route to that address, or a firewall on the way says so",
            "Check the address, the VPN, and whether this machine has IPv4 or IPv6 as the address needs.",
        ),
    ),
    *notes(
        "TCP",
        (
            "through-proxy",
            "reached through the proxy {proxy}",
            "$HTTP_PROXY or $HTTPS_PROXY is set: name, TCP and TLS are the proxy's business and were not looked at",
            "To look at the server itself, put {host} into $NO_PROXY.",
        ),
    ),
    *faults(
        "TLS",
        (
            "tls-none",
            "the URL says https, but port {port} speaks plain http",
            "TLS is not set up on that port, or the scheme is wrong",
            "Write http://{netloc}, or put a proxy that does TLS in front.",
        ),
        (
            "tls-silent",
            "connected to port {port}, but no TLS handshake in {limit} s",
            "the server hangs, or what listens there waits for something else",
            "Is {part}, or the proxy in front of it, hanging? See its log; check the port.",
        ),
        (
            "tls-expired",
            "its certificate expired on {when}",
            "it was not renewed, or was and the server still shows the old one (or this machine's clock is ahead)",
            "Renew the certificate and reload the server or proxy that shows it.",
        ),
        (
            "tls-not-yet-valid",
            "its certificate is valid from {when} only",
            "the certificate is for later, or this machine's clock is behind",
            "Check this machine's clock first.",
        ),
        (
            "tls-wrong-name",
            "its certificate is not for {host}, but for {names}",
            "the URL names the server otherwise than its certificate, or another server answers there",
            "Use a name that the certificate has, or have it made for {host} as well.",
        ),
        (
            "tls-self-signed",
            "its certificate is self-signed",
            "nobody vouches for it, so neither this machine nor LangFlux trusts it",
            "Get a certificate from an authority, or name its file in $SSL_CERT_FILE (LangFlux: NODE_EXTRA_CA_CERTS).",
        ),
        (
            "tls-unknown-authority",
            "its certificate is from an authority that is unknown here ({answer})",
            "a private authority, or the server leaves out its intermediate certificate",
            "Have the server send its full chain; name a private authority's file in $SSL_CERT_FILE.",
        ),
        (
            "tls-failed",
            "the TLS handshake fails: {answer}",
            "the server wants a client certificate, another version of TLS, or refuses that name",
            "See the log of the server or proxy that does TLS.",
        ),
    ),
    *notes(
        "TLS",
        (
            "tls-expires-soon",
            "its certificate expires on {when}",
            "under two weeks are left, and nobody has renewed it yet",
            "Check that its renewal works.",
        ),
    ),
]
HTTP = [
    *faults(
        "HTTP",
        (
            "http-on-https-port",
            "the URL says http, but port {port} speaks https",
            "the scheme is wrong",
            "Write https://{netloc}",
        ),
        (
            "http-closed",
            "port {port} takes the connection and closes it without an answer",
            "{part} crashes on requests, is still starting, or a forwarded port leads nowhere",
            "See the log of {part}, and what the port is forwarded to.",
        ),
        (
            "http-not-http",
            "what answers on port {port} is not HTTP",
            "another service listens there",
            "Check the port.",
        ),
        (
            "http-silent",
            "connected, but no answer to {path} in {limit} s",
            "{part} hangs, or a proxy waits for it",
            "See the log of {part}; restart it if it hangs.",
        ),
        (
            "proxy-502",
            "a proxy answers 502 to {path}",
            "the proxy is there, and {part} behind it refuses or drops its connections: down, or on another port",
            "Start {part}; check host and port in the proxy's configuration.",
        ),
        (
            "proxy-503",
            "a proxy answers 503 to {path}",
            "the proxy has no healthy {part} to send this to: it is starting, stopped or failing its health check",
            "See the log and the health check of {part}.",
        ),
        (
            "proxy-504",
            "a proxy answers 504 to {path}",
            "{part} behind the proxy does not answer in the proxy's time: it hangs, or a firewall is between them",
            "See the log of {part}; check the network between it and the proxy.",
        ),
        (
            "wrong-host",
            "a proxy answers {status} to {path}: it has nothing under the name {host}",
            "the proxy goes by the name in the URL (the Host header), and knows {part} by another",
            "Give the name that {part} was deployed under; its address, or another name for it, does not do.",
        ),
        (
            "redirect-to-https",
            "{path} is redirected to https",
            "the server wants https; a redirected write becomes a read, so clients fail in odd ways",
            "Write https:// in the URL.",
        ),
        (
            "redirect-to-login",
            "{path} is redirected to a login: {location}",
            "a proxy in front (an identity provider's, Cloudflare Access, oauth2-proxy) wants a person to log in",
            "Let the path /api/v1 past that login, or use the address behind it.",
        ),
        (
            "redirect-elsewhere",
            "{path} is redirected to {location}",
            "this is not where {part} is",
            "Give the address that it is redirected to, if that is {part}.",
        ),
        (
            "proxy-wants-login",
            "{status} to {path}, which {part} itself serves to everybody",
            "a proxy in front wants a user name and password, or lets in known addresses only",
            "Let this machine past that proxy, or use the address behind it.",
        ),
        (
            "out-of-time",
            "the examination as a whole took its {limit} s",
            "everything answers, but very slowly",
            "Run it again nearer to the servers; see their load.",
        ),
    ),
]
ZEP = [
    *faults(
        "version",
        (
            "not-zep",
            "something answers, but it is no Zep: {answer}",
            "the address is another server's (LangFlux, a web page, a proxy's default site)",
            f"Give the address of Zep itself, by default port {PORTS['zep']}, without a path.",
        ),
        (
            "zep-1",
            "it is Zep {version}: 404 on /api/v1, and a chat forgets everything",
            "ghcr.io/getzep/zep:latest is Zep 1.x, which speaks another API (/api/v2, no JWT)",
            f"Pin {IMAGES['zep']}; data of a 1.x database does not carry over.",
        ),
        (
            "zep-too-old",
            "it is Zep {version}",
            "before 0.20 an empty memory and an empty search are 404 and memories have no summary, so clients of "
            "today fail",
            f"Upgrade to {IMAGES['zep']}.",
        ),
        (
            "zep-unhealthy",
            "Zep itself answers {status} to /healthz",
            "it is starting, or has given up",
            "See Zep's log.",
        ),
        (
            "zep-odd-answer",
            "reading an unknown session's memory gives {status}: {answer}",
            "a proxy changes or limits what is asked of /api/v1, or this Zep is broken",
            "Expected 200. Ask Zep directly, without the proxy; see its log.",
        ),
    ),
    *notes(
        "version",
        (
            "zep-untested",
            "it is Zep {version}, newer than any known here",
            f"the newest Zep 0.x that this was tried with is {ZEP_VERSION}",
            "Nothing, if it works.",
        ),
        (
            "version-unsaid",
            "it does not say its version",
            "a proxy removes the header X-Zep-Version, or this Zep was built without a version",
            "Let the header through, so that clients can warn of an old Zep.",
        ),
    ),
    *faults(
        "token",
        (
            "token-missing",
            "401: Zep wants a token, and none was given",
            "ZEP_AUTH_REQUIRED is true",
            "Set $ZEP_TOKEN to the JWT (not the secret) that zepcli -i or `zep-conformance token` printed.",
        ),
        (
            "token-is-secret",
            "the token is no JWT: it is in one piece, as the secret is",
            "the secret (ZEP_AUTH_SECRET) was pasted where the JWT belongs; zepcli -i prints the secret first",
            "Use the second that zepcli -i printed, or make one: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-not-jwt",
            "the token is no JWT",
            "it was cut off, or is the key of something else",
            "A JWT has three pieces with dots between them and begins with eyJ: copy all of it.",
        ),
        (
            "token-bearer-prefix",
            'the token begins with "Bearer"',
            "clients write that word themselves, so Zep is sent it twice",
            'Give the JWT alone, without "Bearer ".',
        ),
        (
            "token-quoted",
            "there are blanks, line ends or quotes in or around the token",
            "it was copied with them, or an .env file keeps its quotes",
            "Give the JWT alone.",
        ),
        (
            "token-unsigned",
            "the token is not signed, or not to its end",
            "its algorithm is none, or some of it was cut off when it was copied",
            "Copy all of it, or make one: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-wrong-algorithm",
            "the token is signed by {algorithm}",
            "Zep takes HS256 only",
            "Make one signed by HS256: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-expired",
            "the token expired on {when}",
            "it was made with an end (exp)",
            "Make a new one: `zep-conformance token`, with $ZEP_AUTH_SECRET set. Tokens of zepcli -i never expire.",
        ),
        (
            "token-not-yet-valid",
            "the token is valid from {when} only (nbf)",
            "it was made for later, or a clock is wrong: the one it was made by, or Zep's",
            "Compare the clocks, then make a new one without nbf.",
        ),
        (
            "token-issued-later",
            "the token was made in the future: {when} (iat)",
            "a clock is wrong: the one it was made by is ahead, or Zep's is behind",
            "Set the clocks, then make a new one.",
        ),
        (
            "token-odd-times",
            "the token's {claims} is no number",
            "times in a JWT are seconds since 1970",
            "Make a new one: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-decoded-secret",
            "the token is signed with the base64-decoded secret",
            "whatever made it took the secret for base64; Zep uses it as the text it is",
            "Sign with the secret's text, undecoded: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-other-secret",
            "the token is not signed with the secret that was given",
            "it was made for another Zep, or before the secret was changed",
            "Make one for this secret: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-refused",
            "the token is well-formed, and Zep refuses it: {answer}",
            "it is signed with another secret than this Zep's: made for another Zep, or before its secret changed",
            "Make one with this Zep's ZEP_AUTH_SECRET; give the secret too, and it is checked here.",
        ),
        (
            "token-stripped",
            "a good-looking token was sent, and Zep says that it got none",
            "a proxy in front removes or replaces the Authorization header",
            "Have the proxy pass Authorization on (no basic login of its own on this address).",
        ),
        (
            "secret-not-zeps",
            "the token fits the secret that was given, and Zep refuses it",
            "this Zep runs with another secret: its environment was changed, or it was not restarted since",
            "Compare ZEP_AUTH_SECRET in the environment of the running Zep with this one, quotes and blanks included.",
        ),
        (
            "secret-unlike-token",
            "Zep accepts the token, which does not fit the secret that was given",
            "the secret is another Zep's, or has blanks or quotes around it: tokens made with it will be refused",
            "Give the ZEP_AUTH_SECRET that this Zep runs with.",
        ),
        (
            "secret-is-token",
            "what was given as the secret is a JWT",
            "secret and token were swapped",
            "$ZEP_AUTH_SECRET is what Zep has; $ZEP_TOKEN is the JWT that begins with eyJ.",
        ),
    ),
    *notes(
        "token",
        (
            "token-expires-soon",
            "the token expires on {when}",
            "it was made with an end (exp)",
            "Replace it before that, in LangFlux's credential too: from then on every chat fails.",
        ),
        (
            "zep-open",
            "this Zep answers everybody, without a token",
            "ZEP_AUTH_REQUIRED is not true",
            "Fine where only your own machines reach it; else set ZEP_AUTH_REQUIRED and ZEP_AUTH_SECRET.",
        ),
        (
            "secret-published",
            "this Zep lets in whoever makes a token with the secret that Zep is published with",
            "ZEP_AUTH_SECRET is not set, and Zep took the one in its own config.yaml; or somebody copied it from there",
            "Set ZEP_AUTH_SECRET to a secret of your own (`zep-conformance token` makes one), and restart Zep.",
        ),
    ),
]
STORE = [
    *faults(
        "store",
        (
            "store-down",
            "/healthz is fine, but reading a memory gives {status}: {answer}",
            "PostgreSQL is down or refuses Zep; /healthz does not look at it",
            f"Start PostgreSQL, check {POSTGRES_DSN} and the disk; Zep need not be restarted.",
        ),
        (
            "store-silent",
            "/healthz is fine, but reading a memory takes more than {limit} s",
            "PostgreSQL hangs, is overloaded, or a firewall drops Zep's connections to it",
            "See PostgreSQL's log and load, and the network between it and Zep.",
        ),
        (
            "write-refused",
            "a write is answered {status}: {answer}",
            "PostgreSQL takes no writes (disk full, a read-only replica), or a proxy lets only reads through",
            "See the logs of Zep and PostgreSQL.",
        ),
        (
            "write-lost",
            "a write was acknowledged, and {found} of {count} messages can be read",
            "reads go to another database than writes, or two Zeps answer behind one address",
            "See that one Zep, with one PostgreSQL, is behind this address.",
        ),
    ),
    *notes(
        "store",
        (
            "store-recovering",
            "reading a memory failed {count} times, then worked",
            "PostgreSQL was restarted a moment ago: each of Zep's old connections fails once",
            "Nothing; if it goes on, see PostgreSQL's log.",
        ),
        (
            "left-behind",
            "{what} could not be removed ({answer})",
            "it was made for this examination",
            "Remove it by hand when the server works again.",
        ),
    ),
    *faults(
        "NLP",
        (
            "nlp-down",
            "searching gives {status}: {answer}",
            "Zep can't reach its NLP server: zep-nlp is down, or ZEP_NLP_SERVER_URL is wrong",
            "Start zep-nlp and see its log; memories are kept meanwhile and enriched when it is back.",
        ),
        (
            "nlp-silent",
            "a search has no answer in {limit} s",
            "the NLP server is down, hangs or is slow: Zep asks it again and again, and gives up after 31 s",
            f"Is zep-nlp running (GET /healthz on its port {PORTS['nlp']})? It needs about 1 GB of memory to "
            "load its models.",
        ),
        (
            "embedding-width",
            "embeddings are of another width than the database's column: {answer}",
            "the embedding service was changed: local ones have 384 numbers, OpenAI's 1536",
            "Set extractors.messages.embeddings (service, dimensions) to what the data was made with, or start anew.",
        ),
        (
            "search-odd-answer",
            "searching gives {status}: {answer}",
            "neither the NLP server nor an embedding's width is named",
            "See Zep's log.",
        ),
        (
            "not-enriched",
            "a message that was written was not enriched in {limit} s",
            "the NLP server answers searches, but Zep's queues do not move",
            "See Zep's log; clearing sessions before they are enriched stalls the queues for 14 s each.",
        ),
    ),
    *notes(
        "NLP",
        (
            "nlp-slow",
            "a search takes {seconds} s",
            "the NLP server or the embedding service is slow (a first request loads its models)",
            "Look again; if it stays so, give zep-nlp more processor and memory.",
        ),
    ),
]
MODEL = [
    *faults(
        "model",
        (
            "model-url-without-v1",
            "{shown} has no OpenAI-compatible API, but {shown}/v1 has",
            "the /v1 is missing",
            "Write {shown}/v1",
        ),
        (
            "model-no-api",
            "{shown}/models gives {status}",
            "no OpenAI-compatible API is there",
            "Give the base URL of one, with /v1.",
        ),
        (
            "not-summarised",
            "{count} messages were written, and neither a summary nor an intent came in {limit} s",
            "Zep can't reach its language model, or the model refuses its key",
            f"Check {OPENAI_API_KEY} (or the model's endpoint) in Zep's environment; see Zep's log.",
        ),
    ),
    *notes(
        "model",
        (
            "model-out-of-sight",
            "the model server can't be reached from here: {symptom}",
            "its URL is the one that LangFlux uses, and may be right there (a name inside a container network)",
            "Nothing, if chats are answered.",
        ),
        (
            "model-wants-key",
            "the model server answers {status} without a key",
            "it wants a key, which is not this examination's to have; LangFlux and Zep have theirs",
            "Nothing, if theirs are good.",
        ),
        (
            "summary-missing",
            "{count} messages were written and no summary came in {limit} s",
            "memory.message_window is larger: below it no summary is expected (12 by default)",
            "Nothing; or give --message-window.",
        ),
        (
            "intent-missing",
            "no intent was found for a message in {limit} s",
            "extractors.messages.intent is off, or the model is slow",
            "Nothing, unless intents are wanted.",
        ),
    ),
]
LANGFLUX = [
    *faults(
        "version",
        (
            "not-langflux",
            "/api/v1/ping gives {status} and not pong",
            "the address is another server's, or has a path in front of LangFlux",
            f"Give the address of LangFlux (or Flowise) itself, by default port {PORTS['langflux']}, without a path.",
        ),
    ),
    *notes(
        "version",
        (
            "langflux-untested",
            "it is Flowise {version}, newer than any known here",
            "the newest that this was tried with is {newest}",
            "Nothing, if it works.",
        ),
    ),
    *faults(
        "key",
        (
            "langflux-key-missing",
            "401 on everything but predictions, and no API key was given",
            "since 2.0.7 the API wants a key",
            "Make one in LangFlux's page under API Keys and set $LANGFLUX_API_KEY.",
        ),
        (
            "langflux-key-wrong",
            "LangFlux refuses the API key: {status}",
            "it is another server's key, was deleted, or is no key (Zep's token, blanks around it)",
            "Copy one from API Keys in LangFlux's page.",
        ),
        (
            "langflux-login-needed",
            "401, and no API key was given: this LangFlux wants a login",
            "since 3.0.1 there are accounts; before that, FLOWISE_USERNAME and FLOWISE_PASSWORD are set",
            "Set $LANGFLUX_USER and $LANGFLUX_PASSWORD; or make a key in LangFlux's page, and set $LANGFLUX_API_KEY.",
        ),
        (
            "langflux-login-wrong",
            "LangFlux refuses the user or the password: {status}",
            "one of them is mistyped, or another server's; since 3.0.1 the user is an e-mail address",
            "Try them on LangFlux's page; set $LANGFLUX_USER and $LANGFLUX_PASSWORD, or $LANGFLUX_API_KEY alone.",
        ),
        (
            "langflux-login-broken",
            "LangFlux itself answers the login {status}: {answer}",
            f"its database: on SQLite Flowise {NEWEST_LANGFLUX} takes no more logins after two at once, until it "
            "is restarted",
            "Restart LangFlux, and see its log; with $LANGFLUX_API_KEY no login is needed.",
        ),
        (
            "langflux-not-set-up",
            "nobody has an account on this LangFlux yet",
            "it was just installed: until somebody has registered on its page, nobody is let in",
            "Open its page and register, then set $LANGFLUX_USER and $LANGFLUX_PASSWORD.",
        ),
        (
            "langflux-no-zep-memory",
            "it has no node Zep Memory ({status})",
            "a version without it, or one in which it is disabled (DISABLED_NODES)",
            f"Use Flowise {LANGFLUX_VERSION}, or enable the node.",
        ),
    ),
]
VIEW = [
    *faults(
        "view",
        (
            "view-loopback",
            "LangFlux is to find Zep at {shown}, but {why}",
            "127.0.0.1 is then LangFlux's own machine or container, and there is no Zep in it: fetch failed",
            f"Set the Base URL to http://zep:{PORTS['zep']} within one compose project, "
            f"http://host.docker.internal:{PORTS['zep']} from a container, or the host's own name; and give it here "
            "as --zep-url-from-langflux.",
        ),
        (
            "view-trailing-slash",
            "the Base URL in LangFlux, {shown}, ends with a slash",
            "LangFlux asks //healthz, which is 404: failed to connect to Zep",
            "Write it without: {origin}",
        ),
        (
            "view-unreachable",
            "LangFlux can't reach Zep at {shown}: {answer}",
            "that address is not Zep's from where LangFlux runs, or a firewall is between them",
            "Try it from LangFlux's host or container: curl {origin}/healthz",
        ),
        (
            "view-token",
            "Zep at {shown} refuses LangFlux: {answer}",
            "the Zep that LangFlux reaches wants another token than the one given here",
            "Put that Zep's JWT into the Zep credential's API Key field, and select the credential on the node.",
        ),
        (
            "view-forgets",
            "LangFlux answers, and Zep has {count} messages of that conversation",
            "LangFlux reaches another Zep than the one looked at here, or its write failed without a word",
            "Compare the Base URL on the node with Zep's address; see Zep's log for the write.",
        ),
        (
            "view-failed",
            "a prediction through a temporary chatflow gives {status}: {answer}",
            "LangFlux can't reach the model server at the URL given, or the chatflow does not run there",
            "See LangFlux's log; is the model's URL right from where LangFlux runs?",
        ),
    ),
    *notes(
        "view",
        (
            "view-unchecked",
            "whether LangFlux reaches Zep at {shown} can't be seen from here",
            "only LangFlux itself can tell",
            "Add --write and --model-url: a temporary chatflow then tries it, and is removed.",
        ),
    ),
]

CATALOGUE: dict[str, Entry] = {
    entry.code: entry
    for entry in sorted(
        (*URL, *NETWORK, *HTTP, *ZEP, *STORE, *MODEL, *LANGFLUX, *VIEW), key=lambda entry: LAYERS.index(entry.layer)
    )
}
"""Every finding but `ok`, by its code, in the order of the layers."""
