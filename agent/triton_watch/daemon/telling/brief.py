"""One model version in a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.facts.model import ModelBrief
from triton_watch.daemon.telling.parts import finite, model_links
from triton_watch.records import Sli
from triton_watch.slo.sli import MICROSECOND, SLIS
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.daemon.facts.model import Recent
    from triton_watch.daemon.state import AlertsView
    from triton_watch.daemon.telling.views import Row, TargetView
    from triton_watch.records import SliTable

_P99: Final = ("request", "0.99")


def brief_of(row: Row, view: TargetView, alerts: AlertsView, recent: Recent | None = None) -> ModelBrief:
    """Return the line of a row of this view."""
    snapshot, left = view.snapshot, row.left
    table = snapshot.slis if snapshot is not None and view.is_heard else None
    config = None if snapshot is None or snapshot.configs is None else snapshot.configs.get(row.key.name)
    last = None if row.canary is None else row.canary.last
    column = None if table is None else table.models.row.get(row.key)
    return ModelBrief(
        target=whole(row.target),
        name=whole(row.key.name),
        version=whole(row.key.version),
        namespace=whole(row.key.namespace),
        standing=row.standing,
        headline=row.headline,
        state=None if row.state is None else row.state.status,
        expected=row.state is not None and row.state.expected,
        ensemble=config is not None and config.is_ensemble,
        canary=None if row.canary is None else row.canary.verdict,
        canary_reason=None if last is None else last.reason,
        budget_left=None if left is None or math.isinf(left.remaining) else left.remaining,
        budget_slo=None if left is None else whole(left.slo),
        budget_verdict=None if left is None else left.verdict,
        slis=_slis(table, column),
        request_p99=_p99(table, column),
        links=model_links(alerts, row.target, row.key),
        recent=recent,
    )


def _slis(table: SliTable | None, column: int | None) -> Mapping[Sli, float | None]:
    if table is None or column is None:
        return dict.fromkeys(Sli)
    return dict(zip(SLIS, map(finite, table.values[:, column].tolist()), strict=True))


def _p99(table: SliTable | None, column: int | None) -> float | None:
    served = None if table is None else table.frame.quantiles.get(_P99)
    return None if served is None or column is None else finite(float(served[column]) * MICROSECOND)
