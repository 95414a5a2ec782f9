"""What the issue promises: under 15 MB and 4 KiB a series for a month of up to a thousand models."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from triton_watch.store.sqlite import SqliteStore
from unit.store.ledgers import month, thousand_models, told

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 15_000_000


@pytest.mark.parametrize("models", [100, 1000])
def test_a_month_of_traffic_stays_below_the_limits_at_every_moment(tmp_path: Path, models: int) -> None:
    path = tmp_path / "slo.sqlite"
    ledger = thousand_models(models)
    sizes = []
    with closing(SqliteStore(path)) as store:
        for change in month(ledger, np.random.default_rng(1)):
            store.save((change,), at=0.0, objectives=None, full=False)
            sizes.append(store.size())
    with closing(SqliteStore(path)) as store:
        (read,) = store.take().ledgers
    assert told(read) == told(ledger.whole())
    assert len(read.keys) == 3 * models
    assert len(read.rows) > 300
    assert max(sizes) <= min(LIMIT, 3 * models * 4096)
