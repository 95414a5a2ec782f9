"""TLS to a target, with real certificates of an authority made for the test."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from support.misbehaving import Connection, Server, answers, drips, http_answer, silent, target_at
from triton_watch.records import Outcome, TlsSettings
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import ConnectTimeoutError, DeadlineError, TlsError, TritonError

if TYPE_CHECKING:
    from pathlib import Path

OK = answers(http_answer())


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def tls_target(server: Server, **settings: Any) -> Any:
    return target_at(server.url, tls=TlsSettings(**settings))


def refusal(server: Server, **settings: Any) -> TritonError:
    with TritonClient(tls_target(server, **settings)) as client, pytest.raises(TritonError) as caught:
        client.ready()
    assert isinstance(caught.value, TlsError)
    assert caught.value.outcome is Outcome.TLS_ERROR
    return caught.value


def test_a_certificate_of_the_given_authority_is_trusted(authority: trustme.CA, ca_file: Path) -> None:
    page = b"x" * 900_000
    behaviour = answers(http_answer(), http_answer(page))
    with Server(behaviour, tls=server_context(authority.issue_cert("localhost"))) as server:
        with TritonClient(tls_target(server, ca_file=ca_file)) as client:
            assert client.ready()
            assert client.metrics() == page
        assert server.connections == 1


def test_an_unknown_authority_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    with Server(OK, tls=server_context(trustme.CA().issue_cert("localhost"))) as server:
        assert "give the CA's certificate in tls.ca_file" in str(refusal(server, ca_file=ca_file))
    with Server(OK, tls=server_context(authority.issue_cert("localhost"))) as server:
        assert "give the CA's certificate in tls.ca_file" in str(refusal(server))


def test_a_ca_file_that_was_renewed_is_read_again(authority: trustme.CA, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with (
        Server(answers(http_answer()), tls=server_context(authority.issue_cert("localhost"))) as server,
        TritonClient(tls_target(server, ca_file=file)) as client,
    ):
        with pytest.raises(TlsError):
            client.ready()
        authority.cert_pem.write_to_path(str(file))
        assert client.ready()


def test_a_certificate_for_another_host_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    with Server(OK, tls=server_context(authority.issue_cert("triton.example"))) as server:
        assert "it is for another host name" in str(refusal(server, ca_file=ca_file))


def test_an_expired_certificate_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    past = dt.datetime(2021, 1, 1, tzinfo=dt.timezone.utc)
    until = past + dt.timedelta(days=1)
    certificate = authority.issue_cert("localhost", not_before=past, not_after=until)
    with Server(OK, tls=server_context(certificate)) as server:
        assert "it has expired" in str(refusal(server, ca_file=ca_file))


def test_verification_can_be_switched_off(authority: trustme.CA) -> None:
    context = server_context(authority.issue_cert("triton.example"))
    with (
        Server(OK, tls=context) as server,
        TritonClient(tls_target(server, insecure_skip_verify=True)) as client,
    ):
        assert client.ready()


def test_a_client_certificate_is_shown_to_a_server_that_wants_one(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    context = server_context(authority.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    own = authority.issue_cert("watcher")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    own.cert_chain_pems[0].write_to_path(str(certificate))
    own.private_key_pem.write_to_path(str(key))
    with Server(OK, tls=context) as server:
        with TritonClient(tls_target(server, ca_file=ca_file, cert_file=certificate, key_file=key)) as client:
            assert client.ready()
        assert "set tls.cert_file and tls.key_file" in str(refusal(server, ca_file=ca_file))


def test_a_plain_http_server_spoken_to_in_tls_is_told_from_a_bad_certificate(ca_file: Path) -> None:
    def answers_anything(connection: Connection) -> None:
        connection.sock.recv(65_536)
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Server(answers_anything) as server:
        url = server.url.replace("http:", "https:")
        target = target_at(url, tls=TlsSettings(ca_file=ca_file))
        with (
            TritonClient(target) as client,
            pytest.raises(TlsError, match="write http:// in the target's URL"),
        ):
            client.ready()


def test_a_server_that_never_answers_the_handshake_is_a_connect_timeout(ca_file: Path) -> None:
    with Server(silent) as server:
        url = server.url.replace("http:", "https:")
        with TritonClient(target_at(url, tls=TlsSettings(ca_file=ca_file))) as client:
            begun = time.monotonic()
            with pytest.raises(ConnectTimeoutError, match="did not answer the TLS handshake"):
                client.ready()
            assert time.monotonic() - begun < 5


def test_the_total_deadline_holds_over_tls(authority: trustme.CA, ca_file: Path) -> None:
    behaviour = drips(b"x", every=0.02, at_once=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    context = server_context(authority.issue_cert("localhost"))
    with (
        Server(behaviour, tls=context) as server,
        TritonClient(tls_target(server, ca_file=ca_file)) as client,
    ):
        begun = time.monotonic()
        with pytest.raises(DeadlineError):
            client.metrics()
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("setting", ["ca_file", "cert_file"])
@pytest.mark.parametrize("content", [None, "not a certificate"], ids=["missing", "broken"])
def test_a_tls_file_that_cannot_be_read_is_named(setting: str, content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "the.pem"
    if content is not None:
        path.write_text(content)
    files: dict[str, Any] = {setting: path}
    with Server(OK) as server:
        url = server.url.replace("http:", "https:")
        target = target_at(url, tls=TlsSettings(**files))
        with TritonClient(target) as client, pytest.raises(TlsError) as caught:
            client.ready()
    assert f"tls.{setting}" in str(caught.value)
    assert str(path) in str(caught.value)
