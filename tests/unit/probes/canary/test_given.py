"""Inputs that somebody gave: what they become, and one sentence for whatever is wrong with them."""

from __future__ import annotations

import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from triton_watch.probes.canary.given import given
from triton_watch.probes.canary.inputs import MOST_ELEMENTS, NoInputError
from triton_watch.records import CanaryOptions, GivenInput, GivenTensor
from triton_watch.triton.infer.messages import KNOWN_DATATYPES
from unit.probes.canary.parts import config_of, spec

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import ModelConfig
    from triton_watch.triton.infer.messages import Tensor

IN_PLACE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def sent(config: ModelConfig, *tensors: GivenTensor, file: Path | None = None, dynamic_size: int = 1) -> Any:
    options = CanaryOptions(inputs=(GivenInput(tensors, file),), dynamic_size=dynamic_size)
    (variant,) = given(config, options)
    return variant


def one(datatype: str, dims: tuple[int, ...], values: Any, batch: int = 0, **more: Any) -> Tensor:
    tensor = GivenTensor("x", values, **more)
    made: Tensor = sent(config_of([spec("x", datatype, dims)], max_batch_size=batch), tensor)["x"]
    return made


def sentence(config: ModelConfig, *tensors: GivenTensor, file: Path | None = None) -> str:
    with pytest.raises(NoInputError) as caught:
        sent(config, *tensors, file=file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def saved(path: Path, values: Any) -> Path:
    np.save(path, np.asarray(values))
    return path


@pytest.mark.parametrize(
    ("datatype", "values", "expected"),
    [
        ("FP32", (1, 2.5), [1.0, 2.5]),
        ("FP16", (1, 2), [1.0, 2.0]),
        ("BF16", (1.0, 2.0), [1.0, 2.0]),
        ("INT64", (2**63 - 1, -(2**63)), [2**63 - 1, -(2**63)]),
        ("UINT64", (2**64 - 1, 0), [2**64 - 1, 0]),
        ("UINT64", (2**63 + 1, 1), [2**63 + 1, 1]),
        ("INT8", (-128, 127), [-128, 127]),
        ("BOOL", (True, False), [True, False]),
        ("BYTES", ("a", "größe"), [b"a", "größe".encode()]),
        ("BYTES", ("a\0", ""), [b"a\0", b""]),
    ],
)
def test_values_get_the_datatype_of_the_model_and_lose_nothing(
    datatype: str, values: tuple[Any, ...], expected: list[Any]
) -> None:
    made = one(datatype, (2,), values)
    assert (made.datatype, made.shape, made.array().tolist()) == (datatype, (2,), expected)


def test_the_batch_dimension_is_put_before_values_that_lack_it() -> None:
    assert one("FP32", (2,), (1, 2), batch=8).shape == (1, 2)
    assert one("FP32", (2,), ((1, 2), (3, 4), (5, 6)), batch=8).shape == (3, 2)


def test_a_scalar_fills_the_whole_input() -> None:
    config = config_of([spec("x", "FP32", (-1, 3))], max_batch_size=4)
    made = sent(config, GivenTensor("x", 7), dynamic_size=2)["x"]
    assert (made.shape, set(made.array().reshape(-1).tolist())) == ((1, 2, 3), {7.0})
    assert one("BYTES", (1,), "hello").array().tolist() == [b"hello"]
    assert one("FP32", (), 3).array().tolist() == 3


def test_a_shape_is_the_whole_shape() -> None:
    assert one("INT32", (2, 2), (1, 2, 3, 4), shape=(2, 2)).array().tolist() == [[1, 2], [3, 4]]
    assert one("INT32", (2,), 5, batch=8, shape=(3, 2)).array().tolist() == [[5, 5]] * 3


def test_an_npy_file_is_one_input(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npy", np.arange(4.0).reshape(2, 2))
    assert one("FP32", (2, 2), None, file=path).array().tolist() == [[0, 1], [2, 3]]
    assert one("FP32", (2, 2), None, batch=1, file=path).shape == (1, 2, 2)
    assert one("FP32", (4,), None, batch=1, file=path, shape=(1, 4)).shape == (1, 4)


def test_texts_in_an_npy_file_are_texts(tmp_path: Path) -> None:
    for values in (["a", "é"], [b"a", "é".encode()]):
        path = saved(tmp_path / "x.npy", values)
        assert one("BYTES", (2,), None, file=path).array().tolist() == [b"a", "é".encode()]


def test_an_npz_file_is_the_whole_input_and_tensors_go_before_it(tmp_path: Path) -> None:
    path = tmp_path / "all.npz"
    np.savez(path, x=np.ones(2), z=np.zeros(3, np.int32))
    config = config_of([spec("x", "FP32", (2,)), spec("z", "INT32", (3,))])
    assert {name: one.shape for name, one in sent(config, file=path).items()} == {"x": (2,), "z": (3,)}
    assert sent(config, GivenTensor("z", 9), file=path)["z"].array().tolist() == [9, 9, 9]


def test_a_json_file_is_a_request_as_triton_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    inputs = [
        {"name": "x", "shape": [1, 2], "datatype": "UINT64", "data": [2**64 - 1, 1]},
        {"name": "t", "shape": [1, 1], "datatype": "BYTES", "data": ["hé"]},
    ]
    path.write_text(json.dumps({"id": "7", "inputs": inputs}))
    config = config_of([spec("x", "UINT64", (2,)), spec("t", "BYTES", (1,))], max_batch_size=2)
    found = sent(config, file=path)
    assert found["x"].array().tolist() == [[2**64 - 1, 1]]
    assert found["t"].array().tolist() == [["hé".encode()]]


def test_each_input_of_the_options_is_a_variant() -> None:
    inputs = tuple(GivenInput((GivenTensor("x", number),)) for number in range(3))
    variants = given(config_of([spec("x", "INT8", (1,))]), CanaryOptions(inputs=inputs))
    assert [variant["x"].array().tolist() for variant in variants] == [[0], [1], [2]]


def test_an_optional_input_need_not_be_given() -> None:
    config = config_of([spec("x", "FP32", (1,)), spec("mask", optional=True)])
    assert set(sent(config, GivenTensor("x", 1))) == {"x"}


@pytest.mark.parametrize(
    ("datatype", "dims", "values", "words"),
    [
        ("FP32", (3,), (1, 2), "the given x has the shape [2], and the model takes [3]"),
        ("FP32", (3,), (((1, 2, 3),),), "the given x has the shape [1, 1, 3], and the model takes [3]"),
        ("FP32", (2, -1), ((1,), (2,), (3,)), "has the shape [3, 1], and the model takes [2, -1]"),
        ("FP32", (2,), ((1, 2), (3,)), "rows of different lengths"),
        ("BYTES", (2,), (("a", "b"), ("c",)), "rows of different lengths"),
        ("FP32", (2,), (1, (2,)), "rows of different lengths"),
        ("BYTES", (2,), (1, 2), "is of numbers, and the model takes texts: put them in quotes"),
        ("BYTES", (1,), 1.5, "put them in quotes"),
        ("BYTES", (1,), True, "put them in quotes"),
        ("BYTES", (2,), ("a", 2), "put them in quotes"),
        ("FP32", (2,), ("1", "2"), "is of texts, and the model takes FP32: give numbers"),
        ("BOOL", (1,), "false", "is of texts, and the model takes BOOL: give numbers"),
        ("BYTES", (1,), None, "not all numbers, texts or booleans"),
        ("INT8", (1,), 300, "the given x (INT8) cannot be sent: a value is outside of int8: -128 to 127"),
        ("INT32", (1,), 1.5, "not all values are whole numbers"),
        ("FP16", (1,), 1e9, "the given x (FP16) cannot be sent"),
        ("FP8", (1,), 1, "the datatype 'FP8' is not known"),
        ("BYTES", (1,), "\ud800", "surrogate"),
        ("FP32", (-1, 2**40), 0.5, "too many: give a smaller input"),
    ],
)
def test_values_that_do_not_fit_are_refused_in_words(
    datatype: str, dims: tuple[int, ...], values: Any, words: str
) -> None:
    assert words in sentence(config_of([spec("x", datatype, dims)]), GivenTensor("x", values))


@pytest.mark.parametrize("shape", [(4,), (2, 2), (0,), (2**40,), (10**30,)])
def test_a_shape_that_the_values_do_not_make_is_refused(shape: tuple[int, ...]) -> None:
    words = sentence(config_of([spec("x", "FP32", (3,))]), GivenTensor("x", (1, 2, 3), shape=shape))
    assert "of x" in words


def test_a_scalar_that_would_fill_all_memory_is_refused() -> None:
    words = sentence(config_of([spec("x", "FP32", (-1,))]), GivenTensor("x", 1, shape=(MOST_ELEMENTS + 1,)))
    assert words.endswith("too many: give a smaller input")


def test_unknown_and_missing_inputs_are_named() -> None:
    config = config_of([spec("x"), spec("z")])
    assert sentence(config, GivenTensor("q", 1)) == "the model has no input 'q' (it has: x, z): mend canary.overrides"
    assert sentence(config, GivenTensor("x", 1)) == "the given input lacks z: add it under inputs in canary.overrides"
    assert "(it has: none)" in sentence(config_of([]), GivenTensor("q", 1))


def test_an_array_is_no_archive_and_an_archive_no_array(tmp_path: Path) -> None:
    config = config_of([spec("x", dims=(2,))])
    array = saved(tmp_path / "x.npy", [1.0, 2.0])
    archive = tmp_path / "x.npz"
    np.savez(archive, x=np.ones(2))
    assert "one array without a name" in sentence(config, file=array)
    assert "an archive of arrays" in sentence(config, GivenTensor("x", file=archive))


def _zip(entries: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return target.getvalue()


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


HUGE = _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"PK\x03\x04 no zip",
        b"x,y\n1,2\n",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff",
        b"\x93NUMPY\x09\x00\x00\x00",
        _npy("{'descr': '<f8'"),
        _npy("[" * 3000),
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", b"\x80\x04."),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }\n"),
        HUGE,
        _zip({"x.npy": HUGE}),
        _zip({"x": b"no array"}),
        _zip({"x.npy": b""}),
    ],
)
def test_a_broken_numpy_file_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(data)
    config = config_of([spec("x", dims=(1,))])
    assert "numpy" in sentence(config, file=path)
    assert str(path) in sentence(config, GivenTensor("x", file=path))


