"""The `alerts` section of `triton-watch.yaml`, as pydantic models: strict, no unknown key.

What one setting says of another, and whether an alert of a name exists, is checked by `build_alerts`.
"""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from pydantic import ConfigDict, Field

from triton_watch.config import alert_fields as a
from triton_watch.config import canary_fields as c
from triton_watch.config import fields as f
from triton_watch.config import slo_fields as s
from triton_watch.config.sections import HttpSection, Section, setting


class AlertmanagerSection(HttpSection):
    """An Alertmanager that is told. Of a cluster, each member is."""

    url: a.AlertmanagerUrl = Field(
        description="Its URL, without `/api/v2`. A path is taken for a prefix.", examples=["http://alertmanager-0:9093"]
    )
    timeout: f.Duration | None = setting("Longest time for one request.", default="10s", example="5s")


class SeveritiesSection(Section):
    """Other values for the `severity` label, each its own."""

    page: f.Text | None = setting("For alerts that somebody must hear of at once.", default="page", example="critical")
    ticket: f.Text | None = setting("For those that have time until tomorrow.", default="ticket", example="warning")
    info: f.Text | None = setting("For those that nobody is told of by themselves.", default="info", example="none")


class AlertOverrideSection(Section):
    """Other values for some of the alerts. What it leaves out is as the alert is defined."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 2})
    alerts: s.Globs = Field(
        description="Names of alerts, with `*` and `?`; the first override that fits an alert counts.",
        examples=["TritonQueueGrowing"],
    )
    targets: s.Globs | None = setting("Names of targets, with `*` and `?`. Without it: all.", example="gpu-*")
    models: s.Globs | None = setting(
        "Names of models, with `*` and `?`. With it the override is for alerts about a model only.", example="ranker*"
    )
    enabled: f.Truth | None = setting("Whether these alerts are evaluated.", default=True, example=False)
    severity: a.Severity | None = setting("Who is told: `page`, `ticket` or `info`.", example="page")
    hold: c.Delay | None = setting(
        "How long the condition must hold before the alert fires, at most 1d; 0s is at once.", example="5m", alias="for"
    )
    keep_firing_for: c.Delay | None = setting(
        "How long the alert goes on firing after the condition held for the last time, at most 1d.", example="2m"
    )
    failures: a.Polls | None = setting(
        "In how many of the last `window` polls the condition must hold, from 1 to 100.", example=3
    )
    window: a.Polls | None = setting("The last polls that count, from `failures` to 100.", example=5)
    threshold: a.Threshold | None = setting(
        "Another limit, for alerts that have one, in the unit that docs/alerts.md gives: a number, or for a ratio a "
        "percentage.",
        example="95%",
    )
    labels: a.Labels | None = setting(
        "Labels to add to the alerts: name and value.", example={"team": "search"}, rule=a.LABELS_SCHEMA
    )


class AlertsSection(Section):
    """Which alerts there are, and who is told."""

    mode: a.Mode | None = setting(
        "`agent`: this agent evaluates the alerts and tells the Alertmanagers. `prometheus`: a Prometheus with the "
        "generated rules tells them, and the agent evaluates for its own pages only, so that nobody is paged twice. "
        "`off`: nothing is evaluated.",
        default="agent",
        example="prometheus",
    )
    alertmanagers: list[AlertmanagerSection] | None = setting(
        "The Alertmanagers that are told. Without them alerts are seen on the agent's own pages only."
    )
    external_url: a.PublicUrl | None = setting(
        "Where people reach this agent: alerts link to it. Without it: the address that it listens on.",
        example="https://triton-watch.example.net",
    )
    runbook_url: a.RunbookUrl | None = setting(
        "Where runbooks are, with `{alert}` in place of the alert's name. Without it: pages of this agent.",
        example="https://wiki.example.net/{alert}",
    )
    dashboard_url: a.DashboardUrl | None = setting(
        "Where dashboards are, with `{dashboard}`, `{target}` and `{model}` in place of the names of the board, the "
        "alert's target and its model (`$__all` where it has none). Without it: this agent's page of the model or the "
        "target.",
        example="https://grafana.example.net/d/triton-watch-{dashboard}?var-target={target}&var-model={model}",
    )
    external_labels: a.Labels | None = setting(
        "Labels to add to every alert that an Alertmanager is told: name and value.",
        example={"cluster": "prod"},
        rule=a.LABELS_SCHEMA,
    )
    severities: SeveritiesSection | None = setting("Other values for the `severity` label.")
    resend_interval: a.Resend | None = setting(
        "Time from one telling of an alert that still fires to the next, from 1s to 1h. An Alertmanager that hears "
        "nothing for four of them takes the alert for resolved.",
        default="1m",
        example="30s",
    )
    watchdog: f.Truth | None = setting(
        "Whether `TritonWatchdog` fires all the time: whoever gets it notices when it stops.",
        default=False,
        example=True,
    )
    config_check: a.ConfigCheck | None = setting(
        "Time from one check of the live server's configuration to the next, from 10s to 1d, or `off`: what "
        "`TritonConfigErrors` and `TritonConfigDrift` are about.",
        default="10m",
        example="1h",
    )
    overrides: list[AlertOverrideSection] | None = setting("Other values for some of the alerts.")
