"""The doctor and certificates: each fault is made for real, by an authority of the tests' own."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.support.doctor_servers import ZEP, app, hush, produces, serving, talking, url
from zep_conformance.doctor.diagnosis import diagnose
from zep_conformance.doctor.findings import Finding

NOW = datetime.now(UTC)


pytestmark = pytest.mark.usefixtures("short_limits")


# -- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def _trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def diagnosed_over(context: ssl.SSLContext, host: str = "localhost") -> list[Finding]:
    with serving(app(ZEP), context) as port:
        return diagnose(url(port, "https", host))


@pytest.mark.usefixtures("_trusted")
@produces("ok", "zep-open")
def test_good_certificate(authority: trustme.CA) -> list[Finding]:
    return diagnosed_over(tls(authority.issue_cert("localhost")))


@pytest.mark.usefixtures("_trusted")
@produces("tls-expired")
def test_expired_certificate(authority: trustme.CA) -> list[Finding]:
    old = authority.issue_cert("localhost", not_before=NOW - timedelta(90), not_after=NOW - timedelta(3))
    found = diagnosed_over(tls(old))
    assert f"{NOW - timedelta(3):%Y-%m-%d}" in found[-1].symptom
    return found


@pytest.mark.usefixtures("_trusted")
@produces("tls-not-yet-valid")
def test_certificate_for_later(authority: trustme.CA) -> list[Finding]:
    return diagnosed_over(tls(authority.issue_cert("localhost", not_before=NOW + timedelta(3))))


@pytest.mark.usefixtures("_trusted")
@produces("tls-expires-soon")
def test_certificate_near_its_end(authority: trustme.CA) -> list[Finding]:
    return diagnosed_over(tls(authority.issue_cert("localhost", not_after=NOW + timedelta(3))))


@pytest.mark.usefixtures("_trusted")
@produces("tls-wrong-name")
def test_certificate_of_another_name(authority: trustme.CA) -> list[Finding]:
    found = diagnosed_over(tls(authority.issue_cert("zep.example.org")))
    assert "zep.example.org" in found[-1].symptom
    return found


@pytest.mark.usefixtures("_trusted")
@produces("tls-wrong-name")
def test_certificate_for_a_name_asked_by_address(authority: trustme.CA) -> list[Finding]:
    return diagnosed_over(tls(authority.issue_cert("localhost")), "127.0.0.1")


@pytest.mark.usefixtures("_trusted")
@produces("tls-unknown-authority")
def test_certificate_of_an_unknown_authority() -> list[Finding]:
    return diagnosed_over(tls(trustme.CA().issue_cert("localhost")))


@pytest.mark.usefixtures("_trusted")
@produces("tls-self-signed")
def test_self_signed_certificate(tmp_path: Path) -> list[Finding]:
    alone = trustme.CA()
    alone.private_key_pem.write_to_path(tmp_path / "own.pem")
    alone.cert_pem.write_to_path(tmp_path / "own.pem", append=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    return diagnosed_over(context)


@produces("tls-none")
def test_https_to_a_plain_port() -> list[Finding]:
    with serving(app(ZEP)) as port:
        return diagnose(url(port, "https"))


@produces("tls-silent")
def test_handshake_without_an_answer() -> list[Finding]:
    with talking(hush) as port:
        return diagnose(url(port, "https"))


@produces("tls-failed")
def test_handshake_that_is_refused() -> list[Finding]:
    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(bytes.fromhex("15030300020228"))  # the alert handshake_failure

    with talking(refuse) as port:
        return diagnose(url(port, "https"))


@produces("http-on-https-port")
def test_http_to_a_tls_port(authority: trustme.CA) -> list[Finding]:
    with serving(app(ZEP), tls(authority.issue_cert("localhost"))) as port:
        return diagnose(url(port))
