"""What Zep 0.27.2 does beside its documentation (measured, or read in its source where `about` says so).

Each is a switch in the embedded Zep.
"""

from __future__ import annotations

from zep_conformance.facts.recorded_behaviours import RecordedBehaviour


def _recorded(name: str, about: str, *breaks: str, deviation: str | None = None) -> RecordedBehaviour:
    return RecordedBehaviour(name, "zep", about, breaks, deviation)


RECORDED_BEHAVIOURS: tuple[RecordedBehaviour, ...] = (
    _recorded(
        "clearing-stalls-enrichment",
        "Clearing a conversation before its last message is enriched, or posting no messages, blocks the "
        "embedding, entity and intent queues of everybody for about 14 s each time",
        "ENRICH-3",
        deviation="DEV-1",
    ),
    _recorded(
        "unescaped-slash-404",
        "A session id with a slash that the client did not escape leads to no route: 404, nothing remembered",
        "SESSION-2",
        "API-1",
        deviation="DEV-2",
    ),
    _recorded(
        "token-count-reset",
        "token_count is set back to 0 when entities or intent arrive, or the metadata is changed",
        "STORE-2",
        deviation="DEV-5",
    ),
    _recorded(
        "admin-without-token",
        "/admin shows and deletes everybody's sessions without a token while authentication is required",
        "AUTH-6",
        deviation="DEV-7",
    ),
    _recorded(
        "published-secret",
        "With authentication required and no secret Zep starts with that of its config.yaml, which everybody can read",
        "AUTH-7",
        deviation="DEV-14",
    ),
    _recorded(
        "missing-message-500",
        "GET or PATCH of a message uuid that does not exist: 500 with an empty body",
        "BADINPUT-1",
        deviation="DEV-8",
    ),
    _recorded(
        "path-ids-stay-escaped",
        "A session id in a path is kept as escaped text wherever the escaping is not Go's own "
        "(%2F, %2B, lower-case hex), so that it is another session than the same id in a body",
        "SESSION-2",
        deviation="DEV-9",
    ),
    _recorded("negative-lastn-500", "A negative lastn is answered 500", "BADINPUT-1", deviation="DEV-11"),
    _recorded(
        "session-without-id-500",
        "POST /sessions without a session_id is answered 500",
        "BADINPUT-1",
        deviation="DEV-11",
    ),
    _recorded(
        "duplicate-uuid-500",
        "A message with a uuid that is taken already is answered 500",
        "BADINPUT-1",
        deviation="DEV-11",
    ),
    _recorded(
        "empty-search-500",
        "A search with neither text nor metadata is answered 500",
        "BADINPUT-1",
        deviation="DEV-11",
    ),
    _recorded(
        "bad-search-500",
        "An unknown search scope, a broken filter or date, or MMR without a text is answered 500",
        "BADINPUT-1",
        deviation="DEV-11",
    ),
    _recorded(
        "empty-metadata-500",
        "PATCH of a message, session or user with empty metadata is answered 500 (read in the source)",
        "BADINPUT-1",
    ),
    _recorded(
        "bad-paging-ignored",
        "Negative limits and cursors, and anything in the message list's that is no number, are ignored "
        "(read in the source)",
        "BADINPUT-1",
        deviation="DEV-12",
    ),
    _recorded(
        "unknown-search-type-ignored",
        "A search type other than similarity and mmr is taken for similarity (read in the source)",
        "BADINPUT-1",
    ),
    _recorded(
        "lenient-json",
        "Text after the JSON body is ignored, and null counts as an empty object (read in the source)",
        "BADINPUT-1",
    ),
    _recorded(
        "summary-skips-beyond-window",
        "The summariser sees at most a window of messages: the oldest of a larger post are in no summary "
        "(read in the source)",
        "SUMMARY-2",
    ),
    _recorded(
        "whole-floats-refused",
        "A whole number that is written with a point or an exponent (5.0) is refused where an integer is wanted "
        "(read in the source: Go's decoder)",
        "BADINPUT-1",
    ),
    _recorded("json-as-text", "JSON is labelled text/plain, whatever Zep's own API description says"),
    _recorded("api-undescribed", "There is no description of the API to be fetched (read in the source)"),
    _recorded(
        "healthz-404-else",
        "The health check answers 404 to any method but GET and HEAD, not 405 (read in the source)",
    ),
)
"""All of them."""
