"""Instance groups: which the server refuses, which the backend cannot serve, which nobody can have meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.rule_examples import found, ids
from triton_watch.check.discover import RepositorySpec
from triton_watch.check.fix import fix_repository
from triton_watch.check.options import Options
from triton_watch.check.rules import instance_details, instance_kinds, instances, rate_limiter

RULES = instances.RULES + instance_details.RULES + instance_kinds.RULES + rate_limiter.RULES
ONNX = 'backend: "onnxruntime"\n'


def config(groups: str, backend: str = "onnxruntime") -> str:
    return f'backend: "{backend}"\ninstance_group [ {groups} ]\n'


@pytest.mark.parametrize(
    ("groups", "gpus", "errors", "others"),
    [
        ("{ kind: KIND_CPU }", None, [], []),
        ("{ kind: KIND_GPU gpus: [ 0, 1 ] }", None, [], []),
        ("{ kind: KIND_GPU gpus: [ 0, 1 ] }", 2, [], []),
        ("{ kind: KIND_GPU gpus: [ 0, 1 ] }", 1, ["TW604"], []),
        ("{ kind: KIND_GPU gpus: [ 0, 1 ] }", 0, ["TW604", "TW604"], []),
        ("{ kind: KIND_GPU }", 0, ["TW604"], []),
        ("{ kind: KIND_GPU }", 1, [], []),
        ("{ kind: KIND_GPU gpus: [ -1 ] }", None, ["TW604"], []),
        ("{ kind: KIND_GPU gpus: [ 0, 1, 0 ] }", None, [], ["TW605"]),
        ("{ kind: KIND_GPU gpus: [ 0 ] }, { kind: KIND_GPU gpus: [ 0 ] }", None, [], []),
        ("{ kind: KIND_CPU gpus: [ 0 ] }", None, ["TW602"], []),
        ("{ kind: KIND_MODEL gpus: [ 0 ] }", None, ["TW602"], []),
        ("{ gpus: [ 0 ] }", None, [], ["TW603"]),
        ("{ gpus: [ 0 ] }", 0, ["TW603"], []),
        ("{ gpus: [ 0 ] }", 1, [], []),
        ("{ gpus: [ 0, 1 ] }", 1, ["TW603"], []),
        ("{ gpus: [ -1 ] }", None, ["TW603"], []),
        ("{ count: 1 }", 0, [], []),
        ("{ count: 0 kind: KIND_CPU }", None, [], ["TW607"]),
        ("{ count: -3 kind: KIND_CPU }", None, [], ["TW607"]),
        ("{ count: 99 kind: KIND_CPU }", None, [], []),
        ("{ count: 100 kind: KIND_CPU }", None, [], ["TW607"]),
        ("{ kind: 3 }", None, [], []),
        ("{ kind: 4 }", None, ["TW608"], []),
        ("{ kind: KIND_CPU passive: true }, { kind: KIND_CPU }", None, [], []),
        ('{ kind: KIND_CPU profile: [ "0" ] }', None, ["TW606"], []),
        ("{ kind: KIND_CPU profile: [ ] }", None, [], []),
        ('{ kind: KIND_CPU host_policy: "x" name: "a" }', None, [], []),
        ("", None, [], ["TW600"]),
    ],
)
def test_groups_are_judged_as_the_server_judges_them(
    groups: str, gpus: int | None, errors: list[str], others: list[str], tmp_path: Path
) -> None:
    findings = found(RULES, config(groups), tmp_path, Options(gpus=gpus))

    assert ids(findings, "error") == errors
    assert [name for name in ids(findings) if name not in errors] == others


@pytest.mark.parametrize(
    ("head", "profile", "refused"),
    [
        ('backend: "tensorrt"', "0", False),
        ('platform: "tensorrt_plan"', "12", False),
        ('backend: "identity" platform: "tensorrt_plan"', "0", False),
        ('backend: "identity"', "0", True),
        ('backend: "tensorrt"', " 1x", False),
        ('backend: "tensorrt"', "-1", True),
        ('backend: "tensorrt"', "x", True),
        ('backend: "tensorrt"', "", True),
        ('backend: "tensorrt"', "2147483647", False),
        ('backend: "tensorrt"', "2147483648", True),
        ('backend: "tensorrt"', "9" * 5000, True),
    ],
)
def test_a_profile_is_read_as_c_reads_numbers(head: str, profile: str, refused: bool, tmp_path: Path) -> None:
    example = f'{head}\ninstance_group [ {{ kind: KIND_GPU profile: [ "{profile}" ] }} ]\n'

    assert ids(found(RULES, example, tmp_path), "error") == (["TW606"] if refused else [])


def test_missing_instance_groups_cross_the_red_line(tmp_path: Path) -> None:
    (finding,) = found(RULES, ONNX, tmp_path)

    assert finding.red_line
    assert finding.severity.value == "warning"


@pytest.mark.parametrize(
    "example",
    [
        'platform: "ensemble"\nensemble_scheduling { }\n',
        'backend: "onnxruntime"\ninstance_group [ { kind: KIND_CPU }\n',  # broken: what is missing is not known
        "--- ranker/1/model.onnx\nx\n",  # another red line
    ],
)
def test_instance_groups_are_not_missed_where_none_can_be(example: str, tmp_path: Path) -> None:
    assert "TW600" not in ids(found(RULES, example, tmp_path))


def test_the_bad_gpu_of_a_list_is_pointed_at(tmp_path: Path) -> None:
    (finding,) = found(RULES, config("{ kind: KIND_GPU gpus: [ 0, 1, 12 ] }"), tmp_path, Options(gpus=2))

    assert (finding.line, finding.column, finding.width) == (2, 49, 2)
    assert "specifies invalid or unsupported gpu id 12" in finding.message


@pytest.mark.parametrize(
    ("groups", "gpus", "expected"),
    [
        ("{ kind: KIND_GPU }", 1, []),
        ("{ kind: KIND_MODEL }", 1, ["TW610"]),
        ("{ count: 1 }", None, []),
        ("{ count: 1 }", 0, ["TW610"]),
        ("", 0, ["TW610"]),
        ("", None, []),
    ],
)
def test_tensorrt_needs_a_gpu(groups: str, gpus: int | None, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, config(groups, "tensorrt"), tmp_path, Options(gpus=gpus)), "error") == expected


@pytest.mark.parametrize(
    ("kind", "count", "arguments", "expected"),
    [
        ("KIND_MODEL", 1, "{}", []),
        ("KIND_GPU", 1, "{}", []),
        ("KIND_GPU", 1, '{"tensor_parallel_size": 2}', ["TW612"]),
        ("KIND_MODEL", 1, '{"tensor_parallel_size": 2}', []),
        ("KIND_MODEL", 2, "{}", ["TW613"]),
        ("KIND_MODEL", 2, '{"gpu_memory_utilization": 0.5}', []),
        ("KIND_MODEL", 2, '{"gpu_memory_utilization": "half"}', ["TW613"]),
    ],
)
def test_vllm_is_judged_by_its_arguments(
    kind: str, count: int, arguments: str, expected: list[str], tmp_path: Path
) -> None:
    head = config(f"{{ count: {count} kind: {kind} }}", "vllm")

    assert ids(found(RULES, f"--- chat/config.pbtxt\n{head}--- chat/1/model.json\n{arguments}\n", tmp_path)) == expected


@pytest.mark.parametrize(
    ("resources", "limited", "errors", "others"),
    [
        ('resources { name: "R" count: 1 }', True, [], []),
        ('resources { name: "R" count: 1 }', None, [], ["TW614"]),
        ('resources { name: "R" count: 1 }', False, [], ["TW614"]),
        ('resources { name: "R" count: 1 } resources { name: "R" count: 1 global: true }', True, ["TW615"], ["TW616"]),
        ('resources { name: "R" count: 1 } resources { name: "S" count: 1 global: true }', True, [], []),
        ("resources { count: 2 }", True, [], []),
        ("resources { }", True, [], ["TW616"]),
        ("priority: 0", True, [], []),
    ],
)
def test_the_rate_limiter_is_judged_by_whether_it_is_on(
    resources: str, limited: bool | None, errors: list[str], others: list[str], tmp_path: Path
) -> None:
    groups = f"{{ kind: KIND_CPU rate_limiter {{ {resources} }} }}"

    findings = found(RULES, config(groups), tmp_path, Options(rate_limit=limited))

    assert ids(findings, "error") == errors
    assert [name for name in ids(findings) if name not in errors] == others


def test_a_hostile_number_of_gpus_stays_cheap(tmp_path: Path) -> None:
    many = ", ".join(["0"] * 100_000)

    assert ids(found(RULES, config(f"{{ kind: KIND_GPU gpus: [ {many} ] }}"), tmp_path)) == ["TW605"] * 200


@pytest.mark.parametrize(
    ("backend", "gpus", "kind"),
    [
        ("python", None, "KIND_AUTO"),
        ("python", 0, "KIND_CPU"),
        ("vllm", None, "KIND_MODEL"),
        ("tensorrt", 1, "KIND_GPU"),
    ],
)
def test_the_fix_says_what_the_mend_writes(backend: str, gpus: int | None, kind: str, tmp_path: Path) -> None:
    options = Options(gpus=gpus)
    (finding,) = found(instances.RULES, f'backend: "{backend}"\n', tmp_path, options)
    assert finding.fix == f"write instance_group [ {{ count: 1 kind: {kind} }} ]"
    (fixed,) = fix_repository(RepositorySpec(Path(str(finding.file)).parent.parent), instances.RULES, options)
    assert f"kind: {kind}\n" in fixed.after
