"""`triton-watch generate kubernetes`: the rules and boards as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.generate import options
from triton_watch.cli.generate.asked import mind, object_options, rule_options, settings_of
from triton_watch.cli.generate.deliver import deliver, deliver_all
from triton_watch.cli.generate.ending import warn
from triton_watch.cli.generate.live import live_models
from triton_watch.generate.rules.options import Source

if TYPE_CHECKING:
    from pathlib import Path


_KEPT_BY_KUBECTL = 262_144
"""Bytes of annotations that an object may have; `kubectl apply` puts the whole object into one."""


@click.command(short_help="The same as objects: PrometheusRules and ConfigMaps.")
@options.CONFIG
@options.TARGET
@click.option("--out", "-o", default="-", metavar="DIR", help="Write a file for each there.  [default: print]")
@options.CHECK
@options.SOURCE
@options.rule_flags
@options.object_flags
def kubernetes(
    config_file: Path | None,
    target: str | None,
    out: str,
    source: str,
    *,
    check: bool,
    **flags: Any,  # noqa: ANN401 - flags of click
) -> None:
    """Generate a PrometheusRule for the Prometheus operator, and ConfigMaps with the boards for Grafana's sidecar.

    \b
    Exit code: 0 written, or the same; 1 --check found a difference; 2 usage, or the configuration is
    not valid; 3 a file or the server cannot be read, or a file not written.

    \b
    Example:
      triton-watch generate kubernetes --namespace monitoring | kubectl apply --filename -
      triton-watch generate kubernetes --rule-label release=kube-prometheus-stack --out objects
    """
    settings = settings_of(config_file, flags)
    models = live_models(settings, target)
    from triton_watch.generate.dashboards import Context
    from triton_watch.generate.files import below, board_texts, dashboard_objects, rule_object

    chosen, objects = rule_options(flags, models), object_options(flags)
    mind(Source(source), settings, chosen, flags)
    files = {
        "rules.yaml": rule_object(Source(source), settings, chosen, objects),
        **below("dashboards", dashboard_objects(board_texts(Context(settings, models or ())), objects)),
    }
    if out == "-":
        deliver("---\n".join(files.values()), out, check=check)
    else:
        deliver_all(files, out, check=check)
    for path, text in files.items():
        if len(text.encode()) > _KEPT_BY_KUBECTL:
            warn(f"{path} is over 256 KiB, which `kubectl apply` keeps a copy of: use `kubectl apply --server-side`.")
