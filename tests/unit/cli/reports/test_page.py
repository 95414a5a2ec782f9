"""The HTML page: whole, closed, harmless, and small enough."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from triton_watch.cli.reports import render
from triton_watch.cli.reports.page import MOST_CHARTS, MOST_STORIES
from triton_watch.records import Report
from unit.cli.reports.samples import HOSTILE, bad_day, hostile, many

VOID = frozenset({"meta", "path"})
"""Elements that the page uses without an end: of HTML, and of SVG with a closing slash."""


class Page(HTMLParser):
    """Checks that tags are balanced, and keeps what was there."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1:] != ["style"]:
            self.texts.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module", params=[bad_day, hostile], ids=["bad day", "hostile"])
def page(request: pytest.FixtureRequest) -> Page:
    return Page(render(request.param(), "html"))


def test_it_loads_and_runs_nothing(page: Page) -> None:
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "a", "form", "base"})
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("src", "href", "xlink:href") for name in attributes)
    style = re.findall(r"<style>(.*?)</style>", render(bad_day(), "html"), re.DOTALL)[0]
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_names_are_text() -> None:
    page = Page(render(hostile(), "html"))
    text = "\n".join(page.texts)
    assert HOSTILE[0] in text
    assert HOSTILE[1] in text
    assert HOSTILE[6] in text
    assert all(one.isprintable() or one.isspace() for one in text)


def test_headings_of_tables_have_a_scope_and_rows_as_many_cells() -> None:
    page = Page(render(bad_day(), "html"))
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))
    header = re.findall(r"<thead>(.*?)</thead>", render(bad_day(), "html"))[0].count("<th ")
    for line in re.findall(r'<tr class="row">.*?</tr>', render(bad_day(), "html")):
        assert len(re.findall("<t[hd][ >]", line)) == header
    assert {one["colspan"] for one in page.all("td") if "colspan" in one} == {str(header)}


def test_every_chart_has_a_title_and_a_description_of_its_own(page: Page) -> None:
    charts = [one for one in page.all("svg") if "aria-hidden" not in one]
    named = [str(one["aria-labelledby"]).split() for one in charts]
    ids = [str(one["id"]) for tag, one in page.tags if tag in ("title", "desc") and "id" in one]
    assert sorted(name for pair in named for name in pair) == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_a_row_without_a_course_has_no_chart() -> None:
    without = replace(bad_day(), rows=tuple(replace(one, course=None) for one in bad_day().rows))
    assert not Page(render(without, "html")).all("svg")
    assert len(Page(render(bad_day(), "html")).all("details")) == 9


def test_it_adapts_to_the_dark_and_to_narrow_screens() -> None:
    text = render(bad_day(), "html")
    assert "prefers-color-scheme: dark" in text
    assert 'content="width=device-width, initial-scale=1"' in text


def test_a_thousand_rows_are_under_three_megabytes_and_charts_are_for_the_worst() -> None:
    began = time.process_time()
    text = render(many(), "html")
    assert time.process_time() - began < 20  # about half a second; the rest is for slow machines
    assert len(text.encode()) < 3_000_000
    page = Page(text)
    assert len(page.all("figure")) == 2 * MOST_CHARTS
    assert f"Charts are drawn for the worst {MOST_CHARTS} rows only (100 charts)." in page.texts
    assert len(page.all("details")) == 1000
    assert f"and {60 - MOST_STORIES} more in the table." in page.texts


def test_an_empty_report_is_a_page_too() -> None:
    page = Page(render(Report(0.0, "/state", (), ()), "html"))
    assert page.texts[2].startswith("No budget to report; read from /state")
    assert not page.all("table")


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render(bad_day(), "html") == render(bad_day(), "html")
