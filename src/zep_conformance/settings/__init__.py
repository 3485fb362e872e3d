"""Every setting of a run, once: option, environment variable, default, help text, and the targets that use it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from zep_conformance.errors import CannotTell
from zep_conformance.facts.deviations import load_deviations
from zep_conformance.facts.requirements import load_requirements

TARGETS = ("embedded", "containers", "compose", "processes", "remote")
CAPABILITIES = (
    "zep", "langflux", "ui", "auth", "secret", "model", "control", "network", "elsewhere", "meaning", "files", "write",
    "build", "load", "zep-upgrade", "langflux-upgrade", "way-back",
)  # fmt: skip
UPGRADES = frozenset({"zep-upgrade", "langflux-upgrade", "way-back"})
"""The capabilities of a target whose parts can be started as another version, see `Upgrade`."""
"""What a target may offer. Those whose names do not say it all:

- `secret`: the secret of a secured Zep, so that tokens can be made with it
- `network`: parts can be cut off as a firewall does it
- `elsewhere`: Zep's address says something about other hosts than its own
- `meaning`: messages are embedded by what they mean
- `write`: leave to write to the parts at all
- `build`: leave to make chatflows and credentials in LangFlux
- `load`: leave to send Zep so much at once that it may keep others waiting (DEV-15)
- `zep-upgrade`, `langflux-upgrade`: the part can be started as another version, on what it has stored
- `way-back`: leave to start it as the version before again
"""
FORMATS = ("html", "exchanges", "summary", "junit", "ctrf", "messages", "har", "badge")
"""The reports that a run writes beside conformance.json (docs/reports.md)."""
OURS = "ZEP_CONFORMANCE_"
"""What a variable begins with that nobody else reads."""


@dataclass(frozen=True)
class Use:
    """A target that uses a setting: always, or only with one of the settings `given`, and with none of `absent`."""

    target: str
    given: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def on(*targets: str, given: tuple[str, ...] = (), absent: tuple[str, ...] = ()) -> tuple[Use, ...]:
    """Return that these targets use a setting, see `Use`."""
    return tuple(Use(target, given, absent) for target in targets)


EVERYWHERE = on(*TARGETS)
_ZEP, _LANGFLUX = ("zep_url",), ("langflux_url",)
_LOGIN = on("embedded", "containers", "compose", "remote", given=_LANGFLUX) + on(
    "processes", given=("langflux_url", "langflux_command")
)
_PAGE = on("containers", "processes") + on("embedded", "compose", "remote", given=_LANGFLUX)
_MODEL = on("containers", "compose", "processes") + on("embedded", "remote", given=_LANGFLUX)
_SECRET = on("compose") + on("embedded", "containers", "processes", "remote", given=_ZEP)
_WINDOW = on("containers", "compose", "remote") + on("embedded", given=_ZEP)
_WINDOW += on("processes", given=("zep_url", "zep_binary"))
_SEEN_FROM_LANGFLUX = on("embedded", "containers", given=("zep_url", "langflux_url"))
_SEEN_FROM_LANGFLUX += on("compose", "remote", given=_LANGFLUX) + on("processes", given=_ZEP)
_INSTALLED = on("processes", absent=("langflux_url", "langflux_command"))
PART_USES: Mapping[str, tuple[Use, ...]] = {
    "zep": on("embedded") + on("processes", absent=("zep_binary",)),
    "langflux": on("embedded", "compose", absent=_LANGFLUX),
    "page": _PAGE,
    "files": on("embedded", absent=("zep_url", "langflux_url", "deployment_files")),
}
"""The targets that have a part in which a mutation can be planted."""

GROUPS = (
    "what to test",
    "parts that run already",
    "containers",
    "processes",
    "embedded servers",
    "upgrade",
    "verdict and reports",
)
"""What the settings are grouped by in the help."""


def _setting(default: Any, text: str, uses: tuple[Use, ...] = EVERYWHERE, *, group: str, variable: str = "") -> Any:
    """Return a field. variable: where it is not named by the rule, see `_variable`."""
    about: dict[str, Any] = {"uses": uses, "group": group, "variable": variable}
    return Field(default, description=text, json_schema_extra=about)


_what, _running, _containers, _processes, _embedded, _upgrade, _verdict = (
    partial(_setting, group=title) for title in GROUPS
)


class Settings(BaseModel):
    """The settings of one run, as they were given. Field `zep_url` is option `--zep-url`."""

    # Its validator is built when a run reads its settings: a pytest that runs something else need not wait for it.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, protected_namespaces=())
    _given: dict[str, str] = PrivateAttr(default_factory=dict)

    target: str = _what("auto", "how the parts come to be: auto, containers, compose:PATH, processes, embedded, remote")
    read_only: bool = _what(False, "run only what writes nothing, and send nothing that could write")
    max_requests: int | None = _what(None, "stop, without a verdict, after so many requests")
    rate: float | None = _what(None, "send at most so many requests a second")
    time_limit: float | None = _what(
        None, "end after so many seconds (or 5m, 1h), and say what was not asked; what was made is removed all the same"
    )
    without: str = _what("", "capabilities to do without, comma-separated")
    failed: bool = _what(
        False, "run only what failed in the latest run, on its target and with its seed, and merge it with that run"
    )
    seed: int | None = _what(None, "seed of the generated people and texts")
    sequences: int = _what(2, "sequences of operations that nobody wrote, in each scenario that has some")
    wait_limit: float = _what(30.0, "seconds to wait for what may come later (enrichment, the page)")
    latency_budget: float = _what(500.0, "milliseconds for the 95th percentile of writes and reads")
    message_window: int = _what(12, "messages that bring a summary (Zep's memory.message_window)", _WINDOW)
    freeze_after: float = _what(
        5.0, "seconds without an answer, while /healthz answers, after which Zep counts as frozen"
    )
    allow_load: bool = _what(
        False,
        "send a Zep that others use many writes at once, which may keep them waiting for a minute (DEV-15)",
        on("remote") + on("embedded", "containers", "processes", given=_ZEP),
    )
    load_users: int = _what(12, "users that talk at once in the load scenario")
    thorough: bool = _what(
        False, "ask for every combination where usually a sample is taken: some 260,000 requests more"
    )
    deployment_files: Path | None = _what(
        None, "deployment files to look at: a folder, or a file (docs/deployment-files.md)"
    )
    zep_url: str | None = _running(
        None, "base URL of a running Zep", on("embedded", "containers", "processes", "remote")
    )
    zep_token: SecretStr | None = _running(
        None, "JWT for that Zep", on("compose", "remote") + on("embedded", "containers", "processes", given=_ZEP)
    )
    zep_auth_secret: SecretStr | None = _running(
        None, "the secret that Zep checks tokens with; lets the suite make wrong tokens", _SECRET
    )
    langflux_url: str | None = _running(None, "base URL of a running LangFlux")
    langflux_api_key: SecretStr | None = _running(None, "API key of that LangFlux", _LOGIN)
    langflux_user: str | None = _running(
        None, "user name (since Flowise 3.0.1: e-mail address) to log in to that LangFlux with", _LOGIN
    )
    langflux_password: SecretStr | None = _running(None, "password of that user", _LOGIN)
    browser: Path | None = _running(None, "the Chromium that drives LangFlux's page (default: the one on PATH)", _PAGE)
    zep_url_from_langflux: str | None = _running(
        None, "Zep's base URL as LangFlux sees it, where that differs", _SEEN_FROM_LANGFLUX
    )
    model_url: str | None = _running(
        None, "OpenAI-compatible base URL (with /v1) of a model server that LangFlux can reach", _MODEL
    )
    chatflow: str | None = _running(
        None, "id of a chatflow of your own to talk to, instead of making one", _LOGIN, variable="LANGFLUX_CHATFLOW"
    )
    zep_image: str | None = _containers(None, "image of Zep", on("containers"))
    nlp_image: str | None = _containers(None, "image of Zep's NLP server", on("containers"))
    postgres_image: str | None = _containers(None, "image of PostgreSQL with pgvector", on("containers"))
    langflux_image: str | None = _containers(None, "image of LangFlux", on("containers", absent=_LANGFLUX))
    model_image: str | None = _containers(
        None,
        "image of zep-conformance, which is the model server",
        on("containers") + on("compose", absent=("model_url",)),
    )
    registry: str | None = _containers(
        None, "registry to pull the default images from, such as a mirror", on("containers")
    )
    keep: bool = _containers(
        False, "leave them running, and use those that an earlier run has left", on("containers", absent=("fresh",))
    )
    fresh: bool = _containers(
        False, "remove those that an earlier run has left, and start new ones", on("containers", absent=("keep",))
    )
    langflux_command: str | None = _processes(
        None, "the command line that starts LangFlux (default: flowise on PATH)", on("processes", absent=_LANGFLUX)
    )
    langflux_version: str | None = _processes(
        None, "the installed version to start (`install-langflux --list`)", _INSTALLED
    )
    install_langflux: bool = _processes(False, "install that version first, if it is not yet", _INSTALLED)
    zep_binary: Path | None = _processes(
        None, "a real Zep to start, on a real PostgreSQL (default: the embedded Zep)", on("processes")
    )
    postgres_dsn: str | None = _processes(
        None,
        "the PostgreSQL with pgvector in which that Zep gets databases (default: one is started)",
        on("processes", given=("zep_binary",)),
    )
    recorded_behaviours: str = _embedded(
        "none",
        "what real versions do beside their documentation: none, all, or part:name,… (docs/mutations.md)",
        on("embedded") + on("processes", absent=("zep_binary",)) + on("compose", absent=_LANGFLUX),
    )
    embedding_model: Path | None = _embedded(
        None,
        "folder of an ONNX sentence model that knows what words mean (docs/meaning.md)",
        on("embedded", "processes"),
    )
    mutations: str = _embedded(
        "", "faults to plant in embedded servers, deployment files or the page: part:name,… (docs/mutations.md)"
    )
    from_zep: str | None = _upgrade(
        None,
        "the version of Zep to begin with, with what it is known to do where --recorded-behaviours is all; an upgrade "
        "begins with 0.23.0 otherwise; of a real one --zep-binary or --zep-image says it",
        on("embedded", absent=_ZEP),
    )
    to_zep: str | None = _upgrade(
        None,
        "the Zep to start on the same store: a version (embedded), a program (processes), an image (containers)",
        on("embedded", absent=_ZEP)
        + on("processes", given=("zep_binary",))
        + on("containers", absent=("zep_url", "keep")),
    )
    from_langflux: str | None = _upgrade(
        None,
        "the version of LangFlux to begin with, as --from-zep; an upgrade begins with 2.2.7 otherwise; of a real one "
        "--langflux-version or --langflux-image says it",
        on("embedded", absent=_LANGFLUX),
    )
    to_langflux: str | None = _upgrade(
        None,
        "the LangFlux to start on the same store: a version (embedded, processes), an image (containers)",
        on("embedded", "processes", absent=_LANGFLUX) + on("containers", absent=("langflux_url", "keep")),
    )
    and_back: bool = _upgrade(
        False,
        "start the version before again in the end",
        on("embedded") + on("processes", "containers", given=("to_zep", "to_langflux")),
    )
    reports: Path = _verdict(
        Path("reports"), "folder for the reports: one in it for each run, `latest`, and its copies"
    )
    keep_runs: int = _verdict(20, "how many runs are kept in that folder; the oldest go")
    formats: str = _verdict(
        "all", f"the reports to write beside conformance.json: all, or of {', '.join(FORMATS)}, with commas between"
    )
    events: Path | None = _verdict(None, "a file for what happens as it happens, one JSON object a line")
    fail_on: str = _verdict(
        "should",
        "what fails the run: must (failures of what MUST be), should (any failure), deviation (known deviations too)",
    )
    accept: str = _verdict(
        "", "known deviations that do not fail the run though a setting would mend them: DEV-n,… (docs/gate.md)"
    )
    require: str = _verdict(
        "", "what must have been checked, or the run can't tell: must, all, or ids of requirements, comma-separated"
    )
    baseline: Path | None = _verdict(None, "an earlier conformance.json: fail only on what got worse since")
    strict_deviations: bool = _verdict(False, "fail when a known deviation is found fixed")

    @field_validator("time_limit", mode="before")
    @classmethod
    def _duration(cls, value: object) -> object:
        """Return seconds for what has a unit behind it: 90s, 5m, 1.5h."""
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh])\s*", value) if isinstance(value, str) else None
        return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]] if found else value

    @field_validator(
        *(
            "wait_limit",
            "freeze_after",
            "latency_budget",
            "load_users",
            "sequences",
            "message_window",
            "max_requests",
            "rate",
            "time_limit",
            "keep_runs",
        )
    )
    @classmethod
    def _positive(cls, value: float | None) -> float | None:
        if value is not None and value <= 0:
            raise ValueError("must be more than 0")
        return value

    @field_validator("browser")
    @classmethod
    def _runnable(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_file() and os.access(value, os.X_OK)):
            raise ValueError("is no program that can be started")
        return value

    @field_validator("fail_on")
    @classmethod
    def _known_fail_on(cls, value: str) -> str:
        if value not in ("must", "should", "deviation"):
            raise ValueError("must be must, should or deviation")
        return value

    @field_validator("accept")
    @classmethod
    def _known_deviations(cls, value: str) -> str:
        known = load_deviations() if value else {}
        if unknown := [name for name in names_in(value) if name not in known]:
            raise ValueError(f"no deviation {', '.join(unknown)}; there are {', '.join(known)}")
        return value

    @field_validator("require")
    @classmethod
    def _known_requirements(cls, value: str) -> str:
        required_ids(value)
        return value

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, value: str) -> str:
        if unknown := [name for name in names_in(value) if name not in ("all", *FORMATS)]:
            raise ValueError(f"no report {', '.join(unknown)}; there are all, {', '.join(FORMATS)}")
        return value

    @field_validator("without")
    @classmethod
    def _known_capabilities(cls, value: str) -> str:
        unknown = [name for name in names_in(value) if name not in CAPABILITIES]
        if unknown:
            raise ValueError(f"no capability {', '.join(unknown)}; there are {', '.join(CAPABILITIES)}")
        return value

    @property
    def given(self) -> Mapping[str, str]:
        """Return how each setting was given that was: `--zep-url`, `$ZEP_URL` or `zep-url in pyproject.toml`."""
        return self._given

    def is_given(self, field: str) -> bool:
        """Return whether a setting has another value than its default."""
        return bool(getattr(self, field) != SETTINGS[field].default)

    def as_recorded(self) -> dict[str, Any]:
        """Return, as data, what was given of `JUDGING`, for a replay of the run."""
        found = self.model_dump(mode="json", include=set(JUDGING))
        return {name: value for name, value in found.items() if self.is_given(name)}

    def in_words(self) -> dict[str, str]:
        """Return what was given, by the name of its option, for a report; of a secret only that it was."""
        given = [SETTINGS[name] for name in self._given if self.is_given(name) and name not in _OF_REPORTS]
        return {
            one.option[2:]: "(given)" if one.is_secret else "yes" if one.is_flag else str(getattr(self, one.field))
            for one in given
        }

    def secret_variables(self) -> dict[str, str]:
        """Return the environment variable that each secret setting may come from, by the secret."""
        given = ((getattr(self, name), SETTINGS[name].variable) for name in SECRETS)
        return {secret.get_secret_value(): variable for secret, variable in given if secret is not None}

    def secrets(self) -> list[str]:
        """Return the values that must never be shown."""
        urls = filter(None, (getattr(self, name) for name in URLS))
        return [*self.secret_variables(), *(password for url in urls for password in passwords_in(url))]


@dataclass(frozen=True)
class Setting:
    """What is known of one setting, whatever its value is in a run."""

    field: str
    variable: str
    text: str
    default: Any
    uses: tuple[Use, ...]
    group: str
    is_flag: bool
    is_secret: bool

    @property
    def option(self) -> str:
        """Return the option of the command line: `--zep-url`."""
        return option(self.field)

    @property
    def help(self) -> str:
        """Return the help text: what it is, its variable, its default, and the targets that use it."""
        default = "" if self.is_flag or self.default in (None, "") else f" (default: {self.default})"
        text = f"{self.text}{default} [${self.variable}]"
        return text if self.uses in (EVERYWHERE, on(self.group)) else f"{text}. For {described(self.uses)}."


def _about(field: str) -> Setting:
    info = Settings.model_fields[field]
    about: Any = info.json_schema_extra
    return Setting(
        field=field,
        text=str(info.description),
        default=info.default,
        is_flag=info.annotation is bool,
        is_secret="SecretStr" in str(info.annotation),
        **about | {"variable": about["variable"] or _variable(field)},
    )


def _variable(field: str) -> str:
    """Return a setting's variable: of what a part has, as others name it (`ZEP_URL`); else one that is ours alone."""
    of_a_part = field.startswith(("zep_", "nlp_", "postgres_", "langflux_", "model_"))
    return field.upper() if of_a_part else f"{OURS}{field.upper()}"


