"""The FIL backend's parameter, names and sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.fil import RULES

if TYPE_CHECKING:
    from pathlib import Path

LIGHTGBM = "tree\nversion=v4\nnum_class=1\nmax_feature_idx=9\nobjective=binary\n\nend of trees\n"


def config(kind: str, io: str = "") -> str:
    parameter = f'parameters {{ key: "model_type" value {{ string_value: "{kind}" }} }}\n' if kind else ""
    return f'--- m/config.pbtxt\nbackend: "fil"\n{parameter}{io}\n'


@pytest.mark.parametrize(
    ("kind", "name", "rules"),
    [
        ("lightgbm", "model.txt", []),
        ("xgboost_json", "xgboost.json", ["TW222"]),
        ("", "xgboost.model", ["TW222"]),
        ("lgbm", "model.txt", ["TW222"]),
        ("lightgbm", "other.txt", []),
    ],
)
def test_model_type_is_the_files_type(kind: str, name: str, rules: list[str], tmp_path: Path) -> None:
    assert [one.rule for one in found(RULES, f"{config(kind)}--- m/1/{name}\n{LIGHTGBM}", tmp_path)] == rules


@pytest.mark.parametrize(
    ("io", "count"),
    [
        ('input { name: "input__0" data_type: TYPE_FP32 dims: [ 10 ] }', 0),
        ('input { name: "input__0" data_type: TYPE_FP32 dims: [ -1 ] }', 0),
        ('input { name: "input__0" data_type: TYPE_FP32 dims: [ 9 ] }', 1),
        ('input { name: "x" data_type: TYPE_FP32 dims: [ 10 ] }', 1),
        ('input { name: "input__0" data_type: TYPE_INT64 dims: [ 10 ] }', 1),
        ('output { name: "output__0" data_type: TYPE_FP32 dims: [ 1 ] }', 0),
        ('output { name: "probabilities" data_type: TYPE_FP32 dims: [ 1 ] }', 1),
    ],
)
def test_tensors_have_the_backends_names_type_and_size(io: str, count: int, tmp_path: Path) -> None:
    example = f"{config('lightgbm', io)}--- m/1/model.txt\n{LIGHTGBM}"
    assert len(found(RULES, example, tmp_path)) == count
