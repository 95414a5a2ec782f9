"""The mends, each for one rule: what to write where only one thing can be meant, or where the usual is safe."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.fix.edits import Edit, append, insert, remove, remove_first, rename, set_value
from triton_watch.check.fix.parsing import byte_order_mark, enumerators, syntax, values
from triton_watch.check.formats import Format, default_filenames
from triton_watch.check.rules.backend import contradicted, meant
from triton_watch.check.rules.instances import default_kind
from triton_watch.check.rules.model_format import NO_MODEL, contents, wanted_formats
from triton_watch.check.rules.platform import PAIRED
from triton_watch.check.rules.shape_match import Fault, compare, faults_of, pairs_of
from triton_watch.check.served import missing_files, served_files
from triton_watch.records import Confidence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt import ParsedConfig
    from triton_watch.records import Finding

    Mend = Callable[[Model, Options, Finding], list[Edit]]

QUEUED_BATCHES = 16
"""Full batches that may wait for each instance, in a queue limit that we choose: some seconds of work, not hours."""
_BACKENDS = {
    Format.ONNX: "onnxruntime",
    Format.TENSORRT_PLAN: "tensorrt",
    Format.TORCHSCRIPT: "pytorch",
    Format.OPENVINO_XML: "openvino",
}
"""Formats that hardly anybody means for another backend."""
_NO_CHOICE = NO_MODEL | {Format.PYTHON_SOURCE, Format.VLLM_JSON}
"""What may lie beside a model, and tells nothing of its backend."""
_PLATFORMS = {"onnxruntime": "onnxruntime_onnx", "tensorrt": "tensorrt_plan", "pytorch": "pytorch_libtorch"}
_PLATFORM_IS_BACKEND = frozenset({"python", "openvino", "vllm", "fil", "dali", "tensorrtllm", "identity"})


def _config(model: Model) -> ParsedConfig:
    if model.config is None:
        raise ValueError(f"{model.name} has no configuration to mend")
    return model.config


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _name(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    return [set_value(_config(model), ("name",), _quoted(model.name))] if model.name.isprintable() else []


def _dynamic_batching(model: Model, _options: Options, finding: Finding) -> list[Edit]:
    size = QUEUED_BATCHES * model.message.max_batch_size * _instances(model)
    queue = f"  default_queue_policy {{\n    max_queue_size: {size}\n  }}\n"
    return [append(_config(model), f"dynamic_batching {{\n{queue}}}")] if finding.confidence is Confidence.HIGH else []


def _queue_limit(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    config = _config(model)
    limit = f"max_queue_size: {QUEUED_BATCHES * max(1, model.message.max_batch_size) * _instances(model)}"
    policy = ("dynamic_batching", "default_queue_policy")
    if config.has(*policy, "max_queue_size"):
        return [set_value(config, (*policy, "max_queue_size"), limit.rpartition(" ")[2])]
    if config.has(*policy):
        return [insert(config, policy, limit)]
    if config.has("dynamic_batching"):
        return [insert(config, ("dynamic_batching",), f"default_queue_policy {{\n  {limit}\n}}")]
    return []


def _instances(model: Model) -> int:
    """Return how many instances a model has, as far as its configuration says."""
    groups = model.message.instance_group
    return min(64, sum(max(1, group.count) * max(1, len(group.gpus)) for group in groups)) or 1


def _instance_group(model: Model, options: Options, _finding: Finding) -> list[Edit]:
    """Write what Triton does by itself, one instance on each GPU where there are some, or what the backend asks for."""
    kind = default_kind(model, options)
    return [append(_config(model), f"instance_group [\n  {{\n    count: 1\n    kind: {kind}\n  }}\n]")]


def _backend(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    found = meant(model.message.backend)
    if found is None or found[1] is not Confidence.HIGH or contradicted(model, found[0]):
        return []
    return [set_value(_config(model), ("backend",), _quoted(found[0]))]


def _platform(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write the backend that a platform names: every one of them has a backend of its name."""
    config, platform = _config(model), model.message.platform
    found = meant(platform.strip())
    backend = found[0] if found is not None and found[1] is Confidence.HIGH else platform.strip().lower()
    certain = backend in _PLATFORM_IS_BACKEND or backend in PAIRED - {"tensorflow"}
    if not certain or model.message.backend or contradicted(model, backend):
        return []
    return [rename(config, ("platform",), "backend"), set_value(config, ("platform",), _quoted(backend))]


