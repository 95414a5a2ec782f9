"""Whether instances fit into GPUs: the arithmetic of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rule_examples import found, ids
from triton_watch.check.options import Options
from triton_watch.check.rules import memory
from triton_watch.check.rules.memory import EACH, Group, instances_by_gpu

if TYPE_CHECKING:
    from pathlib import Path

RULES = memory.RULES
GIB = 1024**3


def model(groups: str, size: int, backend: str = "onnxruntime", file: str = "model.onnx") -> str:
    return (
        f'--- ranker/config.pbtxt\nbackend: "{backend}"\ninstance_group [ {groups} ]\n'
        f"--- ranker/1/{file}\nsize: {size}\n"
    )


@pytest.mark.parametrize(
    ("groups", "size", "options", "expected"),
    [
        ("{ count: 4 kind: KIND_GPU }", 4 * GIB, Options(gpus=2, gpu_memory=16 * GIB), ["warning"]),
        ("{ count: 4 kind: KIND_GPU }", 4 * GIB + 1, Options(gpus=2, gpu_memory=16 * GIB), ["warning"]),
        ("{ count: 4 kind: KIND_GPU }", int(3.6 * GIB), Options(gpus=2, gpu_memory=16 * GIB), []),
        ("{ count: 2 kind: KIND_GPU gpus: [ 0 ] }, { count: 2 kind: KIND_GPU gpus: [ 0 ] }", 5 * GIB,
         Options(gpu_memory=16 * GIB), ["warning"]),
        ("{ count: 2 kind: KIND_GPU gpus: [ 0 ] }, { count: 2 kind: KIND_GPU gpus: [ 1 ] }", 5 * GIB,
         Options(gpu_memory=16 * GIB), []),
        ("{ count: 4 kind: KIND_CPU }", 5 * GIB, Options(gpus=2, gpu_memory=16 * GIB), []),
        ("{ count: 4 }", 5 * GIB, Options(gpus=2, gpu_memory=16 * GIB), ["warning"]),
        ("{ count: 4 }", 5 * GIB, Options(gpu_memory=16 * GIB), []),
        ("{ count: 4 kind: KIND_GPU }", 4 * GIB, Options(), ["info"]),
        ("{ count: 4 kind: KIND_GPU }", 3 * GIB, Options(), []),
        ("{ count: 1 kind: KIND_GPU }", 40 * GIB, Options(), []),
        ("{ count: 1 kind: KIND_GPU }", 40 * GIB, Options(gpu_memory=16 * GIB), ["warning"]),
    ],
)  # fmt: skip
def test_instances_that_do_not_fit_are_told(
    groups: str, size: int, options: Options, expected: list[str], tmp_path: Path
) -> None:
    assert [one.severity.value for one in found(RULES, model(groups, size), tmp_path, options)] == expected


def test_the_message_has_the_arithmetic(tmp_path: Path) -> None:
    text = model("{ count: 3 kind: KIND_GPU gpus: [ 0, 1 ] }", 6 * GIB)

    (finding,) = found(RULES, text, tmp_path, Options(gpu_memory=16 * GIB))

    assert "6.0 GiB of weights x 3 instances = 18.0 GiB on GPU 0 and 1, which has 16.0 GiB" in finding.message


def test_instances_of_tensorrt_share_their_weights(tmp_path: Path) -> None:
    text = model("{ count: 8 kind: KIND_GPU }", 6 * GIB, "tensorrt", "model.plan")

    assert not found(RULES, text, tmp_path, Options(gpus=1, gpu_memory=16 * GIB))


def test_all_loaded_versions_count_and_folders_too(tmp_path: Path) -> None:
    text = (
        model("{ count: 1 kind: KIND_GPU }", 6 * GIB) + f"--- ranker/2/model.savedmodel/variables/x\nsize: {11 * GIB}\n"
    )
    every = text.replace("instance_group", "version_policy { all { } }\ninstance_group")

    assert not found(RULES, text, tmp_path / "newest", Options(gpu_memory=16 * GIB))
    assert ids(found(RULES, every, tmp_path / "all", Options(gpu_memory=16 * GIB))) == ["TW650"]


def test_archives_are_no_weights(tmp_path: Path) -> None:
    text = model("{ count: 1 kind: KIND_GPU }", 50 * GIB, "python", "env.tar.gz")

    assert not found(RULES, text, tmp_path, Options(gpu_memory=16 * GIB))


@given(
    st.lists(st.builds(Group, st.integers(-2, 9), st.lists(st.integers(0, 7), max_size=4).map(tuple)), max_size=5),
    st.none() | st.integers(0, 8),
)
def test_every_instance_is_on_some_gpu(groups: list[Group], gpus: int | None) -> None:
    counts = instances_by_gpu(groups, gpus)

    everywhere = 1 if gpus is None else gpus
    assert counts.total() == sum(max(group.count, 1) * (len(group.gpus) or everywhere) for group in groups)
    assert gpus is None or EACH not in counts
