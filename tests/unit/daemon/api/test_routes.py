"""The JSON API over real sockets: what each path answers, with all names that a server may have."""

from __future__ import annotations

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.alert_pages import AT
from support.api import NEVER_POLLED, TARGET, full_state, get, path_of, served
from synthetic_state import HOSTILE, SyntheticState, names, state_of
from triton_watch.daemon.app import SECURITY_HEADERS
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.records import Target

LISTS = ("targets", "models", "findings", "slo", "canaries")
PATHS = ("/status", *(f"/{name}" for name in LISTS), "/alerts", path_of(whole(TARGET), "ranker"), "/openapi.json")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An agent of which every kind of fact is known, with hostile names."""
    with served(full_state()) as where:
        yield where


@pytest.fixture(scope="module")
def large() -> Iterator[str]:
    """An agent that watches a thousand models."""
    with served(full_state(names(1000), "triton")) as where:
        yield where


def read(url: str) -> Any:
    answer = get(url)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_constant=pytest.fail)


def said(answer: requests.Response, status: int) -> str:
    """The sentence of an answer that is an error of this status, which has nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert list(answer.json()) == ["error"]
    sentence = str(answer.json()["error"])
    assert sentence.endswith(".")
    assert sentence.isprintable()
    return sentence


# What each path answers


@pytest.mark.parametrize("path", PATHS)
def test_every_path_answers_json_that_says_its_version_and_its_time(url: str, path: str) -> None:
    answer = get(url + path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.text.endswith("}\n")
    if path != "/openapi.json":
        assert (answer.json()["version"], answer.json()["at"]) == (1, "2026-11-28T00:36:12.250Z")


@pytest.mark.parametrize("path", [*PATHS, "/models?limit=0", "/nothing"])
def test_every_answer_has_the_headers_of_the_agents_other_pages(url: str, path: str) -> None:
    headers = get(url + path).headers
    assert all(headers[name] == value for name, value in SECURITY_HEADERS.items() if name != "Cache-Control")


def test_the_whole_has_its_verdict_and_its_targets(url: str) -> None:
    status = read(f"{url}/status")
    assert status["sentence"].endswith(".")
    assert {one["name"] for one in status["targets"]} == {whole(TARGET), NEVER_POLLED}


def test_targets_are_whole_and_their_number_is_told(url: str) -> None:
    page = read(f"{url}/targets")
    assert (page["total"], page["offset"], page["limit"]) == (2, 0, 100)
    assert {one["brief"]["name"] for one in page["targets"]} == {whole(TARGET), NEVER_POLLED}


def test_the_last_hour_of_models_comes_where_it_is_asked_for(url: str) -> None:
    assert all(one["recent"] is None for one in read(f"{url}/models")["models"])
    assert all(one["recent"] is None for one in read(f"{url}/models?recent=false")["models"])
    told = read(f"{url}/models?recent=true")["models"][0]["recent"]
    assert len(told["request_rate"]) == len(told["queue_time"]) == 60


def test_a_model_is_that_of_its_latest_version_unless_one_is_asked_for(url: str) -> None:
    path = url + path_of(whole(TARGET), "ranker")
    assert read(path)["brief"]["version"] == "2"
    assert read(f"{path}?version=1")["brief"]["version"] == "1"
    assert [one["version"] for one in read(path)["versions"]] == ["1", "2"]


def test_a_version_that_there_is_not_names_those_that_there_are(url: str) -> None:
    path = url + path_of(whole(TARGET), "ranker")
    for query in ("?version=3", "?namespace=other", "?version=1&namespace=other"):
        assert said(get(path + query), 404).endswith("; its versions are: 1 and 2.")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("findings?severity=error", {"error"}),
        ("findings?severity=info&model=ranker", set()),
        ("slo?slo=availability&verdict=no_data", set()),
        ("canaries?verdict=failing", {"failing"}),
        ("canaries?verdict=passing", set()),
        ("models?standing=ok", set()),
    ],
)
def test_filters_leave_what_matches(url: str, query: str, found: set[str]) -> None:
    page, name = read(f"{url}/{query}"), query.partition("?")[0]
    rows = page["budgets" if name == "slo" else name]
    assert {one.get("severity", one.get("verdict", one.get("standing"))) for one in rows} == found
    assert page["total"] == len(rows)


def test_budgets_of_one_objective_are_asked_for(url: str) -> None:
    assert {one["slo"] for one in read(f"{url}/slo?slo=availability")["budgets"]} == {"availability"}


def test_standings_may_come_with_commas_or_again_and_again(url: str) -> None:
    every = read(f"{url}/models")["total"]
    words = [*read(f"{url}/models")["counts"]]
    assert read(f"{url}/models?standing={','.join(words)}")["total"] == every
    assert read(f"{url}/models?{'&'.join(f'standing={word}' for word in words)}")["total"] == every
    assert read(f"{url}/models?standing={words[0]},{words[2]}&standing={words[3]}")["total"] < every


