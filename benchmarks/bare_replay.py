"""Sends recorded requests to freshly started embedded servers with httpx, and looks at nothing.

What the run did to the parts in between is done to them, too. Prints how many answers came of each hundred, and the
seconds that went into the parts.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path

import httpx

from benchmarks.recorder import UUID
from zep_conformance.errors import CannotTell
from zep_conformance.settings import Settings
from zep_conformance.targets.embedded.target import EmbeddedTarget


def main(recording: Path) -> None:
    """Start the servers, replay, stop."""
    target = EmbeddedTarget(Settings())
    target.start()
    head, *lines = recording.read_text().splitlines()
    requests = [json.loads(line) for line in lines]
    found = target.deployment(lambda _line: None)
    assert found.zep is not None and found.secured is not None and found.langflux is not None
    now = {"zep": found.zep.url, "zep-secured": found.secured.url, "langflux": found.langflux.url}
    clients = {part: httpx.Client(base_url=url, timeout=60) for part, url in now.items()}
    tokens = {"zep-secured": found.secured.token, "langflux": found.langflux.api_key}
    now["model"] = found.langflux.model_url
    # What differs from run to run: the parts' addresses, and the ids that servers make up.
    changed = {origin: now[part] for origin, part in json.loads(head)["parts"].items()}
    statuses: dict[int, int] = {}
    controlling = 0.0
    for request in requests:
        if "control" in request:
            start = time.perf_counter()
            with contextlib.suppress(CannotTell):  # a start that is meant to fail
                verb, *given = request["control"]
                getattr(target.control, verb)(*given)
            controlling += time.perf_counter() - start
            continue
        path, body = request["path"], request["body"]
        for old, new in changed.items():
            if old in path or old in body:
                path, body = path.replace(old, new), body.replace(old, new)
        headers = request["headers"]
        if "authorization" in headers and tokens.get(request["part"]):
            headers["authorization"] = f"Bearer {tokens[request['part']]}"
        client = clients[request["part"]]
        url = client.base_url.copy_with(raw_path=path.encode())
        try:
            answer = client.request(request["method"], url, content=body.encode(), headers=headers)
        except httpx.TransportError:  # of many who wrote at once while a part was down
            statuses[0] = statuses.get(0, 0) + 1
            continue
        statuses[answer.status_code // 100] = statuses.get(answer.status_code // 100, 0) + 1
        if request["gives"]:
            given = UUID.findall(answer.text)
            changed |= {old: given[int(index)] for index, old in request["gives"].items() if int(index) < len(given)}
    for client in clients.values():
        client.close()
    target.stop()
    print(json.dumps({"statuses": statuses, "control_seconds": round(controlling, 2)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
