"""The JSON of the API as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it): parameters, bodies and answers.

Answers are described to the last field. Bodies may have further fields, which are not looked at, and null stands for
a field that is not given, as in Go.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_INT64 = 2**63
_UUID: Schema = {"type": "string", "format": "uuid"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_STRING: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "format": "int64", "minimum": 0, "maximum": _INT64 - 1}
_OBJECT: Schema = {"type": "object"}
_ID: Schema = {"type": "string", "minLength": 1}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _body(fields: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    properties = {name: schema if name in required else _or_null(schema) for name, schema in fields.items()}
    return {"type": "object", "properties": properties} | ({"required": list(required)} if required else {})


def _answer(fields: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in fields if name not in optional]
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


PARAMETERS: dict[str, Schema] = {
    "lastn": _COUNT | {"description": "So many of the newest messages; 0 for those since the summary"},
    "limit": _COUNT | {"description": "At most so many; 0 for the default"},
    "cursor": _COUNT | {"description": "Where to go on: after this row id, or with this page"},
}
"""Of the query. An empty one counts as not given."""

PATH_PARAMETERS: dict[str, Schema] = {
    "sessionId": _ID,
    "userId": _ID,
    "messageId": _UUID,
    "page": _ID,
}
"""Of the path, escaped as one segment."""

_SYSTEM = {"description": "The key `system` is Zep's: a client's is not merged"}
_TOKENS = _COUNT | {"minimum": -_INT64}
_UNKEPT = _TIME | {"description": "Read and not kept"}
_NAMES = {"email": _STRING, "first_name": _STRING, "last_name": _STRING, "metadata": _OBJECT}

BODIES: dict[str, Schema] = {
    "NewMessage": _body(
        {
            "role": _STRING,
            "content": _STRING,
            "uuid": _UUID | {"description": "Made up if not given; also read without dashes, in braces, or as urn"},
            "metadata": _OBJECT,
            "token_count": _TOKENS,
            "created_at": _UNKEPT,
            "updated_at": _UNKEPT,
        }
    ),
    "NewMemory": _body({"messages": _list(_ref("NewMessage")), "summary": _OBJECT, "metadata": _OBJECT}),
    "CreateSession": _body({"session_id": _ID, "user_id": _ID, "metadata": _OBJECT}, ("session_id",)),
    "UpdateSession": _body({"metadata": _OBJECT | _SYSTEM}),
    "UpdateMessage": _body({"metadata": _OBJECT | _SYSTEM, "token_count": _TOKENS}),
    "CreateUser": _body({"user_id": _ID, **_NAMES}, ("user_id",)),
    "UpdateUser": _body(_NAMES),
    "Where": _body(
        {
            "jsonpath": _STRING | {"format": "jsonpath", "description": "SQL/JSON path over the metadata"},
            "and": _list(_ref("Where")),
            "or": _list(_ref("Where")),
        }
    ),
    "Filter": _body({"where": _ref("Where"), "start_date": _TIME, "end_date": _TIME}),
    "Search": _body(
        {
            "text": _STRING,
            "metadata": _ref("Filter"),
            "search_scope": _STRING | {"enum": ["messages", "summary", ""]},
            "search_type": _STRING | {"enum": ["similarity", "mmr", ""]},
            "mmr_lambda": {"type": "number"},
        }
    )
    | {
        "description": "Something must be searched for: text, or metadata. MMR needs a text",
        "anyOf": [
            {"required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}},
            {
                "required": ["metadata"],
                "properties": {
                    "metadata": {"type": "object", "minProperties": 1},
                    "search_type": {"enum": ["similarity", "", None]},
                },
            },
        ],
    },
}
"""Bodies of requests, and what they are made of."""

_SEEN = {"uuid": _UUID, "created_at": _TIME}
_RECORD = {**_SEEN, "id": _COUNT, "updated_at": _TIME, "deleted_at": {"type": "null"}}
_SAID = {"content": _STRING, "metadata": _OBJECT, "token_count": _TOKENS}

ANSWERS: dict[str, Schema] = {
    "Session": _answer({**_RECORD, "session_id": _STRING, "metadata": _or_null(_OBJECT), "user_id": _or_null(_STRING)}),
    "Sessions": _list(_ref("Session")),
    "User": _answer({**_RECORD, "user_id": _STRING, **_NAMES}, tuple(_NAMES)),
    "Users": _list(_ref("User")),
    "Message": _answer(
        {**_SEEN, "updated_at": _TIME | {"description": "Never filled in: the year 1"}, "role": _STRING, **_SAID},
        ("metadata",),
    ),
    "Messages": _answer({"messages": _list(_ref("Message")), "total_count": _COUNT, "row_count": _COUNT}),
    "Summary": _answer({**_SEEN, "recent_message_uuid": _UUID, **_SAID}, ("metadata",)),
    "Memory": _answer({"messages": _list(_ref("Message")), "summary": _ref("Summary")}),
    "Result": _answer(
        {
            "message": _or_null(_ref("Message")),
            "summary": _or_null(_ref("Summary")),
            "dist": {"type": "number"},
            "embedding": _or_null(_list({"type": "number"})),
        }
    ),
    "Found": _list(_ref("Result")),
    "OK": _STRING | {"const": "OK"},
    "Dot": _STRING | {"const": "."},
    "Description": _OBJECT,
}
"""Answers, and what they are made of."""
