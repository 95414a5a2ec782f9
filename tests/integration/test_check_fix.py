"""What `--fix` writes is accepted by the real tritonserver."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from differential.case import CONFIG, Case, Models, Verdict, write_models
from differential.cases import MODEL_FILES, load_cases
from differential.exceptions import excepted
from differential.judge import Judge
from differential.linter import opinion
from triton_watch.check.discover import RepositorySpec
from triton_watch.check.fix import fix_repository
from triton_watch.check.options import Options
from triton_watch.check.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INPUT = 'input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]\n'
OUTPUT = 'output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] } ]\n'
IO = INPUT + OUTPUT
QUOTED = IO.replace("TYPE_FP32", '"TYPE_FP32"')
BROKEN = {
    "trailing-commas": f'backend: "onnxruntime"\n{IO.replace("} ]", "}, ]").replace("[ 4 ]", "[ 4, ]")}',
    "missing-commas": f'backend: "onnxruntime"\n{IO.replace("[ 4 ]", "[ 4 4 4 ]")}',
    "slashes": f'// ours\nbackend: "onnxruntime" // the backend\nmax_batch_size: 8\n{IO}',
    "byte-order-mark": f'\ufeffbackend: "onnxruntime"\n{IO}',
    "types-without-prefix": f'backend: "onnxruntime"\n{IO.replace("TYPE_", "")}instance_group [ {{ kind: CPU }} ]\n',
    "quoted-values": f'backend: "onnxruntime"\nmax_batch_size: "8"\n{QUOTED}',
    "unquoted-texts": f"backend: onnxruntime\n{IO}",
    "other-name": f'name: "somebody_else"\nbackend: "onnxruntime"\nmax_batch_size: 8\n{IO}',
    "misspelt-backend": f'backend: "onnx"\nmax_batch_size: 8\n{IO}',
    "backend-as-platform": f'platform: "onnxruntime"\nmax_batch_size: 8\n{IO}dynamic_batching {{ }}\n',
    "everything": (
        f'\ufeffname: "other" // ours\r\nplatform: onnx\r\nmax_batch_size: "8"\r\n'
        f'{IO.replace("TYPE_", "").replace("} ]", "}, ]")}dynamic_batching {{ }}'
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as made:
        yield made


def mended(case: Case, folder: Path) -> Case | None:
    """The case with all of its models mended, None where there is nothing to mend."""
    write_models(case.repositories[0], folder)
    fixed = {one.path.parent.name: one.after for one in fix_repository(RepositorySpec(folder), RULES, Options())}
    models: Models = {
        name: {**files, CONFIG: fixed[name]} if name in fixed else files for name, files in case.repositories[0].items()
    }
    return replace(case, repositories=(models,)) if fixed else None


def test_broken_configurations_are_mended_so_that_the_server_accepts_them(judge: Judge, tmp_path: Path) -> None:
    broken = []
    for name, text in BROKEN.items():
        directory = f"fix_{name.replace('-', '_')}"
        models: Models = {directory: {CONFIG: text, **MODEL_FILES["onnxruntime"]}}
        broken.append(Case(f"fix-{name}", "fix", (models,), directory))
    before = judge.judge(broken)
    assert [name for name, verdict in before.items() if not verdict.refused] == []
    repaired = [one for case in broken if (one := mended(case, tmp_path / case.name))]
    after = judge.judge(repaired)
    assert {name: verdict.reason for name, verdict in after.items() if verdict.refused} == {}
    assert len(after) == len(BROKEN)


def test_the_server_accepts_every_mended_case_in_which_no_error_is_left(
    judge: Judge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usable = [
        case for case in load_cases() if len(case.repositories) == 1 and not (case.alone or case.flags or case.tags)
    ]
    repaired = [one for case in usable if (one := mended(case, tmp_path / "mended" / case.name))]
    clean = [case for case in repaired if not opinion(case, tmp_path / "clean" / case.name).refused]
    verdicts = judge.judge(clean)
    helped = [case.name for case in clean if case.refused]
    with capsys.disabled():
        sys.stdout.write(
            f"\nmended cases: {len(clean)} without an error left, of which the server refused {len(helped)} before\n"
        )
    refused = {case.name: verdicts[case.name] for case in clean if verdicts[case.name].refused}
    assert {case.name: refused[case.name].reason for case in clean if _unexplained(case, refused)} == {}
    assert len(helped) >= 30


def _unexplained(case: Case, refused: dict[str, Verdict]) -> bool:
    """Whether the server refuses a case for no reason by which it differs from the linter."""
    return case.name in refused and excepted(case, refused[case.name]) is None
