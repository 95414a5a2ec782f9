"""Who hears the alerts: two Alertmanagers that an agent tells, and one that a Prometheus with its rules does."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from support.agent import Agent
from support.alertmanager_server import RealAlertmanager, Webhook, at_once
from support.debian import tool
from support.prometheus_server import RealPrometheus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from faults.stage import Stage
    from faults.table import Expected

BURN = "TritonErrorBudgetBurn"


class Ears:
    """Two Alertmanagers that the agent tells, and one that a Prometheus with the generated rules does."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        binary = tool("prometheus-alertmanager")
        assert binary is not None, "no Alertmanager: run make debian"
        self.hooks = [stack.enter_context(Webhook()) for _ in range(3)]
        self.peers = [
            stack.enter_context(RealAlertmanager(binary, folder / f"alertmanager-{number}", config=at_once(hook.url)))
            for number, hook in enumerate(self.hooks)
        ]

    @property
    def told(self) -> tuple[str, ...]:
        return tuple(peer.url for peer in self.peers[:2])

    def when(self, hook: int, status: str, expected: Expected, since: float) -> float | None:
        """Unix time at which the alert was told to be so, first, after `since`."""
        found = [
            told.at
            for told in self.hooks[hook].told()
            if told.status == status and told.at >= since and _is(told.labels, expected)
        ]
        return min(found, default=None)

    def counts(self, expected: Expected, since: float) -> list[str]:
        """At each peer: firing + resolved notifications of each such alert, the worst.

        Burn rates over longer windows may fire on, but no more than once.
        """
        return [self._count(hook, expected, since) for hook in (0, 1)]

    def _count(self, hook: int, expected: Expected, since: float) -> str:
        found: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for told in self.hooks[hook].told():
            if told.at >= since and _is(told.labels, expected):
                count = found.setdefault(tuple(sorted(told.labels.items())), [0, 0])
                count[told.status == "resolved"] += 1
        texts = [f"{firing}+{resolved}" for firing, resolved in found.values()]
        right = ("1+1", "1+0") if expected.alert == BURN else ("1+1",)
        odd = [text for text in texts if text not in right]
        return next(iter(odd or sorted(texts, reverse=True)), "0+0")


def _is(labels: Mapping[str, str], expected: Expected) -> bool:
    return labels["alertname"] == expected.alert and labels.get("model", "") == expected.model


class Watch:
    """An agent on the stage and, where that is wanted, a Prometheus with the rules that it generates."""

    def __init__(
        self, stack: ExitStack, folder: Path, stage: Stage, ears: Ears, settings: dict[str, Any], *, rules: bool = True
    ) -> None:
        folder.mkdir()
        file = folder / "triton-watch.yaml"
        self.agent = Agent(folder, "--config", str(file), start=False)
        file.write_text(json.dumps(stage.configuration(self.agent.listen, ears.told, settings)))
        self.agent.start()
        stack.callback(self.agent.end)
        self.agent.wait_ready()
        if rules:
            self._prometheus(stack, folder, file, ears.peers[2].url)

    def _prometheus(self, stack: ExitStack, folder: Path, file: Path, alertmanager: str) -> None:
        binary = tool("prometheus")
        assert binary is not None, "no Prometheus: run make debian"
        rules = folder / "rules.yaml"
        command = [
            sys.executable,
            "-m",
            "triton_watch",
            "generate",
            "rules",
            "--config",
            str(file),
            "--out",
            str(rules),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        text = json.dumps(
            {
                "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
                "rule_files": [str(rules)],
                "scrape_configs": [{"job_name": "triton-watch", "static_configs": [{"targets": [self.agent.listen]}]}],
                "alerting": {
                    "alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]
                },
            }
        )
        stack.enter_context(RealPrometheus(binary, folder / "data", folder / "prometheus", config=text))

    def firing(self) -> list[str]:
        found = self.agent.get("/api/v1/alerts").json()["alerts"]
        return sorted(f"{one['name']} {one['labels'].get('model', '')}" for one in found if one["phase"] == "firing")
