"""Platform and backend together, and how Triton finds a backend; each case was judged by tritonserver 2.51.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.options import Options, Release
from triton_watch.check.rules.platform import RULES

if TYPE_CHECKING:
    from pathlib import Path

ONNX_FILE = "--- bert/1/model.onnx\nx\n"


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        ('platform: "onnxruntime_onnx"', []),
        ('platform: "onnxruntime"', ["TW201"]),
        ('platform: "TENSORRT_PLAN"', ["TW201"]),
        ('platform: " "', ["TW201"]),
        ('platform: "python"', ["TW201"]),
        ('platform: "python" default_model_filename: "model.py"', []),
        ('platform: "foo" default_model_filename: "model.onnx"', ["TW202"]),
        ('platform: "onnxruntime_onnx" default_model_filename: "model.plan"', ["TW202"]),
        ('platform: "onnxruntime_onnx" backend: "onnxruntime"', []),
        ('platform: "onnxruntime_onnx" backend: "pytorch"', ["TW202"]),
        ('platform: "onnxruntime" backend: "onnxruntime"', ["TW202"]),
        ('platform: "onnxruntime_onnx" backend: "openvino"', []),
        ('platform: "foo" backend: "identity"', []),
        ('platform: "python" backend: "python"', []),
        ('backend: "onnxruntime"', []),
        ('platform: "ensemble" backend: "onnxruntime"', ["TW204"]),
        ('platform: "ensemble" backend: "ensemble"', ["TW204"]),
        ('platform: "ensemble"', []),
    ],
)
def test_a_platform_alone_must_be_known_and_goes_with_its_own_backend(
    config: str, rules: list[str], tmp_path: Path
) -> None:
    assert [one.rule for one in found(RULES, config, tmp_path)] == rules


@pytest.mark.parametrize(
    ("example", "rules"),
    [
        (f"--- bert/config.pbtxt\nmax_batch_size: 8\n{ONNX_FILE}", []),
        ("--- bert/config.pbtxt\nmax_batch_size: 8\n--- bert/1/\n--- bert/2/model.onnx\nx\n", ["TW203"]),
        ("--- bert/config.pbtxt\nmax_batch_size: 8\n--- bert/1/MODEL.ONNX\nx\n", ["TW203"]),
        ("--- bert/config.pbtxt\nmax_batch_size: 8\n--- bert/1/model.savedmodel\nx\n", ["TW203"]),
        ("--- bert/config.pbtxt\nmax_batch_size: 8\n--- bert/1/model.savedmodel/saved_model.pb\nx\n", []),
        ('--- bert/config.pbtxt\ndefault_model_filename: "bert.onnx"\n--- bert/1/bert.onnx\nx\n', ["TW203"]),
        ('--- bert/config.pbtxt\ndefault_model_filename: "model.onnx"\n--- bert/1/\n', []),
        ("--- b.onnxruntime/config.pbtxt\nmax_batch_size: 8\n--- b.onnxruntime/1/\n", ["TW202"]),
        ("--- b.openvino/config.pbtxt\nmax_batch_size: 8\n--- b.openvino/1/\n", []),
        ('--- b/config.pbtxt\nbackend: "tensorflow"\n--- b/1/\n', ["TW202"]),
        ('--- b/config.pbtxt\nbackend: "tensorflow"\n--- b/1/model.graphdef\nx\n', []),
        ("--- b/1/bert.onnx\nx\n", []),
    ],
)
def test_files_and_names_tell_a_backend_as_they_do_to_triton(example: str, rules: list[str], tmp_path: Path) -> None:
    assert [one.rule for one in found(RULES, example, tmp_path)] == rules


@pytest.mark.parametrize(
    ("triton", "severities"),
    [(None, ["warning"]), (Release(24, 10), ["error"]), (Release(26, 2), ["error"]), (Release(26, 3), [])],
)
def test_torch_aoti_is_judged_by_the_servers_release(
    triton: Release | None, severities: list[str], tmp_path: Path
) -> None:
    hits = found(RULES, 'platform: "torch_aoti"', tmp_path, Options(triton=triton))
    assert [one.severity.value for one in hits] == severities


@pytest.mark.parametrize(
    ("platform", "fix"),
    [
        ("onnxruntime", 'write platform: "onnxruntime_onnx"'),
        ("pytorch", 'write platform: "pytorch_libtorch"'),
        ("PyTorch_LibTorch", 'write platform: "pytorch_libtorch"'),
        ("tensorrt_pln", 'write platform: "tensorrt_plan"'),
        ("python", 'write backend: "python" instead of the platform'),
    ],
)
def test_the_right_name_is_in_the_fix(platform: str, fix: str, tmp_path: Path) -> None:
    (one,) = found(RULES, f'platform: "{platform}"', tmp_path)
    assert one.fix == fix
    assert (one.line, one.column) == (1, 11)


def test_the_fix_names_a_model_that_lies_there_under_another_name(tmp_path: Path) -> None:
    hex_onnx = "hex: 080812027477" + "3a0042021011"
    (one,) = found(RULES, f"--- b/config.pbtxt\nmax_batch_size: 1\n--- b/1/bert.onnx\n{hex_onnx}\n", tmp_path)
    assert one.fix == 'write backend: "onnxruntime" and default_model_filename: "bert.onnx"'


def test_nothing_is_called_missing_in_a_configuration_that_does_not_parse(tmp_path: Path) -> None:
    assert not found(RULES, "--- b/config.pbtxt\nmax_batch_size: {\n--- b/1/\n", tmp_path)


@pytest.mark.parametrize(
    ("platform", "fix"),
    [
        ("pytorch", 'write backend: "python" instead of the platform: 1/model.py is a model of it'),
        ("python", 'write backend: "python" instead of the platform'),
        ("${platform}", "fill in the template's placeholder ${platform} before Triton reads the file"),
    ],
)
def test_the_files_of_the_version_count_more_than_a_wrong_platform(platform: str, fix: str, tmp_path: Path) -> None:
    example = f'--- m/config.pbtxt\nplatform: "{platform}"\n--- m/1/model.py\nx = 1\n'
    assert [one.fix for one in found(RULES, example, tmp_path) if one.rule == "TW201"] == [fix]
