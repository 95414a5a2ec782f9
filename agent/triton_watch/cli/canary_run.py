"""`triton-watch canary run`: every model asked now, with each of its inputs, and its answers judged."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.canary_ask import Asked, Asker, canary_options, exit_unless_heard, settings_of, settled

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from triton_watch.records import CanaryResult, CanaryState, ModelKey, TargetSnapshot


_UNUSABLE = "unusable golden"
_SKIPPED = {
    "needs_grpc": "a decoupled model answers over gRPC alone, and HTTP is spoken: see canary.protocol and grpc",
    "pending": "too many requests wait for it already (canary.max_pending)",
    "backing_off": "the server did not answer the canaries before",
}


@click.command("run")
@canary_options
@click.option("--goldens", metavar="DIR", help="Recorded answers.  [default: canary.goldens of the file]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    models: tuple[str, ...],
    config_file: Path | None,
    goldens: str | None,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - click's; config checks them
) -> None:
    """Ask every ready model (or each MODEL) with two inputs and judge the answers, as `run` does all the time.

    Beside each verdict stands what the server itself counted meanwhile, other clients' requests included.

    Exit code: 0 all passed; 1 a canary failed, could not be sent, or has an unusable golden; 3 a server
    could not be asked; 4 there was no model to ask.

    \b
    Example:
      triton-watch canary run --target http://localhost:8000 --goldens goldens/
      triton-watch canary run --config triton-watch.yaml ranker --json
    """
    settings = settings_of(config_file, goldens, flags)
    asker = Asker(settings, models, quiet=as_json)
    asked: list[tuple[Asked, list[Outcome]]] = []
    for poller, one in asker.targets():
        outcomes = _ask(asker, one)
        after = settled(poller) if outcomes else None
        asked.append((one, [_with_counts(outcome, one.before, after) for outcome in outcomes]))
    _show(asked, as_json=as_json)
    targets, fails = [one for one, _ in asked], any(not one.passed for _, found in asked for one in found)
    exit_unless_heard(targets, asker.missing(targets), or_with=1 if fails else None)
    sys.exit(int(fails))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One model: its runs, and what the server counted meanwhile (None = not known)."""

    key: ModelKey
    state: CanaryState
    runs: tuple[CanaryResult, ...]
    counted: tuple[int, int] | None = None

    @property
    def failed(self) -> bool:
        """Whether any run failed."""
        return any(not run.ok for run in self.runs)

    @property
    def passed(self) -> bool:
        """Whether it was asked, all runs passed, and nothing hindered them: an unusable golden does."""
        return bool(self.runs) and not self.failed and not self.state.note

    @property
    def worst(self) -> CanaryResult | None:
        """The first run that failed, else the last."""
        return next((run for run in self.runs if not run.ok), self.runs[-1] if self.runs else None)


def _ask(asker: Asker, asked: Asked) -> list[Outcome]:
    runs: dict[ModelKey, list[CanaryResult]] = {key: [] for key in asked.keys}

    def work(key: ModelKey) -> None:
        runs[key] = asked.canaries.run_all(key)

    if asked.keys:
        asker.each(asked, work, f"asking {asked.before.target.name}")
    states = asked.canaries.states()
    return [Outcome(key, states[key], tuple(runs[key])) for key in asked.keys]


def _with_counts(outcome: Outcome, before: TargetSnapshot, after: TargetSnapshot | None) -> Outcome:
    from dataclasses import replace

    from triton_watch.slo.silence import risen

    if after is None or before.slis is None or after.slis is None:
        return outcome
    failed, succeeded = risen(before.slis.frame, after.slis.frame, outcome.key)
    known = failed == failed and succeeded == succeeded  # noqa: PLR0124 - NaN is the one that differs
    return replace(outcome, counted=(int(succeeded), int(failed))) if known else outcome


def _show(asked: list[tuple[Asked, list[Outcome]]], *, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(as_data(asked), indent=2, ensure_ascii=False))
        return
    from triton_watch.cli.terminal import Terminal

    terminal = Terminal()
    for one, outcomes in asked:
        if one.is_heard and outcomes:
            terminal.print(*_table(one, outcomes))


