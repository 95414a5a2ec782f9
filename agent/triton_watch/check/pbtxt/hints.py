"""What was probably meant by a name that Triton does not know."""

from __future__ import annotations

import difflib
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.schema import Schema, model_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LONGEST = 64
"""Longer names are not compared: difflib's time grows with the square of the length."""
_FIELDS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("ModelConfig", "batch_size"): "max_batch_size",
        ("ModelConfig", "decoupled"): "model_transaction_policy",
        ("ModelConfig", "warmup"): "model_warmup",
        ("ModelInput", "shape"): "dims",
        ("ModelInput", "type"): "data_type",
        ("ModelInput", "dtype"): "data_type",
        ("ModelOutput", "shape"): "dims",
        ("ModelOutput", "type"): "data_type",
        ("ModelOutput", "dtype"): "data_type",
        ("ModelInstanceGroup", "device"): "gpus",
        ("ModelInstanceGroup", "gpu"): "gpus",
        ("ModelEnsembling.Step", "model"): "model_name",
        ("ModelEnsembling.Step", "version"): "model_version",
    }
)
"""Words that people write for a field and that are not spelled like it, by message."""
_ENUMS: Mapping[str, str] = MappingProxyType(
    {
        "FLOAT": "TYPE_FP32",
        "FLOAT16": "TYPE_FP16",
        "FLOAT32": "TYPE_FP32",
        "FLOAT64": "TYPE_FP64",
        "HALF": "TYPE_FP16",
        "DOUBLE": "TYPE_FP64",
        "BFLOAT16": "TYPE_BF16",
        "INT": "TYPE_INT32",
        "LONG": "TYPE_INT64",
        "UINT": "TYPE_UINT32",
        "BYTE": "TYPE_UINT8",
        "BYTES": "TYPE_STRING",
        "STR": "TYPE_STRING",
        "TEXT": "TYPE_STRING",
        "BOOLEAN": "TYPE_BOOL",
        "CUDA": "KIND_GPU",
        "HOST": "KIND_CPU",
    }
)
"""What other frameworks call a value, without a prefix."""


def synonym(name: str, schema: Schema) -> str | None:
    """The field of this message that goes by another name elsewhere, if it is a known case."""
    return _FIELDS.get((schema.name, name))


def field_name(name: str, schema: Schema) -> str | None:
    """The field of this message that is spelled like `name`, if any."""
    return _closest(name.lower().replace("-", "_"), schema.fields)


def homes(name: str) -> tuple[str, ...]:
    """The messages that do have a field of this name, as paths from the top: `dynamic_batching`; the nearest first."""
    return _homes().get(name, ())


def enum_value(name: str, values: Iterable[str]) -> str | None:
    """The value of an enumeration that was probably meant, if any."""
    if len(name) > _LONGEST:
        return None
    names = {value.upper(): value for value in values}
    word = name.upper()
    prefixes = {value.split("_", 1)[0] + "_" for value in names}
    tries = [word, *(prefix + word for prefix in prefixes)]
    bare = next((word.removeprefix(prefix) for prefix in prefixes if word.startswith(prefix)), word)
    tries.append(_ENUMS.get(bare, ""))
    found = [names[candidate] for candidate in tries if candidate in names]
    found.extend(filter(None, (_closest(candidate, names, cutoff=0.7) for candidate in tries)))
    return found[0] if found else None


def _closest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff) if len(name) <= _LONGEST else []
    return close[0] if close else None


@cache
def _homes() -> Mapping[str, tuple[str, ...]]:
    """Where each name of a field belongs; the top level itself is an empty path."""
    found: dict[str, list[str]] = {}
    for path, name in sorted(_walk(model_config(), ()), key=lambda item: len(item[0])):
        found.setdefault(name, []).append(".".join(path))
    return MappingProxyType({name: tuple(paths) for name, paths in found.items()})


def _walk(schema: Schema, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for field in schema.fields.values():
        yield path, field.name
        if field.schema is not None:
            yield from _walk(field.schema, (*path, field.name))
