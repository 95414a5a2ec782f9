"""The style: contrast of its colours by calculation, its palette, and how it is served."""

import re
from itertools import product
from pathlib import Path

import pytest

import triton_watch
from triton_watch.daemon.site.marks import _MARKS
from unit.daemon.site.pages import app_of, ask
from unit.daemon.site.rich import rich_state

PACKAGE = Path(triton_watch.__file__).parent
STYLE = (PACKAGE / "daemon/site/static/style.css").read_text()
REPORT = (PACKAGE / "cli/reports/page.css").read_text()
TONES = ("exhausted", "burning", "no_data", "ok", "left")
READABLE = 4.5
VISIBLE = 3.0


def palettes(style: str) -> list[dict[str, str]]:
    """The colours of the light and the dark look."""
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return [dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]+)", block)) for block in blocks]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return sum(one * weight for one, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("look", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(look: int) -> None:
    colours = palettes(STYLE)[look]
    pairs = [
        *product(("ink", "soft", "left", "exhausted"), ("page", "card")),
        *product(("ink", "soft"), ("track",)),
        *((tone, f"{tone}-back") for tone in TONES),
        *(("ink", f"{tone}-back") for tone in TONES),
        ("card", "exhausted"),
    ]
    weak = {pair: contrast(*(colours[one] for one in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < READABLE} == {}


@pytest.mark.parametrize("look", [0, 1], ids=["light", "dark"])
def test_shapes_bars_and_edges_of_fields_stand_out(look: int) -> None:
    colours = palettes(STYLE)[look]
    for one in (*TONES, "edge"):
        assert contrast(colours[one], colours["card"]) >= VISIBLE
        assert contrast(colours[one], colours["page"]) >= VISIBLE


def test_contrast_is_calculated_as_the_standard_says() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777", "#fff") == pytest.approx(4.48, abs=0.01)


def test_report_and_site_have_one_palette() -> None:
    for site, report in zip(palettes(STYLE), palettes(REPORT), strict=True):
        assert report.items() <= site.items()


def test_every_kind_of_mark_has_a_colour_and_a_shape_of_its_own() -> None:
    shapes = dict(re.findall(r"\.(\w+)::before \{ (.*?) \}", STYLE))
    kinds = {mark.kind for mark in _MARKS.values()}
    assert kinds <= shapes.keys()
    assert len({shapes[kind] for kind in kinds}) == len(kinds)


def test_assets_are_kept_for_good_under_the_name_of_their_content_alone() -> None:
    app = app_of(rich_state())
    page = ask(app, "/")
    href = page.all("link")[-1].attributes["href"].removeprefix(".")
    kept = ask(app, href)
    assert kept.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in kept.headers["Cache-Control"]
    for other in ("/static/style.css", "/static/style.css?v=old"):
        assert ask(app, other).headers["Cache-Control"] == "public, no-cache"
    assert ask(app, href, if_none_match=kept.headers["ETag"]).status == 304
    assert ask(app, "/static/page.js").headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert ask(app, "/static/../routes.py").status == 404


def test_small_screens_motion_and_print_are_provided_for() -> None:
    for query in ("(prefers-color-scheme: dark)", "(max-width: 820px)", "(prefers-reduced-motion", "print"):
        assert f"@media {query}" in STYLE
