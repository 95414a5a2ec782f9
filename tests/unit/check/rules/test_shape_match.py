"""The comparison of dims and shapes (CompareDimsSupported of Triton's backends)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.check.rules.shape_match import Fault, compare, right_dims

SHAPE = st.lists(st.one_of(st.just(-1), st.integers(1, 9)), max_size=5)


@pytest.mark.parametrize(
    ("shape", "dims", "batching", "exact", "fault"),
    [
        ((-1, 3, 8), (3, 8), True, False, None),
        ((-1, 3, 8), (-1, 3, 8), True, False, Fault.REPEATED),
        ((-1, 3, 8), (1, 3, 8), True, False, Fault.REPEATED),
        ((-1, 3, 8), (8,), True, False, Fault.RANK),
        ((1, 3, 8), (3, 8), True, False, Fault.NO_BATCH),
        ((), (1,), True, False, Fault.NO_BATCH),
        ((-1,), (), True, False, None),
        ((-1, 3, 8), (3, 9), True, False, Fault.SIZES),
        ((-1, 3, 8), (3, -1), True, False, Fault.SIZES),
        ((-1, -1, 8), (3, 8), True, False, None),
        ((-1, -1, 8), (3, 8), True, True, Fault.NARROWER),
        ((-1, 3), (-1, 3), False, True, None),
        ((-1, 3), (1, 3), False, False, None),
        ((-1, 3), (1, 3), False, True, Fault.NARROWER),
        ((-1, 3), (3,), False, False, Fault.LEFT_OUT),
        ((-1, 3), (3, 3, 3), False, False, Fault.RANK),
    ],
)
def test_dims_against_a_shape(
    shape: tuple[int, ...], dims: tuple[int, ...], batching: bool, exact: bool, fault: Fault | None
) -> None:
    assert compare(shape, dims, batching=batching, exact=exact) is fault


@given(SHAPE, st.booleans())
def test_a_shapes_own_dims_always_fit(shape: list[int], exact: bool) -> None:
    assert compare(shape, shape, batching=False, exact=exact) is None
    assert compare([-1, *shape], shape, batching=True, exact=exact) is None


@given(SHAPE, SHAPE, st.booleans())
def test_what_fits_exactly_fits_loosely(shape: list[int], dims: list[int], batching: bool) -> None:
    exact = compare(shape, dims, batching=batching, exact=True)
    loose = compare(shape, dims, batching=batching, exact=False)
    assert loose == (None if exact is Fault.NARROWER else exact)


@pytest.mark.parametrize(
    ("shape", "batching", "line"),
    [
        ((-1, 3, 224, 224), True, "dims: [ 3, 224, 224 ]"),
        ((1, 3, 224, 224), False, "dims: [ 1, 3, 224, 224 ]"),
        ((-1,), True, "dims: [ 1 ] reshape { shape: [ ] }"),
    ],
)
def test_the_line_to_paste(shape: tuple[int, ...], batching: bool, line: str) -> None:
    assert right_dims(shape, batching=batching) == line
