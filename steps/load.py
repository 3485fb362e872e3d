"""Vocabulary: many users at once, and how long things take."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
from faker import Faker
from pytest_bdd import parsers

from fixtures.cleanup import Cleanup
from fixtures.conversations import Conversation, Conversations, texts
from fixtures.people import People, SessionIds
from fixtures.stopwatch import Stopwatch
from fixtures.words import given, then, when
from zep_conformance.clients.zep import NewMessage, Zep
from zep_conformance.facts.servers import memory_path, session_path, user_path
from zep_conformance.session.classification import MEASURED, SAMPLES
from zep_conformance.settings import Settings


@when(parsers.parse("{count:d} messages are written to a session and read, one after the other"))
def write_and_read(
    conversation: Conversation,
    zep: Zep,
    faker: Faker,
    stopwatch: Stopwatch,
    settings: Settings,
    request: pytest.FixtureRequest,
    count: int,
) -> None:
    """Time `count` writes, and a read after each; the report gets the figures.

    It ends as soon as the budget can't be met any more, however fast the rest would be.
    """
    path = memory_path(conversation.session)
    for _ in range(count):
        message = NewMessage("human", faker.sentence(8))
        answers: list[httpx.Response] = []
        stopwatch.time("write", lambda: answers.append(zep.wire.post(path, json={"messages": [message.body()]})))  # noqa: B023
        stopwatch.time("read", lambda: answers.append(zep.wire.get(path, params={"lastn": 5})))  # noqa: B023
        statuses = [answer.status_code for answer in answers]
        assert statuses == [200, 200], f"a write and a read are answered {statuses}"
        conversation.written.append(message)
        if any(figures["p95"] > settings.latency_budget for figures in stopwatch.at_best(count).values()):
            break
    request.node.stash[MEASURED], request.node.stash[SAMPLES] = stopwatch.figures(), stopwatch.samples()


@then("the 95th percentile of writing and of reading is inside the budget")
def inside_budget(conversation: Conversation, stopwatch: Stopwatch, settings: Settings) -> None:
    """Check the budget, and that everything was written: a fast answer that did nothing is none."""
    for name, figures in stopwatch.figures().items():
        assert figures["p95"] <= settings.latency_budget, (
            f"95 % of {figures['count']:g} {name}s take up to {figures['p95']:g} ms; the budget is "
            f"{settings.latency_budget:g} ms (--latency-budget; it includes the network between here and there)"
        )
    assert texts(conversation.messages()) == conversation.texts, "not every message was written"


@when(
    parsers.re(
        r"(?P<users>many|\d+) users write (?P<count>\d+) messages each to a session of their own, all at the same time"
    ),
    target_fixture="crowd",
    converters={"count": int},
)
def crowd_writes(
    conversations: Conversations,
    zep: Zep,
    people: People,
    stopwatch: Stopwatch,
    settings: Settings,
    request: pytest.FixtureRequest,
    users: str,
    count: int,
) -> list[Conversation]:
    """Return the conversations of users who have each written in a thread, each message in a request of its own.

    users: how many, or "many" for `--load-users`, of which the report gets the figures.
    """
    number = settings.load_users if users == "many" else int(users)
    crowd = []
    for person in people.crowd(number):
        crowd.append(conversations.new(person.user_id))
        crowd[-1].written = [NewMessage("human", f"{person.name} says this as number {turn}") for turn in range(count)]

    def talk(one: Conversation) -> None:
        for message in one.written:
            body = {"messages": [message.body()]}

            def write(body: object = body) -> None:
                answer = zep.wire.post(memory_path(one.session), json=body)
                assert answer.status_code == 200, f"a write is answered {answer.status_code} {answer.text!r}"

            stopwatch.time("write", write)

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(talk, crowd))
    if users == "many":
        name = f"write, {number} users at once"
        request.node.stash[MEASURED] = {name: stopwatch.figures()["write"]}
        request.node.stash[SAMPLES] = {name: stopwatch.samples()["write"]}
    return crowd


@then("each session holds its own messages, each once and in order")
def crowd_kept(crowd: list[Conversation]) -> None:
    """Check that each holds exactly what its user has written."""
    for one in crowd:
        assert texts(one.messages()) == one.texts, f"{one.session} does not hold what was written to it"


# -- records that are changed by many at once -------------------------------------------------------------------


@dataclass
class Record:
    """A record that its user changes. path: where it is fetched and changed. changed: the metadata of each change.

    trouble: what came of the last of them, "" where it was answered as it should be.
    """

    path: str
    changed: list[dict[str, int]] = field(default_factory=list)
    trouble: str = ""


@given(parsers.parse("{count:d} users have {a_record} each"), target_fixture="records")
def make_records(
    zep: Zep, people: People, session_ids: SessionIds, cleanup: Cleanup, count: int, a_record: str
) -> list[Record]:
    """Return the records that were made for so many users. a_record: "a session" or "a user"."""
    records = []
    for person in people.crowd(count):
        name = session_ids.new(person.user_id)
        if a_record == "a user":
            zep.add_user(cleanup.user(zep, name))
        else:
            zep.add_session(cleanup.session(zep, name))
        records.append(Record(user_path(name) if a_record == "a user" else session_path(name)))
    return records


@when(parsers.parse("each of them changes its metadata {count:d} times, all at the same time"))
def change_records(records: list[Record], zep: Zep, settings: Settings, count: int) -> None:
    """Add a field to each record in each change, one after the other; all users at once, until there is trouble."""

    def change(record: Record) -> None:
        for number in range(count):
            if any(one.trouble for one in records):
                return
            record.changed.append({f"change {number}": number})
            body = {"metadata": record.changed[-1]}
            try:
                answer = zep.wire.patch(record.path, json=body, timeout=settings.freeze_after)
            except httpx.ReadTimeout:
                record.trouble = f"no answer in {settings.freeze_after:g} s"
            else:
                record.trouble = "" if answer.status_code == 200 else f"{answer.status_code} {answer.text!r}"

    with ThreadPoolExecutor(len(records)) as pool:
        list(pool.map(change, records))


@then("every change is answered, and none is missing")
def records_changed(records: list[Record], zep: Zep) -> None:
    """Check that each change was answered, and that each record has all of them."""
    trouble = [record.trouble for record in records if record.trouble]
    what = f"{len(trouble)} of {len(records)} records that are changed at one time can't be changed any more"
    assert not trouble, f"{what}: {trouble[0]}"
    for record in records:
        answer = zep.wire.get(record.path)
        assert answer.status_code == 200, f"fetching a changed record is answered {answer.status_code} {answer.text!r}"
        found = answer.json().get("metadata") or {}
        missing = [one for one in record.changed if not one.items() <= found.items()]
        assert not missing, f"{len(missing)} of {len(record.changed)} changes of a record are gone: {missing[0]} first"
