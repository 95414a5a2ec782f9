"""`triton-watch generate`: files for Prometheus, Alertmanager, Grafana and Kubernetes."""

from __future__ import annotations

import click

from triton_watch.cli.generate.alertmanager import alertmanager
from triton_watch.cli.generate.dashboards import dashboards
from triton_watch.cli.generate.everything import everything
from triton_watch.cli.generate.kubernetes import kubernetes
from triton_watch.cli.generate.rules import rules


@click.group()
def command() -> None:
    """Generate Prometheus rules, Grafana dashboards and routes of Alertmanager, from the configuration.

    \b
    Example:
      triton-watch generate all --out monitoring
      triton-watch generate rules --config triton-watch.yaml --out rules.yaml
      triton-watch generate dashboards --out dashboards --check
    """


for one in (rules, dashboards, alertmanager, kubernetes, everything):
    command.add_command(one)
