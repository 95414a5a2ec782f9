"""Everything looked up one time, for a command that asks the targets and ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from triton_watch.discovery.building import targets_of
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.files import Files
from triton_watch.discovery.merge import LIMIT, merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.records import DnsSource, FileSource, Settings, Target

_AT_ONCE = 8


def discover_once(settings: Settings) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """Return the configured targets and those that are found now, and a sentence for each thing that went wrong."""
    sources: list[DnsSource | FileSource] = [*settings.discovery.dns, *settings.discovery.files]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(_ask, sources))
    found = {source.label: targets for source, (targets, *_) in zip(sources, answers, strict=True)}
    merged = merge(settings.targets, found)
    problems = [problem for _, problems, _ in answers for problem in problems]
    if not merged.targets:
        problems += [f"no targets were found: {nothing}" for *_, nothing in answers if nothing]
    cut = (f"{merged.cut} of the targets that were found are left out: {LIMIT} are at most",) if merged.cut else ()
    return merged.targets, (*problems, *merged.clashes, *cut)


def _ask(source: DnsSource | FileSource) -> tuple[Sequence[Target], Sequence[str], str]:
    """Return targets, what went wrong, and why there is no target."""
    from triton_watch.discovery.look_ups import look_up  # noqa: PLC0415 - dnspython takes a while to import
    from triton_watch.records import DnsSource  # noqa: PLC0415 - above it is for the types alone

    if isinstance(source, DnsSource):
        try:
            hosts = look_up(source)
        except DiscoveryError as error:
            return (), (str(error),), ""
        targets, refused = targets_of(source, hosts)
        return targets, refused, hosts.why
    look = Files(source).look()
    return look.targets, tuple(text for text in (look.problem, *look.warnings) if text), look.nothing
