"""deploy/compose, its files as they are: a model breaks, and who is to be told is told.

Real Triton, triton-watch, Prometheus and Alertmanager run as compose.yaml says, each in a network namespace and a
read-only root of its own. `pytest -s` shows what happens when; TRITON_WATCH_TIMELINE=FILE writes it down.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from faults.stage import Clients, X
from support import sandbox
from support.canary_models import REPOSITORY, Switch
from support.sandbox_stack import Stack, Timeline
from triton_watch.demo import example_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

LIAR, HONEST, HEALTHY = "ranker", "summarizer", "text_encoder"
"""The first will fail so that Triton counts success, the second so that it counts failures."""
RATIO = "slo_target_model:triton_watch_slo_error_ratio:5m"
WIDTH = 90
"""Of what the timeline shows of a line."""
SPENT = "TritonErrorBudgetBurn"
START = 60.0
DETECT = 150.0
"""Seconds: two canaries of 30 s, a scrape of 15 s, an evaluation of 30 s, and a slow machine."""
RESOLVE = 210.0
"""Seconds: one canary, a scrape, the minute for which the rule keeps firing, an evaluation."""


class Scene:
    """The services, the model that can be broken, and what happened when."""

    def __init__(self, stack: Stack, models: Path, timeline: Timeline) -> None:
        self.stack = stack
        self.models = models
        self.timeline = timeline

    def mood(self, liar: str, honest: str) -> None:
        """How the two models answer from now on; "" is well."""
        Switch(self.models, LIAR).to(liar)
        Switch(self.models, HONEST).to(honest)

    def ask(self, model: str) -> int:
        """What a client gets."""
        url = self.stack.sandbox.url("triton", 8000)
        return requests.post(f"{url}/v2/models/{model}/infer", json={"inputs": [X]}, timeout=10).status_code

    def serving(self, status: int, *models: str) -> str:
        """The agent's verdict in words, when its status is this one and it names these models."""
        found = self.stack.get("triton-watch", "/-/serving")
        return found.text if found.status_code == status and all(one in found.text for one in models) else ""

    def firing(self, *, but: str = "") -> dict[str, set[str]]:
        """The pages that fire in Prometheus, by model; one of them can be left out."""
        found: dict[str, set[str]] = {}
        for labels, _ in self.stack.query(
            f'ALERTS{{alertstate="firing", severity="page"}} unless ALERTS{{alertname="{but}"}}'
        ):
            found.setdefault(labels.get("model", ""), set()).add(labels["alertname"])
        return found

    def told(self, model: str) -> dict[str, dict[str, Any]]:
        """What Alertmanager has about a model, by the name of the alert."""
        return {one["labels"]["alertname"]: one for one in self.stack.alerts() if one["labels"].get("model") == model}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(example_repository() / HEALTHY, folder / HEALTHY)
    for model in (LIAR, HONEST):
        shutil.copytree(REPOSITORY / "switch", folder / model)
        config = folder / model / "config.pbtxt"
        config.write_text(config.read_text().replace('name: "switch"', f'name: "{model}"'))
    return folder


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Scene]:
    """Everything is up, and the verdict is good."""
    sandbox.require(tmp_path_factory.mktemp("probe"))
    timeline = Timeline()
    with Stack(tmp_path_factory.mktemp("stack"), models) as stack:
        scene = Scene(stack, models, timeline)
        timeline.tell(f"started as deploy/compose/compose.yaml says: {', '.join(stack.programs)}")
        for name, why in stack.left_out.items():
            timeline.tell(f"left out: {name} ({why})")
        stack.until(lambda: stack.get("triton", "/v2/health/ready").ok, START, "a ready Triton")
        timeline.tell(f"Triton is ready, with the models {LIAR}, {HONEST} and {HEALTHY}")
        stack.until(lambda: scene.serving(200), START, "the agent's good verdict")
        timeline.tell("the agent says on /-/serving: 200")
        clients = Clients(stack.sandbox.url("triton", 8000), (LIAR, HONEST))
        timeline.tell(f"clients ask {LIAR} and {HONEST} five times a second each")
        yield scene
        clients.close()
        ended = stack.stop()
        timeline.tell(f"all end in good order when they are told to: {ended}")
    if file := os.environ.get("TRITON_WATCH_TIMELINE"):
        Path(file).write_text("\n".join(timeline.lines) + "\n", encoding="utf-8")
    assert set(ended.values()) == {0}


def test_prometheus_scrapes_all_jobs_and_its_rules_are_healthy(scene: Scene) -> None:
    stack = scene.stack
    jobs = ["alertmanager", "prometheus", "triton", "triton-watch"]
    stack.until(lambda: sorted(one["job"] for one, value in stack.query("up") if value == 1) == jobs, 45, "all targets")
    scene.timeline.tell(f"Prometheus scrapes {', '.join(jobs)}: all up")

    def evaluated() -> list[dict[str, Any]]:
        groups = stack.get("prometheus", "/api/v1/rules").json()["data"]["groups"]
        rules = [rule for group in groups if group["interval"] < 60 for rule in group["rules"]]
        return rules if all(rule["health"] != "unknown" for rule in rules) else []

    rules = stack.until(evaluated, 60, "an evaluation of all rules")
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
    assert any(rule["name"] == "TritonSilentFailure" for rule in rules)
    scene.timeline.tell(f"Prometheus has evaluated {len(rules)} rules of alerts/rules.yaml: all healthy")


