"""What can be found at the door of a Zep: is it one, and does it let us in?"""

from __future__ import annotations

from zep_conformance.doctor.entries import PIN, faults, notes

DOOR = [
    *faults(
        "version",
        (
            "not-zep",
            "something answers, but it is no Zep: {said}",
            "the address is another server's (LangFlux, a web page, a proxy's default site)",
            "Give the address of Zep itself, by default port 8000, without a path.",
        ),
        (
            "zep-1",
            "it is Zep {version}: 404 on /api/v1, and a chat forgets everything",
            "ghcr.io/getzep/zep:latest is Zep 1.x, which speaks another API (/api/v2, no JWT)",
            f"Pin {PIN}; data of a 1.x database does not carry over.",
        ),
        (
            "zep-too-old",
            "it is Zep {version}",
            "before 0.20 an empty memory and an empty search are 404 and memories have no summary, so clients of "
            "today fail",
            f"Upgrade to {PIN}.",
        ),
        (
            "zep-unhealthy",
            "Zep itself answers {status} to /healthz",
            "it is starting, or has given up",
            "See Zep's log.",
        ),
        (
            "zep-odd-answer",
            "reading an unknown session's memory gives {status}: {said}",
            "a proxy changes or limits what is asked of /api/v1, or this Zep is broken",
            "Expected 200. Ask Zep directly, without the proxy; see its log.",
        ),
    ),
    *notes(
        "version",
        (
            "zep-untested",
            "it is Zep {version}, newer than any known here",
            "the newest Zep 0.x that this was tried with is 0.27.2",
            "Nothing, if it works.",
        ),
        (
            "version-unsaid",
            "it does not say its version",
            "a proxy removes the header X-Zep-Version, or this Zep was built without a version",
            "Let the header through, so that clients can warn of an old Zep.",
        ),
    ),
    *faults(
        "token",
        (
            "token-missing",
            "401: Zep wants a token, and none was given",
            "ZEP_AUTH_REQUIRED is true",
            "Set $ZEP_TOKEN to the JWT (not the secret) that zepcli -i or `zep-conformance token` printed.",
        ),
        (
            "token-is-secret",
            "the token is no JWT: it is in one piece, as the secret is",
            "the secret (ZEP_AUTH_SECRET) was pasted where the JWT belongs; zepcli -i prints the secret first",
            "Use the second that zepcli -i printed, or make one: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-not-jwt",
            "the token is no JWT",
            "it was cut off, or is the key of something else",
            "A JWT has three pieces with dots between them and begins with eyJ: copy all of it.",
        ),
        (
            "token-bearer-prefix",
            'the token begins with "Bearer"',
            "clients write that word themselves, so Zep is sent it twice",
            'Give the JWT alone, without "Bearer ".',
        ),
        (
            "token-quoted",
            "there are blanks, line ends or quotes in or around the token",
            "it was copied with them, or an .env file keeps its quotes",
            "Give the JWT alone.",
        ),
        (
            "token-unsigned",
            "the token is not signed, or not to its end",
            "its algorithm is none, or some of it was cut off when it was copied",
            "Copy all of it, or make one: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-wrong-algorithm",
            "the token is signed by {algorithm}",
            "Zep takes HS256 only",
            "Make one signed by HS256: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-expired",
            "the token expired on {when}",
            "it was made with an end (exp)",
            "Make a new one: `zep-conformance token`, with $ZEP_AUTH_SECRET set. Tokens of zepcli -i never expire.",
        ),
        (
            "token-not-yet-valid",
            "the token is valid from {when} only (nbf)",
            "it was made for later, or a clock is wrong: the one it was made by, or Zep's",
            "Compare the clocks, then make a new one without nbf.",
        ),
        (
            "token-issued-later",
            "the token was made in the future: {when} (iat)",
            "a clock is wrong: the one it was made by is ahead, or Zep's is behind",
            "Set the clocks, then make a new one.",
        ),
        (
            "token-odd-times",
            "the token's {claims} is no number",
            "times in a JWT are seconds since 1970",
            "Make a new one: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-decoded-secret",
            "the token is signed with the base64-decoded secret",
            "whatever made it took the secret for base64; Zep uses it as the text it is",
            "Sign with the secret's text, undecoded: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-other-secret",
            "the token is not signed with the secret that was given",
            "it was made for another Zep, or before the secret was changed",
            "Make one for this secret: `zep-conformance token`, with $ZEP_AUTH_SECRET set.",
        ),
        (
            "token-refused",
            "the token is well-formed, and Zep refuses it: {said}",
            "it is signed with another secret than this Zep's: made for another Zep, or before its secret changed",
            "Make one with this Zep's ZEP_AUTH_SECRET; give the secret too, and it is checked here.",
        ),
        (
            "token-stripped",
            "a good-looking token was sent, and Zep says that it got none",
            "a proxy in front removes or replaces the Authorization header",
            "Have the proxy pass Authorization on (no basic login of its own on this address).",
        ),
        (
            "secret-not-zeps",
            "the token fits the secret that was given, and Zep refuses it",
            "this Zep runs with another secret: its environment was changed, or it was not restarted since",
            "Compare ZEP_AUTH_SECRET in the environment of the running Zep with this one, quotes and blanks included.",
        ),
        (
            "secret-unlike-token",
            "Zep accepts the token, which does not fit the secret that was given",
            "the secret is another Zep's, or has blanks or quotes around it: tokens made with it will be refused",
            "Give the ZEP_AUTH_SECRET that this Zep runs with.",
        ),
        (
            "secret-is-token",
            "what was given as the secret is a JWT",
            "secret and token were swapped",
            "$ZEP_AUTH_SECRET is what Zep has; $ZEP_TOKEN is the JWT that begins with eyJ.",
        ),
    ),
    *notes(
        "token",
        (
            "token-expires-soon",
            "the token expires on {when}",
            "it was made with an end (exp)",
            "Replace it before that, in LangFlux's credential too: from then on every chat fails.",
        ),
        (
            "zep-open",
            "this Zep answers everybody, without a token",
            "ZEP_AUTH_REQUIRED is not true",
            "Fine where only your own machines reach it; else set ZEP_AUTH_REQUIRED and ZEP_AUTH_SECRET.",
        ),
        (
            "secret-published",
            "this Zep lets in whoever makes a token with the secret that Zep is published with",
            "ZEP_AUTH_SECRET is not set, and Zep took the one in its own config.yaml; or somebody copied it from there",
            "Set ZEP_AUTH_SECRET to a secret of your own (`zep-conformance token` makes one), and restart Zep.",
        ),
    ),
]
