"""The agent's pages under test: where they come from, which kinds there are, and what a reader sees and does."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from support.agent import Agent
from triton_watch.conventions.paths import model_page
from triton_watch.demo import EmbeddedTriton, Load, example_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

MODELS: Final = {one.name for one in example_repository().iterdir() if one.is_dir()}
LIARS: Final = {"lies_error", "lies_nan", "lies_wrong_shape"}
MISSING: Final = "no such model"
KINDS: Final = {
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
    MISSING: model_page("t", "nobody"),
}
"""What there is to look at, by kind: a path of each."""
_FOCUS: Final = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return {
    name: one.getAttribute('name') || one.className || one.tagName,
    href: one.getAttribute('href') || '',
    isChip: Boolean(one.closest('nav.chips')),
    isModel: Boolean(one.closest('table.models')),
    isSeen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
  };
}"""
_DONE: Final = """() => {
  const one = document.querySelector('input[type=search]');
  return {
    focus: document.activeElement === one, text: one.value, from: one.selectionStart, to: one.selectionEnd,
    place: Math.round(one.getBoundingClientRect().top),
  };
}"""


@contextmanager
def watched_liars(folder: Path) -> Iterator[Agent]:
    """An agent that has found the liars of a real Triton under load: its canaries have failed on them."""
    # What waits for a model that died would hold the end of the server for half a minute.
    server = EmbeddedTriton(example_repository(), workdir=folder, extra_args=["--exit-timeout-secs=2"])
    with server as triton, Load(triton):
        agent = Agent(folder, "--config", str(folder / "triton-watch.yaml"), start=False)
        urls = {"url": triton.http_url, "grpc": triton.grpc_address, "metrics_url": triton.metrics_url}
        target = {"name": "t", **urls, "interval": "2s", "timeouts": {"total": "1s"}}
        settings = {"targets": [target], "web": {"listen": agent.listen}, "canary": {"interval": "3s", "timeout": "2s"}}
        (folder / "triton-watch.yaml").write_text(json.dumps(settings))
        agent.start()
        try:
            agent.wait(lambda: agent.get("/api/v1/status").json()["models"].get("wrong") == len(LIARS))
            yield agent
        finally:
            agent.end()


def models_of(page: Page) -> list[str]:
    """Names of the models in the table, from top to bottom."""
    links = page.locator("table.models th a").all_inner_texts()
    return [one.partition(":")[0] for one in links]


def focus_of(page: Page) -> dict[str, Any]:
    """What has the keyboard's focus, and whether that shows."""
    found: dict[str, Any] = page.evaluate(_FOCUS)
    return found


def done_to(page: Page) -> dict[str, Any]:
    """What a reader has done to a page with a search: it must be there after a refresh."""
    found: dict[str, Any] = page.evaluate(_DONE)
    return found


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
