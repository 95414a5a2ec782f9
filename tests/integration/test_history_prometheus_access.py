"""How a real Prometheus is reached: credentials, TLS, a path before its API; and agents that it scrapes live."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from support.prometheus_server import RealPrometheus
from support.slo_exporter import Exporter
from synthetic_state import HOSTILE, OBJECTIVES, budgets_of, state_of
from triton_watch.daemon.exporter import Exporter as ExporterPage
from triton_watch.records import (
    Credentials,
    Goal,
    ModelKey,
    Objective,
    PrometheusSettings,
    SloSli,
    Timeouts,
    TlsSettings,
)
from triton_watch.store.prometheus import HistoryError, PrometheusHistory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# bcrypt of "secret", cost 4, as `htpasswd -nbBC 4` would make it.
HASH = "$2b$04$Pxd0hcIkojSulDNePx633O5urzXUIIQ2AKCsFAd61BFHSHeXLqD4u"
LIVE = Objective("availability", SloSli.AVAILABILITY, Goal(0.99), 60.0, ())


def history_at(url: str, **fields: Any) -> PrometheusHistory:
    given = {"timeouts": Timeouts(total=20.0), "credentials": Credentials(), "tls": TlsSettings(), **fields}
    return PrometheusHistory(PrometheusSettings(url, **given), now=time.time, windows_of=lambda _: ())


def test_basic_auth_and_tls_open_a_prometheus_that_wants_them(prometheus_bin: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    pem = {name: str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem")}
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(pem["ca.pem"])
    certificate.cert_chain_pems[0].write_to_path(pem["cert.pem"])
    certificate.private_key_pem.write_to_path(pem["key.pem"])
    web = (
        f"tls_server_config: {{cert_file: {pem['cert.pem']}, key_file: {pem['key.pem']}}}\n"
        f"basic_auth_users: {{reader: {HASH}}}\n"
    )
    tls = TlsSettings(ca_file=tmp_path / "ca.pem")
    with RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "run", web_config=web, scheme="https") as server:
        with history_at(server.url, tls=tls, credentials=Credentials("reader", "secret")) as history:
            assert history.objectives() == ()
        with (
            history_at(server.url, tls=tls) as history,
            pytest.raises(HistoryError, match="401 'Unauthorized': set basic"),
        ):
            history.objectives()
        with history_at(server.url) as history, pytest.raises(HistoryError, match="its CA is not trusted here"):
            history.objectives()
        plain = server.url.replace("https:", "http:")
        with history_at(plain) as history, pytest.raises(HistoryError, match="speaks TLS: write https:// in its URL"):
            history.objectives()


def test_the_path_before_the_api_is_a_part_of_the_url(prometheus_bin: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"arguments": ["--web.external-url=http://gate/prom/"], "prefix": "/prom"}
    with RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "run", **options) as server:
        with history_at(server.url) as history:
            assert history.objectives() == ()
        for wrong in (server.url.removesuffix("/prom"), f"{server.url}/graph"):
            with history_at(wrong) as history, pytest.raises(HistoryError, match="is the path of its URL right"):
                history.objectives()


def test_a_query_that_is_too_heavy_says_what_prometheus_says(prometheus_bin: Path, tmp_path: Path) -> None:
    page = "".join(f'triton_watch_slo_info{{slo="s{n}",sli="ttft",served_quantile=""}} 1\n' for n in range(50))
    with ExitStack() as stack:
        config = scrape(stack.enter_context(Exporter(lambda: page)).address)
        limited: dict[str, Any] = {"arguments": ["--query.max-samples=20"], "config": config}
        server = stack.enter_context(RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "run", **limited))
        history = stack.enter_context(history_at(server.url))
        with pytest.raises(HistoryError, match=r"too many samples.*--query\.max-samples"):
            eventually(lambda: bool(history.objectives()))


def scrape(*addresses: str) -> str:
    often = "scrape_interval: 500ms, scrape_timeout: 500ms"
    return f"scrape_configs: [{{job_name: agents, {often}, static_configs: [{{targets: {[*addresses]}}}]}}]\n"


def eventually(holds: Callable[[], bool], timeout: float = 30.0) -> None:
    until = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)


class Agent:
    """Says that its one target answers 100 requests a second, one in ten of them bad."""

    def __init__(self, target: str) -> None:
        self.began = time.monotonic()
        self.target = target
        self.said: list[float] = []
        """The good requests of each scrape."""

    def page(self) -> str:
        good = 90 * (time.monotonic() - self.began)
        self.said.append(good)
        place = f'slo="availability",target="{self.target}",model="m",version="1"'
        lines = [
            'triton_watch_slo_info{slo="availability",sli="availability",served_quantile=""} 1',
            'triton_watch_slo_period_seconds{slo="availability"} 60',
            f"triton_watch_slo_objective_ratio{{{place}}} 0.99",
            f"triton_watch_slo_no_data_seconds{{{place}}} 2",
            f'triton_watch_slo_events_total{{{place},result="good"}} {good}',
            f'triton_watch_slo_events_total{{{place},result="bad"}} {good / 9}',
        ]
        return "\n".join([*lines, ""])


def test_agents_that_are_scraped_live_are_added_up_and_one_that_goes_is_not_forgotten(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        one, two = Agent("a"), Agent("b")
        stays, goes = stack.enter_context(Exporter(one.page)), Exporter(two.page)
        stack.callback(goes.close)
        config = scrape(stays.address, goes.address)
        server = stack.enter_context(RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "run", config=config))
        history = stack.enter_context(history_at(server.url))
        eventually(lambda: len(two.said) >= 12)
        goes.close()
        gone_at = time.time()
        seen = len(one.said)
        eventually(lambda: len(one.said) >= seen + 10)
        (found,) = history.objectives()
        (sums,) = history.sums([found], per_target=True)
        (together,) = history.sums([found])
    a, b = (sums.sums.keys.index(key) for key in sorted(sums.sums.keys))
    good = sums.sums.good[0]
    # increase() extrapolates by up to a scrape interval at each end, that is 45 requests.
    assert good[b] == pytest.approx(two.said[-1] - two.said[0], abs=100)
    assert good[a] == pytest.approx(one.said[-1] - one.said[0], abs=200)
    assert together.sums.good[0, 0] == pytest.approx(good.sum(), abs=100)
    assert sums.sums.bad / sums.sums.good == pytest.approx(1 / 9, rel=0.01)
    assert sums.sums.silence[a] == pytest.approx(2.5, abs=1.5)
    assert sums.sums.silence[b] == pytest.approx(2 + sums.sums.at - gone_at, abs=1.5)


def test_what_the_agent_exports_is_what_history_reads(prometheus_bin: Path, tmp_path: Path) -> None:
    """Names, labels and units of both ends agree: the page is the agent's own, with names of all sorts on it."""
    keys = [ModelKey(name, version) for name in HOSTILE[:7] for version in ("1", "2")]
    state = state_of(keys)
    state.budget_view = budgets_of(keys, ("triton", "other"))
    page = ExporterPage(state).page().body.decode()
    with ExitStack() as stack:
        config = scrape(stack.enter_context(Exporter(lambda: page)).address)
        server = stack.enter_context(RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "run", config=config))
        settings = PrometheusSettings(server.url, Timeouts(total=20.0), Credentials(), TlsSettings())
        windows_of = {one.period: one.windows for one in OBJECTIVES}.__getitem__
        history = stack.enter_context(PrometheusHistory(settings, now=time.time, windows_of=windows_of))
        eventually(lambda: bool(history.objectives()))
        assert history.objectives() == tuple(sorted(OBJECTIVES, key=lambda one: one.name))
        eventually(lambda: bool((history.sums(OBJECTIVES)[0].sums.covered > 3).all()))
        (found,) = history.sums(OBJECTIVES)
    assert {key.model for key in found.sums.keys} == set(keys)
    assert set(found.targets.values()) == {("other", "triton")}
    assert found.sums.silence == pytest.approx(3.5, abs=2)
