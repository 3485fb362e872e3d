"""Wires features, steps and fixtures together, and nothing else."""

import pytest

# Before they import each other: a plain assert in a step shows both sides.
pytest.register_assert_rewrite("fixtures", "steps")

pytest_plugins = (
    "fixtures.target",
    "fixtures.people",
    "fixtures.belongings",
    "fixtures.enrichment",
    "fixtures.chatflows",
    "fixtures.files",
    "fixtures.page",
    "steps.zep",
    "steps.search",
    "steps.enrichment",
    "steps.sessions",
    "steps.wire",
    "steps.conversation",
    "steps.langflux",
    "steps.browser",
    "steps.authentication",
    "steps.faults",
    "steps.starting",
    "steps.deployment",
    "steps.load",
)
