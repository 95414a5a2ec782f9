"""A problem says what is wrong in a sentence, what was meant, and does not hide those that follow."""

from __future__ import annotations

import pytest

from triton_watch.check.pbtxt import ParsedConfig, Problem, ProblemKind, parse_config
from triton_watch.check.pbtxt.parser import MOST_BYTES
from triton_watch.check.pbtxt.report import MOST_PROBLEMS


def _only(text: str) -> Problem:
    problems = parse_config(text.encode()).problems
    assert len(problems) == 1, problems
    return problems[0]


def _kinds(parsed: ParsedConfig) -> list[ProblemKind]:
    return [problem.kind for problem in parsed.problems]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("max_batch_sizes: 8", "max_batch_size"),
        ("Max_Batch_Size: 8", "max_batch_size"),
        ("instance_groups [ ]", "instance_group"),
        ("dynamic_batch { }", "dynamic_batching"),
        ("batch_size: 8", "max_batch_size"),
        ("input { shape: [ 1 ] }", "dims"),
        ("input { datatype: TYPE_FP32 }", "data_type"),
        ("instance_group { gpu: 0 }", "gpus"),
        ('parameters { key: "a" value { string: "b" } }', "string_value"),
        ("zzz: 1", None),
        (f"{'max_batch_size' * 1000}: 1", None),
    ],
)
def test_an_unknown_field_names_the_field_that_was_meant(text: str, meant: str | None) -> None:
    problem = _only(text)
    assert (problem.kind, problem.suggestion, problem.refused) == (ProblemKind.UNKNOWN_FIELD, meant, True)
    assert "has no field named" in problem.message
    assert len(problem.message) < 250


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("preferred_batch_size: [ 4 ]", "inside dynamic_batching or inside sequence_batching.oldest"),
        ("input { max_batch_size: 8 }", "at the top level"),
        ("kind: KIND_GPU", "inside batch_input or inside batch_output or inside instance_group"),
        ("num_versions: 1", "inside version_policy.latest"),
        ('parameters { string_value: "a" }', "inside parameters.value"),
        ("decoupled: true", None),
    ],
)
def test_a_field_of_another_message_is_sent_home(text: str, home: str | None) -> None:
    problem = _only(text)
    assert problem.kind is ProblemKind.UNKNOWN_FIELD
    if home is None:
        assert problem.suggestion == "model_transaction_policy"
    else:
        assert f"it belongs {home}" in problem.message
        assert problem.suggestion is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("FP32", "TYPE_FP32"),
        ("TYPE_FLOAT", "TYPE_FP32"),
        ("float64", "TYPE_FP64"),
        ("TYPE_INT", "TYPE_INT32"),
        ("type_int64", "TYPE_INT64"),
        ("TYPE_BYTES", "TYPE_STRING"),
        ("TYPE_FP_16", "TYPE_FP16"),
        ("X" * 1000, None),
        ("KIND_GPU", None),
    ],
)
def test_an_unknown_data_type_names_the_one_that_was_meant(written: str, meant: str | None) -> None:
    problem = _only(f"input {{ data_type: {written} }}")
    assert (problem.kind, problem.suggestion) == (ProblemKind.UNKNOWN_ENUM, meant)
    assert problem.path == ("input", 0, "data_type")


