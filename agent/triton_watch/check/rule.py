"""What a rule is: its documentation, and a function that yields hits for one subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from triton_watch.records import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from triton_watch.check.pbtxt import Span


class Scope(str, Enum):
    """What a rule looks at, and so what its function is called with (besides `Options`)."""

    MODEL = "model"
    """One `Model`. Other models of its repository may be asked for by name."""
    REPOSITORY = "repository"
    """One `Summaries`: short facts of every model of one repository."""
    COLLECTION = "collection"
    """All `Summaries` of a run: what several repositories have between them."""
    MANIFEST = "manifest"
    """One `Manifest`: a file with containers that run Triton."""
    LIVE = "live"
    """One `LiveServer`, with the repository that it should serve where there is one."""
    ENGINE = "engine"
    """Nothing: the engine itself reports it (a rule that crashed, an unused suppression)."""


class Stage(str, Enum):
    """Who refuses what an error rule finds."""

    CORE = "triton"
    """The server, whatever the backend: a stand-in backend shows it."""
    BACKEND = "backend"
    """The backend, when it reads the model."""
    NOBODY = "nobody"
    """Triton accepts it."""


class RedLine(str, Enum):
    """The six things that never go to production."""

    NO_CONFIG = "Missing config.pbtxt in model directory"
    NO_DYNAMIC_BATCHING = "No dynamic batching for production"
    WRONG_BACKEND = "Wrong backend for model format"
    NO_HEALTH_CHECK = "No health check endpoints"
    NO_INSTANCE_GROUPS = "Ignoring instance groups configuration"
    NO_INPUT_OUTPUT = "Missing input/output specifications"


class Box(str, Enum):
    """The six boxes of the production-readiness checklist."""

    STRUCTURE = "Model repository structured correctly"
    BATCHING = "Dynamic batching configured"
    INSTANCES = "Instance groups allocate GPUs"
    HEALTH = "Health endpoints monitored"
    METRICS = "Metrics exported to Prometheus"
    SHAPES = "Input/output shapes validated"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule found at one place; the engine makes a `Finding` of it.

    `severity` and `confidence` are only given where they differ from the rule's. `text` is the whole text
    that `span` points into, for the excerpt; without a span the hit is about `file` as a whole.
    """

    message: str
    fix: str | None = None
    file: Path | str | None = None
    span: Span | None = None
    text: str | None = None
    model: str | None = None
    severity: Severity | None = None
    confidence: Confidence | None = None
    red_line: bool | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `bad` and `good` are examples: what is found, and the same mended (tests run both).

    An example is the text of a model's config.pbtxt, or several files, each after a line `--- path`
    (relative to a repository: `--- ranker/config.pbtxt`; a path that ends in `/` makes a folder).
    """

    id: str
    slug: str
    severity: Severity
    scope: Scope
    title: str
    problem: str
    bad: str
    good: str
    why: str
    source: str
    check: Callable[[Any, Any], Iterable[Hit]]
    confidence: Confidence = Confidence.HIGH
    stage: Stage = Stage.NOBODY
    red_line: RedLine | None = None
    box: Box | None = None
    fixable: bool = False


def found_by_engine(_subject: object, _options: object) -> tuple[Hit, ...]:
    """Stand as the check of rules whose hits the engine makes itself."""
    return ()
