"""TLS on real sockets: what is spoken, which clients are let in, and that nothing of it disturbs HTTP."""

import contextlib
import os
import socket
import ssl
import threading
import time
from http import HTTPStatus
from pathlib import Path

import pytest
import requests
import trustme

from support.web_access import PATIENCE, TLS, ask, certificate, client_context, is_closed, served, web_file
from triton_watch.daemon.access.tls_socket import names_of
from triton_watch.daemon.app import PLAIN, Request, Response, Route, plain

LARGE = os.urandom(3_000_000)
MTLS = "tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, client_auth_type: %s}\n"


def scheme(request: Request) -> Response:
    return plain(HTTPStatus.OK, f"{request.environ['wsgi.url_scheme']} {request.environ['REMOTE_ADDR']}")


ROUTES = (
    Route("/", scheme),
    Route("/large", lambda _: Response(HTTPStatus.OK, PLAIN, LARGE)),
    Route("/-/healthy", lambda _: plain(HTTPStatus.OK, "healthy")),
)


def test_pages_come_over_tls_with_their_scheme_and_the_address_of_the_client(tmp_path: Path) -> None:
    with served(web_file(tmp_path, TLS), ROUTES) as agent, requests.Session() as session:
        assert agent.url.startswith("https://127.0.0.1:")
        for _ in range(3):
            answer = session.get(agent.url, verify=str(tmp_path / "ca.pem"), timeout=PATIENCE)
            assert (answer.status_code, answer.text) == (200, "https 127.0.0.1\n")
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(agent.url, timeout=PATIENCE)


def test_a_large_page_arrives_whole_over_tls_at_a_slow_reader_too(tmp_path: Path) -> None:
    path = web_file(tmp_path, TLS)
    context = client_context(tmp_path)
    with served(path, ROUTES) as agent:
        for pause in (0.0, 0.001):
            with context.wrap_socket(agent.connect(), server_hostname="localhost") as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                received = bytearray()
                while block := client.recv(60_000):
                    received += block
                    time.sleep(pause)
            assert bytes(received).partition(b"\r\n\r\n")[2] == LARGE


def test_a_request_in_many_records_is_answered(tmp_path: Path) -> None:
    path = web_file(tmp_path, TLS)
    context = client_context(tmp_path)
    with (
        served(path, ROUTES) as agent,
        context.wrap_socket(agent.connect(), server_hostname="localhost") as client,
    ):
        for byte in b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            client.sendall(bytes([byte]))
        assert b"https 127.0.0.1" in b"".join(iter(lambda: client.recv(4096), b""))


