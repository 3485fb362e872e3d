"""Vocabulary: strangers, who ask a secured Zep in every way without the right token."""

from __future__ import annotations

from typing import Any

from fixtures.refusals import Doorkeeper, Guarded, Strangers
from fixtures.words import given, then, when
from zep_conformance.clients.zep import Zep
from zep_conformance.facts.operations import api_operations


@given("Alice has a user, and a session with messages, in the secured Zep", target_fixture="before")
def is_guarded(guarded: Guarded, made_by_strangers: str) -> dict[str, Any]:
    """Return all that Zep says of them, and of what strangers would make beside them."""
    return guarded.state(made_by_strangers)


@when("strangers try to read all that the API has, in every way that there is", target_fixture="strangers")
def strangers_read(doorkeeper: Doorkeeper, nobody: dict[str, str]) -> Strangers:
    """Return what came of it: ids that nobody uses, so that nothing is shown to anybody where they are let in."""
    return doorkeeper.try_all(lambda operation: operation.reads, nobody, {})


@when("strangers try to change and to search it, in every way that there is", target_fixture="strangers")
def strangers_write(doorkeeper: Doorkeeper, guarded: Guarded, made_by_strangers: str) -> Strangers:
    """Return what came of requests that are right in everything but the token."""
    bodies = guarded.bodies(made_by_strangers)
    return doorkeeper.try_all(lambda operation: not operation.reads, guarded.ids, bodies)


@then("nobody is let in")
def nobody_let_in(doorkeeper: Doorkeeper, strangers: Strangers) -> None:
    """Check that every request was refused; say which were not, and what those have in common."""
    assert strangers.asked, "nothing was asked"
    shown = doorkeeper.shown(strangers.failed, strangers.asked)
    assert not strangers.failed, f"not refused: {shown}"


@then("no refusal gives anything away")
def nothing_given_away(doorkeeper: Doorkeeper, strangers: Strangers) -> None:
    """Check that no answer holds a token, a secret, an address with a password, a query or a stack."""
    shown = doorkeeper.shown(strangers.told, strangers.asked)
    assert not strangers.told, f"given away: {shown}"


@then("nothing has changed")
def nothing_changed(guarded: Guarded, made_by_strangers: str, before: dict[str, Any]) -> None:
    """Check that Zep says of everything what it said before, to the letter."""
    now = guarded.state(made_by_strangers)
    changed = [path for path, said in before.items() if now[path] != said]
    assert not changed, "\n".join(
        ["refused requests were carried out:", *(f"{path} was {before[path]}, is {now[path]}" for path in changed)]
    )


@when("each operation of the API is asked for with the right token", target_fixture="answers")
def each_operation(secured_zep: Zep, guarded: Guarded, nobody: dict[str, str]) -> dict[str, int]:
    """Return the status that each is answered by. Nothing is changed, and nobody's data is shown.

    Bodies are a list where an object belongs; what is deleted is nobody's; of lists the page behind the last is read.
    """
    found = {}
    for operation in api_operations():
        path = operation.at(nobody if operation.method == "DELETE" else guarded.ids)
        is_list = operation.reads and "{" not in operation.path
        answer = secured_zep.wire.request(
            operation.method,
            path,
            params={"limit": 1, "cursor": 2**62} if is_list else None,
            json=[] if operation.takes_body else None,
        )
        found[str(operation)] = answer.status_code
    return found


@then("each answer is one that is documented for it, and no refusal")
def all_documented(answers: dict[str, int]) -> None:
    """Check the statuses of all; 401, 403 and 500 are never among them."""
    documented = {str(one): one.answers for one in api_operations()}
    wrong = {name: status for name, status in answers.items() if status not in documented[name]}
    assert not wrong, f"not answered as documented with the right token: {wrong}"
