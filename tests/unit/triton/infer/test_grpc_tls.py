"""TLS to a gRPC port, with real certificates of an authority made for the test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import trustme

from triton_watch.records import CanaryReason, TlsSettings
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.grpc import GrpcInfer
from triton_watch.triton.infer.messages import InferRequest
from unit.triton.infer.grpc_server import GrpcServer, Servicer

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import Target

REQUEST = InferRequest("m", "1", "one", {})
HINT = "check tls.ca_file, cert_file and key_file of the target"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def credentials(authority: trustme.CA, *, clients: trustme.CA | None = None) -> grpc.ServerCredentials:
    """A server's, which wants certificates of `clients` where it is given."""
    leaf = authority.issue_cert("localhost")
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    pair = [(leaf.private_key_pem.bytes(), chain)]
    trusted = None if clients is None else clients.cert_pem.bytes()
    return grpc.ssl_server_credentials(pair, trusted, require_client_auth=clients is not None)


def written(folder: Path, leaf: trustme.LeafCert) -> tuple[Path, Path]:
    certificate, key = folder / "client.pem", folder / "client.key"
    leaf.cert_chain_pems[0].write_to_path(str(certificate))
    leaf.private_key_pem.write_to_path(str(key))
    return certificate, key


def ask(target: Target) -> None:
    client = GrpcInfer(target)
    try:
        assert len(client.infer(REQUEST, 5.0).answers) == 1
    finally:
        client.close()


def refusal(target: Target) -> InferError:
    with pytest.raises(InferError) as caught:
        ask(target)
    assert caught.value.reason is CanaryReason.UNREACHABLE
    return caught.value


def test_a_certificate_of_the_given_authority_is_trusted(authority: trustme.CA, ca_file: Path) -> None:
    with GrpcServer(Servicer(), credentials(authority)) as server:
        ask(server.target(tls=TlsSettings(ca_file=ca_file)))


def test_a_certificate_of_an_unknown_authority_is_refused_with_what_to_do(ca_file: Path) -> None:
    with GrpcServer(Servicer(), credentials(trustme.CA())) as server:
        error = refusal(server.target(tls=TlsSettings(ca_file=ca_file)))
        assert "CERTIFICATE_VERIFY_FAILED" in error.text
        assert error.hint == HINT
        assert refusal(server.target(tls=TlsSettings())).hint == HINT


def test_a_client_certificate_is_shown_where_there_is_one(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    certificate, key = written(tmp_path, authority.issue_cert("agent"))
    with GrpcServer(Servicer(), credentials(authority, clients=authority)) as server:
        ask(server.target(tls=TlsSettings(ca_file=ca_file, cert_file=certificate, key_file=key)))
        refusal(server.target(tls=TlsSettings(ca_file=ca_file)))


def test_a_key_may_stand_in_the_file_of_the_certificate(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    authority.issue_cert("agent").private_key_and_cert_chain_pem.write_to_path(str(both))
    with GrpcServer(Servicer(), credentials(authority, clients=authority)) as server:
        ask(server.target(tls=TlsSettings(ca_file=ca_file, cert_file=both)))


def test_a_client_certificate_of_another_authority_is_refused(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    certificate, key = written(tmp_path, trustme.CA().issue_cert("agent"))
    with GrpcServer(Servicer(), credentials(authority, clients=authority)) as server:
        refusal(server.target(tls=TlsSettings(ca_file=ca_file, cert_file=certificate, key_file=key)))


def test_a_port_in_the_clear_is_no_tls_and_a_tls_port_is_not_in_the_clear(authority: trustme.CA, ca_file: Path) -> None:
    with GrpcServer(Servicer()) as server:
        error = refusal(server.target(grpc_tls=True, tls=TlsSettings(ca_file=ca_file)))
        assert error.hint == HINT
    with GrpcServer(Servicer(), credentials(authority)) as server:
        refusal(server.target(grpc_tls=False))


@pytest.mark.parametrize("content", [None, b"", b"no PEM", b"\0"])
@pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
def test_a_file_that_cannot_be_used_is_named_and_does_not_end_the_process(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    certificate, key = written(tmp_path, authority.issue_cert("agent"))
    files: dict[str, Any] = {"ca_file": ca_file, "cert_file": certificate, "key_file": key}
    files[name] = tmp_path / "other.pem"
    if content is not None:
        files[name].write_bytes(content)
    with GrpcServer(Servicer(), credentials(authority)) as server:
        error = refusal(server.target(tls=TlsSettings(**files)))
    what = "could not be read: No such file or directory" if content is None else "is no PEM file"
    assert error.text == f"{files[name]} {what}"
    assert error.hint == "check the target's tls settings"


def test_a_key_without_a_certificate_is_not_used(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    _, key = written(tmp_path, authority.issue_cert("agent"))
    with GrpcServer(Servicer(), credentials(authority)) as server:
        ask(server.target(tls=TlsSettings(ca_file=ca_file, key_file=key)))


def test_a_file_that_was_renewed_is_read_again(authority: trustme.CA, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    with GrpcServer(Servicer(), credentials(authority)) as server:
        client = GrpcInfer(server.target(tls=TlsSettings(ca_file=path)))
        with pytest.raises(InferError):
            client.infer(REQUEST, 5.0)
        renewed = tmp_path / "renewed.pem"
        authority.cert_pem.write_to_path(str(renewed))
        os.replace(renewed, path)  # noqa: PTH105 - as certificates are renewed
        assert len(client.infer(REQUEST, 5.0).answers) == 1
        client.close()
