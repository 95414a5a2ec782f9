"""Whatever a file holds, it is read without an exception; what protobuf prints is read back the same."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triton_watch.check.pbtxt import ParsedConfig, Place, ProblemKind, Span, parse_config
from triton_watch.check.pbtxt import Path as FieldPath
from triton_watch.check.pbtxt.messages import ModelConfig
from triton_watch.check.pbtxt.parser import MOST_BYTES
from triton_watch.check.pbtxt.schema import Field, Kind, Schema, model_config

text_format: Any = import_module("google.protobuf.text_format")  # it has no types
EXAMPLES = sorted(Path(__file__).parents[4].glob("examples/model_repository/*/config.pbtxt"))
PIECES = [
    *"{}[]<>:,;-\"'\\\n #.\0\t",
    *("\xff", "é", "\ufeff", "//", "0x1F", "08", "1.5f", "1e", "inf", "true", "TYPE_FP32", "FP32", "8", "99999999999"),
    *('"x"', '"a\\', "name", "max_batch_size: 0 ", "input", "dims", "parameters", "key", "value", "metric_tags"),
    *("string_value", "dynamic_batching", "sequence_batching", "priority_queue_policy", "unknown", "model_metrics"),
]
SOUP = st.lists(st.sampled_from(PIECES), max_size=40).map(lambda pieces: "".join(pieces).encode())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real configuration with pieces cut out and put in."""
    text = draw(st.sampled_from([path.read_bytes() for path in EXAMPLES]))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(SOUP | st.just(b""))[:20] + text[start + draw(st.integers(0, 30)) :]
    return text


def _check_span(span: Span, text: str) -> None:
    assert 0 <= span.start <= span.end <= len(text)
    before = text[: span.start]
    assert (span.line, span.column) == (before.count("\n") + 1, span.start - before.rfind("\n"))


def _check_place(path: FieldPath, place: Place, parsed: ParsedConfig) -> None:
    for span in (place.name, place.value, place.extent):
        _check_span(span, parsed.text)
    assert place.extent.start == place.name.start
    assert place.extent.end >= max(place.value.end, place.name.end)
    name = parsed.text[place.name.start : place.name.end]
    assert place.name == place.value or name in path[-2:]


def _check(parsed: ParsedConfig) -> None:
    for path, place in parsed.places.items():
        _check_place(path, place, parsed)
        assert path[:-1] == () or parsed.has(*path[:-1]) or parsed.has(*path[:-2])
    for problem in parsed.problems:
        _check_span(problem.place, parsed.text)
        assert problem.message
        assert "\n" not in problem.message
    for comment in parsed.comments:
        assert parsed.text[comment.start : comment.end].strip("# \t\r\v\f") == comment.text.strip("# \t\r\v\f")
    assert parsed.complete or parsed.problems


@given(st.binary(max_size=200) | SOUP | damaged())
@settings(max_examples=600, deadline=None)
def test_any_bytes_give_a_result_whose_places_are_in_the_text(data: bytes) -> None:
    _check(parse_config(data))


def _scalars(field: Field) -> st.SearchStrategy[Any]:
    if field.kind is Kind.STRING:
        return st.text(max_size=6)
    if field.kind is Kind.BOOL:
        return st.booleans()
    if field.kind is Kind.NUMBER:
        return st.floats(width=32, allow_nan=False)
    numbers = st.integers(field.low, field.high)
    return numbers | st.sampled_from(sorted(field.values.values())) if field.values else numbers


def _fill(draw: st.DrawFn, schema: Schema, message: Any) -> None:
    chosen = draw(st.lists(st.sampled_from(sorted(schema.fields)), unique=True, max_size=4)) if schema.fields else []
    for name in chosen:
        _set(draw, schema.fields[name], message)


def _set(draw: st.DrawFn, field: Field, message: Any) -> None:
    container = getattr(message, field.name)
    if field.is_map and field.schema is not None:
        key, value = field.schema.fields["key"], field.schema.fields["value"]
        for drawn in draw(st.lists(_scalars(key), max_size=2)):
            if value.schema is None:
                container[drawn] = draw(_scalars(value))
            else:
                _fill(draw, value.schema, container[drawn])
    elif field.schema is not None:
        for _ in range(draw(st.integers(0, 2)) if field.repeated else 1):
            child = container.add() if field.repeated else container
            child.SetInParent()
            _fill(draw, field.schema, child)
    elif field.repeated:
        container.extend(draw(st.lists(_scalars(field), max_size=3)))
    else:
        setattr(message, field.name, draw(_scalars(field)))


@st.composite
def configurations(draw: st.DrawFn) -> ModelConfig:
    """Any message that the schema allows."""
    message = ModelConfig()
    _fill(draw, model_config(), message)
    return message


@given(
    configurations(),
    st.fixed_dictionaries(
        {},
        optional={
            "as_utf8": st.booleans(),
            "as_one_line": st.booleans(),
            "pointy_brackets": st.booleans(),
            "use_short_repeated_primitives": st.booleans(),
        },
    ),
)
@settings(max_examples=200, deadline=None)
def test_a_message_that_protobuf_printed_is_read_back_the_same(message: ModelConfig, style: dict[str, bool]) -> None:
    parsed = parse_config(text_format.MessageToString(message, **style).encode())
    assert parsed.complete
    assert {problem.kind for problem in parsed.problems} <= {ProblemKind.NEWER_FIELD}
    assert parsed.message == message
    _check(parsed)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_are_read_as_protobuf_reads_them(path: Path) -> None:
    parsed = parse_config(path.read_bytes())
    assert parsed.problems == ()
    assert parsed.message == text_format.Parse(path.read_text(encoding="utf-8"), ModelConfig())


@pytest.mark.parametrize("piece", [b"{", b"foo {", b"foo: [", b"input { ", b"-", b"\0", b"\xff", b'"', b"#\n", b"a:1 "])
def test_endless_repetition_ends_the_reading_without_an_exception(piece: bytes) -> None:
    parsed = parse_config(piece * (100_000 // len(piece)))
    assert len(parsed.problems) <= 101


def test_a_huge_file_is_not_read_and_said_to_be_too_large() -> None:
    parsed = parse_config(b"\n" * (MOST_BYTES + 1))
    assert [problem.kind for problem in parsed.problems] == [ProblemKind.TOO_LARGE]
    assert not parsed.complete
    assert parse_config(b"\n" * MOST_BYTES).complete
