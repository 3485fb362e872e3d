"""What Zep is told: names, values and resources in any spelling."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.deployment_shapes import Project
from zep_conformance.deployment_files.examination import examine
from zep_conformance.deployment_files.resources import megabytes, processors, share
from zep_conformance.deployment_files.sources import Sources
from zep_conformance.facts.zep_settings import HOSTPORT, KEYS, MEANT, MODELS, NLP_VARIABLES, VARIABLES, right_name

NAMES = st.sampled_from(sorted(VARIABLES))


def found(variables: dict[str, str]) -> dict[str, str]:
    """What is found about settings in the healthy project with these variables of Zep's: codes with their advice."""
    made = Project()
    made.zep["environment"].update(variables)
    files = made.shape().files
    return {
        one.code: f"{one.symptom} {one.advice}"
        for one in examine(Sources(dict(files), ("docker-compose.yaml",)))
        if one.verdict != "ok" and one.layer == "settings"
    }


@given(NAMES)
def test_a_name_that_zep_knows_is_never_unknown(name: str) -> None:
    assert not {"variable-unknown", "variable-unread"} & set(found({name: "x"}))


@given(NAMES.filter(lambda name: len(name) > 14), st.data())
def test_a_mistyped_name_is_found_and_put_right(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(8, len(name) - 2))
    mistyped = name[:place] + name[place + 1 :]
    if mistyped in VARIABLES or mistyped == name:
        return
    said = found({mistyped: "x"})
    assert {"variable-unknown", "variable-unread"} & set(said)
    assert mistyped in " ".join(said.values())


@given(st.from_regex(r"ZEP_[A-Z]{2,9}(_[A-Z]{2,9}){0,3}", fullmatch=True))
def test_every_name_that_zep_does_not_know_is_named(name: str) -> None:
    said = found({name: "x"})
    known = name in VARIABLES or name == HOSTPORT or name.startswith("ZEP_MEMORY_STORE_")
    assert known or name in " ".join(said.values())
    instead = right_name(name)
    assert not instead or instead in VARIABLES or instead == HOSTPORT


def test_what_is_meant_is_known() -> None:
    assert {variable for _, variable in MEANT} <= set(VARIABLES)
    assert {name for name in NLP_VARIABLES if name in VARIABLES} == {"ZEP_LOG_LEVEL", "ZEP_SERVER_PORT"}


@given(
    st.sampled_from([name for name, key in VARIABLES.items() if KEYS[key] == "number"]), st.text(min_size=1, max_size=6)
)
def test_a_number_is_one_or_it_is_said(name: str, text: str) -> None:
    text = text.replace("$", "").replace("\x00", "").strip("\ufeff") or "1"
    if text.isdecimal() and text.isascii():
        assert "value-malformed" not in found({name: text})
    elif not any(character.isdigit() for character in text):
        assert "value-malformed" in found({name: text})


@given(st.sampled_from(["openai", "anthropic"]), st.text("abcdefgpt-45.0", min_size=1, max_size=12))
def test_a_model_is_one_that_zep_takes_or_it_is_said(service: str, model: str) -> None:
    told = {"ZEP_LLM_SERVICE": service, "ZEP_LLM_MODEL": model, "ZEP_ANTHROPIC_API_KEY": "x"}
    assert ("model-unknown" in found(told)) is (model not in MODELS[service])


@given(st.integers(1, 1 << 20), st.sampled_from(["m", "M", "mb", "MB", "Mi", " MB", "MiB"]))
def test_memory_is_the_same_in_every_spelling(amount: int, unit: str) -> None:
    assert megabytes(f"{amount}{unit}") == amount
    assert megabytes(f"{amount * 1024}{unit}") == megabytes(f"{amount}{unit.replace('m', 'g').replace('M', 'G')}")
    assert megabytes(str(amount << 20)) == amount


@given(st.sets(st.integers(0, 200), min_size=1))
def test_a_set_of_processors_is_counted(cores: set[int]) -> None:
    assert processors(",".join(map(str, sorted(cores)))) == len(cores)
    assert processors(f"{min(cores)}-{max(cores)}") == max(cores) - min(cores) + 1


@given(st.integers(1, 64_000))
def test_a_share_of_a_processor_is_the_same_in_thousandths(thousandths: int) -> None:
    assert share(f"{thousandths}m") == share(f"{thousandths / 1000:.3f}")


@given(st.text(max_size=12))
def test_whatever_is_no_amount_is_none(text: str) -> None:
    assert megabytes(text) is None or megabytes(text) >= 0  # type: ignore[operator]
    assert share(text) is None or share(text) >= 0  # type: ignore[operator]
    assert processors(text) >= 0
