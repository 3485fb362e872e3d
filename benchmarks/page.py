"""What the report as a page costs: its size, the time to write it, and the time until it can be used in a browser.

For a run of 230 scenarios with none, some and half of them failing, and for one of 5,000 with 400 failing. It can be
used when it has loaded, shows something, and has answered a search. The figures to hold: 1 MB and 3 MB, 150 ms for
a run of this suite, and a second until it can be used.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.reports import large
from zep_conformance.clients.page import chromium
from zep_conformance.report.writers.html import render

RUNS = ((230, 0), (230, 12), (230, 115), (5000, 400))
ROUNDS = 5
FRESH = """
import json, sys, time
report = json.load(open(sys.argv[1]))
from zep_conformance.report.writers import html
began = time.perf_counter()
html.render(report)
print((time.perf_counter() - began) * 1000)
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
SEARCH = """async () => {
    const began = performance.now(), said = document.getElementById('matches');
    const query = document.getElementById('query');
    const answered = new Promise((done) => new MutationObserver(done).observe(said, { childList: true }));
    query.value = '42';
    query.dispatchEvent(new Event('input'));
    await answered;
    return performance.now() - began;
}"""


def first_time(report: dict[str, Any], folder: Path) -> float:
    """Milliseconds that a process takes to write its first page, import of Jinja included."""
    path = folder / "report.json"
    path.write_text(json.dumps(report))
    asked = [sys.executable, "-c", FRESH, str(path)]
    return statistics.median(float(subprocess.check_output(asked, text=True)) for _ in range(ROUNDS))


def main() -> None:
    browser = chromium.find()
    started = chromium.Chromium(browser) if browser else None
    opened = started.start() if started else None
    print("scenarios  failing     size  first time    again    loaded   painted    search")
    with tempfile.TemporaryDirectory() as folder:
        for scenarios, failing in RUNS:
            report, again, shown = large(scenarios, failing), [], []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                page = render(report)
                again.append((time.perf_counter() - began) * 1000)
            path = Path(folder) / "index.html"
            path.write_text(page, encoding="utf-8")
            for _ in range(ROUNDS if opened else 0):
                assert opened is not None
                context = opened.new_context()
                tab = context.new_page()
                tab.goto(path.as_uri(), wait_until="load")
                loaded = tab.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
                tab.wait_for_timeout(100)
                shown.append((loaded, tab.evaluate(PAINTED), tab.evaluate(SEARCH)))
                context.close()
            medians = [statistics.median(column) for column in zip(*shown, strict=True)]
            times = [first_time(report, Path(folder)), statistics.median(again), *medians]
            size = f"{len(page.encode()) / 1000:5.0f} kB"
            print(f"{scenarios:9} {failing:8} {size} " + "".join(f"{one:7.0f} ms" for one in times))
    if started:
        started.stop()


if __name__ == "__main__":
    main()
