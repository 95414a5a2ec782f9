"""The JSON API of an agent on a real Triton: schemathesis asks it everything that its document allows, and more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.agent import Agent
from support.api_schema import each_case
from triton_watch.daemon.api.openapi import document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

    from triton_watch.demo import EmbeddedTriton

MODELS = ("ranker", "lies_nan", "search_pipeline", "fails_honestly")


@pytest.fixture(scope="module")
def agent(triton: EmbeddedTriton, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that has seen its canaries fail and pass."""
    folder = tmp_path_factory.mktemp("agent")
    file = folder / "triton-watch.yaml"
    agent = Agent(folder, "--config", str(file), "--state", str(folder / "state"), start=False)
    urls = {"url": triton.http_url, "grpc": triton.grpc_address, "metrics_url": triton.metrics_url}
    settings: dict[str, Any] = {
        "targets": [{"name": "t", **urls, "interval": "1s", "timeouts": {"total": "900ms"}}],
        "web": {"listen": agent.listen},
        "canary": {"interval": "2s", "timeout": "1500ms"},
    }
    file.write_text(json.dumps(settings))
    agent.start()
    try:
        agent.wait_ready()
        agent.wait(lambda: verdict(agent, "lies_nan") == "failing" and verdict(agent, "ranker") == "passing")
        yield agent
        assert agent.process.poll() is None, agent.log
        assert "Answering" not in agent.log, "a request was answered with HTTP 500"
    finally:
        agent.end()


def verdict(agent: Agent, model: str) -> str:
    rows = agent.get("/api/v1/canaries").json()["canaries"]
    return next((str(one["verdict"]) for one in rows if one["model"] == model), "")


@each_case(target=["t"], model=MODELS)
def test_no_answer_of_a_real_agent_is_against_the_document(agent: Agent, case: Case[Any]) -> None:
    case.call_and_validate(base_url=agent.url)


def test_the_agent_serves_the_document_of_its_version(agent: Agent) -> None:
    assert agent.get("/api/v1/openapi.json").json() == document()


def test_every_model_of_the_list_has_its_own_answer(agent: Agent) -> None:
    rows = agent.get("/api/v1/models").json()["models"]
    assert len(rows) >= len(MODELS)
    for one in rows:
        whole = agent.get(f"/api/v1/models/t/{one['name']}?version={one['version']}")
        assert whole.status_code == 200, whole.text
        assert whole.json()["brief"]["name"] == one["name"]


def test_the_liar_stands_before_the_healthy_one(agent: Agent) -> None:
    names = [one["name"] for one in agent.get("/api/v1/models").json()["models"]]
    assert names.index("lies_nan") < names.index("ranker")
