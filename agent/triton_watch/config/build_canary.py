"""From the checked `canary` section to `CanarySettings`: defaults filled in, files found, settings compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from triton_watch.config import files
from triton_watch.config.canary_sections import CanaryOptionsSection
from triton_watch.config.errors import Location, ParseError
from triton_watch.config.fields import filled
from triton_watch.config.units import format_duration
from triton_watch.records import CanaryOptions, CanarySettings, GivenInput, GivenTensor, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.config.canary_inputs import InputSection, TensorSection
    from triton_watch.config.canary_sections import CanaryOverrideSection, CanarySection
    from triton_watch.config.common import Resolver

_AT: Final = ("canary",)
_WHOLE: Final = (".npz", ".json")
_TENSOR: Final = (".npy",)


def canary_settings(section: CanarySection, resolver: Resolver) -> CanarySettings:
    """Build the settings from a checked section; what is wrong is reported to the resolver's `report`."""
    builder, usual = _Builder(resolver, _given(section)), CanarySettings()
    window = section.window or usual.window
    failures = section.failures or min(usual.failures, window)
    if failures > window:
        text = f"is {failures}, more than the window of {window}: lower it or raise that."
        resolver.report((*_AT, "failures"), text)
    return CanarySettings(
        options=builder.options(builder.own, _AT, set(builder.own)),
        models=tuple(section.models or usual.models),
        exclude_models=tuple(section.exclude_models or ()),
        protocol=Protocol(section.protocol or usual.protocol),
        concurrency=section.concurrency or usual.concurrency,
        jitter=usual.jitter if section.jitter is None else section.jitter,
        failures=failures,
        window=window,
        goldens=builder.goldens(section.goldens),
        overrides=tuple(
            builder.override(one, (*_AT, "overrides", index)) for index, one in enumerate(section.overrides or ())
        ),
    )


def _given(section: CanaryOptionsSection) -> dict[str, Any]:
    """Return the options that a section gives, by their names."""
    found = {name: getattr(section, name) for name in CanaryOptionsSection.model_fields}
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Builder:
    resolver: Resolver
    own: dict[str, Any]
    """The options that the section itself gives."""

    def override(self, section: CanaryOverrideSection, at: Location) -> tuple[tuple[str, ...], CanaryOptions]:
        if not section.model_fields_set - {"models"}:
            self.resolver.report(at, "changes nothing: give interval, inputs or another option, or delete it.")
        given = _given(section)
        inputs = tuple(self._input(one, (*at, "inputs", index)) for index, one in enumerate(section.inputs or ()))
        return tuple(section.models), self.options({**self.own, **given, "inputs": inputs}, at, set(given))

    def options(self, values: dict[str, Any], at: Location, said: set[str]) -> CanaryOptions:
        """Fill in defaults and compare; clashes are reported where one of the settings was `said`."""
        usual = CanaryOptions()
        interval = values.get("interval", usual.interval)
        timeout = values.get("timeout", round(min(usual.timeout, interval / 2), 3))
        parameters = tuple(values.get("parameters", {}).items())
        options = CanaryOptions(**{**values, "timeout": timeout, "parameters": parameters})
        self._compare(options, at, said)
        return options

    def _compare(self, options: CanaryOptions, at: Location, said: set[str]) -> None:
        timeout, latency = options.timeout, options.max_latency
        if timeout >= options.interval and said & {"timeout", "interval"}:
            interval = format_duration(options.interval)
            text = (
                f"is {format_duration(timeout)}, not shorter than the interval of {interval}: lower it or raise that."
            )
            self.resolver.report((*at, "timeout"), text)
        if latency is not None and latency > timeout and said & {"timeout", "interval", "max_latency"}:
            longest = format_duration(timeout)
            text = f"is {format_duration(latency)}, longer than the timeout of {longest}: lower it or raise that."
            self.resolver.report((*at, "max_latency"), text)
        most, least = options.max_responses, options.min_responses
        if most is not None and most < least and said & {"min_responses", "max_responses"}:
            text = f"is {most}, less than min_responses, which is {least}: raise it or lower that."
            self.resolver.report((*at, "max_responses"), text)

    def goldens(self, name: str | None) -> Path | None:
        return (
            None
            if name is None
            else self.resolver.attempt((*_AT, "goldens"), lambda: files.folder(self.resolver.base / name))
        )

    def _input(self, section: InputSection, at: Location) -> GivenInput:
        if section.file is not None:
            return GivenInput(file=self._file(section.file, _WHOLE, (*at, "file")))
        return GivenInput(tuple(self._tensor(name, one, (*at, name)) for name, one in section.root.items()))

    def _tensor(self, name: str, section: TensorSection, at: Location) -> GivenTensor:
        file = None if section.file is None else self._file(section.file, _TENSOR, (*at, "file"))
        shape = None if section.shape is None else tuple(section.shape)
        return GivenTensor(name, section.values, file, shape)

    def _file(self, name: str, endings: tuple[str, ...], at: Location) -> Path | None:
        def action() -> Path:
            path = self.resolver.base / filled(name)
            _refuse_ending(path, endings)
            return files.existing(path)

        return self.resolver.attempt(at, action)


def _refuse_ending(path: Path, endings: tuple[str, ...]) -> None:
    ending = path.suffix
    if ending in endings:
        return
    if ending in _TENSOR:
        raise ParseError(f"{path} holds one tensor: write it under the name of its input, as NAME: {{file: ...}}.")
    if ending in _WHOLE:
        raise ParseError(f"{path} holds a whole input: write file in place of the names of inputs.")
    raise ParseError(f"{path} is not known to hold data: give a file that ends in {' or '.join(endings)}.")
