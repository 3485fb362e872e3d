"""The part of SQL/JSON path that metadata filters are written in, as `jsonb_path_exists` of PostgreSQL evaluates it.

Paths (`$.a."b c"[*]`) and filters (`$ ? (@.a == "x" && !(@.b > 2 || @.c == null))`), in lax mode: a member of a list is
asked of its items, and a lone value counts as a list of one. Anything else is refused rather than answered wrongly.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import Any

Items = list[Any]
Path = Callable[[Any, Any], Items]  # (root, current) -> items
Test = Callable[[Any, Any], "bool | None"]  # None: unknown

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<sign>&&|\|\||==|!=|<=|>=|[$@.\[\]()?*!<>])
      | (?P<word>[^\W\d]\w*)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONSTANTS = {"true": True, "false": False, "null": None}

MAX_DEPTH = 50
"""Parentheses in each other that are understood: each costs some of Python's stack, here and when it is asked."""


def _unwrapped(items: Items) -> Items:
    flat: Items = []
    for item in items:
        flat.extend(item) if isinstance(item, list) else flat.append(item)
    return flat


def _compare(sign: str, left: Any, right: Any) -> bool | None:
    kinds = [float if type(value) is int else type(value) for value in (left, right)]
    if kinds[0] != kinds[1]:
        return sign == "!=" if None in (left, right) else None  # null differs from everything, and that is known
    if kinds[0] in (dict, list):
        return None
    return sign in ("==", "<=", ">=") if left is None else _COMPARE[sign](left, right)


def _any(results: list[bool | None]) -> bool | None:
    return True if True in results else None if None in results else False


def _all(results: list[bool | None]) -> bool | None:
    return False if False in results else None if None in results else True


class _Parser:
    """Recursive descent over the tokens of one path. Raises ValueError where it is not understood."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.strip()
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

    def whole(self) -> Path:
        path = self.path()
        if self.at < len(self.tokens):
            raise ValueError(f"jsonpath: {self.peek()!r} is not supported here")
        return path

    def either(self) -> Test:
        tests = [self.both()]
        while self.take("||"):
            tests.append(self.both())
        return lambda root, current: _any([test(root, current) for test in tests])

    def both(self) -> Test:
        tests = [self.one()]
        while self.take("&&"):
            tests.append(self.one())
        return lambda root, current: _all([test(root, current) for test in tests])

    def one(self) -> Test:
        if self.take("!"):
            inner = self.parenthesised()

            def negated(root: Any, current: Any) -> bool | None:
                result = inner(root, current)
                return None if result is None else not result

            return negated
        return self.parenthesised() if self.peek() == "(" else self.comparison()

    def parenthesised(self) -> Test:
        self.need("(")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError("jsonpath is nested too deeply")
        inner = self.either()
        self.depth -= 1
        self.need(")")
        return inner

    def comparison(self) -> Test:
        left = self.operand()
        _, sign = self.next()
        if sign not in _COMPARE:
            raise ValueError(f"jsonpath: {sign!r} is not supported here")
        right = self.operand()

        def compared(root: Any, current: Any) -> bool | None:
            pairs = product(_unwrapped(left(root, current)), _unwrapped(right(root, current)))
            return _any([_compare(sign, one, other) for one, other in pairs])

        return compared

    def operand(self) -> Path:
        if self.peek() in ("$", "@"):
            return self.path()
        group, text = self.next()
        if group not in ("string", "number") and text not in _CONSTANTS:
            raise ValueError(f"jsonpath: {text!r} is not supported here")
        value = _CONSTANTS[text] if group == "word" else json.loads(text, strict=False)
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
            self.need("*")
            self.need("]")
            return lambda _root, items: _unwrapped(items)
        self.need(".")
        group, text = self.next()
        if group not in ("string", "word") or self.peek() == "(":
            raise ValueError(f"jsonpath: a key expected at {text!r}")
        key = str(json.loads(text, strict=False)) if group == "string" else text
        return lambda _root, items: [item[key] for item in _unwrapped(items) if isinstance(item, dict) and key in item]


@lru_cache(maxsize=256)
def compile_path(path: str) -> Callable[[Any], bool]:
    """Return a function that says whether a JSON value has what the path asks for. Raises ValueError."""
    follow = _Parser(path).whole()
    return lambda value: bool(follow(value, value))
