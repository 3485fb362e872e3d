"""Whatever stands in a deployment file, it is looked at to the end, and no secret in it is shown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.support.deployment_cases import kinds_changed
from tests.support.needles import MODEST, drawn, leaks
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.findings import ASPECTS, FileFinding
from zep_conformance.deployment_files.report import show
from zep_conformance.deployment_files.shipped import MUTATIONS, shipped
from zep_conformance.deployment_files.sources import Sources
from zep_conformance.doctor.report import as_json
from zep_conformance.errors import CannotTell, HarnessError
from zep_conformance.facts.codes import codes
from zep_conformance.redaction.redactor import Redactor

SHIPPED = shipped()
FRAGMENTS = st.sampled_from(
    [
        *(
            "",
            " ",
            "\n",
            "\t",
            ":",
            "- ",
            "#",
            "*a",
            "&a ",
            "<<: *a",
            "[",
            "]",
            "{",
            "}",
            "|",
            ">",
            "'",
            '"',
            "\\",
            "=",
        ),
        *(
            "${",
            "}",
            "$$",
            "${A:-b}",
            "${ZEP_IMAGE:?}",
            "null",
            "~",
            "yes",
            "0x10",
            "1e999",
            "1:20",
            "2024-01-01",
            "[[x]]",
        ),
        *(
            "services:",
            "image:",
            "http://",
            "postgres://[",
            "@",
            ":99999999",
            "\x85",
            "\ufeff",
            "é",
            "%zz",
            "!!python/x",
        ),
        *("app = 1", "app.b = 2", "[http_service]", "[[http_service]]", "x = [[1]]"),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    FRAGMENTS,
    st.dates(),
    st.just("9" * 5000),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | FRAGMENTS, inner, max_size=3),
    max_leaves=6,
)


def look(sources: Sources) -> Sequence[FileFinding] | CannotTell:
    """What is found, or why it could not tell: nothing else may come of it."""
    try:
        return examine(sources)
    except CannotTell as error:
        return error


def shown(outcome: Sequence[FileFinding] | CannotTell) -> str:
    """Everything that is shown of it, for people and for machines."""
    if isinstance(outcome, CannotTell):
        return Redactor()(str(outcome))
    screen = io.StringIO()
    show(Console(file=screen, width=80), outcome, 0.1)
    assert max(map(cell_len, screen.getvalue().split("\n"))) <= 80
    return screen.getvalue() + as_json(outcome, 0.1)


def must_be_sound(sources: Sources) -> None:
    outcome = look(sources)
    shown(outcome)
    if isinstance(outcome, CannotTell):
        assert outcome.what and outcome.advice and "\n" not in outcome.what
        return
    for one in outcome:
        assert one.layer in ASPECTS and (one.code in codes("deployment-files") or one.verdict == "ok")
        assert one.symptom.strip()
        assert one.line is None or 0 < one.line <= len(sources.texts[one.file].splitlines()) + 1


def texts_with(file: str, text: str) -> Sources:
    return SHIPPED.with_texts({**SHIPPED.texts, file: text})


# -- anything at all ------------------------------------------------------------------------------------------------


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in pairs:
        found += places_in(member, (*path, key))
    return found


@st.composite
def changed_yaml(draw: st.DrawFn, file: str) -> str:
    """One of our YAML files with some of its values replaced, removed, or put twice."""
    document = yaml.safe_load(SHIPPED.texts[file])
    for _ in range(draw(st.integers(1, 4))):
        *above, last = draw(st.sampled_from(places_in(document)[1:] or [("x",)]))
        at = document
        for key in above:
            at = at[key]
        how = draw(st.sampled_from(["replace", "remove", "double"]))
        if how == "replace" or last not in (at if isinstance(at, dict) else range(len(at))):
            at[last] = draw(VALUES)
        elif how == "remove":
            del at[last]
        elif isinstance(at, list):
            at.append(at[last])  # becomes an alias
        else:
            at[draw(FRAGMENTS)] = at[last]
    return yaml.safe_dump(document, allow_unicode=True)


@pytest.mark.parametrize("file", ["render.yaml", "docker-compose.yaml"])
@MODEST
@given(data=st.data())
def test_yaml_of_any_other_shape(file: str, data: st.DataObject) -> None:
    must_be_sound(texts_with(file, data.draw(changed_yaml(file))))


@pytest.mark.parametrize("file", sorted(SHIPPED.texts))
@MODEST
@given(data=st.data())
def test_text_that_was_torn_apart(file: str, data: st.DataObject) -> None:
    text = SHIPPED.texts[file]
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.sampled_from([start, start + 1, start + 9, text.find("\n", start) + 1 or start]))
        text = text[:start] + data.draw(FRAGMENTS | st.text(max_size=5)) + text[max(start, end) :]
    must_be_sound(texts_with(file, text))


@pytest.mark.parametrize("file", sorted(SHIPPED.given))
@MODEST
@given(data=st.data())
def test_a_value_of_another_kind(file: str, data: st.DataObject) -> None:
    """Behind every = or : something else may stand."""
    lines = SHIPPED.texts[file].splitlines()
    number = data.draw(st.sampled_from([at for at, line in enumerate(lines) if "=" in line or ": " in line]))
    sign = "=" if file.endswith(".toml") else ": "
    before, found, _value = lines[number].partition(sign)
    assume(found)
    other = data.draw(
        st.sampled_from(['""', "0", "-1", "true", "[]", "{}", '["a"]', "1.5", "2020-01-01", "'*'", "[[[1]]]"])
    )
    lines[number] = f"{before}{found} {other}"
    must_be_sound(texts_with(file, "\n".join(lines)))


# -- secrets --------------------------------------------------------------------------------------------------------

HERE = "<here>"
PLACES = {
    "a value on Render": ("render.yaml", "        generateValue: true", f"        value: {HERE}"),
    "a broken value on Render": ("render.yaml", "        generateValue: true", f"        value: *{HERE}"),
    "a value on Fly.io": ("fly.toml", "[env]\n", f'[env]\n  SOME_API_KEY = "{HERE}"\n'),
    "a broken value on Fly.io": ("fly.toml", "[env]\n", f"[env]\n  SOME_API_KEY = {HERE}\n"),
    "a URL on Fly.io": ("fly.toml", "[env]\n", f'[env]\n  ZEP_STORE_POSTGRES_DSN = "postgres://zep:{HERE}@db"\n'),
    "a torn URL on Fly.io": ("fly.toml", "[env]\n", f'[env]\n  ZEP_STORE_POSTGRES_DSN = "postgres://zep:{HERE}#@db"\n'),
    "a password in Compose": (
        "docker-compose.yaml",
        "${POSTGRES_PASSWORD:?put one into .env}\n    vol",
        f"{HERE}\n    vol",
    ),
    "a default in Compose": (
        "docker-compose.yaml",
        "${ZEP_AUTH_REQUIRED:-true}",
        f"x\n      A_TOKEN: ${{A_TOKEN:-{HERE}}}",
    ),
    "a comment": ("docker-compose.yaml", "# Never :latest", f"# api_key={HERE} Never :latest"),
    "a command": ("docker-compose.yaml", "        - python\n", f"        - --password={HERE}\n"),
    "an example": (".env.example", "ZEP_AUTH_SECRET=\n", f"ZEP_AUTH_SECRET={HERE}\n"),
}


@pytest.mark.parametrize("place", PLACES)
@MODEST
@given(needle=drawn)
def test_a_secret_is_found_and_not_shown(place: str, needle: str) -> None:
    assume("xxxx" not in needle.lower())  # stands for something
    file, old, new = PLACES[place]
    text = SHIPPED.texts[file]
    assert text.count(old) == 1
    outcome = look(texts_with(file, text.replace(old, new.replace(HERE, needle))))
    assert not leaks(needle, shown(outcome))
    if "broken" not in place:
        assert not isinstance(outcome, CannotTell)
        assert any(one.code == "secret-in-clear" for one in outcome)


@MODEST
@given(key=drawn, password=drawn, secret=drawn)
def test_what_stands_in_env_is_no_fault_and_not_shown(key: str, password: str, secret: str) -> None:
    password = quote(password.replace("-", "0"), safe="")
    env = f"ZEP_OPENAI_API_KEY={key}\nPOSTGRES_PASSWORD={password}\nZEP_AUTH_SECRET='{secret}'\n"
    outcome = look(texts_with(".env", env))
    assert not isinstance(outcome, CannotTell)
    assert [one for one in outcome if one.verdict == "fault"] == []
    for needle in (key, password, secret):
        assert not leaks(needle, shown(outcome))


# -- mutations ------------------------------------------------------------------------------------------------------


@MODEST
@given(names=st.lists(st.sampled_from(sorted(MUTATIONS)), min_size=2, max_size=4, unique=True))
def test_mutations_together_hide_none_of_the_files_that_they_change(names: list[str]) -> None:
    try:
        sources = shipped(names)
    except HarnessError:
        assume(False)  # two change the same lines
    outcome = look(sources)
    assert not isinstance(outcome, CannotTell)
    assert {one.part for one in outcome if one.verdict == "fault"} == kinds_changed(sources)
