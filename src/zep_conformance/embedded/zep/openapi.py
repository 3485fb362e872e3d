"""The OpenAPI 3.1 description of a server: its operations, as others read them.

Zep 0.27.2 comes with one (`docs/swagger.yaml`), which it does not serve, and which it does not keep either: errors are
plain text, and two of its paths are not there. This one is made from the table by which requests are answered.
"""

from __future__ import annotations

import re
from typing import Any

from zep_conformance.embedded.behaviours import Behaviours
from zep_conformance.embedded.zep.operations import JSON, PAGE, Operation, offered, wants_token
from zep_conformance.embedded.zep.schemas import ANSWERS, BODIES, PARAMETERS, PATH_PARAMETERS
from zep_conformance.embedded.zep.wire import MAX_BODY
from zep_conformance.facts.servers import ZEP_VERSION

_PARAMETER = re.compile(r"\{(\w+)\}")
_TEXT = "text/plain"
_REFUSALS = {
    400: "What was sent is not understood, or can't be done",
    401: "No good token",
    404: "Not found",
    413: f"The body is larger than {MAX_BODY} bytes",
    500: "The store, or a server that is asked, is broken",
}
_SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"cookie": []}]


def describe(behaviours: Behaviours, *, secured: bool, web: bool = True) -> dict[str, Any]:
    """Return the description of a server. secured: whether it wants a token; web: whether it has /admin."""
    paths: dict[str, dict[str, Any]] = {}
    for one in offered(behaviours, web=web):
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, behaviours, secured)
    schemas = {name: schema for name, schema in (BODIES | ANSWERS).items() if name not in ("OK", "Dot", "Description")}
    components: dict[str, Any] = {"schemas": schemas}
    if secured:
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "jwt"},
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Zep, embedded in zep-conformance",
            "version": ZEP_VERSION,
            "description": "What the embedded server answers, which says nothing about a deployed Zep",
        },
        "paths": paths,
        "components": components,
    }


def _operation(one: Operation, behaviours: Behaviours, secured: bool) -> dict[str, Any]:
    guarded = secured and wants_token(one.resource, behaviours)
    described: dict[str, Any] = {
        "operationId": f"{one.method.lower()}_{one.resource}",
        "summary": one.summary,
        "parameters": [_in_path(name) for name in _PARAMETER.findall(one.path)]
        + [_in_query(name) for name in one.query],
        "responses": {str(one.status): _success(one, behaviours)},
    }
    if one.body:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{one.body}"}}},
        }
    if guarded:
        described["security"] = _SECURITY
    refusals = {*one.refusals, *([401] if guarded else []), *([500] if one.path.startswith("/api/") else [])}
    for status in sorted(refusals):
        content = {_TEXT: {"schema": {"type": "string"}}}
        described["responses"][str(status)] = {"description": _REFUSALS[status], "content": content}
    return described


def _success(one: Operation, behaviours: Behaviours) -> dict[str, Any]:
    if one.method == "HEAD":
        return {"description": "As GET, without a body"}
    if one.form == JSON:
        label = _TEXT if "json-as-text" in behaviours else "application/json"
        schema = ANSWERS[one.answer] if one.answer == "Description" else {"$ref": f"#/components/schemas/{one.answer}"}
    else:
        label = "text/html" if one.form == PAGE else _TEXT
        schema = ANSWERS.get(one.answer, {"type": "string"})
    return {"description": "Done", "content": {label: {"schema": schema}}}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]}


def _in_query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "allowEmptyValue": True, "schema": PARAMETERS[name]}
