# ruff: noqa: E402 - it is run as a script, too: its path comes first
"""What expressions are tried on: a real Triton under load, a recorded one with a GPU, an agent and a Prometheus.

`python tests/expressions/stage.py [FOLDER]` keeps it up until SIGTERM or Ctrl-C. Rule files (*.yaml) that are put
into FOLDER/rules are loaded by `curl -X POST PROMETHEUS/-/reload`.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path[:0] = [str(Path(__file__).parents[1])]
from expressions.clients import Clients
from expressions.gpus import Gpus, recorded_gpus
from expressions.repository import BATCHED, CACHED, GHOST, STEADY, STREAM, TRICKLE, WRONG, write_repository
from support.agent import Agent
from support.alertmanager_server import RealAlertmanager
from support.debian import tool
from support.prometheus_server import RealPrometheus
from triton_watch.demo import EmbeddedTriton
from triton_watch.generate.rules.options import AGENT_JOB, TRITON_JOB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TRITON, GPU, GONE = "real", "recorded", "gone"
"""The agent's targets."""
NOBODY = "localhost:1"
"""An address at which no server is."""
_SCRAPE, _OFTEN = "1s", "500ms"
"""The agent's gauges change each second: none of their values must be missed."""
OBJECTIVES: list[dict[str, Any]] = [
    {"name": "availability", "sli": "availability", "objective": "99.9%"},
    {"name": "queue-time", "sli": "queue_time", "threshold": "50ms", "objective": "99%"},
    {"name": "batch-efficiency", "sli": "batch_efficiency", "threshold": 0.5, "objective": "90%", "alerts": ["ticket"]},
    {"name": "request-time", "sli": "request_time", "threshold": "200ms", "objective": "99%"},
    {"name": "request-time-p99", "sli": "request_time", "quantile": 0.99, "threshold": "300ms", "objective": "99%"},
    {"name": "queue-time-p99", "sli": "queue_time", "quantile": 0.99, "threshold": "200ms", "objective": "99%"},
    {"name": "canary", "sli": "canary", "objective": "99%"},
    {"name": "gpu", "sli": "gpu_utilization", "threshold": {"low": "20%", "high": "90%"}, "objective": "90%"},
]
"""The default ones, for the rules of the default configuration are tried, and one of each other kind."""
_TO_NOBODY = json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]})


@dataclass(frozen=True, slots=True)
class Stage:
    """A running stage; `began` is the Unix time at which its load began."""

    triton: EmbeddedTriton
    gpus: Gpus
    agent: Agent
    prometheus: RealPrometheus
    config: Path
    began: float


@contextmanager
def staged(folder: Path, rules: Sequence[str] = ()) -> Iterator[Stage]:
    """Start everything below `folder`; `rules` are Prometheus rule files as text."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(rules):
        (folder / "rules" / f"given-{number}.yaml").write_text(text)
    with ExitStack() as stack:
        alertmanager = stack.enter_context(
            RealAlertmanager(_program("prometheus-alertmanager"), folder / "alertmanager", config=_TO_NOBODY)
        )
        gpus = stack.enter_context(recorded_gpus())
        models = write_repository(folder / "models")
        triton = stack.enter_context(EmbeddedTriton(models, workdir=folder, extra_args=("--exit-timeout-secs=5",)))
        stack.enter_context(Clients(triton.http_url))
        agent = Agent(folder, "--config", str(folder / "triton-watch.yaml"), start=False)
        (folder / "triton-watch.yaml").write_text(json.dumps(configuration(triton, gpus, agent, alertmanager.url)))
        agent.start()
        stack.callback(agent.end)
        agent.wait_ready()
        jobs = {
            TRITON_JOB: [triton.metrics_url.split("/")[2], gpus.page, NOBODY],
            AGENT_JOB: [agent.listen],
            "dcgm-exporter": [gpus.dcgm],
        }
        prometheus = stack.enter_context(
            RealPrometheus(
                _program("prometheus"),
                folder / "data",
                folder / "prometheus",
                config=_prometheus_config(folder, jobs),
                arguments=("--web.enable-lifecycle",),
            )
        )
        yield Stage(triton, gpus, agent, prometheus, folder / "triton-watch.yaml", time.time())


def configuration(triton: EmbeddedTriton, gpus: Gpus, agent: Agent, alertmanager: str) -> dict[str, Any]:
    """The agent's."""
    real = {
        "name": TRITON,
        "url": triton.http_url,
        "grpc": triton.grpc_address,
        "metrics_url": triton.metrics_url,
        "model_repository": str(triton.repository),
        "expected_models": [GHOST],
    }
    recorded = {"name": GPU, "url": f"http://{gpus.api}", "metrics_url": f"http://{gpus.page}/metrics"}
    gone = {"name": GONE, "url": f"http://{NOBODY}"}
    return {
        "defaults": {"interval": "1s", "timeouts": {"total": "900ms"}},
        "targets": [real, recorded, gone],
        "web": {"listen": agent.listen},
        "canary": {
            "interval": "15s",
            "timeout": "2s",
            "exclude_models": [BATCHED, CACHED, TRICKLE, "matmul"],  # their times must be those of clients alone
            "overrides": [
                {"models": WRONG, "interval": "2s", "timeout": "1s"},
                {"models": STREAM, "interval": "5s"},
                {"models": STEADY, "max_pending": 0},  # two of its three callers wait: always skipped
            ],
        },
        "slo": {"flush_interval": "1s", "no_data_after": "5s", "objectives": OBJECTIVES},
        "alerts": {
            "alertmanagers": [{"url": alertmanager}],
            "config_check": "15s",
            "watchdog": True,
            "overrides": [{"alerts": "*", "for": "0s"}],
        },
    }


def _prometheus_config(folder: Path, jobs: dict[str, list[str]]) -> str:
    scrapes = [
        {"job_name": name, "scrape_interval": often, "scrape_timeout": often, "static_configs": [{"targets": targets}]}
        for name, targets in jobs.items()
        for often in [_OFTEN if name == AGENT_JOB else _SCRAPE]
    ]
    return json.dumps(
        {
            "global": {"evaluation_interval": "2s"},
            "rule_files": [str(folder / "rules" / "*.yaml")],
            "scrape_configs": scrapes,
        }
    )


def _program(name: str) -> Path:
    found = tool(name)
    assert found is not None, f"{name} is missing: run `make debian`"
    return found


def main() -> None:
    """Keep a stage up, and say where it is."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended on the way out
    with tempfile.TemporaryDirectory(prefix="triton-watch-stage-") as name:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else name)
        with staged(folder) as stage:
            places = {
                "Prometheus": stage.prometheus.url,
                "agent": stage.agent.url,
                "Triton": stage.triton.http_url,
                "Triton's metrics": stage.triton.metrics_url,
                "recorded Triton's metrics": f"http://{stage.gpus.page}/metrics",
                "rules": str(folder / "rules"),
                "configuration": str(stage.config),
            }
            sys.stdout.write("".join(f"{what}: {where}\n" for what, where in places.items()))
            sys.stdout.flush()
            signal.pause()


if __name__ == "__main__":
    main()