def _ensemble_backend(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    return [remove(_config(model), ("backend",))] if model.message.HasField("ensemble_scheduling") else []


def _ensemble_platform(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    message, config = model.message, _config(model)
    if message.backend:
        return []
    if config.has("platform"):
        return [set_value(config, ("platform",), '"ensemble"')]
    return [append(config, 'platform: "ensemble"')]


def _format(model: Model, _options: Options, finding: Finding) -> list[Edit]:
    """Write the usual backend of the one model that is there, and its file's name where the backend would not look."""
    config, wanted = _config(model), wanted_formats(model)
    found = {(one.name, one.file.format) for one in served_files(model)}
    found.update(item for version, _, _ in missing_files(model) for item in contents(version).items())
    found = {(name, known) for name, known in found if known not in _NO_CHOICE | wanted}
    name, known = found.pop() if len(found) == 1 else ("", Format.UNKNOWN)
    backend = _BACKENDS.get(known, "")
    if not backend or finding.confidence is not Confidence.HIGH:
        return []
    edits = _backend_edits(config, backend)
    if edits and name not in default_filenames(backend) and not config.has("default_model_filename"):
        edits.append(append(config, f"default_model_filename: {_quoted(name)}"))
    return edits


def _backend_edits(config: ParsedConfig, backend: str) -> list[Edit]:
    if not config.has("backend"):
        platform = _PLATFORMS.get(backend, "")
        return [set_value(config, ("platform",), _quoted(platform))] if platform and config.has("platform") else []
    dropped = [remove(config, ("platform",))] if config.has("platform") else []
    return [set_value(config, ("backend",), _quoted(backend)), *dropped]


def _step_version(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write -1, the latest, where no version is written: left out it means 0, which no step ever means."""
    config = _config(model)
    for index, step in enumerate(model.message.ensemble_scheduling.step):
        path = ("ensemble_scheduling", "step", index)
        if step.model_version == 0 and config.has(*path) and not config.has(*path, "model_version"):
            return [insert(config, path, "model_version: -1")]
    return []


def _batch_dimension(model: Model, _options: Options, finding: Finding) -> list[Edit]:
    """Take the batch dimension out of dims where the rest is what the model's file says."""
    config, maximum = _config(model), model.message.max_batch_size
    edits = {}
    for pair, fault in faults_of(model) if finding.confidence is Confidence.HIGH else ():
        io, path = pair.tensor.io, (*pair.tensor.path, "dims")
        first, *rest = io.dims
        plain = fault is Fault.REPEATED and not io.HasField("reshape") and bool(rest)
        exact = pair.tensor.field == "output"
        if plain and first in {-1, 1, maximum} and not compare(pair.spec.shape or (), rest, batching=True, exact=exact):
            edits[path] = remove_first(config, path)
    return list(edits.values())


def _data_type(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write the data type of the model's file; nothing converts."""
    config, known = _config(model), dict[tuple[str | int, ...], set[str]]()
    for pair in pairs_of(model):
        known.setdefault((*pair.tensor.path, "data_type"), set()).add(pair.spec.dtype or "")
    return [
        set_value(config, path, f"TYPE_{next(iter(types))}")
        for path, types in known.items()
        if config.has(*path) and len(types) == 1 and "" not in types
    ]


MENDS: Mapping[str, Mend] = MappingProxyType(
    {
        "config-syntax": syntax,
        "unknown-enum-value": enumerators,
        "wrong-type": values,
        "config-encoding": byte_order_mark,
        "name-mismatch": _name,
        "misspelt-backend": _backend,
        "unknown-platform": _platform,
        "ensemble-with-backend": _ensemble_backend,
        "wrong-backend-for-format": _format,
        "batch-dimension-repeated": _batch_dimension,
        "data-type-mismatch": _data_type,
        "steps-without-platform": _ensemble_platform,
        "ensemble-version-not-loaded": _step_version,
        "no-dynamic-batching": _dynamic_batching,
        "unbounded-queue": _queue_limit,
        "no-instance-group": _instance_group,
    }
)
"""Slug of a rule -> its mend, which gives no edits where a person has to decide."""
REVEALING = frozenset({"misspelt-backend", "unknown-platform", "wrong-backend-for-format"})
"""Mends that let more rules look at a model: those of its backend."""
