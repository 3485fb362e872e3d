"""The settings of a run: what there is and which target uses it (`model`), where it comes from (`sources`)."""

from zep_conformance.settings.model import (
    CAPABILITIES,
    GROUPS,
    SECRETS,
    SETTINGS,
    TARGETS,
    Settings,
    for_target,
    mutations_of,
    names_in,
    option,
    passwords_in,
    revealed,
)
from zep_conformance.settings.sources import RENAMED, close_to, default_settings, read_settings

__all__ = [
    "CAPABILITIES",
    "GROUPS",
    "RENAMED",
    "SECRETS",
    "SETTINGS",
    "TARGETS",
    "Settings",
    "close_to",
    "default_settings",
    "for_target",
    "mutations_of",
    "names_in",
    "option",
    "passwords_in",
    "read_settings",
    "revealed",
]
