"""Every setting of a run, once: option, environment variable, default, help text, and the targets that use it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator

TARGETS = ("embedded", "containers", "compose", "processes", "remote")
CAPABILITIES = (
    "zep", "langflux", "ui", "auth", "secret", "model", "control", "network", "elsewhere", "meaning", "files", "write",
    "build",
)  # fmt: skip
"""What a target may offer. Those whose names do not say it all:

- `secret`: the secret of a secured Zep, so that tokens can be made with it
- `network`: parts can be cut off as a firewall does it
- `elsewhere`: Zep's address says something about other hosts than its own
- `meaning`: messages are embedded by what they mean
- `write`: leave to write to the parts at all
- `build`: leave to make chatflows and credentials in LangFlux
"""
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
_EMBEDDED = on("embedded") + on("processes", absent=("zep_binary",)) + on("compose", absent=_LANGFLUX)
PART_USES: Mapping[str, tuple[Use, ...]] = {
    "zep": on("embedded") + on("processes", absent=("zep_binary",)),
    "langflux": on("embedded", "compose", absent=_LANGFLUX),
    "page": _PAGE,
    "files": on("embedded", absent=("zep_url", "langflux_url", "deployment_files")),
}
"""The targets that have a part in which a mutation can be planted."""

WHAT, RUNNING, CONTAINERS, PROCESSES, EMBEDDED, VERDICT = (
    "what to test",
    "parts that run already",
    "containers",
    "processes",
    "embedded servers",
    "verdict and reports",
)
GROUPS = (WHAT, RUNNING, CONTAINERS, PROCESSES, EMBEDDED, VERDICT)
"""What the settings are grouped by in the help."""


def _setting(default: Any, variable: str, text: str, uses: tuple[Use, ...] = EVERYWHERE, *, group: str) -> Any:
    about: dict[str, Any] = {"variable": variable, "uses": uses, "group": group}
    return Field(default, description=text, json_schema_extra=about)


class Settings(BaseModel):
    """The settings of one run, as they were given. Field `zep_url` is option `--zep-url`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    _given: dict[str, str] = PrivateAttr(default_factory=dict)

    target: str = _setting(
        "auto",
        "ZEP_CONFORMANCE_TARGET",
        "how the parts come to be: auto, containers, compose:PATH, processes, embedded, remote",
        group=WHAT,
    )
    read_only: bool = _setting(
        False,
        "ZEP_CONFORMANCE_READ_ONLY",
        "run only what writes nothing, and send nothing that could write",
        group=WHAT,
    )
    max_requests: int | None = _setting(
        None, "ZEP_CONFORMANCE_MAX_REQUESTS", "stop, without a verdict, after so many requests", group=WHAT
    )
    rate: float | None = _setting(None, "ZEP_CONFORMANCE_RATE", "send at most so many requests a second", group=WHAT)
    without: str = _setting("", "ZEP_CONFORMANCE_WITHOUT", "capabilities to do without, comma-separated", group=WHAT)
    seed: int | None = _setting(None, "ZEP_CONFORMANCE_SEED", "seed of the generated people and texts", group=WHAT)
    wait_limit: float = _setting(
        30.0, "ZEP_CONFORMANCE_WAIT_LIMIT", "seconds to wait for what may come later (enrichment, the page)", group=WHAT
    )
    latency_budget: float = _setting(
        500.0, "ZEP_CONFORMANCE_LATENCY_BUDGET", "milliseconds for the 95th percentile of writes and reads", group=WHAT
    )
    message_window: int = _setting(
        12,
        "ZEP_CONFORMANCE_MESSAGE_WINDOW",
        "messages that bring a summary (Zep's memory.message_window)",
        on("containers", "compose", "remote")
        + on("embedded", given=_ZEP)
        + on("processes", given=("zep_url", "zep_binary")),
        group=WHAT,
    )
    load_users: int = _setting(
        12, "ZEP_CONFORMANCE_LOAD_USERS", "users that talk at once in the load scenario", group=WHAT
    )
    deployment_files: Path | None = _setting(
        None,
        "ZEP_CONFORMANCE_DEPLOYMENT_FILES",
        "deployment files to look at: a folder, or a file (docs/deployment-files.md)",
        group=WHAT,
    )
    zep_url: str | None = _setting(
        None, "ZEP_URL", "base URL of a running Zep", on("embedded", "containers", "processes", "remote"), group=RUNNING
    )
    zep_token: SecretStr | None = _setting(
        None,
        "ZEP_TOKEN",
        "JWT for that Zep",
        on("compose", "remote") + on("embedded", "containers", "processes", given=_ZEP),
        group=RUNNING,
    )
    zep_auth_secret: SecretStr | None = _setting(
        None,
        "ZEP_AUTH_SECRET",
        "the secret that Zep checks tokens with; lets the suite make wrong tokens",
        on("compose") + on("embedded", "containers", "processes", "remote", given=_ZEP),
        group=RUNNING,
    )
    langflux_url: str | None = _setting(None, "LANGFLUX_URL", "base URL of a running LangFlux", group=RUNNING)
    langflux_api_key: SecretStr | None = _setting(
        None, "LANGFLUX_API_KEY", "API key of that LangFlux", _LOGIN, group=RUNNING
    )
    langflux_user: str | None = _setting(
        None,
        "LANGFLUX_USER",
        "user name (since Flowise 3.0.1: e-mail address) to log in to that LangFlux with",
        _LOGIN,
        group=RUNNING,
    )
    langflux_password: SecretStr | None = _setting(
        None, "LANGFLUX_PASSWORD", "password of that user", _LOGIN, group=RUNNING
    )
    browser: Path | None = _setting(
        None,
        "ZEP_CONFORMANCE_BROWSER",
        "the Chromium that drives LangFlux's page (default: the one on PATH)",
        _PAGE,
        group=RUNNING,
    )
    zep_url_from_langflux: str | None = _setting(
        None,
        "ZEP_URL_FROM_LANGFLUX",
        "Zep's base URL as LangFlux sees it, where that differs",
        on("embedded", "containers", given=("zep_url", "langflux_url"))
        + on("compose", "remote", given=_LANGFLUX)
        + on("processes", given=_ZEP),
        group=RUNNING,
    )
    model_url: str | None = _setting(
        None,
        "MODEL_URL",
        "OpenAI-compatible base URL (with /v1) of a model server that LangFlux can reach",
        on("containers", "compose", "processes") + on("embedded", "remote", given=_LANGFLUX),
        group=RUNNING,
    )
    chatflow: str | None = _setting(
        None,
        "LANGFLUX_CHATFLOW",
        "id of a chatflow of your own to talk to, instead of making one",
        _LOGIN,
        group=RUNNING,
    )
    zep_image: str | None = _setting(None, "ZEP_IMAGE", "image of Zep", on("containers"), group=CONTAINERS)
    nlp_image: str | None = _setting(None, "NLP_IMAGE", "image of Zep's NLP server", on("containers"), group=CONTAINERS)
    postgres_image: str | None = _setting(
        None, "POSTGRES_IMAGE", "image of PostgreSQL with pgvector", on("containers"), group=CONTAINERS
    )
    langflux_image: str | None = _setting(
        None, "LANGFLUX_IMAGE", "image of LangFlux", on("containers", absent=_LANGFLUX), group=CONTAINERS
    )
    model_image: str | None = _setting(
        None,
        "MODEL_IMAGE",
        "image of zep-conformance, which is the model server",
        on("containers") + on("compose", absent=("model_url",)),
        group=CONTAINERS,
    )
    registry: str | None = _setting(
        None,
        "ZEP_CONFORMANCE_REGISTRY",
        "registry to pull the default images from, such as a mirror",
        on("containers"),
        group=CONTAINERS,
    )
    keep: bool = _setting(
        False,
        "ZEP_CONFORMANCE_KEEP",
        "leave them running, and use those that an earlier run has left",
        on("containers", absent=("fresh",)),
        group=CONTAINERS,
    )
    fresh: bool = _setting(
        False,
        "ZEP_CONFORMANCE_FRESH",
        "remove those that an earlier run has left, and start new ones",
        on("containers", absent=("keep",)),
        group=CONTAINERS,
    )
    langflux_command: str | None = _setting(
        None,
        "LANGFLUX_COMMAND",
        "the command line that starts LangFlux (default: flowise on PATH)",
        on("processes", absent=_LANGFLUX),
        group=PROCESSES,
    )
    langflux_version: str | None = _setting(
        None,
        "LANGFLUX_VERSION",
        "the installed version to start (`install-langflux --list`)",
        on("processes", absent=("langflux_url", "langflux_command")),
        group=PROCESSES,
    )
    install_langflux: bool = _setting(
        False,
        "ZEP_CONFORMANCE_INSTALL_LANGFLUX",
        "install that version first, if it is not yet",
        on("processes", absent=("langflux_url", "langflux_command")),
        group=PROCESSES,
    )
    zep_binary: Path | None = _setting(
        None,
        "ZEP_BINARY",
        "a real Zep to start, on a real PostgreSQL (default: the embedded Zep)",
        on("processes"),
        group=PROCESSES,
    )
    postgres_dsn: str | None = _setting(
        None,
        "POSTGRES_DSN",
        "the PostgreSQL with pgvector in which that Zep gets databases (default: one is started)",
        on("processes", given=("zep_binary",)),
        group=PROCESSES,
    )
    recorded_behaviours: str = _setting(
        "none",
        "ZEP_CONFORMANCE_RECORDED_BEHAVIOURS",
        "what real versions do beside their documentation: none, all, or part:name,… (docs/mutations.md)",
        _EMBEDDED,
        group=EMBEDDED,
    )
    embedding_model: Path | None = _setting(
        None,
        "ZEP_CONFORMANCE_EMBEDDING_MODEL",
        "folder of an ONNX sentence model that knows what words mean (docs/meaning.md)",
        on("embedded", "processes"),
        group=EMBEDDED,
    )
    mutations: str = _setting(
        "",
        "ZEP_CONFORMANCE_MUTATIONS",
        "faults to plant in embedded servers, deployment files or the page: part:name,… (docs/mutations.md)",
        group=EMBEDDED,
    )
    reports: Path = _setting(Path("reports"), "ZEP_CONFORMANCE_REPORTS", "folder for the reports", group=VERDICT)
    fail_on: str = _setting(
        "should",
        "ZEP_CONFORMANCE_FAIL_ON",
        "what fails the run: must (failures of what MUST be), should (any failure), deviation (known deviations too)",
        group=VERDICT,
    )
    baseline: Path | None = _setting(
        None,
        "ZEP_CONFORMANCE_BASELINE",
        "an earlier conformance.json: fail only on what got worse since",
        group=VERDICT,
    )
    strict_deviations: bool = _setting(
        False, "ZEP_CONFORMANCE_STRICT_DEVIATIONS", "fail when a known deviation is found fixed", group=VERDICT
    )

    @field_validator("wait_limit", "latency_budget", "load_users", "message_window", "max_requests", "rate")
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

    def secret_variables(self) -> dict[str, str]:
        """Return the environment variable that each secret setting may come from, by the secret."""
        given = ((getattr(self, name), SETTINGS[name].variable) for name in SECRETS)
        return {secret.get_secret_value(): variable for secret, variable in given if secret is not None}

    def secrets(self) -> list[str]:
        """Return the values that must never be shown."""
        given = [getattr(self, name) for name in SECRETS]
        urls = (getattr(self, name) for name in URLS)
        return [secret.get_secret_value() for secret in given if secret is not None] + [
            password for url in urls if url is not None for password in passwords_in(url)
        ]


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
        **about,
    )


SETTINGS: Mapping[str, Setting] = {field: _about(field) for field in Settings.model_fields}
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


def mutations_of(settings: Settings, part: str) -> list[str]:
    """Return the names of one part's mutations that --mutations asks for."""
    asked = (one.partition(":") for one in names_in(settings.mutations))
    return [name for owner, _, name in asked if owner == part]


def revealed(secret: SecretStr | None) -> str | None:
    """The value of a secret, where there is one."""
    return None if secret is None else secret.get_secret_value()
