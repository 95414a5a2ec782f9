"""The state of alerts in the books: kept with objectives, without them, and beside a Prometheus."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.objectives import DAY, availability
from triton_watch.daemon.books import Books
from triton_watch.records import PrometheusSettings, SloSettings, Timeouts, TlsSettings
from triton_watch.records.target import Credentials
from triton_watch.store.errors import StoreBusyError
from triton_watch.store.reader import read
from unit.daemon.test_budgets import Server

if TYPE_CHECKING:
    from pathlib import Path

LOG = logging.getLogger("triton_watch.test")
BLOB = b"what fires"
HISTORY = PrometheusSettings("http://127.0.0.1:1", Timeouts(), Credentials(), TlsSettings())


class Agent:
    """Books on a server whose counters a test moves."""

    def __init__(self, folder: Path, *, objectives: bool, keeps_alerts: bool = True) -> None:
        self.server = Server()
        self.settings = SloSettings((availability(),) if objectives else (), state_dir=folder)
        self.keeps_alerts = keeps_alerts

    def books(self, **more: object) -> Books:
        books = Books(
            replace(self.settings, **more),  # type: ignore[arg-type]  # the caller names fields of SloSettings
            log=LOG,
            clock=lambda: self.server.clock,
            now=self.server.now,
            keeps_alerts=self.keeps_alerts,
        )
        books.watch("t")
        return books

    def count(self, books: Books) -> None:
        books.observe("t", self.server.next())
        books.observe("t", self.server.next(good=90, bad=10))


@pytest.mark.parametrize("objectives", [True, False])
def test_alerts_are_kept_with_objectives_and_without(tmp_path: Path, objectives: bool) -> None:
    agent = Agent(tmp_path, objectives=objectives)
    books = agent.books()
    assert books.alerts() == b""
    books.save_alerts(BLOB)
    assert read(tmp_path).alerts == BLOB
    books.close()
    books.save_alerts(b"too late")
    again = agent.books()
    assert (again.alerts(), again.alerts()) == (BLOB, b""), "once"
    status = again.view().store
    assert status is not None
    assert status.persistent
    again.close()


def test_without_a_directory_nothing_is_kept_and_nothing_fails() -> None:
    books = Books(SloSettings(), log=LOG, keeps_alerts=True)
    books.save_alerts(BLOB)
    books.flush()
    assert (books.alerts(), books.view().store) == (b"", None)
    books.close()


def test_without_alerts_and_objectives_the_directory_is_not_touched(tmp_path: Path) -> None:
    books = Agent(tmp_path / "state", objectives=False, keeps_alerts=False).books()
    books.save_alerts(BLOB)
    books.close()
    assert not (tmp_path / "state").exists()


def test_two_agents_may_not_keep_their_alerts_in_one_directory(tmp_path: Path) -> None:
    agent = Agent(tmp_path, objectives=False)
    books = agent.books()
    with pytest.raises(StoreBusyError, match=r"--state"):
        agent.books()
    books.close()


@pytest.mark.parametrize("more", [{"objectives": ()}, {"prometheus": HISTORY}], ids=["no objectives", "a Prometheus"])
def test_where_only_alerts_are_kept_the_ledgers_of_the_file_are_left_alone(
    tmp_path: Path, more: dict[str, object]
) -> None:
    agent = Agent(tmp_path, objectives=True)
    books = agent.books()
    agent.count(books)
    books.close()
    before = read(tmp_path)
    agent.server.clock += 100 * DAY
    alone = agent.books(**more)
    alone.save_alerts(BLOB)
    alone._keeper.flush(())  # type: ignore[union-attr]  # noqa: SLF001 - what `flush` does beside asking the Prometheus
    if not more.get("prometheus"):
        alone.flush()
    assert not alone.view().targets
    alone._history = None  # noqa: SLF001 - nobody is asked at the end
    alone.close()
    after = read(tmp_path)
    assert (after.alerts, after.objectives, after.written) == (BLOB, before.objectives, before.written)
    assert [(one.target, one.bad.tolist(), len(one.rows)) for one in after.ledgers] == [
        (one.target, one.bad.tolist(), len(one.rows)) for one in before.ledgers
    ]


def test_objectives_that_come_with_a_reload_are_kept_in_the_file_that_has_the_alerts(tmp_path: Path) -> None:
    agent = Agent(tmp_path, objectives=True)
    books = agent.books(objectives=())
    books.save_alerts(BLOB)
    books.swap(agent.settings)
    agent.count(books)
    books.save_alerts(b"newer")
    books.flush()
    left = read(tmp_path)
    assert (left.alerts, left.objectives) == (b"newer", agent.settings.objectives)
    assert [one.bad.sum() for one in left.ledgers] == [10.0]
    assert books.alerts() == b"", "what this process has written is not of the one before"
    books.close()


def test_alerts_that_are_switched_on_by_a_reload_get_their_store_then(tmp_path: Path) -> None:
    books = Agent(tmp_path / "state", objectives=False, keeps_alerts=False).books()
    books.swap(SloSettings(state_dir=tmp_path / "state"), keeps_alerts=True)
    books.save_alerts(BLOB)
    assert read(tmp_path / "state").alerts == BLOB
    books.close()


def test_where_the_directory_is_taken_at_a_reload_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    agent = Agent(tmp_path, objectives=False)
    first = agent.books()
    agent.keeps_alerts = False
    second = agent.books()
    second.swap(agent.settings, keeps_alerts=True)
    (record,) = caplog.records
    assert record.getMessage().startswith("the state of alerts is kept in memory only: ")
    second.save_alerts(BLOB)
    first.close()
    second.close()
