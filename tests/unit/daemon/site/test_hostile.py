"""Names and texts of a server's that are out to do harm: they are shown, and do none."""

import re
from dataclasses import replace
from urllib.parse import urljoin

import pytest

from synthetic_state import HOSTILE, names
from triton_watch.records import AlertSettings, ModelKey
from unit.daemon.site.pages import Answer, Reader, app_of, ask
from unit.daemon.site.rich import TARGET, rich_state

EVIL = (
    *HOSTILE,
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "`</code><b>`",
    "{% raw %}{{ 7 * 7 }}",
    "..",
    "a?b#c",
    "x" * 5000,
    "ü" * 127,
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
)
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
PAGES = ("/", "/targets/", f"/targets/{TARGET}", "/alerts", "/findings", "/slo", "/agent")
MODELS = ("/models/triton/model_00000", "/models/triton/model_00002")
TAGS = {one.tag for page in (*PAGES, *MODELS) for one in Reader.read(ask(rich_state(), page).text)}


@pytest.mark.parametrize("text", EVIL)
def test_no_text_gets_out_of_its_place(text: str) -> None:
    """Elements stay those of the templates, control characters stay outside, and every model's page can be reached."""
    key = ModelKey(text, "1")
    app = app_of(rich_state((key, *names(2)), text))
    for page in PAGES:
        check(ask(app, page))
    overview = ask(app, "/")
    links = [one.attributes["href"] for one in overview.all("a") if one.attributes.get("class") == "strong"]
    ours = [link for link in links if "/models/" in link and "model_0" not in link]
    if text != ".." and len(text) < 256:  # browsers take the one for the folder above; no folder has the other name
        answers = [ask(app, urljoin("http://x/", link).removeprefix("http://x")) for link in ours]
        assert [one.status for one in answers] == [200]
        check(answers[0])


def check(answer: Answer) -> None:
    assert answer.status == 200
    assert CONTROL.search(answer.text) is None
    found = Reader.read(answer.text)
    assert {one.tag for one in found} <= TAGS
    for one in found:
        assert not any(name.startswith("on") for name in one.attributes)
        for name in ("href", "src", "action"):
            assert not one.attributes.get(name, "").lower().startswith(("javascript", "//", "/")), one


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil", "ftp://x/", "http:"])
def test_only_links_for_browsers_become_links(url: str) -> None:
    state = rich_state()
    settings = AlertSettings(runbook_url=url, dashboard_url=url)
    state.alert_view = replace(state.alert_view, settings=settings)
    for page in ("/alerts", "/models/triton/model_00000", "/targets/triton"):
        for one in ask(state, page).all("a"):
            assert url not in one.attributes["href"], one
            assert one.attributes["href"].startswith(("./", "../", "#", "?")), one


@pytest.mark.parametrize(
    "query", ["?search=%3Cscript%3E", "?search=%00%0a", "?search=%ff", "?%3Cscript%3E=1", "?target=%22%3E%3Cimg%3E"]
)
def test_what_was_asked_for_is_escaped_where_it_is_shown_again(query: str) -> None:
    answer = ask(rich_state(), f"/{query}")
    assert answer.status in (200, 400, 404)
    assert CONTROL.search(answer.text) is None
    assert {one.tag for one in Reader.read(answer.text)} <= TAGS
    assert len(answer.all("script")) == 1