@pytest.mark.parametrize("written", ["KIND_CUDA", "GPU", "kind_gpu", "KIND_GPUS"])
def test_an_unknown_kind_of_instance_names_the_one_that_was_meant(written: str) -> None:
    assert _only(f"instance_group {{ kind: {written} }}").suggestion == "KIND_GPU"


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ('max_batch_size: "8"', "8"),
        ("max_batch_size: 8.0", "8"),
        ("max_batch_size: 8.5", None),
        ("max_batch_size: true", None),
        ("backend: python", '"python"'),
        ('input { optional: "true" }', "true"),
        ("input { optional: yes }", "true"),
        ("input { optional: OFF }", "false"),
        ("input { optional: 2 }", None),
        ('input { data_type: "TYPE_FP32" }', "TYPE_FP32"),
        ("max_batch_size: [ 8 ]", None),
        ("dynamic_batching: true", None),
        ("max_batch_size { }", None),
    ],
)
def test_a_value_of_the_wrong_type_is_written_anew_where_that_is_plain(text: str, instead: str | None) -> None:
    problem = _only(text)
    assert (problem.kind, problem.suggestion) == (ProblemKind.WRONG_TYPE, instead)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("max_batch_size: 3000000000", ProblemKind.OUT_OF_RANGE, "-2147483648 to 2147483647"),
        ("dynamic_batching { max_queue_delay_microseconds: -1 }", ProblemKind.OUT_OF_RANGE, "takes 0 to"),
        ("max_batch_size: 8 max_batch_size: 4", ProblemKind.REPEATED_SCALAR, "specified multiple times"),
        ("dynamic_batching { } sequence_batching { }", ProblemKind.ONEOF, "exclude each other"),
        ("\ufeffmax_batch_size: 8", ProblemKind.BOM, "byte order mark"),
        ("// x", ProblemKind.SYNTAX, "write `#`"),
        ('{ "name": 1 }', ProblemKind.SYNTAX, "JSON"),
        ("input [ { }, ]", ProblemKind.SYNTAX, "has a comma behind it"),
        ("input [ { } { } ]", ProblemKind.SYNTAX, "a comma is missing"),
        ("max_batch_size 8", ProblemKind.SYNTAX, "a `:` is missing"),
        ("max_batch_size = 8", ProblemKind.SYNTAX, "a `:` is missing"),
        ("\n\ninput {\n name: 'a'", ProblemKind.SYNTAX, "the `{` of line 3 is still open"),
        ("input { } }", ProblemKind.SYNTAX, "closes nothing"),
        ("max_batch_size: 8x", ProblemKind.SYNTAX, "a space is missing"),
        ("name: “x”", ProblemKind.SYNTAX, "U+201C"),
        ('name: "x', ProblemKind.SYNTAX, "a quote is missing"),
        ("name: 'C:\\dir'", ProblemKind.SYNTAX, "no escape sequence"),
        ("max_batch_size: 08", ProblemKind.SYNTAX, "octal"),
        ("max_batch_size:\n", ProblemKind.SYNTAX, "before the end of the file"),
        ("max_batch_size\n", ProblemKind.SYNTAX, "`:` and a value are missing"),
    ],
)
def test_a_problem_is_told_in_a_sentence(text: str, kind: ProblemKind, sentence: str) -> None:
    problem = next(problem for problem in parse_config(text.encode()).problems if problem.refused)
    assert problem.kind is kind
    assert sentence in problem.message


def test_all_problems_that_can_be_read_over_are_reported_and_the_rest_is_read() -> None:
    parsed = parse_config(
        b"""foo { bar: [ 1, { x: <> } ] }
        // comment
        max_batch_size: "8"
        input [ { name: "a" data_type: FP32 } { name: "b" dims: [ 1 2, ] }, ]
        output { dims: 99999999999999999999 } output { name: "o" }
        dynamic_batching
        platform = "p"
        """
    )
    assert parsed.complete
    assert _kinds(parsed) == [
        ProblemKind.UNKNOWN_FIELD,
        ProblemKind.SYNTAX,
        ProblemKind.WRONG_TYPE,
        ProblemKind.UNKNOWN_ENUM,
        *[ProblemKind.SYNTAX] * 4,
        ProblemKind.OUT_OF_RANGE,
        *[ProblemKind.SYNTAX] * 2,
    ]
    assert parsed.message is not None
    assert [io.name for io in parsed.message.input] == ["a", "b"]
    assert list(parsed.message.input[1].dims) == [1, 2]
    assert parsed.message.output[1].name == "o"
    assert parsed.message.platform == "p"


