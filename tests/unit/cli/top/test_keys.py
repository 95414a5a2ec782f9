"""Bytes of a terminal become keys, however they are cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.cli.top.keys import decode


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"q", ["q"]),
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"\x1bOA\x1bOF", ["up", "end"]),
        (b"\x1b[5~\x1b[6~\x1b[1~\x1b[4~", ["pgup", "pgdn", "home", "end"]),
        (b"\r\n\x7f", ["enter", "enter", "backspace"]),
        ("größe模".encode(), list("größe模")),
        (b"\x1b[15~\x1b[1;5Cx", ["x"]),
        (b"\xff\xfex", ["x"]),
        (b"\x00\x01x", ["x"]),
        (b"\x1bx", ["esc", "x"]),
    ],
)
def test_bytes_are_the_keys_that_people_press(data: bytes, keys: list[str]) -> None:
    assert decode(data, is_all=False) == (keys, b"")


@pytest.mark.parametrize("begin", [b"\x1b", b"\x1b[", b"\x1b[1", b"\x1bO", "模".encode()[:2]])
def test_a_key_that_is_not_whole_is_waited_for(begin: bytes) -> None:
    assert decode(b"j" + begin, is_all=False) == (["j"], begin)


def test_an_escape_that_nothing_follows_is_the_key_of_that_name() -> None:
    assert decode(b"\x1b", is_all=True) == (["esc"], b"")
    assert decode(b"\x1b[", is_all=True) == ([], b"")


@given(st.binary(max_size=30), st.data())
def test_whatever_comes_in_whatever_pieces_is_read_to_its_end(data: bytes, drawn: st.DataObject) -> None:
    """Every key is one printable character or a name, and pieces make no difference."""
    whole, rest = decode(data, is_all=False)
    assert all(key.isprintable() and key for key in whole)
    assert decode(rest, is_all=True)[1] == b""
    cut = drawn.draw(st.integers(0, len(data)))
    first, begun = decode(data[:cut], is_all=False)
    second, _ = decode(begun + data[cut:], is_all=False)
    assert first + second == whole
