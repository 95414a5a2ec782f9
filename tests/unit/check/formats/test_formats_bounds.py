"""Reading costs little, whatever a file holds: counted in bytes, steps and peak memory."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triton_watch.check.formats import Format, ModelFile, onnx, read_model_file, sniff, zips
from triton_watch.check.formats.model import FormatError
from triton_watch.check.formats.source import opened
from triton_watch.check.formats.wire import MOST_STEPS, Wire

if TYPE_CHECKING:
    from random import Random

MODELS = Path(__file__).parents[3] / "fixtures" / "models"
FILES = sorted(path for path in MODELS.rglob("*") if path.is_file() and path.suffix != ".md")
GIB = 1 << 30


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(number: int, content: bytes, length: int | None = None) -> bytes:
    return varint(number << 3 | 2) + varint(len(content) if length is None else length) + content


def tensor_info(name: bytes) -> bytes:
    return message(1, name) + message(2, message(1, b"\x08\x01" + message(2, message(1, b"\x08\x04"))))


def test_five_gigabytes_of_weights_are_stepped_over(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    weights = 5 * GIB
    raw = b"\x4a" + varint(weights)
    initializer = message(8, b"w") + raw
    tensor = message(5, initializer, len(initializer) + weights)
    rest = message(11, tensor_info(b"x")) + message(11, tensor_info(b"w")) + message(12, tensor_info(b"y"))
    head = b"\x08\x08" + message(7, tensor, len(tensor) + weights + len(rest))
    with path.open("wb") as file:
        file.write(head)
        file.seek(len(head) + weights)
        file.write(rest + message(8, b"\x10\x11"))
    tracemalloc.start()
    with opened(path) as source:
        found = onnx.read(source, path, Format.ONNX)
        read = source.bytes_read
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.problem is None
    assert [spec.name for spec in found.inputs or ()] == ["x"]
    assert found.detail["opset"] == "17"
    assert read < 20_000
    assert peak < 1_000_000
    assert sniff(path) is Format.ONNX


def test_five_gigabytes_of_torchscript_are_found_by_their_directory(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(MODELS / "torch/scripted.pt") as real, zipfile.ZipFile(path, "w") as writer:
        writer.writestr("scripted/data/99", b"")
        writer.start_dir = 5 * GIB  # the next file begins there: a hole of 5 GB stays before it
        for name in real.namelist():
            writer.writestr(name, real.read(name))
    assert path.stat().st_size > 5 * GIB
    found = read_model_file(path)
    assert (found.format, found.problem) == (Format.TORCHSCRIPT, None)
    assert found.detail["forward"] == "x,mask"
    with opened(path) as source:
        zips.directory(source)
        assert source.bytes_read < 200_000


def test_five_gigabytes_of_trees_are_known_by_their_ends(tmp_path: Path) -> None:
    path = tmp_path / "xgboost.json"
    data = (MODELS / "fil/xgboost.json").read_bytes()
    middle = data.index(b'"trees"')
    with path.open("wb") as file:
        file.write(data[:middle])
        file.seek(5 * GIB)
        file.write(data[middle:])
    found = read_model_file(path)
    assert (found.format, found.problem, found.detail["features"]) == (Format.XGBOOST_JSON, None, "4")


@pytest.mark.parametrize("kind", ["fields", "initializers", "nested"])
def test_a_hostile_graph_ends_in_a_problem_after_a_bounded_number_of_steps(kind: str, tmp_path: Path) -> None:
    content = {
        "fields": b"\x0a\x00" * MOST_STEPS,
        "initializers": message(5, message(8, b"n" * 900)) * 12_000,
        "nested": message(11, message(2, message(1, message(2, message(1, b"") * 100_000)))),
    }[kind]
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x08" + message(7, content))
    found = read_model_file(path)
    assert found.format is Format.ONNX
    assert "known model" in (found.problem or "") or "dimensions" in (found.problem or "")


def test_steps_are_counted_over_all_messages_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "many"
    path.write_bytes(message(1, b"\x08\x01" * 50) * 50)
    with opened(path) as source:
        wire = Wire(source, most_steps=1000)
        inner = (part for field in wire.fields(0, source.size) for part in wire.within(field))
        with pytest.raises(FormatError, match="more than 1,000 parts"):
            list(inner)


def test_a_length_beyond_64_bits_or_a_message_inside_of_a_number_is_corrupt(tmp_path: Path) -> None:
    for data in (b"\x08\x08\x3a" + b"\xff" * 20, b"\x08\x08" + message(7, message(5, b"\x40\x07" + b"\x43"))):
        path = tmp_path / "model.onnx"
        path.write_bytes(data)
        assert "is corrupt" in (read_model_file(path).problem or "is corrupt: not even ONNX")


def test_a_zip_bomb_is_inflated_no_further_than_wanted(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(MODELS / "torch/scripted.pt") as real:
        pickled = real.read("scripted/data.pkl")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("scripted/data.pkl", pickled)
        writer.writestr("scripted/constants.pkl", b"")
        writer.writestr("scripted/version", bytes(100_000_000))
        writer.writestr("scripted/code/__torch__.py", bytes(100_000_000))
    tracemalloc.start()
    found = read_model_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.format is Format.TORCHSCRIPT
    assert peak < 8_000_000


def test_a_directory_that_lies_about_its_size_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    data = bytearray((MODELS / "torch/scripted.pt").read_bytes())
    end = data.rindex(b"PK\x06\x06")  # PyTorch always writes the 64-bit record, whose numbers count
    data[end + 40 : end + 48] = GIB.to_bytes(8, "little")
    path.write_bytes(data)
    found = read_model_file(path)
    assert found.format is Format.TORCHSCRIPT
    assert found.problem == "is corrupt: its zip directory does not fit the file"


def test_a_tag_without_end_is_not_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(b'<net name="' + b"x" * 4_000_000 + b'"><layers/></net>')
    assert read_model_file(path).problem == "has a tag of more than 1,048,576 bytes"


def test_elements_within_elements_end_in_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(b"<net>" + b"<a>" * 100_000)
    assert read_model_file(path).problem == "has more parts than any known model"


def test_importing_the_package_leaves_heavy_modules_out() -> None:
    heavy = ("xml.parsers.expat", "json", "zipfile", "numpy", "yaml")
    script = f"import sys, triton_watch.check.formats; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def read(data: bytes, like: Path) -> ModelFile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / like.name
        path.write_bytes(data)
        sniffed = sniff(path)
        found = read_model_file(path)
    assert found.format is sniffed
    assert found.size == len(data)
    assert found.problem is None or ("\n" not in found.problem and len(found.problem) < 500)
    return found


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FILES), st.randoms(use_true_random=False))
def test_a_changed_byte_never_raises(path: Path, rng: Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 1, 5, 50])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    read(bytes(data), path)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FILES), st.floats(0, 1), st.floats(0, 1))
def test_a_piece_that_is_missing_never_raises(path: Path, start: float, end: float) -> None:
    data = path.read_bytes()
    first, last = sorted((int(start * len(data)), int(end * len(data))))
    read(data[:first] + data[last:], path)
    read(data[:first], path)


HEADS = [b"", b"\x08\x08\x3a", b"\x08\x01\x12", b"\x0a\x05\x0a\x01x\x12", b"PK\x03\x04", b"PK\x05\x06", b"\x80\x04\x95"]
HEADS += [path.read_bytes()[:40] for path in FILES]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(HEADS), st.binary(max_size=300))
@example(b"PK\x05\x06", bytes(18))
@example(b"", b"\x80")
def test_any_bytes_never_raise(head: bytes, rest: bytes) -> None:
    read(head + rest, Path("model.bin"))


def test_every_truncation_of_an_onnx_graph_is_a_problem(tmp_path: Path) -> None:
    shutil.copy(MODELS / "onnx/external.bin", tmp_path)
    data = (MODELS / "onnx/external.onnx").read_bytes()
    graph = data.index(b"\x3a")
    wrong = [
        size
        for size in range(graph + 3, len(data) - 30)
        if (found := read(data[:size], Path("m.onnx"))).format is not Format.ONNX or not found.problem
    ]
    assert wrong == []


def test_a_zip_end_with_more_entries_than_any_model_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as writer:
        for number in range(zips.MOST_ENTRIES + 1):
            writer.writestr(str(number), b"")
    path = tmp_path / "model.pt"
    path.write_bytes(buffer.getvalue())
    assert read_model_file(path).format is Format.UNKNOWN
