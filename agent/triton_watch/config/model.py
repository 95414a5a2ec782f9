"""The whole of `triton-watch.yaml` as pydantic models: what a target may have, and the top level."""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from typing import Final

from pydantic import ConfigDict, Field

from triton_watch.config import fields as f
from triton_watch.config.alert_sections import AlertsSection
from triton_watch.config.canary_sections import CanarySection
from triton_watch.config.discovery_sections import DiscoverySection
from triton_watch.config.sections import Section, setting
from triton_watch.config.server_sections import CommonSection, ServerSection
from triton_watch.config.slo_sections import SloSection


class DefaultsSection(CommonSection):
    """Settings for all targets that do not have their own."""


class TargetSection(ServerSection):
    """One Triton server."""

    needed = (("url", "host"),)
    name: f.Name | None = setting(
        "What the target is called in metrics, logs and pages. Unique. Without it: host and port of the URL.",
        example="search-0",
    )
    url: f.HttpUrl | None = setting(
        "URL of Triton's HTTP service. `http://` without a port means 8000. A path is taken for the prefix "
        "of a reverse proxy. Either `url` or `host` is needed.",
        example="http://triton:8000",
    )
    host: f.Host | None = setting(
        "Host name or IP address, instead of `url`, of a server on Triton's own ports: HTTP 8000, gRPC 8001, "
        "metrics 8002.",
        example="triton-0.search.svc",
    )
    grpc: f.GrpcAddress | None = setting(
        "Address of the gRPC service, `host:port` or, for TLS, `grpcs://host:port`; `tls` holds for it as for HTTP. "
        "Without it: the port after that of `url`, in TLS where the URL is `https://`.",
        example="triton:8001",
    )
    metrics_url: f.MetricsUrl | None = setting(
        "URL of the metrics page; without a path, `/metrics`. Without it: two ports after that of `url`.",
        example="http://triton:8002/metrics",
    )


class WebSection(Section):
    """What the agent serves: its metrics and pages."""

    listen: f.Listen | None = setting(
        "Address to listen on, `host:port`. `0.0.0.0:8003` is every IPv4 interface; port 0 is any free one. "
        "The environment variable `TRITON_WATCH_LISTEN` replaces the default.",
        default="127.0.0.1:8003",
        example="0.0.0.0:8003",
    )
    config_file: f.Text | None = setting(
        "Web configuration file in Prometheus's format: TLS, and the users who may read, with bcrypt hashes. "
        "See [TLS and passwords](operations.md#tls-and-passwords).",
        example="web-config.yaml",
    )


class LogSection(Section):
    """The agent's log, on standard error."""

    level: f.LogLevel | None = setting("Least severity to log: debug, info, warning or error.", default="info")
    format: f.LogFormat | None = setting("`text` for people, `json` for machines.", default="text")


class CheckSection(Section):
    """What `triton-watch check` looks for. Its flags win over these."""

    select: f.Paths | None = setting(
        "Rules to run, by id, slug or the beginning of an id (`TW4`). Without it: all.", example=["TW1", "TW2"]
    )
    ignore: f.Paths | None = setting("Rules not to run, named in the same way.", example=["TW455"])
    fail_on: f.FailOn | None = setting(
        "Least severity that makes the exit code 1: error, warning, info or never. Without it the profile decides."
    )
    profile: f.Profile | None = setting(
        "`production`: errors and crossed red lines make the exit code 1; `dev`: errors alone.", default="production"
    )
    triton_version: f.Release | None = setting(
        "Release of the Triton that will serve the models: what that one refuses is an error.", example="24.10"
    )
    gpus: f.GpuCount | None = setting("GPUs that the server sees; 0 for a CPU server.", example=2)
    gpu_memory: f.Size | None = setting("Memory of each GPU, for the estimates of what fits.", example="80GiB")
    latency_objective: f.Duration | None = setting(
        "Time in which a request must be answered: queue delays are compared with it.", example="200ms"
    )
    response_cache: f.Truth | None = setting("Whether the server runs with --cache-config.")
    rate_limit: f.Truth | None = setting("Whether the server runs with --rate-limit=execution_count.")
    baseline: f.Text | None = setting(
        "File with known findings (`--write-baseline` makes it): they are not reported.", example="baseline.json"
    )


class ConfigFile(Section):
    """Configuration of triton-watch."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["targets"]}, {"required": ["discovery"]}]})
    targets: list[TargetSection] | None = Field(
        default=None, min_length=1, description="The servers to watch. Needed where `discovery` does not find them."
    )
    discovery: DiscoverySection | None = setting(
        "Where servers to watch are found, beside `targets` or in place of it: see [fleets](fleet.md)."
    )
    defaults: DefaultsSection | None = setting("Settings for all targets that do not have their own.")
    web: WebSection | None = setting("What the agent serves.")
    log: LogSection | None = setting("The agent's log.")
    check: CheckSection | None = setting("What `triton-watch check` looks for in model repositories.")
    slo: SloSection | None = setting("Objectives, and where what is known of their error budgets is kept.")
    canary: CanarySection | None = setting("Small requests that show whether the models answer, and how.")
    alerts: AlertsSection | None = setting("Which alerts there are, and who is told.")
    poll_threads: f.Threads | None = setting(
        "Most servers polled at the same time; more wait for a free thread.", default=64, example=16
    )


OPTIONAL_SECTIONS: Final = ("defaults", "web", "log", "check", "slo", "canary", "alerts")
"""Top-level sections that may stand there with nothing under them."""
