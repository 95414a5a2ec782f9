"""Paths that people shorten by hand lead to the page that they mean, on the same agent and behind the same prefix."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from triton_watch.daemon.api.routes import api_routes
from triton_watch.daemon.app import App
from unit.daemon.site.pages import app_of, ask
from unit.daemon.site.rich import rich_state


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/targets", "/targets/"),
        ("/models", "/"),
        ("/models/", "/"),
        ("/models/triton", "/targets/triton"),
        ("/models/a%2Fb%20c", "/targets/a%2Fb%20c"),
        ("/models?x=1", "/"),
    ],
)
def test_a_shortened_path_leads_to_its_page_behind_any_prefix(path: str, page: str) -> None:
    answer = ask(rich_state(), path)
    assert answer.status == 308
    assert urljoin(f"http://x/prefix{path}", answer.headers["Location"]) == f"http://x/prefix{page}"


@pytest.mark.parametrize(
    "path",
    [
        "//targets",
        "//models/evil.example",
        "/models/%2F%2Fevil.example",
        "/models/https:%2F%2Fevil",
        "/models/%5C%5Cevil",
        "/models/a%0D%0ASet-Cookie:%20x=1",
        "/models/..",
    ],
)
def test_no_redirect_leads_to_another_host(path: str) -> None:
    location = ask(rich_state(), path).headers["Location"]
    assert location.startswith(("./", "../"))
    assert location.isascii()
    assert location.isprintable()


def test_pages_themselves_are_not_led_elsewhere() -> None:
    app = app_of(rich_state())
    for path in ("/", "/targets/", "/targets/triton", "/models/triton/model_00000", "/slo"):
        assert ask(app, path).status == 200


def test_the_root_of_the_api_leads_to_its_document() -> None:
    answer = ask(App(api_routes(rich_state())), "/api/v1")
    assert answer.status == 308
    assert urljoin("http://x/prefix/api/v1", answer.headers["Location"]) == "http://x/prefix/api/v1/openapi.json"
