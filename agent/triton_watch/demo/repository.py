"""Where the example models are: in the installed package, or in a source checkout."""

from __future__ import annotations

from pathlib import Path

from triton_watch.demo.errors import EmbeddedTritonError

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[2]
"""The root of a source checkout; in an installed package it means nothing."""


def example_repository() -> Path:
    """The folder of the example model repository. Raises `EmbeddedTritonError` when there is none."""
    candidates = (PACKAGE / "model_repository", CHECKOUT / "examples" / "model_repository")
    for folder in candidates:
        if folder.is_dir():
            return folder
    places = " or ".join(str(folder) for folder in candidates)
    raise EmbeddedTritonError(f"the example models are not at {places}: install triton-watch again")
