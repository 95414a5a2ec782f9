"""deploy/kubernetes: what people build on it, overlays of their own and Deployments that are there already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import yaml

from support.cluster_objects import KUBERNETES, found, key, parsed, selected, text_of, workloads

if TYPE_CHECKING:
    from pathlib import Path

THEIRS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: search-server, labels: {app.kubernetes.io/name: triton}}
spec:
  selector: {matchLabels: {app: search}}
  template:
    metadata: {labels: {app: search, app.kubernetes.io/name: triton}}
    spec:
      containers:
        - name: triton
          image: nvcr.io/nvidia/tritonserver:24.01-py3
          volumeMounts: [{name: models, mountPath: /srv/models}]
      volumes: [{name: models, hostPath: {path: /srv/models}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend}
spec:
  selector: {matchLabels: {app: frontend}}
  template:
    metadata: {labels: {app: frontend}}
    spec: {containers: [{name: frontend, image: "frontend:1"}]}
"""


def test_an_overlay_of_ones_own_sets_namespace_image_and_configuration(tmp_path: Path) -> None:
    made: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "ml",
        "resources": [path_to(KUBERNETES / "overlays" / "sidecar", tmp_path)],
        "images": [{"name": "triton-watch", "newName": "registry.example.com/triton-watch", "newTag": "1.2.3"}],
        "configMapGenerator": [
            {
                "name": "triton-watch",
                "behavior": "replace",
                "files": ["triton-watch.yaml"],
                "options": {"disableNameSuffixHash": True},
            }
        ],
    }
    (tmp_path / "triton-watch.yaml").write_text("targets: [{host: localhost}]\n")
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(made))
    objects = parsed(text_of(tmp_path.resolve()))
    assert {one["metadata"].get("namespace") for one in objects if one["kind"] != "Namespace"} == {"ml"}
    assert found(objects, "Namespace", "ml")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (work,) = workloads(objects)
    assert work.container("triton-watch")["image"] == "registry.example.com/triton-watch:1.2.3"
    assert found(objects, "ConfigMap", "triton-watch")["data"]["triton-watch.yaml"] == "targets: [{host: localhost}]\n"


def test_the_sidecar_goes_into_deployments_of_others_that_are_labelled(tmp_path: Path) -> None:
    made = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["theirs.yaml"],
        "components": [
            path_to(KUBERNETES / "components" / name, tmp_path) for name in ("sidecar", "serving-readiness")
        ],
    }
    (tmp_path / "theirs.yaml").write_text(THEIRS)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(made))
    objects = parsed(text_of(tmp_path.resolve()))
    by_name = {work.object["metadata"]["name"]: work for work in workloads(objects)}
    theirs, others = by_name["search-server"], by_name["frontend"]
    assert [one["name"] for one in others.containers] == ["frontend"]
    assert {one["name"] for one in theirs.containers} == {"triton", "triton-watch"}
    assert theirs.container("triton")["volumeMounts"] == [{"name": "models", "mountPath": "/srv/models"}]
    assert theirs.container("triton")["readinessProbe"]["httpGet"] == {"path": "/-/serving", "port": 8003}
    assert sorted(map(key, objects)) == [
        "ConfigMap/triton-watch",
        "Deployment/frontend",
        "Deployment/search-server",
        "Service/triton-watch",
    ]
    assert selected({"matchLabels": found(objects, "Service", "triton-watch")["spec"]["selector"]}, theirs.labels)


def path_to(folder: Path, start: Path) -> str:
    """kustomize takes relative paths alone."""
    return os.path.relpath(folder, start.resolve())