def test_what_is_passed_twice_is_reported_once() -> None:
    parsed = parse_config(b"dynamic_batching max_batch_size \x01: 8")
    assert _kinds(parsed) == [ProblemKind.SYNTAX] * 2
    assert len({problem.place.start for problem in parsed.problems}) == 2


def test_problems_inside_an_entry_of_a_map_have_its_key_in_their_path() -> None:
    problem = _only('parameters { value { int_value: 3 } key: "k" }')
    assert problem.path == ("parameters", "k", "int_value")


def test_a_scalar_that_is_given_twice_keeps_its_first_value_and_place() -> None:
    parsed = parse_config(b"max_batch_size: 8\nmax_batch_size: 4\n")
    assert parsed.message is not None
    assert parsed.message.max_batch_size == 8
    assert parsed.places["max_batch_size",].name.line == 1


def test_a_scalar_whose_first_value_is_the_default_is_overwritten_as_by_the_server() -> None:
    parsed = parse_config(b"max_batch_size: 0\nmax_batch_size: 4\n")
    assert [(problem.kind, problem.refused) for problem in parsed.problems] == [(ProblemKind.REPEATED_SCALAR, False)]
    assert parsed.message is not None
    assert parsed.message.max_batch_size == 4
    assert parsed.places["max_batch_size",].name.line == 2


def test_of_two_schedulers_the_message_has_the_first_and_the_places_have_both() -> None:
    parsed = parse_config(b"dynamic_batching { }\nsequence_batching { direct { } }\n")
    assert parsed.message is not None
    assert parsed.message.WhichOneof("scheduling_choice") == "dynamic_batching"
    assert parsed.has("sequence_batching", "direct")


def test_elements_that_cannot_be_read_are_not_counted_in_paths() -> None:
    parsed = parse_config(b"input { dims: [ x, 2 ] }")
    assert parsed.message is not None
    assert list(parsed.message.input[0].dims) == [2]
    place = parsed.places["input", 0, "dims", 0].value
    assert parsed.text[place.start : place.end] == "2"


def test_a_field_that_older_servers_refuse_is_told_once_with_its_release() -> None:
    problem = _only("model_metrics { }")
    assert (problem.kind, problem.suggestion, problem.refused) == (ProblemKind.NEWER_FIELD, "24.11", False)
    twice = parse_config(b"input { is_non_linear_format_io: true } input { is_non_linear_format_io: true }")
    assert _kinds(twice) == [ProblemKind.NEWER_FIELD]


def test_bytes_that_are_not_utf8_are_dropped_as_by_the_server_with_a_warning() -> None:
    parsed = parse_config(b'platform: "a\xffb" # \xff')
    assert [(problem.kind, problem.refused) for problem in parsed.problems] == [(ProblemKind.ENCODING, False)]
    assert parsed.message is not None
    assert parsed.message.platform == "ab"
    assert parsed.text == 'platform: "a\N{REPLACEMENT CHARACTER}b" # \N{REPLACEMENT CHARACTER}'


def test_utf16_is_named_as_what_it_is() -> None:
    parsed = parse_config('name: "x"'.encode("utf-16"))
    assert _kinds(parsed) == [ProblemKind.ENCODING]
    assert not parsed.complete


def test_after_very_many_problems_the_reading_ends() -> None:
    parsed = parse_config(b"foo: 1 " * (MOST_PROBLEMS + 50))
    assert _kinds(parsed) == [*[ProblemKind.UNKNOWN_FIELD] * MOST_PROBLEMS, ProblemKind.TOO_MANY]
    assert not parsed.complete


def test_an_unknown_value_that_is_nested_endlessly_ends_the_reading() -> None:
    parsed = parse_config(b"foo " + b"{ a " * 5000)
    assert _kinds(parsed) == [ProblemKind.UNKNOWN_FIELD, ProblemKind.TOO_DEEP]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\a\b\f\n\r\t\v\\\?\'\"\0\101\x41\x4"', "\a\b\f\n\r\t\v\\?'\"\0AA\x04"),
        (r'"\u00e9\U0001F600\ud83d\ude00"', "é😀😀"),
        ('"a" \'b\'\n# comment\n"c"', "abc"),
        (r'"\xc3\xa9"', "é"),
        (r'"\U00110000"', r"\U00110000"),
        (r'"\ud83d"', ""),
        ("'\"'", '"'),
    ],
)
def test_text_in_quotes_has_the_value_that_the_server_takes(written: str, value: str) -> None:
    message = parse_config(f"platform: {written}".encode()).message
    assert message is not None
    assert message.platform == value


