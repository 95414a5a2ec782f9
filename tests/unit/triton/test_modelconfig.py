"""What is read from a model's completed configuration."""

from __future__ import annotations

from typing import Any

import pytest

from triton_watch.records import EnsembleStep, ModelConfig
from triton_watch.triton.errors import GarbageError
from triton_watch.triton.modelconfig import from_json


def config(**fields: Any) -> ModelConfig:
    return from_json({"name": "m", **fields})


def test_a_name_alone_is_a_model_with_one_instance_and_nothing_else() -> None:
    assert config() == ModelConfig("m")


def test_the_configuration_of_a_real_server_is_read() -> None:
    """Fields as tritonserver 2.51 completes them; those that nobody needs are passed over."""
    found = config(
        platform="",
        backend="python",
        version_policy={"latest": {"num_versions": 1}},
        max_batch_size=8,
        instance_group=[{"name": "m_0", "kind": "KIND_CPU", "count": 2, "gpus": [], "passive": False}],
        dynamic_batching={"preferred_batch_size": [8], "max_queue_delay_microseconds": 0},
        model_transaction_policy={"decoupled": True},
        response_cache={"enable": True},
        optimization={"priority": "PRIORITY_DEFAULT"},
    )
    assert found == ModelConfig(
        "m",
        backend="python",
        max_batch_size=8,
        instances=2,
        instance_kinds=("KIND_CPU",),
        dynamic_batching=True,
        decoupled=True,
        response_cache=True,
    )


@pytest.mark.parametrize(
    ("groups", "instances"),
    [
        ([], 1),
        ([{"kind": "KIND_CPU"}], 1),
        ([{"kind": "KIND_CPU", "count": 3}], 3),
        ([{"kind": "KIND_GPU", "count": 2, "gpus": [0, 1]}], 4),
        ([{"kind": "KIND_GPU", "count": 2, "gpus": [0]}, {"kind": "KIND_CPU", "count": 1}], 3),
        ([{"kind": "KIND_CPU", "count": 0}], 1),
    ],
)
def test_instances_are_counted_on_each_gpu_of_each_group(groups: list[Any], instances: int) -> None:
    assert config(instance_group=groups).instances == instances


@pytest.mark.parametrize(
    ("group", "uses_gpu"),
    [
        ({"kind": "KIND_GPU", "gpus": [1]}, True),
        ({"kind": "KIND_MODEL"}, True),
        ({"kind": "KIND_AUTO", "gpus": [0]}, True),
        ({"kind": "KIND_AUTO"}, False),
        ({"gpus": [0]}, True),
        ({"kind": "KIND_CPU"}, False),
    ],
)
def test_a_model_uses_a_gpu_when_a_group_may_run_on_one(group: dict[str, Any], *, uses_gpu: bool) -> None:
    assert config(instance_group=[group]).uses_gpu is uses_gpu


def test_gpus_are_those_of_all_groups_sorted_and_each_once() -> None:
    groups = [{"kind": "KIND_GPU", "gpus": [3, 1]}, {"kind": "KIND_GPU", "gpus": [1, 0]}]
    assert config(instance_group=groups).gpus == (0, 1, 3)


def test_an_ensemble_has_steps() -> None:
    steps = [{"model_name": "a", "model_version": -1}, {"model_name": "b", "model_version": "2"}]
    found = config(platform="ensemble", ensemble_scheduling={"step": steps})
    assert found.steps == (EnsembleStep("a", -1), EnsembleStep("b", 2))
    assert found.is_ensemble


def test_an_empty_dynamic_batching_block_counts_and_an_absent_one_does_not() -> None:
    assert config(dynamic_batching={}).dynamic_batching
    assert not config(sequence_batching={}).dynamic_batching
    assert config(sequence_batching={}).sequence_batching
    assert not config(dynamic_batching=None).dynamic_batching


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "the document is a list and not an object"),
        ({}, "name is nothing and not a string"),
        ({"name": 3}, "name is a int and not a string"),
        ({"name": "m", "max_batch_size": True}, "max_batch_size is a bool and not an integer"),
        ({"name": "m", "max_batch_size": "8x"}, "max_batch_size is a str and not an integer"),
        ({"name": "m", "instance_group": {}}, "instance_group is a dict and not a list"),
        ({"name": "m", "instance_group": [7]}, "instance_group[0] is a int and not an object"),
        (
            {"name": "m", "instance_group": [{}, {"gpus": ["0"]}]},
            "instance_group[1].gpus is a list and not a list of integers",
        ),
        (
            {"name": "m", "response_cache": {"enable": 1}},
            "response_cache.enable is a int and not true or false",
        ),
        (
            {"name": "m", "ensemble_scheduling": {"step": [{}]}},
            "ensemble_scheduling.step[0].model_name is nothing and not a string",
        ),
    ],
)
def test_a_field_of_a_wrong_type_is_garbage_and_named(value: object, says: str) -> None:
    with pytest.raises(GarbageError) as caught:
        from_json(value, "http://triton:8000/v2/models/m/config")
    assert says in str(caught.value)
    assert caught.value.url == "http://triton:8000/v2/models/m/config"
