"""ETags and If-None-Match, as RFC 9110 has them: what is the same for whoever asks again, and what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from support.alert_pages import AT
from support.api import TARGET, full_state, get, path_of, served
from synthetic_state import alerts_of
from triton_watch.records import AlertPhase, ModelStatus
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synthetic_state import SyntheticState

MODEL = path_of(whole(TARGET), "ranker")
PATHS = ("/status", "/targets", "/models?recent=true", MODEL, "/alerts", "/findings", "/slo", "/canaries",
         "/openapi.json")  # fmt: skip


@pytest.fixture
def state() -> SyntheticState:
    return full_state()


@pytest.fixture
def url(state: SyntheticState) -> Iterator[str]:
    with served(state) as where:
        yield where


def tag(url: str) -> str:
    answer = get(url)
    assert answer.status_code == 200
    return answer.headers["ETag"]


@pytest.mark.parametrize("path", PATHS)
def test_an_etag_is_weak_and_stays_while_nothing_but_the_time_changes(
    url: str, state: SyntheticState, path: str
) -> None:
    """Nor does it change with the agent's own age, memory and threads."""
    before = tag(url + path)
    assert before.startswith('W/"')
    state.age = 0.75
    state.process = replace(state.process, memory=81_000_000, cpu=12.6, threads=10)
    with served(state, AT + 0.5) as later:
        assert tag(later + path) == before


def test_alerts_that_fire_on_without_their_condition_have_the_same_etag(url: str, state: SyntheticState) -> None:
    """For how long it has not held passes with each evaluation."""
    before = tag(f"{url}/alerts")
    states = tuple(replace(one, unmet=one.unmet + 1.0) for one in state.alert_view.states)
    state.alert_view = replace(state.alert_view, states=states)
    assert tag(f"{url}/alerts") == before


def test_what_changes_gives_another_etag(url: str, state: SyntheticState) -> None:
    paths = ("/status", "/models", "/targets")
    before = [tag(url + path) for path in paths]
    snapshot = state.polled[TARGET]
    models = tuple(replace(one, status=ModelStatus.UNAVAILABLE) for one in snapshot.models or ())
    state.polled = {TARGET: replace(snapshot, models=models, ready=True)}
    after = [tag(url + path) for path in paths]
    assert all(a != b for a, b in zip(before, after, strict=True))


def test_an_alert_that_begins_to_fire_gives_another_etag(url: str, state: SyntheticState) -> None:
    before = tag(f"{url}/alerts")
    first, *rest = alerts_of(AT).states
    state.alert_view = replace(state.alert_view, states=(replace(first, phase=AlertPhase.PENDING), *rest))
    assert tag(f"{url}/alerts") != before


def test_the_etag_is_one_for_all_encodings(url: str) -> None:
    tags = {get(f"{url}/models", **{"Accept-Encoding": one}).headers["ETag"] for one in ("gzip", "identity")}
    assert len(tags) == 1


@pytest.mark.parametrize("path", PATHS)
def test_whoever_has_the_answer_hears_304_without_a_body(url: str, path: str) -> None:
    answer = get(url + path, **{"If-None-Match": tag(url + path)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == tag(url + path)
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-cache", "Accept-Encoding")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not {"Content-Type", "Content-Length", "Content-Encoding"} & set(answer.headers)


FORMS = ("{}", '"x", {}', '{},"x"', 'W/"a, b" , {} , "c"', "*", "{strong}", '"x",{strong}', '"",{}')


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_if_none_match_is_a_list_or_a_star_and_compared_weakly(url: str, form: str, method: str) -> None:
    weak = tag(f"{url}/models")
    sent = form.format(weak, strong=weak.removeprefix("W/"))
    answer = requests.request(method, f"{url}/models", headers={"If-None-Match": sent}, timeout=10)
    assert answer.status_code == 304


@pytest.mark.parametrize("form", ["", '"x"', 'W/"x"', "x", "{bare}", '"*"', '"{bare}x"', 'W/"', '"', '"a", *'])
def test_whoever_has_another_answer_gets_this_one(url: str, form: str) -> None:
    bare = tag(f"{url}/models").removeprefix('W/"').rstrip('"')
    answer = get(f"{url}/models", **{"If-None-Match": form.format(bare=bare)})
    assert answer.status_code == 200
    assert answer.json()["version"] == 1


@pytest.mark.parametrize(("path", "status"), [("/models?limit=0", 400), ("/models/x/y", 404), ("/x", 404)])
def test_an_error_is_no_answer_that_anybody_has(url: str, path: str, status: int) -> None:
    answer = get(url + path, **{"If-None-Match": "*"})
    assert answer.status_code == status
    assert "ETag" not in answer.headers
