"""JSON of a server is read whatever its texts hold, and never so deep that the interpreter's stack is used up."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.misbehaving import Server, answers, http_answer, target_at
from triton_watch.records import ModelStatus
from triton_watch.triton.answers import json_of
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import GarbageError
from triton_watch.triton.http import Response

URL = "http://localhost:8000/v2/repository/index"
DEEPEST = 100
COLOURED = "\x1b[31mload failed\x1b[0m: " * 100
"""What a backend that colours its log writes: 200 brackets that open and none that closes."""

TEXTS = st.text(st.sampled_from('[]{}"\\\n\x1b\u2200a') | st.characters())
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
SHAPES = st.text(st.sampled_from('[]{}"\\,: 1nu')).map(str.encode)


def read(body: bytes) -> Any:
    return json_of(Response(200, body), URL)


def depth_of(value: object) -> int:
    """Levels of lists and objects in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(value=VALUES, levels=st.integers(0, 3) | st.integers(DEEPEST - 6, DEEPEST + 2), ascii_only=st.booleans())
def test_json_is_read_up_to_a_hundred_levels_whatever_its_texts_hold(
    value: object, levels: int, ascii_only: bool
) -> None:
    for level in range(levels):
        value = {'"[': value} if level % 2 else ["\\", value]
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if depth_of(value) <= DEEPEST:
        assert read(body) == value
    else:
        with pytest.raises(GarbageError, match="nested over 100 levels deep"):
            read(body)


@given(SHAPES, st.integers(0, 3))
@example(b'["', 0)
@example(b'["\\', 0)
@example(b'["\\\\"', 0)
@example(b'\\"', 3)
def test_broken_json_is_read_as_the_decoder_reads_it(shape: bytes, levels: int) -> None:
    body = b" " + b"[" * levels + shape + b"]" * levels
    try:
        expected = json.loads(body)
    except ValueError:
        with pytest.raises(GarbageError):
            read(body)
    else:
        assert read(body) == expected


@given(SHAPES, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"]))
@example('["\u2200",'.encode(), "utf-16-le")
@example(b'["\\\\",', "utf-8")
@example(b'["\\\\\\"",', "utf-8")
def test_nothing_hides_nesting_that_would_use_up_the_stack(shape: bytes, encoding: str) -> None:
    with pytest.raises(GarbageError):
        read((shape.decode() + "[" * 20_000).encode(encoding))


def test_a_byte_order_mark_is_no_part_of_the_json() -> None:
    assert read(b'\xef\xbb\xbf{"name": "m"}') == {"name": "m"}


@pytest.mark.parametrize(
    "piece", [b'"', b'\\"', b"\\", b'"["', b"[]", b'["', b'"]', b'[\\"'], ids=lambda piece: piece.decode()
)
def test_the_time_grows_with_the_length_alone(piece: bytes) -> None:
    """Measured: 2 MB take at most 0.1 s; a search that began anew at each quote would take many minutes."""
    begun = time.thread_time()
    with pytest.raises(GarbageError):
        read(b"[" + piece * (2_000_000 // len(piece)))
    assert time.thread_time() - begun < 3.0


def test_one_model_whose_reason_is_full_of_colour_codes_does_not_hide_the_others() -> None:
    models = [
        {"name": "bad", "version": "1", "state": "UNAVAILABLE", "reason": COLOURED},
        {"name": "good", "version": "1", "state": "READY"},
    ]
    with (
        Server(answers(http_answer(json.dumps(models).encode()))) as server,
        TritonClient(target_at(server.url)) as client,
    ):
        index = client.repository_index()
    assert [(state.key.name, state.status) for state in index] == [
        ("bad", ModelStatus.UNAVAILABLE),
        ("good", ModelStatus.READY),
    ]
    assert "load failed" in index[0].reason
