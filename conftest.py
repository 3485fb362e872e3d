"""Wires features, steps and fixtures together, and nothing else."""

import pytest

# Before they import each other: a plain assert in a step shows both sides.
pytest.register_assert_rewrite("fixtures", "steps")

pytest_plugins = (
    "fixtures.target",
    "fixtures.people",
    "fixtures.cleanup",
    "fixtures.enrichment",
    "fixtures.conversations",
    "fixtures.chatflows",
    "fixtures.chats",
    "fixtures.neighbours",
    "fixtures.faults",
    "fixtures.stopwatch",
    "fixtures.deployment_files",
    "fixtures.page",
    "fixtures.sequences",
    "fixtures.refusals",
    "fixtures.upgrade",
    "steps.conversations",
    "steps.answers",
    "steps.parts",
    "steps.load",
    "steps.readers",
    "steps.storing",
    "steps.summaries",
    "steps.search",
    "steps.enrichment",
    "steps.sessions",
    "steps.malformed",
    "steps.langflux_api",
    "steps.langflux_chats",
    "steps.neighbours",
    "steps.langflux_page",
    "steps.authentication",
    "steps.credentials",
    "steps.refusals",
    "steps.errors",
    "steps.faults",
    "steps.deployment",
    "steps.deployment_files",
    "steps.sequences",
    "steps.whole_answers",
    "steps.upgrade",
)
