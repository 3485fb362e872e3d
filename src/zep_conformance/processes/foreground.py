"""`zep-conformance serve`: the embedded servers in the foreground, until somebody stops them."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from zep_conformance.errors import PartDied, PortTaken
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.wiring import parts_for


def _say_error(what: str, advice: str) -> int:
    print(f"{what}\n  {advice}", file=sys.stderr)  # noqa: T201  (this is the command's output)
    return 2


def serve_in_foreground(
    *,
    ports: Mapping[str, int],
    host: str,
    auth_secret: str | None,
    data: Path | None,
    recorded_behaviours: str,
    embedding_model: Path | None = None,
) -> int:
    """Serve the parts of `ports` until SIGINT or SIGTERM. Returns the exit code: 0 when stopped, 2 when it broke.

    data: where state is kept; None for a temporary folder that is removed at the end. recorded_behaviours: "none" or
    "all". embedding_model: folder of a
    model for the NLP server.
    """

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be stopped is to be interrupted
    folder = data or Path(tempfile.mkdtemp(prefix="zep-conformance-serve-"))
    api_key = secrets.token_urlsafe(24)
    try:
        parts = parts_for(
            ports,
            recorded_behaviours=recorded_behaviours,
            data=folder,
            ports=ports,
            host=host,
            secrets={"zep": auth_secret},
            api_key=api_key,
            embedding_model=str(embedding_model) if embedding_model else None,
        )
        with Fleet(parts) as fleet:
            urls = {name: fleet.url(name) for name in fleet.parts}
            if "langflux" in urls:
                urls["langflux_api_key"] = api_key
            if "model" in urls:
                urls["model"] += "/v1"
            print(json.dumps(urls), flush=True)  # noqa: T201  (this is the command's output)
            name = fleet.wait()
            return _say_error(
                f"{name} ended by itself; its log ends:\n{fleet.log(name)[-500:]}", "The others are stopped."
            )
    except PortTaken as error:
        return _say_error(error.what, f"Give another with --{error.part}-port, or 0 for a free one.")
    except PartDied as error:
        return _say_error(error.what, "This is a fault of zep-conformance: please report it.")
    except KeyboardInterrupt:
        return 0
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
