"""What the rules about manifests share: which containers they judge, and the frame of their examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.manifest.records import Container, Manifest, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.command import CommandLine

LIVE, READY = "/v2/health/live", "/v2/health/ready"
IMAGE = "nvcr.io/nvidia/tritonserver:24.10-py3"
ARGS = "tritonserver, --model-repository=/models"
HEALTH = (
    f"startupProbe: {{httpGet: {{path: {READY}, port: 8000}}, failureThreshold: 60}}",
    f"livenessProbe: {{httpGet: {{path: {LIVE}, port: 8000}}}}",
    f"readinessProbe: {{httpGet: {{path: {READY}, port: 8000}}}}",
)


def served(manifest: Manifest) -> Iterator[Container]:
    """Yield the containers that shall go on serving, and whose probes and command are written by hand."""
    return (one for one in manifest.containers if one.serves and not one.managed)


def in_kubernetes(manifest: Manifest) -> Iterator[Container]:
    """Yield those of Kubernetes."""
    return (one for one in served(manifest) if one.platform is Platform.KUBERNETES)


def command_lines(manifest: Manifest) -> Iterator[tuple[Container, CommandLine]]:
    """Yield containers whose command line of tritonserver is known, with it."""
    return ((one, one.server) for one in manifest.containers if one.server is not None)


def pod(*lines: str, args: str = "", image: str = IMAGE) -> str:
    """Return the example of a pod whose container has some more lines and flags."""
    head = f"""\
--- pod.yaml
apiVersion: v1
kind: Pod
metadata: {{name: triton}}
spec:
  containers:
  - name: triton
    image: {image}
    args: [{ARGS}{", " + args if args else ""}]
"""
    return head + "".join(f"    {line}\n" for line in lines)


def service(*lines: str, args: str = "", image: str = IMAGE) -> str:
    """Return the example of a Compose service that has some more lines and flags."""
    head = f"""\
--- compose.yaml
services:
  triton:
    image: {image}
    command: tritonserver --model-repository=/models{" " + args if args else ""}
"""
    return head + "".join(f"    {line}\n" for line in lines)
