"""The marketplace: templates, each of which can be opened as a new canvas."""

from __future__ import annotations

import re

from zep_conformance.clients.page import places
from zep_conformance.clients.page.visit import Visit


def open_template(visit: Visit, *names: str) -> None:
    """Open the template that has one of these names as a new canvas. Raises PageFailed when it is not there."""
    visit.open("/marketplaces", places.TEMPLATES)
    called = re.compile("|".join(rf"^{re.escape(name)}$" for name in names))
    visit.click(places.TEMPLATE, text=called)
    visit.click(places.USE_TEMPLATE)
    visit.find(places.PANE)
