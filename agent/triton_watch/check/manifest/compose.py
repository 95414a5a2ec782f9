"""Containers that run Triton among the services of a Compose file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.manifest.command import NOT_SERVING, Word, find_server, parse_flags, split_words, words_of
from triton_watch.check.manifest.image import read_image
from triton_watch.check.manifest.records import Container, Mount, Platform, Port, Probe, ProbeWay, Value
from triton_watch.check.manifest.units import compose_bytes, compose_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.manifest.tree import Node

MOST_SERVICES = 500
_SCRAPERS = ("prom/prometheus", "prometheus", "victoriametrics", "grafana/agent", "grafana/alloy", "otel", "datadog")
"""Parts of the names of images that scrape."""


def is_compose(root: Node) -> bool:
    """Whether a document looks like a Compose file."""
    services = root.get("services")
    return services is not None and bool(services.mapping) and root.get("apiVersion") is None


def services_of(root: Node, text: str) -> Iterator[Container]:
    """Yield the services that run Triton."""
    for name, span, node in list(root.entries("services"))[:MOST_SERVICES]:
        image = node.get("image")
        named = None if image is None or image.text is None else read_image(image.text, image.span)
        words = [*_words(node.get("entrypoint"), text), *_words(node.get("command"), text)]
        server = find_server(words, text)
        starts_with = words[0].text if words else ""
        triton = named is not None and named.is_triton and named.variant != "sdk"
        if server is None and triton and not node.get("entrypoint") and starts_with.startswith("--model-"):
            server = None if named is not None and named.is_official else parse_flags(words[0].span, words)
        if server is None and (not triton or starts_with.rpartition("/")[2] in NOT_SERVING):
            continue
        shm = node.get("shm_size")
        yield Container(
            name=name,
            kind="service",
            platform=Platform.COMPOSE,
            span=span,
            image=named,
            server=server,
            command=words[0].span if words else None,
            own_entry=bool(_words(node.get("entrypoint"), text)),
            starts_with=starts_with,
            ports=tuple(_ports(node)),
            env=_environment(node),
            readiness=_health_check(node),
            mounts=tuple(_mounts(node)),
            gpus=_gpus(node),
            memory_limit=_value(node.get("deploy", "resources", "limits", "memory") or node.get("mem_limit")),
            shm_size=None if shm is None else Value(shm.text or "", shm.span, compose_bytes(shm.text or "")),
            ipc_host=(node.string("ipc") or "").startswith(("host", "service:", "container:", "shareable")),
            grace=_seconds(node.get("stop_grace_period")),
        )


def scrapes(root: Node) -> bool:
    """Whether one of the services is something that scrapes."""
    return any(
        part in (node.string("image") or name).lower()
        for name, _, node in root.entries("services")
        for part in _SCRAPERS
    )


def _words(node: Node | None, text: str) -> list[Word]:
    if node is None:
        return []
    return words_of((node,)) if node.sequence or node.text is None else split_words(node, text)


def _environment(node: Node) -> dict[str, str]:
    given = {name: value.text or "" for name, _, value in node.entries("environment")}
    for item in node.items("environment"):
        name, _, value = (item.text or "").partition("=")
        given[name] = value
    return given


def _ports(node: Node) -> Iterator[Port]:
    for key in ("ports", "expose"):
        for item in node.items(key):
            text = item.string("target") or item.text or ""
            first, _, last = text.rpartition(":")[2].partition("/")[0].partition("-")
            for number in _range(first, last):
                yield Port(number, "", item.span)


def _range(first: str, last: str) -> range | tuple[None]:
    if not first.isdecimal() or len(first) > 5 or (last and (not last.isdecimal() or len(last) > 5)):
        return (None,)
    return range(int(first), min(int(last or first), int(first) + 100) + 1)


def _health_check(node: Node) -> Probe | None:
    check = node.get("healthcheck")
    if check is None:
        return None
    test = check.get("test")
    command = None if test is None else Value(" ".join(word.text for word in words_of((test,))), test.span)
    off = check.truth("disable") is True or (command is not None and command.text == "NONE")
    return Probe(
        "healthcheck",
        node.key("healthcheck"),
        ProbeWay.EXEC,
        command=command,
        initial_delay=_seconds(check.get("start_period")),
        period=_seconds(check.get("interval")),
        timeout=_seconds(check.get("timeout")),
        failures=_value(check.get("retries")),
        off=off,
    )


def _seconds(node: Node | None) -> Value | None:
    return None if node is None else Value(node.text or "", node.span, compose_seconds(node.text or ""))


def _value(node: Node | None) -> Value | None:
    return None if node is None or node.text is None else Value(node.text, node.span, node.number())


def _gpus(node: Node) -> Value | None:
    """Return what gives the service GPUs: `gpus:`, reserved devices, or the runtime `nvidia`."""
    short = node.get("gpus")
    if short is not None:
        return Value(short.text or "devices", node.key("gpus"), short.number())
    reserved = node.get("deploy", "resources", "reservations")
    for device in () if reserved is None else reserved.items("devices"):
        kinds = [*(item.text for item in device.items("capabilities")), device.string("driver")]
        if "gpu" in kinds or "nvidia" in kinds:
            count, ids = device.number("count"), device.items("device_ids")
            return Value(device.string("count") or "all", device.span, float(len(ids)) if ids else count)
    if node.string("runtime") == "nvidia":
        return Value("runtime", node.key("runtime"))
    return _passed_devices(node)


def _passed_devices(node: Node) -> Value | None:
    for item in node.items("devices"):
        if item.text is not None and ("nvidia" in item.text):
            return Value(item.text, item.span)
    return None


def _mounts(node: Node) -> Iterator[Mount]:
    for item in node.items("volumes"):
        if item.text is not None:
            parts = item.text.split(":")
            yield Mount((parts[1] if len(parts) > 1 else parts[0]).rstrip("/"), item.span, parts[0])
        else:
            size = item.get("tmpfs", "size")
            yield Mount(
                (item.string("target") or "").rstrip("/"),
                item.span,
                item.string("source") or "",
                item.string("type") == "tmpfs",
                None if size is None else Value(size.text or "", size.span, compose_bytes(size.text or "")),
            )
    tmpfs = node.get("tmpfs")
    for item in () if tmpfs is None else tmpfs.sequence or (tmpfs,):
        yield Mount((item.text or "").partition(":")[0].rstrip("/"), item.span, memory=True)
