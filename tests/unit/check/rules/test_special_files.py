"""Files of single backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.options import Options, Release
from triton_watch.check.rules.model_examples import onnx
from triton_watch.check.rules.special_files import RULES, onnx_limits

if TYPE_CHECKING:
    from pathlib import Path

VLLM = '--- chat/config.pbtxt\nbackend: "vllm"\n--- chat/1/model.json\n'
ONNX = '--- m/config.pbtxt\nbackend: "onnxruntime"\n--- m/1/model.onnx\n'


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        ('{"model": "facebook/opt-125m", "dtype": "auto"}', []),
        ('{"model": "x",}', ["TW250"]),
        ('{"model": 3}', ["TW250"]),
        ("[]", ["TW250"]),
        ("model: x", ["TW250"]),
    ],
)
def test_vllm_takes_a_json_object_with_a_model(content: str, rules: list[str], tmp_path: Path) -> None:
    assert [one.rule for one in found(RULES, VLLM + content + "\n", tmp_path)] == rules


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("tensor_paralel_size", "did you mean tensor_parallel_size?"),
        ("max-model-len", "did you mean max_model_len?"),
        ("gpu_memory_utilisation", "did you mean gpu_memory_utilization?"),
        ("tensor_parallel_size", None),
        ("an_argument_of_2031", None),
        ("x" * 100_000, None),
    ],
)
def test_a_misspelt_argument_of_vllm_is_told(name: str, fix: str | None, tmp_path: Path) -> None:
    hits = found(RULES, f'{VLLM}{{"model": "x", "{name}": 2}}\n', tmp_path)
    assert [(one.rule, one.severity.value, one.fix) for one in hits] == ([("TW253", "warning", fix)] if fix else [])


@pytest.mark.parametrize(
    ("opset", "triton", "count"),
    [(21, (24, 10), 0), (22, (24, 10), 1), (21, (23, 10), 1), (17, None, 0), (99, None, 1)],
)
def test_an_opset_is_judged_by_the_servers_release(
    opset: int, triton: tuple[int, int] | None, count: int, tmp_path: Path
) -> None:
    options = Options(triton=Release(*triton) if triton else None)
    assert len(found(RULES, ONNX + onnx("a FP32 4", "b FP32 4", opset) + "\n", tmp_path, options)) == count


def test_releases_older_than_the_table_are_not_judged() -> None:
    assert onnx_limits(Release(20, 1)) is None
    assert onnx_limits(Release(24, 10)) == (21, 10)


@pytest.mark.parametrize(
    ("key", "value", "severities"),
    [
        ("gpt_model_path", "${engine_dir}", ["error"]),
        ("gpt_model_path", "/engines/llama", []),
        ("encoder_model_path", "${encoder_engine_dir}", ["warning"]),
        ("batching_strategy", "${batching_strategy}", []),
    ],
)
def test_a_template_is_filled_in(key: str, value: str, severities: list[str], tmp_path: Path) -> None:
    config = f'backend: "tensorrtllm"\nparameters {{ key: "{key}" value {{ string_value: "{value}" }} }}'
    assert [one.severity.value for one in found(RULES, config, tmp_path)] == severities
