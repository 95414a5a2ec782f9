"""Debian's Chromium in the hands of a test, and all that its pages complain of.

with chromium() as browser, Visitor(browser) as visitor:
    page = visitor.open(url, width=390)

The end of the `with` fails when a page had an error: in its script, on its console, by its content security
policy, in a request, or a dialog that nobody asked for.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from support.debian import browser as browser_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, Response
    from typing_extensions import Self

PHONE: Final = 390
DESK: Final = 1440
"""Widths of windows, in CSS pixels."""
HEIGHTS: Final = {PHONE: 844, DESK: 900}
PATIENCE: Final = 15_000.0
"""Milliseconds that anything in a page may take."""
LEFT: Final = "net::ERR_ABORTED"
"""A request whose page was left."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run it without a screen. Asyncio of this thread is taken until its end."""
    program = browser_program()
    assert program, "chromium is missing: python tests/support/debian.py chromium (or `make test`) gets it"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield running
        finally:
            running.close()


class Visitor:
    """Opens pages, each in a profile of its own. `complaints` is what went wrong in them so far."""

    def __init__(self, browser: Browser) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def open(self, url: str, width: int = DESK, *, dark: bool = False, javascript: bool = True) -> Page:
        """A page in a window of this width (CSS pixels), once it is loaded."""
        context = self._browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
            has_touch=width == PHONE,
            locale="en-GB",
            timezone_id="UTC",
        )
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("console", self._console)
        context.on("weberror", lambda error: self._complain(error.page, str(error.error)))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("dialog", self._dialog)
        page = context.new_page()
        page.goto(url)
        return page

    def forgive(self, pattern: str) -> None:
        """Forget complaints about what the test itself has brought about."""
        self.complaints = [one for one in self.complaints if not re.search(pattern, one)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for context in self._contexts:
            context.close()
        assert not self.complaints or error, "\n".join(self.complaints)

    def _complain(self, page: Page | None, words: str) -> None:
        self.complaints.append(f"{page.url}: {words}" if page else words)

    def _console(self, message: ConsoleMessage) -> None:
        self._complain(message.page, f"console ({message.type}): {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != LEFT:
            self._complain(None, f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._complain(None, f"{response.url} has status {response.status}")

    def _dialog(self, dialog: Dialog) -> None:
        self._complain(dialog.page, f"a dialog says {dialog.message!r}")
        dialog.dismiss()
