"""Every parameter of the API, once: parsing, sentences about wrong ones and the OpenAPI document are made of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast
from urllib.parse import parse_qs

from triton_watch.daemon.api.errors import impossible
from triton_watch.daemon.api.kinds import AnyOf, Flag, Kind, OneOf, Text, Whole, shown
from triton_watch.daemon.facts.standing import Standing
from triton_watch.records.alert import AlertPhase
from triton_watch.records.budget import Verdict
from triton_watch.records.canary import CanaryVerdict
from triton_watch.records.finding import Severity
from triton_watch.wording.text import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")

FAR: Final = 1_000_000_000
"""The greatest offset: no list is that long."""


@dataclass(frozen=True, slots=True)
class Parameter(Generic[T]):
    """One parameter after the question mark; `default` holds where it was not sent. `description` is Markdown."""

    name: str
    kind: Kind[T]
    default: T
    description: str


TARGET: Final[Parameter[str | None]] = Parameter(
    "target", Text("the name of a target"), None, "Only what is about this target. One that there is not is 404."
)
MODEL: Final[Parameter[str | None]] = Parameter(
    "model", Text("the name of a model"), None, "Only what is about this model. One that there is not is 404."
)
SLO: Final[Parameter[str | None]] = Parameter(
    "slo", Text("the name of an objective"), None, "Only budgets of this objective. One that there is not is 404."
)
STANDING: Final[Parameter[tuple[Standing, ...]]] = Parameter(
    "standing",
    AnyOf(Standing),
    (),
    "Only models that stand so: several are sent as standing=wrong&standing=failing, or as standing=wrong,failing.",
)
SEARCH: Final[Parameter[str]] = Parameter(
    "search", Text("a part of a model's name"), "", "Only models with this in their name, in capitals or not."
)
RECENT: Final[Parameter[bool]] = Parameter(
    "recent", Flag(), False, "Tell the last hour of each model, too (`recent` in each of them): a large answer."
)
VERSION: Final[Parameter[str | None]] = Parameter(
    "version", Text("a version of the model"), None, "This version of the model. Without it: the latest."
)
NAMESPACE: Final[Parameter[str | None]] = Parameter(
    "namespace", Text("a namespace of the server"), None, "The model in this namespace, where the server has some."
)
PHASE: Final[Parameter[AlertPhase | None]] = Parameter(
    "phase", OneOf(AlertPhase), None, "Only alerts in this phase; `recent` is not filtered by it."
)
SEVERITY: Final[Parameter[Severity | None]] = Parameter(
    "severity", OneOf(Severity), None, "Only findings of this severity."
)
BUDGET_VERDICT: Final[Parameter[Verdict | None]] = Parameter(
    "verdict", OneOf(Verdict), None, "Only budgets of which this is to be said."
)
CANARY_VERDICT: Final[Parameter[CanaryVerdict | None]] = Parameter(
    "verdict", OneOf(CanaryVerdict), None, "Only canaries that say this of their model."
)
OFFSET: Final[Parameter[int]] = Parameter("offset", Whole(0, FAR), 0, "Leave out this many of the list's first rows.")
LIMIT: Final[Parameter[int]] = Parameter("limit", Whole(1, 1000), 100, "Tell at most this many rows.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, by parameter: `asked[TARGET]`. Equal questions are equal, and may be keys."""

    values: tuple[tuple[str, Any], ...]

    def __getitem__(self, parameter: Parameter[T]) -> T:
        """The value that was sent, or the default."""
        return cast("T", dict(self.values).get(parameter.name, parameter.default))


def asked_of(query: str, parameters: Sequence[Parameter[Any]]) -> Asked:
    """Read what stands after the question mark. Raises RefusedError (400): a misspelt name is no good answer."""
    given = parse_qs(query, keep_blank_values=True)
    known = {one.name: one for one in parameters}
    for name, values in given.items():
        _check(name, values, known)
    read = {name: known[name].kind.read(name, values) for name, values in given.items()}
    # What says the default asks nothing, so both questions are one.
    return Asked(tuple(sorted((name, value) for name, value in read.items() if value != known[name].default)))


def _check(name: str, values: Sequence[str], known: Mapping[str, Parameter[Any]]) -> None:
    if name not in known:
        close = nearest(name[:100], known)
        meant = f" (did you mean {close}?)" if close else ""
        there = f"there are: {', '.join(known)}" if known else "there are none here"
        raise impossible(f"There is no parameter {shown(name)}{meant}; {there}.")
    if not all(values):
        raise impossible(f"The parameter {name} is empty: give {known[name].kind.expected}, or leave it out.")
