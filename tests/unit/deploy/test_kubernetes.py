"""deploy/kubernetes: every overlay renders, is what Kubernetes and the operator take, and passes our own checks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import kubernetes_validate  # type: ignore[import-untyped] # it ships no types
import pytest
from click.testing import CliRunner

from support.cluster_objects import KUBERNETES, OVERLAYS, key, rendered, text_of, works
from triton_watch.cli import cli
from triton_watch.conventions.dashboards import DASHBOARDS
from triton_watch.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = ("1.27", "1.30", "1.33", "1.37")
TAKEN_BY_KUBECTL = 262_144
"""Bytes of an annotation, into which `kubectl apply` puts the whole object."""
OPERATOR = "monitoring.coreos.com/v1"
TRITON = [
    "Deployment/triton",
    "Namespace/triton",
    "NetworkPolicy/triton",
    "PersistentVolumeClaim/triton-models",
    "PodDisruptionBudget/triton",
    "Service/triton",
    "Service/triton-pods",
    "ServiceAccount/triton",
]
WATCH = ["ConfigMap/triton-watch", "NetworkPolicy/triton-watch", "Service/triton-watch"]


def test_overlays_have_these_objects() -> None:
    assert {overlay: sorted(map(key, rendered(overlay))) for overlay in OVERLAYS} == {
        "sidecar": sorted([*TRITON, *WATCH, "NetworkPolicy/triton-watch-alertmanager"]),
        "sidecar-serving": sorted([*TRITON, *WATCH, "NetworkPolicy/triton-watch-alertmanager"]),
        "standalone-fleet": sorted(
            [
                *TRITON,
                *WATCH,
                "NetworkPolicy/triton-from-watch",
                "ServiceAccount/triton-watch",
                "StatefulSet/triton-watch",
            ]
        ),
        "prometheus-operator": sorted(
            [
                *TRITON,
                *WATCH,
                "PodMonitor/triton",
                "PodMonitor/triton-watch",
                "PrometheusRule/triton-watch",
                *(f"ConfigMap/triton-watch-dashboard-{board.name}" for board in DASHBOARDS),
            ]
        ),
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object_and_knows_every_field(overlay: str, version: str) -> None:
    for one in rendered(overlay):
        if one["apiVersion"] != OPERATOR:
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubectl_applies_the_namespace_first_and_may_keep_a_copy_of_each_object(overlay: str) -> None:
    objects = rendered(overlay)
    assert objects[0]["kind"] == "Namespace"
    assert max(len(json.dumps(one)) for one in objects) < TAKEN_BY_KUBECTL


def test_the_newest_version_that_can_be_validated_is_among_those_that_are() -> None:
    assert kubernetes_validate.latest_version().startswith(VERSIONS[-1])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_our_own_check_finds_nothing_worth_a_warning(overlay: str, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(text_of(KUBERNETES / "overlays" / overlay))
    done = CliRunner().invoke(cli, ["check", "--profile", "production", "--format", "json", str(manifest)])
    summary = json.loads(done.stdout)["summary"]
    assert (done.exit_code, summary["manifests"], summary["errors"], summary["warnings"]) == (0, 1, 0, 0)


def test_images_are_named_by_their_versions_in_overlays_and_below_them() -> None:
    names = {"triton": "nvcr.io/nvidia/tritonserver:24.01-py3", "triton-watch": f"triton-watch:{__version__}"}
    for overlay in OVERLAYS:
        assert {one["name"]: one["image"] for work in works(overlay) for one in work.containers} == names
    texts = [path.read_text() for path in sorted(KUBERNETES.rglob("*.yaml"))]
    assert {name for text in texts for name in re.findall(r"^ +image: (\S+)", text, re.MULTILINE)} == set(
        names.values()
    )
