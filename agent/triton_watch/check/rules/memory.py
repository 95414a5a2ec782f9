"""Rules 650-652: whether a model's instances fit into the memory of the GPUs. Weights only: a lower bound."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.instances import AUTO, GPU, groups
from triton_watch.check.rules.sizes import size_text
from triton_watch.check.rules.version_policy import loaded_versions
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.check.files import Folder
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

EACH = -1
"""Stands for every GPU of the server, where their number is not known."""
SHARES_WEIGHTS = frozenset({"tensorrt"})
"""Backends of which the instances on one GPU share the weights."""
RESERVES = frozenset({"vllm", "tensorrtllm"})
"""Backends that take memory by settings of their own."""
_NO_WEIGHTS = (".py", ".pyc", ".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".whl", ".md", ".txt", ".ipynb")
_LARGE = 16 * 1024**3
"""Bytes on one GPU from which on instances are worth a word when the GPUs' memory is not known."""
_TIGHT = 0.9
_DEEPEST, _MOST_FOLDERS = 3, 200
_MOST_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class Group:
    """What counts of an instance group: instances on each GPU, and the GPUs (none: all)."""

    count: int
    gpus: tuple[int, ...]


def instances_by_gpu(found: Iterable[Group], gpus: int | None) -> Counter[int]:
    """Return the number of instances on each GPU; on `EACH` where a group is on all and their number is unknown."""
    counts: Counter[int] = Counter()
    for group in found:
        everywhere = (EACH,) if gpus is None else tuple(range(gpus))
        for gpu in group.gpus or everywhere:
            counts[gpu] += max(group.count, 1)
    return counts


def gpu_groups(model: Model, options: Options) -> list[Group]:
    """Return the groups that certainly are on GPUs."""
    kinds = {GPU, AUTO} if options.gpus else {GPU}
    return [Group(group.count, tuple(group.gpus)) for _, group in groups(model) if group.kind in kinds]


def weight_bytes(model: Model) -> int:
    """Return the bytes of the files of the versions that are loaded, as far as they may be weights."""
    numbers = loaded_versions(model)
    loaded = [version for version in model.versions if version.number in numbers]
    return sum(_bytes(version.folder, _DEEPEST) for version in loaded[-_MOST_VERSIONS:])


def _bytes(folder: Folder, depth: int) -> int:
    total, folders = 0, 0
    for entry in folder.entries:
        if entry.is_file and not entry.name.endswith(_NO_WEIGHTS):
            total += entry.size
        elif entry.is_dir and depth > 1 and folders < _MOST_FOLDERS and entry.link is None:
            folders += 1
            total += _bytes(entry.folder(), depth - 1)
    return total


def _fits(model: Model, options: Options) -> Iterator[Hit]:
    if model.detached or model.backend in RESERVES:
        return
    counts = instances_by_gpu(gpu_groups(model, options), options.gpus)
    weights = weight_bytes(model) if counts else 0
    if not weights:
        return
    most = max(counts.values())
    copies = 1 if model.backend in SHARES_WEIGHTS else most
    need = weights * copies
    judgement = _judgement(need, most, options.gpu_memory)
    if judgement is None:
        return
    severity, confidence, verdict = judgement
    arithmetic = f"{size_text(weights)} of weights x {plural(copies, 'instance')} = {size_text(need)}"
    yield model.hit(
        f"{arithmetic} on {_gpus(counts, most)}, {verdict}",
        "instance_group",
        fix="reduce count or max_batch_size, use FP16, or spread the instances over more GPUs",
        severity=severity,
        confidence=confidence,
    )


def _judgement(need: int, most: int, memory: int | None) -> tuple[Severity, Confidence, str] | None:
    if memory is None:
        if need < _LARGE or most < 2:
            return None
        text = "before activations and workspaces: look whether the GPU has that"
        return Severity.INFO, Confidence.LOW, text
    if need > memory:
        text = f"which has {size_text(memory)}: loading fails for want of memory"
        return Severity.WARNING, Confidence.HIGH, text
    if need > _TIGHT * memory:
        text = f"which has {size_text(memory)}: activations and workspaces hardly fit beside them"
        return Severity.WARNING, Confidence.MEDIUM, text
    return None


def _gpus(counts: Counter[int], most: int) -> str:
    busiest = sorted(gpu for gpu, count in counts.items() if count == most)
    return "each GPU" if busiest[0] == EACH else f"GPU {listed(map(str, busiest))}"


def _python_copies(model: Model, options: Options) -> Iterator[Hit]:
    if model.backend != "python":
        return
    counts = instances_by_gpu(gpu_groups(model, options), options.gpus)
    most = max(counts.values(), default=0)
    if most > 1:
        yield model.hit(
            f"{plural(most, 'instance')} of a Python model on {_gpus(counts, most)}: each is a process of its own, "
            "with a "
            "copy of the weights and a CUDA context of some hundred MiB",
            "instance_group",
            fix="begin with count: 1 and dynamic batching, and measure",
        )


_BIG = '--- ranker/config.pbtxt\nbackend: "onnxruntime"\ninstance_group [ {{ count: {} kind: KIND_GPU }} ]\n'
_BIG_FILE = "--- ranker/1/model.onnx\n" + "x" * 9_000 + "\n"

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW650",
        slug="gpu-memory",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A model's instances fit into the GPU's memory",
        problem=(
            "The size of the model's files times the instances on a GPU exceeds its memory, where that is given; "
            "else an info from 16 GiB on."
        ),
        bad=_BIG.format(4) + _BIG_FILE,
        good=_BIG.format(1) + _BIG_FILE,
        why=(
            "Every instance has its own copy of the weights, and needs memory for activations and workspaces besides. "
            "What does not fit fails at load, or at the first large batch."
        ),
        source="an estimate from the size of the files; TensorRT's instances share the weights",
        check=_fits,
        stage=Stage.NOBODY,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW651",
        slug="python-gpu-processes",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="Instances of Python models on GPUs are few",
        problem="A Python model has several instances on one GPU.",
        bad='backend: "python"\ninstance_group [ { count: 2 kind: KIND_GPU } ]\n',
        good='backend: "python"\ninstance_group [ { count: 1 kind: KIND_GPU } ]\n',
        why="Each instance is a process, and the GPU takes turns between processes.",
        source="python_backend/README.md: every instance has its own stub process",
        check=_python_copies,
        box=Box.INSTANCES,
    ),
)
