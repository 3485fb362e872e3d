"""Vocabulary: parts that are stopped, started, cut off and back. What is down is brought back after the scenario."""

from __future__ import annotations

import re

from pytest_bdd import parsers

from fixtures.faults import PARTS, Faults
from fixtures.words import given, then, when
from zep_conformance.clients.waiting import eventually
from zep_conformance.clients.zep import Zep
from zep_conformance.facts.flows import MODEL_KEY
from zep_conformance.settings import Settings
from zep_conformance.targets import Control

REFUSED = {
    "without ZEP_OPENAI_API_KEY": {"ZEP_OPENAI_API_KEY": ""},
    "with ZEP_AUTH_REQUIRED and without a secret": {"ZEP_AUTH_REQUIRED": "true", "ZEP_AUTH_SECRET": ""},
}
"""The variables that Zep is to refuse, as a feature calls them."""
_CALLED = "|".join([*PARTS, "Zep"])


@given(parsers.re(rf"(?P<called>{_CALLED}) is (down|stopped)"))
def is_down(faults: Faults, zep_part: str, called: str) -> None:
    """Stop a part as an operator does: connections are refused."""
    faults.down(PARTS.get(called, zep_part))


@when(parsers.re(rf"(?P<called>{_CALLED}) is back"))
def is_back(faults: Faults, zep_part: str, called: str) -> None:
    """Start a part again, and no other; return when it answers."""
    faults.up(PARTS.get(called, zep_part))


@when(parsers.re(r"Zep (?P<ends>is stopped|crashes) and is started again"))
def zep_comes_back(control: Control, zep_part: str, zep: Zep, settings: Settings, ends: str) -> None:
    """End Zep as an operator or a crash does, start it, and wait until it is healthy."""
    (control.stop if ends == "is stopped" else control.kill)(zep_part)
    control.start(zep_part)

    def healthy() -> None:
        assert zep.wire.get("/healthz").status_code == 200, "Zep is not healthy after its start"

    eventually(healthy, settings.wait_limit)


@given("a firewall drops what is sent to Zep")
def cut_off(faults: Faults, zep_part: str) -> None:
    """Let no answer come at all, not even a refusal."""
    faults.cut_off(zep_part)


# -- with which variables Zep starts --------------------------------------------------------------------------


@when("it is started with ZEP_OPENAI_API_KEY set, as in the documented .env")
def start_with_key(faults: Faults, zep_part: str) -> None:
    """Start Zep with a key, whose value does not matter before it is used, and return when it answers.

    Documentation, “Guide to Deploy Zep to Digital Ocean”.
    """
    faults.up(zep_part, {"ZEP_OPENAI_API_KEY": MODEL_KEY})


@when(parsers.re(rf"it is started (?P<how>{'|'.join(REFUSED)})"), target_fixture="last_words")
def start_wrongly(control: Control, zep_part: str, how: str) -> str | None:
    """Try to start Zep with variables that it must refuse. Returns what it wrote when it ended, None if it came up."""
    last_words = control.attempt(zep_part, REFUSED[how])
    if last_words is None:
        control.stop(zep_part)
    return last_words


@then("it is healthy")
def is_healthy(zep: Zep) -> None:
    """Check that /healthz answers 200."""
    assert zep.wire.get("/healthz").status_code == 200, "Zep is not healthy after its start"


@then("it does not come up")
def does_not_come_up(last_words: str | None) -> None:
    """Check that it ended by itself."""
    assert last_words is not None, "Zep came up with settings that it must refuse"


@then(parsers.re(r"its log names (?P<what>ZEP_OPENAI_API_KEY|the missing secret)"))
def log_names(last_words: str, what: str) -> None:
    """Check what Zep wrote before it ended."""
    pattern = {"ZEP_OPENAI_API_KEY": "ZEP_OPENAI_API_KEY", "the missing secret": "(?i)secret"}[what]
    end = last_words.strip()[-300:]
    assert re.search(pattern, last_words), f"Zep's log does not say why it ended, but: {end or '(nothing)'}"
