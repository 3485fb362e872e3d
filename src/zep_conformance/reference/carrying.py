"""Carrying a sequence out: each operation is asked for, and its answer compared with what the model expects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from zep_conformance.clients import clock
from zep_conformance.clients.waiting import eventually
from zep_conformance.reference.operations import Expected, Kind, Operation, Request, World
from zep_conformance.reference.rules import Difference, Seen, shown

Send = Callable[[Request], httpx.Response]
"""Sends a request to a part. Raises httpx.HTTPError."""


def sender_of(client: httpx.Client) -> Send:
    """Return what sends requests with a client, their paths as they are: one that is tidied names another id."""

    def send(request: Request) -> httpx.Response:
        url = client.base_url.copy_with(raw_path=request.path.encode())
        # By hand: httpx escapes no letters, and what a wire carries is to be seen in a report.
        content = None if request.body is None else json.dumps(request.body).encode()
        headers = {"content-type": "application/json"} if content is not None else {}
        return client.request(request.method, url, content=content, headers={**headers, **request.headers})

    return send


@dataclass(frozen=True)
class Server:
    """One part as sequences are carried out on it.

    send: sends a request. before: called before each; it may wait until what is asked for does no harm. patience:
    seconds for what may come later.
    """

    send: Send
    before: Callable[[Request], None] = lambda _request: None
    patience: float = 30.0


@dataclass(frozen=True)
class Step:
    """One operation, carried out. answer: None where none came. differences: how it is not as expected."""

    operation: Operation[Any]
    request: Request
    status: int | None
    answer: str
    differences: tuple[Difference, ...] = ()
    looked: bool = False
    """Whether it only looks at what is there when the sequence is over."""


@dataclass
class Outcome:
    """What came of a sequence.

    failure: the step at which a server differs from the model, None where none does. begun: how many operations of the
    sequence were begun.
    """

    steps: list[Step] = field(default_factory=list)
    failure: Step | None = None
    begun: int = 0


def carry_out(
    kind: Kind,
    operations: Sequence[Operation[Any]],
    world: World,
    servers: Mapping[str, Server],
    *,
    to_the_end: bool = False,
) -> Outcome:
    """Carry out a sequence, and look at everything once more when it is over; end at the first difference.

    to_the_end: go on all the same. Raises what `Server.send` and `Server.before` raise; but a connection that breaks is
    a difference.
    """
    model = kind.model(world)
    outcome = Outcome()
    for operation, looked in _with_looks(model, operations):
        outcome.begun += not looked
        for one in (*operation.needs(model), operation):
            step = _carry_out(model, one, servers, looked=looked)
            outcome.steps.append(step)
            if step.differences:
                outcome.failure = outcome.failure or step
                if not to_the_end:
                    return outcome
    return outcome


def _with_looks(model: Any, operations: Sequence[Operation[Any]]) -> Iterator[tuple[Operation[Any], bool]]:
    for operation in operations:
        yield operation, False
    for operation in model.everything():
        yield operation, True


def _carry_out(model: Any, operation: Operation[Any], servers: Mapping[str, Server], *, looked: bool) -> Step:
    request = operation.request(model)
    server = servers[request.part]
    expected = operation.expected(model)
    server.before(request)

    def asked() -> Step:
        began = clock.now()
        try:
            answer = server.send(request)
        except httpx.TimeoutException:
            raise  # a server that freezes does so whatever is asked
        except httpx.TransportError as error:
            missing = Difference("", f"status {_either(expected.statuses)}", f"no answer ({type(error).__name__})")
            return Step(operation, request, None, "", (missing,), looked)
        seen = _seen(began, answer)
        found = tuple(compared(expected, answer, seen))
        return Step(operation, request, answer.status_code, answer.text, found, looked)

    def right() -> Step:
        step = asked()
        assert not step.differences
        return step

    if not expected.patience:
        return asked()
    try:
        return eventually(right, server.patience)
    except AssertionError:
        return asked()


def _seen(began: datetime, answer: httpx.Response) -> Seen:
    """Return when an exchange was, by the server's clock where its answer tells that."""
    ended = clock.now()
    try:
        there = parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError):
        return Seen(began, ended)
    # To the second; what lies between two machines' clocks matters, and not what an answer takes.
    ahead = there - ended
    return Seen(began, ended) if abs(ahead) < timedelta(seconds=2) else Seen(began + ahead, ended + ahead)


def compared(expected: Expected, answer: httpx.Response, seen: Seen) -> Iterator[Difference]:
    """Yield how an answer is not as expected."""
    if answer.status_code not in expected.statuses:
        came = f"{answer.status_code} {shown(answer.text[:200])}"
        yield Difference("", f"status {_either(expected.statuses)}", came)
        return
    for cell in expected.dated:
        cell.since = seen
    if answer.is_success:
        yield from expected.rule.differences(body_of(answer), "", seen)


def body_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer's body, its text where it is none."""
    try:
        return json.loads(answer.content)
    except ValueError:
        return answer.text


def _either(statuses: Sequence[int]) -> str:
    return " or ".join(map(str, statuses))
