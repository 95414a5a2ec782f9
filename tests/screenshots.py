# ruff: noqa: E402 - it is run as a script: its path comes first
"""`make screenshots`: a real Triton whose models lie, the agent beside it, and pictures of its pages in docs/images.

Takes some two minutes: the liars must have been found, and the small charts need a few points.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path[:0] = [str(Path(__file__).parent)]
import requests
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from support.browser import DESK, PHONE, Visitor, chromium
from support.debian import ROOT
from triton_watch.conventions import paths
from triton_watch.demo import EmbeddedTriton, Load, example_repository
from triton_watch.demo.watcher import WatcherProcess, free_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

IMAGES: Final = ROOT / "docs" / "images"
PORT: Final = 8003
PAGES: Final = {
    "overview": paths.OVERVIEW,
    "model": paths.model_page("demo", "lies_nan"),
    "target": paths.target_page("demo"),
    "alerts": paths.ALERTS,
    "findings": paths.FINDINGS,
    "slo": paths.BUDGETS,
}
WATCHED: Final = 120.0
"""Seconds before the first picture."""
TALLEST: Final = {PHONE: 1800, DESK: 1100}
"""By width: what is further down in a page is cut off. CSS pixels."""
LIARS: Final = 3


def main() -> int:
    """Take the pictures; 1 when the agent has not found the liars, or a page complains."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with ExitStack() as stack, Progress(*columns) as progress:
        step = progress.add_task("starting Triton with its example models", total=WATCHED + 2 * len(PAGES) + 1)
        # Findings name the file: no picture shows where this checkout lies.
        models = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "model_repository"
        shutil.copytree(example_repository(), models)
        triton = stack.enter_context(EmbeddedTriton(models))
        stack.enter_context(Load(triton))
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        watcher = stack.enter_context(WatcherProcess(triton, free_address(None, PORT), state))
        progress.update(step, description="watching it under load")
        for _ in range(int(WATCHED)):
            time.sleep(1)
            progress.advance(step)
        found = requests.get(f"{watcher.url}/api/v1/status", timeout=10).json()["models"].get("wrong", 0)
        if found < LIARS:
            sys.stderr.write(f"screenshots.py: the agent has found {found} of {LIARS} models that lie\n")
            return 1
        for picture in take(stack.enter_context(chromium()), watcher.url):
            progress.update(step, description=picture, advance=1)
    return 0


def take(browser: Browser, url: str) -> Iterator[str]:
    """Write the pictures, and tell each."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    wanted = [(f"{name}-{width}", path, width, False) for name, path in PAGES.items() for width in (DESK, PHONE)]
    with Visitor(browser) as visitor:
        for name, path, width, dark in [*wanted, (f"overview-dark-{DESK}", paths.OVERVIEW, DESK, True)]:
            page = visitor.open(url + path, width, dark=dark)
            height = min(TALLEST[width], page.evaluate("document.documentElement.scrollHeight"))
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=IMAGES / f"{name}.png", scale="css", animations="disabled")
            yield f"{name}.png"


if __name__ == "__main__":
    sys.exit(main())
