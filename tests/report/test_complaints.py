"""What an exception complains of."""

from __future__ import annotations

import httpx

from zep_conformance.report.longrepr import complaint


def timed_out(method: str, path: str) -> httpx.ReadTimeout:
    return httpx.ReadTimeout("timed out", request=httpx.Request(method, f"http://zep:8000{path}"))


def test_a_request_without_an_answer_is_told_without_its_names() -> None:
    told = complaint(timed_out("PATCH", "/api/v1/sessions/zc-1-here"))
    assert told == "ReadTimeout: timed out (PATCH /api/v1/sessions/…)"
    told = complaint(timed_out("GET", "/api/v1/sessions/zc-1/messages/77?limit=3"))
    assert told == "ReadTimeout: timed out (GET /api/v1/sessions/…/messages/…)"


def test_a_path_is_no_longer_than_a_line() -> None:
    assert len(complaint(timed_out("GET", "/" + "a" * 300))) < 80


def test_what_was_asked_is_not_known_of_every_exception() -> None:
    assert complaint(httpx.ReadTimeout("timed out")) == "ReadTimeout: timed out"
    assert complaint(AssertionError("4 is not 5")) == "4 is not 5"
    assert complaint(KeyError("x")) == "KeyError: 'x'"
