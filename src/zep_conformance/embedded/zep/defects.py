"""Defects that can be planted in the embedded Zep, to prove that a scenario notices each.

No recorded version has them. `python -m zep_conformance.mutation.runner` plants one after the other.
"""

from __future__ import annotations

from zep_conformance.facts.departures import Departure


def _planted(name: str, about: str, *breaks: str) -> Departure:
    return Departure(name, "zep", about, breaks)


_STORING = (
    _planted("writes-dropped", "Messages are acknowledged and not stored", "STORE-1", "DEPLOY-2", "DEPLOY-4"),
    _planted("last-message-lost", "The last message of a post of several is not stored", "STORE-1"),
    _planted("messages-doubled", "Every message is stored twice", "STORE-1"),
    _planted("messages-reversed", "The memory lists the newest message first", "STORE-1", "STORE-4"),
    _planted("memory-limited", "The memory holds the newest 6 messages, however large the window is", "STORE-1"),
    _planted("post-replaces", "Writing to a session replaces what was in it", "STORE-1"),
    _planted("content-cut", "Texts are cut after 1000 characters", "STORE-1"),
    _planted("content-trimmed", "White space at both ends of a text is lost", "STORE-1"),
    _planted("newlines-normalised", "CR LF in a text becomes LF", "STORE-1"),
    _planted("unicode-mangled", "Letters that are not Latin-1 become question marks", "STORE-1"),
    _planted("markup-escaped", "&, < and > in a text come back as HTML entities", "STORE-1"),
    _planted("backslashes-lost", "Backslashes in a text are lost", "STORE-1"),
    _planted("roles-lost", "Every message is given the role human", "STORE-1"),
    _planted("metadata-dropped", "A message's own metadata is not stored", "STORE-2"),
    _planted("metadata-flattened", "Nested metadata is stored as text", "STORE-2"),
    _planted("uuid-repeated", "All messages of an answer have the uuid of the first", "STORE-2"),
    _planted("uuid-malformed", "A message's uuid is no uuid", "STORE-2"),
    _planted("created-at-zero", "A message's creation time is the year 1", "STORE-2"),
    _planted("tokens-never-counted", "Messages have no token count", "STORE-2"),
    _planted("forgotten-on-restart", "The store is emptied at every start", "STORE-3"),
    _planted("lost-in-crash", "Writes are committed at a clean stop only, so that a crash loses them", "STORE-3"),
    _planted("read-only-after-restart", "After a restart nothing can be written any more", "STORE-3"),
    _planted("lastn-off-by-one", "lastn returns one message less than asked for", "STORE-4"),
    _planted("lastn-ignored", "lastn is ignored", "STORE-4"),
    _planted("lastn-oldest", "lastn returns the oldest messages", "STORE-4"),
    _planted("lastn-capped", "lastn returns at most 5 messages", "STORE-4"),
    _planted("slow-writes", "Every write takes 0.3 s more, as if it waited for enrichment", "LATENCY-1"),
    _planted("slow-reads", "Every read takes 0.3 s more, as if it waited for enrichment", "LATENCY-1"),
)

_CROWDS = (
    _planted(
        "mixed-under-load",
        "Messages that are written at the same time land in each other's sessions",
        "SESSION-1",
        "LOAD-1",
    ),
    _planted(
        "lost-under-load",
        "A write is acknowledged and lost when another is under way",
        "SESSION-1",
        "LOAD-1",
    ),
    _planted(
        "doubled-under-load",
        "A write is stored twice when another is under way",
        "SESSION-1",
        "LOAD-1",
    ),
    _planted("refused-under-load", "With more than 3 writes under way the next is answered 503", "LOAD-1"),
)

_SUMMARIES = (
    _planted("summary-early", "A summary comes one message before the window is reached", "SUMMARY-1"),
    _planted("summary-late", "A summary comes one message after the window is reached", "SUMMARY-1"),
    _planted("summary-never", "No summary ever comes", "SUMMARY-1"),
    _planted("summary-covers-all", "A summary covers the whole window, and no message stays", "SUMMARY-1"),
    _planted("summary-keeps-older-half", "Beside a summary the memory shows the oldest messages", "SUMMARY-1"),
    _planted("summary-names-newest", "A summary names the newest message, which it does not cover", "SUMMARY-2"),
    _planted("summary-forgets-names", "A summary does not say who it is about", "SUMMARY-2"),
    _planted("summary-forgets-the-last", "A summary does not build on the one before", "SUMMARY-2"),
    _planted("second-summary-never", "A session gets one summary and no other", "SUMMARY-2"),
    _planted("summary-deletes-messages", "Messages are deleted once they are summarised", "SUMMARY-2"),
    _planted("lastn-stops-at-summary", "lastn does not reach behind the summary", "SUMMARY-2"),
)

