"""Holds a GraphQL exchange against GitHub's public schema, by the reference implementation of GraphQL."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from contract.graphql.fetch import schema


def problems_of_query(query: str, variables: Mapping[str, Any]) -> list[str]:
    """What GitHub's schema finds wrong with a query and its variables."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return [error.message]
    if found := validate(_schema(), document):
        return [one.message for one in found]
    (operation,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    given = get_variable_values(_schema(), operation.variable_definitions or (), dict(variables))
    return [one.message for one in given] if isinstance(given, list) else []


def problems_of_answer(query: str, variables: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """What is wrong with the answer's `data`: GraphQL's own execution completes every value by its type."""
    done = execute_sync(
        _schema(),
        parse(query),
        root_value=_Answer(data),
        variable_values=dict(variables),
        field_resolver=_answered,
        type_resolver=_kind,
    )
    assert not hasattr(done, "__await__")
    return [f"{'/'.join(map(str, one.path or ()))}: {one.message}" for one in done.errors or ()]


class _Answer:
    """A JSON object of the answer."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields


def _kind(answer: _Answer, info: GraphQLResolveInfo, kind: GraphQLAbstractType) -> str:
    """The type it says; else any: what was asked without it stands in the interface itself."""
    named = answer.fields.get("__typename")
    return named if isinstance(named, str) else info.schema.get_possible_types(kind)[0].name


def _answered(source: _Answer, info: GraphQLResolveInfo, **_: Any) -> Any:
    node: FieldNode = info.field_nodes[0]
    key = node.alias.value if node.alias else node.name.value
    if key not in source.fields:
        raise GraphQLError(f"the answer has no {key}")
    return _wrapped(source.fields[key])


def _wrapped(value: Any) -> Any:
    if isinstance(value, list):
        return [_wrapped(one) for one in value]
    return _Answer(value) if isinstance(value, Mapping) else value


@cache
def _schema() -> GraphQLSchema:
    return build_schema(schema().read_text(), assume_valid=True)
