"""What Schemathesis sends where the description names a format that it does not know. Loaded by Schemathesis."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

_PATHS = (
    "$",
    "$.mood",
    '$."a b"[*][0 to 2]',
    '$ ? (@.mood == "calm" && !(@.count > 2) || exists(@.place))',
    '$.** ? (@ like_regex "^c" flag "i")',
    '$ ? ((@.count == "x") is unknown)',
)

schemathesis.openapi.format("jsonpath", st.sampled_from(_PATHS))