@pytest.mark.parametrize("values", [np.ones(2, complex), np.array(["2026-01-01"], "M8[D]"), np.zeros(1, [("a", "i4")])])
def test_kinds_of_numpy_that_no_model_takes_are_refused(tmp_path: Path, values: Any) -> None:
    path = saved(tmp_path / "x.npy", values)
    assert "is of numpy's" in sentence(config_of([spec("x", dims=(-1,))]), GivenTensor("x", file=path))


@pytest.mark.parametrize("suffix", ["npy", "npz", "json"])
def test_files_that_are_not_there_or_no_files_or_too_large_are_named(tmp_path: Path, suffix: str) -> None:
    config = config_of([spec("x")])
    absent, folder, pipe, large = (tmp_path / f"{name}.{suffix}" for name in ("absent", "folder", "pipe", "large"))
    folder.mkdir()
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(300_000_000)
    assert sentence(config, file=absent).startswith(f"{absent} cannot be read (No such file or directory): ")
    assert sentence(config, file=folder) == f"{folder} is no plain file: give one"
    assert sentence(config, file=pipe) == f"{pipe} is no plain file: give one"
    assert sentence(config, file=large) == f"{large} is over 256 MB: give a smaller input"
    assert "cannot be read" in sentence(config, file=tmp_path / f"a\0b.{suffix}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        "null",
        "{}",
        '{"inputs": 1}',
        '{"inputs": [1]}',
        '{"inputs": [{"name": "x"}]}',
        '{"inputs": [{"name": "x", "shape": 1, "data": [1]}]}',
        '{"inputs": [{"name": "x", "shape": [Infinity], "data": [1]}]}',
        '{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1]}]}',
        '{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [null]}]}',
        '{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": {"a": 1}}]}',
        '{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [[1], [2, 3]]}]}',
        '{"inputs": [{"name": "x", "shape": [' + "9" * 40 + '], "datatype": "FP32", "data": [1]}]}',
        '{"inputs": ' + "[" * 100_000,
        "\x00",
    ],
)
def test_a_json_file_that_is_no_request_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "request.json"
    path.write_text(text)
    sentence(config_of([spec("x", dims=(1,))]), file=path)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
