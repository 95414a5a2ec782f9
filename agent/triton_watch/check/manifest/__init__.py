"""Deployment manifests: Kubernetes YAML and Compose files, read for the containers in them that run Triton."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.check.manifest.command import CommandLine, Flag, Word
    from triton_watch.check.manifest.image import Image
    from triton_watch.check.manifest.load import facts_of, fill_options, load_manifest
    from triton_watch.check.manifest.records import (
        Broken,
        Container,
        Manifest,
        Mount,
        Platform,
        Port,
        Probe,
        ProbeWay,
        Value,
    )

__all__ = [
    "Broken",
    "CommandLine",
    "Container",
    "Flag",
    "Image",
    "Manifest",
    "Mount",
    "Platform",
    "Port",
    "Probe",
    "ProbeWay",
    "Value",
    "Word",
    "facts_of",
    "fill_options",
    "load_manifest",
]

_LOADED_LATER = {"facts_of", "fill_options", "load_manifest"}
_OF_COMMANDS = {"CommandLine", "Flag", "Word"}


def __getattr__(name: str) -> object:
    """Import what is asked for: rules need the records alone, and the loader's YAML library takes 20 ms."""
    if name not in __all__:
        raise AttributeError(name)
    module = "load" if name in _LOADED_LATER else "command" if name in _OF_COMMANDS else "records"
    return getattr(import_module(f"{__name__}.{'image' if name == 'Image' else module}"), name)
