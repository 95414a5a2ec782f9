"""The OpenAPI document of the API, made of the same tables that answer: endpoints, parameters, records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from triton_watch.conventions.paths import API
from triton_watch.daemon.api.document import DOCUMENT
from triton_watch.daemon.api.endpoints import ENDPOINTS, PATH_NAMES
from triton_watch.daemon.api.errors import Error
from triton_watch.daemon.api.parameters import SLO, TARGET, Parameter
from triton_watch.daemon.api.schemas import described_schemas
from triton_watch.daemon.facts.common import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.daemon.api.endpoint import Endpoint

_MEDIA: Final = "application/json"
_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """\
What the triton-watch agent knows of Triton Inference Servers and their models. Read only.

Times are RFC 3339 in UTC, lengths of time are seconds, ratios 0 to 1, sizes bytes. null is "not known", never 0.
Fields may be added at any time; `version` of an answer changes when one changes its meaning or goes away.\
"""
_ETAG: Final = {
    "description": "Weak. It stays while nothing but the time of the answer changed.",
    "required": True,
    "schema": {"type": "string"},
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags of answers that you have: where nothing changed, 304 comes instead of the answer.",
    "schema": {"type": "string"},
}


def document() -> dict[str, Any]:
    """Return the whole document as JSON's own types."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "triton-watch",
            "version": str(VERSION),
            "summary": "SLOs, canaries and alerts of NVIDIA Triton Inference Servers",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"basic": []}],
        "paths": {
            **{API.rstrip("/") + one.path: {"get": _operation(one)} for one in ENDPOINTS},
            API.rstrip("/") + DOCUMENT: {"get": _operation_of_document()},
        },
        "components": {
            "schemas": described_schemas((*(one.record for one in ENDPOINTS), Error), _REF),
            "headers": {"ETag": _ETAG},
            "parameters": {"IfNoneMatch": _IF_NONE_MATCH},
            "responses": {
                "NotModified": {"description": "You have this answer.", "headers": _tagged()},
                "BadRequest": _of_error("A parameter is misspelt, or what stands for it is impossible."),
                "NotFound": _of_error("There is no such target, model or objective."),
                "Unauthorized": {"description": "The agent was told to ask for a name and a password."},
            },
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Only where the agent was told to ask for it.",
                }
            },
        },
    }


def render() -> str:
    """Return the document as the text of a file."""
    return json.dumps(document(), indent=2) + "\n"


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    names = [name for name in PATH_NAMES if f"{{{name}}}" in endpoint.path]
    may_miss = bool(names) or any(one in (TARGET, SLO) for one in endpoint.parameters)
    return {
        "operationId": endpoint.operation,
        "summary": f"{endpoint.summary[:1].upper()}{endpoint.summary[1:]}",
        "parameters": [
            *(_in_path(name) for name in names),
            *(_in_query(one) for one in endpoint.parameters),
            {"$ref": "#/components/parameters/IfNoneMatch"},
        ],
        "responses": _responses({"$ref": _REF.format(model=endpoint.record.__name__)}, may_miss=may_miss),
    }


def _operation_of_document() -> dict[str, Any]:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "parameters": [{"$ref": "#/components/parameters/IfNoneMatch"}],
        "responses": _responses({"type": "object"}, may_miss=False),
    }


def _in_path(name: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "description": PATH_NAMES[name], "schema": schema}


def _in_query(parameter: Parameter[Any]) -> dict[str, Any]:
    schema = dict(parameter.kind.schema)
    if parameter.default not in (None, "", ()):
        schema["default"] = parameter.default
    return {"name": parameter.name, "in": "query", "description": parameter.description, "schema": schema}


def _responses(schema: Mapping[str, Any], *, may_miss: bool) -> dict[str, Any]:
    missing = {"404": {"$ref": "#/components/responses/NotFound"}} if may_miss else {}
    return {
        "200": {"description": "The answer.", "headers": _tagged(), "content": {_MEDIA: {"schema": schema}}},
        "304": {"$ref": "#/components/responses/NotModified"},
        "400": {"$ref": "#/components/responses/BadRequest"},
        "401": {"$ref": "#/components/responses/Unauthorized"},
        **missing,
    }


def _tagged() -> dict[str, Any]:
    return {"ETag": {"$ref": "#/components/headers/ETag"}}


def _of_error(description: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=Error.__name__)}
    return {"description": description, "content": {_MEDIA: {"schema": schema}}}
