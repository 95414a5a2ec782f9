"""Tensors, goldens and Hypothesis's strategies for them."""

from __future__ import annotations

import hashlib
import json
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from triton_watch.probes.canary.golden.model import Golden
from triton_watch.probes.canary.golden.rules import Method, Rule
from triton_watch.triton.infer.messages import BYTES, DTYPES, KNOWN_DATATYPES, Tensor, tensor_of

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import DrawFn

INTEGERS = [name for name in DTYPES if "INT" in name]
LIMITS = st.just(0.0) | st.floats(0, 2) | st.floats(0, 1e300)
NAMES = st.sampled_from(["scores", "a/b", "..", "größe", "a\0b", "", "C:\\x", "x.npy", "\ud800"]) | st.text(max_size=8)


def tensor(values: Any, datatype: str = "FP32") -> Tensor:
    kind = object if datatype == BYTES else None
    return tensor_of(np.array(values, dtype=kind), datatype)


def raw(datatype: str, *values: int) -> Tensor:
    """Integers of any width, past numpy's own ideas of what a list of them is."""
    return Tensor(datatype, (len(values),), b"".join(np.array(value, DTYPES[datatype]).tobytes() for value in values))


@st.composite
def tensors(draw: DrawFn, datatypes: tuple[str, ...] = KNOWN_DATATYPES) -> Tensor:
    """Any bits at all, in any shape, also an empty one."""
    datatype = draw(st.sampled_from(datatypes))
    shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    size = prod(shape)
    if datatype == BYTES:
        texts = draw(st.lists(st.binary(max_size=6), min_size=size, max_size=size))
        return tensor(texts, BYTES) if shape == (size,) else Tensor(BYTES, shape, tensor(texts, BYTES).data)
    width = np.dtype(DTYPES[datatype]).itemsize
    return Tensor(datatype, shape, draw(st.binary(min_size=size * width, max_size=size * width)))


RULES = st.one_of(
    st.just(Rule(Method.EXACT)),
    st.just(Rule(Method.TOP1)),
    st.builds(Rule, st.just(Method.CLOSE), rtol=LIMITS, atol=LIMITS),
    st.builds(Rule, st.just(Method.COSINE), least=st.floats(0, 1)),
)


@st.composite
def goldens(draw: DrawFn) -> Golden:
    variants = draw(st.integers(0, 2))
    named = st.dictionaries(NAMES, tensors(), max_size=3)
    outputs = tuple(tuple(draw(st.lists(named, max_size=2))) for _ in range(variants))
    names = sorted({name for responses in outputs for one in responses for name in one})
    ignore = tuple(name for name in names if draw(st.integers(0, 3)) == 0)
    return Golden(
        model=draw(NAMES),
        version=draw(st.sampled_from(["1", "17", "", "..", "a/b"])),
        inputs=tuple(draw(named) for _ in range(variants)),
        outputs=outputs,
        compare={name: draw(RULES) for name in names if name not in ignore},
        notes=tuple(draw(st.lists(st.text(max_size=10), max_size=2))),
        recorded_at="2026-01-02T03:04:05Z",
        server=("triton", "2.51.0"),
        ignore=ignore,
        parameters=draw(st.dictionaries(NAMES, st.booleans() | st.integers() | st.text(max_size=5), max_size=2)),
    )


def golden(*outputs: Tensor, rule: Rule = Rule(Method.CLOSE, 0.01, 0.001), **more: Any) -> Golden:  # noqa: B008 - frozen
    """One output `y`; each tensor is the one response to one variant of the input `x`."""
    return Golden(
        **{
            "model": "resnet",
            "version": "1",
            "inputs": tuple({"x": tensor([float(number)])} for number in range(len(outputs))),
            "outputs": tuple(({"y": one},) for one in outputs),
            "compare": {"y": rule},
        }
        | more
    )


def put_arrays(path: Path, data: bytes) -> None:
    """Other arrays, with a digest that says that they belong to it."""
    path.with_suffix(".npz").write_bytes(data)
    content = json.loads(path.read_text("utf-8"))
    content["arrays"]["sha256"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(content), "utf-8")
