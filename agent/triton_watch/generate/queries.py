"""PromQL over Triton's own metrics: the indicators of DESIGN §4, for panels and recording rules alike.

Each function returns an expression for a `Scope`. Numerator and denominator are added up first and divided last;
the denominator is guarded by `> 0`, never padded: without traffic there is no value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RANGE: Final = "$__rate_interval"
"""Grafana's range for `rate()`: it holds four scrapes at least."""

COUNTED_FAILURES: Final = 'reason!="CANCELED"'
"""A canceled request is the client's doing. Servers before 24.07 have no label `reason`, and match too."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which series, over which range, by which labels.

    `matchers` stand between the braces as they are, such as `job=~"$job", model=~"$model"`; `span` between brackets.
    """

    matchers: str
    span: str
    by: tuple[str, ...]

    def series(self, metric: str, *more: str) -> str:
        """The metric's series, narrowed further by `more`."""
        return f"{metric}{{{', '.join(one for one in (self.matchers, *more) if one)}}}"

    def rate(self, metric: str, *more: str) -> str:
        """What a counter gains in a second, added up by the scope's labels."""
        return f"{self._by('sum')} (rate({self.series(metric, *more)}[{self.span}]))"

    def total(self, metric: str, *more: str) -> str:
        """A gauge, added up by the scope's labels."""
        return f"{self._by('sum')} ({self.series(metric, *more)})"

    def highest(self, metric: str, *more: str) -> str:
        """A gauge, the highest by the scope's labels."""
        return f"{self._by('max')} ({self.series(metric, *more)})"

    def lowest(self, metric: str, *more: str) -> str:
        """A gauge, the lowest by the scope's labels."""
        return f"{self._by('min')} ({self.series(metric, *more)})"

    def increase(self, metric: str, *more: str) -> str:
        """What a counter gains in the scope's span, added up by the scope's labels."""
        return f"{self._by('sum')} (increase({self.series(metric, *more)}[{self.span}]))"

    def ever(self, metric: str, *more: str) -> str:
        """The highest value of a gauge in all of the time that is shown: the same at each moment of a panel."""
        return f"{self._by('max')} (max_over_time({self.series(metric, *more)}[$__range] @ end()))"

    def ever_lowest(self, metric: str, *more: str) -> str:
        """The lowest value of a gauge in all of that time."""
        return f"{self._by('min')} (min_over_time({self.series(metric, *more)}[$__range] @ end()))"

    def gained(self, metric: str, *more: str) -> str:
        """What a counter gains in all of that time, added up by the scope's labels."""
        return f"{self._by('sum')} (increase({self.series(metric, *more)}[$__range] @ end()))"

    def _by(self, aggregation: str) -> str:
        return f"{aggregation} by ({', '.join(self.by)})"


def successes(scope: Scope) -> str:
    """Requests a second that Triton counts as success."""
    return scope.rate("nv_inference_request_success")


def failures(scope: Scope) -> str:
    """Requests a second that Triton counts as failed, but for those that clients canceled."""
    return scope.rate("nv_inference_request_failure", COUNTED_FAILURES)


def requests(scope: Scope) -> str:
    """Requests a second that ended."""
    return f"{successes(scope)} + {failures(scope)}"


def error_ratio(scope: Scope) -> str:
    """Share of the requests that failed by Triton's own count, 0 to 1."""
    return f"{failures(scope)} / ({requests(scope)} > 0)"


def mean_time(scope: Scope, step: str) -> str:
    """Mean seconds of a request in `step`: request or queue. Durations accrue on success only."""
    return f"{scope.rate(f'nv_inference_{step}_duration_us')} / ({successes(scope)} > 0) / 1e6"


def computed(scope: Scope) -> str:
    """Requests a second that reached the model: what the response cache answered did not."""
    hits = scope.rate("nv_cache_num_hits_per_model")
    return f"({successes(scope)} - {hits} or {successes(scope)})"


