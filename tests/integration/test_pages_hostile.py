"""Names that want to be more than names, in a real browser: they are shown, and nothing of them is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.browser import DESK, PHONE, Visitor, chromium
from synthetic_state import HOSTILE, alerts_of, budgets_of, state_of
from triton_watch.daemon.app import App
from triton_watch.daemon.site.routes import site_routes
from triton_watch.daemon.web import WebServer
from triton_watch.records import ModelKey, ModelState, ModelStatus, WebSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from synthetic_state import SyntheticState

NOW = 1_700_000_001.0
SCRIPTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "javascript:alert(1)",
    "<style>*{display:none}</style>",
    "</title></textarea><iframe src=//example.com>",
    "[x](javascript:alert(1)) `code`",
    "../../../etc/passwd",
    "a?b#c&d=%3Cscript%3E",
    "\u202egnp.exe",
    "{{7*7}}{%raw%}",
    "<!--",
)
OTHERS = ("/alerts", "/slo", "/findings", "/agent", "/targets/triton")
KEYS = tuple(ModelKey(name, "1") for name in (*SCRIPTS, *HOSTILE))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where an agent serves these models, and says the worst of them in the worst words."""
    server = WebServer(WebSettings(port=0), App(site_routes(hostile(), lambda: NOW)))
    server.start()
    yield server.url.rstrip("/")
    server.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_hostile_names_are_shown_and_nothing_of_them_is_done(browser: Browser, url: str, width: int) -> None:
    with Visitor(browser) as visitor:
        page = visitor.open(url + "/", width)
        text = page.locator("main").inner_text()
        assert all(name in text for name in SCRIPTS if name.isprintable())
        assert page.locator("table.models tbody tr").count() == len(KEYS)
        links = page.locator("table.models th a").evaluate_all("all => all.map(one => one.href)")
        for link in [*links, *(url + path for path in OTHERS)]:
            page.goto(link)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, link
            assert page.locator("main script, main iframe, main img, main style, [onerror], [onload]").count() == 0
        assert page.evaluate("getComputedStyle(document.body).display") != "none"


def hostile() -> SyntheticState:
    """Models whose names, and reasons, are scripts."""
    state = state_of(KEYS)
    snapshot = state.polled["triton"]
    states = tuple(ModelState(key, ModelStatus.UNAVAILABLE, reason=SCRIPTS[1]) for key in KEYS)
    state.polled = {"triton": replace(snapshot, models=states)}
    state.budget_view = budgets_of(KEYS)
    view = alerts_of(NOW)
    labels = (("model", SCRIPTS[0]), ("target", SCRIPTS[1]))
    state.alert_view = replace(
        view,
        states=tuple(
            replace(one, key=one.key._replace(labels=labels), summary=SCRIPTS[0], detail=SCRIPTS[1])
            for one in view.states
        ),
    )
    return state
