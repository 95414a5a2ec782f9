"""What NetworkPolicies let through, as Kubernetes defines it: policies add up, and a pod that none selects is open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from support.cluster_objects import of_kind, selected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.cluster_objects import Object

_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Peer:
    """A pod: where it is, and how it and its namespace are labelled."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def namespace_has(self) -> dict[str, str]:
        """The labels of its namespace, with the one that the API server sets."""
        return {**self.namespace_labels, _NAMESPACE_NAME: self.namespace}


def lets_through(objects: list[Object], source: Peer, destination: Peer, port: int, protocol: str = "TCP") -> bool:
    """Whether `source` may connect: its own policies must let it out, those of the other let it in."""
    policies = of_kind(objects, "NetworkPolicy")
    return all(
        _passes(list(_of(policies, pod, direction)), direction, other, (port, protocol))
        for pod, direction, other in ((source, "Egress", destination), (destination, "Ingress", source))
    )


def _of(policies: list[Object], pod: Peer, direction: str) -> Iterator[Object]:
    for one in policies:
        here = one["metadata"]["namespace"] == pod.namespace and selected(one["spec"]["podSelector"], pod.labels)
        if here and direction in one["spec"]["policyTypes"]:
            yield one


def _passes(policies: list[Object], direction: str, other: Peer, asked: tuple[int, str]) -> bool:
    rules = [(one, rule) for one in policies for rule in one["spec"].get(direction.lower(), [])]
    way = "from" if direction == "Ingress" else "to"
    return not policies or any(
        _port_fits(rule.get("ports"), *asked) and _peer_fits(rule.get(way), other, policy["metadata"]["namespace"])
        for policy, rule in rules
    )


def _port_fits(ports: list[Object] | None, number: int, protocol: str) -> bool:
    return not ports or any((one["port"], one.get("protocol", "TCP")) == (number, protocol) for one in ports)


def _peer_fits(peers: list[Object] | None, other: Peer, namespace: str) -> bool:
    return not peers or any(_one_fits(one, other, namespace) for one in peers)


def _one_fits(peer: Object, other: Peer, namespace: str) -> bool:
    if "ipBlock" in peer:  # addresses outside the cluster: no pod has one
        return False
    spaces = peer.get("namespaceSelector")
    here = other.namespace == namespace if spaces is None else selected(spaces, other.namespace_has)
    return here and selected(peer.get("podSelector"), other.labels)