def _table(asked: Asked, outcomes: list[Outcome]) -> list[RenderableType]:
    from rich.text import Text

    from triton_watch.cli.render import bare_table, model_name
    from triton_watch.wording.words import NO_DATA, seconds

    table = bare_table()
    for title, right in (("MODEL", False), ("CANARY", False), ("LATENCY", True), ("TRITON COUNTED", False)):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    table.add_column("", overflow="fold")
    for outcome in sorted(outcomes, key=lambda one: (one.passed, one.key)):
        worst = outcome.worst
        word, style = _word(outcome)
        latency = None if worst is None else worst.latency
        detail = _why_not(outcome) if worst is None or (worst.ok and outcome.state.note) else worst.detail
        name = model_name(outcome.key.name, outcome.key.version)
        table.add_row(
            name,
            Text(word, style=style),
            NO_DATA if latency is None else seconds(latency),
            _counted(outcome),
            Text(detail),
        )
    failed = sum(not outcome.passed for outcome in outcomes)
    models = "1 model" if len(outcomes) == 1 else f"{len(outcomes)} models"
    style, words = ("red", f"{failed} of {models} did not pass") if failed else ("green", f"{models} passed")
    summary = Text.assemble((f"{asked.before.target.name}: ", "bold"), (words, style))
    summary.append(f"; the server says ready: {_yes(asked.before.ready)}", style="dim")
    return [table, Text(""), summary]


def _yes(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _why_not(outcome: Outcome) -> str:
    """Why a model was not asked, or not as it should be."""
    if outcome.state.note or outcome.state.last_skip is None:
        return outcome.state.note
    return _SKIPPED.get(outcome.state.last_skip.value, outcome.state.last_skip.value)


def _word(outcome: Outcome) -> tuple[str, str]:
    if outcome.worst is None:
        return "not asked", "bold red"
    if outcome.failed:
        return outcome.worst.reason.value, "bold red"
    return ("passed", "green") if outcome.passed else (_UNUSABLE, "bold red")


def _counted(outcome: Outcome) -> str:
    if outcome.counted is None:
        return "not known"
    succeeded, failed = outcome.counted
    return f"{succeeded} ok, {failed} failed"


def as_data(asked: list[tuple[Asked, list[Outcome]]]) -> dict[str, Any]:
    """Return what was found as JSON data; field names are a contract. Times are seconds."""
    outcomes = [outcome for _, found in asked for outcome in found]
    return {
        "version": 1,
        "passed": sum(1 for one in outcomes if one.passed),
        "failed": sum(1 for one in outcomes if not one.passed),
        "targets": [
            {
                "name": one.before.target.name,
                "url": one.before.target.http_url,
                "heard": one.is_heard,
                "ready": one.before.ready,
                "models": [_model_data(outcome) for outcome in found],
            }
            for one, found in asked
        ],
    }


def _reason(outcome: Outcome, worst: CanaryResult) -> str:
    return "unusable_golden" if worst.ok and not outcome.passed else worst.reason.value


def _model_data(outcome: Outcome) -> dict[str, Any]:
    worst = outcome.worst
    counted = None if outcome.counted is None else dict(zip(("success", "failure"), outcome.counted, strict=True))
    skipped = outcome.state.last_skip.value if worst is None and outcome.state.last_skip is not None else None
    return {
        "name": outcome.key.name,
        "version": outcome.key.version,
        "verdict": "skipped" if worst is None else "passed" if outcome.passed else "failed",
        "reason": skipped if worst is None else _reason(outcome, worst),
        "detail": outcome.state.note if worst is None else worst.detail,
        "golden": outcome.state.has_golden,
        "note": outcome.state.note,
        "server_counted": counted,
        "runs": [
            {
                "input": run.variant,
                "reason": run.reason.value,
                "detail": run.detail,
                "latency": run.latency,
                "first_response": run.first_response,
                "responses": run.responses,
                "requests": run.requests,
                "golden": run.checked_golden,
                "made_up_input": run.was_made_up,
            }
            for run in outcome.runs
        ],
    }
