"""`optimization`, accelerators, agents and labels: what is refused, what has no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.options import Options
from triton_watch.check.rules import accelerators, libraries, optimization

if TYPE_CHECKING:
    from pathlib import Path

RULES = optimization.RULES + accelerators.RULES + libraries.RULES
GPU = "instance_group [ { kind: KIND_GPU } ]\n"
CPU = "instance_group [ { kind: KIND_CPU } ]\n"


@pytest.mark.parametrize(
    ("backend", "text", "expected"),
    [
        ("onnxruntime", "cuda { graphs: true }", ["TW631"]),
        ("onnxruntime", "cuda { graphs: false }", []),
        ("mine", "cuda { graphs: true }", []),
        ("tensorrt", "cuda { graphs: true }", []),
        ("onnxruntime", "graph { level: 1 }", []),
        ("tensorrt", "graph { level: 1 }", ["TW634"]),
        ("tensorrt", "priority: PRIORITY_MAX", []),
        ("pytorch", "priority: PRIORITY_MAX", ["TW634"]),
        ("mine", "priority: PRIORITY_MAX", []),
        ("pytorch", "gather_kernel_buffer_threshold: 5 eager_batching: true", []),
        ("onnxruntime", "input_pinned_memory { enable: true }", []),
        ("onnxruntime", "output_pinned_memory { enable: false }", ["TW635"]),
    ],
)
def test_settings_without_effect_are_told_where_the_backend_is_known(
    backend: str, text: str, expected: list[str], tmp_path: Path
) -> None:
    assert ids(found(RULES, f'backend: "{backend}"\noptimization {{ {text} }}\n', tmp_path)) == expected


@pytest.mark.parametrize(
    ("specs", "largest", "severities"),
    [
        ("graph_spec { batch_size: 1 }", 8, []),
        ("graph_spec { }", 8, ["error"]),
        ("graph_spec { batch_size: -5 }", 0, ["error"]),
        ("graph_spec { batch_size: 9 }", 8, ["warning"]),
        ("graph_spec { }", 0, []),
        ("graph_spec { batch_size: 4 }", 0, []),  # the backend may find out max_batch_size by itself
    ],
)
def test_batch_sizes_of_graphs_fit_max_batch_size(
    specs: str, largest: int, severities: list[str], tmp_path: Path
) -> None:
    text = f'backend: "tensorrt"\nmax_batch_size: {largest}\noptimization {{ cuda {{ graphs: true {specs} }} }}\n'

    assert [one.severity.value for one in found(RULES, text, tmp_path)] == severities


def accelerated(side: str, inside: str, backend: str = "onnxruntime") -> str:
    accelerator = f"{side}_execution_accelerator [ {{ {inside} }} ]"
    return f'backend: "{backend}"\noptimization {{ execution_accelerators {{ {accelerator} }} }}\n'


def parameter(key: str, value: str) -> str:
    return f'name: "tensorrt" parameters {{ key: "{key}" value: "{value}" }}'


@pytest.mark.parametrize(
    ("text", "severities"),
    [
        (accelerated("gpu", 'name: "tensorrt"') + GPU, []),
        (accelerated("gpu", 'name: "TensorRT"') + GPU, ["error"]),
        (accelerated("gpu", 'name: "TensorRT"'), ["warning"]),
        (accelerated("cpu", 'name: "openvino"'), []),
        (accelerated("cpu", 'name: "tensorrt"'), ["error"]),
        (accelerated("gpu", 'name: "auto_mixed_precision"', "tensorflow") + GPU, []),
        (accelerated("gpu", 'name: "x"', "mine") + GPU, []),
        (accelerated("gpu", 'name: "tensorrt"') + CPU, ["warning"]),
        (accelerated("gpu", parameter("precision_mode", "FP16")) + GPU, []),
        (accelerated("gpu", parameter("precision_mode", "fp16")) + GPU, ["error"]),
        (accelerated("gpu", parameter("max_workspace_size_bytes", "1073741824")) + GPU, []),
        (accelerated("gpu", parameter("max_workspace_size_bytes", "1GB")) + GPU, ["warning"]),
        (accelerated("gpu", parameter("max_workspace_size_bytes", "big")) + GPU, ["error"]),
        (accelerated("gpu", parameter("trt_engine_cache_enable", "1")) + GPU, []),
        (accelerated("gpu", parameter("precison_mode", "FP16")) + GPU, ["warning"]),
    ],
)
def test_accelerators_are_judged_as_their_backend_does(text: str, severities: list[str], tmp_path: Path) -> None:
    assert [one.severity.value for one in found(RULES, text, tmp_path)] == severities


def test_a_server_with_gpus_looks_at_accelerators_of_groups_without_a_kind(tmp_path: Path) -> None:
    text = accelerated("gpu", 'name: "TensorRT"')

    assert ids(found(RULES, text, tmp_path, Options(gpus=1)), "error") == ["TW640"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model_repository_agents { }", ["TW644"]),
        ("model_repository_agents { agents [ ] }", ["TW644"]),
        ("model_repository_agents { agents { } }", ["TW644"]),
        ('model_repository_agents { agents { name: "checksum" } }', []),
        ('model_repository_agents { agents { name: "vault" } }', ["TW644"]),
        ('metric_tags { key: "team" value: "x y" }', []),
        ('metric_tags { key: "" value: "x" }', []),
        ('metric_tags { key: "1a_" value: "x" }', []),
        ('metric_tags { key: "_a" value: "x" }', ["TW646"]),
        ('metric_tags { key: "a:b" value: "x" }', ["TW646"]),
        ('metric_tags { key: "größe" value: "x" }', ["TW646"]),
        ('parameters { key: "EXECUTION_ENV_PATH" value { string_value: "$TRITON_MODEL_DIRECTORY/e" } }', []),
    ],
)
def test_what_the_server_ends_over_is_an_error(text: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, f'backend: "onnxruntime"\n{text}\n', tmp_path), "error") == expected


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("$$TRITON_MODEL_DIRECTORY/env.tar.gz", False),
        ("$TRITON_MODEL_DIRECTORY/env.tar.gz", True),
        ("${TRITON_MODEL_DIRECTORY}/env.tar.gz", True),
        ("$${TRITON_MODEL_DIRECTORY}/env.tar.gz", True),
        ("/opt/env.tar.gz", False),
        ("", False),
    ],
)
def test_the_variable_of_an_environment_has_one_spelling(value: str, refused: bool, tmp_path: Path) -> None:
    text = f'backend: "python"\nparameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{value}" }} }}\n'

    assert ids(found(RULES, text, tmp_path), "error") == (["TW645"] if refused else [])
