"""Each field and each element has its place, comments are kept, and what is missing is near something."""

from __future__ import annotations

import pytest

from triton_watch.check.pbtxt import ParsedConfig, Path, parse_config

CONFIG = b"""\
# the model
name: "m";
input [
  { name: "a" dims: [ 1, 2 ] },  # first
  < name: "b" dims: 3, dims: [ 4 ] >
]
input { name: "c" }
dynamic_batching: { }
parameters { value { string_value: "v" } key: "k" }
metric_tags [ { key: "t" value: "u" } ]
# triton-watch: ignore
"""


def _shown(parsed: ParsedConfig, *path: str | int) -> tuple[str, str, str]:
    place = parsed.places[path]
    name, value, extent = (parsed.text[s.start : s.end] for s in (place.name, place.value, place.extent))
    return name, value, extent


ENTRY = '{ value { string_value: "v" } key: "k" }'
PLACES: list[tuple[Path, tuple[str, str, str]]] = [
    (("name",), ("name", '"m"', 'name: "m";')),
    (("dynamic_batching",), ("dynamic_batching", "{ }", "dynamic_batching: { }")),
    (("input", 2), ("input", '{ name: "c" }', 'input { name: "c" }')),
    (("input", 2, "name"), ("name", '"c"', 'name: "c"')),
    (("input", 0), ('{ name: "a" dims: [ 1, 2 ] }',) * 2 + ('{ name: "a" dims: [ 1, 2 ] },',)),
    (("input", 0, "dims"), ("dims", "[ 1, 2 ]", "dims: [ 1, 2 ]")),
    (("input", 0, "dims", 0), ("1", "1", "1,")),
    (("input", 0, "dims", 1), ("2", "2", "2")),
    (("input", 1, "dims"), ("dims", "3", "dims: 3,")),
    (("input", 1, "dims", 0), ("dims", "3", "dims: 3,")),
    (("input", 1, "dims", 1), ("4", "4", "4")),
    (
        ("parameters", "k"),
        (
            "parameters",
            '{ value { string_value: "v" } key: "k" }',
            'parameters { value { string_value: "v" } key: "k" }',
        ),
    ),
    (("parameters", "k", "string_value"), ("string_value", '"v"', 'string_value: "v"')),
    (("parameters", "k", "value"), ("value", '{ string_value: "v" }', 'value { string_value: "v" }')),
    (("parameters", "k", "key"), ("key", '"k"', 'key: "k"')),
    (("metric_tags", "t"), ('{ key: "t" value: "u" }',) * 3),
    (("metric_tags", "t", "value"), ("value", '"u"', 'value: "u"')),
]


@pytest.mark.parametrize(("path", "expected"), PLACES, ids=lambda part: str(part)[:40])
def test_a_field_has_its_name_its_value_and_its_extent(path: Path, expected: tuple[str, str, str]) -> None:
    assert _shown(parse_config(CONFIG), *path) == expected


def test_a_repeated_field_has_the_place_of_its_first_mention() -> None:
    place = parse_config(CONFIG).places["input",]
    assert (place.name.line, place.name.column, place.value.line) == (3, 1, 3)


def test_a_map_with_whole_numbers_for_keys_has_them_in_its_paths() -> None:
    text = b"dynamic_batching { priority_queue_policy { key: 7 value { max_queue_size: 3 } } }"
    path = ("dynamic_batching", "priority_queue_policy", 7, "max_queue_size")
    assert _shown(parse_config(text), *path)[1] == "3"


def test_of_two_equal_keys_the_last_one_is_kept_in_message_and_places() -> None:
    text = b'parameters { key: "k" value { string_value: "1" } }\nparameters { key: "k" value { } }\n'
    parsed = parse_config(text)
    assert parsed.message is not None
    assert parsed.message.parameters["k"].string_value == ""
    assert parsed.places["parameters", "k"].name.line == 2
    assert not parsed.has("parameters", "k", "string_value")


def test_a_field_that_is_not_written_is_near_its_closest_ancestor() -> None:
    parsed = parse_config(CONFIG)
    assert parsed.where("input", 2, "data_type") == parsed.places["input", 2].name
    assert parsed.where("optimization", "cuda").line == 1
    assert parsed.where() == parsed.where("nothing")
    assert parsed.has("input", 0, "dims")
    assert not parsed.has("input", 3)


def test_comments_have_their_text_and_say_whether_they_stand_alone() -> None:
    comments = parse_config(CONFIG).comments
    assert [(c.line, c.column, c.text, c.alone) for c in comments] == [
        (1, 1, "the model", True),
        (4, 34, "first", False),
        (11, 1, "triton-watch: ignore", True),
    ]


def test_comments_on_lines_of_their_own_are_found_behind_what_could_not_be_read() -> None:
    parsed = parse_config(b'# one\nname: "x" }\n  # two\nname: "#" # three\n')
    assert not parsed.complete
    assert [(c.line, c.text, c.alone) for c in parsed.comments] == [(1, "one", True), (3, "two", True)]


def test_a_comment_that_is_passed_twice_is_kept_once() -> None:
    parsed = parse_config(b"dynamic_batching\nmax_batch_size # here\n: 8\n")
    assert [comment.text for comment in parsed.comments] == ["here"]


@pytest.mark.parametrize(("line", "expected"), [(0, ""), (1, "a: é"), (2, "# b"), (3, ""), (4, "")])
def test_a_line_is_given_without_its_end(line: int, expected: str) -> None:
    assert parse_config("a: é\r\n# b\n".encode()).line_text(line) == expected


def test_columns_count_characters() -> None:
    parsed = parse_config('\tplatform: "é😀"\tname: "x"'.encode())
    assert (parsed.places["name",].name.line, parsed.places["name",].name.column) == (1, 17)


def test_what_came_before_the_end_of_the_reading_is_in_message_and_places() -> None:
    parsed = parse_config(b'max_batch_size: 8\ninput [ { name: "a" }, { name: "b"\n]')
    assert not parsed.complete
    assert parsed.message is not None
    assert parsed.message.max_batch_size == 8
    assert [io.name for io in parsed.message.input] == ["a", "b"]
    assert parsed.has("input", 1, "name")
