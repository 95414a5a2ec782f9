"""deploy/kubernetes: what the Prometheus operator and Grafana get."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from support.cluster_objects import KUBERNETES, OVERLAYS, Object, found, key, of_kind, rendered, selected, workloads
from support.operator_schemas import KINDS, complaints
from triton_watch.conventions.dashboards import DASHBOARDS

ROOT = KUBERNETES.parents[1]
OPERATOR = "monitoring.coreos.com/v1"
LARGEST_ANNOTATIONS = 256 * 1024
"""Bytes of all annotations of an object, one of which is the object as `kubectl apply` last sent it."""


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kinds_that_kubernetes_does_not_know_are_the_operators_and_follow_its_schemas(overlay: str) -> None:
    foreign = [one for one in rendered(overlay) if one["apiVersion"] == OPERATOR]
    assert {one["kind"] for one in foreign} == (set(KINDS) if overlay == "prometheus-operator" else set())
    assert {key(one): complaints(one) for one in foreign if complaints(one)} == {}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("PodMonitor", {"endpoints": []}),
        ("PodMonitor", {"podMetricsEndpoints": [{"port": "metrics", "interval": "15 s"}]}),
        ("PodMonitor", {"podMetricsEndpoints": [{"port": "metrics", "relabelings": [{"target_label": "job"}]}]}),
        ("PodMonitor", {"selector": {"app.kubernetes.io/name": "triton"}}),
        ("PrometheusRule", {"groups": [{"rules": []}]}),
        ("PrometheusRule", {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up", "for": "soon"}]}]}),
        ("PrometheusRule", {"groups": [{"name": "g", "rules": [{"record": "r", "alert": "A", "expr": "up"}]}]}),
        ("PrometheusRule", {"groups": [{"name": "g", "rules": [{"record": "r", "expr": "up", "for": "1m"}]}]}),
    ],
)
def test_the_schemas_refuse_what_the_operator_would(kind: str, change: Object) -> None:
    one = deepcopy(of_kind(rendered("prometheus-operator"), kind)[0])
    assert complaints(one) == []
    one["spec"].update(change)
    assert complaints(one)


def test_each_board_is_in_a_config_map_that_grafanas_sidecar_finds() -> None:
    maps = [one for one in of_kind(rendered("prometheus-operator"), "ConfigMap") if "dashboard" in key(one)]
    assert all(one["metadata"]["labels"]["grafana_dashboard"] == "1" for one in maps)
    boards = {name: text for one in maps for name, text in one["data"].items()}
    assert boards == {
        f"triton-watch-{board.name}.json": (ROOT / "dashboards" / f"{board.name}.json").read_text()
        for board in DASHBOARDS
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_fits_into_the_annotation_that_kubectl_apply_keeps(overlay: str) -> None:
    sizes = {key(one): len(json.dumps(one, separators=(",", ":"))) for one in rendered(overlay)}
    assert {name: size for name, size in sizes.items() if size > LARGEST_ANNOTATIONS * 0.8} == {}


def test_prometheus_scrapes_every_port_with_metrics_under_the_name_of_its_job() -> None:
    objects = rendered("prometheus-operator")
    (work,) = workloads(objects)
    jobs: dict[int, str] = {}
    for monitor in of_kind(objects, "PodMonitor"):
        assert selected(monitor["spec"]["selector"], work.labels)
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        ports = {port["name"]: port["containerPort"] for one in work.containers for port in one["ports"]}
        (job,) = (one["replacement"] for one in endpoint["relabelings"] if one["targetLabel"] == "job")
        jobs[ports[endpoint["port"]]] = job
        assert "honorLabels" not in endpoint
        assert endpoint["path"] == "/metrics"
    assert jobs == {8002: "triton", 8003: "triton-watch"}


def test_the_agents_scrape_also_covers_an_agent_in_a_pod_of_its_own() -> None:
    monitor = found(rendered("prometheus-operator"), "PodMonitor", "triton-watch")
    fleet = next(work for work in workloads(rendered("standalone-fleet")) if work.object["kind"] == "StatefulSet")
    assert selected(monitor["spec"]["selector"], fleet.labels)
