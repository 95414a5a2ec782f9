"""The profile `restricted` of Kubernetes' Pod Security Standards, as a table: what each pod and container must say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.cluster_objects import Object, Workload

_VOLUMES: Final = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_ADDABLE: Final = {"NET_BIND_SERVICE"}
_SYSCTLS: Final = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
}

POD_RULES: Final[Mapping[str, Callable[[Object], bool]]] = {
    "shares no namespace of the host": lambda pod: (
        not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    ),
    "has volumes of the allowed kinds only": lambda pod: all(
        set(volume) - {"name"} <= _VOLUMES for volume in pod.get("volumes", [])
    ),
    "sets no sysctl but the safe ones": lambda pod: {one["name"] for one in _of(pod).get("sysctls", [])} <= _SYSCTLS,
}
CONTAINER_RULES: Final[Mapping[str, Callable[[Object, Object], bool]]] = {
    "is not privileged": lambda _pod, one: not _of(one).get("privileged"),
    "cannot gain privileges": lambda _pod, one: _of(one).get("allowPrivilegeEscalation") is False,
    "drops all capabilities": lambda _pod, one: "ALL" in _of(one).get("capabilities", {}).get("drop", []),
    "adds no capability": lambda _pod, one: set(_of(one).get("capabilities", {}).get("add", [])) <= _ADDABLE,
    "runs as another than root": lambda pod, one: (
        _either(pod, one, "runAsNonRoot") is True and _either(pod, one, "runAsUser") != 0
    ),
    "has a seccomp profile": lambda pod, one: (
        (_either(pod, one, "seccompProfile") or {}).get("type") in {"RuntimeDefault", "Localhost"}
    ),
    "keeps /proc masked": lambda _pod, one: _of(one).get("procMount", "Default") == "Default",
    "takes no port of the host": lambda _pod, one: not any(port.get("hostPort") for port in one.get("ports", [])),
}


def broken_rules(workload: Workload) -> Iterator[str]:
    """Yield what of the profile a workload's pods do not keep to."""
    for rule, kept in POD_RULES.items():
        if not kept(workload.pod):
            yield f"pod: not so that it {rule}"
    for one in workload.containers:
        for container_rule, holds in CONTAINER_RULES.items():
            if not holds(workload.pod, one):
                yield f"{one['name']}: not so that it {container_rule}"


def _of(owner: Object) -> Object:
    return dict(owner.get("securityContext") or {})


def _either(pod: Object, container: Object, name: str) -> Any:
    """A setting of the container, or of its pod where the container says nothing."""
    return _of(container).get(name, _of(pod).get(name))
