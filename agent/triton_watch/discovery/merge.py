"""Configured and found targets as one list: each address once, each name once, and not more than can be watched."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from triton_watch.records import Target

LIMIT: Final = 2000
"""Found targets that are watched at most: docs/fleet.md has what 500 of them cost."""
_HTTPS: Final = 443
"""The port of an URL that has none: one of http always has."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The targets to watch. `clashes` say which were left out for their names; `cut` is how many for want of room."""

    targets: tuple[Target, ...]
    clashes: tuple[str, ...] = ()
    cut: int = 0


def merge(
    configured: Sequence[Target],
    found: Mapping[str, Sequence[Target]],
    known: Collection[str] = (),
    limit: int = LIMIT,
) -> Merged:
    """Put the targets of all sources behind those that are configured. `found` is by source, in its order.

    What comes first wins: an address that was there already is left out silently, a name with a word on it. Where there
    are more than `limit`, those whose names are among `known` stay, then those that came first: an answer that grows
    takes nothing away.
    """
    names = {target.name: "the configuration" for target in configured}
    addresses = {_address(target) for target in configured}
    taken: list[Target] = []
    clashes = []
    for label, target in ((label, target) for label, targets in found.items() for target in targets):
        if _address(target) in addresses:
            continue
        if target.name in names:
            clashes.append(_clash(target, label, names[target.name]))
            continue
        addresses.add(_address(target))
        names[target.name] = label
        taken.append(target)
    kept = taken if len(taken) <= limit else _first(taken, known, limit)
    return Merged((*configured, *kept), tuple(clashes), len(taken) - len(kept))


def _first(targets: Iterable[Target], known: Collection[str], limit: int) -> list[Target]:
    ordered = sorted(targets, key=lambda target: target.name not in known)  # stable
    kept = {target.name for target in ordered[:limit]}
    return [target for target in targets if target.name in kept]


def _address(target: Target) -> tuple[str, int, str]:
    url = urlsplit(target.http_url)
    return _plain(url.hostname or ""), url.port or _HTTPS, url.path


def _plain(host: str) -> str:
    """One form for a host: IPv6 addresses can be written in several, and a name may end in a dot."""
    try:
        return str(ip_address(host))
    except ValueError:
        return host.removesuffix(".")


def _clash(target: Target, label: str, other: str) -> str:
    return (
        f"{target.http_url} of {label} is not watched: its name {target.name} is that of another target, "
        f"of {other}; give one of them another name"
    )
