"""What a live server said about itself: the record that live rules are given. The command line collects it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from google.protobuf import json_format  # type: ignore[import-untyped]  # its stubs are a package of their own

from triton_watch.check.options import Options, Release
from triton_watch.check.pbtxt.messages import ModelConfig
from triton_watch.check.rule import Hit
from triton_watch.records import ModelState, ModelStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from triton_watch.check.model import Model

_SERVER = re.compile(r"2\.(\d{1,3})\.\d+")
_FIRST, _LAST = 18, 59
"""2.18 came in 22.01, and then one a month until 2.59 in 25.06."""
_GPU = re.compile(r'^nv_gpu_\w+\{[^}\n]*gpu_uuid="([^"\n]{1,100})"', re.MULTILINE)
_MODEL = re.compile(r'^nv_inference_request_success\{model="([^"\n]{1,500})"', re.MULTILINE)
_FAMILY = re.compile(r"^((?:nv_|vllm:)\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MetricsFacts:
    """What the metrics page has. `problem` says why there is none; `gpus` are the UUIDs on it, `models` names."""

    problem: str = ""
    empty: bool = False
    families: frozenset[str] = frozenset()
    gpus: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether there is a page with something on it."""
        return not self.problem and not self.empty


@dataclass(frozen=True, slots=True)
class EndpointProblem:
    """A question that the server did not answer. `restricted`: it wants a header for it (403)."""

    endpoint: str
    message: str
    restricted: bool = False


@dataclass(frozen=True, slots=True)
class LiveServer:
    """One server, asked once. None stands for what it did not tell.

    `configs` are the completed configurations of models that are READY. `on_disk` are the models of the
    repositories that are checked in the same run; it is empty when only the server is checked.
    """

    url: str
    name: str = ""
    version: str = ""
    extensions: tuple[str, ...] = ()
    live: bool | None = None
    ready: bool | None = None
    index: tuple[ModelState, ...] | None = None
    configs: Mapping[str, ModelConfig] = field(default_factory=dict)
    metrics: MetricsFacts | None = None
    problems: tuple[EndpointProblem, ...] = ()
    on_disk: Mapping[str, Model] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where findings about it are: its URL."""
        return self.url

    @property
    def release(self) -> Release | None:
        """The container release of its version, where that is known."""
        return release_of(self.version)

    @property
    def cache(self) -> bool | None:
        """True when its metrics page counts a response cache; None for not known, as models may just not use it."""
        families = () if self.metrics is None else self.metrics.families
        return True if any(name.startswith("nv_cache_") for name in families) else None

    @property
    def states(self) -> tuple[ModelState, ...]:
        """The repository's index, empty when the server did not tell."""
        return self.index or ()

    def states_of(self, name: str) -> tuple[ModelState, ...]:
        """Return what the index says of one model."""
        return tuple(state for state in self.states if state.key.name == name)

    def ready_versions(self, name: str) -> frozenset[str]:
        """Return the versions of a model that are READY."""
        return frozenset(one.key.version for one in self.states_of(name) if one.status is ModelStatus.READY)

    def hit(self, message: str, model: str | None = None, **more: Any) -> Hit:  # noqa: ANN401 - fields of Hit
        """Make a hit about the server or one of its models."""
        return Hit(message, file=self.url, model=model, **more)


def informed(options: Options, live: LiveServer) -> Options:
    """The options with what the server tells and nobody else did."""
    cache = live.cache if options.cache is None else options.cache
    return replace(options, triton=options.triton or live.release, cache=cache)


def release_of(version: str) -> Release | None:
    """Return the container release of a server's version: 2.51.0 is 24.10."""
    match = _SERVER.fullmatch(version)
    if match is None or not _FIRST <= int(match[1]) <= _LAST:
        return None
    months = int(match[1]) - _FIRST
    return Release(22 + months // 12, months % 12 + 1)


def config_of(answer: object) -> ModelConfig | None:
    """Return the configuration in the JSON of GET /v2/models/M/config; what tritonclient does not know is left out."""
    if not isinstance(answer, dict):
        return None
    try:
        config = ModelConfig()
        json_format.ParseDict(answer, config, ignore_unknown_fields=True)
    except (json_format.ParseError, RecursionError):
        return None
    return config


def metrics_of(page: bytes) -> MetricsFacts:
    """Return the facts of a metrics page."""
    text = page.decode("utf-8", errors="replace")
    gpus = tuple(dict.fromkeys(_GPU.findall(text)))
    models = tuple(dict.fromkeys(_MODEL.findall(text)))
    return MetricsFacts(empty=not text.strip(), families=frozenset(_FAMILY.findall(text)), gpus=gpus, models=models)
