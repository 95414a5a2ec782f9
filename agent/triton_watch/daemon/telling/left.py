"""What is left of each model's error budgets: the least over its objectives, off the tables of one target."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from triton_watch.records import VERDICTS, ModelKey, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.records import BudgetTable

_BURNS = (Verdict.BURNING, Verdict.EXHAUSTED)


class Left(NamedTuple):
    """The objective with the least left of its budget; `remaining` is infinite where nothing was counted.

    `burns` names the objective that makes the model burn, "" = none: the least left may be of another one.
    """

    remaining: float
    slo: str
    verdict: Verdict
    burns: str


def left_of(tables: Iterable[BudgetTable]) -> Mapping[ModelKey, Left]:
    """Return what is left for each model that has a budget."""
    found: dict[ModelKey, Left] = {}
    for table in tables:
        remaining = np.where(np.isfinite(table.remaining), table.remaining, np.inf).tolist()
        for key, left, code in zip(table.sums.keys, remaining, table.verdict.tolist(), strict=True):
            verdict = VERDICTS[code]
            burns = key.slo if verdict in _BURNS else ""
            known = found.get(key.model)
            if known is None:
                found[key.model] = Left(left, key.slo, verdict, burns)
            elif left < known.remaining:
                found[key.model] = Left(left, key.slo, verdict, burns or known.burns)
            elif burns and not known.burns:
                found[key.model] = known._replace(burns=burns)
    return found
