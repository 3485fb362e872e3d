"""The part of SQL/JSON path that Zep's metadata filters use, as `jsonb_path_exists` of PostgreSQL judges it.

Paths (`$.a."b c"[*][0][0 to 2].*.**`), filters (`? (@.a == "x" && !(@.b > 2) || exists(@.c))`), comparisons,
`like_regex "…" flag "i"`, `starts with "…"`, `is unknown`, `.size()` and `.type()`, in lax mode: a member of
a list is asked of its items, and a lone value counts as a list of one. Not there: arithmetic, variables,
strict mode and the other methods; asking for them is an error rather than a wrong answer.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Items = list[Any]
Path = Callable[[Any, Any], Items]  # (root, current) -> items
Test = Callable[[Any, Any], "bool | None"]  # None: unknown

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<sign>&&|\|\||==|!=|<>|<=|>=|\*\*|[$@.\[\]()?*!<>,])
      | (?P<word>[^\W\d]\w*)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TYPES: dict[type, str] = {
    dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"
}  # fmt: skip

MAX_DEPTH = 50
"""Parentheses in each other that are understood: each costs some of Python's stack, here and when it is asked."""


def _kind(value: Any) -> str:
    return _TYPES.get(type(value), "null")


def _unwrapped(items: Items) -> Items:
    flat: Items = []
    for item in items:
        flat.extend(item) if isinstance(item, list) else flat.append(item)
    return flat


def _descendants(value: Any) -> Items:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] + [item for child in inner for item in _descendants(child)]


def _compare(sign: str, left: Any, right: Any) -> bool | None:
    kinds = _kind(left), _kind(right)
    if "null" in kinds and kinds[0] != kinds[1]:
        return sign in ("!=", "<>")  # null differs from everything, and that is known
    if kinds[0] != kinds[1] or kinds[0] in ("object", "array"):
        return None
    if kinds[0] == "null":
        return sign in ("==", "<=", ">=")
    return _COMPARE[sign](left, right)


def _any(results: list[bool | None]) -> bool | None:
    return True if True in results else None if None in results else False


