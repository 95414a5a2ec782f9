"""The API's OpenAPI document for schemathesis, with the names that there are, so that it finds more than 404s."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, cast

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from triton_watch.daemon.api.openapi import document

Test: TypeAlias = Callable[..., None]

EXAMPLES: Final = settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""Of each operation, beside those that cover each bound: enough for every parameter, few enough for each run of CI."""


def each_case(**names: Sequence[str]) -> Callable[[Test], Test]:
    """Run a test with the `case`s that schemathesis makes of the document, the same ones on each run of CI.

    Parameters of these `names` are one of the values.
    """
    raw = document()
    for path in raw["paths"].values():
        for parameter in path["get"]["parameters"]:
            if parameter.get("name") in names:
                parameter["schema"] = {"type": "string", "enum": list(names[parameter["name"]])}
    seed = 20261128 if os.environ.get("CI") else None
    schema = schemathesis.openapi.from_dict(raw, config=SchemathesisConfig(seed=seed))
    return lambda test: cast("Test", schema.parametrize()(EXAMPLES(test)))
