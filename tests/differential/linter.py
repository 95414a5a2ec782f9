"""What our linter says of a case, in the words of the judge: refused or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from differential.case import write_models
from triton_watch.check.discover import RepositorySpec
from triton_watch.check.options import Options, Release
from triton_watch.check.rule import Stage
from triton_watch.check.rules import RULES
from triton_watch.check.run import check
from triton_watch.records import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from differential.case import Case
    from triton_watch.records import Finding

SERVER = Release(24, 10)
PYTHON_BACKEND = frozenset(
    {
        "python-model-missing",
        "python-syntax-error",
        "python-no-model-class",
        "python-environment-missing",
        "python-force-cpu-value",
        "odd-version-name",
        "odd-model-name",
    }
)
"""Slugs of rules about what only a backend refuses, where the judge has the real one: Python's."""
_STAGES = {rule.id: rule.stage for rule in RULES}


class Opinion(NamedTuple):
    """`errors` are those findings for which the server itself would refuse the model under judgement."""

    refused: bool
    errors: tuple[Finding, ...]

    @property
    def rules(self) -> str:
        return " ".join(sorted({finding.rule for finding in self.errors})) or "-"


def opinion(case: Case, folder: Path) -> Opinion:
    """Check a case that is written below `folder`. Python is the one backend that the judge really has."""
    only = None if case.alone or len(case.repositories) > 1 else frozenset({case.judge})
    specs = []
    for number, models in enumerate(case.repositories):
        write_models(models, folder / str(number))
        specs.append(RepositorySpec(folder / str(number), only=only))
    checked = check(RULES, _options(case), repositories=specs, processes=1)
    errors = tuple(
        finding
        for finding in checked.findings
        if finding.severity is Severity.ERROR
        and finding.model in {case.judge, None}
        and (_STAGES[finding.rule] is Stage.CORE or finding.slug in PYTHON_BACKEND)
    )
    return Opinion(bool(errors), errors)


def _options(case: Case) -> Options:
    flags = " ".join(case.flags)
    return Options(
        triton=SERVER,
        gpus=0,
        cache=True,
        rate_limit="--rate-limit=execution_count" in flags,
        auto_complete="--disable-auto-complete-config" not in flags,
    )
