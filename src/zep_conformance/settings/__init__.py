"""The settings of a run: what there is (`model`), where it comes from (`sources`), which target uses it (`usage`)."""

from zep_conformance.settings.model import (
    CAPABILITIES,
    GROUPS,
    SECRETS,
    SETTINGS,
    TARGETS,
    Settings,
    mutations_of,
    names_in,
    option,
    passwords_in,
    revealed,
)
from zep_conformance.settings.sources import RENAMED, close_to, default_settings, read_settings
from zep_conformance.settings.usage import for_target

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
