"""The OpenAPI document as it is served: a file that is made of the program (see `openapi`) when the docs are."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final, cast

DOCUMENT: Final = "/openapi.json"
"""Below /api/v1."""


def stored() -> dict[str, Any]:
    """Return the document as JSON's own types."""
    return cast("dict[str, Any]", json.loads(files(__package__).joinpath("openapi.json").read_text(encoding="utf-8")))
