"""Steps about many users at once, and about how long things take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from faker import Faker
from pytest_bdd import parsers, then, when

from fixtures.belongings import Belongings
from fixtures.people import People, SessionIds
from steps.zep import Conversation
from zep_conformance.clients.zep import Said, Zep, memory_path
from zep_conformance.session.classification import MEASURED
from zep_conformance.settings import Settings


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """The distribution of latencies, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "count": len(seconds),
        "p50": round(cuts[49] * 1000, 2),
        "p95": round(cuts[94] * 1000, 2),
        "p99": round(cuts[98] * 1000, 2),
        "max": round(max(seconds) * 1000, 2),
    }


class Stopwatch:
    """Latencies by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    def time(self, name: str, action: Callable[[], object]) -> None:
        """Do something and note how long it took."""
        start = time.perf_counter()
        action()
        self.seconds.setdefault(name, []).append(time.perf_counter() - start)

    def figures(self) -> dict[str, dict[str, float]]:
        """The distribution of each."""
        return {name: percentiles(found) for name, found in self.seconds.items()}


@pytest.fixture
def stopwatch() -> Stopwatch:
    """Nothing measured yet."""
    return Stopwatch()


@pytest.fixture
def crowd() -> list[Conversation]:
    """The sessions of many users."""
    return []


@when(parsers.parse("{count:d} messages are written to a session and read, one after the other"))
def write_and_read(
    conversation: Conversation,
    zep: Zep,
    faker: Faker,
    stopwatch: Stopwatch,
    request: pytest.FixtureRequest,
    count: int,
) -> None:
    """Time each write, and each read after it."""
    path = memory_path(conversation.session)
    for _ in range(count):
        message = Said("human", faker.sentence(8))
        stopwatch.time("write", lambda: zep.wire.post(path, json={"messages": [message.body()]}))  # noqa: B023
        stopwatch.time("read", lambda: zep.wire.get(path, params={"lastn": 5}))
        conversation.said.append(message)
    request.node.stash[MEASURED] = stopwatch.figures()


@then("the 95th percentile of writing and of reading is inside the budget")
def inside_budget(conversation: Conversation, zep: Zep, stopwatch: Stopwatch, settings: Settings) -> None:
    """And everything was written: a fast answer that did nothing is none."""
    contents = [message.content for message in zep.messages(conversation.session)]
    assert contents == [said.content for said in conversation.said], "not every message was written"
    for name, figures in stopwatch.figures().items():
        assert figures["p95"] <= settings.latency_budget, (
            f"95 % of {name}s take up to {figures['p95']:g} ms; the budget is {settings.latency_budget:g} ms "
            "(--latency-budget; it includes the network between here and there)"
        )


@when(
    parsers.re(
        r"(?P<users>many|\d+) users write (?P<count>\d+) messages each to a session of their own, all at the same time"
    )
)
def crowd_writes(
    crowd: list[Conversation],
    zep: Zep,
    people: People,
    session_ids: SessionIds,
    belongings: Belongings,
    stopwatch: Stopwatch,
    settings: Settings,
    request: pytest.FixtureRequest,
    users: str,
    count: str,
) -> None:
    """Each user in a thread, each message in a request of its own."""
    number = settings.load_users if users == "many" else int(users)
    for person in people.crowd(number):
        session = belongings.session(zep, session_ids.new(person.user_id))
        said = [Said("human", f"{person.name} says this as number {turn}") for turn in range(int(count))]
        crowd.append(Conversation(session, said))

    def talk(one: Conversation) -> None:
        for said in one.said:
            body = {"messages": [said.body()]}

            def write(body: object = body) -> None:
                answer = zep.wire.post(memory_path(one.session), json=body)
                assert answer.status_code == 200, f"a write is answered {answer.status_code} {answer.text!r}"

            stopwatch.time("write", write)

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(talk, crowd))
    if users == "many":
        request.node.stash[MEASURED] = {f"write, {number} users at once": stopwatch.figures()["write"]}


@then("each session holds its own messages, each once and in order")
def crowd_kept(crowd: list[Conversation], zep: Zep) -> None:
    """Exactly what its user wrote."""
    for one in crowd:
        contents = [message.content for message in zep.messages(one.session)]
        assert contents == [said.content for said in one.said], f"{one.session} does not hold what was written to it"
