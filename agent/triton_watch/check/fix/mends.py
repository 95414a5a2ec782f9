"""The mends, each for one rule: what to write where only one thing can be meant, or where the usual is safe."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.fix.edits import Edit, append, insert, remove, rename, set_value
from triton_watch.check.formats import backends_for
from triton_watch.check.pbtxt import ProblemKind
from triton_watch.check.rules.backend import meant
from triton_watch.check.rules.model_format import NO_MODEL
from triton_watch.check.rules.platform import PAIRED
from triton_watch.check.served import served_files
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


def _dynamic_batching(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    size = QUEUED_BATCHES * model.message.max_batch_size * _instances(model)
    queue = f"  default_queue_policy {{\n    max_queue_size: {size}\n  }}\n"
    return [append(_config(model), f"dynamic_batching {{\n{queue}}}")]


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
    """Write what Triton does by itself: one instance, on each GPU where there are some."""
    if model.backend == "vllm":
        kind = "KIND_MODEL"
    elif options.gpus == 0:
        kind = "KIND_CPU"
    else:
        kind = "KIND_AUTO"
    return [append(_config(model), f"instance_group [\n  {{\n    count: 1\n    kind: {kind}\n  }}\n]")]


def _backend(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    found = meant(model.message.backend)
    if found is None or found[1] is not Confidence.HIGH:
        return []
    return [set_value(_config(model), ("backend",), _quoted(found[0]))]


def _platform(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write the backend that a platform names: every one of them has a backend of its name."""
    config, platform = _config(model), model.message.platform
    found = meant(platform.strip())
    backend = found[0] if found is not None and found[1] is Confidence.HIGH else platform.strip().lower()
    certain = backend in _PLATFORM_IS_BACKEND or backend in PAIRED - {"tensorflow"}
    if not certain or model.message.backend:
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
    """Write the backend of the files, where all served versions have one format and one backend opens it."""
    config = _config(model)
    known = {one.file.format for one in served_files(model)} - NO_MODEL
    if finding.confidence is not Confidence.HIGH or len(known) != 1:
        return []
    backends = backends_for(known.pop())
    if len(backends) != 1 or backends[0] == "tensorflow" or not config.has("backend"):
        return []
    dropped = [remove(config, ("platform",))] if config.has("platform") else []
    return [set_value(config, ("backend",), _quoted(backends[0])), *dropped]


def _step_version(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write -1, the latest, where no version is written: left out it means 0, which no step ever means."""
    config = _config(model)
    for index, step in enumerate(model.message.ensemble_scheduling.step):
        path = ("ensemble_scheduling", "step", index)
        if step.model_version == 0 and config.has(*path) and not config.has(*path, "model_version"):
            return [insert(config, path, "model_version: -1")]
    return []


def _syntax(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Mend what the parser itself is sure of: `//` for `#`, a comma behind the last element, a missing one."""
    for problem in _config(model).problems:
        text = _config(model).text[problem.place.start : problem.place.end]
        if problem.kind is not ProblemKind.SYNTAX or not problem.refused:
            continue
        if text == "//" and problem.suggestion == "#":
            return [Edit(problem.place.start, problem.place.end, "#")]
        if text == "," and problem.suggestion is None:
            return [Edit(problem.place.start, problem.place.end, "")]
        if problem.suggestion == "," and text[:1] in {"{", "<"}:
            return [_comma(_config(model).text, problem.place.start)]
    return []


def _comma(text: str, start: int) -> Edit:
    """Put the comma that is missing before an element behind the element before it, not behind a comment."""
    end = len(text[:start].rstrip())
    if "#" in text[text.rfind("\n", 0, end) + 1 : end]:
        end = start
    return Edit(end, end, ",")


def _enumerator(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    """Write the whole name of a type or kind that lacks its beginning: FP32 is TYPE_FP32, GPU is KIND_GPU."""
    for problem in _config(model).problems:
        text = _config(model).text[problem.place.start : problem.place.end]
        right = problem.suggestion or ""
        if problem.kind is ProblemKind.UNKNOWN_ENUM and right.partition("_")[2] == text.strip("\"'").upper() != "":
            return [Edit(problem.place.start, problem.place.end, right)]
    return []


def _byte_order_mark(model: Model, _options: Options, _finding: Finding) -> list[Edit]:
    text = _config(model).text
    return [Edit(0, 1, "")] if text.startswith("\ufeff") else []


MENDS: Mapping[str, Mend] = MappingProxyType(
    {
        "config-syntax": _syntax,
        "unknown-enum-value": _enumerator,
        "config-encoding": _byte_order_mark,
        "name-mismatch": _name,
        "misspelt-backend": _backend,
        "unknown-platform": _platform,
        "ensemble-with-backend": _ensemble_backend,
        "wrong-backend-for-format": _format,
        "steps-without-platform": _ensemble_platform,
        "ensemble-version-not-loaded": _step_version,
        "no-dynamic-batching": _dynamic_batching,
        "unbounded-queue": _queue_limit,
        "no-instance-group": _instance_group,
    }
)
"""Slug of a rule -> its mend, which gives no edits where a person has to decide."""