def test_models_are_searched_for_in_capitals_or_not(url: str) -> None:
    assert {one["name"] for one in read(f"{url}/models?search=RANK")["models"]} == {"ranker"}
    assert {one["name"] for one in read(f"{url}/models?search=GRÖSSE")["models"]} == {"größe/模型/🜁"}


# Names


@pytest.mark.parametrize("name", [*HOSTILE, "ranker"])
def test_a_model_of_any_name_is_found_by_its_path(url: str, name: str) -> None:
    """Slashes, quotes, control characters; of half a character there is nothing that a path can say."""
    page = read(url + path_of(whole(TARGET), whole(name)))
    assert (page["brief"]["target"], page["brief"]["name"]) == (whole(TARGET), whole(name))


@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
@pytest.mark.parametrize("path", ["findings", "slo", "canaries"])
def test_a_model_of_any_name_is_found_by_a_filter(url: str, path: str, name: str) -> None:
    answer = requests.get(f"{url}/{path}", {"model": whole(name), "target": whole(TARGET)}, timeout=10)
    page = answer.json()
    assert page["total"] >= 1
    assert {one["model"] for one in page["budgets" if path == "slo" else path]} == {whole(name)}


def test_all_that_lists_tell_can_be_asked_for_one_by_one(url: str) -> None:
    rows = read(f"{url}/models")["models"]
    assert len(rows) == len(HOSTILE) + 2
    for one in rows:
        page = read(f"{url}{path_of(one['target'], one['name'])}?version={one['version']}")
        assert page["brief"]["name"] == one["name"]


