"""The OpenAPI document: valid, whole, of the same tables as the answers; schemathesis finds no answer against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from support.api import KEYS, TARGET, full_state, get, served
from support.api_schema import each_case
from triton_watch.daemon.api.endpoints import ENDPOINTS
from triton_watch.daemon.api.openapi import document, render
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

DOCUMENT = document()
PAGE = Path(__file__).parents[4] / "agent/triton_watch/daemon/api/openapi.json"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    state = full_state()
    state.unpolled = {}  # it might have any model
    with served(state, kept=1.0) as where:
        yield where.removesuffix("/api/v1")


@each_case(target=[whole(TARGET)], model=[whole(key.name) for key in KEYS if key.name], slo=["availability"])
def test_no_answer_is_against_the_document(url: str, case: Case[Any]) -> None:
    case.call_and_validate(base_url=url)


def test_the_document_is_what_is_served_and_what_the_documentation_has(url: str) -> None:
    """`make generate` was run."""
    assert get(f"{url}/api/v1/openapi.json").json() == DOCUMENT
    assert PAGE.read_text() == render()


def test_every_endpoint_is_there_with_all_its_parameters() -> None:
    paths = {path.removeprefix("/api/v1"): one["get"] for path, one in DOCUMENT["paths"].items()}
    assert set(paths) == {*(one.path for one in ENDPOINTS), "/openapi.json"}
    for one in ENDPOINTS:
        told = {parameter["name"] for parameter in paths[one.path]["parameters"] if parameter.get("in") == "query"}
        assert told == {parameter.name for parameter in one.parameters}


def test_every_schema_is_a_json_schema_and_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def references(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        yield from (value for name, value in data.items() if name == "$ref")
    for one in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from references(one)


def test_fields_are_described_by_what_their_source_says() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["ModelBrief"]["properties"]["budget_left"]["description"] == "Of the objective with the least left."
    assert schemas["Agent"]["properties"]["loop_age_seconds"]["description"] == "Since the last beat of the main loop."
    assert schemas["Standing"]["description"].startswith("The worst that is to be said")


def test_bounds_and_defaults_are_those_of_the_parameters() -> None:
    (limit,) = (one for one in DOCUMENT["paths"]["/api/v1/slo"]["get"]["parameters"] if one.get("name") == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}


def test_nobody_has_to_log_in_where_the_agent_was_not_told_so() -> None:
    assert DOCUMENT["security"] == [{}, {"basic": []}]
    assert DOCUMENT["components"]["securitySchemes"]["basic"]["scheme"] == "basic"


def test_every_operation_has_an_id_of_its_own_and_a_summary() -> None:
    operations = [one["get"] for one in DOCUMENT["paths"].values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"] for one in operations)
    assert json.loads(render()) == DOCUMENT
