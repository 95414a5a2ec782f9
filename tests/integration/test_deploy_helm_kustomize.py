"""deploy/helm makes the same objects as deploy/kubernetes."""

from __future__ import annotations

import pytest
import yaml

from support.cluster_objects import Object, key, of_kind, rendered
from support.helm_renderings import comparable, objects

OPERATOR_LABEL = {"release": "kube-prometheus-stack"}


def same(overlay: str, without: set[str]) -> dict[str, tuple[Object, Object]]:
    """Each object of an overlay of deploy/kubernetes, and the chart's, by its key."""
    theirs = {key(one): comparable(one) for one in rendered(overlay)}
    ours = {key(one): comparable(one) for one in objects(overlay)}
    assert set(theirs) - without == set(ours)
    return {name: (ours[name], theirs[name]) for name in ours}


@pytest.mark.parametrize("overlay", ["sidecar", "sidecar-serving", "prometheus-operator", "standalone-fleet"])
def test_the_chart_makes_the_objects_of_the_overlay(overlay: str) -> None:
    without = {"Namespace/triton"}  # `helm install --create-namespace` makes it
    if overlay == "standalone-fleet":  # the overlay has Triton in it; the chart's fleet is the watcher alone
        without |= {key(one) for one in rendered(overlay) if one["metadata"]["name"] in {"triton", "triton-models"}}
    for name, (ours, theirs) in same(overlay, without).items():
        if name == "PodMonitor/triton-watch":  # one selects sidecars and pods of a fleet, the other what there is
            ours["spec"].pop("selector"), theirs["spec"].pop("selector")
        if name == "Service/triton-pods" and overlay == "standalone-fleet":  # pods of others may name no ports
            assert [port["targetPort"] for port in ours["spec"]["ports"]] == [8000, 8001, 8002]
            theirs["spec"]["ports"] = ours["spec"]["ports"]
        assert yaml.safe_dump(ours) == yaml.safe_dump(theirs), name  # as text, so that a difference can be read


def test_the_operators_objects_have_the_label_that_prometheus_looks_for() -> None:
    for one in of_kind(objects("prometheus-operator"), "PodMonitor", "PrometheusRule"):
        assert OPERATOR_LABEL.items() <= one["metadata"]["labels"].items()
