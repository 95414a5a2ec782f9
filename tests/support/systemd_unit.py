"""What a unit of systemd says, and as filters what it forbids.

`TRIED` are the settings that `machine.Machine.service` puts in force, `NOT_TRIED` those that it does not, and why.
"""

from __future__ import annotations

import errno
import re
import socket
import subprocess
from typing import IO, TYPE_CHECKING, Final

from support import seccomp, systemd_tools

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TRIED: Final = {
    "User", "Group", "UMask", "StateDirectory", "ExecStart", "Environment", "EnvironmentFile", "LimitNOFILE",
    "LimitCORE", "CapabilityBoundingSet", "AmbientCapabilities", "NoNewPrivileges", "PrivateDevices", "PrivateTmp",
    "PrivateUsers", "ProtectSystem", "ProtectHome", "ProtectProc", "ProcSubset", "RestrictAddressFamilies",
    "RestrictNamespaces", "MemoryDenyWriteExecute", "SystemCallArchitectures", "SystemCallFilter",
    "SystemCallErrorNumber", "Type", "WatchdogSec",
}  # fmt: skip
NOT_TRIED: Final = {
    "systemd as process 1 does it": {
        "ExecReload", "KillMode", "TimeoutStopSec", "Restart", "RestartSec", "RestartPreventExitStatus",
        "StateDirectoryMode", "ConfigurationDirectory", "ConfigurationDirectoryMode", "SyslogIdentifier", "RemoveIPC",
    },
    "a control group does it": {"MemoryMax", "TasksMax", "OOMScoreAdjust"},
    "it forbids what a process without capabilities, in its own /dev and /proc, cannot do anyway": {
        "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
        "ProtectKernelTunables", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
    },
}  # fmt: skip


def settings(unit: Path, section: str = "Service") -> dict[str, list[str]]:
    """The settings of a section of a unit, each with all its values in order."""
    found: dict[str, list[str]] = {}
    body = re.split(r"^\[(\w+)\]$", unit.read_text(), flags=re.MULTILINE)
    for line in body[body.index(section) + 1].splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def filters_of(wanted: Mapping[str, list[str]]) -> list[IO[bytes]]:
    """The filters that systemd would load."""
    families = {int(getattr(socket, name)) for name in wanted["RestrictAddressFamilies"][0].split()}
    calls = allowed_calls(wanted["SystemCallFilter"])
    assert wanted["MemoryDenyWriteExecute"] == wanted["RestrictNamespaces"] == ["yes"]
    return [
        seccomp.allow_only(calls, getattr(errno, wanted["SystemCallErrorNumber"][0])),
        seccomp.no_memory_that_is_written_and_executed(),
        seccomp.no_namespaces(),
        seccomp.only_families(families),
    ]


def allowed_calls(lines: list[str]) -> set[str]:
    """What SystemCallFilter= lines let through; systemd itself says what its groups hold."""
    allowed: set[str] = set()
    for line in lines:
        words = line.removeprefix("~").split()
        calls = {call for word in words for call in _expanded(word)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed | _expanded("@default")


def _expanded(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    command = [*systemd_tools.command("systemd-analyze"), "syscall-filter", word]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    members = [line.strip() for line in done.stdout.splitlines()[1:] if line.strip() and "#" not in line]
    return {call for member in members for call in _expanded(member)}
