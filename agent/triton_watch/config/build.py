"""From checked sections to `Settings`: defaults filled in, addresses derived, settings compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from triton_watch.config import addresses
from triton_watch.config.alert_sections import AlertsSection
from triton_watch.config.build_alerts import alert_settings
from triton_watch.config.build_canary import canary_settings
from triton_watch.config.build_discovery import discovery_settings
from triton_watch.config.build_slo import slo_settings
from triton_watch.config.canary_sections import CanarySection
from triton_watch.config.common import Common, Resolver
from triton_watch.config.derived import derive
from triton_watch.config.errors import Location, ParseError
from triton_watch.config.listening import default_listen
from triton_watch.config.model import CheckSection, ConfigFile, DefaultsSection, LogSection, TargetSection, WebSection
from triton_watch.config.slo_sections import SloSection
from triton_watch.config.units import format_duration
from triton_watch.config.web_file import report_web
from triton_watch.records import CheckSettings, LogSettings, Settings, Target, Timeouts, TlsSettings, WebSettings
from triton_watch.records.discovery import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from triton_watch.config.expand import Report
    from triton_watch.config.server_sections import ServerSection

_DEFAULT_INTERVAL = 15.0
_DEFAULT_TIMEOUTS = Timeouts(connect=1.0, read=2.0, total=3.0)
_DEFAULT_BODY_LIMIT = 50_000_000
_DEFAULT_POLL_THREADS = 64
_TOTAL_OF_INTERVAL = 0.8
"""The default total timeout leaves a fifth of a short interval free."""


def settings(config: ConfigFile, base: Path, report: Report, environ: Mapping[str, str]) -> Settings | None:
    """Build the settings; None when a target could not be built. `base` is where relative paths start.

    `environ` says where state is kept, and where to listen, when the configuration does not.
    """
    builder = _Builder(Resolver(base, report), report)
    defaults = builder.resolver.common(config.defaults or DefaultsSection(), ("defaults",))
    sections = config.targets or []
    built = [builder.target(section, defaults, ("targets", index)) for index, section in enumerate(sections)]
    if config.targets is None and config.discovery is None:
        report(("targets",), "is missing: list the servers to watch, or say under discovery where they are found.")
    discovery = discovery_settings(
        config.discovery, lambda section, at: builder.template(section, defaults, at), base, report
    )
    slo = slo_settings(config.slo or SloSection(), builder.resolver, environ)
    canary = canary_settings(config.canary or CanarySection(), builder.resolver)
    alerts = alert_settings(config.alerts or AlertsSection(), builder.resolver)
    targets = tuple(target for target in built if target is not None)
    if len(targets) < len(built):
        return None
    _refuse_same_names(sections, targets, report)
    return Settings(
        targets=targets,
        web=builder.web(config.web or WebSection(), environ),
        log=_log(config.log or LogSection()),
        check=None if config.check is None else check(config.check, base),
        slo=slo,
        canary=canary,
        alerts=alerts,
        discovery=discovery,
        poll_threads=config.poll_threads or _DEFAULT_POLL_THREADS,
    )


def check(section: CheckSection, base: Path) -> CheckSettings:
    """Build what to check from a checked section; `base` is where relative paths start."""
    return CheckSettings(
        select=tuple(section.select or ()),
        ignore=tuple(section.ignore or ()),
        fail_on=section.fail_on,
        profile=section.profile,
        triton_version=section.triton_version,
        gpus=section.gpus,
        gpu_memory=section.gpu_memory,
        latency_objective=section.latency_objective,
        response_cache=section.response_cache,
        rate_limit=section.rate_limit,
        baseline=None if section.baseline is None else base / section.baseline,
    )


def _log(section: LogSection) -> LogSettings:
    usual = LogSettings()
    return LogSettings(level=section.level or usual.level, format=section.format or usual.format)


@dataclass(frozen=True, slots=True)
class _Builder:
    resolver: Resolver
    report: Report

    def target(self, section: TargetSection, defaults: Common, at: Location) -> Target | None:
        """Build a target; None where its addresses make no sense."""
        template = self.template(section, defaults, at)
        try:
            found = derive(_url(section), section.metrics_url, section.grpc)
        except ParseError as error:
            self.report((*at, "url"), str(error))
            return None
        return replace(
            template,
            name=section.name or found.host_port,
            http_url=found.http_url,
            metrics_url=found.metrics_url,
            grpc_address=found.grpc,
            grpc_tls=found.grpc_tls,
        )

    def template(self, section: ServerSection, defaults: Common, at: Location) -> Target:
        """Build a target without a name and addresses."""
        common = self.resolver.common(section, at).over(defaults)
        interval = common.interval or _DEFAULT_INTERVAL
        timed = section.interval is not None or section.timeouts is not None
        self.resolver.refuse_clashes(common, at)
        self._check_list(section.expected_models, (*at, "expected_models"))
        self._check_list(section.gpus, (*at, "gpus"))
        return replace(
            NOWHERE,
            interval=interval,
            timeouts=self._timeouts(common, interval, at if timed else ("defaults",)),
            body_limit=common.body_limit or _DEFAULT_BODY_LIMIT,
            credentials=common.credentials(),
            tls=common.tls or TlsSettings(),
            model_repositories=self._repositories(section.model_repository or [], at),
            expected_models=tuple(section.expected_models or ()),
            gpus=tuple(section.gpus or ()),
        )

    def web(self, section: WebSection, environ: Mapping[str, str]) -> WebSettings:
        """Build where to listen, and check the web configuration file."""
        host, port = self._listen(section.listen, environ)
        if section.config_file is None:
            return WebSettings(host, port)
        path = self.resolver.base / section.config_file
        access = report_web(path, ("web", "config_file"), self.report)
        return WebSettings(host, port, path, tls=access is not None and access.tls is not None)

    def _listen(self, given: str | None, environ: Mapping[str, str]) -> tuple[str, int]:
        if given is not None:
            return addresses.listen(given)
        try:
            return default_listen(environ)
        except ParseError as error:
            self.report(("web", "listen"), f"is not set, and {error}")
            usual = WebSettings()
            return usual.host, usual.port

    def _timeouts(self, common: Common, interval: float, at: Location) -> Timeouts:
        usual = round(min(_DEFAULT_TIMEOUTS.total, _TOTAL_OF_INTERVAL * interval), 3)
        total = common.total or usual
        connect = common.connect or min(_DEFAULT_TIMEOUTS.connect, total)
        read = common.read or min(_DEFAULT_TIMEOUTS.read, total)
        if total >= interval:
            text = f"is {_d(total)}, not shorter than the interval of {_d(interval)}: lower it or raise that."
            self.report((*at, "timeouts", "total"), text)
        for name, value in (("connect", connect), ("read", read)):
            if value > total:
                text = f"is {_d(value)}, longer than timeouts.total of {_d(total)}: lower it or raise that."
                self.report((*at, "timeouts", name), text)
        return Timeouts(connect=connect, read=read, total=total)

    def _check_list(self, values: Sequence[str] | None, at: Location) -> None:
        seen: set[str] = set()
        for index, value in enumerate(values or ()):
            if value in seen:
                self.report((*at, index), f"{value} is in the list twice: keep one.")
            seen.add(value)

    def _repositories(self, names: Sequence[str], at: Location) -> tuple[Path, ...]:
        for name in names:
            if "://" in name:
                text = f"{name} is not a directory of this machine: mount the repository and give its path."
                self.report((*at, "model_repository"), text)
        return tuple(self.resolver.base / name for name in names)


def _url(section: TargetSection) -> str:
    if section.url is not None:
        return section.url
    return f"http://{addresses.bracketed(section.host or '')}:{addresses.TRITON_HTTP_PORT}"


def _refuse_same_names(sections: Sequence[TargetSection], targets: Sequence[Target], report: Report) -> None:
    first: dict[str, int] = {}
    for index, target in enumerate(targets):
        if target.name in first:
            what = "is already that of" if sections[index].name else "(from the address) is already that of"
            other = f"targets[{first[target.name]}]"
            text = f"the name {target.name} {what} {other}: delete one of the two, or give it another name."
            report(("targets", index, "name"), text)
        first.setdefault(target.name, index)


def _d(seconds: float) -> str:
    return format_duration(seconds)
