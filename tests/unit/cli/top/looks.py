"""What `top` looks at in tests: models by hand, a state with every kind of fact, and screens as lines of text."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group

from support.alert_pages import AT
from support.api import full_state
from triton_watch.cli.top.fetching import Fetched
from triton_watch.cli.top.list_screen import Place
from triton_watch.cli.top.sources import Seen
from triton_watch.cli.top.view import ModelId, id_of
from triton_watch.daemon.facts.common import Links
from triton_watch.daemon.facts.model import ModelBrief
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.telling.model import model_detail
from triton_watch.daemon.telling.models import ModelQuery, model_list
from triton_watch.daemon.telling.status import status
from triton_watch.records import Sli

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from synthetic_state import SyntheticState

CLOCK: Final = 100.0
WHERE: Final = "the agent at http://127.0.0.1:8003"


def brief(name: str, standing: Standing = Standing.OK, **changes: Any) -> ModelBrief:
    """A model of which nothing else is known."""
    slis = dict.fromkeys(Sli) | changes.pop("slis", {})
    made = ModelBrief(
        target="gpu-7", name=name, version="1", namespace="", standing=standing, headline="", state=None,
        expected=False, ensemble=False, canary=None, canary_reason=None, budget_left=None, budget_slo=None,
        budget_verdict=None, slis=slis, request_p99=None, links=Links("/"),
    )  # fmt: skip
    return replace(made, **changes)


def seen_of(state: SyntheticState | None = None, models: Sequence[ModelBrief] | None = None) -> Seen:
    """What a source would have read of this state; `models` in place of its own."""
    state = state or full_state()
    known = model_list(state, AT, ModelQuery(limit=1000, recent=True)).models if models is None else tuple(models)
    return Seen(status(state, AT), known, is_heard=True)


def fetched(seen: Seen | None = None, **changes: Any) -> Fetched:
    """What was fetched one second ago."""
    return replace(Fetched(CLOCK - 1.0, seen or seen_of(), CLOCK - 1.0), **changes)


def detail_of(state: SyntheticState, name: str) -> tuple[Fetched, ModelId]:
    """Everything of the model of this name, fetched; and which it is."""
    seen = seen_of(state)
    model = next(id_of(one) for one in seen.models if one.name == name)
    found = model_detail(state, AT, model.target, model.name, model.version or None, model.namespace or None)
    assert found is not None
    return fetched(seen, detail=found, detail_of=model, detail_at=CLOCK), model


def place(width: int = 80, height: int = 24) -> Place:
    return Place(width, height, WHERE, has_alerts=True, clock=CLOCK)


def drawn(lines: Sequence[Text], width: int) -> list[str]:
    """The lines as a terminal of this width gets them, without colours."""
    console = Console(width=width, file=StringIO(), color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(Group(*lines))
    return capture.get().split("\n")[:-1]
