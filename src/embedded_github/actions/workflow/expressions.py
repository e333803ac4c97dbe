"""GitHub Actions expressions: parsed with lark, checked against the contexts a place allows, evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import LarkError

from embedded_github.actions.workflow.values import (
    Value,
    equal,
    is_array,
    is_primitive,
    less,
    lookup,
    parse_number,
    star,
    to_json,
    to_string,
    truthy,
)

_GRAMMAR = r"""
?start: or_
?or_: and_ ("||" and_)*
?and_: equality ("&&" equality)*
?equality: relation
    | equality "==" relation -> eq
    | equality "!=" relation -> ne
?relation: unary
    | relation "<" unary -> lt
    | relation "<=" unary -> le
    | relation ">" unary -> gt
    | relation ">=" unary -> ge
?unary: postfix
    | "!" unary -> not_
?postfix: atom
    | postfix "." NAME -> attr
    | postfix "." "*" -> star
    | postfix "[" "*" "]" -> star
    | postfix "[" or_ "]" -> index
?atom: "(" or_ ")"
    | NAME "(" [or_ ("," or_)*] ")" -> call
    | STRING -> string
    | NUMBER -> number
    | NAME -> name
NAME: /[A-Za-z_][A-Za-z0-9_-]*/
NUMBER: /[+-]?(0x[0-9a-fA-F]+|0o[0-7]+|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)/
STRING: /'(?:[^']|'')*'/
%ignore /[ \t\r\n]+/
"""
_PARSER = Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)
_LITERALS: dict[str, Value] = {
    "null": None, "true": True, "false": False, "NaN": float("nan"), "Infinity": float("inf")
}  # fmt: skip
STATUS_FUNCTIONS = frozenset({"success", "failure", "always", "cancelled"})
FUNCTIONS = frozenset(
    {"contains", "startswith", "endswith", "format", "join", "tojson", "fromjson", "hashfiles", "case"}
)
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")


class ExpressionError(ValueError):
    """An expression that cannot be parsed, names what is not there, or fails when evaluated."""


@dataclass(frozen=True)
class Scope:
    """What an expression can see.

    Args:
        contexts: context name (`github`, `inputs`, ...) to its object.
        status: the status functions that hold here, by lower-case name.
    """

    contexts: Mapping[str, Value]
    status: Mapping[str, Callable[[], bool]] = field(default_factory=dict)


@lru_cache(maxsize=2048)
def parse(text: str) -> Tree[Token]:
    """Parse one expression, without its `${{ }}`.

    Raises:
        ExpressionError: when it is not one.
    """
    try:
        return _PARSER.parse(text)
    except LarkError as error:
        first_line = str(error).partition("\n")[0].rstrip()
        raise ExpressionError(f"the expression '{text.strip()}' is malformed: {first_line}") from None


def evaluate(text: str, scope: Scope) -> Value:
    """The value of one expression, without its `${{ }}`.

    Raises:
        ExpressionError: when it is malformed or fails.
    """
    return _evaluate(parse(text), scope)


def split_template(text: str) -> Iterator[tuple[bool, str]]:
    """The parts of a text: (False, literal) and (True, expression), in order.

    Raises:
        ExpressionError: when a `${{` is not closed.
    """
    position = 0
    while (start := text.find("${{", position)) >= 0:
        if start > position:
            yield False, text[position:start]
        end, quoted = start + 3, False
        while quoted or not text.startswith("}}", end):
            if end >= len(text):
                raise ExpressionError(f"an expression in '{text}' is not closed with '}}}}'")
            quoted ^= text[end] == "'"
            end += 1
        yield True, text[start + 3 : end]
        position = end + 2
    if position < len(text):
        yield False, text[position:]


def render_value(text: Value, scope: Scope) -> Value:
    """A scalar of a workflow file: alone in a `${{ }}` it keeps its kind, among other text it is a string."""
    if not isinstance(text, str) or "${{" not in text:
        return text
    parts = list(split_template(text))
    if len(parts) == 1:
        return evaluate(parts[0][1], scope)
    return "".join(to_string(evaluate(part, scope)) if code else part for code, part in parts)


def render(text: Value, scope: Scope) -> str:
    """A scalar of a workflow file as a string, every `${{ }}` replaced."""
    return to_string(render_value(text, scope))


def condition(text: Value, scope: Scope) -> bool:
    """An `if:`: with or without `${{ }}`; `success()` is implied unless it asks for a status itself."""
    if text is None or text == "":
        return scope.status["success"]()
    if not isinstance(text, str):
        return scope.status["success"]() and truthy(text)
    if not any(name in STATUS_FUNCTIONS for kind, name in names(text, bare=True) if kind == "call") and (
        not scope.status["success"]()
    ):
        return False
    return truthy(render_value(text, scope) if "${{" in text else evaluate(text, scope))


def names(text: Value, *, bare: bool = False) -> Iterator[tuple[str, str]]:
    """What the expressions of a text mention: ("name", context) and ("call", function), lower-case.

    Args:
        text: a scalar of a workflow file.
        bare: the whole text is an expression where it has no `${{`, as in `if:`.
    """
    if not isinstance(text, str):
        return
    if "${{" in text:
        sources = [part for code, part in split_template(text) if code]
    else:
        sources = [text] if bare and text else []
    for source in sources:
        for node in parse(source).iter_subtrees():
            if node.data == "name" and str(node.children[0]) not in _LITERALS:
                yield "name", str(node.children[0]).lower()
            elif node.data == "call":
                yield "call", str(node.children[0]).lower()


def check(
    text: Value, contexts: frozenset[str], *, bare: bool = False, status: bool = False, files: bool = False
) -> None:
    """Refuse what GitHub refuses before a run starts: contexts and functions that a place does not have.

    Raises:
        ExpressionError: naming the context or function.
    """
    allowed = FUNCTIONS - (frozenset() if files else {"hashfiles"}) | (
        STATUS_FUNCTIONS if status else frozenset()
    )
    for kind, name in names(text, bare=bare):
        if kind == "name" and name not in contexts:
            raise ExpressionError(f"Unrecognized named-value: '{name}' in '{text}'")
        if kind == "call" and name not in allowed:
            raise ExpressionError(f"Unrecognized function: '{name}' in '{text}'")


def _evaluate(node: Tree[Token] | Token, scope: Scope) -> Value:  # noqa: C901, PLR0911 - one return a kind of node
    assert isinstance(node, Tree)
    kind, parts = str(node.data), node.children
    match kind:
        case "string":
            return str(parts[0])[1:-1].replace("''", "'")
        case "number":
            return parse_number(str(parts[0]))
        case "name":
            return _name(str(parts[0]), scope)
        case "or_" | "and_":
            # The operand itself is the value, and what stands behind it is not looked at.
            for part in parts:
                value = _evaluate(part, scope)
                if truthy(value) is (kind == "or_"):
                    return value
            return value
        case "not_":
            return not truthy(_evaluate(parts[0], scope))
        case "attr":
            return lookup(_evaluate(parts[0], scope), str(parts[1]))
        case "index":
            return lookup(_evaluate(parts[0], scope), _evaluate(parts[1], scope))
        case "star":
            return star(_evaluate(parts[0], scope))
        case "call":
            return _call(str(parts[0]), parts[1:], scope)
    left, right = _evaluate(parts[0], scope), _evaluate(parts[1], scope)
    return _compare(kind, left, right)


def _compare(kind: str, left: Value, right: Value) -> bool:
    match kind:
        case "eq":
            return equal(left, right)
        case "ne":
            return not equal(left, right)
        case "lt" | "le":
            return less(left, right, or_equal=kind == "le")
    return less(right, left, or_equal=kind == "ge")


def _name(name: str, scope: Scope) -> Value:
    if name in _LITERALS:
        return _LITERALS[name]
    if name.lower() not in scope.contexts:
        raise ExpressionError(f"Unrecognized named-value: '{name}'")
    return scope.contexts[name.lower()]


def _call(name: str, nodes: list[Any], scope: Scope) -> Value:
    lowered = name.lower()
    if lowered in STATUS_FUNCTIONS and lowered in scope.status:
        return scope.status[lowered]()
    if lowered == "hashfiles":
        raise ExpressionError("hashFiles is not played by the embedded GitHub")
    function, least, most = _TABLE.get(lowered, (None, 0, 0))
    if function is None:
        raise ExpressionError(f"Unrecognized function: '{name}'")
    if not least <= len(nodes) <= most:
        raise ExpressionError(f"{name} takes {least} to {most} arguments, not {len(nodes)}")
    return function(*(_evaluate(node, scope) for node in nodes))


def _contains(search: Value, item: Value) -> bool:
    if is_array(search):
        return any(equal(one, item) for one in search)
    return (
        is_primitive(search) and is_primitive(item) and to_string(item).upper() in to_string(search).upper()
    )


def _starts(text: Value, part: Value) -> bool:
    both = is_primitive(text) and is_primitive(part)
    return both and to_string(text).upper().startswith(to_string(part).upper())


def _ends(text: Value, part: Value) -> bool:
    both = is_primitive(text) and is_primitive(part)
    return both and to_string(text).upper().endswith(to_string(part).upper())


def _format(text: Value, *values: Value) -> str:
    def replace(found: re.Match[str]) -> str:
        if found[0] in {"{{", "}}"}:
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(values):
            raise ExpressionError(f"the format string '{to_string(text)}' does not fit its arguments")
        return to_string(values[int(found[1])])

    return _PLACEHOLDER.sub(replace, to_string(text))


def _join(items: Value, separator: Value = ",") -> str:
    if is_array(items):
        return to_string(separator).join(to_string(item) if is_primitive(item) else "" for item in items)
    return to_string(items) if is_primitive(items) else ""


def _from_json(text: Value) -> Value:
    try:
        return json.loads(to_string(text))
    except ValueError as error:
        raise ExpressionError(f"fromJSON was given something that is not JSON: {error}") from None


def _case(*values: Value) -> Value:
    if len(values) % 2 == 0:
        raise ExpressionError("case takes pairs of a condition and a value, and a default at the end")
    pairs = zip(values[:-1:2], values[1:-1:2], strict=True)
    return next((value for held, value in pairs if truthy(held)), values[-1])


_TABLE: dict[str, tuple[Callable[..., Value], int, int]] = {
    "contains": (_contains, 2, 2),
    "startswith": (_starts, 2, 2),
    "endswith": (_ends, 2, 2),
    "format": (_format, 1, 255),
    "join": (_join, 1, 2),
    "tojson": (to_json, 1, 1),
    "fromjson": (_from_json, 1, 1),
    "case": (_case, 3, 255),
}
