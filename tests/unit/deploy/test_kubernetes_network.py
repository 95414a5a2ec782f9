"""deploy/kubernetes: NetworkPolicies let through what is needed, and nothing else."""

from __future__ import annotations

import pytest

from support.cluster_objects import KUBERNETES, OVERLAYS, of_kind, parsed, rendered, selected, text_of
from support.network_policies import Peer, lets_through

TRITON = Peer("triton", {"app.kubernetes.io/name": "triton"})
WATCHER = Peer("triton", {"app.kubernetes.io/name": "triton-watch"})
CLIENT = Peer("triton", {"app": "frontend"})
INVITED = Peer("shop", {"app": "frontend"}, {"triton-client": "true"})
STRANGER = Peer("shop", {"app": "frontend"})
PROMETHEUS = Peer("monitoring", {"app.kubernetes.io/name": "prometheus"})
ALERTMANAGER = Peer("monitoring", {"app.kubernetes.io/name": "alertmanager"})
DNS = Peer("kube-system", {"k8s-app": "kube-dns"})
PEERS = {
    "triton": TRITON,
    "watcher": WATCHER,
    "client": CLIENT,
    "invited": INVITED,
    "stranger": STRANGER,
    "prometheus": PROMETHEUS,
    "alertmanager": ALERTMANAGER,
    "dns": DNS,
}
PORTS = (53, 80, 443, 8000, 8001, 8002, 8003, 9090, 9093)
SIDECARS = tuple(one for one in OVERLAYS if one != "standalone-fleet")


def into(overlay: str, pod: Peer) -> dict[str, list[int]]:
    """Who reaches a pod, on which ports; peers without a policy of their own may go anywhere."""
    found = {
        name: [port for port in PORTS if lets_through(rendered(overlay), peer, pod, port)]
        for name, peer in PEERS.items()
    }
    return {name: ports for name, ports in found.items() if ports}


def out_of(overlay: str, pod: Peer) -> dict[str, list[int]]:
    """Whom a pod reaches, of those that no policy closes."""
    peers = {name: peer for name, peer in PEERS.items() if peer.namespace != "triton"}
    found = {
        name: [port for port in PORTS if lets_through(rendered(overlay), pod, peer, port)]
        for name, peer in peers.items()
    }
    return {name: ports for name, ports in found.items() if ports}


@pytest.mark.parametrize("overlay", SIDECARS)
def test_clients_reach_triton_and_monitoring_reaches_metrics_and_the_watcher(overlay: str) -> None:
    assert into(overlay, TRITON) == {
        "watcher": [8000, 8001],  # without the fleet's agent: any pod of the namespace
        "client": [8000, 8001],
        "invited": [8000, 8001],
        "prometheus": [8002, 8003],
        "alertmanager": [8002, 8003],  # of the same namespace as Prometheus
    }


def test_the_fleets_agent_reaches_all_ports_of_triton_and_prometheus_reaches_the_agent() -> None:
    assert into("standalone-fleet", TRITON) == {
        "watcher": [8000, 8001, 8002],
        "client": [8000, 8001],
        "invited": [8000, 8001],
        "prometheus": [8002],
        "alertmanager": [8002],
    }
    assert into("standalone-fleet", WATCHER) == {"prometheus": [8003], "alertmanager": [8003]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_look_up_names_and_an_agent_that_tells_reaches_alertmanager(overlay: str) -> None:
    told = {"prometheus": [9093], "alertmanager": [9093]}
    assert out_of(overlay, TRITON) == {"dns": [53], **(told if overlay.startswith("sidecar") else {})}
    if overlay == "standalone-fleet":
        assert out_of(overlay, WATCHER) == {"dns": [53], **told}
    assert lets_through(rendered(overlay), TRITON, DNS, 53, "UDP")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_policies_use_numbers_of_ports(overlay: str) -> None:
    """Several network plugins do not know the names of ports of pods that a policy's egress leads to."""
    for policy in of_kind(rendered(overlay), "NetworkPolicy"):
        for rule in [*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])]:
            assert rule["ports"]
            assert all(isinstance(one["port"], int) for one in rule["ports"])


def test_the_fleets_agent_alone_closes_no_triton_that_is_there_already() -> None:
    policies = of_kind(parsed(text_of(KUBERNETES / "fleet")), "NetworkPolicy")
    assert [one["metadata"]["name"] for one in policies] == ["triton-watch"]
    assert not any(selected(one["spec"]["podSelector"], TRITON.labels) for one in policies)


def test_a_policy_that_is_missing_a_rule_is_seen() -> None:
    kept = [one for one in rendered("sidecar") if one["metadata"]["name"] != "triton-watch"]
    assert not lets_through(kept, PROMETHEUS, TRITON, 8003)
    assert lets_through([], STRANGER, TRITON, 8003)