def test_a_client_that_closes_its_side_after_asking_gets_its_answer(tmp_path: Path) -> None:
    path = web_file(tmp_path, TLS)
    context = client_context(tmp_path)
    with (
        served(path, ROUTES) as agent,
        context.wrap_socket(agent.connect(), server_hostname="localhost") as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        socket.socket.shutdown(client, socket.SHUT_WR)
        assert b"https 127.0.0.1" in b"".join(iter(lambda: client.recv(4096), b""))


def test_plain_http_is_told_that_tls_is_spoken(tmp_path: Path) -> None:
    with served(web_file(tmp_path, TLS), ROUTES) as agent, agent.connect() as client:
        answer = ask(client)
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert b"write https://" in answer


@pytest.mark.parametrize("garbage", [b"\0" * 400, b"\x16\x03\x01\x40\x00" + b"x" * 400, b"SSH-2.0-x\r\n"])
def test_garbage_is_cut_off_and_the_server_goes_on(tmp_path: Path, garbage: bytes) -> None:
    with served(web_file(tmp_path, TLS), ROUTES) as agent:
        with agent.connect() as client:
            client.sendall(garbage)
            client.shutdown(socket.SHUT_WR)
            assert is_closed(client, PATIENCE)
        assert requests.get(agent.url, verify=str(tmp_path / "ca.pem"), timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize(
    ("settings", "version", "spoken"),
    [
        ("", ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        ("", ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ("min_version: TLS13", ssl.TLSVersion.TLSv1_2, None),
        ("min_version: TLS13", ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ("max_version: TLS12", ssl.TLSVersion.TLSv1_3, None),
    ],
)
def test_only_the_versions_that_are_set_are_spoken(
    tmp_path: Path, settings: str, version: ssl.TLSVersion, spoken: str | None
) -> None:
    path = web_file(tmp_path, f"tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  {settings}\n")
    context = client_context(tmp_path)
    context.minimum_version = context.maximum_version = version
    with served(path, ROUTES) as agent, agent.connect() as bare:
        if spoken is None:
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                context.wrap_socket(bare, server_hostname="localhost")
        else:
            with context.wrap_socket(bare, server_hostname="localhost") as client:
                assert client.version() == spoken
                assert client.selected_alpn_protocol() is None


def test_only_the_ciphers_and_the_curve_that_are_set_are_taken(tmp_path: Path) -> None:
    suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    text = (
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  max_version: TLS12\n"
        f"  cipher_suites: [{suite}, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n  curve_preferences: [CurveP384]\n"
    )
    path = web_file(tmp_path, text)
    context = client_context(tmp_path)
    with served(path, ROUTES) as agent:
        with context.wrap_socket(agent.connect(), server_hostname="localhost") as client:
            chosen = client.cipher()
            assert chosen is not None
            assert chosen[0] in {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}
        context.set_ecdh_curve("prime256v1")
        with agent.connect() as bare, pytest.raises((ssl.SSLError, ConnectionResetError)):
            context.wrap_socket(bare, server_hostname="localhost")


# Clients with certificates


def answered(agent_url: str, folder: Path, leaf: trustme.LeafCert | None) -> bool:
    """Whether a client with this certificate gets a page."""
    host, port = agent_url.removeprefix("https://").split(":")
    try:
        with (
            socket.create_connection((host, int(port)), timeout=PATIENCE) as bare,
            client_context(folder, leaf=leaf).wrap_socket(bare, server_hostname="localhost") as client,
        ):
            return ask(client).startswith(b"HTTP/1.1 200 OK")
    except OSError:
        return False


@pytest.mark.parametrize(
    ("wanted", "bare", "stranger", "known"),
    [
        ("VerifyClientCertIfGiven", True, False, True),
        ("RequireAndVerifyClientCert", False, False, True),
    ],
)
def test_clients_show_a_certificate_of_the_authority_where_it_is_wanted(
    tmp_path: Path, wanted: str, bare: bool, stranger: bool, known: bool
) -> None:
    with served(web_file(tmp_path, MTLS % wanted), ROUTES) as agent:
        assert answered(agent.url, tmp_path, None) is bare
        assert answered(agent.url, tmp_path, trustme.CA().issue_cert("prometheus")) is stranger
        assert answered(agent.url, tmp_path, certificate("prometheus")) is known


def test_only_certificates_with_an_allowed_name_are_let_in(tmp_path: Path) -> None:
    text = (MTLS % "RequireAndVerifyClientCert").replace("}", ", client_allowed_sans: [prometheus, '::1']}")
    with served(web_file(tmp_path, text), ROUTES) as agent:
        assert answered(agent.url, tmp_path, certificate("prometheus"))
        assert answered(agent.url, tmp_path, certificate("::1"))
        assert not answered(agent.url, tmp_path, certificate("grafana"))


def test_names_are_compared_as_people_write_them() -> None:
    found = names_of({"subjectAltName": (("DNS", "a.b"), ("IP Address", "0:0:0:0:0:0:0:1\n"), ("URI", "spiffe://x/y"))})
    assert found == {"a.b", "::1", "spiffe://x/y"}


# Rotation, and the end


def test_a_handshake_that_is_never_finished_is_cut_and_disturbs_nobody(tmp_path: Path) -> None:
    """Silent clients, and those with half a ClientHello."""
    with served(web_file(tmp_path, TLS), ROUTES) as agent, contextlib.ExitStack() as stack:
        for number in range(100):
            client = stack.enter_context(agent.connect())
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00"[: number % 8])
        start = time.monotonic()
        url = agent.url + "/-/healthy"
        assert requests.get(url, verify=str(tmp_path / "ca.pem"), timeout=PATIENCE).status_code == 200
        assert time.monotonic() - start < 1.0


def test_closing_ends_connections_over_tls_at_once_and_lets_an_answer_end(tmp_path: Path) -> None:
    entered = threading.Event()

    def slow(_request: Request) -> Response:
        entered.set()
        time.sleep(0.3)
        return plain(HTTPStatus.OK, "done")

    path = web_file(tmp_path, TLS)
    context = client_context(tmp_path)
    with served(path, (*ROUTES, Route("/slow", slow))) as agent, agent.connect() as silent:
        with context.wrap_socket(agent.connect(), server_hostname="localhost") as client:
            client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            assert entered.wait(PATIENCE)
            start = time.monotonic()
            agent.server.close()
            assert time.monotonic() - start < 2.0
            assert b"".join(iter(lambda: client.recv(4096), b"")).endswith(b"done\n")
        assert is_closed(silent, 1.0)
