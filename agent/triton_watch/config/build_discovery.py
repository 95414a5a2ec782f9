"""The `discovery` section, checked, as `DiscoverySettings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.config.discovery_fields import dns_server
from triton_watch.config.discovery_sections import FoundSection
from triton_watch.records import DiscoverySettings, DnsSource, FileSource, RecordType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from triton_watch.config.discovery_sections import DiscoverySection, DnsSection
    from triton_watch.config.errors import Location
    from triton_watch.config.expand import Report
    from triton_watch.config.server_sections import ServerSection
    from triton_watch.records import Target

MOST: Final = 100
"""Sources: each is looked at again and again."""
_SHORTEST: Final = 1.0


def discovery_settings(
    section: DiscoverySection | None,
    template: Callable[[ServerSection, Location], Target],
    base: Path,
    report: Report,
) -> DiscoverySettings:
    """Build where to look for targets. `template` makes a target without addresses of settings and their location."""
    if section is None:
        return DiscoverySettings()
    if not section.dns and not section.files:
        report(("discovery",), "has neither dns nor files: add one of them, or delete it.")
    dns = [_dns(one, template, ("discovery", "dns", index), report) for index, one in enumerate(section.dns or ())]
    files = []
    for index, one in enumerate(section.files or ()):
        at = ("discovery", "files", index)
        made = template(one.settings or FoundSection(), (*at, "settings"))
        files += [(FileSource(base / path, made), (*at, "paths")) for path in one.paths]
    labels = [(one.label, at) for one, at in dns]
    _refuse_twice([*labels, *((one.label, at) for one, at in files)], report)
    return DiscoverySettings(tuple(one for one, _ in dns), tuple(one for one, _ in files))


def _dns(
    section: DnsSection, template: Callable[[ServerSection, Location], Target], at: Location, report: Report
) -> tuple[DnsSource, Location]:
    usual, record = DnsSource(""), RecordType(section.type or "A")
    if record is RecordType.SRV and section.port is not None:
        report((*at, "port"), "is told by the SRV records: delete it.")
    if section.interval is not None and section.interval < _SHORTEST:
        report((*at, "interval"), "is under 1s, which no DNS server deserves: choose from 1s to 1d.")
    source = DnsSource(
        name=section.name,
        record=record,
        port=section.port or usual.port,
        grpc_port=section.grpc_port,
        metrics_port=section.metrics_port,
        tls=section.scheme == "https",
        server=None if section.server is None else dns_server(section.server),
        interval=section.interval or usual.interval,
        template=template(section.settings or FoundSection(), (*at, "settings")),
    )
    return source, (*at, "name")


def _refuse_twice(sources: Sequence[tuple[str, Location]], report: Report) -> None:
    if len(sources) > MOST:
        report(("discovery",), f"has {len(sources)} names and paths, over {MOST}: put targets into fewer files.")
    seen: set[str] = set()
    for label, at in sources:
        if label in seen:
            report(at, "is looked for twice: keep one.")
        seen.add(label)
