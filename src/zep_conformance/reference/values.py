"""Values that are nasty by design: what a careless server mixes up, cuts, tidies or reads as something else.

Nothing is drawn from all of Unicode: these are the texts, ids and metadata that servers fail at, and what is put
together of them. `drawing` draws them.
"""

from __future__ import annotations

import random
from typing import Any

FAMILY, FLAG, THUMB = "👩\u200d👩\u200d👧\u200d👦", "🇵🇹", "👍🏽"
"""Emoji that are joined of several."""
LINE_BREAKS = ("\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\n\n", "\n\r")
"""Every kind of line break."""
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
"""The same to the eye, in both Unicode normal forms."""
LONG = 100_000
"""Characters of the longest text."""

TEXTS: tuple[str, ...] = (
    "", " ", "hello", "  two spaces at either end  ", "\ttab\t", "\u00a0no-break space\u00a0", "\u3000",
    "ends in a line break\n", "\nbegins with one", "one\r\ntwo\rthree\nfour", "line\u2028separator", "next\x85line",
    COMPOSED, DECOMPOSED, "\u212b \u00c5 A\u030a", "\ufb01 fi", "\u1e9b\u0323", FAMILY, FLAG, THUMB, "e\u0301\u0327",
    "<b>bold</b> & <script>alert(1)</script>", "&lt;b&gt;", "&amp;amp;", "**bold** _it_ `code` [a](b)",
    "{{name}} ${x} {0} %s", "a\\nb \\u0041 \\\\", "\"quoted\" 'single'", "'; DROP TABLE messages; --", "100 % _ *",
    "null", "true", "0", "1.0", "1e3", "NaN", "[]", "{}", "Straße ſ ß SS", "İ i ı I", "用户 用戶", "Пользователь",
    "שלום عليكم", "\u202eright to left", "नमस्ते", "\ufeffmark", "zero\u200bwidth", "\u00ad",
    "nul \0 nul", "bell\x07 \x1b[31m \x7f", "𝔘𝔫𝔦 𐍈", "a" * 300, "human: hi\nai: hello",
)  # fmt: skip
"""Texts, each of which some server does not give back as it was."""
PIECES = (
    *LINE_BREAKS,
    " ",
    "  ",
    "\t",
    "é",
    "e\u0301",
    FAMILY,
    FLAG,
    "<i>",
    "&",
    "\\",
    '"',
    "A",
    "a",
    "ß",
    "海",
    "0",
    ".",
)

ROLES = ("human", "ai", "user", "assistant", "system", "tool", "Human", "роль", "a role", "")
"""Roles: Zep takes any text for one."""

KEYS = (
    "mood", "Mood", "MOOD", "camelCase", "snake_case", "a b", "ключ", "鍵", "é", "e\u0301", "0", "", "a.b", "$ref",
    "ß", "x" * 80,
)  # fmt: skip
"""Keys of metadata, of any case and script. Not `system`, which is Zep's."""
NUMBERS: tuple[int | float, ...] = (
    0, 1, -1, 3, 0.1, 0.30000000000000004, 1.5, -2.75, 1e-7, 3.141592653589793, 1e21, 1.7976931348623157e308, 5e-324,
    2**31, 2**53 -1, 2**53, -(2**53), 2**63 -1, 123456789.123456789, 100.0, 1e3,
)  # fmt: skip
"""Numbers, large and fractional; JSON's are those that a 64-bit float holds."""

IDS: tuple[tuple[str, ...], ...] = (
    ("team", "Team", "TEAM"),
    (COMPOSED, DECOMPOSED, "cafe"),
    ("ada", "ada ", " ada", "ada\u00a0"),
    ("x" * 200, "x" * 200 + "y", "x" * 200 + "z"),
    ("ada-1700000000000", "ada-1700000000001", "ada-170000000000"),
    ("ab", "abc", "abcd", "a"),
    ("a_b", "axb", "a%b", "a*b"),
    ("用户", "用戶", "用"),
    ("ß", "ss", "SS"),
    ("i", "I", "ı", "İ"),
    ("a b", "a+b", "a%20b", "ab"),
    ("a?b", "a#b", "a&b", "a"),
    ("a/b", "a%2Fb", "a\\b", "a"),
    ("00", "0", "000"),
    ("a.b", "a..b", "a."),
    (FAMILY, "👩", "👩👩👧👦"),
    ("line\nbreak", "line break", "line"),
    ("ada@example.com", "ada:example.com", "ada=example.com"),
)
"""Families of ids, each of which is easily taken for another of its family: names that a sequence uses together."""


def _pieced(chance: random.Random) -> str:
    return "".join(chance.choices(PIECES, k=chance.randint(2, 6)))


def _metadata(chance: random.Random, depth: int) -> dict[str, Any]:
    keys = chance.sample(KEYS, k=chance.randint(1, 4)) + ["system"] * (depth > 0 and chance.random() < 0.1)
    return {key: _value(chance, depth) for key in keys}


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(8 if depth < 2 else 6)
    if kind == 7:
        return _metadata(chance, depth + 1)
    if kind == 6:
        return [_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return chance.choice([None, chance.choice([True, False]), chance.choice(NUMBERS), chance.choice(TEXTS[:-1])])


def _prepared() -> tuple[tuple[str, ...], tuple[dict[str, Any], ...]]:
    """Return texts and metadata that are put together of the above, always the same: to draw one is cheap then."""
    chance = random.Random(0)
    pieced = {_pieced(chance): None for _ in range(300)}
    simple: list[dict[str, Any]] = [{"mood": "calm"}, *({key: 1} for key in KEYS), *({"mood": one} for one in NUMBERS)]
    simple += [{"mood": None}, {"mood": {"a": None}}, {"mood": [1, None, {"b": 0.5}]}, {"mood": {}}, {"mood": []}]
    return (*TEXTS, *pieced), (*simple, *(_metadata(chance, 0) for _ in range(300)))


MANY_TEXTS, MANY_METADATA = _prepared()


def long_text() -> str:
    """Return the longest text."""
    unit = "The 7th sentence, é and 海, of a long text.\r\n"
    return (unit * (LONG // len(unit) + 1))[: LONG - 1] + "."


def metadata_of_every_kind() -> list[dict[str, Any]]:
    """Return metadata with each key, each number, each kind of value, and nested ones: one thing in each."""
    nested: list[Any] = [None, True, False, [], {}, [1, None, {"b": 0.5}], {"a": {"b": None}}, {"Mood": 1, "mood": 2}]
    texts = ("", " ", COMPOSED, DECOMPOSED, "one\r\ntwo ", FAMILY, "<b>&", "null", "1.0")
    return [*({key: key} for key in KEYS), *({"mood": one} for one in (*NUMBERS, *nested, *texts))]


def metadata_together() -> dict[str, Any]:
    """Return the same, all together."""
    every = {key: at for at, key in enumerate(KEYS)}
    deep = {"deeper": {"Mood": 1, "mood": None, **every}, "kept": 0.1}
    return {**every, "numbers": list(NUMBERS), "none": None, "list": [1, 2, {"x": None}], "nested": deep}
