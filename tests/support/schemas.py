"""What others publish of the forms of reports, and texts that no report may stumble over."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from jsonschema.protocols import Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
AWKWARD = (
    "<script>alert('ä')</script> & \"]]> `|` %0A::error::x \x00\x1b[31m\x85 \N{GRINNING FACE} \ud83d half\r\nof two"
)
"""Mark-up of all kinds, control characters, one beyond the first plane, and half of one."""


def must_fit(form: str, found: Any) -> None:
    """Hold a report to its schema. form: ctrf, cucumber, har or sarif. Raises ValidationError."""
    _validator(form).validate(found)


@cache
def _validator(form: str) -> Validator:
    if form == "har":
        # Its parts name each other by file.
        parts = json.loads((SCHEMAS / "har-1.2.json").read_text())
        known: Registry[Any] = Registry().with_resources(
            [(part["$id"].rstrip("#"), Resource(part, DRAFT6)) for part in parts.values()]
        )
        return jsonschema.Draft6Validator(parts["har.json"], registry=known, format_checker=jsonschema.FormatChecker())
    file = {
        "ctrf": "ctrf-schema-0.0.json",
        "cucumber": "cucumber-messages.schema.json",
        "sarif": "sarif-2.1.0-rtm.5.json",
    }[form]
    schema = json.loads((SCHEMAS / file).read_text())
    made = jsonschema.validators.validator_for(schema)
    return made(schema, format_checker=jsonschema.FormatChecker())
