"""Objectives as JSON of our own, so that a report needs no configuration."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from triton_watch.records import BurnWindow, Goal, Objective, Override, Page, SloSli
from triton_watch.store.blobs import pack_text, unpack_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORM = 1
"""Another form needs another version of the schema too: an older triton-watch would call this one damaged."""


def pack_objectives(objectives: Sequence[Objective]) -> bytes:
    """The objectives as bytes."""
    return pack_text({"form": _FORM, "objectives": [asdict(one) for one in objectives]})


def unpack_objectives(blob: object) -> tuple[Objective, ...]:
    """The objectives again. Raises ValueError, TypeError or KeyError for damage or an unknown form."""
    document = unpack_text(blob)
    if document["form"] != _FORM:
        raise ValueError(f"objectives are in form {document['form']!r}, which is not known")
    return tuple(_objective(one) for one in document["objectives"])


def _objective(read: dict[str, Any]) -> Objective:
    parts = {
        "sli": SloSli(read["sli"]),
        "goal": Goal(**read["goal"]),
        "windows": tuple(_window(one) for one in read["windows"]),
        "overrides": tuple(Override(tuple(one["models"]), Goal(**one["goal"])) for one in read["overrides"]),
    }
    globs = {name: tuple(read[name]) for name in ("models", "exclude_models", "targets")}
    return Objective(**{**read, **parts, **globs})


def _window(read: dict[str, Any]) -> BurnWindow:
    return BurnWindow(**{**read, "severity": Page(read["severity"])})
