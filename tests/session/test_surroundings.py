"""What a report says of where the suite ran, and of how long enrichments took."""

from __future__ import annotations

from pathlib import Path

from tests.support.runs import report_in, run
from zep_conformance.session.surroundings import environment


def test_where_it_ran_is_known() -> None:
    assert {"system", "cores", "python", "pytest", "httpx"} <= {*environment()}


def test_a_run_knows_how_long_enrichments_took(tmp_path: Path) -> None:
    ended = run(tmp_path, "-q", "-m", "ENRICH-1 or ENRICH-2 or SUMMARY-1 or DEPLOY-2", "--wait-limit", "20")
    assert ended.returncode == 0, ended.stdout
    found = report_in(tmp_path)
    assert found["settings"]["wait-limit"] == "20.0"
    scenarios = {one["name"]: one["measurements"] for of in found["requirements"] for one in of["scenarios"]}
    times = {name for measurements in scenarios.values() for name in measurements}
    assert {"time to embedding", "time to entities", "time to intent", "time to summary"} <= times
    stopped = [name for name in scenarios if "down" in name]
    assert stopped and not any(scenarios[name] for name in stopped), (
        "the time in which a part was down is none of Zep's"
    )
    page = (tmp_path / "reports" / "index.html").read_text()
    for what in ("embedding", "entities", "intent", "summary"):
        assert f'aria-label="{what}: p50 ' in page
    assert "<code>--wait-limit</code>" in page
    assert "time to" not in ended.stdout
