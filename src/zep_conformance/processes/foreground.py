"""`zep-conformance serve`: the embedded servers in the foreground, until somebody stops them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

from zep_conformance.errors import CannotTell, PartDied, PortTaken
from zep_conformance.processes.fleet import Fleet
from zep_conformance.processes.folders import owned_folder
from zep_conformance.processes.parts import parts_for


def serve_in_foreground(
    *,
    ports: Mapping[str, int],
    host: str,
    auth_secret: str | None,
    data: Path | None,
    recorded_behaviours: str,
    embedding_model: Path | None = None,
) -> NoReturn:
    """Serve the parts of `ports` until KeyboardInterrupt, which it raises when nothing is left running.

    data: where state is kept; None for a temporary folder that is removed at the end. recorded_behaviours: "none" or
    "all". embedding_model: folder of a model for the NLP server.
    Raises CannotTell: a port is in use, or a part did not start, or ended by itself.
    """
    api_key = secrets.token_urlsafe(24)
    try:
        with owned_folder("zep-conformance-serve-") if data is None else nullcontext(data) as folder:
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
                raise PartDied(part=name, how="ended by itself", log=fleet.log(name), advice="The others are stopped.")
    except PortTaken as error:
        advice = f"Give another with --{error.part}-port, or 0 for a free one."
        raise CannotTell(error.what, advice, code=error.code) from None
