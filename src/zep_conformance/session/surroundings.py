"""What a run was given, and what it runs on: for whoever reads its report elsewhere, or later."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from zep_conformance.settings import SETTINGS, Settings

_LIBRARIES = ("pytest", "pytest-bdd", "httpx", "zep-python")
"""Those whose versions change what a run asks, or how."""


def settings_shown(settings: Settings, hidden: Callable[[str], str]) -> dict[str, str]:
    """Return the settings that differ from their defaults, by option: "" for a switch, a variable for a secret.

    hidden: takes secrets out of a text.
    """
    shown = {}
    for field, setting in SETTINGS.items():
        if settings.is_given(field):
            text = str(getattr(settings, field))
            is_secret = setting.is_secret or hidden(text) != text
            shown[setting.option] = "" if setting.is_flag else f"${setting.variable}" if is_secret else text
    return shown


@cache
def environment() -> dict[str, str]:
    """Return system, cores, Python, and the versions of the libraries that matter, by what they are called."""
    found = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # not installed as a package
            continue
    return found
