"""The page reader gives what prometheus_client's parser gives, on the first page and on every later one."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from triton_watch.triton.exposition import ExpositionError, PageReader, Series, TruncatedPageError

PAGES = sorted((Path(__file__).parents[2] / "fixtures" / "pages").glob("*.txt"))

Row = tuple[str, tuple[tuple[str, str], ...], float, "float | None"]


def peer(page: bytes) -> list[Row]:
    """Samples by prometheus_client, under the names that stand on the page (it adds _total to counters)."""
    rows: list[Row] = []
    for family in text_string_to_metric_families(page.decode()):
        raw = re.search(rf"^# TYPE {re.escape(family.name)}(_total)? ", page.decode(), re.MULTILINE)
        strip = family.type == "counter" and raw is not None and raw[1] is None
        for sample in family.samples:
            name = sample.name.removesuffix("_total") if strip else sample.name
            timestamp = None if sample.timestamp is None else float(str(sample.timestamp))
            rows.append((name, tuple(sample.labels.items()), float(sample.value), timestamp))
    return rows


def ours(reader: PageReader, page: bytes) -> list[Row]:
    return [(s.series.name, s.series.labels, s.value, s.timestamp) for s in reader.read(page).samples()]


def same(left: list[Row], right: list[Row]) -> bool:
    """Equality with NaN equal to NaN."""
    return len(left) == len(right) and all(
        a[:2] == b[:2] and a[3] == b[3] and (a[2] == b[2] or (math.isnan(a[2]) and math.isnan(b[2])))
        for a, b in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_captured_page_reads_as_prometheus_client_reads_it_twice_over(path: Path) -> None:
    page = path.read_bytes()
    reader = PageReader()
    assert same(ours(reader, page), peer(page))
    assert same(ours(reader, page), peer(page))


def test_pages_of_one_server_share_one_layout_while_only_values_change() -> None:
    reader = PageReader()
    pages = [p.read_bytes() for p in PAGES if p.stem.startswith("metrics_h200_")]
    layouts = [reader.read(page).layout for page in pages]
    assert len(pages) == 3
    assert len({id(layout) for layout in layouts}) == 1


def test_summaries_of_an_idle_server_read_as_nan() -> None:
    page = b'# TYPE s summary\ns{quantile="0.5"} Nan\ns_sum 0\ns_count 0\n'
    reader = PageReader()
    for _ in range(2):
        assert math.isnan(ours(reader, page)[0][2])


names = st.from_regex(r"[a-z_:][a-z0-9_:]{0,12}", fullmatch=True) | st.from_regex(
    r"nv_inference_[a-z]{6,9}", fullmatch=True
)
label_names = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True).filter(lambda n: not n.startswith("__"))
label_values = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=10)
values = st.one_of(
    st.integers(-(10**18), 10**18).map(str),
    st.integers(0, 10**17).map(lambda n: f"{n:09d}"),
    st.floats().map(repr),
    st.sampled_from(["Nan", "NaN", "nan", "+Inf", "-Inf", "inf", "1e5", "1E+05", "0.1", "-0", "+7", ".5", "5."]),
)
families = st.sampled_from(["counter", "gauge", "untyped", "summary", "histogram"])


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@st.composite
def shapes(draw: st.DrawFn) -> list[tuple[list[str], list[str], list[bool]]]:
    """A page without values: for each family its comment lines, the keys of its lines, and which are stamped."""
    found = []
    for name in draw(st.lists(names, max_size=4, unique=True)):
        header = [f"# HELP {name} some help # text", f"# TYPE {name} {draw(families)}"][draw(st.integers(0, 2)) :]
        keys = []
        for labels in draw(st.lists(st.dictionaries(label_names, label_values, max_size=3), max_size=4)):
            pairs = ",".join(f'{k}="{escaped(v)}"' for k, v in labels.items())
            keys.append(f"{name}{{{pairs}}}" if pairs else name)
        stamped = [draw(st.integers(0, 9)) == 0 for _ in keys]
        found.append((header, keys, stamped))
    return found


def written(shape: list[tuple[list[str], list[str], list[bool]]], numbers: list[str]) -> bytes:
    lines, i = [], 0
    for header, keys, stamped in shape:
        lines += header
        for key, stamp in zip(keys, stamped, strict=True):
            lines.append(f"{key} {numbers[i % len(numbers)]}" + (" 1700000000123" if stamp else ""))
            i += 1
    return "".join(line + "\n" for line in lines).encode()


@settings(max_examples=150, deadline=None)
@given(shapes(), st.lists(values, min_size=1, max_size=12), st.lists(values, min_size=1, max_size=12))
def test_made_pages_read_as_prometheus_client_reads_them_also_by_the_fast_path(
    shape: list[tuple[list[str], list[str], list[bool]]], first: list[str], second: list[str]
) -> None:
    reader = PageReader()
    for numbers in (first, second, first):
        page = written(shape, numbers)
        assert same(ours(reader, page), peer(page))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_page_with_one_byte_changed_is_never_read_otherwise_than_by_a_fresh_reader(
    data: st.DataObject,
) -> None:
    page = written(data.draw(shapes()), data.draw(st.lists(values, min_size=1, max_size=12)))
    at = data.draw(st.integers(0, max(0, len(page) - 1)))
    byte = data.draw(st.sampled_from(list(b' \t\n\r"\\{}#_=,.05eN-+\x00\x0b\xff')))
    changed = page[:at] + bytes([byte]) + page[at + 1 :]
    used = PageReader()
    used.read(page)
    try:
        expected = ours(PageReader(), changed)
    except ExpositionError:
        with pytest.raises(ExpositionError):
            ours(used, changed)
    else:
        assert same(ours(used, changed), expected)
        assert same(expected, peer(changed))


def test_models_that_come_and_go_are_read_by_name_not_by_place() -> None:
    reader = PageReader()
    both = b'# TYPE n counter\nn{model="a"} 1\nn{model="b"} 2\n'
    swapped = b'# TYPE n counter\nn{model="b"} 3\nn{model="a"} 4\n'
    one = b'# TYPE n counter\nn{model="b"} 5\n'
    for page in (both, swapped, one, both):
        assert same(ours(reader, page), peer(page))


def test_lines_of_the_same_lengths_with_another_model_are_told_apart() -> None:
    reader = PageReader()
    ours(reader, b'n{model="a"} 1\n')
    assert ours(reader, b'n{model="b"} 1\n') == [("n", (("model", "b"),), 1.0, None)]


def test_a_value_moved_to_the_next_line_is_refused_though_every_word_is_the_same() -> None:
    reader = PageReader()
    reader.read(b"a 1\nb 2\n")
    with pytest.raises(ExpositionError):
        reader.read(b"a\n1 b\n2 \n")


def test_numbers_that_only_python_reads_are_refused() -> None:
    reader = PageReader()
    reader.read(b"a 1\n")
    with pytest.raises(ExpositionError, match="line 1 of the metrics page"):
        reader.read(b"a 1_0\n")


def test_a_timestamp_that_appears_later_is_not_taken_for_the_value() -> None:
    reader = PageReader()
    reader.read(b"a 1\n")
    assert ours(reader, b"a 2 1700000000000\n") == [("a", (), 2.0, 1700000000.0)]


def test_an_unwanted_family_is_not_read_and_one_that_appears_inside_it_is_not_missed() -> None:
    reader = PageReader(lambda family: family == "wanted")
    calm = b"# TYPE other gauge\nother 1\n# TYPE last gauge\nlast 1\n"
    assert ours(reader, calm) == []
    grown = b"# TYPE other gauge\nother 1\n# TYPE wanted gauge\nwanted 5\n# TYPE last gauge\nlast 1\n"
    assert ours(reader, grown) == [("wanted", (), 5.0, None)]
    assert reader.read(grown).layout.families == {"other", "wanted", "last"}


def test_unwanted_lines_are_not_even_looked_at() -> None:
    reader = PageReader(lambda family: family == "wanted")
    page = reader.read(b"# TYPE other gauge\n(this is no metric)\n# TYPE wanted gauge\nwanted 5\n")
    assert [s.value for s in page.samples()] == [5.0]


def test_labels_with_spaces_take_the_fast_path_too() -> None:
    reader = PageReader()
    first = reader.read(b'n{team="vision and speech"} 1\n')
    second = reader.read(b'n{team="vision and speech"} 22\n')
    assert first.layout is second.layout
    assert second.values.tolist() == [22.0]
    assert first.layout.series == (Series("n", (("team", "vision and speech"),)),)


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_page_cut_inside_a_line_is_truncated(cut: int) -> None:
    page = PAGES[0].read_bytes()
    reader = PageReader()
    reader.read(page)
    with pytest.raises(TruncatedPageError, match="ends inside a line"):
        reader.read(page[:-cut])


def test_a_page_that_is_not_utf8_is_refused_with_the_place() -> None:
    with pytest.raises(ExpositionError, match=r"not UTF-8 \(byte 2\)"):
        PageReader().read(b"a \xff\n")


def test_a_refused_line_is_named_with_its_number_and_text() -> None:
    with pytest.raises(ExpositionError, match=re.escape("line 2 of the metrics page is not in the text format")) as e:
        PageReader().read(b"a 1\n<html>\n")
    assert "'<html>'" in str(e.value)


def test_an_empty_page_has_no_samples() -> None:
    assert ours(PageReader(), b"") == []


def test_what_is_remembered_does_not_grow_when_every_page_has_other_series() -> None:
    reader = PageReader()
    for turn in range(50):
        reader.read(f'n{{model="m{turn}"}} 1\n'.encode())
    assert len(reader._known) == 1  # noqa: SLF001 - the bound on memory is the behaviour
