"""The part of GraphQL's syntax that clients of GitHub send: one operation, its fields and arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r'[\s,]+|#[^\n]*|(\.\.\.|"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?|[_A-Za-z]\w*|[{}()\[\]:!$=@|])'
)


class GraphqlSyntaxError(ValueError):
    """The query cannot be read."""


@dataclass(frozen=True)
class Field:
    """A field that was asked for: the key it is answered under, its name, arguments and own fields."""

    key: str
    name: str
    arguments: Mapping[str, Any]
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Operation:
    """A `query` or a `mutation`."""

    kind: str
    fields: tuple[Field, ...]


def parse(text: str, variables: Mapping[str, Any]) -> Operation:
    """Read the first operation of a document, its variables filled in.

    Raises:
        GraphqlSyntaxError: it is not GraphQL, or more of it than is known here (named fragments, directives).
    """
    return _Parser(text, variables).operation()


class _Parser:
    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._tokens: list[str] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise GraphqlSyntaxError(f"Unexpected {text[position]!r}")
            if match[1]:
                self._tokens.append(match[1])
            position = match.end()

    def operation(self) -> Operation:
        kind = "query"
        if self._peek() != "{":
            kind = self._take()
            if kind not in ("query", "mutation"):
                raise GraphqlSyntaxError(f"Unexpected {kind!r}")
            if self._peek() not in ("(", "{"):
                self._take()
            if self._peek() == "(":
                self._skip_variables()
        return Operation(kind, self._selection())

    def _selection(self) -> tuple[Field, ...]:
        self._take("{")
        fields: list[Field] = []
        while self._peek() != "}":
            if self._peek() == "...":
                self._take()
                self._take("on")
                self._take()
                fields.extend(self._selection())
            else:
                fields.append(self._field())
        self._take("}")
        return tuple(fields)

    def _field(self) -> Field:
        key = name = self._take()
        if self._peek() == ":":
            self._take()
            name = self._take()
        arguments: dict[str, Any] = {}
        if self._peek() == "(":
            self._take()
            while self._peek() != ")":
                argument = self._take()
                self._take(":")
                arguments[argument] = self._value()
            self._take()
        return Field(key, name, arguments, self._selection() if self._peek() == "{" else ())

    def _value(self) -> Any:  # noqa: ANN401 - JSON
        word = self._take()
        if word == "$":
            return self._variables.get(self._take())
        if word == "[":
            items = []
            while self._peek() != "]":
                items.append(self._value())
            self._take()
            return items
        if word == "{":
            values: dict[str, Any] = {}
            while self._peek() != "}":
                name = self._take()
                self._take(":")
                values[name] = self._value()
            self._take()
            return values
        if word in ("true", "false", "null") or word[0] in '"-0123456789':
            return json.loads(word)
        return word

    def _skip_variables(self) -> None:
        while self._take() != ")":
            pass

    def _peek(self) -> str:
        if not self._tokens:
            raise GraphqlSyntaxError("Unexpected end of document")
        return self._tokens[0]

    def _take(self, expected: str | None = None) -> str:
        token = self._peek()
        if expected is not None and token != expected:
            raise GraphqlSyntaxError(f"Expected {expected!r}, found {token!r}")
        return self._tokens.pop(0)
