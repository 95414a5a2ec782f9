"""Filters of system calls, made by libseccomp as systemd makes them of a unit's settings, for bubblewrap to load."""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from typing import IO, TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ALLOW: Final = 0x7FFF0000
EQUAL, GREATER, MASKED = 4, 6, 7
"""How an argument is compared: the last takes the mask first and the value second."""
_ERRNO: Final = 0x00050000

WRITE, EXECUTE, MAP_AT = 0x2, 0x4, 0o100000
NAMESPACES: Final = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
"""CLONE_NEWNS and its like."""
FAMILIES: Final = range(64)
"""All address families that there are, and some more."""


class _Condition(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("comparison", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


class Rule(NamedTuple):
    """One system call, what becomes of it (0 = let through), and for which value of one argument; -1 = for all."""

    call: str
    error: int
    argument: int = -1
    comparison: int = EQUAL
    a: int = 0
    b: int = 0


def allow_only(calls: Iterable[str], error: int) -> IO[bytes]:
    """All other calls than these end with the error."""
    return _program(_ERRNO | error, [Rule(call, 0) for call in sorted(calls)])


def no_memory_that_is_written_and_executed() -> IO[bytes]:
    """MemoryDenyWriteExecute=yes."""
    both = WRITE | EXECUTE
    return _program(
        ALLOW,
        [
            Rule("mmap", errno.EPERM, 2, MASKED, both, both),
            Rule("mprotect", errno.EPERM, 2, MASKED, EXECUTE, EXECUTE),
            Rule("pkey_mprotect", errno.EPERM, 2, MASKED, EXECUTE, EXECUTE),
            Rule("shmat", errno.EPERM, 2, MASKED, MAP_AT, MAP_AT),
        ],
    )


def no_namespaces() -> IO[bytes]:
    """RestrictNamespaces=yes: clone3, whose arguments no filter sees, does not exist for the process."""
    flags = [Rule(call, errno.EPERM, 0, MASKED, flag, flag) for call in ("clone", "unshare") for flag in NAMESPACES]
    return _program(ALLOW, [*flags, Rule("clone3", errno.ENOSYS), Rule("setns", errno.EPERM)])


def only_families(allowed: set[int]) -> IO[bytes]:
    """RestrictAddressFamilies=: sockets of no other family."""
    refused = [family for family in FAMILIES if family not in allowed]
    rules = [Rule("socket", errno.EAFNOSUPPORT, 0, EQUAL, family) for family in refused]
    return _program(ALLOW, [*rules, Rule("socket", errno.EAFNOSUPPORT, 0, GREATER, FAMILIES[-1])])


def _program(default: int, rules: list[Rule]) -> IO[bytes]:
    """The filter as a file that is read from its beginning."""
    library = ctypes.CDLL("libseccomp.so.2")  # apt itself links it: every Debian and Ubuntu has it
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(default)))
    for rule in rules:
        number = library.seccomp_syscall_resolve_name(rule.call.encode())
        if number < 0:  # a call of another architecture
            continue
        condition = _Condition(max(rule.argument, 0), rule.comparison, rule.a, rule.b)
        action = ctypes.c_uint32(_ERRNO | rule.error if rule.error else ALLOW)
        count = ctypes.c_uint(rule.argument >= 0)
        done = library.seccomp_rule_add_array(context, action, number, count, ctypes.byref(condition))
        assert done == 0, f"libseccomp refuses {rule}: {os.strerror(-done)}"
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it, after the program has it
    assert library.seccomp_export_bpf(context, file.fileno()) == 0
    library.seccomp_release(context)
    file.seek(0)
    return file
