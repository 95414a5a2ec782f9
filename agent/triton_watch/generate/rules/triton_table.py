"""The alerts that Triton's own metrics can tell, as a table: other expressions than the agent's, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.alerting.promql import number
from triton_watch.conventions import recorded
from triton_watch.conventions.alerts import WATCHDOG
from triton_watch.slo.batching import ENOUGH_IN_FLIGHT, WITH_BATCHER
from triton_watch.slo.queue import LONG_QUEUE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Told(NamedTuple):
    """How Triton's metrics tell of an alert; None = as its definition says.

    In `expr` `$server` are the matchers of every series, `$models` also has those of the models that the rule is for,
    and `$own` leaves out ensembles too; `$by` are the labels of a model, `$batchers` the names of models with a
    dynamic batcher.
    """

    expr: str
    hold: float | None = None
    description: str | None = None


_DEEP: Final = f"count_over_time(({recorded.QUEUE_DEPTH.name}{{$own}} > $threshold)[$span:$step]) >= $failures"

ALWAYS: Final[Mapping[str, Told]] = {
    "TritonTargetDown": Told(
        "up{$server} == 0",
        hold=30.0,
        description="Prometheus cannot read the metrics page of {{ $labels.target }} (job {{ $labels.job }}).",
    ),
    # The last part: counter_latencies=false leaves the counters at 0, and the durations out.
    "TritonMetricsMissing": Told(
        """(
  up{$server} == 1
  unless on (job, instance) {
    __name__=~"nv_(inference_request_success|pinned_memory_pool_total_bytes|gpu_utilization|cpu_utilization)", $server
  }
)
or absent(up{$server})
or (
  max by (job, instance) (nv_inference_request_success{$server})
  unless on (job, instance) nv_inference_request_duration_us{$server}
)""",
        hold=120.0,
        description="Prometheus finds no nv_ series, or counters that stand still, on {{ $labels.target }} (job "
        "{{ $labels.job }}); or no server at all in this job: the objectives watch nothing.",
    ),
    # The last part: a model that takes half a minute a request has good reason to answer none in one.
    "TritonModelWedged": Told(
        """min by ($by) (min_over_time(nv_inference_pending_request_count{$models}[1m])) > 0
and sum by ($by) (rate(nv_inference_request_success{$models}[1m])) == 0
and sum by ($by) (rate(nv_inference_request_failure{$models}[1m])) == 0
unless
  sum by ($by) (rate(nv_inference_request_duration_us{$models}[1h]))
  / (sum by ($by) (rate(nv_inference_request_success{$models}[1h])) > 0)
  > 30e6"""
    ),
    # Nobody knows here what the model could take: a queue that drains after a burst is none of anybody's business.
    "TritonQueueGrowing": Told(
        f"{_DEEP}\nand sum by ($by) (deriv(nv_inference_pending_request_count{{$own}}[5m])) >= 0",
        description="Far more requests wait for {{ $labels.model }} on {{ $labels.target }} than it computes at a "
        "time, most of the time, and they do not become fewer.",
    ),
    "TritonGpuMemoryHigh": Told(f"{recorded.GPU_MEMORY_USED.name}{{$server}} > $threshold"),
    "TritonGpuUnderused": Told(
        f"""{recorded.GPU_UTILIZATION.name}{{$server}} < $threshold
and on (job, instance) sum by (job, instance) ({recorded.REQUESTS.name}{{$server}}) > 0""",
        description="Models on {{ $labels.target }} have traffic, and its GPU {{ $labels.gpu_uuid }} is used "
        "{{ $value | humanizePercentage }} of the time.",
    ),
    "TritonGpuSaturated": Told(
        f"""{recorded.GPU_UTILIZATION.name}{{$server}} > $threshold
and on (job, instance) (
  {recorded.QUEUE_TIME.name}{{$own}} > {number(LONG_QUEUE)}
  and {recorded.QUEUE_TIME.name}{{$own}} > {recorded.COMPUTE_INFER_TIME.name}{{$own}}
)""",
        description="GPU {{ $labels.gpu_uuid }} of {{ $labels.target }} is used {{ $value | humanizePercentage }} of "
        "the time, and requests of a model on {{ $labels.target }} wait for longer than they are computed.",
    ),
    WATCHDOG: Told("vector(1)"),
}
"""By the name of the alert."""

LIVE: Final[Mapping[str, Told]] = {
    "TritonQueueGrowing": Told(_DEEP),
    "TritonNotBatching": Told(
        f"""(
  {recorded.BATCH_EFFICIENCY.name}{{$own}} < {WITH_BATCHER:g} * $threshold
  or {recorded.BATCH_EFFICIENCY.name}{{$own, model!~"$batchers"}} < $threshold
)
and (
  {recorded.IN_FLIGHT.name}{{$own}} / on (job, model) group_left () {recorded.INSTANCES.name}{{$own}}
  >= {ENOUGH_IN_FLIGHT:g}
)"""
    ),
}
"""What takes a live server's configuration, or is told better with it."""
