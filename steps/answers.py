"""Vocabulary: what an HTTP answer is, which a step before has got as the fixture `answer`."""

from __future__ import annotations

import httpx
from pytest_bdd import parsers, then


@then("the answer is a 4xx that says why")
def is_client_error(answer: httpx.Response) -> None:
    """Check that the status is from 400 to 499, and that the body has words in it."""
    assert 400 <= answer.status_code < 500, f"expected a 4xx, it is {answer.status_code} {answer.text!r}"
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


@then(parsers.parse("the answer is not {status:d}"))
def is_not_status(answer: httpx.Response, status: int) -> None:
    """Check that it has any other status."""
    assert answer.status_code != status, f"it is {status} {answer.text[:200]!r}"
