"""Whatever the `canary` section says: it loads, the JSON Schema takes it, and what is shown of it loads to the same."""

from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from triton_watch.config import format_duration, load, masked, masked_yaml, schema
from triton_watch.config.expand import escaped

FOLDER = Path(__file__).parent / "good"
VALIDATOR = jsonschema.Draft202012Validator(schema())

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
GLOBS = WORDS | st.lists(WORDS, min_size=1, max_size=3)


def durations(least: int, most: int) -> st.SearchStrategy[str]:
    return st.integers(least, most).map(lambda milliseconds: format_duration(milliseconds / 1000))


def some(**choices: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=choices)


OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "enabled": st.booleans(),
    "interval": durations(20_001, 86_400_000),
    "timeout": durations(5000, 20_000),
    "start_delay": durations(0, 86_400_000),
    "max_latency": durations(1, 5000),
    "max_pending": st.integers(0, 1_000_000),
    "dynamic_size": st.integers(1, 1_000_000),
    "batch_size": st.integers(1, 1_000_000),
    "optional_inputs": st.booleans(),
    "allow_non_finite": st.booleans(),
    "min_responses": st.integers(0, 50),
    "max_responses": st.integers(50, 1_000_000),
    "parameters": st.dictionaries(WORDS, st.booleans() | INTEGERS | FLOATS | TEXTS, max_size=3),
}


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Scalars, lists, and lists of lists that are alike."""
    rows = st.integers(0, 3).flatmap(lambda size: st.lists(st.lists(leaves, min_size=size, max_size=size), max_size=3))
    return leaves | st.lists(leaves, max_size=4) | rows


FLAT = st.lists(INTEGERS, max_size=4).map(lambda flat: {"values": flat, "shape": [1, len(flat)]})
TENSORS = (
    nested(st.booleans())
    | nested(INTEGERS | FLOATS)
    | nested(TEXTS)
    | FLAT
    | st.just({"values": 0, "shape": [2, 3]})
    | TEXTS.map(lambda text: {"values": text})
    | st.just({"file": "inputs/text.npy"})
    | st.just({"file": "inputs/text.npy", "shape": [1, 1]})
)
WHOLE = st.sampled_from(["inputs/recorded.npz", "inputs/recorded.json"]).map(lambda name: {"file": name})
NAMED = st.dictionaries(WORDS | st.sampled_from(["values", "shape", "root"]), TENSORS, min_size=1, max_size=3)
CALLED_FILE = TEXTS.map(lambda text: {"file": {"values": text}})
OVERRIDES = st.builds(
    lambda globs, inputs, options: {"models": globs, "inputs": inputs, **options},
    GLOBS,
    st.lists(NAMED | WHOLE | CALLED_FILE, min_size=1, max_size=2),
    some(**OPTIONS),
)
CANARIES = some(
    **OPTIONS,
    models=GLOBS,
    exclude_models=GLOBS | st.just([]),
    protocol=st.sampled_from(["auto", "grpc", "http"]),
    concurrency=st.integers(1, 64),
    jitter=st.floats(0, 0.5) | st.sampled_from(["0%", "12.5%", "50%"]),
    failures=st.integers(1, 3),
    window=st.integers(3, 20),
    goldens=st.sampled_from(["absent", "inputs", "./none"]),
    overrides=st.lists(OVERRIDES, max_size=2),
)


@given(CANARIES)
@settings(deadline=None)
def test_what_is_shown_loads_to_the_same_settings(tmp_path_factory: Any, canary: dict[str, Any]) -> None:
    """The schema takes the section as it was written and as it is shown; both load, and to the same settings."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "inputs").exists() or (folder / "inputs").symlink_to(FOLDER / "inputs")
    path = folder / "canary.yaml"
    whole = {"targets": [{"host": "a"}], "canary": canary}
    path.write_text(yaml.safe_dump(escaped(whole), allow_unicode=True))
    loaded = load(path, {})
    path.write_text(masked_yaml(loaded))
    VALIDATOR.validate(whole)
    VALIDATOR.validate(masked(loaded))
    assert load(path, {}).canary == loaded.canary
