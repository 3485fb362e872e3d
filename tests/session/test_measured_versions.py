"""A real Zep of another version: its own deviations, and one that nobody has measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support import doctor_servers
from tests.support.runs import report_in, run
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.parts import parts_for

METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"]


@pytest.fixture(scope="module")
def zep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded Zep that shows no deviation."""
    parts = parts_for(
        ["zep", "nlp", "model"], recorded_behaviours={"zep": ["json-as-text"]}, data=tmp_path_factory.mktemp("data")
    )
    with Fleet(parts) as running:
        yield running.url("zep")


@contextmanager
def calling_itself(version: str, zep: str, *, lists_messages: bool = True) -> Iterator[str]:
    """Serve a Zep that says that it is of another version. Gives its URL."""

    def answering(client: httpx.AsyncClient) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if not lists_messages and request.url.path.endswith("/messages"):
                return Response("404 page not found\n", 404, {"x-zep-version": version})
            kept = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
            url = str(request.url.replace(scheme="http", netloc=zep.partition("://")[2]))
            came = await client.request(request.method, url, headers=kept, content=await request.body())
            headers = {"x-zep-version": f"{version}-abcdef0 (2024-01-01T00:00:00+0000)"}
            return Response(came.content, came.status_code, headers, came.headers.get("content-type"))

        return answer

    handler = answering(httpx.AsyncClient(timeout=30))
    application = Starlette(routes=[Route("/{path:path}", handler, methods=METHODS)])
    with doctor_servers.serving(application) as port:
        yield doctor_servers.url(port)


def remote(url: str, marked: str) -> tuple[str, ...]:
    return ("-q", "--target", "remote", "--zep-url", url, "-m", marked)


@pytest.mark.parametrize(("version", "deviation"), [("0.20.1", "DEV-18"), ("0.25.0", None)])
def test_what_a_version_lacks_is_its_deviation_wherever_it_shows(
    zep: str, tmp_path: Path, version: str, deviation: str | None
) -> None:
    with calling_itself(version, zep, lists_messages=False) as url:
        finished = run(tmp_path, *remote(url, "MESSAGE-1 or MESSAGE-2"))
    outcomes = {
        (requirement["id"], one["outcome"], one["deviation"])
        for requirement in report_in(tmp_path)["requirements"]
        for one in requirement["scenarios"]
        if one["outcome"] in ("failed", "deviation")
    }
    assert {name for name, _, _ in outcomes} == {"MESSAGE-1", "MESSAGE-2"}, finished.stdout
    assert {found[1:] for found in outcomes} == {("deviation" if deviation else "failed", deviation)}
    assert finished.returncode == (0 if deviation else 1)


@pytest.mark.parametrize(("version", "taken_for"), [("0.27.9", "0.27.2"), ("0.99.0", "0.27.2")])
def test_a_version_that_nobody_has_measured_deviates_as_the_one_before_it_and_that_is_said(
    zep: str, tmp_path: Path, version: str, taken_for: str
) -> None:
    with calling_itself(version, zep) as url:
        finished = run(tmp_path, *remote(url, "STORE-3 or (SESSION-2 and DEV-9)"))
    said = f"nobody has measured zep {version}: its deviations are taken to be those of {taken_for}"
    assert f"note: {said}" in " ".join(finished.stdout.split())
    assert [line for line in report_in(tmp_path)["remarks"] if said in line]
    assert said in " ".join((tmp_path / "reports" / "summary.md").read_text().replace("\\", "").split())
    assert "DEV-9 is fixed here" in finished.stdout  # it was expected


def test_of_a_measured_version_nothing_is_remarked(zep: str, tmp_path: Path) -> None:
    with calling_itself("0.27.2", zep) as url:
        run(tmp_path, *remote(url, "STORE-3"))
    assert report_in(tmp_path)["remarks"] == []
