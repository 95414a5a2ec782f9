from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.alerting.kept import Kept, pack, unpack
from triton_watch.records import AlertKey, AlertPhase, AlertSeverity, AlertState
from unit.alerting.world import state_of

TEXT = st.text(st.characters(), max_size=20)  # lone surrogates too
MOMENT = st.floats(0.0, 1e10, exclude_max=True)
TIME = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TIME | TEXT, lambda one: st.lists(one, max_size=3))


@st.composite
def states(draw: st.DrawFn) -> AlertState:
    labels = tuple(sorted(draw(st.dictionaries(TEXT, TEXT, max_size=3)).items()))
    phase = draw(st.sampled_from(AlertPhase))
    return AlertState(
        key=AlertKey(draw(TEXT), draw(st.sampled_from(AlertSeverity)), labels),
        phase=phase,
        active_at=draw(MOMENT),
        fired_at=None if phase is AlertPhase.PENDING else draw(MOMENT),
        resolved_at=draw(MOMENT) if phase is AlertPhase.RESOLVED else None,
        held=draw(TIME),
        unmet=draw(TIME),
        hold=draw(TIME),
        recent=tuple(draw(st.lists(st.booleans(), max_size=4))),
        is_known=draw(st.booleans()),
        summary=draw(TEXT),
        detail=draw(TEXT),
        value=draw(st.none() | st.floats(allow_nan=False)),
    )


def document_of(*kept: AlertState) -> dict[str, Any]:
    read = json.loads(zlib.decompress(pack(kept, {})))
    assert isinstance(read, dict)
    return read


def read_back(document: object) -> Kept:
    return unpack(zlib.compress(json.dumps(document).encode()))


@given(st.lists(states(), max_size=4), st.dictionaries(TEXT, JSON, max_size=3))
def test_what_is_packed_comes_back_and_always_as_the_same_bytes(kept: list[AlertState], peers: dict[str, Any]) -> None:
    read = unpack(pack(kept, peers))
    assert (read.states, read.peers, read.problem) == (tuple(kept), peers, "")
    assert [type(one.phase) for one in read.states] == [AlertPhase] * len(kept)
    assert pack(read.states, dict(reversed(peers.items()))) == pack(kept, peers)


def test_nothing_is_no_damage() -> None:
    assert unpack(b"") == Kept()


@given(st.binary(min_size=1))
def test_any_bytes_are_read_as_nothing_and_a_sentence(blob: bytes) -> None:
    read = unpack(blob)
    assert (read.states, dict(read.peers)) == ((), {})
    assert read.problem


@given(JSON | st.dictionaries(st.sampled_from(["form", "states", "peers"]), JSON | st.just(1)))
def test_any_document_is_read_or_refused_with_a_sentence(document: object) -> None:
    read = read_back(document)
    assert read == Kept() or read.problem or read.peers


@given(st.data())
def test_one_flipped_bit_is_found(data: st.DataObject) -> None:
    blob = bytearray(pack([state_of(), state_of(AlertPhase.RESOLVED, "n")], {"http://am": [1, 2]}))
    place = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[place // 8] ^= 1 << place % 8
    read = unpack(bytes(blob))
    assert read.problem or read == unpack(pack([state_of(), state_of(AlertPhase.RESOLVED, "n")], {"http://am": [1, 2]}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", [["model"]]),
        ("labels", "model"),
        ("active_at", "soon"),
        ("active_at", True),
        ("active_at", 1e300),
        ("fired_at", 1e10),
        ("resolved_at", -1.0),
        ("held", float("nan")),
        ("unmet", None),
        ("recent", [1]),
        ("is_known", 1),
        ("summary", None),
        ("fired_at", None),
        ("phase", 3),
    ],
)
def test_a_field_that_is_not_what_it_should_be_is_damage(field: str, value: object) -> None:
    document = document_of(state_of())
    document["states"][0][field] = value
    read = read_back(document)
    assert read.states == ()
    assert read.problem.startswith("what was stored of them is damaged (")


@pytest.mark.parametrize("field", sorted(document_of(state_of())["states"][0]))
def test_no_field_may_be_missing(field: str) -> None:
    document = document_of(state_of())
    del document["states"][0][field]
    assert read_back(document).problem


@pytest.mark.parametrize(("field", "value"), [("phase", "snoozed"), ("severity", "catastrophe")])
def test_an_alert_with_a_word_of_a_newer_version_is_left_out_and_the_others_are_kept(field: str, value: str) -> None:
    document = document_of(state_of(), state_of(model="n"))
    document["states"][0][field] = value
    document["states"][1]["later"] = "a field that nobody knows yet"
    read = read_back(document)
    assert (read.states, read.problem) == ((state_of(model="n"),), "")


def test_another_form_is_not_guessed_at() -> None:
    read = read_back({**document_of(state_of()), "form": 2})
    assert (read.states, read.problem) == ((), "they were written in form 2, which this version does not know")
