"""Schemas of our own for objects of the Prometheus operator, which Kubernetes has none for: tests/fixtures/operator."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator

if TYPE_CHECKING:
    from support.cluster_objects import Object

_FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "operator"
KINDS = ("PodMonitor", "PrometheusRule")


def complaints(one: Object) -> list[str]:
    """Return what is wrong with an object of the operator, a line each. Unknown fields are wrong."""
    return [f"{error.json_path}: {error.message}" for error in _validator(one["kind"]).iter_errors(one)]


@cache
def _validator(kind: str) -> Any:
    schema = json.loads((_FOLDER / f"{kind.lower()}.json").read_text())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)
