"""`triton-watch canary record`: what models answer now becomes what they are expected to answer."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.canary_ask import Asked, Asker, canary_options, exit_unless_heard, settings_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.records import ModelKey

DEFAULT_FOLDER = "goldens"


@click.command("record")
@canary_options
@click.option("--goldens", metavar="DIR", help="Folder to write to.  [default: canary.goldens of the file, or goldens]")
@click.option("--repeats", type=click.IntRange(2, 100), default=5, show_default=True, help="Times each input is sent.")
@click.option("--ignore", multiple=True, metavar="OUTPUT", help="An output to leave out, such as a time. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    models: tuple[str, ...],
    config_file: Path | None,
    goldens: str | None,
    repeats: int,
    ignore: tuple[str, ...],
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - click's; config checks them
) -> None:
    """Send each ready model (or each MODEL) its two inputs several times and write its answers down.

    The files are for version control: DIR/MODEL/VERSION.json says how each output is compared and may
    be edited; VERSION.npz beside it has the values. Where answers vary, the comparison is loosened, and
    that is said; where they vary too much, or the canary fails, nothing is written.

    Exit code: 0 all recorded; 1 a model was not; 3 a server could not be asked; 4 there was no model.

    \b
    Example:
      triton-watch canary record --target http://localhost:8000 --goldens goldens/
      triton-watch canary record --target http://localhost:8000 ranker --repeats 20
    """
    settings = settings_of(config_file, goldens, flags, must_exist=False)
    folder = settings.canary.goldens or Path(DEFAULT_FOLDER)
    # Goldens that are there already give the inputs: a new recording answers the same questions.
    settings = replace(settings, canary=replace(settings.canary, goldens=folder))
    asker = Asker(settings, models, quiet=as_json)
    recorder = _Recorder(folder, repeats, frozenset(ignore))
    asked: list[Asked] = []
    for _, one in asker.targets():
        asked.append(one)
        if one.keys:
            asker.each(one, lambda key, one=one: recorder.record(one, key), f"recording {one.before.target.name}")  # type: ignore[misc]  # mypy has no type for a lambda's default
    _show(recorder, as_json=as_json)
    exit_unless_heard(asked, asker.missing(asked))
    sys.exit(int(any(entry.refusal for entry in recorder.entries)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: its golden and where it is, or why there is none."""

    key: ModelKey
    golden: Golden | None = None
    path: Path | None = None
    refusal: str = ""


class _Recorder:
    def __init__(self, folder: Path, repeats: int, ignore: frozenset[str]) -> None:
        self.folder = folder
        self.repeats = repeats
        self.ignore = ignore
        self.entries: list[Entry] = []

    def record(self, asked: Asked, key: ModelKey) -> None:
        """Record one model; called by several threads, for different models."""
        from triton_watch.probes.canary.golden.files import save
        from triton_watch.probes.canary.golden.model import GoldenError
        from triton_watch.probes.canary.record import NotRecordedError

        try:
            golden = asked.canaries.record(key, repeats=self.repeats, ignore=self.ignore)
            self.entries.append(Entry(key, golden, save(self.folder, golden)))
        except (GoldenError, NotRecordedError) as error:
            self.entries.append(Entry(key, refusal=str(error)))


def _show(recorder: _Recorder, *, as_json: bool) -> None:
    entries = sorted(recorder.entries, key=lambda entry: (not entry.refusal, entry.key))
    if as_json:
        import json

        click.echo(json.dumps({"version": 1, "models": [_data(entry) for entry in entries]}, indent=2))
        return
    from triton_watch.cli.terminal import Terminal

    if entries:
        Terminal().print(*_table(entries))


def _data(entry: Entry) -> dict[str, Any]:
    golden = entry.golden
    return {
        "name": entry.key.name,
        "version": entry.key.version,
        "recorded": golden is not None,
        "file": None if entry.path is None else str(entry.path),
        "refusal": entry.refusal,
        "compare": {} if golden is None else {name: rule.method.value for name, rule in golden.compare.items()},
        "notes": [] if golden is None else list(golden.notes),
    }


def _table(entries: list[Entry]) -> list[RenderableType]:
    from rich.text import Text

    from triton_watch.cli.canary_words import compared
    from triton_watch.cli.render import bare_table, model_name

    table = bare_table()
    for title in ("MODEL", "GOLDEN", "FILE"):
        table.add_column(title, no_wrap=title != "FILE", overflow="fold")
    table.add_column("", overflow="fold")
    for entry in entries:
        name = model_name(entry.key.name, entry.key.version)
        if entry.golden is None:
            table.add_row(name, Text("refused", style="bold red"), "", Text(entry.refusal))
        else:
            table.add_row(name, Text("recorded", style="green"), str(entry.path), Text(compared(entry.golden)))
    return [table]
