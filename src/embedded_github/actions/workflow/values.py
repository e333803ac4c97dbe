"""Values of GitHub Actions expressions: kinds, coercion and comparison.

The rules are those of GitHub's documentation ("Evaluate expressions in workflows and actions"): loose
equality with coercion to numbers, string comparison that ignores case, objects equal only to themselves.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

Value = Any
"""None, bool, int, float, str, a Mapping with string keys, or a Sequence of values."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")


class Filtered(list[Value]):
    """What `.*` yields: a list on which a further `.name` is taken of every element."""


def is_array(value: Value) -> bool:
    """Whether it is an array (a string is none)."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def is_primitive(value: Value) -> bool:
    """Whether it is null, a boolean, a number or a string."""
    return value is None or isinstance(value, bool | int | float | str)


def truthy(value: Value) -> bool:
    """False, 0, NaN, the empty string and null are false; everything else, empty arrays too, is true."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value) if is_primitive(value) else True


def to_number(value: Value) -> float:
    """Coerce as JavaScript's `Number()` does; NaN where that has no number."""
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        return float(value)
    return parse_number(value) if isinstance(value, str) else math.nan


def parse_number(text: str) -> float:
    """The number in a string: decimal, `0x`, `0o`, Infinity; empty is 0; anything else NaN."""
    text = text.strip()
    if not text:
        return 0.0
    if _NUMBER.match(text):
        return float(text)
    if _HEX.match(text):
        return float(int(text[2:], 16))
    if _OCTAL.match(text):
        return float(int(text[2:], 8))
    return {"Infinity": math.inf, "-Infinity": -math.inf}.get(text, math.nan)


def to_string(value: Value) -> str:
    """What a value becomes inside a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, str):
        return value
    return "Array" if is_array(value) else "Object"


def _number_text(value: float) -> str:
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return format(value, ".15G")
    return str(value)


def equal(left: Value, right: Value) -> bool:
    """Loose equality."""
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if is_primitive(left) and is_primitive(right):
        return to_number(left) == to_number(right)
    return left is right


def less(left: Value, right: Value, *, or_equal: bool) -> bool:
    """`<` or `<=`; false wherever a side has no number."""
    if isinstance(left, str) and isinstance(right, str):
        one, other = left.upper(), right.upper()
        return one <= other if or_equal else one < other
    first, second = to_number(left), to_number(right)
    return first <= second if or_equal else first < second


def lookup(value: Value, key: Value) -> Value:
    """`value[key]`, names without regard to case; null where there is nothing."""
    if isinstance(value, Filtered) and isinstance(key, str):
        found = Filtered()
        found.extend(item for item in (lookup(one, key) for one in value) if item is not None)
        return found
    if isinstance(value, Mapping):
        wanted = to_string(key)
        if wanted in value:
            return value[wanted]
        return next((item for name, item in value.items() if str(name).lower() == wanted.lower()), None)
    if is_array(value):
        index = to_number(key)
        if not math.isnan(index) and 0 <= index < len(value):
            return value[math.floor(index)]
    return None


def star(value: Value) -> Filtered:
    """`value.*`: the elements of an array, or the values of an object."""
    found = Filtered()
    if isinstance(value, Filtered):
        for item in value:
            found.extend(star(item))
    elif isinstance(value, Mapping):
        found.extend(value.values())
    elif is_array(value):
        found.extend(value)
    return found


def to_json(value: Value) -> str:
    """Pretty-printed, two blanks a level, as `toJSON` writes it."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False)


def _plain(value: Value) -> Value:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if is_array(value):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
