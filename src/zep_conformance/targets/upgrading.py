"""Which parts of a target can be started as another version, and why others can't."""

from __future__ import annotations

from collections.abc import Mapping

from zep_conformance.errors import CannotTell
from zep_conformance.settings import UPGRADES, Settings
from zep_conformance.targets.base import Upgrade

NOT_OURS = dict.fromkeys(sorted(UPGRADES), "these parts are not ours to start as another version")
"""Why a target lacks these capabilities whose parts somebody else has started."""


def missing_upgrades(settings: Settings, upgrades: Mapping[str, Upgrade]) -> dict[str, str]:
    """Return why each capability of an upgrade is missing, where it is. upgrades: as of `Deployment`."""
    missing = {
        f"{part}-upgrade": f"no --to-{part}; `zep-conformance upgrade` gives one"
        for part in ("zep", "langflux")
        if part not in upgrades
    }
    if not (upgrades and settings.and_back):
        missing["way-back"] = "no --and-back"
    return missing


def refuse_same(part: str, upgrade: Upgrade, said: Mapping[str, str]) -> None:
    """Check that a part says another version as each of the two. said: what it has said, by BEFORE and AFTER.

    Raises CannotTell where both are the same: nothing was upgraded then.
    """
    if len(said) > 1 and len(set(said.values())) == 1 and all(said.values()):
        what = f"{part}: {upgrade.before} and {upgrade.after} are the same version, {next(iter(said.values()))}"
        advice = "Give two versions: `zep-conformance upgrade --from X --to Y`."
        raise CannotTell(what, advice, code="upgrade-same")
