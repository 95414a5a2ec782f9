"""deploy/kubernetes: nothing is named that is not there, and selectors choose what they are meant for."""

from __future__ import annotations

import pytest

from support.cluster_objects import OVERLAYS, found, of_kind, rendered, selected, works


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_volume_config_map_claim_and_account_that_is_named_is_there(overlay: str) -> None:
    objects = rendered(overlay)
    for work in works(overlay):
        claims = {one["metadata"]["name"] for one in work.object["spec"].get("volumeClaimTemplates", [])}
        volumes = {one["name"] for one in work.pod["volumes"]} | claims
        mounted = {mount["name"] for one in work.containers for mount in one["volumeMounts"]}
        assert mounted == volumes, "none is missing, none is left over"
        for volume in work.pod["volumes"]:
            if "configMap" in volume:
                found(objects, "ConfigMap", volume["configMap"]["name"])
            if "persistentVolumeClaim" in volume:
                found(objects, "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
        found(objects, "ServiceAccount", work.pod["serviceAccountName"])
        if work.object["kind"] == "StatefulSet":
            found(objects, "Service", work.object["spec"]["serviceName"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_choose_the_pods_they_are_meant_for(overlay: str) -> None:
    objects = rendered(overlay)
    for work in (every := works(overlay)):
        assert [one for one in every if selected(work.object["spec"]["selector"], one.labels)] == [work]
        for spread in work.pod.get("topologySpreadConstraints", []):
            assert selected(spread["labelSelector"], work.labels)
    (budget,) = of_kind(objects, "PodDisruptionBudget")
    assert [work.object["kind"] for work in works(overlay) if selected(budget["spec"]["selector"], work.labels)] == [
        "Deployment"
    ]
    assert (budget["spec"]["maxUnavailable"], budget["spec"]["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    for policy in of_kind(objects, "NetworkPolicy"):
        assert any(selected(policy["spec"]["podSelector"], work.labels) for work in works(overlay))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_services_lead_to_ports_of_pods_and_watchers_see_pods_that_are_not_ready(overlay: str) -> None:
    reached: dict[str, dict[str, int]] = {}
    for service in of_kind(rendered(overlay), "Service"):
        spec, name = service["spec"], service["metadata"]["name"]
        (work,) = (one for one in works(overlay) if selected({"matchLabels": spec["selector"]}, one.labels))
        ports = {port["name"]: port["containerPort"] for one in work.containers for port in one["ports"]}
        reached[name] = {port["name"]: ports[port["targetPort"]] for port in spec["ports"]}
        assert reached[name] == {port["name"]: port["port"] for port in spec["ports"]}
        assert spec.get("publishNotReadyAddresses", False) == (name != "triton"), "clients get ready pods alone"
    assert reached == {
        "triton": {"http": 8000, "grpc": 8001},
        "triton-pods": {"http": 8000, "grpc": 8001, "metrics": 8002},
        "triton-watch": {"watch": 8003},
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_labelled_and_in_the_overlays_namespace(overlay: str) -> None:
    for one in rendered(overlay):
        assert one["metadata"]["labels"]["app.kubernetes.io/part-of"] == "triton-watch"
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == "triton"
            assert one["metadata"]["labels"]["app.kubernetes.io/name"] in {"triton", "triton-watch"}
