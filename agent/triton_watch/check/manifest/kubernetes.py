"""Containers that run Triton in objects of Kubernetes, KServe and Knative."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.check.manifest.command import MOST_WORDS, NOT_SERVING, find_server, parse_flags, words_of
from triton_watch.check.manifest.image import Image, read_image
from triton_watch.check.manifest.records import Container, Mount, Platform, Port, Probe, ProbeWay, Value
from triton_watch.check.manifest.units import kubernetes_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.check.manifest.tree import Node
    from triton_watch.check.pbtxt import Span

MOST_CONTAINERS = 500
POD_PATHS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "ReplicationController": ("spec", "template", "spec"),
    "Rollout": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Service": ("spec", "template", "spec"),  # Knative's; the other has no template
    "Configuration": ("spec", "template", "spec"),
    "ServingRuntime": ("spec",),
    "ClusterServingRuntime": ("spec",),
    "InferenceService": ("spec", "predictor"),
    "LeaderWorkerSet": ("spec", "leaderWorkerTemplate", "leaderTemplate", "spec"),
}
"""Kind -> where its pod's specification is."""
MONITORS = frozenset({"PodMonitor", "ServiceMonitor", "PodMonitoring", "ScrapeConfig"})
KSERVE = frozenset({"InferenceService", "ServingRuntime", "ClusterServingRuntime"})
_PROBES = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
_NO_TEXTS = frozenset({"int", "float", "bool"})
_WAYS = {way.value: way for way in ProbeWay if way is not ProbeWay.UNKNOWN}


def objects_of(root: Node, depth: int = 0) -> Iterator[Node]:
    """Yield the objects of a document; those of a List one by one."""
    if (root.string("kind") or "").endswith("List") and depth < 3:
        for item in root.items("items"):
            yield from objects_of(item, depth + 1)
    elif root.string("kind") and root.string("apiVersion"):
        yield root


def containers_of(root: Node, text: str) -> Iterator[Container]:
    """Yield the containers of one object that run Triton."""
    kind = root.string("kind") or ""
    pod = root.get(*POD_PATHS[kind]) if kind in POD_PATHS else None
    if pod is None:
        return
    for node in _container_nodes(pod):
        found = _container(node, kind, text)
        if found is not None:
            yield _in_pod(found, root, pod, node, kind)
    for key in ("triton", "model") if kind == "InferenceService" else ():
        managed = pod.get(key)
        if managed is not None and (key == "triton" or _asks_for_triton(managed)):
            yield _in_pod(_managed(managed, pod.key(key)), root, pod, managed, kind)


def service_ports(root: Node) -> Iterator[str]:
    """Yield numbers and names of the ports that a Service leads to."""
    for port in root.items("spec", "ports"):
        yield port.string("targetPort") or port.string("port") or ""


def lost_ports(roots: Iterable[Node]) -> Iterator[Value]:
    """Yield the ports of ServiceMonitors that are in none of the Services that they select.

    A monitor that selects no Service of the file is for another one, and not judged.
    """
    every = list(roots)[:MOST_CONTAINERS]
    services = [root for root in every if root.string("kind") == "Service" and root.items("spec", "ports")]
    for monitor in every:
        if monitor.string("kind") != "ServiceMonitor" or monitor.get("spec", "selector", "matchExpressions"):
            continue
        wanted = {(name, value.text) for name, _, value in monitor.entries("spec", "selector", "matchLabels")}
        chosen = [one for one in services if wanted <= _labels(one)]
        names = {port.string("name") for one in chosen for port in one.items("spec", "ports")}
        for endpoint in monitor.items("spec", "endpoints") if chosen else ():
            port = endpoint.get("port")
            if port is not None and port.text is not None and port.text not in names:
                yield Value(port.text, port.span)


def _labels(root: Node) -> set[tuple[str, str | None]]:
    return {(name, value.text) for name, _, value in root.entries("metadata", "labels")}


def says_scrape(root: Node) -> bool:
    """Whether an object tells Prometheus to scrape: a monitor, or an annotation `prometheus.io/scrape`."""
    if root.string("kind") in MONITORS:
        return True
    places = (("metadata", "annotations"), ("spec", "template", "metadata", "annotations"), ("spec", "annotations"))
    return any(
        ("scrape" in name.lower() and value.truth() is not False) or "enableMetric" in name or "openmetrics" in name
        for place in places
        for name, _, value in root.entries(*place)
    )


def _container_nodes(pod: Node) -> Iterator[Node]:
    yield from pod.items("containers")[:MOST_CONTAINERS]
    # An init container that restarts always is a sidecar, and goes on running.
    yield from (node for node in pod.items("initContainers")[:MOST_CONTAINERS] if node.string("restartPolicy"))


def _container(node: Node, kind: str, text: str) -> Container | None:
    image = _image(node)
    words = words_of((node.get("command"), node.get("args")))
    server = find_server(words, text)
    if server is None and not node.get("command") and words and words[0].text.startswith("--model-"):
        official = image is not None and image.is_official
        server = None if official else parse_flags(words[0].span, words)
    starts_with = words[0].text if words else ""
    if server is None and (image is None or not _may_serve(image, starts_with, kind)):
        return None
    name = node.string("name") or "?"
    where = node.get("name")
    return Container(
        name=name,
        kind=kind,
        platform=Platform.KUBERNETES,
        span=node.span if where is None else where.span,
        image=image,
        server=server,
        command=words[0].span if words else None,
        own_entry=node.get("command") is not None,
        starts_with=starts_with,
    )


