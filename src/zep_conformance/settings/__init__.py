"""Every setting of a run, once: option, environment variable, default and help text.

An option goes before its variable, and that before the table [tool.zep-conformance] of the pyproject.toml in the
current folder, whose keys are the options without the dashes in front. Tokens and keys are better in variables than on
a command line, where the machine's other users can read them.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from zep_conformance.errors import CannotTell

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


def _setting(default: Any, variable: str, text: str) -> Any:
    return Field(default, validation_alias=variable, description=text)


class Settings(BaseSettings):
    """The settings of one run. Field `zep_url` is option `--zep-url`; the alias is the variable."""

    model_config = SettingsConfigDict(populate_by_name=True, extra="ignore", env_ignore_empty=True)

    target: str = _setting(
        "auto",
        "ZEP_CONFORMANCE_TARGET",
        "how the parts come to be: auto, containers, compose:PATH, processes, embedded, remote",
    )
    zep_url: str | None = _setting(None, "ZEP_URL", "base URL of a running Zep")
    zep_token: SecretStr | None = _setting(None, "ZEP_TOKEN", "JWT for that Zep (better in $ZEP_TOKEN)")
    zep_auth_secret: SecretStr | None = _setting(
        None, "ZEP_AUTH_SECRET", "the secret that Zep checks tokens with; lets the suite make wrong tokens"
    )
    langflux_url: str | None = _setting(None, "LANGFLUX_URL", "base URL of a running LangFlux")
    langflux_api_key: SecretStr | None = _setting(
        None, "LANGFLUX_API_KEY", "API key of that LangFlux (better in $LANGFLUX_API_KEY)"
    )
    langflux_user: str | None = _setting(
        None, "LANGFLUX_USER", "user name (since Flowise 3.0.1: e-mail address) to log in to that LangFlux with"
    )
    langflux_password: SecretStr | None = _setting(
        None, "LANGFLUX_PASSWORD", "password of that user (better in $LANGFLUX_PASSWORD)"
    )
    browser: Path | None = _setting(
        None, "ZEP_CONFORMANCE_BROWSER", "the Chromium that drives LangFlux's page (default: the one on PATH)"
    )
    zep_url_from_langflux: str | None = _setting(
        None, "ZEP_URL_FROM_LANGFLUX", "Zep's base URL as LangFlux sees it, where that differs"
    )
    model_url: str | None = _setting(
        None, "MODEL_URL", "OpenAI-compatible base URL (with /v1) of a model server that LangFlux can reach"
    )
    chatflow: str | None = _setting(
        None, "LANGFLUX_CHATFLOW", "id of a chatflow of your own to talk to, instead of making one"
    )
    langflux_command: str | None = _setting(
        None, "LANGFLUX_COMMAND", "target processes: the command line that starts LangFlux (default: flowise on PATH)"
    )
    langflux_version: str | None = _setting(
        None, "LANGFLUX_VERSION", "target processes: the installed version to start (`install-langflux --list`)"
    )
    install_langflux: bool = _setting(
        False, "ZEP_CONFORMANCE_INSTALL_LANGFLUX", "target processes: install that version first, if it is not yet"
    )
    zep_binary: Path | None = _setting(
        None, "ZEP_BINARY", "target processes: a real Zep to start, on a real PostgreSQL (default: the embedded Zep)"
    )
    postgres_dsn: str | None = _setting(
        None, "POSTGRES_DSN", "the PostgreSQL with pgvector in which that Zep gets databases (default: one is started)"
    )
    zep_image: str | None = _setting(None, "ZEP_IMAGE", "containers: image of Zep")
    nlp_image: str | None = _setting(None, "NLP_IMAGE", "containers: image of Zep's NLP server")
    postgres_image: str | None = _setting(None, "POSTGRES_IMAGE", "containers: image of PostgreSQL with pgvector")
    langflux_image: str | None = _setting(None, "LANGFLUX_IMAGE", "containers: image of LangFlux")
    model_image: str | None = _setting(
        None, "MODEL_IMAGE", "containers, compose: image of zep-conformance, which is the model server"
    )
    registry: str | None = _setting(
        None, "ZEP_CONFORMANCE_REGISTRY", "containers: registry to pull the default images from, such as a mirror"
    )
    keep: bool = _setting(
        False, "ZEP_CONFORMANCE_KEEP", "containers: leave them running, and use those that an earlier run has left"
    )
    fresh: bool = _setting(
        False, "ZEP_CONFORMANCE_FRESH", "containers: remove those that an earlier run has left, and start new ones"
    )
    read_only: bool = _setting(
        False, "ZEP_CONFORMANCE_READ_ONLY", "run only what writes nothing, and send nothing that could write"
    )
    max_requests: int | None = _setting(
        None, "ZEP_CONFORMANCE_MAX_REQUESTS", "stop, without a verdict, after so many requests"
    )
    rate: float | None = _setting(None, "ZEP_CONFORMANCE_RATE", "send at most so many requests a second")
    without: str = _setting("", "ZEP_CONFORMANCE_WITHOUT", "capabilities to do without, comma-separated")
    seed: int | None = _setting(None, "ZEP_CONFORMANCE_SEED", "seed of the generated people and texts")
    wait_limit: float = _setting(
        30.0, "ZEP_CONFORMANCE_WAIT_LIMIT", "seconds to wait for what may come later (enrichment, the page)"
    )
    latency_budget: float = _setting(
        500.0, "ZEP_CONFORMANCE_LATENCY_BUDGET", "milliseconds for the 95th percentile of writes and reads"
    )
    message_window: int = _setting(
        12, "ZEP_CONFORMANCE_MESSAGE_WINDOW", "messages that bring a summary (Zep's memory.message_window)"
    )
    load_users: int = _setting(12, "ZEP_CONFORMANCE_LOAD_USERS", "users that talk at once in the load scenario")
    reports: Path = _setting(Path("reports"), "ZEP_CONFORMANCE_REPORTS", "folder for the reports (write --reports=DIR)")
    fail_on: str = _setting(
        "should",
        "ZEP_CONFORMANCE_FAIL_ON",
        "what fails the run: must (failures of what MUST be), should (any failure), deviation (known deviations too)",
    )
    baseline: Path | None = _setting(
        None, "ZEP_CONFORMANCE_BASELINE", "an earlier conformance.json: fail only on what got worse since"
    )
    strict_deviations: bool = _setting(
        False, "ZEP_CONFORMANCE_STRICT_DEVIATIONS", "fail when a known deviation is found fixed"
    )
    recorded_behaviours: str = _setting(
        "none",
        "ZEP_CONFORMANCE_RECORDED_BEHAVIOURS",
        "what real versions do beside their documentation, in embedded servers: none, all, or part:name,… "
        "(docs/mutations.md)",
    )
    embedding_model: Path | None = _setting(
        None,
        "ZEP_CONFORMANCE_EMBEDDING_MODEL",
        "embedded NLP server: folder of an ONNX sentence model that knows what words mean (docs/meaning.md)",
    )
    deployment_files: Path | None = _setting(
        None,
        "ZEP_CONFORMANCE_DEPLOYMENT_FILES",
        "deployment files to look at: a folder, or a file (docs/deployment-files.md)",
    )
    mutations: str = _setting(
        "",
        "ZEP_CONFORMANCE_MUTATIONS",
        "faults to plant in embedded servers, deployment files or the page: part:name,… (docs/mutations.md)",
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

    def secret_variables(self) -> dict[str, str]:
        """Return the environment variable that each secret setting may come from, by the secret."""
        given = ((getattr(self, name), type(self).model_fields[name].validation_alias) for name in SECRETS)
        return {secret.get_secret_value(): str(variable) for secret, variable in given if secret is not None}

    def secrets(self) -> list[str]:
        """The values that must never be shown."""
        given = [getattr(self, name) for name in SECRETS]
        urls = (getattr(self, name) for name in URLS)
        return [secret.get_secret_value() for secret in given if secret is not None] + [
            password for url in urls if url is not None for password in passwords_in(url)
        ]


def passwords_in(url: str) -> list[str]:
    """The password in a URL, as it is there and as it is meant; nothing where there is none."""
    found = re.search(r"//[^/:]*:(?!\d{1,5}(?:[/?#]|$))(.+)@", url)
    return [found[1], unquote(found[1])] if found else []


URLS = ("zep_url", "langflux_url", "zep_url_from_langflux", "model_url", "postgres_dsn")
"""The fields that a password may be in."""
SECRETS = tuple(name for name, info in Settings.model_fields.items() if "SecretStr" in str(info.annotation))
"""The fields whose values must never be shown, nor be kept in a file."""


def option(field: str) -> str:
    """The command-line option of a field: `zep_url` → `--zep-url`."""
    return "--" + field.replace("_", "-")


def names_in(text: str) -> list[str]:
    """The names in a comma-separated list; none in an empty text."""
    return [name.strip() for name in text.split(",") if name.strip()]


def mutations_of(settings: Settings, part: str) -> list[str]:
    """Return the names of one part's mutations that --mutations asks for."""
    asked = (one.partition(":") for one in names_in(settings.mutations))
    return [name for owner, _, name in asked if owner == part]