SETTINGS: Mapping[str, Setting] = {field: _about(field) for field in Settings.model_fields}
RULES = ("fail_on", "accept", "strict_deviations", "latency_budget", "message_window")
"""The fields by which exchanges can be judged again otherwise than they were."""
JUDGING = (*RULES, "read_only", "without", "sequences", "wait_limit", "freeze_after", "allow_load", "load_users",
           "thorough", "deployment_files", "chatflow", "recorded_behaviours", "mutations")  # fmt: skip
"""The fields on which it depends what is asked, and what is made of the answers; none may be a secret."""
_OF_REPORTS = ("reports", "keep_runs", "events", "formats", "failed")
"""The fields that change nothing of what a run comes to."""
URLS = ("zep_url", "langflux_url", "zep_url_from_langflux", "model_url", "postgres_dsn")
"""The fields that a password may be in."""
SECRETS = tuple(one.field for one in SETTINGS.values() if one.is_secret)
"""The fields whose values must never be shown, nor be kept in a file."""


def described(uses: tuple[Use, ...]) -> str:
    """Return in words which targets use a setting: "compose; embedded, containers with --zep-url"."""
    conditions: dict[str, list[str]] = {}
    for use in uses:
        given = f" with {' or '.join(map(option, use.given))}" if use.given else ""
        absent = f" without {' and '.join(map(option, use.absent))}" if use.absent else ""
        conditions.setdefault(given + absent, []).append(use.target)
    return "; ".join(f"{', '.join(targets)}{condition}" for condition, targets in sorted(conditions.items()))


