"""The flags of tritonserver, and how it reads a command line (getopt_long: short forms of a name count).

All of it was measured on tritonserver 2.51.0 (24.10): `--help`, and what it did with wrong flags. When a flag
came is known from the servers in older wheels of nvidia-pytriton, of 22.12, 23.07, 23.11 and 24.02 or later.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.options import Release

if TYPE_CHECKING:
    from collections.abc import Mapping

MEASURED = Release(24, 10)
"""The release whose flags these are."""


class FlagKind(Enum):
    """What a flag takes."""

    NONE = "no value"
    BOOL = "true or false"
    INT = "an integer"
    FLOAT = "a number"
    TEXT = "a text"


_NAMES: Mapping[FlagKind, str] = {
    FlagKind.NONE: "disable-auto-complete-config help",
    FlagKind.TEXT: (
        "backend-config backend-directory cache-config cache-directory cuda-memory-pool-byte-size "
        "cuda-virtual-address-size grpc-address grpc-header-forward-pattern "
        "grpc-infer-response-compression-level grpc-restricted-protocol grpc-root-cert grpc-server-cert "
        "grpc-server-key host-policy http-address http-header-forward-pattern http-restricted-api id "
        "load-model log-file log-format metrics-address metrics-config model-config-name model-control-mode "
        "model-load-gpu-limit model-repository model-store rate-limit rate-limit-resource repoagent-directory "
        "sagemaker-safe-port-range trace-config trace-file trace-level vertex-ai-default-model"
    ),
    FlagKind.INT: (
        "buffer-manager-thread-count exit-timeout-secs grpc-http2-max-ping-strikes "
        "grpc-http2-max-pings-without-data grpc-http2-min-recv-ping-interval-without-data "
        "grpc-infer-allocation-pool-size grpc-keepalive-time grpc-keepalive-timeout grpc-max-connection-age "
        "grpc-max-connection-age-grace grpc-port http-port http-thread-count log-verbose metrics-port "
        "model-load-retry-count model-load-thread-count pinned-memory-pool-byte-size repository-poll-secs "
        "response-cache-byte-size sagemaker-port sagemaker-thread-count trace-count trace-log-frequency "
        "trace-rate vertex-ai-port vertex-ai-thread-count"
    ),
    FlagKind.BOOL: (
        "allow-cpu-metrics allow-gpu-metrics allow-grpc allow-http allow-metrics allow-sagemaker "
        "allow-vertex-ai enable-peer-access exit-on-error grpc-keepalive-permit-without-calls grpc-use-ssl "
        "grpc-use-ssl-mutual log-error log-info log-warning model-namespacing reuse-grpc-port reuse-http-port "
        "strict-model-config strict-readiness"
    ),
    FlagKind.FLOAT: "metrics-interval-ms min-supported-compute-capability",
}
FLAGS: Mapping[str, FlagKind] = MappingProxyType(
    {f"--{name}": kind for kind, names in _NAMES.items() for name in names.split()}
)
"""Flag -> what it takes."""

ABSENT_UNTIL: Mapping[str, Release] = MappingProxyType(
    {
        f"--{name}": release
        for release, names in (
            (
                Release(22, 12),
                "cache-config cache-directory metrics-config metrics-address model-namespacing trace-config "
                "http-header-forward-pattern grpc-header-forward-pattern grpc-restricted-protocol",
            ),
            (Release(23, 7), "http-restricted-api cuda-virtual-address-size"),
            (Release(23, 11), "model-load-retry-count grpc-max-connection-age grpc-max-connection-age-grace"),
            (Release(24, 2), "enable-peer-access model-config-name"),
        )
        for name in names.split()
    }
)
"""Flag -> the last release that is known not to have it."""

_NEXT_MEASURED: Mapping[Release, Release] = {
    Release(22, 12): Release(23, 7),
    Release(23, 7): Release(23, 11),
    Release(23, 11): Release(24, 2),
    Release(24, 2): MEASURED,
}
_DOCUMENTED: Mapping[str, Release] = {"--metrics-config": Release(23, 4)}
"""Flag -> a release that has it by its release notes, where that is earlier than the next server that was asked."""


def known_with(name: str) -> Release:
    """Return the first release that is known to have a flag of `ABSENT_UNTIL`."""
    return _DOCUMENTED.get(name) or _NEXT_MEASURED[ABSENT_UNTIL[name]]


REPLACED: Mapping[str, str] = MappingProxyType(
    {
        "--strict-model-config": "--disable-auto-complete-config",
        "--response-cache-byte-size": "--cache-config=local,size=BYTES",
        "--trace-file": "--trace-config=triton,file=PATH",
        "--trace-level": "--trace-config=level=TIMESTAMPS",
        "--trace-rate": "--trace-config=rate=NUMBER",
        "--trace-count": "--trace-config=count=NUMBER",
        "--trace-log-frequency": "--trace-config=triton,log-frequency=NUMBER",
    }
)
"""Flags that are deprecated on 24.10, and what replaces them."""

TRUTHS: Mapping[str, bool] = MappingProxyType({"true": True, "1": True, "false": False, "0": False})
"""What counts as a truth value, whatever its case."""


def full_name(written: str) -> str | None:
    """Return the flag that a name stands for: itself, or the only one that begins so; None for no flag."""
    if written in FLAGS:
        return written
    meant = candidates(written)
    return meant[0] if len(meant) == 1 else None


def candidates(written: str) -> tuple[str, ...]:
    """Return the flags that begin so: more than one is refused as ambiguous."""
    return tuple(name for name in FLAGS if name.startswith(written)) if len(written) > 2 else ()
