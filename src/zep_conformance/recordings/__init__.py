"""Recordings held against a server, and made from one: `zep-conformance verify-recordings` and `record`.

format       the files, and what a recorded exchange is; comparison understands their placeholders
names        ids of a run's own in requests, the recording's back in answers; what may be asked beside others
removal      what was made, how it is removed, and the enrichment that must be waited for before
player       asks, waits for what may come later, and compares
verify       a server held to a recording; report says what came of it
record       a recording made of answers, with placeholders for what may differ
"""
