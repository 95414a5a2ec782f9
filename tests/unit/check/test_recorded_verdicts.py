"""The linter agrees with what the real server said of some thousand cases when they were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from differential.cases import load_cases
from differential.exceptions import NAMED, excepted
from differential.linter import opinion

if TYPE_CHECKING:
    from pathlib import Path

    from differential.case import Case

CASES = {case.name: case for case in load_cases()}
FAMILIES = sorted({case.family for case in CASES.values()})


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_server_refuses_is_an_error_and_what_it_accepts_is_none(family: str, tmp_path: Path) -> None:
    differing = [
        f"{case.name}: the server {'refuses' if case.refused else 'accepts'} it ({case.reason}), we find {ours.rules}"
        for case in CASES.values()
        if case.family == family
        and (ours := opinion(case, tmp_path / case.name)).refused != case.refused
        and not _excepted(case)
    ]
    assert differing == []


def _excepted(case: Case) -> bool:
    assert case.recorded is not None
    return excepted(case, case.recorded) is not None


def test_every_named_exception_is_a_case_that_we_really_judge_otherwise(tmp_path: Path) -> None:
    needless = [name for name in NAMED if opinion(CASES[name], tmp_path / name).refused == CASES[name].refused]
    assert needless == []
