"""The templates, and how values get into them: whatever a page says is printable, escaped, and has an end."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from triton_watch.daemon.facts.moment import written
from triton_watch.daemon.site.marks import mark, yes_or_no
from triton_watch.daemon.site.static import asset
from triton_watch.daemon.site.values import ago, known, share, to_the_second
from triton_watch.version import __version__
from triton_watch.wording import words
from triton_watch.wording.measures import duration, rate, size
from triton_watch.wording.text import plural, printable, whole
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment
    from jinja2.runtime import Context

_LONGEST: Final = 4000
_NAMELESS: Final = "(no name)"


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a page. `values` has `at` (Unix seconds of its making) and what its template and the frame need."""
    return _environment().get_template(f"{template}.html.jinja").render(values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context  # noqa: PLC0415 - 2 MB, and many agents are only scraped

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        ago=pass_context(_ago),
        lasting=pass_context(_lasting),
        iso=written,
        to_the_second=to_the_second,
        name=name,
        versioned=_versioned,
        said=_said,
        mark=mark,
        yes=yes_or_no,
        span=known(words.span),
        brief=words.brief,
        seconds=known(duration),
        number=known(words.number),
        rate=known(rate),
        size=known(size),
        percent=words.percent,
        pace=words.pace,
        plural=plural,
    )
    environment.globals.update(asset=asset, share=share, version=__version__)
    return environment


def name(text: str) -> str:
    """Return a name of a server's for people: on one line, never empty, with an end."""
    return words.name(text, 120).strip() or _NAMELESS


def full_name(text: str, version: str | None) -> str:
    """Return `name:version`, without a colon where no version is known."""
    return f"{name(text)}:{name(version)}" if version else name(text)


def _versioned(text: str, version: str | None) -> Markup:
    after = Markup('<span class="version">:{}</span>').format(name(version)) if version else ""
    return Markup("{}{}").format(name(text), after)


def _finalize(value: object) -> object:
    if value is None:
        return NO_DATA
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = value if value.isascii() and value.isprintable() else printable(whole(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _ago(context: Context, at: float | None) -> str:
    return NO_DATA if at is None else _time(at, ago(context["at"] - at))


def _time(at: float, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(written(at), to_the_second(at), text)


def _lasting(context: Context, since: float) -> str:
    """Write for how long something is so."""
    text = words.span(max(0, int(context["at"] - since)))
    return Markup('<time data-lasting datetime="{}" title="since {}">{}</time>').format(
        written(since), to_the_second(since), text
    )


def _said(sentence: str) -> Markup:
    """Write a sentence whose `parts` between backticks are code."""
    parts = printable(whole(sentence[:_LONGEST])).split("`")
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if i % 2 else part for i, part in enumerate(parts))