_SEARCH = (
    _planted("messages-not-embedded", "Messages are never embedded", "SEARCH-1", "DEPLOY-2"),
    _planted("search-broken", "A search is answered 500, as it is without an NLP server", "SEARCH-1", "DEPLOY-2"),
    _planted("search-ranking-reversed", "The least like message comes first", "SEARCH-1"),
    _planted("search-ranking-ignored", "The oldest message comes first, whatever is searched", "SEARCH-1"),
    _planted("search-crosses-sessions", "A search finds messages of every session", "SEARCH-2", "DEPLOY-2"),
    _planted("search-unknown-404", "A search in a session that nobody wrote to is answered 404", "SEARCH-2"),
    _planted("search-limit-ignored", "A search's limit is ignored", "SEARCH-2"),
    _planted("search-finds-twice", "Every result of a search comes twice", "SEARCH-2"),
    _planted("search-filter-ignored", "A search's metadata filter is ignored", "SEARCH-2"),
    _planted("search-scope-ignored", "A search finds messages whatever its scope is", "SEARCH-2"),
    _planted("summaries-not-embedded", "Summaries are never embedded", "SEARCH-2"),
    _planted("mmr-ignored", "A search by MMR ranks by relevance alone", "SEARCH-2"),
    _planted("mmr-always", "Every search ranks by MMR", "SEARCH-2"),
)

_ENRICHMENT = (
    _planted("entities-missing", "No entities are found", "ENRICH-1", "DEPLOY-2"),
    _planted("entities-unnamed", "Entities are found and have no names", "ENRICH-1", "DEPLOY-2"),
    _planted("system-metadata-writable", "A client can overwrite what Zep found out", "ENRICH-1"),
    _planted("intent-missing", "No intent is found", "ENRICH-2"),
)

_FAULTS = (
    _planted("enrichment-given-up", "What can't be enriched because a server is down never is", "FAULT-1"),
    _planted("writes-want-nlp", "While the NLP server is down writes are answered 503", "FAULT-1"),
    _planted("store-down-acknowledged", "While the database is down writes are answered 200, and lost", "FAULT-2"),
    _planted("store-lost-for-good", "Once the database was down everything is answered 500 until a restart", "FAULT-2"),
    _planted(
        "store-back-without-newest",
        "When the database comes back the newest message of each session is missing",
        "FAULT-2",
    ),
)

_STARTING = (
    _planted("starts-without-key", "Zep starts without ZEP_OPENAI_API_KEY", "DEPLOY-5"),
    _planted("silent-without-key", "Without ZEP_OPENAI_API_KEY Zep ends and does not say why", "DEPLOY-5"),
    _planted("starts-without-secret", "Zep starts with authentication required and no secret, open to all", "AUTH-7"),
    _planted("silent-without-secret", "Without a secret Zep ends and does not say why", "AUTH-7"),
    _planted("firewall-refuses", "What a firewall should drop is refused", "DEPLOY-6"),
)

_SESSIONS = (
    _planted("sessions-mixed", "All sessions are one", "SESSION-1"),
    _planted("session-ids-ignore-case", "Session ids that differ only in case are one session", "SESSION-1"),
    _planted(
        "session-ids-match-prefix",
        "A session shows the messages of all whose ids begin with its own",
        "SESSION-1",
    ),
    _planted("session-ids-cut-at-64", "Session ids are cut after 64 characters", "SESSION-2"),
    _planted("session-ids-cut-at-sign", "Session ids are cut at a space or any of ? # % & + / : @", "SESSION-2"),
    _planted("session-ids-ascii-only", "Letters beyond ASCII in a session id become question marks", "SESSION-2"),
    _planted("session-ids-plus-is-space", "A plus sign in a session id is taken for a space", "SESSION-2"),
    _planted("session-ids-stay-escaped", "A session id in a path is not unescaped", "SESSION-2"),
    _planted(
        "odd-session-ids-refused", "Session ids of other than ASCII letters, digits and - . _ ~ get 400", "SESSION-2"
    ),
    _planted("long-session-ids-refused", "Session ids of more than 100 characters are answered 400", "SESSION-2"),
    _planted(
        "record-ids-normalised",
        "POST /sessions replaces what is no letter or digit in the id by a dash",
        "SESSION-2",
    ),
    _planted("clear-does-nothing", "Clearing a session is acknowledged and not done", "SESSION-3"),
    _planted("clear-keeps-messages", "A cleared session still has its messages", "SESSION-3"),
    _planted("clear-keeps-search", "A cleared session's messages are still found by searching", "SESSION-3"),
    _planted("clear-keeps-summary", "A cleared session still has its summary", "SESSION-3"),
    _planted("clear-late", "A session is cleared a second after the answer", "SESSION-3"),
    _planted("clear-comes-back", "A cleared session's messages come back when it is used again", "SESSION-3"),
    _planted("clear-clears-all", "Clearing one session clears all", "SESSION-3"),
    _planted("clear-unknown-200", "Clearing a session that does not exist is answered 200", "SESSION-3"),
    _planted("user-sessions-unlisted", "A user's sessions are not listed", "SESSION-4"),
    _planted("user-sessions-newest-only", "Only the newest of a user's sessions is listed", "SESSION-4"),
    _planted("user-sessions-of-all", "Everybody's sessions are listed for each user", "SESSION-4"),
    _planted("user-deletion-keeps-sessions", "A deleted user's sessions stay", "SESSION-4"),
    _planted("user-deletion-keeps-memory", "A deleted user's sessions lose their records only", "SESSION-4"),
    _planted("user-deletion-takes-all", "Deleting a user deletes everybody's sessions", "SESSION-4"),
)

