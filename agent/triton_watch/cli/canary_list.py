"""`triton-watch canary list`: what would be asked, and what is expected."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.canary_ask import NOTHING, Asked, Asker, canary_options, exit_unless_heard, settings_of

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.command("list")
@canary_options
@click.option("--goldens", metavar="DIR", help="Recorded answers. Without --target and --config they alone are listed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    models: tuple[str, ...],
    config_file: Path | None,
    goldens: str | None,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - click's; config checks them
) -> None:
    """List the canary of each ready model (or each MODEL): how it is asked, with what, and how it is compared.

    No inference is sent.

    Exit code: 0; 1 a golden is unusable or a model cannot be asked; 3 a server could not be asked;
    4 there was nothing to list.

    \b
    Example:
      triton-watch canary list --target http://localhost:8000 --goldens goldens/
      triton-watch canary list --goldens goldens/
    """
    if goldens is not None and config_file is None and not flags["targets"]:
        _list_goldens(Path(goldens), frozenset(models), as_json=as_json)
        return
    asker = Asker(settings_of(config_file, goldens, flags), models, quiet=as_json)
    asked = [one for _, one in asker.targets()]
    rows = [row for one in asked for row in _rows(one)]
    _show(rows, as_json=as_json)
    exit_unless_heard(asked, asker.missing(asked))
    sys.exit(int(any(row["note"] for row in rows)))


def _rows(asked: Asked) -> list[dict[str, Any]]:
    rows = []
    states = asked.canaries.states()
    for key in asked.keys:
        plan = asked.canaries.plan_of(key)
        rows.append(
            {
                "target": asked.before.target.name,
                "name": key.name,
                "version": key.version,
                "kind": None if plan is None else plan.kind.value,
                "interval": asked.canaries.interval_of(key),
                "input": None if plan is None else plan.source,
                "inputs": [] if plan is None else [_tensors(variant) for variant in plan.variants],
                "compared": None if plan is None or plan.golden is None else _compared(plan.golden),
                "note": states[key].note,
            }
        )
    return rows


def _tensors(variant: Any) -> dict[str, str]:  # noqa: ANN401 - a mapping of tensors; its module loads numpy
    return {name: f"{tensor.datatype}{list(tensor.shape)}" for name, tensor in variant.items()}


def _compared(golden: Any) -> str:  # noqa: ANN401 - as above
    from triton_watch.cli.canary_words import compared

    return compared(golden)


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps({"version": 1, "canaries": rows}, indent=2, ensure_ascii=False))
        return
    from triton_watch.cli.terminal import Terminal

    if rows:
        Terminal().print(_table(rows))


def _table(rows: list[dict[str, Any]]) -> RenderableType:
    from rich.text import Text

    from triton_watch.cli.render import bare_table, model_name
    from triton_watch.wording.words import NO_DATA, seconds

    table = bare_table()
    for title in ("MODEL", "KIND", "EVERY", "INPUT"):
        table.add_column(title, no_wrap=True)
    table.add_column("INPUTS", overflow="fold")
    table.add_column("GOLDEN", overflow="fold")
    for row in rows:
        name = model_name(row["name"], row["version"])
        tensors = ", ".join(f"{key} {form}" for key, form in row["inputs"][0].items()) if row["inputs"] else ""
        golden = Text(row["compared"] or NO_DATA)
        if row["note"]:
            golden = Text(row["note"], style="yellow")
        every = seconds(row["interval"])
        table.add_row(name, row["kind"] or NO_DATA, every, row["input"] or NO_DATA, Text(tensors), golden)
    return table


def _list_goldens(folder: Path, models: frozenset[str], *, as_json: bool) -> None:
    from triton_watch.probes.canary.golden.files import load_all

    found, problems = load_all(folder)
    found = [golden for golden in found if not models or golden.model in models]
    rows = [
        {
            "name": golden.model,
            "version": golden.version,
            "recorded_at": golden.recorded_at,
            "inputs": [_tensors(variant) for variant in golden.inputs],
            "compared": _compared(golden),
        }
        for golden in found
    ]
    if as_json:
        import json

        click.echo(json.dumps({"version": 1, "goldens": rows, "problems": problems}, indent=2, ensure_ascii=False))
    elif rows:
        from triton_watch.cli.terminal import Terminal

        Terminal().print(_goldens_table(rows))
    for problem in problems:
        click.echo(f"triton-watch: {problem}", err=True)
    if problems:
        sys.exit(1)
    if not rows:
        click.echo(f"triton-watch: no golden in {folder}: `canary record` writes them.", err=True)
        sys.exit(NOTHING)


def _goldens_table(rows: list[dict[str, Any]]) -> RenderableType:
    from rich.text import Text

    from triton_watch.cli.render import bare_table, model_name

    table = bare_table()
    table.add_column("MODEL", no_wrap=True)
    table.add_column("RECORDED", no_wrap=True)
    table.add_column("COMPARED", overflow="fold")
    for row in rows:
        name = model_name(row["name"], row["version"])
        table.add_row(name, row["recorded_at"], Text(row["compared"]))
    return table
