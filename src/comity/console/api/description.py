"""The description of the API (OpenAPI 3.1), made from the types of the flows (``spec/api.md`` step 7)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from comity.console.api.files import FILE, HEADER, WRITTEN, FileSent, read_fields
from comity.console.api.problems import TYPE, Problem
from comity.console.api.verbs import READING, verbs
from comity.console.desk import AnyFlow
from comity.console.rights import takes_actor

VERSION = "1"
"""Of the API, as its address says it too: verbs and fields are added to it, none is taken away."""
SIGNATURES_MAX = 64
_SIGNATURES = {
    "type": "array",
    "maxItems": SIGNATURES_MAX,
    "items": {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]{86}==$"},
    "description": "what a person in strict custody signed, in any order",
}
_PROBLEMS = {
    "400": "It cannot be asked so.",
    "401": "The token is missing, unknown or over.",
    "403": "It is not allowed: by the scopes of the token, by a role, or by the agreement.",
    "404": "What it names is not there, or not there for whoever asks.",
    "409": "The same idempotency key was used for something else, or is being used now.",
    "413": "It is too large.",
    "415": "It is not JSON.",
    "422": "Data in it are not what they must be.",
    "429": "Too many requests with this token.",
    "503": "It does not work now; the same request may work later.",
    "507": "There is no room.",
}


_FILES = {
    "/files": {
        "post": {
            "operationId": "files.send",
            "tags": ["files"],
            "summary": "Send a file that a verb will read; it is kept for fifteen minutes.",
            "parameters": [
                {"name": "name", "in": "query", "required": False, "schema": {"type": "string", "maxLength": 255}}
            ],
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            },
            "responses": {
                "201": {
                    "description": "It is here.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FileSent"}}},
                },
                **{status: {"$ref": f"#/components/responses/{status}"} for status in _PROBLEMS},
            },
        }
    },
    "/files/{file}": {
        "get": {
            "operationId": "files.fetch",
            "tags": ["files"],
            "summary": "Fetch a file that a verb wrote, once.",
            "parameters": [
                {
                    "name": "file",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                }
            ],
            "responses": {
                "200": {
                    "description": "The file.",
                    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
                },
                **{status: {"$ref": f"#/components/responses/{status}"} for status in _PROBLEMS},
            },
        }
    },
}


def description(flows: Mapping[str, AnyFlow]) -> dict[str, Any]:
    """The document that says what the API takes and gives."""
    offered = verbs(flows)
    answers = {name: _answer_type(flow) for name, flow in offered.items()}
    types = [flow.request for flow in offered.values()] + list(answers.values()) + [FileSent, Problem]
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_schema, ref_template="#/components/schemas/{name}"
    )
    requests = dict(zip(offered, schemas, strict=False))
    responses = dict(zip(offered, schemas[len(offered) :], strict=False))
    for name, flow in offered.items():
        key = requests[name]["$ref"].rpartition("/")[2]
        components[key] = _as_asked(components[key], name, flow.request)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Comity",
            "version": VERSION,
            "summary": "The agreement at work: the verbs of one house, as JSON.",
            "description": "Whoever asks is whose token it is. What is refused says why, by which article.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": {
            f"/{name}": {"post": _operation(name, flow, requests[name], responses[name])}
            for name, flow in offered.items()
        }
        | _FILES,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {status: _problem(says) for status, says in _PROBLEMS.items()},
        },
    }


def _operation(name: str, flow: AnyFlow, asked: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    reads = name in READING
    says = inspect.getdoc(_function(flow)) or name
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": [name.partition(".")[0]],
        "summary": says.partition("\n")[0],
        "x-comity-reads": reads,
        "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": answered}}},
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _PROBLEMS},
        },
    }
    if name in WRITTEN:
        says = "Names the file that was written; GET /files/… fetches it once."
        operation["responses"]["200"]["headers"] = {
            HEADER: {"description": says, "schema": {"type": "string", "pattern": FILE}}
        }
    if not reads:
        operation["parameters"] = [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key with the same body is answered as the first time, for a day.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            }
        ]
    return operation


def _as_asked(schema: dict[str, Any], verb: str, request: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of a request as the API takes it: without an actor or a file it writes, and with files by name."""
    ours = {"actor", WRITTEN.get(verb)}
    properties = {name: each for name, each in schema.get("properties", {}).items() if name not in ours}
    for name in read_fields(verb, request):
        optional = {"type": ["string", "null"], "default": None} if "default" in properties[name] else {}
        properties[name] = {"type": "string", "pattern": FILE, **optional}
    if takes_actor(request):
        properties["signatures"] = _SIGNATURES
    made = {**schema, "properties": properties, "additionalProperties": False}
    if "required" in made:
        made["required"] = [name for name in made["required"] if name not in ours]
    return made


def _problem(says: str) -> dict[str, Any]:
    return {"description": says, "content": {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _schema(kind: type) -> dict[str, Any]:
    raise NotImplementedError(f"{kind} has no schema")


def _function(flow: AnyFlow) -> Any:
    run = flow.run
    return run.func if isinstance(run, partial) else run


def _answer_type(flow: AnyFlow) -> Any:
    return getattr(flow, "response", None) or inspect.get_annotations(_function(flow), eval_str=True)["return"]
