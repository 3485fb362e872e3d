"""State machines: run so that they hold, and hunting for a mutation on servers that have one, so that they must not.

A machine is a class of rules, as Hypothesis has them, that looks at everything once more when an example is over:

    class Clients(Machine):
        @rule(text=texts)
        def write(self, text): ...; assert …

        def look_everywhere(self): ...

    holds(lambda: Clients(server))      # raises what a rule raises, with the smallest example that makes it
    finds(lambda: Clients(broken))      # raises unless a rule raises
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn  # noqa: F401  (imported once, not by each of the many servers that are started here)
from hypothesis import Phase, settings
from hypothesis import stateful as hypothesis_stateful
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from zep_conformance.mutation.catalogue import RECORDED_BEHAVIOURS
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

RECORDED = frozenset(one.full_name for one in RECORDED_BEHAVIOURS)
"""Every recorded behaviour, as part:name."""
EVERY_NIGHT = settings.get_current_profile_name() == "nightly"
"""Whether there is time: `make properties`, and not the gate."""
FEW = settings(max_examples=settings().max_examples // 4)
"""Examples that are asked of servers: a quarter of what the profile of Hypothesis allows others (100 in the gate)."""
STEPS = 30
"""Rules that one example applies, at most."""
SHRUNK_STEPS = 4
"""As many where what is found is to be shrunk, which takes its time."""
HUNTED = 400
"""Examples in which a mutation must have shown itself. Most do in fewer than ten."""


class Noticed(BaseException):
    """A rule was broken, and that is all that is wanted to know.

    It ends a hunt at once, as Ctrl-C does: on a server where one example leaks into the next, Hypothesis could not
    have the same happen again, and would say so rather than what it found.
    """


class Machine(RuleBasedStateMachine):
    """A state machine that can be let loose on a server with a mutation."""

    hunts = False
    """Whether the first rule that is broken ends it all."""
    _over = False

    def broken(self, error: AssertionError) -> None:
        """Note that a rule was broken."""
        self._over = True
        if self.hunts:
            raise Noticed(str(error)) from error

    def look_everywhere(self) -> None:
        """What has to hold when an example is over."""

    def teardown(self) -> None:
        """Look everywhere, unless it is known already that something is wrong."""
        if not self._over:
            noting(type(self).look_everywhere)(self)


Built = Callable[[], Machine]


def noting(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a machine that notes its AssertionErrors before they leave it."""

    @functools.wraps(function)
    def noted(machine: Machine, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(machine, *args, **kwargs)
        except AssertionError as error:
            machine.broken(error)
            raise

    return noted


def rule(**arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """A rule of a Machine: Hypothesis's, with the errors noted."""
    decorate = hypothesis_stateful.rule(**arguments)
    return lambda function: decorate(noting(function))


def initialize(**arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """A rule that begins every example of a Machine."""
    decorate = hypothesis_stateful.initialize(**arguments)
    return lambda function: decorate(noting(function))


def holds(machine: Built) -> None:
    """Run a machine, as often as the profile of Hypothesis says. Raises what its rules raise, as small as can be."""
    run_state_machine_as_test(machine, settings=settings(FEW, stateful_step_count=STEPS))


def finds(machine: Built) -> None:
    """Run a machine on a server with a mutation. Fails the test when it finds nothing."""

    def hunting() -> Machine:
        made = machine()
        made.hunts = True
        return made

    found = settings(
        settings.get_profile("ci"), max_examples=HUNTED, stateful_step_count=STEPS, phases=[Phase.generate]
    )
    with pytest.raises(Noticed):
        run_state_machine_as_test(hunting, settings=found)


def shrunk(machine: Built) -> list[str]:
    """The smallest example in which a machine breaks a rule, as lines of code. Fails the test when there is none."""
    small = settings(
        settings.get_profile("ci"),
        max_examples=HUNTED,
        stateful_step_count=SHRUNK_STEPS,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(machine, settings=small)
    return "\n".join(caught.value.__notes__).splitlines()


@contextmanager
def broken(folder: Path, names: Iterable[str], planted: Mapping[str, Iterable[str]], **wiring: Any) -> Iterator[Fleet]:
    """Servers with what is planted in them by part: names of mutations and of recorded behaviours.

    wiring: what else `parts_for` is given.
    """
    recorded = {part: [name for name in given if f"{part}:{name}" in RECORDED] for part, given in planted.items()}
    mutations = {part: [name for name in given if name not in recorded[part]] for part, given in planted.items()}
    with Fleet(parts_for(names, data=folder, recorded_behaviours=recorded, mutations=mutations, **wiring)) as fleet:
        yield fleet
