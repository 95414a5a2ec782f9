"""The list of all rules, in the order of their ids. A rule exists when its module stands here, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rules import (
    accelerators,
    backend,
    backend_io,
    batch_io,
    batching,
    cache,
    config_file,
    delays,
    engine_rules,
    ensemble,
    ensemble_edges,
    ensemble_members,
    ensemble_sense,
    ensemble_tensors,
    fil,
    instance_details,
    instance_kinds,
    instances,
    layout,
    libraries,
    live,
    manifests,
    memory,
    model_file,
    model_format,
    optimization,
    pipelines,
    platform,
    python_model,
    queue,
    queue_limits,
    rate_limiter,
    repository_wide,
    reshape,
    runtime,
    sequence,
    sequence_states,
    shapes,
    special_files,
    stray,
    structure,
    tensor_kinds,
    tensor_names,
    tensors,
    version_policy,
    versions,
    warmup,
    warmup_sense,
)

if TYPE_CHECKING:
    from triton_watch.check.rule import Rule

_MODULES = (
    engine_rules,
    # 1xx: the repository, its files and versions
    structure,
    layout,
    config_file,
    versions,
    version_policy,
    stray,
    special_files,
    repository_wide,
    # 2xx: backend, platform, model files
    platform,
    backend,
    runtime,
    model_format,
    model_file,
    python_model,
    fil,
    # 3xx: inputs and outputs
    tensors,
    tensor_kinds,
    reshape,
    batch_io,
    backend_io,
    shapes,
    tensor_names,
    # 4xx: batching, queues, sequences, cache, warm-up
    batching,
    delays,
    queue,
    queue_limits,
    sequence,
    sequence_states,
    cache,
    warmup,
    warmup_sense,
    # 5xx: ensembles
    ensemble,
    ensemble_tensors,
    ensemble_edges,
    ensemble_members,
    ensemble_sense,
    pipelines,
    # 6xx: instances, GPUs, memory, optimization
    instances,
    instance_kinds,
    instance_details,
    rate_limiter,
    memory,
    optimization,
    accelerators,
    libraries,
    # 7xx: manifests
    manifests,
    # 8xx: a live server
    live,
)

RULES: tuple[Rule, ...] = tuple(
    sorted((rule for module in _MODULES for rule in module.RULES), key=lambda rule: rule.id)
)


def by_name(name: str) -> Rule | None:
    """Return a rule by its id or slug, case ignored."""
    wanted = name.strip().lower()
    return next((rule for rule in RULES if wanted in {rule.id.lower(), rule.slug}), None)
