"""What every page has around it: the way to the others, when it was made, and whether it renews itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode

from triton_watch.conventions import paths
from triton_watch.daemon.site.rendering import render
from triton_watch.records.alert import AlertPhase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.daemon.site.links import Linker
    from triton_watch.daemon.site.visit import Page, Visit

_SECTIONS: Final = (
    ("overview", paths.OVERVIEW, "Status"),
    ("alerts", paths.ALERTS, "Alerts"),
    ("slo", paths.BUDGETS, "Budgets"),
    ("findings", paths.FINDINGS, "Findings"),
    ("agent", paths.AGENT, "Agent"),
)


def framed(visit: Visit, page: Page) -> str:
    """Return a page of the site in its frame."""
    firing = sum(one.phase is AlertPhase.FIRING for one in visit.source.alerts().states)
    renews, other = _refreshing(visit.query)
    return render(
        page.template,
        {
            **common(visit.link, page.title, page.section),
            "at": visit.at,
            "firing": firing,
            "renews": renews,
            "other_refresh": other,
            **page.values,
        },
    )


def common(link: Linker, title: str, section: str) -> Mapping[str, object]:
    """Return what the frame needs of any page, also of one that is about no state."""
    return {
        "link": link,
        "title": title,
        "section": section,
        "sections": [(key, link.to(path), word) for key, path, word in _SECTIONS],
    }


def _refreshing(query: str) -> tuple[bool, str]:
    """Return whether the page renews itself, and the query of the same page that does otherwise."""
    asked = parse_qs(query, errors="replace")
    renews = asked.pop("refresh", None) is None
    if renews:
        asked["refresh"] = ["0"]
    return renews, f"?{urlencode(asked, doseq=True, errors='replace')}"
