"""Whatever a file holds, loading it gives settings or a list of sentences: never another exception."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triton_watch.config import ConfigError, load, schema


def _names(part: Any) -> set[str]:
    if isinstance(part, list):
        return {name for item in part for name in _names(item)}
    if not isinstance(part, dict):
        return set()
    return {*part.get("properties", ()), *(name for item in part.values() for name in _names(item))}


KEYS = st.sampled_from(sorted(_names(schema())))
TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        "5s",
        "1MB",
        "http://a:8000",
        "a:1",
        "[::1]:2",
        "GPU-12345678",
        "${A}",
        "${A:-5s}",
        "$",
        "/",
        "http://[",
        "debug",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=12,
)
TARGETS = st.lists(st.dictionaries(KEYS, VALUES, max_size=4).map(lambda extra: {"host": "a", **extra}), max_size=3)

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)


def _load(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    messages = ["."]
    try:
        load(path, {"A": "x"})
    except ConfigError as error:
        messages = [problem.message for problem in error.problems]
    assert messages
    assert all(message.endswith((".", "?")) for message in messages)


@quick
@given(st.dictionaries(KEYS, VALUES, max_size=4) | st.builds(lambda items: {"targets": items}, TARGETS))
def test_any_structure_is_loaded_or_refused(tmp_path: Path, value: dict[str, Any]) -> None:
    """Known names with any values under them, in any nesting."""
    _load(tmp_path / "any.yaml", json.dumps(value).encode())


@quick
@given(st.binary(max_size=60) | st.text(":-[]{}&*!|>'\"#%@`, \nab0<?\t~", max_size=40).map(str.encode))
def test_any_bytes_are_loaded_or_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no text, text that is no YAML, YAML that is no configuration."""
    _load(tmp_path / "any.yaml", content)


@pytest.mark.parametrize("text", ["<<: [{a: b}, 1]", "<<: &a {<<: *a}", "? !!set {a}\n: b", "!!binary x: y", "=: a"])
def test_rare_yaml_is_refused(tmp_path: Path, text: str) -> None:
    """Corners of YAML that no configuration needs."""
    path = tmp_path / "rare.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load(path, {})
