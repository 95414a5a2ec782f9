"""Settings as a configuration file would say them, every default filled in and every secret masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from triton_watch.config import units
from triton_watch.config.addresses import bracketed, grpc_text
from triton_watch.config.expand import escaped
from triton_watch.config.show_access import credentials_settings, tls_settings
from triton_watch.config.show_alerts import alerts_section
from triton_watch.config.show_canary import canary_section
from triton_watch.config.show_discovery import discovery_section, server_settings
from triton_watch.config.show_objective import objective_settings
from triton_watch.config.state_dir import state_dir_text

if TYPE_CHECKING:
    from triton_watch.records import (
        CheckSettings,
        PrometheusSettings,
        Settings,
        SloSettings,
        Target,
        WebSettings,
    )


def masked(settings: Settings) -> dict[str, Any]:
    """Give the settings in the shape of a configuration file: only texts, numbers, lists and mappings.

    Passwords, tokens and the values of headers are `<secret>`, wherever they came from.
    """
    return {
        **({"targets": [_target(target) for target in settings.targets]} if settings.targets else {}),
        **discovery_section(settings.discovery),
        "web": _web(settings.web),
        "log": {"level": settings.log.level, "format": settings.log.format},
        **({} if settings.check is None else {"check": _check(settings.check)}),
        "slo": _slo(settings.slo),
        "canary": canary_section(settings.canary),
        "alerts": alerts_section(settings.alerts),
        "poll_threads": settings.poll_threads,
    }


def masked_yaml(settings: Settings) -> str:
    """Give `masked` as YAML, in the order of the documentation."""
    return yaml.safe_dump(escaped(masked(settings)), sort_keys=False, allow_unicode=True, width=110)


def _web(web: WebSettings) -> dict[str, Any]:
    file = {} if web.config_file is None else {"config_file": str(web.config_file)}
    return {"listen": f"{bracketed(web.host)}:{web.port}", **file}


def _check(check: CheckSettings) -> dict[str, Any]:
    latency, memory = check.latency_objective, check.gpu_memory
    values: dict[str, Any] = {
        "select": list(check.select) or None,
        "ignore": list(check.ignore) or None,
        "fail_on": check.fail_on,
        "profile": check.profile,
        "triton_version": check.triton_version,
        "gpus": check.gpus,
        "gpu_memory": None if memory is None else units.format_size(memory),
        "latency_objective": None if latency is None else units.format_duration(latency),
        "response_cache": check.response_cache,
        "rate_limit": check.rate_limit,
        "baseline": None if check.baseline is None else str(check.baseline),
    }
    return {name: value for name, value in values.items() if value is not None}


def _target(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "url": target.http_url,
        "grpc": grpc_text(target.grpc_address, tls=target.grpc_tls),
        "metrics_url": target.metrics_url,
        **server_settings(target),
    }


def _slo(slo: SloSettings) -> dict[str, Any]:
    return {
        "state_dir": state_dir_text(slo.state_dir),
        "flush_interval": units.format_duration(slo.flush_interval),
        "no_data_after": units.format_duration(slo.no_data_after),
        **({} if slo.prometheus is None else {"prometheus": _prometheus(slo.prometheus)}),
        "objectives": [objective_settings(objective) for objective in slo.objectives],
    }


def _prometheus(prometheus: PrometheusSettings) -> dict[str, Any]:
    optional = {
        "selector": dict(prometheus.selector),
        **credentials_settings(prometheus.credentials),
        "tls": tls_settings(prometheus.tls),
    }
    return {
        "url": prometheus.url,
        "timeout": units.format_duration(prometheus.timeouts.total),
        **{key: value for key, value in optional.items() if value},
    }
