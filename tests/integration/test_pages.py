"""The status page in a real browser: an agent beside a real Triton under load, some of whose models lie."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import expect

from support.agent import Agent
from support.axe import grave
from support.browser import DESK, PATIENCE, PHONE, Visitor, chromium
from support.links import links_of
from support.pages import KINDS, LIARS, MISSING, MODELS, ask, done_to, focus_of, models_of, refresh, watched_liars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

NOT_SERVING = ("/-/serving", 503)
MOST_PAGES = 300
"""Of one site: a crawl that finds more goes in circles."""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with watched_liars(tmp_path_factory.mktemp("pages")) as one:
        yield one


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Agent]:
    """An agent of a server that is not there."""
    one = Agent(tmp_path, "--target", "http://127.0.0.1:9", "--listen", "LISTEN", "--interval", "60s")
    one.wait(lambda: one.get("/-/healthy").status_code == 200)
    yield one
    if one.process.poll() is None:
        one.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    with Visitor(browser) as one:
        yield one


def test_the_verdict_counts_the_liars_and_they_are_the_first_models(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url)
    verdict = page.get_by_role("heading", level=1).inner_text()
    assert verdict.startswith(f"{len(LIARS)} of {len(MODELS)} models are answering wrongly")
    assert verdict.endswith("the server says all is well.")
    names = models_of(page)
    assert set(names[: len(LIARS)]) == LIARS
    assert set(names) == MODELS


def test_every_link_of_every_page_leads_somewhere(agent: Agent) -> None:
    left, ids, places = {"/"}, dict[str, set[str]](), set[tuple[str, str]]()
    with requests.Session() as session:
        while left:
            path = left.pop()
            answer = session.get(agent.url + path, timeout=10)
            assert answer.status_code == 200 or (path, answer.status_code) == NOT_SERVING, path
            links, ids[path] = links_of(answer.text) if "html" in answer.headers["Content-Type"] else (set(), set())
            assert len(ids) <= MOST_PAGES, sorted(ids)
            for url in (urlsplit(urljoin(agent.url + path, link)) for link in links):
                if url.netloc == agent.listen:
                    there = url._replace(scheme="", netloc="", fragment="").geturl()
                    left |= {there} - ids.keys()
                    places |= {(there, url.fragment)} if url.fragment else set()
    assert [(path, place) for path, place in places if place not in ids[path]] == []
    found = {urlsplit(path).path for path in ids}
    assert {KINDS[kind] for kind in ("alerts", "findings", "budgets", "agent", "target", "liar", "ensemble")} <= found


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_is_for_everybody_at_each_width_in_light_and_dark(agent: Agent, visitor: Visitor, kind: str) -> None:
    page = visitor.open(agent.url + KINDS[kind])
    found = {}
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="light")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the window"
        found[f"{width}, light"] = grave(page)
        page.emulate_media(color_scheme="dark")
        found[f"{width}, dark"] = grave(page, only=("color-contrast",))
    assert not any(found.values()), "\n".join(f"{at}: {one}" for at, more in found.items() for one in more)
    if kind == MISSING:
        visitor.forgive("status of 404|has status 404")


def test_a_keyboard_reaches_filters_search_and_models_and_shows_where_it_is(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url)
    way: list[dict[str, Any]] = []
    while not (way and way[-1]["isModel"]):
        page.keyboard.press("Tab")
        way.append(focus_of(page))
        assert len(way) < 60, way
    assert way[0]["href"] == "#main"
    assert any(one["isChip"] for one in way)
    assert "search" in [one["name"] for one in way]
    assert [one for one in way if not one["isSeen"]] == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/t/*")
    assert any(name in page.get_by_role("heading", level=1).inner_text() for name in LIARS)


def test_a_search_leaves_the_models_that_were_asked_for(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url, PHONE)
    page.get_by_role("searchbox").fill("lies")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**search=lies**")
    assert set(models_of(page)) == LIARS
    page.get_by_role("link", name="Clear").click()
    page.wait_for_url(agent.url + "/")
    assert set(models_of(page)) == MODELS


def test_a_refresh_keeps_place_focus_and_typed_text_while_values_change(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url, PHONE)
    search = page.get_by_role("searchbox")
    search.fill("half a na")
    search.evaluate("one => { one.setSelectionRange(2, 5); scrollBy(0, one.getBoundingClientRect().top - 100); }")
    before, models = done_to(page), page.locator("table.models")
    expect(models).not_to_have_text(models.text_content() or "", timeout=PATIENCE)
    assert done_to(page) == before


def test_a_refresh_keeps_details_open(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url + KINDS["target"])
    details = page.locator("details").first
    details.locator("summary").click()
    refresh(page)
    assert details.get_attribute("open") is not None


def test_all_is_there_without_javascript(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url, PHONE, javascript=False)
    assert set(models_of(page)) == MODELS
    assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
    page.get_by_role("searchbox").fill("lies")
    page.get_by_role("button", name="Show").click()
    assert set(models_of(page)) == LIARS
    page.locator("table.models a").first.click()
    for head in ("Canary", "Error budgets", "The last ", "Configuration"):
        assert page.get_by_role("heading", name=re.compile(f"^{head}")).is_visible()


def test_the_page_says_that_the_agent_is_gone_and_that_it_is_back(lone: Agent, visitor: Visitor) -> None:
    page = visitor.open(lone.url)
    lost = page.get_by_role("alert")
    assert not lost.is_visible()
    assert lone.end() == 0
    ask(page)
    lost.wait_for()
    assert lost.inner_text().startswith("The agent cannot be reached.")
    lone.start()
    lone.wait(lambda: lone.get("/-/healthy").status_code == 200)
    ask(page)
    lost.wait_for(state="hidden")
    visitor.forgive("ERR_CONNECTION_REFUSED")
