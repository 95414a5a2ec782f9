"""How far answers of a torch network differ between GPUs, batch sizes and TF32 on or off, beside the default limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from triton_watch.probes.canary.golden import measures
from triton_watch.probes.canary.golden.rules import default_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

torch: Any = import_module("torch")  # not in the project's environment, so mypy does not know it

ROWS = 64
CLASSES = 1000
BATCHES = (*range(1, 9), 16, 32, 64)
NETWORKS = {"MLP 4 x 1024": (1024, 4, False), "residual 48 x 512": (512, 48, True)}
"""Name -> width, layers, whether they are residual."""
KINDS = {
    "FP32, TF32 off": ("FP32", "float32", False),
    "FP32, TF32 on": ("FP32", "float32", True),
    "FP16": ("FP16", "float16", True),
    "BF16": ("BF16", "bfloat16", True),
}


@dataclass(frozen=True)
class Difference:
    """The largest over all rows; `excess` is how many times as wide the limits must be: its inverse is the margin."""

    network: str
    kind: str
    output: str
    between: str
    of_rms: float
    relative: float
    excess: float


@dataclass(frozen=True)
class Network:
    weights: Sequence[Any]
    residual: bool

    def answers(self, rows: Any, device: Any, dtype: Any, batch: int) -> dict[str, Numbers]:
        """Logits and probabilities of all rows, asked in batches of one size."""
        weights = [weight.to(device=device, dtype=dtype) for weight in self.weights]
        logits = [self._logits(part.to(device=device, dtype=dtype), weights) for part in rows.split(batch)]
        found = {"logits": logits, "probabilities": [torch.softmax(part, 1) for part in logits]}
        return {name: torch.cat(parts).cpu().double().numpy() for name, parts in found.items()}

    def _logits(self, x: Any, weights: Sequence[Any]) -> Any:
        x = torch.relu(x @ weights[0])
        for weight in weights[1:-1]:
            if self.residual:
                x = x + torch.relu(torch.nn.functional.layer_norm(x, x.shape[1:]) @ weight)
            else:
                x = torch.relu(x @ weight)
        if self.residual:
            x = torch.nn.functional.layer_norm(x, x.shape[1:])
        return x @ weights[-1]


def made(width: int, layers: int, *, residual: bool) -> Network:
    generator = torch.Generator().manual_seed(7)
    sizes = [16, *[width] * layers, CLASSES]
    gains = [2.0] * layers + [1.0]
    pairs = zip(sizes, sizes[1:], gains, strict=False)
    weights = [torch.randn(a, b, generator=generator) * (gain / a) ** 0.5 for a, b, gain in pairs]
    return Network(weights, residual)


def measure(devices: Sequence[str]) -> list[dict[str, Any]]:
    """All differences, with the first device and batches of one row as the golden. One row alone is not in TF32."""
    rows = torch.rand(ROWS, 16, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        return [
            asdict(found)
            for name, (width, layers, residual) in NETWORKS.items()
            for found in _of_network(name, made(width, layers, residual=residual), rows, devices)
        ]


def _of_network(name: str, network: Network, rows: Any, devices: Sequence[str]) -> Iterator[Difference]:
    exact = network.answers(rows, devices[0], torch.float64, ROWS)
    goldens: dict[str, dict[str, Numbers]] = {}
    for kind, (datatype, dtype_name, tf32) in KINDS.items():
        torch.backends.cuda.matmul.allow_tf32 = tf32
        dtype = getattr(torch, dtype_name)
        golden = goldens[kind] = network.answers(rows, devices[0], dtype, 1)
        compared = {"exact": (exact, [golden]), "batch sizes": (golden, []), "GPUs": (golden, [])}
        for batch in BATCHES:
            first, *others = (network.answers(rows, device, dtype, batch) for device in devices)
            compared["batch sizes"][1].append(first)
            compared["batch sizes"][1].extend(others)
            if batch == 1:
                compared["GPUs"][1].extend(others)
            if kind == "FP32, TF32 on" and batch == 8:
                compared["TF32 off and on"] = (goldens["FP32, TF32 off"], [first])
        for between, (expected, got) in compared.items():
            for output in golden:
                pairs = [(expected[output], one[output]) for one in got]
                yield Difference(name, kind, output, between, *_largest(pairs, datatype))


def _largest(pairs: Sequence[tuple[Numbers, Numbers]], datatype: str) -> tuple[float, float, float]:
    """Row by row, as a canary of one row compares."""
    found = [_of_row(*rows, datatype) for pair in pairs for rows in zip(*pair, strict=True)]
    largest = [max(column) for column in zip(*found, strict=True)] if found else [0.0, 0.0, 0.0]
    return largest[0], largest[1], largest[2]


def _of_row(expected: Numbers, got: Numbers, datatype: str) -> tuple[float, float, float]:
    scale = float(np.sqrt(np.mean(expected**2)))
    rule = default_rule(datatype, scale)
    apart = measures.gaps(expected, got)
    relative = float(np.max(apart / np.maximum(np.abs(expected), 1e-30)))
    return float(np.max(apart)) / scale, relative, measures.excess(expected, apart, (rule.rtol, rule.atol))
