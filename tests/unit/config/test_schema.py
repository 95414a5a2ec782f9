"""The JSON Schema says what strict loading does, as far as structure goes."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from triton_watch.config import schema
from triton_watch.config.document import read

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[2] / "examples" / "triton-watch.yaml"
VALIDATOR = jsonschema.Draft202012Validator(schema())

LOADER_ONLY = frozenset((HERE / "bad" / "not_in_schema.list").read_text().splitlines())
"""Mistakes that the schema cannot tell; the file says why."""

STRUCTURAL = sorted({path.stem for path in HERE.glob("bad/*.yaml")} - LOADER_ONLY)


def test_schema_is_a_schema_of_its_dialect() -> None:
    """The schema names draft 2020-12 and obeys it."""
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", [*sorted(HERE.glob("good/*.yaml")), EXAMPLE], ids=lambda path: path.stem)
def test_good_configuration_is_accepted(path: Path) -> None:
    """An editor finds nothing to complain about in what the loader accepts, variables included."""
    VALIDATOR.validate(read(path).value)


@pytest.mark.parametrize("case", STRUCTURAL)
def test_bad_structure_is_refused(case: str) -> None:
    """Unknown names, wrong types and forms, settings that exclude each other: the editor sees them too."""
    assert not VALIDATOR.is_valid(read(HERE / "bad" / f"{case}.yaml").value)


def _settings(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, list):
        return [found for item in part for found in _settings(item)]
    if not isinstance(part, dict):
        return []
    below = [found for item in part.values() for found in _settings(item)]
    return [*part["properties"].values(), *below] if "properties" in part else below


def test_every_setting_is_described() -> None:
    """An editor has a sentence to show for each setting."""
    settings = _settings(schema())
    assert len(settings) > 40
    assert all(setting["description"].endswith(".") for setting in settings)
