"""`triton-watch rules`: what `triton-watch check` looks for, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType
    from rich.text import Text

    from triton_watch.check.rule import Rule


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print everything about every rule as JSON.")
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List the rules of `triton-watch check`: id, name, severity, red lines, what is demanded.

    \b
    Example:
      triton-watch rules
      triton-watch rules explain TW403
      triton-watch rules --json | jq '.rules[] | select(.red_line)'
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError("--json prints all rules: leave out the command behind it.")
        return
    from triton_watch.check.rules import RULES

    if as_json:
        import json

        click.echo(json.dumps({"version": 1, "rules": [described(rule) for rule in RULES]}, indent=2))
        return
    from triton_watch.cli.terminal import Terminal

    terminal = Terminal()
    terminal.print(*listing(RULES, terminal.width))


@command.command(short_help="Print what a rule demands, with a bad and a good example.")
@click.argument("rule")
def explain(rule: str) -> None:
    """Print the documentation of RULE, which is an id or a name: the problem, a bad and a good example, why, source.

    \b
    Exit codes: 0 printed, 2 there is no such rule.

    \b
    Example:
      triton-watch rules explain TW403
    """
    from triton_watch.check.rules import RULES, by_name
    from triton_watch.cli.terminal import Terminal
    from triton_watch.wording.text import clip, nearest

    found = by_name(rule)
    if found is None:
        near = nearest(rule, [name for known in RULES for name in (known.id, known.slug)])
        hint = f'did you mean "{near}"? ' if near else ""
        raise click.UsageError(f'there is no rule "{clip(rule)}": {hint}`triton-watch rules` lists them all.')
    terminal = Terminal()
    terminal.print(explanation(found, terminal.width), wrap=False)


def described(rule: Rule) -> dict[str, object]:
    """Return everything about a rule but its function, for JSON."""
    return {
        "id": rule.id,
        "slug": rule.slug,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "scope": rule.scope.value,
        "stage": rule.stage.value,
        "title": rule.title,
        "problem": rule.problem,
        "bad": rule.bad,
        "good": rule.good,
        "why": rule.why,
        "source": rule.source,
        "red_line": rule.red_line.value if rule.red_line else None,
        "box": rule.box.value if rule.box else None,
        "fixable": rule.fixable,
    }


def listing(rules: Iterable[Rule], width: int) -> list[RenderableType]:
    """Return a table a family; where it is narrow, what is demanded wraps."""
    from itertools import groupby

    from rich.table import Table
    from rich.text import Text

    from triton_watch.check.output.terminal import STYLES
    from triton_watch.check.rules_docs import FAMILIES, family_of

    known = list(rules)
    slugs = max((len(rule.slug) for rule in known), default=0)
    parts: list[RenderableType] = []
    for family, members in groupby(known, key=family_of):
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, min_width=min(slugs, width // 3))
        table.add_column(no_wrap=True, min_width=len("warning"))
        table.add_column(no_wrap=True, min_width=1)
        table.add_column()
        for rule in members:
            severity = Text(rule.severity.value, style=STYLES[rule.severity])
            mark = Text("■" if rule.red_line else "", style="bold red")
            table.add_row(Text(rule.id, style="bold"), Text(rule.slug), severity, mark, Text(rule.title))
        parts += [Text(f"{family}xx  {FAMILIES[family]}", style="bold underline"), table, Text("")]
    count = sum(rule.red_line is not None for rule in known)
    return [*parts, Text(f"{len(known)} rules; ■ marks the {count} about a red line.", style="dim")]


def explanation(rule: Rule, width: int) -> RenderableType:
    """Return a rule's documentation as one text in lines of at most `width` columns."""
    from rich.text import Text

    from triton_watch.check.output.terminal import STYLES
    from triton_watch.check.output.wrap import wrap
    from triton_watch.check.rules_docs import facts

    text = Text.assemble((rule.id, "bold"), f" {rule.slug}  ", (facts(rule), STYLES[rule.severity]), "\n\n")
    text.append("\n".join(wrap(f"{rule.title}.", width)) + "\n\n", style="bold")
    for title, prose in (("Problem", rule.problem), ("Why", rule.why), ("Source", rule.source)):
        if title == "Why":
            _append_example(text, "Bad", "red", rule, rule.bad, width)
            _append_example(text, "Good", "green", rule, rule.good, width)
        text.append(f"{title}\n", style="bold")
        text.append("\n".join(wrap(prose, width, "  ")) + "\n\n")
    text.rstrip()
    return text


def _append_example(text: Text, title: str, style: str, rule: Rule, example: str, width: int) -> None:
    from triton_watch.check.output.wrap import wrap
    from triton_watch.check.rules_docs import example_lines, is_prose

    text.append(f"{title}\n", style=f"bold {style}")
    if is_prose(rule, example):
        text.append("\n".join(wrap(example.removeprefix("# "), width, "  ")) + "\n\n")
        return
    for line in example_lines(example):
        text.append("  │ ", style=style).append(f"{line}\n")
    text.append("\n")
