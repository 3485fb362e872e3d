"""Whether a target uses what was given: what it does not use is refused, never ignored."""

from __future__ import annotations

from collections.abc import Iterator

from zep_conformance.errors import CannotTell
from zep_conformance.settings.model import OURS, PART_USES, SETTINGS, Settings, Use, described, names_in, option

_PLANTED = ("mutations", "recorded_behaviours")
"""The settings that name parts, as `part:name`: it depends on the part whether a target uses them."""


def for_target(settings: Settings, target: str) -> tuple[Settings, list[str]]:
    """Return the settings as a target uses them, and the variables that it does not use: `$ZEP_TOKEN`.

    Others may read those, too: they are left out, and named. What is ours alone (an option, a key of the table, a
    variable ZEP_CONFORMANCE_…) is refused: raises CannotTell with the first.
    target: what it was chosen by, such as compose:../zep; one that there is, and not auto.
    """
    kind = target.partition(":")[0]
    left_out: dict[str, str] = {}
    for field, where in settings.given.items():
        for what, uses in _asked(settings, field):
            if any(_holds(use, settings) for use in uses if use.target == kind):
                continue
            if not where.startswith("$") or where.startswith(f"${OURS}"):
                what = f"{where}{what} was given, and target {kind} does not use it{_why(kind, uses, settings)}"
                raise CannotTell(what, f"Leave it out; it is used by {described(uses)}.", code="setting-unused")
            left_out[field] = where
    used = settings.model_copy(update={field: SETTINGS[field].default for field in left_out})
    return used, list(left_out.values())


def _asked(settings: Settings, field: str) -> Iterator[tuple[str, tuple[Use, ...]]]:
    """Yield what a setting asks for: the name of each part where it has some, and the targets that have it."""
    if not settings.is_given(field):
        return
    names = [name for name in names_in(str(getattr(settings, field))) if ":" in name] if field in _PLANTED else []
    if not names:
        yield "", SETTINGS[field].uses
    for name in names:
        yield f" {name}", PART_USES.get(name.partition(":")[0], SETTINGS[field].uses)


def _holds(use: Use, settings: Settings) -> bool:
    return (not use.given or any(map(settings.is_given, use.given))) and not any(map(settings.is_given, use.absent))


def _why(kind: str, uses: tuple[Use, ...], settings: Settings) -> str:
    """Return what else keeps a target from using it: " without --zep-url", " with --langflux-url", or nothing."""
    for use in uses:
        if use.target == kind:
            there = [option(name) for name in use.absent if settings.is_given(name)]
            return f" with {' and '.join(there)}" if there else f" without {' or '.join(map(option, use.given))}"
    return ""
