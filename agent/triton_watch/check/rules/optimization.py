"""Rules 630-639: `optimization`, and libraries and environments that a configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Hit, Rule, Scope, Stage
from triton_watch.check.rules.instances import CPU, groups
from triton_watch.check.rules.without_config import KNOWN_BACKENDS
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

_ONLY_FOR: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("graph", "level"), ("onnxruntime", "tensorflow"), "the level of graph optimizations"),
    (("priority",), ("tensorrt",), "the priority"),
    (("cuda", "busy_wait_events"), ("tensorrt",), "busy_wait_events"),
    (("cuda", "output_copy_stream"), ("tensorrt",), "output_copy_stream"),
    (("execution_accelerators",), ("onnxruntime", "tensorflow"), "execution_accelerators"),
)
"""Field -> the backends that read it, its name in a sentence."""
_ONNX = 'backend: "onnxruntime"\n'
_TENSORRT = 'backend: "tensorrt"\n'
_DYNAMIC = 'input { name: "x" data_type: TYPE_INT64 dims: [ -1 ] }\n'
_FIXED = 'input { name: "x" data_type: TYPE_INT64 dims: [ 128 ] }\n'


def _on_ensemble(model: Model, _options: Options) -> Iterator[Hit]:
    if model.is_ensemble and model.message.HasField("optimization"):
        yield model.hit(
            "an ensemble runs nothing itself that could be optimized "
            f"(Triton: \"optimization should not be specified for ensemble '{clip(model.name)}'\")",
            "optimization",
            fix="remove optimization here; the models of the steps may have it",
        )


def _graphs(model: Model, _options: Options) -> Iterator[Hit]:
    if not model.message.optimization.cuda.graphs or not _is_other(model, ("tensorrt",)):
        return
    more = " through its tensorrt accelerator (trt_cuda_graph_enable)" if model.backend == "onnxruntime" else ""
    yield model.hit(
        f"CUDA graphs have no effect here: only the TensorRT backend reads this, and the backend is {model.backend}",
        *("optimization", "cuda", "graphs"),
        fix="remove it" + (f"; {model.backend} has CUDA graphs{more}" if more else ""),
    )


def _is_other(model: Model, backends: tuple[str, ...]) -> bool:
    """Whether the backend is known, and none of some: what an unknown backend reads is not known."""
    return not model.is_ensemble and model.backend in KNOWN_BACKENDS and model.backend not in backends


def _dynamic_graphs(model: Model, _options: Options) -> Iterator[Hit]:
    cuda = model.message.optimization.cuda
    if model.backend != "tensorrt" or not cuda.graphs or cuda.graph_spec:
        return
    for index, tensor in enumerate(model.message.input):
        if -1 in tensor.dims:
            yield model.hit(
                f"CUDA graphs are recorded for fixed shapes, and {clip(tensor.name)!r} is variable: only requests of "
                "the "
                "profile's optimal shape are replayed, all others run as without",
                *("optimization", "cuda", "graphs"),
                fix=f"add a graph_spec with the shapes of {clip(tensor.name)!r} (input {index + 1}) that requests have",
            )
            return


def _graph_spec(model: Model, _options: Options) -> Iterator[Hit]:
    cuda, largest = model.message.optimization.cuda, model.message.max_batch_size
    if model.backend != "tensorrt" or not cuda.graphs:
        return
    for index, spec in enumerate(cuda.graph_spec):
        path = ("optimization", "cuda", "graph_spec", index, "batch_size")
        if spec.batch_size < 0 or (largest > 0 and spec.batch_size == 0):
            yield model.hit(
                f"batch_size {spec.batch_size} of a graph_spec, and max_batch_size is {largest}: TensorRT refuses it",
                *path,
                fix=f"write batch_size: {max(largest, 1)}, or another from 1 to max_batch_size",
            )
        elif spec.batch_size > largest > 0:
            yield model.hit(
                f"batch_size {spec.batch_size} of a graph_spec is above max_batch_size {largest}: no request is so "
                "large",
                *path,
                fix=f"write at most batch_size: {largest}",
                severity=Severity.WARNING,
            )


def _no_effect(model: Model, _options: Options) -> Iterator[Hit]:
    optimization = model.message.optimization
    if not model.message.HasField("optimization"):
        return
    for path, backends, name in _ONLY_FOR:
        written = model.has("optimization", *path)
        if written and _is_other(model, backends):
            wanted = path != ("execution_accelerators",) or optimization.HasField("execution_accelerators")
            yield model.hit(
                f"{name} has no effect: the backend {model.backend} does not read it, {' and '.join(backends)} "
                f"{'does' if len(backends) == 1 else 'do'}",
                *("optimization", *path),
                fix="remove it",
                severity=Severity.WARNING if wanted and path == ("execution_accelerators",) else None,
            )


def _unpinned(model: Model, _options: Options) -> Iterator[Hit]:
    kinds = {group.kind for _, group in groups(model)}
    if kinds == {CPU}:
        return
    for name in ("input_pinned_memory", "output_pinned_memory"):
        if model.has("optimization", name, "enable") and not getattr(model.message.optimization, name).enable:
            yield model.hit(
                f"{name} is turned off: copies between host and GPU then go through pageable memory, and wait",
                *("optimization", name, "enable"),
                fix="remove it, unless host memory is short",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW630",
        slug="optimization-on-ensemble",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="An ensemble has no optimization",
        problem="An ensemble has an optimization block, be it empty.",
        bad='platform: "ensemble"\nensemble_scheduling { }\noptimization { }\n',
        good='platform: "ensemble"\nensemble_scheduling { }\n',
        why="Triton refuses it.",
        source="tritonserver 2.51.0 (measured)",
        check=_on_ensemble,
        stage=Stage.CORE,
    ),
    Rule(
        id="TW631",
        slug="cuda-graphs-without-effect",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="optimization.cuda.graphs is for TensorRT",
        problem="A model of another backend turns CUDA graphs on.",
        bad=f"{_ONNX}optimization {{ cuda {{ graphs: true }} }}\n",
        good=f"{_TENSORRT}optimization {{ cuda {{ graphs: true }} }}\n",
        why="Triton accepts it, nothing changes, and the next reader takes it for active.",
        source="tensorrt_backend is the only backend that reads it (sources of 24.10)",
        check=_graphs,
    ),
    Rule(
        id="TW632",
        slug="cuda-graphs-dynamic-shapes",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="CUDA graphs know the shapes that they are recorded for",
        problem="CUDA graphs are on, an input has a variable dimension, and no graph_spec names shapes.",
        bad=f"{_TENSORRT}{_DYNAMIC}optimization {{ cuda {{ graphs: true }} }}\n",
        good=f"{_TENSORRT}{_FIXED}optimization {{ cuda {{ graphs: true }} }}\n",
        why="A graph is recorded for one shape. Recording costs time and memory at start; other shapes do not use it.",
        source="tensorrt_backend/src/instance_state.cc; model_config.proto, GraphSpec",
        check=_dynamic_graphs,
        confidence=Confidence.MEDIUM,
    ),
    Rule(
        id="TW633",
        slug="cuda-graph-spec",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="A graph_spec's batch_size fits max_batch_size",
        problem=(
            "A graph_spec of a batching model has no batch_size, or a negative one; a warning for one that is too "
            "large."
        ),
        bad=f"{_TENSORRT}max_batch_size: 8\noptimization {{ cuda {{ graphs: true graph_spec {{ }} }} }}\n",
        good=(
            f"{_TENSORRT}max_batch_size: 8\noptimization {{ cuda {{ graphs: true graph_spec {{ batch_size: 8 }} }} "
            "}}\n"
        ),
        why="The TensorRT backend refuses a batch size of 0 for a model that batches.",
        source="tensorrt_backend/src/instance_state.cc, ValidateGraphSpec",
        check=_graph_spec,
        confidence=Confidence.MEDIUM,
        stage=Stage.BACKEND,
    ),
    Rule(
        id="TW634",
        slug="optimization-without-effect",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="The backend reads what optimization says",
        problem="A field of optimization is set that this backend does not read; a warning for accelerators.",
        bad=(
            'backend: "pytorch"\noptimization { execution_accelerators { gpu_execution_accelerator { name: '
            '"tensorrt" } } }\n'
        ),
        good=f"{_ONNX}optimization {{ graph {{ level: 1 }} }}\n",
        why="Triton accepts every field for every backend.",
        source="READMEs of the backends; tritonserver 2.51.0 (measured: accepted)",
        check=_no_effect,
        confidence=Confidence.MEDIUM,
    ),
    Rule(
        id="TW635",
        slug="unpinned-memory",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="Copies to GPUs use pinned memory",
        problem="input_pinned_memory or output_pinned_memory is turned off for a model that may run on GPUs.",
        bad=f"{_ONNX}optimization {{ input_pinned_memory {{ enable: false }} }}\n",
        good=f"{_ONNX}optimization {{ input_pinned_memory {{ enable: true }} }}\n",
        why="It is on by default, and what makes copies fast.",
        source="model_config.proto, PinnedMemoryBuffer",
        check=_unpinned,
    ),
)