def compute_time(scope: Scope, step: str) -> str:
    """Mean seconds in `step`: compute_input, compute_infer or compute_output."""
    return f"{scope.rate(f'nv_inference_{step}_duration_us')} / ({computed(scope)} > 0) / 1e6"


def average_batch(scope: Scope) -> str:
    """Mean inferences in one execution. Executions that fail count, their inferences do not: 0 is no batch."""
    inferences, executions = scope.rate("nv_inference_count"), scope.rate("nv_inference_exec_count")
    return f"({inferences} > 0) / ({executions} > 0)"


def in_flight(scope: Scope, step: str = "request") -> str:
    """Mean requests inside the server at a time, or in one `step` of it such as compute_infer, by Little's law."""
    return f"{scope.rate(f'nv_inference_{step}_duration_us')} / 1e6"


def samples_per_request(scope: Scope) -> str:
    """Mean inferences that a request which reached the model asked for."""
    return f"({scope.rate('nv_inference_count')} / ({computed(scope)} > 0))"


def gpu_memory_used(scope: Scope) -> str:
    """Share of a GPU's memory that is in use. Several servers on one GPU all report it: it is not added up."""
    used, total = (scope.highest(f"nv_gpu_memory_{one}_bytes") for one in ("used", "total"))
    return f"{used} / ({total} > 0)"


def cache_hit_ratio(scope: Scope) -> str:
    """Share of look-ups that the response cache answered."""
    hits, misses = (scope.rate(f"nv_cache_num_{one}_per_model") for one in ("hits", "misses"))
    return f"{hits} / ({hits} + {misses} > 0)"


def served_quantile(scope: Scope, step: str, quantile: str) -> str:
    """Seconds as the server's summary says them; the worst of several, for quantiles cannot be averaged."""
    matcher = f'quantile="{quantile}"'
    return f"{scope.highest(f'nv_inference_{step}_summary_us', matcher)} / 1e6"


def histogram_quantile(scope: Scope, histogram: str, quantile: float) -> str:
    """A quantile of a histogram, in its own unit. Buckets add up over servers; without traffic there is no value."""
    buckets = replace(scope, by=(*scope.by, "le")).rate(f"{histogram}_bucket")
    return f"histogram_quantile({quantile:g}, {buckets}) >= 0"


def max_batch_size(scope: Scope) -> str:
    """max_batch_size, from what the agents say of a model that has traffic."""
    batch, fill = (scope.series(f"triton_watch_model_batch_{one}") for one in ("size_average", "fill_ratio"))
    return f"max by ({', '.join(scope.by)}) ({batch} / ({fill} > 0))"


def coded(scope: Scope, metric: str, label: str, codes: Mapping[str, int]) -> str:
    """A number for what `label` says on a metric that is always 1, so that a panel can name and colour it.

    Where several hold, as over versions, the one that stands first in `codes` wins.
    """
    one_of = (f"{number} * {scope.highest(metric, _equals(label, value))}" for value, number in codes.items())
    return " or ".join(one_of)


def _equals(label: str, value: str) -> str:
    return f'{label}="{value}"'


def worst(expr: str, by: Sequence[str], rank: str) -> str:
    """The 20 series of `expr` whose `rank` is highest, from beginning to end; `rank` has no course, as `Scope.ever`."""
    return f"({expr}) and on ({', '.join(by)}) topk(20, {rank})"


def counted(some: str, known: str) -> str:
    """How many series `some` has. None = 0; nothing `known` = no value."""
    return f"count({some}) or 0 * count({known})"


def how_many_are(scope: Scope, metric: str, *so: str) -> str:
    """How many of a metric's series, by the scope's labels, match `so`; as `counted`."""
    return counted(scope.highest(metric, *so), scope.highest(metric))


def how_many(known: str, condition: str) -> str:
    """How many of the `known` series meet the condition, such as "== 0"; as `counted`."""
    return counted(f"{known} {condition}", known)
