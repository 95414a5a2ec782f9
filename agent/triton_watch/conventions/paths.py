"""The paths of the agent's pages, and the parts of a path that was asked for. Names may hold any character."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

OVERVIEW: Final = "/"
ALERTS: Final = "/alerts"
FINDINGS: Final = "/findings"
BUDGETS: Final = "/slo"
AGENT: Final = "/agent"
TARGETS: Final = "/targets/"
MODELS: Final = "/models/"
STATIC: Final = "/static/"
API: Final = "/api/v1/"


def target_page(target: str) -> str:
    """The page of a target."""
    return TARGETS + _segment(target)


def model_page(target: str, model: str, version: str = "", namespace: str = "") -> str:
    """The page of a model on a target, of its latest version where none is given."""
    asked = {"version": version, "namespace": namespace}
    return f"{MODELS}{_segment(target)}/{_segment(model)}{query({k: v for k, v in asked.items() if v})}"


def model_facts(target: str, model: str, version: str = "", namespace: str = "") -> str:
    """The JSON of what is known of a model on a target, of its latest version where none is given."""
    return API.rstrip("/") + model_page(target, model, version, namespace)


def query(values: Mapping[str, str]) -> str:
    """`?name=value&…`, or an empty string."""
    return f"?{urlencode(values, errors='replace')}" if values else ""


def segments(uri: str) -> tuple[str, ...]:
    """The decoded parts of the path of a request's URI: `/models/a%2Fb/c` has three, and the second is `a/b`.

    Slashes before the first part are one, as the server takes them for one when it looks for the route.
    """
    if uri.startswith("/"):
        uri = f"/{uri.lstrip('/')}"  # else what stands behind two slashes is a host
    return tuple(unquote(part, errors="replace") for part in urlsplit(uri).path.split("/")[1:])


def _segment(name: str) -> str:
    return quote(name, safe="", errors="replace")
