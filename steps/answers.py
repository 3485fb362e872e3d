"""Vocabulary: what an HTTP answer is, which a step before has got as the fixture `answer`."""

from __future__ import annotations

import httpx
from pytest_bdd import parsers

from fixtures.words import then

OF_SOMETHING_ELSE = frozenset({401, 403, 405, 407, 408, 429})
"""The 4xx that do not speak of what was sent: who asks, by which method, how often, how slowly."""


@then("the answer is a 4xx that says why")
def is_client_error(answer: httpx.Response) -> None:
    """Check that the status is a 4xx about what was sent, and that the body has words in it.

    404 is none where something was to be written or searched: what is posted to makes its session.
    """
    status, method = answer.status_code, answer.request.method
    assert 400 <= status < 500, f"expected a 4xx, it is {status} {answer.text!r}"
    other = status in OF_SOMETHING_ELSE or (status == 404 and method == "POST")
    assert not other, f"the answer {status} speaks of something else than the mistake: {answer.text!r}"
    assert answer.text.strip(), f"the answer {answer.status_code} does not say why"


@then(parsers.parse("the answer is {status:d}, and says why"))
def is_status_with_reason(answer: httpx.Response, status: int) -> None:
    """Check that it has this status, and words in the body."""
    assert answer.status_code == status, f"expected {status}, it is {answer.status_code} {answer.text!r}"
    assert answer.text.strip(), f"the answer {status} does not say why"


@then(parsers.parse("the answer is {status:d}"))
def is_status(answer: httpx.Response, status: int) -> None:
    """Check that it has this status."""
    assert answer.status_code == status, f"expected {status}, it is {answer.status_code} {answer.text[:200]!r}"
