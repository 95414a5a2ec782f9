"""Sparklines, links, and numbers in words."""

import pytest

from triton_watch.daemon.site.links import Linker, root_of
from triton_watch.daemon.site.sparks import spark
from triton_watch.daemon.site.values import ago, share
from triton_watch.wording.measures import rate, size, with_unit


def test_a_sparkline_goes_from_zero_to_the_most_with_gaps_where_nothing_is_known() -> None:
    drawn = spark("Requests a second", "last 4 min", [0.0, 10.0, None, 5.0, 5.0], rate, 5.0)
    assert drawn is not None
    assert drawn.line == "M0 19h0l1 -18M3 10h0h1"
    assert drawn.label == "Requests a second, last 4 min: now 5, most 10"
    assert drawn.width == 4


def test_a_sparkline_says_what_failed_and_that_there_is_no_data_now() -> None:
    drawn = spark("Requests a second", "last 4 min", [4.0, 4.0, None], rate, None, [0.0, 2.0, None])
    assert drawn is not None
    assert drawn.failed == "M0 19h0l1 -9"
    assert drawn.label == "Requests a second, last 4 min: no data now, most 4; failed: most 2"


@pytest.mark.parametrize("values", [[], [None, None], [None, 1.0]])
def test_there_is_no_sparkline_of_less_than_two_values(values: list[float | None]) -> None:
    assert spark("x", "last hour", values, rate, 1.0) is None


def test_links_count_their_way_up_by_the_path_that_was_asked_for() -> None:
    assert [root_of(one) for one in (("",), ("alerts",), ("targets", ""), ("models", "a/b", "c"))] == [
        "./",
        "./",
        "../",
        "../../",
    ]


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("http://me:1/p/runbooks/A", "../runbooks/A"),
        ("/alerts?x=1", "../alerts?x=1"),
        ("//evil/x", "../evil/x"),
        ("https://grafana/d/1", "https://grafana/d/1"),
        ("http://me:1/path", "http://me:1/path"),
        ("javascript:alert(1)", None),
        ("JavaScript://x/%0aalert(1)", None),
        ("https://", None),
        ("http://[", None),
        ("", None),
        (None, None),
    ],
)
def test_links_out_are_for_browsers_only(url: str | None, link: str | None) -> None:
    assert Linker("../", "http://me:1/p").out(url) == link


def test_the_agents_own_front_page_is_no_dashboard() -> None:
    assert Linker("../", "http://me:1").elsewhere("http://me:1/") is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-0.5, "now"),
        (0.9, "now"),
        (12.7, "12 s ago"),
        (90, "1.5 min ago"),
        (3600, "1 h ago"),
        (864000, "10 d ago"),
        (-61, "in 1 min"),
    ],
)
def test_how_long_ago_something_was(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_values_with_their_units() -> None:
    said = [
        with_unit(value, unit)
        for value, unit in ((0.012, "s"), (0.5, "ratio"), (12.34, "req/s"), (None, "s"), (3, "J"), (1234, "s"))
    ]
    assert said == ["12 ms", "50%", "12.3 req/s", "–", "3 J", "21 min"]  # noqa: RUF001 - the dash of what is not known
    assert [size(one) for one in (512, 4096, 83_886_080, 1e13)] == ["512 B", "4.0 KiB", "80 MiB", "9.1 TiB"]
    assert [share(0.5), share(-3), share(3, 2), share(None), share(1, None)] == [50, 0, 100, None, None]
