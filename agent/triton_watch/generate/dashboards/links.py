"""Links from board to board.

They carry the data source, the time and what was clicked; never job and instance, which are Triton's on some boards and
the agents' on others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafanalib import core

from triton_watch.generate.dashboards.scales import Link

if TYPE_CHECKING:
    from triton_watch.conventions.dashboards import DashboardName

_SAME: Final = "${datasource:queryparam}&${__url_time_range}"


def of_series(board: DashboardName) -> Link:
    """From a line, a bar or a value to a board about its target and model."""
    chosen = "var-target=${__field.labels.target}&var-model=${__field.labels.model}"
    return Link(f"Open {board.title}", f"/d/{board.uid}?{chosen}&{_SAME}")


def of_model_series(board: DashboardName) -> Link:
    """The same where the series is Triton's own and has no target."""
    return Link(f"Open {board.title}", f"/d/{board.uid}?var-model=${{__field.labels.model}}&{_SAME}")


def of_target_series(board: DashboardName) -> Link:
    """The same where the series is about a target as a whole."""
    return Link(f"Open {board.title}", f"/d/{board.uid}?var-target=${{__field.labels.target}}&{_SAME}")


def of_choice(board: DashboardName) -> Link:
    """From a value about all that is chosen to a board about the same."""
    return Link(f"Open {board.title}", f"/d/{board.uid}?${{target:queryparam}}&${{model:queryparam}}&{_SAME}")


def of_row(board: DashboardName, *labels: str) -> Link:
    """From a row of a table to a board about its `labels` (target, model)."""
    chosen = "&".join(f"var-{label}=${{__data.fields.{label}}}" for label in labels)
    return Link(f"Open {board.title}", f"/d/{board.uid}?{chosen}&{_SAME}")


def of_field(board: DashboardName, variable: str, label: str) -> Link:
    """From a row of a table to a board whose variable has another name than the row's label."""
    return Link(f"Open {board.title}", f"/d/{board.uid}?var-{variable}=${{__data.fields.{label}}}&{_SAME}")


def of_board(board: DashboardName) -> core.DashboardLink:
    """At the top of every board: to another one, about the same models."""
    url = f"/d/{board.uid}?${{datasource:queryparam}}&${{target:queryparam}}&${{model:queryparam}}"
    return core.DashboardLink(
        title=board.title.removeprefix("Triton / "), tooltip=board.description, uri=url, type="link", icon="dashboard"
    )
