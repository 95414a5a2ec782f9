"""Which files each kind of output has: their paths below the folder of --out, and their texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.generate import provisioning
from triton_watch.generate.alerts import alertmanager_yaml
from triton_watch.generate.dashboards import dashboards
from triton_watch.generate.kubernetes import ObjectOptions, dashboard_config_map, kustomization, prometheus_rule
from triton_watch.generate.rules.agent import agent_groups, agent_head, agent_yaml
from triton_watch.generate.rules.options import Source
from triton_watch.generate.rules.triton import triton_groups, triton_head, triton_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.generate.dashboards import Context
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.records import Settings

Files: TypeAlias = "dict[str, str]"
"""Text by path, in the order in which they are told of; folders are separated by a slash."""


def board_texts(context: Context) -> dict[str, str]:
    """Return each board's JSON as text, by its name."""
    boards = dashboards(context).items()
    return {name: json.dumps(board, indent=1, ensure_ascii=False) + "\n" for name, board in boards}


def dashboard_files(boards: Mapping[str, str]) -> Files:
    """Return the boards, and how Grafana is told of them."""
    return {
        **{f"{name}.json": text for name, text in boards.items()},
        "provisioning/dashboards.yaml": provisioning.providers(),
        "provisioning/datasources.yaml": provisioning.datasources(),
    }


def rule_files(settings: Settings, options: RuleOptions) -> Files:
    """Return the rules for either source, and the routes of their alerts."""
    return {
        "rules.yaml": agent_yaml(settings, options),
        "triton.yaml": triton_yaml(settings, options),
        "alertmanager.yaml": alertmanager_yaml(settings),
    }


def rule_object(source: Source, settings: Settings, options: RuleOptions, objects: ObjectOptions) -> str:
    """Return the rules for one source as an object of the Prometheus operator."""
    if source is Source.AGENT:
        return prometheus_rule("triton-watch", agent_groups(settings, options), objects, *agent_head(settings, options))
    return prometheus_rule(
        "triton-watch-triton", triton_groups(settings, options), objects, *triton_head(settings, options)
    )


def dashboard_objects(boards: Mapping[str, str], objects: ObjectOptions) -> Files:
    """Return the boards as ConfigMaps."""
    return {
        f"{name}.yaml": dashboard_config_map(name, f"triton-watch-{name}.json", text, objects)
        for name, text in boards.items()
    }


def all_files(context: Context, options: RuleOptions, objects: ObjectOptions) -> Files:
    """Return everything, as it lies in this repository: alerts/, dashboards/, and kubernetes/ in each."""
    settings, boards = context.settings, board_texts(context)
    return {
        **below("alerts", rule_files(settings, options)),
        **folder("alerts/kubernetes", {"rules.yaml": rule_object(Source.AGENT, settings, options, objects)}),
        **folder(
            "alerts/kubernetes/without-agent", {"rules.yaml": rule_object(Source.TRITON, settings, options, objects)}
        ),
        **below("dashboards", dashboard_files(boards)),
        **folder("dashboards/kubernetes", dashboard_objects(boards, objects)),
    }


def folder(path: str, objects: Files) -> Files:
    """Return objects as they lie in a folder that kustomize takes."""
    return below(path, {**objects, "kustomization.yaml": kustomization(objects)})


def below(folder: str, files: Files) -> Files:
    """Return the files as they lie in a folder."""
    return {f"{folder}/{path}": text for path, text in files.items()}
