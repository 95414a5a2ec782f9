"""The real tritonserver is the judge of the linter: where it refuses we report an error, where it accepts none."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from differential.cases import load_cases
from differential.exceptions import excepted
from differential.judge import Judge
from differential.linter import opinion
from differential.mutations import mutations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from differential.case import Case, Verdict

MUTATIONS = 500
SEED = int(os.environ.get("TRITON_WATCH_SEED", "20261122"))


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as made:
        yield made


def compare(
    what: str, cases: Sequence[Case], verdicts: dict[str, Verdict], folder: Path, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """Print the share on which both agree; return the differences that nobody has explained."""
    differing, explained = list[str](), list[str]()
    for case in cases:
        theirs, ours = verdicts[case.name], opinion(case, folder / case.name)
        if theirs.refused == ours.refused:
            continue
        reason = excepted(case, theirs)
        line = f"{case.name} ({case.note}): the server says {theirs.reason or 'READY'!r}, we find {ours.rules}"
        (explained if reason else differing).append(line)
    refused = sum(verdicts[case.name].refused for case in cases)
    agreed = len(cases) - len(differing) - len(explained)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{what}: {agreed} of {len(cases)} agreed ({agreed / len(cases):.1%}; the server refused {refused}), "
            f"{len(explained)} differ for a named reason, {len(differing)} without one\n"
        )
    return differing


def test_the_linter_agrees_with_the_server_on_all_cases(
    judge: Judge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = load_cases()
    assert len(cases) >= 300
    verdicts = judge.judge(cases)
    changed = {case.name: verdicts[case.name] for case in cases if verdicts[case.name].refused != case.refused}
    assert changed == {}, "the server no longer says what was recorded: python tests/differential/record.py"
    assert compare("cases", cases, verdicts, tmp_path, capsys) == []


def test_the_linter_agrees_with_the_server_on_mutations_of_real_world_models(
    judge: Judge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = mutations(SEED, MUTATIONS)
    verdicts = judge.judge(cases)
    assert compare(f"mutations (seed {SEED})", cases, verdicts, tmp_path, capsys) == []
