"""deploy/kubernetes: pods keep to the restricted profile, hold no token and write into volumes alone."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest

from support.cluster_objects import OVERLAYS, Workload, agent, found, of_kind, rendered, triton, works
from support.pod_security import broken_rules

if TYPE_CHECKING:
    from support.cluster_objects import Object

TEMPORARY = "/tmp"  # noqa: S108 - of a container


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_keep_to_the_restricted_profile_and_the_namespace_asks_for_it(overlay: str) -> None:
    assert [line for work in works(overlay) for line in broken_rules(work)] == []
    (namespace,) = of_kind(rendered(overlay), "Namespace")
    labels = namespace["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("pod", {"hostNetwork": True}),
        ("pod", {"volumes": [{"name": "models", "hostPath": {"path": "/"}}]}),
        ("pod", {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
        ("container", {"ports": [{"containerPort": 8000, "hostPort": 8000}]}),
        ("security", {"privileged": True}),
        ("security", {"allowPrivilegeEscalation": True}),
        ("security", {"capabilities": {"drop": ["NET_RAW"]}}),
        ("security", {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
        ("security", {"runAsUser": 0}),
        ("security", {"runAsNonRoot": False}),
        ("security", {"seccompProfile": {"type": "Unconfined"}}),
        ("security", {"procMount": "Unmasked"}),
    ],
)
def test_the_table_of_the_restricted_profile_sees_what_breaks_it(where: str, change: Object) -> None:
    work = triton("sidecar")
    pod = deepcopy(work.pod)
    container = pod["containers"][0]
    {"pod": pod, "container": container, "security": container["securityContext"]}[where].update(change)
    assert len(list(broken_rules(Workload(work.object, work.labels, pod)))) == 1


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_containers_write_into_volumes_only_and_nobody_holds_a_token(overlay: str) -> None:
    for work in works(overlay):
        assert work.pod["automountServiceAccountToken"] is False
        assert work.pod["enableServiceLinks"] is False
        account = found(rendered(overlay), "ServiceAccount", work.pod["serviceAccountName"])
        assert account["automountServiceAccountToken"] is False
        for one in work.containers:
            assert one["securityContext"]["readOnlyRootFilesystem"] is True
            assert TEMPORARY in {mount["mountPath"] for mount in one["volumeMounts"]}
            assert one["imagePullPolicy"] == "IfNotPresent"
    assert of_kind(rendered(overlay), "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding") == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_users_are_those_of_the_images(overlay: str) -> None:
    server = triton(overlay).container("triton")["securityContext"]
    assert (server["runAsUser"], server["runAsGroup"]) == (1000, 1000)
    work, one = agent(overlay)
    user = {**work.pod["securityContext"], **one["securityContext"]}
    assert (user["runAsUser"], user["runAsGroup"], user["fsGroup"]) == (65532, 65532, 65532)
    assert user["fsGroupChangePolicy"] == "OnRootMismatch"
