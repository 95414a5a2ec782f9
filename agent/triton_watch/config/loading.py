"""Loading: a file becomes `Settings`, or a list of everything that is wrong with it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import ValidationError

from triton_watch.config import build
from triton_watch.config.build_slo import slo_settings
from triton_watch.config.common import Resolver
from triton_watch.config.document import Document, read
from triton_watch.config.expand import Report, expand, origins
from triton_watch.config.findings import Findings, refuse_unusable
from triton_watch.config.model import OPTIONAL_SECTIONS, CheckSection, ConfigFile
from triton_watch.config.problems import sentences, suggestion
from triton_watch.config.sections import Section
from triton_watch.config.slo_sections import SloSection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.records import CheckSettings, Settings, SloSettings

Checked = TypeVar("Checked", bound=Section)

_WHOLE: Final = frozenset({"targets", "discovery"})
"""A file that has one of them is a whole configuration."""


def load(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Load a configuration file; the files of secrets that it names are read anew each time.

    Relative paths in it start at its folder. `environ` is where `${NAME}` is looked up: `os.environ`
    unless given.

    Raises:
        ConfigUnreadableError: the file cannot be read.
        ConfigError: it is not valid; every problem that could be found at once is listed.

    """
    document = read(path)
    findings = Findings(document)
    environ = _environ(environ)
    value = expand(document.value, environ, findings.add)
    findings.stop_here()
    expanded = replace(document, value=value, origins=origins(document.value, environ))
    return settings_of(expanded, path.parent, environ)


def load_check(path: Path, environ: Mapping[str, str] | None = None) -> CheckSettings | None:
    """Load the `check` section alone, None where the file has none: a file for `check` needs no targets.

    Raises `ConfigUnreadableError` and `ConfigError` as `load` does.
    """
    document = read(path)
    checked = _section(document, "check", CheckSection, _environ(environ))
    return build.check(checked, path.parent) if "check" in document.value else None


def load_slo(path: Path, environ: Mapping[str, str] | None = None) -> SloSettings:
    """Load the `slo` section alone: of a file that has nothing else, or of a whole configuration.

    A configuration without the section has the default objectives. Raises `ConfigUnreadableError` and
    `ConfigError` as `load` does; what is wrong in other sections is not found.
    """
    return slo_of(read(path), path.parent, environ)


def slo_of(document: Document, base: Path, environ: Mapping[str, str] | None = None) -> SloSettings:
    """Build the `slo` section of a document. Raises `ConfigError`."""
    environ = _environ(environ)
    findings = Findings(document)
    if not {"slo", *_WHOLE} & document.value.keys():
        findings.add(("slo",), "is missing: write objectives under it, or give a whole configuration.")
        _refuse_unknown_sections(document.value, findings.add)
        findings.stop_here()
    section = _section(document, "slo", SloSection, environ)
    findings = Findings(_with_origins(document, "slo", environ))
    settings = slo_settings(section, Resolver(base, findings.add), environ)
    findings.stop_here()
    return settings


def _environ(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environ is None else environ


def _section(document: Document, name: str, model: type[Checked], environ: Mapping[str, str]) -> Checked:
    """Check one section of a document, and the names of the others where it is no whole configuration."""
    findings, at = Findings(document), (name,)
    if not _WHOLE & document.value.keys():
        _refuse_unknown_sections(document.value, findings.add)
    section = document.value.get(name)
    value = expand({} if section is None else section, environ, findings.add, at)
    refuse_unusable(value, at, findings.add)
    findings.stop_here()
    try:
        return model.model_validate(value)
    except ValidationError as error:
        findings = Findings(_with_origins(document, name, environ))
        for below, message in sentences(error, model):
            findings.add((*at, *below), message)
        raise findings.error() from None


def _with_origins(document: Document, name: str, environ: Mapping[str, str]) -> Document:
    return replace(document, origins=origins(document.value.get(name), environ, (name,)))


def _refuse_unknown_sections(value: Mapping[str, object], report: Report) -> None:
    known = list(ConfigFile.model_fields)
    for name in value:
        if name not in known:
            report((name,), f"is not a known setting: {suggestion(name, known)}")


def settings_of(document: Document, base: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Check a document without references and build its settings; `environ` as for `load`. Raises `ConfigError`."""
    findings = Findings(document)
    value = {key: item for key, item in document.value.items() if item is not None or key not in OPTIONAL_SECTIONS}
    refuse_unusable(value, (), findings.add)
    findings.stop_here()
    try:
        config = ConfigFile.model_validate(value)
    except ValidationError as error:
        for at, message in sentences(error, ConfigFile):
            findings.add(at, message)
        raise findings.error() from None
    settings = build.settings(config, base, findings.add, _environ(environ))
    findings.stop_here()
    if settings is None:
        raise findings.error()
    return settings
