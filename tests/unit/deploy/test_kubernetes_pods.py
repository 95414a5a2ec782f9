"""deploy/kubernetes: pods that start slowly, roll without a spare GPU, and have what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.cluster_objects import OVERLAYS, agent, triton, works
from triton_watch.version import __version__

if TYPE_CHECKING:
    from support.cluster_objects import Object

SHARED = "/dev/shm"  # noqa: S108 - of a container


def asked(probe: Object) -> tuple[str, Any]:
    """Where a probe asks."""
    return probe["httpGet"]["path"], probe["httpGet"]["port"]


def patience(probe: Object) -> int:
    """Seconds of silence until a probe acts."""
    return int(probe["periodSeconds"]) * int(probe["failureThreshold"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_triton_has_half_an_hour_to_load_and_a_minute_of_silence(overlay: str) -> None:
    one = triton(overlay).container("triton")
    start, life, ready = (one[f"{name}Probe"] for name in ("startup", "liveness", "readiness"))
    assert asked(start) == asked(life) == ("/v2/health/live", "http")
    assert patience(start) >= 1800
    assert patience(life) >= 60
    assert life["timeoutSeconds"] >= 5
    serving = overlay == "sidecar-serving"
    assert asked(ready) == (("/-/serving", 8003) if serving else ("/v2/health/ready", "http"))
    assert (ready["periodSeconds"], ready["timeoutSeconds"], ready["failureThreshold"]) == (5, 3, 3)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_agent_is_restarted_when_it_hangs_and_never_takes_triton_out_of_service(overlay: str) -> None:
    work, one = agent(overlay)
    assert asked(one["livenessProbe"]) == asked(one["startupProbe"]) == ("/-/healthy", "watch")
    assert patience(one["startupProbe"]) >= 60
    alone = work.object["kind"] == "StatefulSet"
    assert alone == (overlay == "standalone-fleet")
    assert ("readinessProbe" in one) == alone
    if alone:
        assert asked(one["readinessProbe"]) == ("/-/ready", "watch")


@pytest.mark.parametrize("overlay", [one for one in OVERLAYS if one != "standalone-fleet"])
def test_the_agent_starts_before_tritons_large_image_is_pulled(overlay: str) -> None:
    # The kubelet takes the containers in their order; Prometheus asks port 8003 as soon as the pod has an address.
    assert [one["name"] for one in triton(overlay).containers] == ["triton-watch", "triton"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_our_image_has_the_version_of_the_package(overlay: str) -> None:
    assert agent(overlay)[1]["image"] == f"triton-watch:{__version__}"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_named_ports_of_probes_are_the_containers_own(overlay: str) -> None:
    for work in works(overlay):
        for one in work.containers:
            names = {port["name"] for port in one["ports"]}
            probes = [one[name] for name in one if name.endswith("Probe")]
            assert {probe["httpGet"]["port"] for probe in probes} - names <= {8003}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_rollout_needs_no_spare_gpu_and_waits_for_slow_starts(overlay: str) -> None:
    work = triton(overlay)
    spec = work.object["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert spec["progressDeadlineSeconds"] > patience(work.container("triton")["startupProbe"])
    assert all(one["whenUnsatisfiable"] == "ScheduleAnyway" for one in work.pod["topologySpreadConstraints"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_triton_may_finish_its_requests_before_it_is_killed(overlay: str) -> None:
    work = triton(overlay)
    program, seconds = work.container("triton")["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert work.pod["terminationGracePeriodSeconds"] >= int(seconds) + 30 + 10
    alone, _ = agent(overlay)
    assert alone.pod["terminationGracePeriodSeconds"] >= 10


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_resources_are_asked_for_and_memory_is_bounded(overlay: str) -> None:
    for work in works(overlay):
        for one in work.containers:
            requests, limits = one["resources"]["requests"], one["resources"]["limits"]
            assert set(requests) >= {"cpu", "memory"}
            assert "memory" in limits
            assert "cpu" not in limits, "throttled probes and polls look like a server that hangs"
    gpus = triton(overlay).container("triton")["resources"]
    assert gpus["limits"]["nvidia.com/gpu"] == gpus["requests"]["nvidia.com/gpu"] == "1"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_models_are_read_only_and_shared_memory_is_in_memory(overlay: str) -> None:
    work = triton(overlay)
    volumes = {one["name"]: one for one in work.pod["volumes"]}
    assert volumes["models"]["persistentVolumeClaim"] == {"claimName": "triton-models", "readOnly": True}
    for one in work.containers:
        (mount,) = (mount for mount in one["volumeMounts"] if mount["name"] == "models")
        assert (mount["mountPath"], mount["readOnly"]) == ("/models", True)
    shm = next(one for one in work.container("triton")["volumeMounts"] if one["mountPath"] == SHARED)
    assert volumes[shm["name"]]["emptyDir"]["medium"] == "Memory"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_configuration_arrives_without_a_restart_and_the_state_has_its_place(overlay: str) -> None:
    work, one = agent(overlay)
    mounts = {mount["mountPath"]: mount for mount in one["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in work.pod["volumes"]}
    assert volumes[mounts["/etc/triton-watch"]["name"]]["configMap"]["name"] == "triton-watch"
    assert mounts["/etc/triton-watch"]["readOnly"] is True
    assert not any("subPath" in mount for mount in one["volumeMounts"])
    state = mounts["/var/lib/triton-watch"]["name"]
    if overlay == "standalone-fleet":
        (claim,) = work.object["spec"]["volumeClaimTemplates"]
        assert claim["metadata"]["name"] == state
        assert work.object["spec"]["replicas"] == 1
        # OrderedReady leaves a pod that never gets ready (a wrong image) where it is, whatever comes later.
        assert work.object["spec"]["podManagementPolicy"] == "Parallel"
        assert work.object["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    else:
        assert "emptyDir" in volumes[state]