def test_each_program_runs_with_the_user_and_the_read_only_root_of_the_file(scene: Scene) -> None:
    for name, program in scene.stack.programs.items():
        proc = Path("/proc", str(program.pid))
        options = {line.split()[4]: line.split()[5] for line in (proc / "mountinfo").read_text().splitlines()}
        assert options["/"].split(",")[0] == "ro", name
        user, outside, count = (proc / "uid_map").read_text().split()
        assert (int(user), int(count)) == (scene.stack.containers[name].user[0], 1), name
        assert int(outside) == os.geteuid()
        assert "CapEff:\t0000000000000000" in (proc / "status").read_text(), name


def test_what_the_health_checks_ask_for_is_there(scene: Scene) -> None:
    """curl and wget are of the images; what they fetch is fetched from inside the pod with our own Python."""
    asked = {}
    for name, service in scene.stack.services.items():
        for url in (word for word in service.health if word.startswith("http")):
            fetch = f"import sys, urllib.request; sys.exit(urllib.request.urlopen({url!r}, timeout=5).status != 200)"
            asked[name] = scene.stack.sandbox.ask(service.network, sys.executable, "-c", fetch)
    assert asked == dict.fromkeys(("triton", "prometheus", "alertmanager"), (0, ""))


def test_models_that_break_are_seen_by_the_agent_and_told_to_whom_the_file_says(scene: Scene) -> None:
    stack, tell = scene.stack, scene.timeline.tell
    assert (scene.ask(LIAR), scene.ask(HONEST)) == (200, 200)
    assert scene.firing() == {}
    scene.mood("error", "raise")
    broken = tell(f"{LIAR} breaks: it answers each request with an error; {HONEST} raises an exception in each")
    assert (scene.ask(LIAR), scene.ask(HONEST)) == (500, 500)
    words = stack.until(lambda: scene.serving(503, LIAR, HONEST), DETECT, "the agent's bad verdict")
    assert HEALTHY not in words
    for line in words.splitlines()[1:]:
        tell(f"the agent says on /-/serving: 503, {shortened(line)}")
    stack.until(lambda: "TritonSilentFailure" in scene.firing().get(LIAR, ()), DETECT, "the alert in Prometheus")
    stack.until(lambda: "TritonCanaryFailing" in scene.firing().get(HONEST, ()), DETECT, "the other in Prometheus")
    for model, names in sorted(scene.firing().items()):
        tell(f"Prometheus fires for {model}: {', '.join(sorted(names))}")
    stack.until(lambda: "TritonSilentFailure" in scene.told(LIAR), 60, "the alert in Alertmanager")
    at = tell(f"TritonSilentFailure of {LIAR} is in Alertmanager, for the receiver page") - broken
    tell(f"that was {at:.0f} s after the model broke; the page goes out when group_wait, 30 s, has passed")
    _see_what_is_told(scene)
    _see_counters(scene)
    _mend(scene)


def shortened(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[:WIDTH]}…"


def _see_what_is_told(scene: Scene) -> None:
    """One page a model, to the receiver of the file, with links that lead to the published address."""
    alert = scene.told(LIAR)["TritonSilentFailure"]
    assert alert["labels"] == {
        "alertname": "TritonSilentFailure",
        "severity": "page",
        "target": "triton",
        "model": LIAR,
        "version": "1",
        "job": "triton-watch",
        "instance": "localhost:8003",
    }
    assert [one["name"] for one in alert["receivers"]] == ["page"]
    assert alert["status"]["state"] == "active"
    assert alert["annotations"]["runbook_url"] == "http://localhost:8003/runbooks/TritonSilentFailure"
    assert scene.stack.get("triton-watch", "/runbooks/TritonSilentFailure").status_code == 200
    kept_back = scene.stack.until(lambda: scene.told(LIAR).get("TritonCanaryFailing"), 30, "the lesser alert")
    assert kept_back["status"]["state"] == "suppressed"
    scene.timeline.tell(f"Alertmanager keeps back TritonCanaryFailing of {LIAR}, which says less")


def _see_counters(scene: Scene) -> None:
    """Triton's own counters lie for one model; of the other the rules record the failures of its clients."""
    stack, tell = scene.stack, scene.timeline.tell
    assert stack.get("triton", "/v2/health/ready").status_code == 200
    assert stack.query(f'sum(nv_inference_request_failure{{model="{LIAR}"}})') == [({}, 0.0)]
    ((_, success),) = stack.query(f'sum(nv_inference_request_success{{model="{LIAR}"}})')
    tell(f"Triton itself is ready, and counts {success:.0f} successes and 0 failures of {LIAR}")
    series = f'{RATIO}{{slo="availability", target="triton"}} > 0'
    found = stack.until(lambda: stack.query(series), DETECT, series)
    assert [labels["model"] for labels, _ in found] == [HONEST]
    tell(f'Prometheus has {RATIO}{{slo="availability", model="{HONEST}"}} {found[0][1]:.2f}')


def _mend(scene: Scene) -> None:
    """All alerts end but that of the spent budget, which lasts as long as its windows."""
    stack, tell = scene.stack, scene.timeline.tell
    scene.mood("", "")
    mended = tell("both are mended")
    assert (scene.ask(LIAR), scene.ask(HONEST)) == (200, 200)
    stack.until(lambda: scene.serving(200), DETECT, "the agent's good verdict")
    tell("the agent says on /-/serving: 200")
    stack.until(lambda: not scene.firing(but=SPENT), RESOLVE, "the end of the alerts in Prometheus")
    stack.until(lambda: not (scene.told(LIAR) or scene.told(HONEST).keys() - {SPENT}), 30, "their end in Alertmanager")
    at = tell("resolved in Prometheus and in Alertmanager: all that told of broken models") - mended
    left = {model: ", ".join(sorted(names)) for model, names in scene.firing().items()}
    tell(f"that was {at:.0f} s after the models were mended; what fires still: {left or 'nothing'}")
