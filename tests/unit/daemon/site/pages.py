"""Asks the site for pages over the WSGI application, and reads them as a browser would."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from triton_watch.daemon.app import App
from triton_watch.daemon.site.routes import site_routes

if TYPE_CHECKING:
    from synthetic_state import SyntheticState
    from triton_watch.daemon.app import Route

NOW = 1_700_000_010.0
BLOCKS = {"td", "th", "dt", "dd", "li", "p", "div", "h2", "h3"}
VOID = {"meta", "link", "input", "br", "rect", "path"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode()

    def all(self, tag: str) -> list[Element]:
        """All elements of that name, in order, with all text that is inside."""
        return [one for one in Reader.read(self.text) if one.tag == tag]

    def words(self) -> str:
        """The text of the whole page, spaces made one."""
        return " ".join(next(one for one in Reader.read(self.text) if one.tag == "body").text.split())


class Reader(HTMLParser):
    """Elements with their text; fails where end tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.open: list[Element] = []

    @classmethod
    def read(cls, text: str) -> list[Element]:
        reader = cls()
        reader.feed(text)
        assert reader.open == []
        return reader.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = Element(tag, {name: value or "" for name, value in attrs})
        self.found.append(one)
        if tag not in VOID:
            self.open.append(one)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag == "rect":  # one with a title inside
            return
        if tag in BLOCKS:
            self.handle_data(" ")
        last = self.open.pop()
        assert last.tag == tag, (last, tag)

    def handle_data(self, data: str) -> None:
        for one in self.open:
            one.text += data


def app_of(state: SyntheticState, now: float = NOW, others: tuple[Route, ...] = ()) -> App:
    return App(site_routes(state, lambda: now, others))


def ask(app: App | SyntheticState, uri: str, method: str = "GET", **headers: str) -> Answer:
    """The answer to a request; `uri` is as a browser sends it."""
    path, _, query = uri.partition("?")
    seen: dict[str, object] = {}

    def start(status: str, given: list[tuple[str, str]], *_: object) -> object:
        seen.update(status=int(status[:3]), headers=dict(given))
        return None

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/{unquoted(path).lstrip('/')}",  # as waitress gives it
        "QUERY_STRING": query,
        "REQUEST_URI": uri,
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    whole = app if isinstance(app, App) else app_of(app)
    body = b"".join(whole(environ, start))  # type: ignore[arg-type]  # a start_response without a writer
    return Answer(seen["status"], seen["headers"], body)  # type: ignore[arg-type]  # as put there above


def unquoted(path: str) -> str:
    return unquote_to_bytes(path).decode("latin-1")
