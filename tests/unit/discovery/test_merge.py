"""Targets of several sources are one list: each name and address once, the first wins, and it is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from triton_watch.discovery.building import target_at
from triton_watch.discovery.merge import merge
from triton_watch.records.discovery import NOWHERE

if TYPE_CHECKING:
    from triton_watch.records import Target


def at(url: str, name: str = "") -> Target:
    return target_at(NOWHERE, url, name=name)


def test_what_is_configured_wins_over_what_is_found_and_a_source_over_those_after_it() -> None:
    configured = at("http://a:8000", "mine")
    found = {"one": [at("http://A:8000"), at("http://b:8000", "b")], "two": [at("http://b:8000"), at("http://c:8000")]}
    merged = merge([configured], found)
    assert [target.name for target in merged.targets] == ["mine", "b", "c:8000"]
    assert (merged.clashes, merged.cut) == ((), 0)


def test_a_name_that_is_taken_is_told_with_both_places() -> None:
    found = {"one": [at("http://b:8000", "x")], "two": [at("http://c:8000", "x"), at("http://d:8000", "mine")]}
    merged = merge([at("http://a:8000", "mine")], found)
    assert [target.http_url for target in merged.targets] == ["http://a:8000", "http://b:8000"]
    assert merged.clashes == (
        "http://c:8000 of two is not watched: its name x is that of another target, of one; "
        "give one of them another name",
        "http://d:8000 of two is not watched: its name mine is that of another target, of the configuration; "
        "give one of them another name",
    )


def test_what_is_left_out_for_its_name_leaves_room_for_another_at_its_address() -> None:
    found = {"one": [at("http://b:8000", "mine")], "two": [at("http://b:8000", "other")]}
    merged = merge([at("http://a:8000", "mine")], found)
    assert [target.name for target in merged.targets] == ["mine", "other"]


def test_too_many_targets_are_cut_and_those_that_are_watched_stay() -> None:
    many = [at(f"http://h{number:05}:8000") for number in range(10_000)]
    known = [many[9_999].name, many[5_000].name]
    merged = merge([at("http://own:8000")], {"dns": many}, known, limit=100)
    names = [target.name for target in merged.targets]
    assert (len(names), merged.cut) == (101, 9_900)
    assert names[0] == "own:8000"
    assert set(known) <= set(names)
    assert "h00097:8000" in names
    assert "h00098:8000" not in names


urls = st.builds("http://{}:{}".format, st.sampled_from("abcdef"), st.integers(8000, 8003))
targets = st.lists(st.builds(at, urls, st.sampled_from(["", "x", "y", "z"])), max_size=8)
sources = st.dictionaries(st.sampled_from(["one", "two", "three"]), targets, max_size=3)


@given(targets, sources, st.integers(0, 10))
def test_no_name_and_no_address_is_there_twice_and_nothing_is_made_up(
    configured: list[Target], found: dict[str, list[Target]], limit: int
) -> None:
    own = list({target.name: target for target in configured}.values())
    merged = merge(own, found, limit=limit)
    theirs = merged.targets[len(own) :]
    assert list(merged.targets[: len(own)]) == own
    assert len({target.name for target in merged.targets}) == len(merged.targets)
    addresses = [target.http_url for target in theirs]
    assert len(set(addresses)) == len(addresses)
    assert not {target.http_url for target in own} & set(addresses)
    assert len(theirs) <= limit
    assert all(any(target in of for of in found.values()) for target in theirs)


@given(targets, sources)
def test_merging_again_with_what_is_known_changes_nothing(own: list[Target], found: dict[str, list[Target]]) -> None:
    own = list({target.name: target for target in own}.values())
    first = merge(own, found, limit=3)
    again = merge(own, found, {target.name for target in first.targets}, limit=3)
    assert again.targets == first.targets


def test_an_address_that_is_written_in_another_way_is_the_same() -> None:
    found = {
        "one": [at("http://[fd00::7]:8000"), at("https://gpu-1"), at("http://gpu-2:8000")],
        "two": [at("http://[FD00:0:0:0:0:0:0:7]:8000"), at("https://gpu-1:443"), at("http://gpu-2.:8000")],
    }
    merged = merge([], found)
    assert [target.name for target in merged.targets] == ["[fd00::7]:8000", "gpu-1:443", "gpu-2:8000"]
    assert merged.clashes == ()