NESTED = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=8)
SHAPES = st.none() | st.lists(st.integers(-1, 4) | st.integers(), max_size=3).map(tuple)
MODELS = st.builds(
    lambda datatype, dims, batch: config_of([spec("x", datatype, tuple(dims))], max_batch_size=batch),
    st.sampled_from([*KNOWN_DATATYPES, "FP8"]),
    st.lists(st.integers(-1, 3), max_size=3),
    st.integers(0, 2),
)


def _sent_or_refused(config: ModelConfig, *tensors: GivenTensor, file: Path | None = None) -> None:
    variant, words = {}, ""
    try:
        variant = sent(config, *tensors, file=file)
    except NoInputError as error:
        words = str(error) or "an empty sentence\n"
    assert "\n" not in words
    for made in variant.values():
        assert made.array().shape == made.shape


@hypothesis_given(MODELS, NESTED, SHAPES)
def test_any_values_become_a_tensor_or_a_sentence(config: ModelConfig, values: Any, shape: Any) -> None:
    _sent_or_refused(config, GivenTensor("x", values, shape=shape))


ARRAYS = st.builds(
    lambda dtype, shape: np.zeros(tuple(shape), dtype),
    st.sampled_from(["?", "<i4", ">f8", "<f2", "S3", "U2", "c16", "M8[s]"]),
    st.lists(st.integers(0, 3), max_size=3),
)


