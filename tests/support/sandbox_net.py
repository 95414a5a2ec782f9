"""Network namespaces of this thread, and what the sandbox does in one, by the kernel's calls and netlink."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

NEW_NETWORK, NEW_USER = 0x40000000, 0x10000000
LIBC = ctypes.CDLL(None, use_errno=True)
TCP = 6
DROP = 100
"""Priority of the rules that drop: before the routes."""


def become_root() -> None:
    """Be root in a user namespace of one's own, unless this process may have networks as it is. Raises `OSError`."""
    if LIBC.unshare(NEW_NETWORK) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    _checked(LIBC.unshare(NEW_USER))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def new() -> int:
    """Leave for a new network, which has nothing but a loopback; its handle. Raises `OSError`."""
    _checked(LIBC.unshare(NEW_NETWORK))
    with netlink() as ip:
        ip.link("set", index=1, state="up")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def enter(namespace: int) -> None:
    """Put this thread, and what it starts, into a network."""
    _checked(LIBC.setns(namespace, NEW_NETWORK))


def forward() -> None:
    """Let this network route."""
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def link(name: str, namespace: int, other: str) -> None:
    """A pair of links: `name` here, `other` in another network."""
    with netlink() as ip:
        ip.link("add", ifname=name, kind="veth", peer={"ifname": other, "net_ns_fd": namespace})


def set_up(name: str, address: str) -> None:
    """Give a link an address, and open it."""
    with netlink() as ip:
        (index,) = ip.link_lookup(ifname=name)
        ip.addr("add", index=index, address=address, prefixlen=24)
        ip.link("set", index=index, state="up")


def route_all(gateway: str) -> None:
    with netlink() as ip:
        ip.route("add", dst="default", gateway=gateway)


def drop(one: str, two: str, port: int | None) -> None:
    """Drop all packets between two addresses, or those from and to a port of the second one, both ways."""
    there: dict[str, Any] = {} if port is None else {"ip_proto": TCP, "dport_range": f"{port}:{port}"}
    back: dict[str, Any] = {} if port is None else {"ip_proto": TCP, "sport_range": f"{port}:{port}"}
    with netlink() as ip:
        ip.rule("add", priority=DROP, src=one, src_len=32, dst=two, dst_len=32, action="blackhole", **there)
        ip.rule("add", priority=DROP, src=two, src_len=32, dst=one, dst_len=32, action="blackhole", **back)


def drop_no_more() -> None:
    with netlink() as ip:
        ip.flush_rules(priority=DROP)


def netlink() -> Any:
    """The kernel's network of this thread."""
    # After `become_root`, which a process with threads cannot do. The package has no types.
    from pyroute2 import IPRoute  # type: ignore[import-untyped]  # noqa: PLC0415 - both reasons are above

    return IPRoute()


def _checked(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
