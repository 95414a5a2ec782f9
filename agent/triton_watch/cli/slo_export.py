"""`triton-watch slo export`: objectives as OpenSLO documents."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from triton_watch.cli.slo_check import UNREADABLE, load

SERVICE = "triton"


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", default="-", metavar="DIR", help="Write NAME.yaml for each objective there.  [default: print]")
@click.option("--service", default=SERVICE, show_default=True, help="Name of the service in the documents.")
def command(file: Path, out: str, service: str) -> None:
    """Write the objectives of FILE as OpenSLO v1 documents.

    Their indicators are the agent's own event counters; annotations keep what OpenSLO has no
    place for, so that `slo import` gives back the same objectives.

    \b
    Exit codes: 0 written, 1 FILE is not valid, 2 usage, 3 FILE cannot be read or DIR not written.

    \b
    Example:
      triton-watch slo export examples/slo.yaml
      triton-watch slo export examples/slo.yaml --out openslo/
    """
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", service):
        raise click.UsageError("--service: give a name of a-z, 0-9 and dashes, at most 63 characters.")
    slo, _ = load(file)
    from triton_watch.config.openslo.write import as_yaml, documents
    from triton_watch.slo.words import in_words

    made = documents(slo.objectives, service, in_words)
    if out == "-":
        click.echo(as_yaml(made), nl=False)
        return
    _write(Path(out), {document["metadata"]["name"]: as_yaml([document]) for document in made})


def _write(folder: Path, texts: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / f"{name}.yaml").write_text(text, "utf-8")
            click.echo(f"wrote {folder / name}.yaml")
    except OSError as error:
        click.echo(f"triton-watch: {folder} cannot be written ({error.strerror}): choose another --out.", err=True)
        sys.exit(UNREADABLE)