def revealed(secret: SecretStr | None) -> str | None:
    """The value of a secret, where there is one."""
    return None if secret is None else secret.get_secret_value()


def defaults(options: Mapping[str, Any]) -> Settings:
    """Settings for a run that ends at once, since those that were given are wrong: defaults.

    Only where its reports go is as it was given, and what must not be shown.
    """
    fields = {
        name: options.get(name) or os.environ.get(str(info.validation_alias))
        for name, info in Settings.model_fields.items()
    }
    kept: dict[str, Any] = {name: SecretStr(str(fields[name])) for name in SECRETS if fields[name]}
    kept |= {name: fields[name] for name in URLS if fields[name]}
    return Settings.model_construct(reports=Path(fields["reports"] or "reports"), **kept)


def read(options: Mapping[str, Any], folder: Path | None = None) -> Settings:
    """The settings from options (None where not given), variables, a pyproject.toml and defaults.

    folder: where that file is looked for, the current one by default.
    Raises CannotTell naming the option, variable or key that is wrong, never its value when that is a secret.
    """
    given = {name: value for name, value in options.items() if value is not None}
    project = {
        name: value
        for name, value in _from_project(folder or Path()).items()
        if not os.environ.get(str(Settings.model_fields[name].validation_alias))
    }
    try:
        return Settings(**(project | given))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        field = next(key for key, info in Settings.model_fields.items() if name in (key, info.validation_alias))
        variable = Settings.model_fields[field].validation_alias
        where = f"{option(field)[2:]} in pyproject.toml" if field in project and field not in given else option(field)
        raise CannotTell(
            f"{where} (or ${variable}): {first['msg'].removeprefix('Value error, ')}",
            f"It is: {Settings.model_fields[field].description}.",
            code="option-invalid",
        ) from None


def _from_project(folder: Path) -> dict[str, Any]:
    """The fields that the table [tool.zep-conformance] sets. Raises CannotTell for a key that can't be there."""
    path = folder / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("zep-conformance", {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CannotTell(
            f"{path} can't be read: {error}", "Mend it, or start in another folder.", code="settings-unreadable"
        ) from None
    known = {option(name)[2:]: name for name in Settings.model_fields}
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            advice = f"Did you mean {close[0]}?" if close else "`zep-conformance run --help` lists them, with dashes."
            raise CannotTell(f"{path}: [tool.zep-conformance] has no setting {key!r}", advice, code="setting-unknown")
        if known[key] in SECRETS:
            variable = Settings.model_fields[known[key]].validation_alias
            raise CannotTell(
                f"{path}: {key} is a secret, and a file is no place for it",
                f"Set ${variable} instead.",
                code="setting-is-secret",
            )
    return {known[key]: value for key, value in table.items()}
