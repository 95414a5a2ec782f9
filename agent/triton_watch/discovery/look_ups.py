"""DNS: which servers are behind a name, and whether nobody could say or there are none.

Python's own resolver (getaddrinfo) tells a name without addresses from servers that do not answer only by half,
and knows no SRV. dnspython asks the servers of /etc/resolv.conf, with its search domains and `ndots`, over UDP and,
where an answer is cut, over TCP. /etc/hosts is not read: what stands there has a fixed address.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.resolver

from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.hosts import Hosts
from triton_watch.records import RecordType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.records import DnsSource

SECONDS: Final = 5.0
"""A whole look-up, all names and servers that are tried included."""
RESOLV_CONF: Final = "/etc/resolv.conf"
_PAYLOAD: Final = 1232
"""Bytes of a UDP answer that no path has to break up; a longer answer comes over TCP."""
_LEAST: Final = 0.01
"""Seconds that are worth a question."""
_MOST_TOLD: Final = 4
"""Names of which it is said that they have no servers; search domains make several of one."""
_ASKED: Final = {
    RecordType.A: ("A", "AAAA"),
    RecordType.AAAA: ("AAAA",),
    RecordType.SRV: ("SRV",),
}


def look_up(
    source: DnsSource,
    *,
    resolv_conf: str = RESOLV_CONF,
    port: int = 53,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Hosts:
    """Return hosts and ports behind the name of a source, sorted; none where the name has none, or does not exist.

    `port` is where the servers of `resolv_conf` listen. `clock` gives monotonic seconds.

    Raises `DiscoveryError` where no server says so: no answer in time, an answer that says it failed, or none
    that can be read.
    """
    end = clock() + seconds
    try:
        resolver = _resolver(source, resolv_conf, port)
        names = _names(source, resolver)
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise DiscoveryError(f"{source.name} could not be looked up: {error}") from error
    failed: DiscoveryError | None = None
    absent: list[str] = []
    for name in names:
        try:
            found = _found(resolver, name, source, lambda: end - clock(), absent)
        except DiscoveryError as error:  # noqa: PERF203 - the next name may be known
            failed = failed or error
        else:
            if found:
                return Hosts(sorted(found))
    if failed is not None:
        raise failed
    return Hosts.none("; ".join(absent[:_MOST_TOLD]))


def _resolver(source: DnsSource, resolv_conf: str, port: int) -> dns.resolver.Resolver:
    if source.server is not None:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [source.server[0]], source.server[1]
    else:
        resolver = dns.resolver.Resolver(resolv_conf)
        resolver.port = port
    resolver.use_edns(0, 0, _PAYLOAD)
    return resolver


def _names(source: DnsSource, resolver: dns.resolver.Resolver) -> list[dns.name.Name]:
    """List the names to try in their order, as the system's resolver does. A name that ends in a dot is whole."""
    name = dns.name.from_text(source.name, None)
    if name.is_absolute() or source.server is not None:
        return [name if name.is_absolute() else name.concatenate(dns.name.root)]
    domains = [domain for domain in (resolver.search or [resolver.domain]) if domain != dns.name.root]
    searched = [name.concatenate(domain) for domain in domains]
    whole = name.concatenate(dns.name.root)
    ndots = 1 if resolver.ndots is None else resolver.ndots
    return [whole, *searched] if source.name.count(".") >= ndots else [*searched, whole]


def _found(
    resolver: dns.resolver.Resolver,
    name: dns.name.Name,
    source: DnsSource,
    left: Callable[[], float],
    absent: list[str],
) -> set[tuple[str, int]]:
    """Ask for one name, and note in `absent` why it has no servers.

    IPv6 addresses count only where there is no IPv4 address: else servers would be there twice.
    """
    records: list[dns.rdata.Rdata] | None = None
    for record in _ASKED[source.record]:
        records = _records(resolver, name, record, left())
        found = {pair for rdata in records or () for pair in _pairs(rdata, source)}
        if found:
            return found
    if records is None:
        absent.append(f"the name {name} does not exist (NXDOMAIN)")
    elif records:
        absent.append(f"the SRV records of {name} say that there is no server")
    else:
        absent.append(f"{name} has no {' or '.join(_ASKED[source.record])} record")
    return set()


def _records(
    resolver: dns.resolver.Resolver, name: dns.name.Name, record: str, left: float
) -> list[dns.rdata.Rdata] | None:
    """Return the records of a name; None = there is no such name."""
    if left < _LEAST:
        raise DiscoveryError(f"{name} could not be looked up: the time for it was used up by other names")
    try:
        answer = resolver.resolve(name, record, lifetime=left, search=False)
    except dns.resolver.NXDOMAIN:
        return None
    except dns.resolver.NoAnswer:
        return []
    except dns.resolver.LifetimeTimeout as error:
        raise DiscoveryError(f"no DNS server answered {name} {record} in time: {_said(error)}") from error
    except dns.resolver.NoNameservers as error:
        raise DiscoveryError(f"no DNS server could answer {name} {record}: {_said(error)}") from error
    except (dns.exception.DNSException, OSError) as error:
        raise DiscoveryError(f"{name} {record} could not be looked up: {error}") from error
    return list(answer)


def _pairs(rdata: dns.rdata.Rdata, source: DnsSource) -> Iterator[tuple[str, int]]:
    """Give host and port of a record; an SRV record whose target is the root says that there is no server."""
    if source.record is not RecordType.SRV:
        yield rdata.address, source.port  # type: ignore[attr-defined] # only A and AAAA were asked for
    elif rdata.target != dns.name.root and rdata.port:  # type: ignore[attr-defined] # only SRV was asked for
        yield str(rdata.target).rstrip(".").lower(), rdata.port  # type: ignore[attr-defined] # the same


def _said(error: dns.resolver.LifetimeTimeout | dns.resolver.NoNameservers) -> str:
    """Say how each server failed, each way once."""
    told = []
    for server, _, _, problem, response in error.kwargs.get("errors", ()):
        how = f"answered {dns.rcode.to_text(response.rcode())}" if response is not None else str(problem).rstrip(".")
        told.append(f"{_where(server)} {how}")
    return "; ".join(dict.fromkeys(told)) or "there is none to ask"


def _where(server: object) -> str:
    """Name a server, which dnspython writes as `Do53:10.0.0.10@53`."""
    return re.sub(r"^Do53:(.*)@(\d+)$", r"\1 (port \2)", str(server))
