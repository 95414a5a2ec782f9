"""What may stand after the question mark: each parameter of each endpoint, good and bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.api import full_state, path_of, served
from synthetic_state import names
from triton_watch.daemon.api import parameters as of
from triton_watch.daemon.api.endpoints import ENDPOINTS
from triton_watch.daemon.api.errors import RefusedError
from triton_watch.daemon.api.parameters import asked_of
from triton_watch.daemon.facts.standing import Standing
from triton_watch.records import AlertPhase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.daemon.api.parameters import Parameter

EVERY = {one.path: [parameter.name for parameter in one.parameters] for one in ENDPOINTS}
GOOD = {
    "target": ["triton"],
    "model": ["model_00001"],
    "slo": ["availability"],
    "standing": ["wrong", "wrong,ok"],
    "search": ["m", "%00", "%ff"],
    "recent": ["true", "false"],
    "version": ["1"],
    "phase": ["firing"],
    "severity": ["error"],
    "verdict": [],
    "offset": ["0", "1000000000"],
    "limit": ["1", "1000"],
}
BAD = {
    "target": ["", "x"],
    "model": ["", "x"],
    "slo": ["", "x"],
    "standing": ["", "bad", "wrong,", ",", "wrong,bad", "WRONG", "wrong ok"],
    "search": [""],
    "recent": ["", "1", "yes", "True", "null"],
    "version": ["", "9"],
    "namespace": ["", "x"],
    "phase": ["", "inactive", "Firing"],
    "severity": ["", "fatal"],
    "verdict": ["", "good"],
    "offset": ["", "-1", "1.0", "1e3", "x", "%2B1", "1_0", "%EF%BC%91", "01", "1000000001", "9" * 5000],
    "limit": ["", "0", "1001", "-1", "all", " 1"],
}
CASES = [(path, name, value) for path, known in EVERY.items() for name in known for value in BAD[name]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    state = full_state(names(3), "triton")
    state.unpolled = {}  # it might have any model
    with served(state) as where:
        yield where


def ask(url: str, path: str, query: str) -> requests.Response:
    path = path_of("triton", "model_00001") if "{" in path else path
    return requests.get(f"{url}{path}?{query}", timeout=10)


def said(answer: requests.Response) -> str:
    assert list(answer.json()) == ["error"]
    sentence = str(answer.json()["error"])
    assert sentence.isprintable()
    assert len(sentence) < 500
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [(path, name, value) for path, known in EVERY.items() for name in known for value in GOOD.get(name, [])],
)
def test_what_may_stand_for_a_parameter_is_answered(url: str, path: str, name: str, value: str) -> None:
    assert ask(url, path, f"{name}={value}").status_code == 200


@pytest.mark.parametrize(("path", "name", "value"), CASES)
def test_what_may_not_stand_for_a_parameter_is_said_in_one_sentence(url: str, path: str, name: str, value: str) -> None:
    answer = ask(url, path, f"{name}={value}")
    is_name = name in ("target", "model", "slo", "version", "namespace") and value
    assert answer.status_code == (404 if is_name else 400)
    assert (value[:50] or name) in said(answer) or "%" in value or "," in value


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("query", ["x", "x=1", "=", "targte=triton", "%00=1", "LIMIT=1", "limit%5B%5D=1"])
def test_a_misspelt_parameter_is_no_good_answer(url: str, path: str, query: str) -> None:
    """It says which there are."""
    answer = ask(url, path, query)
    assert answer.status_code == 400
    sentence = said(answer)
    assert sentence.startswith("There is no parameter '")
    assert all(name in sentence for name in EVERY[path])


def test_the_document_takes_no_parameters(url: str) -> None:
    answer = ask(url, "/openapi.json", "pretty")
    assert answer.status_code == 400
    assert said(answer) == "There is no parameter 'pretty'; there are none here."


@pytest.mark.parametrize(
    ("path", "query", "sentence"),
    [
        ("/models", "limit=0", "limit cannot be '0': it is a whole number from 1 to 1000."),
        ("/models", "recent=1", "recent cannot be '1': it is true or false."),
        ("/models", "limit=", "The parameter limit is empty: give a whole number from 1 to 1000, or leave it out."),
        ("/alerts", "phase=", "The parameter phase is empty: give pending, firing or resolved, or leave it out."),
        ("/alerts", "phase=burning", "There is no phase 'burning'; there are: pending, firing, resolved."),
        (
            "/findings",
            "severity=warn",
            "There is no severity 'warn' (did you mean warning?); there are: error, warning, info.",
        ),
        (
            "/alerts",
            "targte=x",
            "There is no parameter 'targte' (did you mean target?); there are: phase, target, model.",
        ),
    ],
)
def test_a_sentence_says_what_is_wrong_and_what_may_stand_there(url: str, path: str, query: str, sentence: str) -> None:
    assert said(ask(url, path, query)) == sentence


PARAMETERS: tuple[Parameter[Any], ...] = (of.TARGET, of.STANDING, of.PHASE, of.OFFSET, of.LIMIT, of.RECENT, of.SEARCH)


def test_what_was_not_sent_is_the_default() -> None:
    asked = asked_of("", PARAMETERS)
    assert (asked[of.TARGET], asked[of.STANDING], asked[of.OFFSET], asked[of.LIMIT]) == (None, (), 0, 100)


def test_what_was_sent_is_read() -> None:
    asked = asked_of("standing=ok,wrong&standing=ok&phase=firing&limit=7&recent=true&target=a%2Fb+c", PARAMETERS)
    assert asked[of.STANDING] == (Standing.OK, Standing.WRONG)
    assert asked[of.PHASE] is AlertPhase.FIRING
    assert (asked[of.LIMIT], asked[of.RECENT], asked[of.TARGET]) == (7, True, "a/b c")


def test_of_several_the_last_one_counts() -> None:
    asked = asked_of("limit=7&limit=8&target=a&target=b", PARAMETERS)
    assert (asked[of.LIMIT], asked[of.TARGET]) == (8, "b")


def test_one_of_several_that_is_empty_is_an_error_all_the_same() -> None:
    with pytest.raises(RefusedError, match="The parameter target is empty"):
        asked_of("target=&target=b", PARAMETERS)


@pytest.mark.parametrize(("one", "other"), [("limit=100&offset=0", ""), ("target=x&limit=7", "limit=7&target=x")])
def test_the_same_question_in_other_words_is_the_same_question(one: str, other: str) -> None:
    """So that its answer is shared."""
    assert asked_of(one, PARAMETERS) == asked_of(other, PARAMETERS)
    assert hash(asked_of(one, PARAMETERS)) == hash(asked_of(other, PARAMETERS))