def raw(url: str, path: bytes) -> bytes:
    """The body of an answer to a path that no client library would send."""
    host, port = url.removeprefix("http://").partition("/")[0].rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(b"GET /api/v1%b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
        return b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")[2]


# What there is not


@pytest.mark.parametrize(
    "path",
    ["/", "/statuss", "/status/", "/models/", "/models/x", "/models/x/y/z", "/models/a/b/", "/models%2Fx%2Fy",
     "/%6Dodels%2Fx/y/z", "/openapi.yaml", "/%00%0d%0aX:%20y", "/%ff", "/%ed%a0%80", "/" + "x" * 5000],
)  # fmt: skip
def test_a_path_that_there_is_not_is_404_and_says_where_to_look(url: str, path: str) -> None:
    sentence = json.loads(raw(url, path.encode()))["error"]
    assert sentence.startswith("There is nothing at /api/v1/")
    assert sentence.endswith("; /api/v1/openapi.json says what there is.")
    assert sentence.isprintable()
    assert len(sentence) < 200


@pytest.mark.parametrize("target", ["gpu-9", "%00%0d%0aX:%20y", "%ff", "x" * 5000, ""])
def test_a_target_that_there_is_not_is_404_in_one_sentence(url: str, target: str) -> None:
    sentence = said(get(f"{url}/models/{target}/ranker"), 404)
    assert sentence.startswith("There is no target '")
    assert NEVER_POLLED in sentence


@pytest.mark.parametrize("path", ["models", "alerts", "findings", "slo", "canaries"])
def test_a_filter_by_a_target_that_there_is_not_is_404(url: str, path: str) -> None:
    assert said(get(f"{url}/{path}?target=gpu-9"), 404).startswith("There is no target 'gpu-9'; there are: ")


@pytest.mark.parametrize("model", ["rankr", "%00", "%ed%a0%80", "x" * 5000])
def test_a_model_that_there_is_not_is_404_in_one_sentence(url: str, model: str) -> None:
    path = f"{url}{path_of(whole(TARGET), '')}{model}"
    assert "; /api/v1/models lists those that there are." in said(get(path), 404)


@pytest.mark.parametrize("path", ["alerts", "findings", "slo", "canaries"])
def test_a_filter_by_a_model_that_there_is_not_is_404_and_says_which_was_meant(path: str) -> None:
    with served(state_of(names(3))) as url:
        sentence = said(get(f"{url}/{path}?model=model_0001"), 404)
        assert sentence.startswith("There is no model 'model_0001' (did you mean 'model_00001'?); ")
        sentence = said(get(f"{url}/{path}?model=x&target=triton"), 404)
        assert sentence.startswith("There is no model 'x' on target 'triton'; ")


@pytest.mark.parametrize("path", ["alerts", "findings", "slo", "canaries"])
def test_a_model_of_which_there_is_nothing_to_tell_is_an_empty_list(path: str) -> None:
    state = state_of(names(3))
    state.canary_states = {}
    with served(state) as url:
        assert read(f"{url}/{path}?model=model_00001")[{"slo": "budgets"}.get(path, path)] == []


@pytest.mark.parametrize("path", ["findings", "canaries"])
def test_while_nothing_was_polled_a_target_may_have_any_model(url: str, path: str) -> None:
    assert read(f"{url}/{path}?model=new&target={NEVER_POLLED}")[path] == []


def test_an_objective_that_there_is_not_is_404_and_names_those_that_there_are(url: str) -> None:
    sentence = said(get(f"{url}/slo?slo=availabilty"), 404)
    assert sentence.startswith("There is no objective 'availabilty'; there are: availability, ")


# Manners


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/models", "/models/a/b", "/nothing", "/openapi.json"])
def test_other_methods_are_405_in_one_sentence(url: str, method: str, path: str) -> None:
    answer = requests.request(method, url + path, timeout=10)
    assert said(answer, 405) == "Only GET and HEAD are answered here."
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", [*PATHS, "/models?limit=0", "/models/x/y"])
def test_head_has_the_headers_of_get_and_no_body(url: str, path: str) -> None:
    whole_one, head = get(url + path), requests.head(url + path, timeout=10)
    assert (head.status_code, head.content) == (whole_one.status_code, b"")
    assert {**head.headers, "Date": ""} == {**whole_one.headers, "Date": ""}


@pytest.mark.parametrize("path", ["/models", "/openapi.json"])
def test_gzip_is_sent_to_whoever_takes_it(url: str, path: str) -> None:
    with requests.get(url + path, headers={"Accept-Encoding": "gzip"}, timeout=10, stream=True) as answer:
        body = answer.raw.read(decode_content=False)
    plain = get(url + path, **{"Accept-Encoding": "identity"})
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(body) == plain.content
    assert len(body) < len(plain.content) / 2
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in get(url + path, **{"Accept-Encoding": "gzip;q=0"}).headers


def test_what_fits_a_packet_is_not_compressed() -> None:
    with served(SyntheticState({})) as url:
        answer = get(f"{url}/models", **{"Accept-Encoding": "gzip"})
        assert len(answer.content) < 1024
        assert "Content-Encoding" not in answer.headers


def test_before_anything_was_polled_every_list_is_empty_and_the_status_says_so() -> None:
    with served(SyntheticState({}, first_done=False)) as url:
        assert all(read(f"{url}/{name}")["total"] == 0 for name in LISTS)
        assert read(f"{url}/status")["agent"]["first_cycle_done"] is False


# Paging


@pytest.mark.parametrize(("name", "total"), [("models", 1000), ("findings", 1000), ("slo", 4000), ("canaries", 1000)])
def test_pages_of_a_list_are_the_list(large: str, name: str, total: int) -> None:
    rows = "budgets" if name == "slo" else name
    first, second = read(f"{large}/{name}"), read(f"{large}/{name}?offset=100&limit=150")
    assert (first["total"], first["offset"], first["limit"], len(first[rows])) == (total, 0, 100, 100)
    assert (second["offset"], second["limit"], len(second[rows])) == (100, 150, 150)
    assert read(f"{large}/{name}?limit=250")[rows] == first[rows] + second[rows]


@pytest.mark.parametrize("name", LISTS)
def test_an_offset_behind_the_end_is_an_empty_page_that_tells_the_total(large: str, name: str) -> None:
    page = read(f"{large}/{name}?offset=1000000000")
    assert page["total"] > 0
    assert page["budgets" if name == "slo" else name] == []


def test_a_thousand_models_are_one_page_where_that_is_asked_for(large: str) -> None:
    assert len(read(f"{large}/models?limit=1000&recent=true")["models"]) == 1000


# Many readers


class Slow(SyntheticState):
    """Counts how often an answer was made: each asks for the targets."""

    made = 0

    def targets(self) -> Mapping[str, Target]:
        self.made += 1
        return super().targets()


def test_many_readers_at_once_are_few_makings() -> None:
    """Four threads of the server answer fifty readers: what one makes is the others'."""
    state = Slow(state_of(names(300)).polled)
    with served(state, kept=60.0) as url:
        read(f"{url}/targets")
        once = state.made
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(get, [f"{url}/targets"] * 200))
        assert {one.content for one in answers} == {answers[0].content}
        assert state.made == once
        read(f"{url}/targets?limit=7")
        assert state.made == 2 * once


def test_an_answer_that_failed_is_500_in_one_sentence_and_made_anew() -> None:
    class Broken(SyntheticState):
        works = False

        def targets(self) -> Mapping[str, Target]:
            if not self.works:
                raise RuntimeError("it broke")
            return super().targets()

    state = Broken(state_of(names(3)).polled)
    with served(state, kept=60.0) as url:
        assert said(get(f"{url}/targets"), 500) == "The agent failed to make this page; its log says why."
        state.works = True
        assert read(f"{url}/targets")["total"] == 1


def test_the_time_of_an_answer_is_that_of_its_making(url: str) -> None:
    assert read(f"{url}/status")["at"] == "2026-11-28T00:36:12.250Z"
    with served(full_state(), AT + 1.0) as later:
        assert read(f"{later}/status")["at"] == "2026-11-28T00:36:13.250Z"
