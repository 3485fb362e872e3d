"""What can be found on the way to a server: its URL, name, TCP, TLS and HTTP."""

from __future__ import annotations

from zep_conformance.doctor.entries import faults, notes

URL = [
    *faults(
        "URL",
        (
            "url-unreadable",
            "{shown} is no URL",
            "http:// or the host is missing, there are blanks or quotes around it, or its port is no number",
            "Write it like http://127.0.0.1:8000.",
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
            "no answer to the question what {host} is: {said}",
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
            "no way to {address}: {said}",
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
            "its certificate is from an authority that is unknown here ({said})",
            "a private authority, or the server leaves out its intermediate certificate",
            "Have the server send its full chain; name a private authority's file in $SSL_CERT_FILE.",
        ),
        (
            "tls-failed",
            "the TLS handshake fails: {said}",
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
