"""What `canary_instances.py` sees: clients that know the right answers, and what agents and Triton say meanwhile."""

from __future__ import annotations

import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import requests
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

CLIENTS = 8
CLIENT_PAUSE = 0.005
SAMPLE_SECONDS = 0.25
LIMIT = 1e-2
"""The canary's own default limits for FP32: rtol, and atol as a share of the root mean square."""
QUESTIONS: Numbers = np.random.default_rng(5).random((32, 16))
MODEL = "classifier"


def fetch(url: str) -> tuple[int, str]:
    """Status and text; 0 where nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return int(answer.status), str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def ask(session: requests.Session, url: str, number: int) -> Numbers:
    """The answer to one of the questions."""
    inputs = [{"name": "X", "shape": [1, 16], "datatype": "FP32", "data": QUESTIONS[number].tolist()}]
    answer = session.post(f"{url}/v2/models/{MODEL}/infer", json={"inputs": inputs}, timeout=30)
    answer.raise_for_status()
    return np.array(answer.json()["outputs"][0]["data"])


def all_answers(url: str) -> list[Numbers]:
    with requests.Session() as session:
        return [ask(session, url, number) for number in range(len(QUESTIONS))]


def excess(expected: Numbers, got: Numbers) -> float:
    """How many times as wide the default limits must be for `got` to pass."""
    limit = LIMIT * (np.abs(expected) + np.sqrt(np.mean(expected**2)))
    return float(np.max(np.abs(got - expected) / limit))


@dataclass
class Clients:
    """Threads that ask until `stop`. `counts`: right, wrong and failed answers; `worst`: excess of the right ones."""

    url: str
    expected: Sequence[Numbers]
    counts: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._ask, args=(seed,), daemon=True) for seed in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def seen(self) -> dict[str, int]:
        with self._lock:
            return {name: self.counts[name] for name in ("right", "wrong", "failed")}

    def _ask(self, seed: int) -> None:
        rng = random.Random(seed)
        with requests.Session() as session:
            while not self._end.wait(CLIENT_PAUSE):
                number = rng.randrange(len(QUESTIONS))
                try:
                    apart = excess(self.expected[number], ask(session, self.url, number))
                except requests.RequestException:
                    self._count("failed", 0.0)
                else:
                    self._count("wrong" if apart > 1 else "right", apart)

    def _count(self, what: str, apart: float) -> None:
        with self._lock:
            self.counts[what] += 1
            if what == "right":
                self.worst = max(self.worst, apart)


@dataclass(frozen=True)
class Sample:
    """What all said at one time. `canaries` counts by reason; `silent` is what the agent says of silent failures."""

    at: float
    serving: Mapping[str, int]
    canaries: Mapping[str, Mapping[str, int]]
    silent: Mapping[str, bool]
    failing: Mapping[str, bool]
    triton_ready: int
    model_ready: int


class Sampler:
    """A thread that asks the `agents` (name -> URL) and Triton each quarter of a second."""

    def __init__(self, agents: Mapping[str, str], triton: str) -> None:
        self.agents = dict(agents)
        self.triton = triton
        self.samples: list[Sample] = []
        self.first_refusal = ""
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def wait_serving(self, seconds: float, limit: float) -> bool:
        """Wait until all agents have said 200 for so many seconds; False = not within `limit` seconds."""
        end = time.monotonic() + limit
        time.sleep(seconds)
        while time.monotonic() < end:
            since = time.monotonic() - seconds
            last = [sample for sample in list(self.samples) if sample.at >= since]
            if last and all(code == 200 for sample in last for code in sample.serving.values()):
                return True
            time.sleep(SAMPLE_SECONDS)
        return False

    def _run(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            self.samples.append(self._sample())

    def _sample(self) -> Sample:
        at, agents = time.monotonic(), self.agents
        said = {name: fetch(f"{url}/-/serving?model={MODEL}") for name, url in agents.items()}
        self.first_refusal = self.first_refusal or next((text for code, text in said.values() if "fails" in text), "")
        pages = {name: page_of(f"{url}/metrics") for name, url in agents.items()}
        return Sample(
            at,
            {name: code for name, (code, _) in said.items()},
            {name: counts(page, "triton_watch_canary_runs_total") for name, page in pages.items()},
            {name: any(counts(page, "triton_watch_model_silent_failure").values()) for name, page in pages.items()},
            {name: "failing" in counts(page, "triton_watch_canary_verdict") for name, page in pages.items()},
            fetch(f"{self.triton}/v2/health/ready")[0],
            fetch(f"{self.triton}/v2/models/{MODEL}/ready")[0],
        )


def page_of(url: str) -> list[tuple[str, Mapping[str, str], float]]:
    """All series of a metrics page."""
    code, text = fetch(url)
    if code != 200:
        return []
    return [
        (one.name, one.labels, one.value) for family in text_string_to_metric_families(text) for one in family.samples
    ]


def counts(page: list[tuple[str, Mapping[str, str], float]], name: str) -> dict[str, int]:
    """Values of one metric of the model by reason or verdict that are not 0. The parser gives counters a suffix."""
    found: Counter[str] = Counter()
    for series, labels, value in page:
        if series.removesuffix("_total") == name.removesuffix("_total") and labels.get("model") == MODEL and value:
            found[labels.get("reason") or labels.get("verdict") or ""] += int(value)
    return dict(found)
