"""The `canary` section as a configuration file would say it, every default filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.config import units

if TYPE_CHECKING:
    from triton_watch.records import CanaryOptions, CanarySettings, GivenInput, GivenTensor
    from triton_watch.records.canary import Values


def canary_section(canary: CanarySettings) -> dict[str, Any]:
    """Give the settings in the shape of the section: only texts, numbers, lists and mappings.

    Loading it gives the same settings.
    """
    optional = {
        "exclude_models": list(canary.exclude_models),
        "goldens": None if canary.goldens is None else str(canary.goldens),
        "overrides": [_override(globs, options) for globs, options in canary.overrides],
    }
    return {
        **_options(canary.options),
        **({"parameters": dict(canary.options.parameters)} if canary.options.parameters else {}),
        "models": list(canary.models),
        "protocol": canary.protocol.value,
        "concurrency": canary.concurrency,
        "jitter": units.format_ratio(canary.jitter),
        "failures": canary.failures,
        "window": canary.window,
        **{name: value for name, value in optional.items() if value},
    }


def _override(globs: tuple[str, ...], options: CanaryOptions) -> dict[str, Any]:
    """Give an override whole; its parameters even where they are none, since the section may have some."""
    return {
        "models": list(globs),
        **_options(options),
        "parameters": dict(options.parameters),
        **({"inputs": [_input(one) for one in options.inputs]} if options.inputs else {}),
    }


def _options(options: CanaryOptions) -> dict[str, Any]:
    latency = options.max_latency
    values = {
        "enabled": options.enabled,
        "interval": units.format_duration(options.interval),
        "timeout": units.format_duration(options.timeout),
        "start_delay": units.format_duration(options.start_delay),
        "max_latency": None if latency is None else units.format_duration(latency),
        "max_pending": options.max_pending,
        "dynamic_size": options.dynamic_size,
        "batch_size": options.batch_size,
        "optional_inputs": options.optional_inputs,
        "allow_non_finite": options.allow_non_finite,
        "min_responses": options.min_responses,
        "max_responses": options.max_responses,
    }
    return {name: value for name, value in values.items() if value is not None}


def _input(given: GivenInput) -> dict[str, Any]:
    if given.file is not None:
        return {"file": str(given.file)}
    return {tensor.name: _tensor(tensor) for tensor in given.tensors}


def _tensor(tensor: GivenTensor) -> object:
    """Give the values alone where that is enough; an input called `file` would be taken for a whole one."""
    if tensor.file is not None:
        data: dict[str, Any] = {"file": str(tensor.file)}
    else:
        data = {"values": _thawed(tensor.values)}
    if tensor.shape is not None:
        return {**data, "shape": list(tensor.shape)}
    return data if tensor.file is not None or tensor.name == "file" else data["values"]


def _thawed(values: Values | None) -> object:
    return [_thawed(one) for one in values] if isinstance(values, tuple) else values
