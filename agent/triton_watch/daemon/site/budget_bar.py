"""The bar of an error budget: what is left of it, and whether that can be believed."""

from __future__ import annotations

from typing import NamedTuple

from triton_watch.daemon.site.marks import mark
from triton_watch.daemon.site.values import share
from triton_watch.records.budget import Verdict

_WHOLE = 100


class BudgetBar(NamedTuple):
    """`length` is 0 to 100, None = nothing is known. `kind` is a class of the style; `note` stands below, "" = none."""

    length: int | None
    kind: str
    note: str = ""


def budget_bar(left: float | None, verdict: Verdict | None, *, is_wrong: bool) -> BudgetBar:
    """Return the bar of a budget of which the share `left` is left.

    One that is spent is full, for an empty one is not seen. Of a model that `is_wrong` the server counts success:
    its bar has the colour of no verdict, unless the budget is in trouble all the same.
    """
    if left is not None and left <= 0:
        return BudgetBar(_WHOLE, "failing spent")
    if is_wrong and verdict is Verdict.OK:
        return BudgetBar(share(left), "neutral", "as the server counts")
    return BudgetBar(share(left), "plain" if verdict is None else mark(verdict).kind)
