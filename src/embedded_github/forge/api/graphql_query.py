"""What a GraphQL client asks: one operation, its fields and their arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import graphql as syntax
from graphql import GraphQLError


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
        GraphQLError: it is not GraphQL, or has parts that this forge does not play: subscriptions, named
            fragments, directives.
    """
    document = syntax.parse(text, no_location=True)
    operations = [one for one in document.definitions if isinstance(one, syntax.OperationDefinitionNode)]
    if not operations:
        raise GraphQLError("A document must contain an operation")
    operation = operations[0]
    if operation.operation is syntax.OperationType.SUBSCRIPTION:
        raise GraphQLError("Subscriptions are not supported")
    defaults = {
        one.variable.name.value: _value(one.default_value, {})
        for one in operation.variable_definitions or ()
        if one.default_value is not None
    }
    given = {**defaults, **variables}
    return Operation(operation.operation.value, tuple(_fields(operation.selection_set, given)))


def _fields(selection: syntax.SelectionSetNode | None, variables: Mapping[str, Any]) -> Iterator[Field]:
    for node in selection.selections if selection else ():
        if node.directives:
            raise GraphQLError(f"The directive @{node.directives[0].name.value} is not supported")
        match node:
            case syntax.FieldNode():
                yield Field(
                    (node.alias or node.name).value,
                    node.name.value,
                    {one.name.value: _value(one.value, variables) for one in node.arguments or ()},
                    tuple(_fields(node.selection_set, variables)),
                )
            case syntax.InlineFragmentNode():
                yield from _fields(node.selection_set, variables)
            case syntax.FragmentSpreadNode():
                raise GraphQLError(f"The named fragment {node.name.value} is not supported")


def _value(node: syntax.ValueNode, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    match node:
        case syntax.VariableNode():
            return variables.get(node.name.value)
        case syntax.ListValueNode():
            return [_value(one, variables) for one in node.values]
        case syntax.ObjectValueNode():
            return {one.name.value: _value(one.value, variables) for one in node.fields}
        case _:
            return syntax.value_from_ast_untyped(node)
