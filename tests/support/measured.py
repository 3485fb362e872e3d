"""Reports of runs as far as what is kept of them goes, and measurements."""

from __future__ import annotations

from typing import Any

from zep_conformance.compatibility.measurements import Ended, Held, Measurement


def report(zep: str = "0.27.2", langflux: str = "1.8.4", **changed: Any) -> dict[str, Any]:
    """A run's report. changed: keys that are otherwise than usual."""

    def scenario(outcome: str, deviation: str | None = None) -> dict[str, Any]:
        return {"name": "A secret text", "outcome": outcome, "deviation": deviation}

    outcomes = {
        "API-1": ("deviation", [scenario("passed"), scenario("deviation", "DEV-13"), scenario("deviation", "DEV-2")]),
        "API-2": ("passed", [scenario("passed"), scenario("skipped")]),
        "API-3": ("failed", [scenario("failed")]),
        "UI-1": ("skipped", []),
        "STORE-1": ("passed", [scenario("passed")]),
    }
    return {
        "format": 2,
        "tool": {"name": "zep-conformance", "version": "0.1.0"},
        "started": "2026-11-25T08:33:03+00:00",
        "verdict": "does not conform",
        "trouble": None,
        "ended": [],
        "outcomes": {"error": 0, "not run": 0},
        "target": {"name": "processes", "deployed": True},
        "parts": {"zep": {"version": zep}, "langflux": {"version": langflux, "url": "http://somewhere"}},
        "requirements": [
            {"id": name, "outcome": outcome, "scenarios": scenarios, "left_out": []}
            for name, (outcome, scenarios) in outcomes.items()
        ],
    } | changed


def measurement(zep: str, langflux: str = "", /, **outcomes: str) -> Measurement:
    """A measurement of one run. outcomes: by requirement, its dash an underscore."""
    return Measurement(
        zep=zep,
        langflux=langflux,
        runs=(Ended(measured="2026-11-26", suite="0.1.0", target="processes", verdict="conforms"),),
        requirements={
            name.replace("_", "-"): Held(outcome=outcome, tried=int(outcome != "skipped"))
            for name, outcome in outcomes.items()
        },
    )
