"""The `slo` section of `triton-watch.yaml`, as pydantic models: strict, no unknown key.

What depends on the SLI of an objective, its threshold above all, is checked by `goals`.
"""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from triton_watch.config import fields as f
from triton_watch.config import slo_fields as s
from triton_watch.config.errors import ParseError
from triton_watch.config.sections import HttpSection, Json, Section, setting


def _wrap_threshold(schema: Json) -> None:
    body = dict(schema)
    schema.clear()
    schema["anyOf"] = [
        {"title": "duration", "type": "string", "minLength": 1},
        {"title": "ratio", "type": "number", "minimum": 0, "maximum": 1},
        {**body, "minProperties": 1},
    ]


class ThresholdSection(Section):
    """What is good: a duration or a ratio, or a band with `low` and `high`."""

    model_config = ConfigDict(json_schema_extra=_wrap_threshold)
    low: s.Ratio | None = setting("`gpu_utilization`: the least that is good.", example="20%")
    high: s.Ratio | None = setting("`gpu_utilization`: the most that is good.", example="90%")
    _plain: str | float | None = PrivateAttr(None)

    @property
    def plain(self) -> str | float | None:
        """The text or number in place of a mapping, as it was written."""
        return self._plain

    @model_validator(mode="wrap")
    @classmethod
    def _accept_plain(cls, value: object, handler: ModelWrapValidatorHandler["ThresholdSection"]) -> "ThresholdSection":
        if isinstance(value, dict):
            return handler(value)
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ParseError("is not a threshold: write a duration such as 50ms, a ratio such as 0.5, or low and high.")
        threshold = cls()
        threshold._plain = value
        return threshold


class GoalSection(Section):
    """What an objective and its overrides share."""

    threshold: ThresholdSection | None = setting(
        "What is good. `queue_time`, `request_time`, `ttft`: the longest good time, a duration. "
        "`batch_efficiency`: the least good ratio. `gpu_utilization`: a mapping with `low`, `high` or both. "
        "`availability` and `canary` have none.",
        example="50ms",
    )
    quantile: s.Quantile | None = setting(
        "A quantile that the server serves (`--metrics-config summary_latencies=true`), instead of the mean of an "
        "interval. For `queue_time` and `request_time` only.",
        example=0.99,
    )
    min_events: s.Events | None = setting(
        "Events (requests, or seconds with traffic) that a window must hold before it can alert.", default=20, example=5
    )


class OverrideSection(GoalSection):
    """Another goal for some of the models. What it leaves out is as in the objective."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 2})
    models: s.Globs = Field(description="Names of models, with `*` and `?`; the first override that fits counts.")
    objective: s.Objective | None = setting("The share that has to be good.", example="95%")
    min_events: s.Events | None = setting("Events that a window must hold before it can alert.", example=5)


class ObjectiveSection(GoalSection):
    """One objective."""

    name: s.SloName = Field(
        description="What the objective is called in metrics and reports. Unique.", examples=["queue-time"]
    )
    sli: s.Sli = Field(description="What it is about.", examples=["queue_time"])
    objective: s.Objective = Field(
        description="The share of requests, or of the seconds with traffic, that has to be good: above 0% and below "
        "100%. The rest is the error budget.",
        examples=["99.9%"],
    )
    period: s.Period | None = setting(
        "The time that the budget is for, always the one that ends now; from 1h to 366d.", default="30d", example="7d"
    )
    models: s.Globs | None = setting(
        "Names of models that it covers, with `*` and `?`. Without it: all.", example=["text_*", "ranker"]
    )
    exclude_models: s.Globs | None = setting("Names of models that it does not cover after all.", example="*_canary")
    targets: s.Globs | None = setting("Names of targets that it covers. Without it: all.", example="gpu-*")
    alerts: list[s.Severity] | None = setting(
        "Which burn rates are watched: fast ones for a `page`, slow ones for a `ticket`. `[]` is none.",
        default=["page", "ticket"],
        example=["ticket"],
        rule={"uniqueItems": True},
    )
    description: f.Text | None = setting("What people should know of it.", example="Search must feel instant.")
    overrides: list[OverrideSection] | None = setting("Other goals for some of the models.")


class PrometheusSection(HttpSection):
    """A Prometheus, Thanos or Mimir that scrapes this agent and its like."""

    url: s.PrometheusUrl = Field(
        description="Its URL, without `/api/v1`. A path is taken for a prefix.", examples=["http://prometheus:9090"]
    )
    timeout: f.Duration | None = setting("Longest time for one query.", default="10s", example="30s")
    selector: dict[str, f.Text] | None = setting(
        "Labels that the series must have: name and value.",
        example={"cluster": "gpu-west"},
        rule={"propertyNames": {"pattern": f"^{s.LABEL_PATTERN}$"}},
    )


class SloSection(Section):
    """Service level objectives and their error budgets."""

    state_dir: f.Text | None = setting(
        "Directory for the events of the period, so that budgets outlive a restart; `none` keeps them in memory only. "
        "Without it: `$STATE_DIRECTORY` (systemd), else `$XDG_STATE_HOME/triton-watch`, else "
        "`~/.local/state/triton-watch`.",
        example="/var/lib/triton-watch",
    )
    flush_interval: s.Flush | None = setting(
        "Time between two writes to the state directory, from 1s to 10m: what a crash can lose.",
        default="30s",
        example="10s",
    )
    no_data_after: s.Patience | None = setting(
        "Time without a word from an indicator after which its objective is said to have no data.",
        default="10m",
        example="5m",
    )
    prometheus: PrometheusSection | None = setting("Where budgets of a whole fleet are read from.")
    objectives: list[ObjectiveSection] | None = setting(
        "The objectives. Without it: availability 99.9%, queue time of 50ms 99% and, as a ticket only, batch "
        "efficiency of 0.5 90%, each over 30d and all models. `[]` is none.",
    )