class _Parser:
    """Recursive descent over the tokens of one path. Raises ValueError where it is not understood."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"syntax error at or near {text[at : at + 10]!r} of jsonpath")
            self.tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
            at = match.end()
        self.at = self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise ValueError("jsonpath ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, text: str) -> bool:
        found = self.peek() == text and self.tokens[self.at][0] != "string"
        self.at += found
        return found

    def need(self, text: str) -> None:
        if not self.take(text):
            raise ValueError(f"jsonpath: {text!r} expected at {self.peek()!r}")

    def whole(self) -> Test:
        if self.take("strict"):
            raise ValueError("jsonpath: strict mode is not supported")
        self.take("lax")
        start = self.at
        path = self.path()
        if self.at < len(self.tokens):
            # A whole predicate is an item by itself, true or false: it always "exists".
            self.at = start
            self.either()
            if self.at < len(self.tokens):
                raise ValueError(f"jsonpath: unexpected {self.peek()!r}")
            return lambda _root, _current: True
        return lambda root, current: bool(path(root, current))

    def either(self) -> Test:
        tests = [self.both()]
        while self.take("||"):
            tests.append(self.both())
        return lambda root, current: _any([test(root, current) for test in tests])

    def both(self) -> Test:
        tests = [self.one()]
        while self.take("&&"):
            tests.append(self.one())

        def test(root: Any, current: Any) -> bool | None:
            results = [one(root, current) for one in tests]
            return False if False in results else None if None in results else True

        return test

    def one(self) -> Test:
        if self.take("!"):
            inner = self.parenthesised()

            def negated(root: Any, current: Any) -> bool | None:
                result = inner(root, current)
                return None if result is None else not result

            return negated
        if self.take("exists"):
            self.need("(")
            path = self.path()
            self.need(")")
            return lambda root, current: bool(path(root, current))
        if self.peek() == "(":
            return self.parenthesised()
        return self.comparison()

    def parenthesised(self) -> Test:
        self.need("(")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError("jsonpath is nested too deeply")
        inner = self.either()
        self.depth -= 1
        self.need(")")
        if self.take("is"):
            self.need("unknown")
            return lambda root, current: inner(root, current) is None
        return inner

    def comparison(self) -> Test:
        left = self.operand()
        _, sign = self.next()
        if sign == "like_regex":
            pattern = self.regex()

            def check(text: str) -> bool:
                return pattern.search(text) is not None
        elif sign == "starts":
            self.need("with")
            prefix = self.string()
            check = lambda text: text.startswith(prefix)  # noqa: E731
        elif sign in _COMPARE:
            right = self.operand()
            return lambda root, current: _any(
                [
                    _compare(sign, one, other)
                    for one in _unwrapped(left(root, current))
                    for other in _unwrapped(right(root, current))
                ]
            )
        else:
            raise ValueError(f"jsonpath: {sign!r} is not supported here")
        return lambda root, current: _any(
            [check(item) if isinstance(item, str) else None for item in _unwrapped(left(root, current))]
        )

    def regex(self) -> re.Pattern[str]:
        pattern = self.string()
        flags = self.string() if self.take("flag") else ""
        known = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE, "x": re.VERBOSE}
        options = re.RegexFlag(0)
        for flag in flags:
            if flag == "q":
                pattern = re.escape(pattern)
            elif flag in known:
                options |= known[flag]
            else:
                raise ValueError(f"jsonpath: unknown regular expression flag {flag!r}")
        try:
            return re.compile(pattern, options)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"jsonpath: invalid regular expression: {error}") from None

    def string(self) -> str:
        group, text = self.next()
        if group != "string":
            raise ValueError(f"jsonpath: a string expected at {text!r}")
        return str(json.loads(text, strict=False))

    def operand(self) -> Path:
        if self.peek() in ("$", "@"):
            return self.path()
        group, text = self.next()
        constants = {"true": True, "false": False, "null": None}
        if group in ("string", "number"):
            value = json.loads(text, strict=False)
        elif group == "word" and text in constants:
            value = constants[text]
        else:
            raise ValueError(f"jsonpath: unexpected {text!r}")
        return lambda _root, _current: [value]

    def path(self) -> Path:
        _, start = self.next()
        if start not in ("$", "@"):
            raise ValueError(f"jsonpath: '$' or '@' expected at {start!r}")
        steps: list[Callable[[Any, Items], Items]] = []
        while self.peek() in (".", "[", "?"):
            steps.append(self.step())

        def follow(root: Any, current: Any) -> Items:
            items = [root if start == "$" else current]
            for step in steps:
                items = step(root, items)
            return items

        return follow

    def step(self) -> Callable[[Any, Items], Items]:
        if self.take("?"):
            test = self.parenthesised()
            return lambda root, items: [item for item in _unwrapped(items) if test(root, item) is True]
        if self.take("["):
            return self.subscript()
        self.need(".")
        if self.take("**"):
            return lambda _root, items: [found for item in items for found in _descendants(item)]
        if self.take("*"):
            return lambda _root, items: [
                value for item in _unwrapped(items) if isinstance(item, dict) for value in item.values()
            ]
        group, text = self.next()
        if group == "string":
            text = str(json.loads(text, strict=False))
        elif group != "word":
            raise ValueError(f"jsonpath: a key expected at {text!r}")
        elif self.take("("):
            self.need(")")
            return self.method(text)
        return lambda _root, items: [
            item[text] for item in _unwrapped(items) if isinstance(item, dict) and text in item
        ]

    def method(self, name: str) -> Callable[[Any, Items], Items]:
        if name == "size":
            return lambda _root, items: [len(item) if isinstance(item, list) else 1 for item in items]
        if name == "type":
            return lambda _root, items: [_kind(item) for item in items]
        raise ValueError(f"jsonpath: method .{name}() is not supported")

    def subscript(self) -> Callable[[Any, Items], Items]:
        if self.take("*"):
            self.need("]")
            return lambda _root, items: _unwrapped(items)
        spans: list[tuple[int, int]] = []
        while True:
            first = last = self.index()
            if self.take("to"):
                last = self.index()
            spans.append((first, last + 1))
            if not self.take(","):
                break
        self.need("]")
        return lambda _root, items: [
            value
            for item in items
            for first, end in spans
            for value in (item if isinstance(item, list) else [item])[max(0, first) : max(0, end)]
        ]

    def index(self) -> int:
        group, text = self.next()
        if group != "number" or not text.isdigit():
            raise ValueError(f"jsonpath: a list index expected at {text!r}")
        return int(text)


@lru_cache(maxsize=256)
def compile_path(path: str) -> Callable[[Any], bool]:
    """A function that says whether a JSON value has what the path asks for. Raises ValueError."""
    test = _Parser(path).whole()
    return lambda value: test(value, value) is True
