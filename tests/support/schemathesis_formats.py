"""What Schemathesis sends where the description names a format that it does not know. Loaded by Schemathesis."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

_PATHS = (
    "$",
    "$.mood",
    '$."a b"[*].c',
    '$ ? (@.mood == "calm" && !(@.count > 2) || @.place != null)',
    "$.places[*] ? (@.name == $.mood)",
)

schemathesis.openapi.format("jsonpath", st.sampled_from(_PATHS))
