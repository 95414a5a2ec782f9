"""GPUs on a machine without one: a recorded page of a Triton with an H200 whose counters go on, and DCGM's exporter."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.fake_triton import FakeTriton
from support.misbehaving import Server
from support.slo_exporter import Exporter

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGES = Path(__file__).resolve().parents[1] / "fixtures" / "pages"
_APART = 9.0
"""Seconds between the two recorded pages."""
_COUNTED = ("_sum", "_count")


class GrowingPage:
    """The page of an H200 under load: its counters run on along the line through two recorded pages.

    Gauges and quantiles stay as they were recorded first.
    """

    def __init__(self) -> None:
        self._begin = time.monotonic()
        first, second = ((_PAGES / f"metrics_h200_load_{at}.txt").read_text().splitlines() for at in ("9s", "18s"))
        kinds = dict(line.split()[2:4] for line in first if line.startswith("# TYPE"))
        self._lines = [_line(kinds, *pair) for pair in zip(first, second, strict=True)]

    def __call__(self) -> str:
        passed = time.monotonic() - self._begin
        return "".join(f"{head} {value + rate * passed:.6f}\n" if rate else head for head, value, rate in self._lines)


def _line(kinds: dict[str, str], first: str, second: str) -> tuple[str, float, float]:
    """Its beginning, value and growth a second; what does not grow is all beginning."""
    name = first.partition("{")[0].split()[0]
    base = next((name.removesuffix(end) for end in _COUNTED if name.endswith(end)), name)
    grows = kinds.get(name) == "counter" or (name != base and kinds.get(base) == "summary")
    if first.startswith("#") or not grows:
        return first + "\n", 0.0, 0.0
    (head, value), (_, later) = first.rsplit(maxsplit=1), second.rsplit(maxsplit=1)
    rate = (float(later) - float(value)) / _APART
    return (head, float(value), rate) if rate else (first + "\n", 0.0, 0.0)


_DCGM = {
    "DCGM_FI_DEV_GPU_UTIL": ("gauge", "87"),
    "DCGM_FI_DEV_FB_USED": ("gauge", "61440"),
    "DCGM_FI_DEV_FB_FREE": ("gauge", "81920"),
    "DCGM_FI_DEV_POWER_USAGE": ("gauge", "431.5"),
    "DCGM_FI_DEV_GPU_TEMP": ("gauge", "63"),
    "DCGM_FI_DEV_XID_ERRORS": ("gauge", "0"),
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": ("counter", "0"),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": ("gauge", "0.81"),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": ("gauge", "0.34"),
}
_UUIDS = ("GPU-11111111-aaaa-bbbb-cccc-000000000000", "GPU-22222222-aaaa-bbbb-cccc-000000000000")
"""The GPU of the recorded Triton, and one that no Triton knows."""


def dcgm_page() -> str:
    """What NVIDIA's exporter of DCGM says of two GPUs; framebuffer in MiB, utilization in per cent."""
    lines = []
    for name, (kind, value) in _DCGM.items():
        lines.append(f"# TYPE {name} {kind}")
        lines += [f"{name}{{{_labels(*one)}}} {value}" for one in enumerate(_UUIDS)]
    return "\n".join([*lines, ""])


def _labels(number: int, uuid: str) -> str:
    device = f'gpu="{number}",UUID="{uuid}",device="nvidia{number}"'
    return f'{device},modelName="NVIDIA H200",Hostname="gpu-node-1"'


@dataclass(frozen=True, slots=True)
class Gpus:
    """Where the GPUs are asked for: Triton's HTTP API, its metrics page, DCGM's exporter (host:port each)."""

    api: str
    page: str
    dcgm: str


@contextmanager
def recorded_gpus() -> Iterator[Gpus]:
    """Serve all three."""
    page, dcgm = Exporter(GrowingPage()), Exporter(dcgm_page)
    try:
        with Server(FakeTriton()) as api:
            yield Gpus(f"localhost:{api.port}", page.address, dcgm.address)
    finally:
        page.close()
        dcgm.close()
