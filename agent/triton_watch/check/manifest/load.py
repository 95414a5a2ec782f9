"""A file to a `Manifest`, or to nothing when no container in it runs Triton."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.check.manifest.compose import is_compose, scrapes, services_of
from triton_watch.check.manifest.kubernetes import containers_of, lost_ports, objects_of, says_scrape, service_ports
from triton_watch.check.manifest.records import Broken, Container, Manifest
from triton_watch.check.manifest.tree import Node, Reader, TreeError
from triton_watch.check.pbtxt import Span

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.options import Options

MOST_BYTES = 10_000_000
_TEMPLATE = re.compile(r"\{\{|\{%|<%")
_NETWORK = frozenset({"Service", "ServiceMonitor"})
_KUBERNETES = re.compile(r"^(?:apiVersion|kind):", re.MULTILINE)
_COMPOSE = re.compile(r"^services:", re.MULTILINE)


def load_manifest(path: Path, data: bytes, *, explicit: bool = False) -> Manifest | None:
    """Read a manifest; None for a file that is none, or that has no container that runs Triton. Never raises.

    What is broken but looks like a manifest of Triton comes back with `broken`, and with the containers before
    the fault. A template (Helm, `{{ … }}`) that is no YAML yet is passed over in silence, unless the file was
    given by name (`explicit`): then it is `broken`, with the advice to render it first.
    """
    if b"triton" not in data.lower():
        return None
    if len(data) > MOST_BYTES:
        return Manifest(path, "", broken=_too_large(len(data))) if explicit else None
    text = data.decode("utf-8-sig", errors="replace")
    found = _Found(text)
    broken = found.read()
    if broken is not None and found.templated and _TEMPLATE.search(text):
        return Manifest(path, text, broken=_template(text)) if explicit else None
    if not found.containers and (broken is None or not (explicit or _looks_like_manifest(text))):
        return None
    return Manifest(
        path,
        text,
        tuple(found.containers),
        broken,
        frozenset(found.service_ports),
        found.scraped,
        tuple(lost_ports(found.network)),
    )


class _Found:
    """What is collected over the documents of a file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.containers: list[Container] = []
        self.service_ports: set[str] = set()
        self.scraped = False
        self.templated = False
        self.network: list[Node] = []
        """Services, and what monitors them."""

    def read(self) -> Broken | None:
        reader = Reader(self.text)
        try:
            for root in reader.documents():
                self._document(root)
        except TreeError as error:
            self.templated = True
            return Broken(
                f"this file is not valid YAML: {error}",
                "mend it here or just above: indentation, quotes, colons, a tab",
                error.span,
                refused=not error.limit and (bool(self.containers) or _looks_like_manifest(self.text)),
            )
        self.templated = reader.templated
        return _unrendered() if reader.templated and _TEMPLATE.search(self.text) else None

    def _document(self, root: Node) -> None:
        if is_compose(root):
            self.containers += services_of(root, self.text)
            self.scraped = self.scraped or scrapes(root)
        for found in objects_of(root):
            self.containers += containers_of(found, self.text)
            self.scraped = self.scraped or says_scrape(found)
            if found.string("kind") in _NETWORK:
                self.network.append(found)
            if found.string("kind") == "Service":
                self.service_ports.update(service_ports(found))


def facts_of(manifest: Manifest) -> dict[str, object]:
    """Return what a manifest says about the server, by the names of `Options`, where its containers agree.

    `cache` and `rate_limit` are only there when the command line is known whole, `gpus` when a number is given.
    """
    facts = [_facts(container) for container in manifest.containers]
    if not facts:
        return {}
    names = set.intersection(*(set(one) for one in facts))
    return {name: facts[0][name] for name in sorted(names) if all(one[name] == facts[0][name] for one in facts)}


def _facts(container: Container) -> dict[str, object]:
    found: dict[str, object] = {}
    if container.release is not None:
        found["triton"] = container.release
    if container.gpus is not None and container.gpus.number is not None and container.gpus.number >= 0:
        found["gpus"] = int(container.gpus.number)
    server = container.server
    if server is None or not server.whole or container.managed:
        return found
    cache, rate = server.last("--cache-config"), server.last("--rate-limit")
    found["cache"] = cache is not None or server.last("--response-cache-byte-size") is not None
    if rate is None or not rate.unknown_value:
        found["rate_limit"] = rate is not None and (rate.value or "").lower() == "execution_count"
    strict = server.last("--strict-model-config")
    off = server.last("--disable-auto-complete-config") is not None or (strict is not None and strict.truth is True)
    found["auto_complete"] = not off
    return found


def fill_options(options: Options, manifest: Manifest) -> Options:
    """Return options with what a manifest says, where the user said nothing. Unknown stays unknown."""
    facts = facts_of(manifest)
    if facts.pop("auto_complete", True) is False:
        options = replace(options, auto_complete=False)
    changes = {name: value for name, value in facts.items() if getattr(options, name) is None}
    return replace(options, **changes)  # type: ignore[arg-type]  # names and types are those of `_facts`


def _looks_like_manifest(text: str) -> bool:
    return "tritonserver" in text.lower() and bool(len(set(_KUBERNETES.findall(text))) > 1 or _COMPOSE.search(text))


def _template(text: str) -> Broken:
    found = _TEMPLATE.search(text)
    start = 0 if found is None else found.start()
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Broken(_unrendered().message, _unrendered().fix, Span(start, start + 2, line, column))


def _unrendered() -> Broken:
    return Broken(
        "this file is a template, not YAML yet: nothing of it was checked",
        "render it first, as with `helm template CHART > rendered.yaml`, and check the result",
        Span(0, 0, 1, 1),
    )


def _too_large(size: int) -> Broken:
    return Broken(
        f"this file has {size:,} bytes, and manifests are checked up to {MOST_BYTES:,}: nothing of it was checked",
        "check the part that runs Triton in a file of its own",
        Span(0, 0, 1, 1),
    )
