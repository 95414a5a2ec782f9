"""The canary of one model version: what it sends, and what is remembered from one run to the next."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from triton_watch.probes.canary.golden.files import fingerprint, load
from triton_watch.probes.canary.golden.model import GoldenError
from triton_watch.probes.canary.inputs import NoInputError
from triton_watch.probes.canary.memory import Memory
from triton_watch.probes.canary.plan import plan_of
from triton_watch.records import CanaryReason

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.probes.canary.plan import Plan
    from triton_watch.records import CanaryOptions, CanaryResult, ModelConfig, ModelKey

FIRST_CALL_PATIENCE: Final = 6.0
"""The first request after a load may take so many times the timeout: many models get warm only then."""
_LONGEST_FIRST_CALL: Final = 60.0


@dataclass(slots=True)
class Canary:
    """One model version's canary. `busy` is held while it runs, and outlives it: the next one takes it over."""

    key: ModelKey
    options: CanaryOptions
    config: ModelConfig | None
    goldens: Path | None
    busy: threading.Lock = field(default_factory=threading.Lock)
    members: Mapping[ModelKey, int] = field(default_factory=dict)
    plan: Plan | None = None
    note: str = ""
    """Why there is no plan, or why it is not as good as it could be."""
    hindrance: str = ""
    """Why the model cannot be asked now, although there is a plan."""
    memory: Memory = field(default_factory=Memory)
    order: list[int] = field(default_factory=list)
    """Inputs that are still to be sent in this round; each round has an order of its own."""
    is_first: bool = True
    has_passed: bool = False
    unconfirmed: float | None = None
    """When the server said that it does not serve the model, while the index said READY (monotonic seconds)."""
    golden_files: object = None

    def __post_init__(self) -> None:
        self.golden_files = self._look()
        self._make_plan()

    @property
    def has_golden(self) -> bool:
        """Whether answers are compared with recorded ones."""
        return self.plan is not None and self.plan.golden is not None

    def renew(self) -> None:
        """Make the plan anew if the golden's files are not those that it was made of."""
        files = self._look()
        if files != self.golden_files:
            self.golden_files = files
            self._make_plan()

    def patience(self, plan: Plan) -> float:
        """Seconds that the next run may take."""
        timeout = plan.options.timeout
        if not self.is_first:
            return timeout
        return max(timeout, min(FIRST_CALL_PATIENCE * timeout, _LONGEST_FIRST_CALL))

    def next_variant(self, rng: random.Random, variants: int) -> int:
        """Number the input to send now: all of them in turn, but not in step with a server's instances."""
        if not self.order:
            self.order = rng.sample(range(variants), variants)
        return min(self.order.pop(), variants - 1)

    def took(self, result: CanaryResult) -> None:
        """A run ended: note what the next one has to know."""
        is_gone = result.reason is CanaryReason.NOT_SERVED
        self.unconfirmed = result.ended if is_gone else None
        self.has_passed = self.has_passed or result.ok
        self.is_first = self.is_first and result.latency is None and result.reason is not CanaryReason.DEADLINE

    def _look(self) -> object:
        return None if self.goldens is None else fingerprint(self.goldens, self.key.name, self.key.version)

    def _make_plan(self) -> None:
        self.plan, self.note, self.memory, self.order = None, "", Memory(), []
        if self.config is None:
            self.note = "its configuration is not known"
            return
        golden = self._load_golden()
        try:
            self.plan = plan_of(self.key, self.config, self.options, golden)
        except NoInputError as error:
            self.note = str(error)

    def _load_golden(self) -> Golden | None:
        if self.goldens is None:
            return None
        try:
            golden = load(self.goldens, self.key.name, self.key.version)
        except GoldenError as error:
            self.note = str(error)
            return None
        if golden is not None and not golden.inputs:
            self.note = "its golden has no inputs: record it again"
            return None
        return golden
