"""Our streamed pages are prometheus_client's pages, byte for byte, whatever the labels and values are."""

import math
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest as client_text
from prometheus_client.metrics_core import Metric as ClientMetric
from prometheus_client.openmetrics import exposition as client_om
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from synthetic_state import HOSTILE, LATENCIES, SyntheticState, canaries_of, names, state_of
from triton_watch import conventions as c
from triton_watch.conventions.canary import CANARY_LATENCY
from triton_watch.daemon.exporter import WatchCollector, as_client_metric
from triton_watch.daemon.exposition import accepts_gzip, compressed, render, wants_openmetrics
from triton_watch.daemon.families import Family, families, view_of
from triton_watch.daemon.labels import LabelSet
from triton_watch.records import LATENCY_BUCKETS, ModelKey

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
"""The Accept header of Prometheus 2.42."""

METRICS = st.sampled_from([c.MODEL_READY, c.CYCLES, c.TARGET_INFO, c.MODEL_QUEUE_TIME])
LABELS = st.dictionaries(st.sampled_from(["target", "model", "version", "le"]), st.text(), max_size=4)
SERIES = st.lists(st.tuples(LABELS, st.floats()), min_size=1, max_size=5)


class Fixed(Collector):
    """A collector of given metrics."""

    def __init__(self, metrics: list[ClientMetric]) -> None:
        self.metrics = metrics

    def collect(self) -> Iterator[ClientMetric]:
        return iter(self.metrics)


def client_openmetrics(registry: CollectorRegistry) -> bytes:
    page: bytes = client_om.generate_latest(registry)  # type: ignore[no-untyped-call]
    return page


def registry_of(metrics: list[ClientMetric]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Fixed(metrics))
    return registry


def ours(state: SyntheticState, *, openmetrics: bool = False) -> bytes:
    return b"".join(render(families(view_of(state, "1.2.3")), openmetrics=openmetrics))


@given(METRICS, SERIES)
def test_any_series_is_written_as_prometheus_client_writes_it(
    metric: c.Metric, series: list[tuple[dict[str, str], float]]
) -> None:
    """Any label values, any float: both formats equal prometheus_client's, byte for byte."""
    pairs = [(LabelSet(**labels), value) for labels, value in series]
    registry = registry_of([as_client_metric(Family(metric, pairs))])
    assert b"".join(render([Family(metric, pairs)], openmetrics=False)) == client_text(registry)
    openmetrics = b"".join(render([Family(metric, pairs)], openmetrics=True))
    assert openmetrics + b"# EOF\n" == client_openmetrics(registry)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_a_label_survives_the_page(value: str) -> None:
    """What a parser reads back from a page is the label that went in."""
    page = b"".join(render([Family(c.TARGET_UP, [(LabelSet(target=value), 1.0)])], openmetrics=False))
    (family,) = text_string_to_metric_families(page.decode())
    assert family.samples[0].labels == {"target": value}


@given(st.text(alphabet=st.characters()))
@example("lone \ud800 and \0")
def test_any_string_can_be_encoded(value: str) -> None:
    """Lone surrogates and NUL, which no page can carry, are replaced instead of failing the whole scrape."""
    text = LabelSet(target=value).text.encode().decode()
    assert "\0" not in text
    assert text.count("\n") == 0


@pytest.mark.parametrize("openmetrics", [False, True])
def test_a_whole_page_equals_prometheus_clients(openmetrics: bool) -> None:
    """The page of hostile and plain models equals what prometheus_client makes of the same state."""
    state = state_of([*(ModelKey(name, "1", "ns" * (i % 2)) for i, name in enumerate(HOSTILE)), *names(700)])
    registry = registry_of(list(WatchCollector(state, "1.2.3").collect()))
    page = ours(state, openmetrics=openmetrics)
    assert page + b"# EOF\n" * openmetrics == (client_openmetrics if openmetrics else client_text)(registry)


@pytest.mark.parametrize("openmetrics", [False, True])
def test_a_histogram_is_written_as_prometheus_clients_own(openmetrics: bool) -> None:
    """The same latencies in its Histogram make the same lines, but for the time of creation, which we do not tell."""
    name = CANARY_LATENCY.name
    registry = CollectorRegistry()
    theirs = Histogram(name, CANARY_LATENCY.help, CANARY_LATENCY.labels, buckets=LATENCY_BUCKETS, registry=registry)
    keys = sorted(ModelKey(name, "1") for name in HOSTILE if "\0" not in name and "\ud800" not in name)
    for key in keys:
        for latency in LATENCIES:
            theirs.labels(target="triton", model=key.name, version=key.version).observe(latency)
    expected = (client_openmetrics if openmetrics else client_text)(registry).decode().split("\n")
    page = ours(SyntheticState({}, canary_states={"triton": canaries_of(keys)}), openmetrics=openmetrics).decode()
    lines = [line for line in page.split("\n") if name in line and "# UNIT" not in line]
    assert lines == [line for line in expected if name in line and "_created" not in line]
    assert len(lines) == 2 + len(keys) * (len(LATENCY_BUCKETS) + 3)


def test_a_family_without_series_leaves_no_line() -> None:
    """A metric that nothing is known about is absent as a whole, HELP included."""
    page = ours(SyntheticState({})).decode()
    assert "triton_watch_build_info" in page
    assert "target_up" not in page


def test_not_a_number_and_infinities_have_their_names() -> None:
    """NaN, +Inf and -Inf are spelled as Prometheus spells them."""
    values = [math.nan, math.inf, -math.inf]
    pairs = [(LabelSet(target=str(i)), value) for i, value in enumerate(values)]
    page = b"".join(render([Family(c.SLI_INTERVAL, pairs)], openmetrics=False)).decode()
    assert [line.rsplit(" ", 1)[1] for line in page.splitlines()[2:]] == ["NaN", "+Inf", "-Inf"]


def test_compressed_blocks_are_one_gzip_stream() -> None:
    """The compressed page is one gzip member that inflates to the page."""
    blocks = [b"a" * 100_000, b"", b"b" * 100_000]
    assert zlib.decompress(b"".join(compressed(blocks)), wbits=31) == b"".join(blocks)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", True),
        (PROMETHEUS, True),
        ("application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.5", False),
        ("Application/OpenMetrics-Text;Version=1.0.0;Q=1", True),
        ("application/openmetrics-text;version=0.0.1", False),
        ("application/openmetrics-text;version=2.0.0,text/plain", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=high", False),
        ("application/openmetrics-text;q=nan", False),
        (";;,=,;q=,application/openmetrics-text", True),
    ],
)
def test_accept_header_chooses_the_format(accept: str, expected: bool) -> None:
    """OpenMetrics 1.0 is served to who prefers it, classic text to everybody else."""
    assert wants_openmetrics(accept) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("", False), ("gzip", True), ("deflate, GZIP;q=0.5", True), ("gzip;q=0", False), ("br", False)],
)
def test_accept_encoding_header_chooses_gzip(header: str, expected: bool) -> None:
    """A page is compressed only for who can read it."""
    assert accepts_gzip(header) is expected
