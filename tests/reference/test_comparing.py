"""Two servers compared with each other: what they have of earlier sequences is no difference."""

from __future__ import annotations

import httpx
import pytest

from zep_conformance.reference.carrying import Server, sender_of
from zep_conformance.reference.comparing import compare
from zep_conformance.reference.operations import World, kind
from zep_conformance.reference.zep.listing import ListUsers


def server(user: str) -> dict[str, Server]:
    """A Zep that lists one user, whatever is asked."""
    record = {"uuid": "6f1c3f0e-0b7a-4c58-9a53-3d1c5b5f0a01", "user_id": user, "id": 7}
    answering = httpx.MockTransport(lambda _: httpx.Response(200, json=[record]))
    return {"zep": Server(sender_of(httpx.Client(base_url="http://zep", transport=answering)))}


@pytest.mark.parametrize(
    ("here", "there", "differs"),
    [("zc-q3-ada", "zc-q3b-ada", False), ("zc-q7-ada", "zc-q7b-ada", False), ("zc-q3-ada", "zc-q3b-bo", True)],
)
def test_users_of_an_earlier_sequence_are_compared_by_their_own_names(here: str, there: str, differs: bool) -> None:
    outcome = compare(kind("records"), [ListUsers("0", 1)], World("zc-q7"), server(here), server(there))
    assert (outcome.failure is not None) == differs