_MISTAKES = (
    _planted("malformed-accepted", "A malformed request is answered 200", "BADINPUT-1"),
    _planted("malformed-500", "A malformed request is answered 500", "BADINPUT-1"),
    _planted("malformed-unexplained", "A malformed request is answered 400 with an empty body", "BADINPUT-1"),
    _planted("malformed-changes-memory", "A malformed write is refused and leaves a message", "BADINPUT-1"),
    _planted("malformed-kills", "A malformed request ends the server", "BADINPUT-1", "AUTH-2"),
    _planted("malformed-wears-out", "After 10 malformed requests everything is answered 503", "BADINPUT-1"),
    _planted("big-body-accepted", "A body of any size is accepted", "BADINPUT-1"),
    _planted("big-body-stored", "A body that is too large is refused and leaves a message", "BADINPUT-1"),
    _planted("version-missing", "No answer says the version", "DEPLOY-1"),
    _planted("version-too-new", "Every answer says version 1.0.2", "DEPLOY-1"),
    _planted("version-too-old", "Every answer says version 0.19.0", "DEPLOY-1"),
    _planted("healthz-503", "The health check is answered 503", "DEPLOY-1", "DEPLOY-6"),
)

OPEN_ROUTES: dict[str, tuple[str, str]] = {
    "open-memory-read": ("memory", "GET"),
    "open-memory-write": ("memory", "POST"),
    "open-memory-delete": ("memory", "DELETE"),
    "open-message-list": ("messages", "GET"),
    "open-search": ("search", "POST"),
    "open-session-creation": ("sessions", "POST"),
    "open-session-read": ("session", "GET"),
    "open-session-update": ("session", "PATCH"),
    "open-user-creation": ("users", "POST"),
    "open-user-read": ("user", "GET"),
    "open-user-update": ("user", "PATCH"),
    "open-user-deletion": ("user", "DELETE"),
    "open-user-sessions": ("user_sessions", "GET"),
}
"""By defect, the route (resource and method) that is served without a token."""

_AUTHENTICATION = (
    *(
        _planted(name, f"{method} of {resource.replace('_', ' ')} needs no token", "AUTH-2")
        for name, (resource, method) in OPEN_ROUTES.items()
    ),
    _planted("refused-write-stored", "A write without a token is answered 401 and stored", "AUTH-2"),
    _planted(
        "refusal-unexplained", "A request without a good token is answered 401 with an empty body", "AUTH-2", "AUTH-3"
    ),
    _planted("refusal-is-500", "A request without a good token is answered 500", "AUTH-2", "AUTH-3"),
    _planted("right-token-refused", "No token is accepted", "AUTH-1", "AUTH-2", "AUTH-4"),
    _planted("secret-accepted", "The secret itself is accepted as a token", "AUTH-1", "AUTH-4"),
    _planted("garbage-token-accepted", "Any text of three parts is accepted as a token", "AUTH-3"),
    _planted("expired-token-accepted", "An expired token is accepted", "AUTH-3", "AUTH-4"),
    _planted("early-token-accepted", "A token is accepted before it is valid", "AUTH-3"),
    _planted("unsigned-token-accepted", "A token of the algorithm none is accepted", "AUTH-3"),
    _planted("token-without-signature-accepted", "A token whose signature was cut off is accepted", "AUTH-3"),
    _planted("changed-token-accepted", "A token is accepted whose claims were changed", "AUTH-3"),
    _planted("other-secret-accepted", "A token's signature is not verified", "AUTH-3", "AUTH-4"),
    _planted("decoded-secret-accepted", "A token signed with the decoded secret is accepted", "AUTH-3"),
    _planted(
        "published-secret-accepted", "A token made with the secret of Zep's own config.yaml is accepted", "AUTH-3"
    ),
    _planted("hs384-accepted", "A token signed with HS384 is accepted", "AUTH-3"),
    _planted("hs512-accepted", "A token signed with HS512 is accepted", "AUTH-3"),
    _planted("healthz-wants-token", "The health check is answered 401 without a token", "AUTH-6"),
    _planted("collections-open", "Document collections are listed without a token", "AUTH-6"),
)

PLANTED: tuple[Departure, ...] = (
    *_STORING,
    *_CROWDS,
    *_SUMMARIES,
    *_SEARCH,
    *_ENRICHMENT,
    *_FAULTS,
    *_STARTING,
    *_SESSIONS,
    *_MISTAKES,
    *_AUTHENTICATION,
)
"""Every defect that can be planted in the embedded Zep."""
