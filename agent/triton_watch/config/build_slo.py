"""From the checked `slo` section to `SloSettings`: thresholds understood, windows scaled, defaults filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

import yaml
from pydantic import TypeAdapter

from triton_watch.config.goals import goal_of, override_of
from triton_watch.config.overrides import QUERY_TIMEOUT, query_timeouts
from triton_watch.config.slo_fields import LABEL_PATTERN
from triton_watch.config.slo_sections import ObjectiveSection, PrometheusSection, SloSection
from triton_watch.config.state_dir import default_state_dir, state_dir
from triton_watch.config.windows import burn_windows
from triton_watch.records import (
    Objective,
    Override,
    Page,
    PrometheusSettings,
    SloSettings,
    SloSli,
    TlsSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.config.common import Resolver
    from triton_watch.config.errors import Location

_PERIOD: Final = 30 * 86_400.0
_AT: Final = ("slo",)


def slo_settings(section: SloSection, resolver: Resolver, environ: Mapping[str, str]) -> SloSettings:
    """Build the settings from a checked section; what is wrong is reported to the resolver's `report`.

    `environ` says where the state directory is when the section does not.
    """
    usual = SloSettings()
    configured = section.objectives
    sections = default_objectives() if configured is None else configured
    given = section.state_dir
    no_data_after = section.no_data_after or usual.no_data_after
    return SloSettings(
        objectives=_Builder(resolver, no_data_after).objectives(sections),
        are_defaults=configured is None,
        state_dir=default_state_dir(environ) if given is None else state_dir(given, resolver.base),
        flush_interval=section.flush_interval or usual.flush_interval,
        no_data_after=no_data_after,
        prometheus=None if section.prometheus is None else _prometheus(section.prometheus, resolver),
    )


def default_objectives() -> list[ObjectiveSection]:
    """Read the objectives that hold when none are configured."""
    text = resources.files("triton_watch.slo").joinpath("objectives.yaml").read_text("utf-8")
    return TypeAdapter(list[ObjectiveSection]).validate_python(yaml.safe_load(text))


@dataclass(frozen=True, slots=True)
class _Builder:
    resolver: Resolver
    no_data_after: float

    def objectives(self, sections: Sequence[ObjectiveSection]) -> tuple[Objective, ...]:
        first: dict[str, int] = {}
        for index, section in enumerate(sections):
            if section.name in first:
                text = (
                    f"the name {section.name} is already that of slo.objectives[{first[section.name]}]: choose another."
                )
                self.resolver.report((*_AT, "objectives", index, "name"), text)
            first.setdefault(section.name, index)
        return tuple(self._objective(section, (*_AT, "objectives", index)) for index, section in enumerate(sections))

    def _objective(self, section: ObjectiveSection, at: Location) -> Objective:
        period = section.period or _PERIOD
        severities = [page.value for page in Page] if section.alerts is None else section.alerts
        for index, severity in enumerate(severities):
            if severity in severities[:index]:
                self.resolver.report((*at, "alerts", index), f"{severity} is in the list twice: keep one.")
        sli, goal = SloSli(section.sli), goal_of(section, self.resolver.report, at)
        overrides = tuple(
            Override(tuple(one.models), override_of(goal, one, sli, self.resolver.report, (*at, "overrides", index)))
            for index, one in enumerate(section.overrides or ())
        )
        return Objective(
            name=section.name,
            sli=sli,
            goal=goal,
            period=period,
            windows=burn_windows(period, [Page(severity) for severity in severities]),
            models=tuple(section.models or ("*",)),
            exclude_models=tuple(section.exclude_models or ()),
            targets=tuple(section.targets or ("*",)),
            overrides=overrides,
            description=section.description or "",
            no_data_after=self.no_data_after,
        )


def _prometheus(section: PrometheusSection, resolver: Resolver) -> PrometheusSettings:
    at = (*_AT, "prometheus")
    access = resolver.access(section, at)
    resolver.refuse_clashes(access, at)
    for name in section.selector or {}:
        if not re.fullmatch(LABEL_PATTERN, name, re.ASCII):
            text = "is not the name of a label: use letters, digits and _, no digit first."
            resolver.report((*at, "selector", name), text)
    return PrometheusSettings(
        url=section.url,
        timeouts=query_timeouts(section.timeout or QUERY_TIMEOUT),
        credentials=access.credentials(),
        tls=access.tls or TlsSettings(),
        selector=tuple((section.selector or {}).items()),
    )
