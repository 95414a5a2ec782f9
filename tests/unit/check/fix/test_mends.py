"""Each mend changes what its rule finds, and no other character of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import write
from triton_watch.check.discover import RepositorySpec
from triton_watch.check.fix import Fixed, fix_repository
from triton_watch.check.fix.mends import MENDS
from triton_watch.check.options import Options
from triton_watch.check.rules import RULES
from triton_watch.check.rules.model_examples import onnx, torchscript

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.rule import Rule

BY_SLUG = {rule.slug: rule for rule in RULES}
NOT_ITS_EXAMPLE = {"ensemble-version-not-loaded"}
"""Rules whose example has something to decide."""


def fixed(example: str, folder: Path, *slugs: str, options: Options | None = None) -> list[Fixed]:
    """What is mended of an example by some rules."""
    rules = [BY_SLUG[slug] for slug in slugs] if slugs else RULES
    return list(fix_repository(RepositorySpec(write(example, folder)), rules, options or Options()))


def mended(config: str, folder: Path, *slugs: str, options: Options | None = None) -> str:
    """A configuration of the ONNX Runtime backend, mended; as it was where there is nothing to mend."""
    head = 'backend: "onnxruntime"\n'
    found = fixed(f"{head}{config}", folder, *slugs, options=options)
    return found[0].after.removeprefix(head) if found else config


def test_the_rules_that_say_that_they_can_be_mended_are_those_with_a_mend() -> None:
    assert {rule.slug for rule in RULES if rule.fixable} == set(MENDS)


@pytest.mark.parametrize("slug", sorted(set(MENDS) - NOT_ITS_EXAMPLE))
def test_the_bad_example_of_a_rule_is_mended(slug: str, tmp_path: Path) -> None:
    rule: Rule = BY_SLUG[slug]
    assert [one.rules for one in fixed(rule.bad, tmp_path, slug)] == [(rule.id,)]


@pytest.mark.parametrize("slug", sorted(MENDS))
def test_the_good_example_of_a_rule_is_left_alone(slug: str, tmp_path: Path) -> None:
    assert fixed(BY_SLUG[slug].good, tmp_path, slug) == []


PARSED = [
    ("input [ { name: \"x\" }, ]  # x\n", "input [ { name: \"x\" } ]  # x\n"),
    ('dims [ 1, ]', 'dims [ 1, ]'),
    ("input { name: \"x\" dims: [ 1, 2, ] }", "input { name: \"x\" dims: [ 1, 2 ] }"),
    ("input { name: \"x\" dims: [ 3 224\t224 ] }", "input { name: \"x\" dims: [ 3, 224,\t224 ] }"),
    ('input [ { name: "x" }\n  { name: "y" } ]', 'input [ { name: "x" },\n  { name: "y" } ]'),
    ('input [ { name: "x" }  # one\n  { name: "y" } ]', 'input [ { name: "x" }  # one\n  , { name: "y" } ]'),
    ("// one\nmax_batch_size: 1 // two\n", "# one\nmax_batch_size: 1 # two\n"),
    ('input { data_type: FP32 } output { kind: 1 }', 'input { data_type: TYPE_FP32 } output { kind: 1 }'),
    ('input { name: "x" data_type: fp32 }', 'input { name: "x" data_type: TYPE_FP32 }'),
    ('input { name: "x" data_type: FLOAT32 }', None),
    ("instance_group { kind: GPU }", "instance_group { kind: KIND_GPU }"),
    ("max_batch_size: \"8\"", "max_batch_size: 8"),
    ("max_batch_size: '8'", "max_batch_size: 8"),
    ("max_batch_size: 8.0", "max_batch_size: 8"),
    ("max_batch_size: 8.5", None),
    ("input { name: x }", 'input { name: "x" }'),
    ("input { name: \"x\" optional: 'true' }", 'input { name: "x" optional: true }'),
    ('input { name: "x" data_type: "TYPE_FP32" }', 'input { name: "x" data_type: TYPE_FP32 }'),
    ("\nmax_batch_size 8", None),
    ("dynamic_batching {\n", None),
    ("max_batchsize: 8", None),
]  # fmt: skip


@pytest.mark.parametrize(("config", "expected"), PARSED)
def test_what_the_parser_refuses_is_mended_where_only_one_thing_can_be_meant(
    config: str, expected: str | None, tmp_path: Path
) -> None:
    slugs = ("config-syntax", "unknown-enum-value", "wrong-type")
    assert mended(config, tmp_path, *slugs) == (config if expected is None else expected)


def test_many_faults_of_one_kind_are_mended_at_once(tmp_path: Path) -> None:
    config = "".join(
        f'input {{ name: "x{number}" data_type: FP32 dims: [ 1, ] }} // {number}\n' for number in range(30)
    )
    expected = config.replace("FP32", "TYPE_FP32").replace("1, ]", "1 ]").replace("//", "#")
    assert mended(config, tmp_path, "config-syntax", "unknown-enum-value") == expected


POLICY = "  default_queue_policy {\n    max_queue_size: 128\n  }\n"
DEEP = "        default_queue_policy {\n            max_queue_size: 128\n        }\n"
QUEUE = [
    ("dynamic_batching { }", "dynamic_batching { default_queue_policy { max_queue_size: 128 } }"),
    ("dynamic_batching {}  # why", "dynamic_batching { default_queue_policy { max_queue_size: 128 } }  # why"),
    ("dynamic_batching: < >", "dynamic_batching: < default_queue_policy { max_queue_size: 128 } >"),
    (
        "dynamic_batching {\n  preserve_ordering: false  # on\n\n}\n",
        "dynamic_batching {\n  preserve_ordering: false  # on\n\n" + POLICY + "}\n",
    ),
    (
        "dynamic_batching\n{\n\tpreserve_ordering: false\n}",
        "dynamic_batching\n{\n\tpreserve_ordering: false\n\tdefault_queue_policy {\n\t\tmax_queue_size: 128\n\t}\n}",
    ),
    (
        "dynamic_batching {\n    preserve_ordering: false }",
        "dynamic_batching {\n    preserve_ordering: false default_queue_policy { max_queue_size: 128 } }",
    ),
    (
        "dynamic_batching {\n    # nothing yet\n    }",
        "dynamic_batching {\n    # nothing yet\n" + DEEP + "    }",
    ),
    (
        "dynamic_batching { default_queue_policy { allow_timeout_override: true } }",
        "dynamic_batching { default_queue_policy { allow_timeout_override: true max_queue_size: 128 } }",
    ),
    (
        "dynamic_batching { default_queue_policy { max_queue_size: 0 } }",
        "dynamic_batching { default_queue_policy { max_queue_size: 128 } }",
    ),
    (
        "dynamic_batching {\r\n  priority_levels: 0\r\n}\r\n",
        "dynamic_batching {\r\n  priority_levels: 0\r\n" + POLICY.replace("\n", "\r\n") + "}\r\n",
    ),
]


@pytest.mark.parametrize(("block", "expected"), QUEUE)
def test_a_queue_gets_an_end_in_the_layout_of_the_file(block: str, expected: str, tmp_path: Path) -> None:
    head = 'name: "model"\nmax_batch_size: 8\n'
    assert mended(head + block, tmp_path, "unbounded-queue") == head + expected


@pytest.mark.parametrize(
    ("groups", "size"),
    [
        ("", 128),
        ("instance_group { count: 3 kind: KIND_CPU }", 384),
        ("instance_group { count: 2 kind: KIND_GPU gpus: [ 0, 1 ] }", 512),
        ("instance_group { count: 1000 kind: KIND_CPU }", 8192),
    ],
)
def test_the_queue_holds_16_full_batches_for_each_instance(groups: str, size: int, tmp_path: Path) -> None:
    config = f"max_batch_size: 8\n{groups}\ndynamic_batching {{ }}\n"
    assert f"max_queue_size: {size} " in mended(config, tmp_path, "unbounded-queue")


def test_lines_are_added_to_a_file_without_an_end_of_line(tmp_path: Path) -> None:
    config = "max_batch_size: 4  # four"
    added = "\ndynamic_batching {\n  default_queue_policy {\n    max_queue_size: 64\n  }\n}\n"
    assert mended(config, tmp_path, "no-dynamic-batching") == config + added


def test_what_is_added_is_indented_as_the_file_is(tmp_path: Path) -> None:
    config = 'max_batch_size: 4\ninput [\n\t{\n\t\tname: "x"\n\t}\n]\n'
    added = "dynamic_batching {\n\tdefault_queue_policy {\n\t\tmax_queue_size: 64\n\t}\n}\n"
    assert mended(config, tmp_path, "no-dynamic-batching") == config + added


@pytest.mark.parametrize(
    ("backend", "options", "kind"),
    [
        ("onnxruntime", Options(), "KIND_AUTO"),
        ("onnxruntime", Options(gpus=2), "KIND_AUTO"),
        ("onnxruntime", Options(gpus=0), "KIND_CPU"),
        ("vllm", Options(), "KIND_MODEL"),
    ],
)
def test_the_instance_group_is_what_triton_does_by_itself(
    backend: str, options: Options, kind: str, tmp_path: Path
) -> None:
    found = fixed(f'backend: "{backend}"\n', tmp_path, "no-instance-group", options=options)
    groups = f"instance_group [\n  {{\n    count: 1\n    kind: {kind}\n  }}\n]\n"
    assert found[0].after == f'backend: "{backend}"\n{groups}'


def test_dynamic_batching_is_no_mend_for_a_decoupled_model(tmp_path: Path) -> None:
    config = "max_batch_size: 8\nmodel_transaction_policy { decoupled: true }\n"
    assert mended(config, tmp_path, "no-dynamic-batching") == config


BACKENDS = [
    ('backend: "onnx"  # ONNX\n', 'backend: "onnxruntime"  # ONNX\n'),
    ('platform: "onnxruntime"\n', 'backend: "onnxruntime"\n'),
    ("platform : 'onnx'", 'backend : "onnxruntime"'),
    ('platform: "vllm"', 'backend: "vllm"'),
    ('platform: "tensorflow"', None),
    ('platform: "custom"', None),
]


@pytest.mark.parametrize(("config", "expected"), BACKENDS)
def test_a_backend_gets_its_right_name(config: str, expected: str | None, tmp_path: Path) -> None:
    found = fixed(config, tmp_path, "misspelt-backend", "unknown-platform")
    assert [one.after for one in found] == ([] if expected is None else [expected])


def model(config: str, **files: str) -> str:
    listed = "".join(f"--- ranker/1/{name.replace('_', '.')}\n{body}\n" for name, body in files.items())
    return f"--- ranker/config.pbtxt\n{config}\n{listed}"


ONNX = onnx("x FP32 -1 3", "y FP32 -1 2")
FORMATS = [
    (model('backend: "tensorrt"', model_onnx=ONNX), 'backend: "onnxruntime"\n'),
    (model('backend: "pytorch"', model_plan=ONNX), 'backend: "onnxruntime"\ndefault_model_filename: "model.plan"\n'),
    (model('platform: "pytorch_libtorch"', model_onnx=ONNX), 'platform: "onnxruntime_onnx"\n'),
    (model('platform: "tensorrt_plan" # why\nbackend: "tensorrt"', model_onnx=ONNX), '# why\nbackend: "onnxruntime"\n'),
    (model('backend: "onnxruntime"', model_onnx=torchscript("x")), None),  # its inputs are not written
    (model('backend: "tensorrt"', model_onnx=ONNX, model_pt=torchscript("x")), None),
    (model('backend: "pytorch"', model_py="class TritonPythonModel:\n    pass"), None),
]


@pytest.mark.parametrize(("example", "expected"), FORMATS)
def test_the_backend_of_the_only_model_that_is_there_is_written(
    example: str, expected: str | None, tmp_path: Path
) -> None:
    found = fixed(example, tmp_path, "wrong-backend-for-format")
    assert [one.after for one in found] == ([] if expected is None else [expected])


def io(dims: str, out: str = "dims: [ 2 ]", size: int = 8) -> str:
    return (
        f'backend: "onnxruntime"\nmax_batch_size: {size}\ninput {{ name: "x" data_type: TYPE_FP32 {dims} }}\n'
        f'output {{ name: "y" data_type: TYPE_FP32 {out} }}'
    )


DIMS = [
    (io("dims: [ -1, 3 ]"), io("dims: [ 3 ]")),
    (io("dims: [-1,3]"), io("dims: [3]")),
    (io("dims: -1 dims: 3"), io("dims: 3")),
    (io("dims: [ 1, 3 ]"), io("dims: [ 3 ]")),
    (io("dims: [ 8, 3 ]"), io("dims: [ 3 ]")),
    (io("dims: [ -1, 3 ]", "dims: [ -1, 2 ]"), io("dims: [ 3 ]", "dims: [ 2 ]")),
    (io("dims: [ -1,\n # batch\n 3 ]"), io("dims: [ \n # batch\n 3 ]")),
    (io("dims: [ 5, 3 ]"), None),
    (io("dims: [ -1, 4 ]"), None),
    (io("dims: [ -1, 3 ] reshape { shape: [ -1, 3 ] }"), None),
    (io("dims: [ 3 ]", size=0), None),
    (io("dims: [ 4 ]"), None),
]


@pytest.mark.parametrize(("config", "expected"), DIMS)
def test_the_batch_dimension_is_taken_out_of_dims_where_the_rest_is_the_models(
    config: str, expected: str | None, tmp_path: Path
) -> None:
    found = fixed(model(config, model_onnx=ONNX), tmp_path, "batch-dimension-repeated")
    assert [one.after for one in found] == ([] if expected is None else [f"{expected}\n"])


def test_a_data_type_is_that_of_the_models_file(tmp_path: Path) -> None:
    config = io("dims: [ 3 ]").replace("TYPE_FP32", "TYPE_FP16")
    found = fixed(model(config, model_onnx=ONNX), tmp_path, "data-type-mismatch")
    assert [one.after for one in found] == [io("dims: [ 3 ]") + "\n"]


def test_a_mend_that_would_bring_another_error_is_not_made(tmp_path: Path) -> None:
    warmup = (
        '\nmodel_warmup { name: "w" batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP16 dims: 3 '
        "zero_data: true } } }"
    )
    config = io("dims: [ 3 ]").replace("TYPE_FP32", "TYPE_FP16", 1) + warmup
    assert fixed(model(config, model_onnx=ONNX), tmp_path, "data-type-mismatch") == []


STEPS = """\
--- pipeline/config.pbtxt
platform: "ensemble"
max_batch_size: 8
input { name: "IN" data_type: TYPE_FP32 dims: [ 3 ] }
output { name: "OUT" data_type: TYPE_FP32 dims: [ 2 ] }
ensemble_scheduling {
  step [
    {
      model_name: "ranker"
      input_map { key: "x" value: "IN" }
      output_map { key: "y" value: "OUT" }
    }
  ]
}
--- pipeline/1/.gitkeep
"""


def test_a_step_without_a_version_asks_for_the_latest(tmp_path: Path) -> None:
    example = STEPS + model(io("dims: [ 3 ]"), model_onnx=ONNX)
    [found] = fixed(example, tmp_path, "ensemble-version-not-loaded")
    added = '      output_map { key: "y" value: "OUT" }\n      model_version: -1\n    }\n'
    assert added in found.after
    assert found.after.replace("      model_version: -1\n", "") == found.before


@pytest.mark.parametrize("name", ["model", "m"])
def test_the_name_becomes_the_directorys(name: str, tmp_path: Path) -> None:
    example = f'--- model/config.pbtxt\n# ours\nname : "{name}" ; backend: "onnxruntime"\n--- model/1/model.onnx\nx\n'
    found = fixed(example, tmp_path, "name-mismatch")
    expected = [] if name == "model" else ['# ours\nname : "model" ; backend: "onnxruntime"\n']
    assert [one.after for one in found] == expected


ENSEMBLE = STEPS.replace('platform: "ensemble"', 'platform: "ensemble"\nbackend: "python"')


def test_the_backend_of_an_ensemble_goes_with_its_line(tmp_path: Path) -> None:
    [found] = fixed(ENSEMBLE, tmp_path, "ensemble-with-backend")
    assert found.after == found.before.replace('backend: "python"\n', "")


def test_a_suppressed_finding_is_not_mended(tmp_path: Path) -> None:
    config = "# triton-watch: ignore=no-dynamic-batching clients send whole batches\nmax_batch_size: 8\n"
    assert mended(config, tmp_path, "no-dynamic-batching") == config


@pytest.mark.parametrize("config", ['platform: "onnx"', 'backend: "onnx"'])
@pytest.mark.parametrize(("file", "right"), [("model_onnx", True), ("model_py", False), ("weights_bin", True)])
def test_a_backend_is_not_mended_against_the_files_that_are_there(
    config: str, file: str, right: bool, tmp_path: Path
) -> None:
    found = fixed(model(config, **{file: "x"}), tmp_path, "misspelt-backend", "unknown-platform")
    assert [one.after for one in found] == (['backend: "onnxruntime"\n'] if right else [])
