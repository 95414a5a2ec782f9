"""What `top` reads of an agent and of servers, and how it says that there is nothing to read."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from support.alert_pages import AT
from support.api import full_state, served
from support.fake_triton import FakeTriton
from support.misbehaving import Server, http_answer, target_at
from support.web_access import PASSWORD, TLS, USERS, web_file
from support.web_access import served as guarded
from synthetic_state import names
from triton_watch.cli.agent_client import AgentClient, AgentError, NotThereError
from triton_watch.cli.top.fetching import Fetching
from triton_watch.cli.top.servers import ServerSource
from triton_watch.cli.top.sources import WITH_RECENT, AgentSource, Seen, UnheardError
from triton_watch.cli.top.view import ModelId, id_of
from triton_watch.daemon.api.routes import api_routes
from triton_watch.daemon.app import Route, plain
from triton_watch.daemon.facts.coding import as_json
from triton_watch.daemon.facts.reading import from_json
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.facts.status import Status
from triton_watch.daemon.telling.status import status
from triton_watch.records import Credentials, Settings, TlsSettings
from unit.cli.top.looks import seen_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.misbehaving import Connection
    from synthetic_state import SyntheticState
    from triton_watch.daemon.app import Request, Response
    from triton_watch.daemon.facts.model import ModelDetail

PATIENCE = 5.0


@contextmanager
def agent_of(state: SyntheticState) -> Iterator[AgentSource]:
    with served(state) as api:
        source = AgentSource(AgentClient(api.removesuffix("/api/v1")))
        try:
            yield source
        finally:
            source.close()


# An agent


def test_an_agent_tells_what_its_builders_make_whatever_names_are() -> None:
    with agent_of(full_state()) as source:
        seen = source.read()
        expected = seen_of(full_state())
        assert seen.models == expected.models
        assert (seen.status.sentence, seen.is_heard) == (expected.status.sentence, True)
        for one in seen.models:
            detail = source.detail(id_of(one))
            assert detail is not None
            assert (detail.brief.name, detail.brief.version) == (one.name, one.version)


def test_of_many_models_all_are_told_once_and_the_worst_with_their_last_hour() -> None:
    with agent_of(full_state(names(1500), "gpu-7")) as source:
        models = source.read().models
    assert len({id_of(one) for one in models}) == len(models) == 1500
    assert [one.recent is not None for one in models] == [True] * WITH_RECENT + [False] * (1500 - WITH_RECENT)
    assert [one.standing.rank for one in models] == sorted(one.standing.rank for one in models)


def test_a_model_that_there_is_not_has_no_details() -> None:
    with agent_of(full_state()) as source:
        assert source.detail(ModelId("no/such", "model", "1", "")) is None


def test_an_agent_that_has_polled_nothing_yet_is_not_heard() -> None:
    state = full_state()
    state.polled = {}
    with agent_of(state) as source:
        assert not source.read().is_heard


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"version": 1}', b"[" * 100_000])
def test_what_is_no_answer_of_an_agent_is_said_in_a_sentence(body: bytes) -> None:
    def answers(connection: Connection) -> None:
        connection.read_request()
        connection.send(http_answer(body))

    with Server(answers) as server:
        source = AgentSource(AgentClient(server.url))
        with pytest.raises(UnheardError) as caught:
            source.read()
        source.close()
    assert str(caught.value) == f"what {server.url} answers is not what an agent of this version tells: what is it?"


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", '"inf"', "1" + "0" * 400])
def test_an_answer_with_a_number_that_no_screen_can_show_is_no_answer_of_an_agent(number: str) -> None:
    told = as_json(status(full_state(), AT))
    assert from_json(Status, told).agent.cpu_seconds is not None
    with pytest.raises(ValueError):  # noqa: PT011 - of json or pydantic; who asks takes either
        from_json(Status, re.sub(rb'"cpu_seconds":[^,}]*', f'"cpu_seconds":{number}'.encode(), told))


def test_an_agent_tells_why_a_server_does_not_answer() -> None:
    """A state by hand in which the metrics page came too late, and nothing else came."""
    state = full_state(names(1), "gpu-7")
    snapshot = state.polled["gpu-7"]
    late = {"metrics": replace(snapshot.probes["metrics"], detail="it took 2 s: too long.")}
    state.polled = {"gpu-7": replace(snapshot, probes={**snapshot.probes, **late}, live=None, ready=None, slis=None)}
    with agent_of(state) as source:
        assert source.read().reasons == {"gpu-7": "it took 2 s: too long."}


# Passwords and TLS


def said(client: AgentClient) -> str:
    """The one sentence of an error."""
    with client, pytest.raises(AgentError) as caught:
        client.get("/api/v1/status", "status")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_password_opens_what_is_closed_without_one(tmp_path: Path) -> None:
    with guarded(web_file(tmp_path, USERS), api_routes(full_state())) as agent:
        url = agent.url
        with AgentClient(url, Credentials(username="reader", password=PASSWORD)) as client:
            assert client.get("/api/v1/status", "status").startswith(b"{")
        wants = f"the agent at {url} wants a user and a password (HTTP 401): give --agent-user and "
        assert said(AgentClient(url)) == f"{wants}--agent-password-file."
        wrong = said(AgentClient(url, Credentials(username="reader", password="no")))
        assert (
            wrong
            == f"the agent at {url} refuses this user or password (HTTP 401): check --agent-user and the password."
        )


def test_tls_is_spoken_with_the_ca_that_is_given_and_its_faults_are_said_in_words_of_the_flags(tmp_path: Path) -> None:
    with guarded(web_file(tmp_path, TLS), api_routes(full_state())) as agent:
        with AgentClient(agent.url, tls=TlsSettings(ca_file=tmp_path / "ca.pem")) as client:
            assert client.get("/api/v1/status", "status").startswith(b"{")
        text = said(AgentClient(agent.url))
        assert text.startswith(f"the agent at {agent.url} has a certificate that is refused: ")
        assert "--agent-ca" in text
        missing = said(AgentClient(agent.url, tls=TlsSettings(ca_file=tmp_path / "none.pem")))
        assert f"--agent-ca ({tmp_path / 'none.pem'}) could not be read" in missing


def test_plain_http_where_tls_was_meant_is_said_to_be_that() -> None:
    with served(full_state()) as api:
        url = api.removesuffix("/api/v1").replace("http://", "https://")
        hint = "if it speaks plain HTTP, write http:// in its URL."
        assert said(AgentClient(url)) == f"the agent at {url} did not speak TLS in time: {hint}"


def test_https_where_plain_http_was_meant_is_said_to_be_that(tmp_path: Path) -> None:
    with guarded(web_file(tmp_path, TLS), api_routes(full_state())) as agent:
        url = agent.url.replace("https://", "http://")
        assert said(AgentClient(url)) == f"what listens at {url} speaks TLS: write https:// in its URL."


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (HTTPStatus.FORBIDDEN, "Ask the\x1b[31m\nteam of gpu-7.", "it says 'Ask the\ufffd[31m team of gpu-7'."),
        (HTTPStatus.FORBIDDEN, '{"error": "not for you."}', "it says 'not for you'."),
        (HTTPStatus.BAD_REQUEST, "x" * 999, f"it says '{'x' * 199}…'."),
        (HTTPStatus.BAD_REQUEST, "", "if it is an agent, its log says why."),
        (HTTPStatus.BAD_REQUEST, '{"code": 7}', "if it is an agent, its log says why."),
        (HTTPStatus.BAD_REQUEST, "<html>no</html>", "if it is an agent, its log says why."),
        (HTTPStatus.BAD_GATEWAY, "not for you", "if it is an agent, its log says why."),
    ],
)
def test_what_a_refusal_says_is_passed_on_in_one_clipped_sentence(status: HTTPStatus, body: str, why: str) -> None:
    routes = [Route("/api/v1/status", lambda _: plain(status, body))]
    with guarded(None, routes) as agent:
        assert said(AgentClient(agent.url)) == f"what answers at {agent.url} tells no status (HTTP {status:d}): {why}"


def test_what_an_agent_says_itself_is_its_own_sentence_as_text_or_as_json() -> None:
    def text(_: Request) -> Response:
        return plain(HTTPStatus.NOT_FOUND, "There is no target 'x'; there are: y.")

    with guarded(None, [Route("/text", text), *api_routes(full_state())]) as agent, AgentClient(agent.url) as client:
        for path in ("/text", "/api/v1/models/x/y"):
            with pytest.raises(NotThereError, match=r"^There is no target"):
                client.get(path, "targets")
        for path in ("/elsewhere", "/api/v1/elsewhere"):
            with pytest.raises(AgentError, match="is no agent of this version"):
                client.get(path, "targets")


# Servers without an agent


def test_a_server_is_polled_without_an_agent_and_told_as_an_agent_tells() -> None:
    with Server(FakeTriton()) as server:
        source = ServerSource(Settings((target_at(server.url),)), 0.2)
        source.settle()
        seen = source.read()
        assert seen.is_heard
        assert "matmul" in {one.name for one in seen.models}
        detail = source.detail(id_of(next(one for one in seen.models if one.name == "matmul")))
        assert detail is not None
        assert detail.configuration is not None
        assert source.close()


def test_a_server_that_does_not_answer_is_told_of_and_not_heard() -> None:
    source = ServerSource(Settings((target_at("http://127.0.0.1:1"),)), 0.2)
    source.settle()
    seen = source.read()
    assert not seen.is_heard
    assert seen.status.standing is not Standing.OK
    assert "refused the connection" in seen.reasons["test"]
    assert source.close()


# In a thread


class Scripted:
    """A source that waits for a sign before each answer, and answers what it is told to."""

    where, has_alerts, settles = "it", True, False

    def __init__(self) -> None:
        self.sign = threading.Semaphore(0)
        self.answer: Seen | Exception = seen_of()
        self.reads = 0

    def settle(self) -> None:
        return

    def read(self) -> Seen:
        self.reads += 1
        assert self.sign.acquire(timeout=PATIENCE)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def detail(self, model: ModelId) -> ModelDetail | None:
        del model
        return None

    def close(self) -> bool:
        return True


class Watched:
    """A fetching of a scripted source whose answers can be waited for."""

    def __init__(self, interval: float) -> None:
        self.source = Scripted()
        self.woken = threading.Semaphore(0)
        self.fetching = Fetching(self.source, interval, self.woken.release)
        self.fetching.start()

    def answered(self) -> None:
        self.source.sign.release()
        assert self.woken.acquire(timeout=PATIENCE)


def test_the_last_answer_stays_when_the_next_question_has_none() -> None:
    one = Watched(interval=60.0)
    one.answered()
    first = one.fetching.latest
    assert (first.seen, first.problem) == (one.source.answer, "")
    for error, problem in (
        (UnheardError("it is gone."), "it is gone."),
        (KeyError("x"), "this is a fault of triton-watch itself: KeyError: 'x'"),
    ):
        one.source.answer = error
        one.fetching.refresh()
        one.answered()
        assert (one.fetching.latest.seen, one.fetching.latest.heard_at) == (first.seen, first.heard_at)
        assert one.fetching.latest.problem == problem
    assert one.fetching.stop(PATIENCE)


def test_nothing_is_asked_while_it_is_paused_unless_somebody_wants_it() -> None:
    one = Watched(interval=0.01)
    one.fetching.pace(0.01, is_paused=True)
    one.answered()
    assert not one.woken.acquire(timeout=0.1)
    reads = one.source.reads
    one.fetching.refresh()
    one.answered()
    assert one.source.reads == reads + 1
    assert one.fetching.stop(PATIENCE)


def test_details_come_before_the_rest_of_the_answers() -> None:
    one = Watched(interval=60.0)
    one.answered()
    model = id_of(seen_of().models[0])
    one.fetching.look_at(model)
    assert one.woken.acquire(timeout=PATIENCE)
    assert one.fetching.latest.detail_of == model
    one.answered()
    assert one.fetching.stop(PATIENCE)


def test_an_answer_that_hangs_does_not_keep_it_from_ending() -> None:
    one = Watched(interval=60.0)
    assert not one.fetching.stop(0.05)
    one.source.sign.release()
    assert one.fetching.stop(PATIENCE)
