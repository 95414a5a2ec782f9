"""The status page in a real browser: an agent beside a real Triton under load, some of whose models lie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import expect

from support.agent import Agent
from support.axe import grave
from support.browser import DESK, PATIENCE, PHONE, Visitor, chromium
from support.links import links_of
from triton_watch.daemon.paths import model_page
from triton_watch.demo import EmbeddedTriton, Load, example_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

MODELS = {one.name for one in example_repository().iterdir() if one.is_dir()}
LIARS = {"lies_error", "lies_nan", "lies_wrong_shape"}
KINDS = {
    "overview": "/",
    "search": "/?standing=wrong&search=lies",
    "nothing found": "/?search=nobody",
    "liar": model_page("t", "lies_nan"),
    "ensemble": model_page("t", "search_pipeline"),
    "target": "/targets/t",
    "targets": "/targets/",
    "alerts": "/alerts",
    "findings": "/findings",
    "budgets": "/slo",
    "agent": "/agent",
    "runbooks": "/runbooks/",
    "no such model": model_page("t", "nobody"),
}
LIARS_FOUND = ("/-/serving", 503)
MOST_PAGES = 300
"""Of one site: a crawl that finds more goes in circles."""
FOCUS = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return {
    name: one.getAttribute('name') || one.className || one.tagName,
    href: one.getAttribute('href') || '',
    isChip: Boolean(one.closest('nav.chips')),
    isModel: Boolean(one.closest('table.models')),
    isSeen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
  };
}"""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that has found the liars: its canaries have failed on them."""
    folder = tmp_path_factory.mktemp("pages")
    # What waits for a model that died would hold the end of the server for half a minute.
    server = EmbeddedTriton(example_repository(), workdir=folder, extra_args=["--exit-timeout-secs=2"])
    with server as triton, Load(triton):
        one = Agent(folder, "--config", str(folder / "triton-watch.yaml"), start=False)
        urls = {"url": triton.http_url, "grpc": triton.grpc_address, "metrics_url": triton.metrics_url}
        target = {"name": "t", **urls, "interval": "2s", "timeouts": {"total": "1s"}}
        settings = {"targets": [target], "web": {"listen": one.listen}, "canary": {"interval": "3s", "timeout": "2s"}}
        (folder / "triton-watch.yaml").write_text(json.dumps(settings))
        one.start()
        try:
            one.wait(lambda: wrong(one) == len(LIARS))
            yield one
        finally:
            one.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    with Visitor(browser) as one:
        yield one


def wrong(agent: Agent) -> int:
    models = agent.get("/api/v1/status").json()["models"]
    return int(models.get("wrong", 0))


def test_the_verdict_counts_the_liars_and_they_are_the_first_models(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url)
    verdict = page.get_by_role("heading", level=1).inner_text()
    assert verdict.startswith(f"{len(LIARS)} of {len(MODELS)} models are answering wrongly")
    assert verdict.endswith("the server says all is well.")
    names = models_of(page)
    assert set(names[: len(LIARS)]) == LIARS
    assert set(names) == MODELS


def test_every_link_of_every_page_leads_somewhere(agent: Agent) -> None:
    left, seen = {"/"}, dict[str, set[str]]()
    with requests.Session() as session:
        while left:
            path = left.pop()
            answer = session.get(agent.url + path, timeout=10)
            assert answer.status_code == 200 or (path, answer.status_code) == LIARS_FOUND, path
            links, ids = links_of(answer.text) if "html" in answer.headers["Content-Type"] else (set(), set())
            seen[path] = ids
            assert len(seen) <= MOST_PAGES, sorted(seen)
            for link in links:
                url = urlsplit(urljoin(agent.url + path, link))
                if url.netloc == agent.listen:
                    assert not url.fragment or url.fragment in ids, f"{path}: there is no {link}"
                    there = url._replace(scheme="", netloc="", fragment="").geturl()
                    left |= {there} - seen.keys()
    assert {"/alerts", "/findings", "/slo", "/agent", "/targets/t", *(model_page("t", name) for name in LIARS)} <= {
        urlsplit(path).path for path in seen
    }


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
    visitor.forgive("status of 404|has status 404" if kind == "no such model" else "$^")


def test_a_keyboard_reaches_filters_search_and_models_and_shows_where_it_is(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(agent.url)
    way: list[dict[str, Any]] = []
    while not (way and way[-1]["isModel"]):
        page.keyboard.press("Tab")
        way.append(page.evaluate(FOCUS))
        assert len(way) < 60, way
    assert way[0]["href"] == "#main"
    assert any(one["isChip"] for one in way)
    assert "search" in [one["name"] for one in way]
    assert all(one["isSeen"] for one in way), [one for one in way if not one["isSeen"]]
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
    before, models = state_of(page), page.locator("table.models")
    expect(models).not_to_have_text(models.text_content() or "", timeout=PATIENCE)
    assert state_of(page) == before


def test_a_refresh_keeps_details_open(agent: Agent, visitor: Visitor) -> None:
    page = visitor.open(f"{agent.url}/targets/t")
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
    for head in ("Canary", "Error budgets", "The last hour", "Configuration"):
        assert page.get_by_role("heading", name=head, exact=True).is_visible()


def test_the_page_says_that_the_agent_is_gone_and_that_it_is_back(visitor: Visitor, tmp_path: Path) -> None:
    agent = Agent(tmp_path, "--target", "http://127.0.0.1:9", "--listen", "LISTEN", "--interval", "60s")
    agent.wait(lambda: agent.get("/-/healthy").status_code == 200)
    page = visitor.open(agent.url)
    lost = page.get_by_role("alert")
    assert not lost.is_visible()
    agent.end()
    ask(page)
    lost.wait_for()
    assert lost.inner_text().startswith("The agent cannot be reached.")
    agent.start()
    agent.wait(lambda: agent.get("/-/healthy").status_code == 200)
    ask(page)
    lost.wait_for(state="hidden")
    agent.end()
    visitor.forgive("ERR_CONNECTION_REFUSED")


def models_of(page: Page) -> list[str]:
    """Names of the models in the table, from top to bottom."""
    links = page.locator("table.models th a").all_inner_texts()
    return [one.partition(":")[0] for one in links]


def state_of(page: Page) -> dict[str, object]:
    """What a reader has done to a page: it must be there after a refresh."""
    done: dict[str, object] = page.evaluate("""() => {
        const one = document.querySelector('input[type=search]');
        return {focus: document.activeElement === one, text: one.value, from: one.selectionStart, to: one.selectionEnd,
                place: Math.round(one.getBoundingClientRect().top)};
    }""")
    return done


def ask(page: Page) -> None:
    """Have the page ask for news at once."""
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()


def refresh(page: Page) -> None:
    """Have the page ask for news, and wait until it has them."""
    with page.expect_response(page.url) as asked:
        ask(page)
    assert asked.value.status == 200
    page.get_by_text("Updated now").wait_for()