def passwords_in(url: str) -> list[str]:
    """Return the password in a URL, as it is there and as it is meant; nothing where there is none."""
    found = re.search(r"//[^/:]*:(?!\d{1,5}(?:[/?#]|$))(.+)@", url)
    return [found[1], unquote(found[1])] if found else []


def option(field: str) -> str:
    """Return the command-line option of a field: `zep_url` → `--zep-url`."""
    return "--" + field.replace("_", "-")


def names_in(text: str) -> list[str]:
    """Return the names in a comma-separated list; none for an empty text."""
    return [name.strip() for name in text.split(",") if name.strip()]


def required_ids(require: str) -> frozenset[str]:
    """Return the ids of the requirements that `--require` stands for. Raises ValueError for one that there is not.

    `must` leaves out those of upgrades, which want a second version that few runs are given.
    """
    known = load_requirements() if require else {}
    found: set[str] = set()
    for name in names_in(require):
        if name in ("must", "all"):
            of_a_version = {one.id for one in known.values() if one.level == "MUST" and not UPGRADES & {*one.needs}}
            found |= set(known) if name == "all" else of_a_version
        elif name.upper() in known:
            found.add(name.upper())
        else:
            close = difflib.get_close_matches(name.upper(), known, n=3)
            raise ValueError(f"no requirement {name}; there is {', '.join(sorted(close) or ('must', 'all'))}")
    return frozenset(found)


def mutations_of(settings: Settings, part: str) -> list[str]:
    """Return the names of one part's mutations that --mutations asks for."""
    asked = (one.partition(":") for one in names_in(settings.mutations))
    return [name for owner, _, name in asked if owner == part]


def revealed(secret: SecretStr | None) -> str | None:
    """Return the value of a secret, where there is one."""
    return None if secret is None else secret.get_secret_value()


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
