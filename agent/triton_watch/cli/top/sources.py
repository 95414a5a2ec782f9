"""Where facts come from: a running agent, or servers that this process polls itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from triton_watch.cli.agent_client import AgentError, NotThereError
from triton_watch.cli.top.view import ModelId, id_of
from triton_watch.conventions import paths
from triton_watch.daemon.facts.model import ModelDetail, ModelList
from triton_watch.daemon.facts.reading import from_json
from triton_watch.daemon.facts.status import Status
from triton_watch.daemon.facts.target import TargetList
from triton_watch.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.cli.agent_client import AgentClient
    from triton_watch.daemon.facts.model import ModelBrief
    from triton_watch.daemon.facts.target import TargetBrief, TargetDetail

Fact = TypeVar("Fact")

WITH_RECENT: Final = 200
"""Models, the worst, that come with their last hour: that of all may be megabytes."""
PAGE: Final = 1000
"""Models asked for at once."""
_SILENT: Final = 10
"""Targets, the worst, of which it is asked why they do not answer."""
_MOST: Final = 20_000
"""Models that are asked for in all."""


class UnheardError(Exception):
    """Nothing could be read. The text is one sentence."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read at one moment; each model is there once. `is_heard`: whether some target was polled at all.

    `reasons` are sentences, by target: why it does not answer.
    """

    status: Status
    models: tuple[ModelBrief, ...]
    is_heard: bool
    reasons: Mapping[str, str] = field(default_factory=dict)


def is_silent(target: TargetBrief) -> bool:
    """Whether a target was polled, and did not answer."""
    return target.at is not None and target.ready is None


def reasons_of(targets: Iterable[TargetDetail]) -> dict[str, str]:
    """Return what the first probe that failed says of each target that does not answer."""
    found = {}
    for one in targets:
        failed = [probe.detail for probe in one.probes if probe.outcome is not Outcome.OK and probe.detail]
        if is_silent(one.brief) and failed:
            found[one.brief.name] = failed[0]
    return found


class Source(Protocol):
    """Something that knows of models. Only one thread uses it at a time."""

    @property
    def where(self) -> str:
        """What is asked, for sentences: `the agent at http://127.0.0.1:8003`."""

    @property
    def has_alerts(self) -> bool:
        """Whether somebody evaluates alerts there."""

    @property
    def settles(self) -> bool:
        """Whether `settle` takes a while."""

    def settle(self) -> None:
        """Wait until there is something to measure."""

    def read(self) -> Seen:
        """Return what is so now. Raises UnheardError."""

    def detail(self, model: ModelId) -> ModelDetail | None:
        """Return everything that is known of a model; None = it is not there. Raises UnheardError."""

    def close(self) -> bool:
        """Let go of connections and threads; return whether none is left that the process would wait for."""


class AgentSource:
    """A running agent, asked over its API."""

    has_alerts = True
    settles = False

    def __init__(self, agent: AgentClient) -> None:
        self._agent = agent
        self._is_asking = False
        self.where = f"the agent at {agent.url}"

    def settle(self) -> None:
        """Return at once: an agent has measured before."""

    def read(self) -> Seen:
        """Ask for the status, and for models page by page."""
        status = self._ask(f"{paths.API}status", "status", Status)
        page, offset = self._models(0), 0
        models = {id_of(one): one for one in page.models}
        while page.models and (offset := offset + len(page.models)) < min(page.total, _MOST):
            page = self._models(offset)
            for one in page.models:  # what got better meanwhile may come again
                models.setdefault(id_of(one), one)
        is_heard = not status.targets or any(one.at is not None for one in status.targets)
        return Seen(status, tuple(models.values()), is_heard, self._reasons(status))

    def detail(self, model: ModelId) -> ModelDetail | None:
        """Ask for one model."""
        try:
            return self._ask(paths.model_facts(*model), "model", ModelDetail)
        except NotThereError:
            return None

    def close(self) -> bool:
        """Close the connections, but for one whose answer another thread waits for: it ends with the process."""
        if not self._is_asking:
            self._agent.close()
        return True

    def _reasons(self, status: Status) -> dict[str, str]:
        if not any(is_silent(one) for one in status.targets):
            return {}
        return reasons_of(self._ask(f"{paths.API}targets?limit={_SILENT}", "targets", TargetList).targets)

    def _models(self, offset: int) -> ModelList:
        first = {"limit": str(WITH_RECENT), "recent": "true"}
        query = {"limit": str(PAGE), "offset": str(offset)} if offset else first
        try:
            return self._ask(f"{paths.API}models{paths.query(query)}", "models", ModelList)
        except NotThereError as error:
            raise UnheardError(str(error)) from error

    def _ask(self, path: str, what: str, kind: type[Fact]) -> Fact:
        self._is_asking = True
        try:
            body = self._agent.get(path, what)
        except AgentError as error:
            raise UnheardError(str(error)) from error
        finally:
            self._is_asking = False
        try:
            return from_json(kind, body)
        except (ValueError, RecursionError) as error:
            raise UnheardError(str(self._agent.stranger())) from error