@pytest.mark.parametrize(
    ("written", "value"),
    [("0x1F", 31), ("0X1f", 31), ("010", 8), ("-010", -8), ("- 8", -8), ("00", 0), ("0" * 60 + "7", 7), ("-0x10", -16)],
)
def test_a_whole_number_has_the_value_that_the_server_takes(written: str, value: int) -> None:
    message = parse_config(f"max_batch_size: {written}".encode()).message
    assert message is not None
    assert message.max_batch_size == value


@pytest.mark.parametrize(
    ("written", "value"),
    [(".5", 0.5), ("1.", 1.0), ("1f", 1.0), ("25e-2F", 0.25), ("-inf", float("-inf")), ("Infinity", float("inf"))],
)
def test_a_decimal_number_has_the_value_that_the_server_takes(written: str, value: float) -> None:
    text = f"sequence_batching {{ direct {{ minimum_slot_utilization: {written} }} }}"
    message = parse_config(text.encode()).message
    assert message is not None
    assert message.sequence_batching.direct.minimum_slot_utilization == value


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('parameters { key: "a" value: "b" }', 'write value { string_value: "b" }'),
        ('parameters { key: "a" value: 3 }', 'write value { string_value: "3" }'),
        ('parameters { "a": "b" }', 'write key: "a" value { string_value: "b" }'),
        ("dynamic_batching: true", "write dynamic_batching { }"),
        ("dynamic_batching: false", "remove dynamic_batching"),
        ("response_cache: true", "write response_cache { enable: true }"),
        ("model_transaction_policy: true", "write model_transaction_policy { decoupled: true }"),
        ("instance_group: KIND_GPU", "write instance_group [ { kind: KIND_GPU } ]"),
        ("instance_group: 2", "write instance_group [ { count: 2 } ]"),
        ("version_policy { latest: 1 }", "write latest { num_versions: 1 }"),
        ("version_policy { specific: 1 }", "write specific { versions: [ 1 ] }"),
        ("version_policy { specific: [ 1 ] }", "write specific { versions: [ 1 ] }"),
        ("version_policy { all: true }", "write all { }"),
        ('version_policy: "all"', "write version_policy { all { } }"),
        ('input: "x"', 'write input [ { name: "x" } ]'),
        ("max_batch_size: [ 8 ]", "write max_batch_size: and a whole number, without brackets"),
        ("max_batch_size: 8.5", "write a whole number, 8 or 9"),
        ("input { data_type: X }", "write one of TYPE_BOOL, TYPE_UINT8, TYPE_UINT16, TYPE_UINT32, TYPE_UINT64, "
         "TYPE_INT8, …"),
        ("name: a b", None),
        ("input [ { }, ]", "remove the comma"),
        ("input [ { ]", "write `}` before this `]`"),
        ("input { ] }", "remove it"),
        ("input [ { } output [ ]", "write `]` before this `output`"),
        ("name: “x”", 'write plain quotes, "'),
        ("name:\u00a0'x'", "write a plain space"),
        ('name: "x', 'write "x"'),
        ("max_batch_size: 8\nmax_batch_size: 4", "remove it here, or that of line 1"),
        ("dynamic_batching { }\nsequence_batching { }", "remove sequence_batching here, or dynamic_batching of line 1"),
        ("max_batch_size: 9999999999", "write 2147483647 or less"),
        ("dynamic_batching { max_queue_delay_microseconds: -1 }", "write 0 or more"),
        ("dynamic_batching { max_queue_delay_microseconds: 100us }", "write 100: a field in microseconds takes the "
         "number alone"),
        ("dynamic_batching { max_queue_delay_microseconds: 2ms }", "write 2000: a field in microseconds takes the "
         "number alone"),
        ("max_batch_size: 08", "write 8"),
        ("max_batch_size = 8", "write `:` instead of `=`"),
        ("preferred_batch_size: [ 4 ]", "move it into dynamic_batching or into sequence_batching.oldest"),
        ("zzz: 1", "remove it: only fields of model_config.proto can stand here"),
    ],
)  # fmt: skip
def test_a_problem_comes_with_what_to_do(text: str, advice: str | None) -> None:
    problem = parse_config(text.encode()).problems[0]
    if advice is not None:
        assert (problem.refused, problem.advice) == (True, advice)
    assert problem.advice or problem.suggestion