def _may_serve(image: Image, starts_with: str, kind: str) -> bool:
    ends = kind in {"Job", "CronJob"} or image.variant == "sdk"
    return image.is_triton and not ends and starts_with.rpartition("/")[2] not in NOT_SERVING


def _asks_for_triton(node: Node) -> bool:
    """Whether the model of an InferenceService is served by a runtime with Triton, by its format or by its name."""
    return node.string("modelFormat", "name") == "triton" or "triton" in (node.string("runtime") or "").lower()


def _managed(node: Node, span: Span) -> Container:
    """Return the container that KServe makes: the runtime has more of its command, its probes and its ports."""
    version = node.get("runtimeVersion")
    image = _image(node)
    if version is not None and version.text:
        image = read_image(f"nvcr.io/nvidia/tritonserver:{version.text}", version.span)
    words = words_of((node.get("args"),))
    server = parse_flags(words[0].span, words, whole=False) if words else None
    return Container("triton", "InferenceService", Platform.KUBERNETES, span, image=image, server=server, managed=True)


def _image(node: Node) -> Image | None:
    image = node.get("image")
    return None if image is None or image.text is None else read_image(image.text, image.span)


def _in_pod(container: Container, root: Node, pod: Node, node: Node, kind: str) -> Container:
    """Add what the container's fields and its pod say."""
    annotations = {
        name: value.text or ""
        for place in (("metadata", "annotations"), ("spec", "template", "metadata", "annotations"))
        for name, _, value in root.entries(*place)
    }
    limits = node.get("resources", "limits") or node.get("resources", "requests")
    return replace(
        container,
        ports=tuple(_port(port) for port in node.items("ports")),
        env={item.string("name") or "": item.string("value") or "" for item in node.items("env")},
        liveness=_probe(node, "livenessProbe"),
        readiness=_probe(node, "readinessProbe"),
        startup=_probe(node, "startupProbe"),
        mounts=tuple(_mounts(node, pod)),
        gpus=_gpus(limits) if limits is not None else _claim(node),
        memory_limit=_value(node.get("resources", "limits", "memory")),
        ipc_host=pod.get("hostIPC") is not None and pod.truth("hostIPC") is True,
        grace=_value(pod.get("terminationGracePeriodSeconds")),
        annotations=annotations,
        managed=container.managed or kind in KSERVE,
        not_texts=tuple(_not_texts(node)),
    )


def _not_texts(node: Node) -> Iterator[tuple[str, Value]]:
    """Yield what YAML takes for a number or a truth value where the API has texts."""
    given = [(name, item) for name in ("command", "args") for item in node.items(name)[:MOST_WORDS]]
    for item in node.items("env")[:MOST_WORDS]:
        value = item.get("value")
        if value is not None:
            given.append((f"env {item.string('name') or '?'}", value))
    for name, item in given:
        # PyYAML reads 1:30 as a number in base 60, Kubernetes' reader does not.
        if item.tag in _NO_TEXTS and item.text is not None and ":" not in item.text:
            yield name, Value(item.text, item.span)


def _port(node: Node) -> Port:
    number = node.number("containerPort")
    return Port(None if number is None else int(number), node.string("name") or "", node.span)


def _probe(node: Node, key: str) -> Probe | None:
    probe = node.get(key)
    if probe is None:
        return None
    way = next((name for name in _WAYS if probe.get(name) is not None), "")
    return Probe(
        _PROBES[key],
        node.key(key),
        _WAYS.get(way, ProbeWay.UNKNOWN),
        path=_value(probe.get(way, "path")) if way else None,
        port=_value(probe.get(way, "port")) if way else None,
        command=_command(probe.get("exec", "command")),
        initial_delay=_value(probe.get("initialDelaySeconds")),
        period=_value(probe.get("periodSeconds")),
        timeout=_value(probe.get("timeoutSeconds")),
        failures=_value(probe.get("failureThreshold")),
        headers=tuple((header.string("name") or "").lower() for header in probe.items("httpGet", "httpHeaders")),
    )


def _command(node: Node | None) -> Value | None:
    return None if node is None else Value(" ".join(word.text for word in words_of((node,))), node.span)


def _value(node: Node | None) -> Value | None:
    return None if node is None or node.text is None else Value(node.text, node.span, node.number())


def _gpus(limits: Node) -> Value | None:
    for name, span, value in limits.entries():
        if "nvidia.com/" in name and value.text is not None:
            return Value(value.text, span, value.number() if name == "nvidia.com/gpu" else None)
    return None


def _claim(node: Node) -> Value | None:
    """Return a claim of dynamic resource allocation, which may be for a GPU."""
    claims = node.items("resources", "claims")
    return Value("claim", claims[0].span) if claims else None


def _mounts(node: Node, pod: Node) -> Iterator[Mount]:
    volumes = {volume.string("name"): volume for volume in pod.items("volumes")}
    for mount in node.items("volumeMounts"):
        volume = volumes.get(mount.string("name"))
        memory = volume is not None and volume.string("emptyDir", "medium") == "Memory"
        limit = None if volume is None else volume.get("emptyDir", "sizeLimit")
        size = None
        if limit is not None and limit.text is not None:
            size = Value(limit.text, limit.span, kubernetes_bytes(limit.text))
        path = mount.get("mountPath")
        if path is not None:
            yield Mount((path.text or "").rstrip("/"), path.span, mount.string("name") or "", memory, size)