@IN_PLACE
@hypothesis_given(
    MODELS, ARRAYS, st.booleans(), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3)
)
def test_any_damage_to_a_numpy_file_is_a_tensor_or_a_sentence(
    tmp_path: Path, config: ModelConfig, values: Any, is_archive: bool, damage: list[tuple[int, int]]
) -> None:
    target = io.BytesIO()
    if is_archive:
        np.savez(target, x=values)
    else:
        np.save(target, values)
    data = bytearray(target.getvalue())
    for at, byte in damage:
        data[at % len(data)] = byte
    path = tmp_path / "x.npz"
    path.write_bytes(data)
    _sent_or_refused(config, file=path)
    _sent_or_refused(config, GivenTensor("x", file=path))


ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)
REQUESTS = st.fixed_dictionaries(
    {
        "inputs": st.lists(
            st.fixed_dictionaries(
                {"name": st.just("x") | ANY_JSON, "data": ANY_JSON, "shape": st.lists(st.integers(-1, 3)) | ANY_JSON},
                optional={"datatype": st.sampled_from(KNOWN_DATATYPES)},
            ),
            max_size=2,
        )
    }
)


@IN_PLACE
@hypothesis_given(MODELS, REQUESTS | ANY_JSON)
def test_any_json_becomes_a_tensor_or_a_sentence(tmp_path: Path, config: ModelConfig, content: Any) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    _sent_or_refused(config, file=path)
