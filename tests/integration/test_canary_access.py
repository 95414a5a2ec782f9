"""Canaries where access is not plain: TLS on gRPC, restricted protocols, a server without gRPC, one without HTTP."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from support.canary_models import copied
from triton_watch.probes.canary.canaries import TargetCanaries
from triton_watch.probes.cycle import TargetPoller
from triton_watch.records import (
    CanaryReason,
    CanaryResult,
    CanarySettings,
    CanaryState,
    Credentials,
    ModelKey,
    SkipReason,
    Target,
    TlsSettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

GOOD = ModelKey("good", "1")
STREAM = ModelKey("stream", "1")


def target_of(server: EmbeddedTriton, **fields: Any) -> Target:
    return Target("t", server.http_url, server.metrics_url, server.grpc_address, **fields)


def asked(target: Target, key: ModelKey = GOOD) -> tuple[CanaryResult | None, CanaryState]:
    """One canary of a model of the target."""
    poller, canaries = TargetPoller(target), TargetCanaries(target, CanarySettings())
    try:
        canaries.follow(poller.cycle())
        return canaries.run(key), canaries.states()[key]
    finally:
        poller.close()
        canaries.close()


def reason(target: Target) -> tuple[CanaryReason, str]:
    result, _ = asked(target)
    assert result is not None
    return result.reason, result.detail


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, Path]:
    ca = trustme.CA()
    names = {"server": ca.issue_cert("127.0.0.1", "localhost"), "client": ca.issue_cert("watcher")}
    paths = {"ca": tmp_path / "ca.pem", "other_ca": tmp_path / "other.pem"}
    ca.cert_pem.write_to_path(paths["ca"])
    trustme.CA().cert_pem.write_to_path(paths["other_ca"])
    for name, certificate in names.items():
        paths[name], paths[f"{name}_key"] = tmp_path / f"{name}.pem", tmp_path / f"{name}-key.pem"
        certificate.private_key_pem.write_to_path(paths[f"{name}_key"])
        certificate.cert_chain_pems[0].write_to_path(paths[name])
    return paths


@pytest.mark.parametrize("mutual", [False, True])
def test_grpc_over_tls_is_trusted_by_its_ca_and_shows_a_client_certificate(
    tmp_path: Path, certificates: dict[str, Path], mutual: bool, triton_factory: Callable[..., EmbeddedTriton]
) -> None:
    flags = [
        "--grpc-use-ssl=true",
        f"--grpc-server-cert={certificates['server']}",
        f"--grpc-server-key={certificates['server_key']}",
        *([f"--grpc-root-cert={certificates['ca']}", "--grpc-use-ssl-mutual=true"] if mutual else []),
    ]
    server = triton_factory(copied(tmp_path / "models", "good"), extra_args=flags)
    keys = (certificates["client"], certificates["client_key"]) if mutual else (None, None)
    right = TlsSettings(certificates["ca"], *keys)
    assert reason(target_of(server, grpc_tls=True, tls=right)) == (CanaryReason.OK, "")
    wrong, sentence = reason(target_of(server, grpc_tls=True, tls=TlsSettings(certificates["other_ca"], *keys)))
    assert wrong is CanaryReason.UNREACHABLE
    assert "tls.ca_file" in sentence


def test_a_restricted_protocol_is_opened_by_the_targets_header(
    tmp_path: Path, triton_factory: Callable[..., EmbeddedTriton]
) -> None:
    server = triton_factory(
        copied(tmp_path / "models", "good"), extra_args=["--grpc-restricted-protocol=inference:admin-key=open"]
    )
    closed, sentence = reason(target_of(server))
    assert closed is CanaryReason.REFUSED
    assert "restricted_api" in sentence
    assert "admin-key" in sentence
    opened = target_of(server, credentials=Credentials(restricted_header=("admin-key", "open")))
    assert reason(opened) == (CanaryReason.OK, "")


def test_a_server_without_grpc_is_asked_over_http_and_its_streams_are_not(
    tmp_path: Path, triton_factory: Callable[..., EmbeddedTriton]
) -> None:
    server = triton_factory(copied(tmp_path / "models", "good", "stream"), extra_args=["--allow-grpc=false"])
    target = target_of(server)
    poller, canaries = TargetPoller(target), TargetCanaries(target, CanarySettings())
    canaries.follow(poller.cycle())
    result = canaries.run(GOOD)
    assert result is not None
    assert result.ok
    assert canaries.run(STREAM) is None
    assert canaries.states()[STREAM].last_skip is SkipReason.NEEDS_GRPC
    assert f"no gRPC answers at {target.grpc_address}" in canaries.states()[STREAM].note
    poller.close()
    canaries.close()


def test_the_command_line_speaks_tls_to_a_grpcs_address(
    tmp_path: Path, certificates: dict[str, Path], triton_factory: Callable[..., EmbeddedTriton]
) -> None:
    flags = [
        "--grpc-use-ssl=true",
        f"--grpc-server-cert={certificates['server']}",
        f"--grpc-server-key={certificates['server_key']}",
    ]
    server = triton_factory(copied(tmp_path / "models", "stream"), extra_args=flags)
    command = [sys.executable, "-m", "triton_watch", "canary", "run", "--target", server.http_url]
    command += ["--metrics-url", server.metrics_url, "--grpc", f"grpcs://{server.grpc_address}"]
    right = subprocess.run(
        [*command, "--ca-file", str(certificates["ca"])], capture_output=True, text=True, timeout=60, check=False
    )
    assert right.returncode == 0, right.stdout + right.stderr
    wrong = subprocess.run(
        [*command, "--ca-file", str(certificates["other_ca"])], capture_output=True, text=True, timeout=60, check=False
    )
    assert wrong.returncode == 1
    assert "unreachable" in wrong.stdout
    assert "tls.ca_file" in wrong.stdout