@pytest.mark.parametrize(
    ("written", "digits"), [("1e5", "100000"), ("1.50e3", "1500"), ("15e-1", None), ("1e99", None)]
)
def test_a_number_with_an_exponent_is_written_out_where_it_is_whole(written: str, digits: str | None) -> None:
    assert _only(f"max_batch_size: {written}").suggestion == digits


def test_the_unit_behind_a_number_is_no_field_and_what_follows_is_read() -> None:
    parsed = parse_config(b"dynamic_batching { max_queue_delay_microseconds: 100us } name: 'x'")
    assert _kinds(parsed) == [ProblemKind.SYNTAX]
    assert parsed.message is not None
    assert parsed.message.name == "x"


def test_the_bracket_that_is_open_is_named() -> None:
    problem = _only('input [\n  { name: "A" dims: [ 4 ]\n]')
    assert problem.message == "a `}` is missing before this `]`: the `{` of line 2 is still open"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("max_batch_size: ${triton_max_batch_size}\nname: ${x}", "`${triton_max_batch_size}` (and 1 more)"),
        ("max_batch_size: $SIZE", "`$SIZE`"),
        ("max_batch_size: {{ .Values.size }}", "`{{ .Values.size }}`"),
        ("max_batch_size: {{size}}", "`{{size}}`"),
        ("{% if gpu %}\ninstance_group { }\n{% endif %}", "`{% if gpu %}` (and 1 more)"),
        ("max_batch_size: <% size %>", "`<% size %>`"),
        ("dynamic_batching { preferred_batch_size: [ ${size} ] }\ninput [ { }, ]", "`${size}`"),
    ],
)
def test_a_template_is_one_problem_at_its_first_placeholder(text: str, shown: str) -> None:
    problem = _only(text)
    assert problem.kind is ProblemKind.TEMPLATE
    assert f"not a configuration yet: {shown} stands where a value belongs" in problem.message
    assert (problem.advice or "").startswith("fill it in with ")


def test_what_is_wrong_before_a_placeholder_is_still_told() -> None:
    parsed = parse_config(b"input [ { }, ]\nmax_batch_size: ${size}\nfoo: 1\n")
    assert _kinds(parsed) == [ProblemKind.SYNTAX, ProblemKind.TEMPLATE]
    assert not parsed.complete


@pytest.mark.parametrize(
    "text",
    [
        'name: "${x}" foo: 1',
        "name: 'x' # ${x} {{ y }}\nfoo: 1",
        "instance_group [ {{ kind: KIND_GPU }} ]",
        "dynamic_batching {{ }}",
        "max_batch_size: $",
    ],
)
def test_what_only_looks_like_a_placeholder_makes_no_template(text: str) -> None:
    assert ProblemKind.TEMPLATE not in _kinds(parse_config(text.encode()))


@pytest.mark.parametrize("size", [MOST_BYTES + 1, MOST_BYTES * 9])
def test_a_file_that_is_too_large_is_not_given_a_size_that_it_may_not_have(size: int) -> None:
    problem = parse_config(b"#" * size).problems[0]
    assert "has over 1 MiB" in problem.message
    assert "KiB" not in problem.message
