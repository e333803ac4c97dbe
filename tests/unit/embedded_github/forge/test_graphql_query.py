"""What a GraphQL client asks, as far as clients of GitHub do."""

import pytest
from graphql import GraphQLError

from embedded_github.forge.api.graphql_query import Field, parse


def test_a_mutation_is_read_with_its_variables():
    text = "mutation Mutation($input: ReadyInput!) { ready(input: $input) { pull { isDraft } } }"
    operation = parse(text, {"input": {"id": "PR_1"}})
    assert operation.kind == "mutation"
    (field,) = operation.fields
    assert (field.name, field.arguments) == ("ready", {"input": {"id": "PR_1"}})
    assert field.fields == (Field("pull", "pull", {}, (Field("isDraft", "isDraft", {}, ()),)),)


def test_values_aliases_fragments_and_comments_are_read():
    text = """{ # the shortest query
      one: node(id: "a\\"b", n: -1.5, yes: true, none: null, list: [1, {k: ENUM}]) { ... on Issue { title } }
    }"""
    (field,) = parse(text, {}).fields
    assert (field.key, field.name) == ("one", "node")
    assert field.arguments == {"id": 'a"b', "n": -1.5, "yes": True, "none": None, "list": [1, {"k": "ENUM"}]}
    assert [one.name for one in field.fields] == ["title"]


def test_a_variable_has_its_default_unless_it_is_given_and_is_null_without_one():
    text = "query($a: Int = 2, $b: Int = 3, $c: Int) { x(a: $a, b: [$b], c: {d: $c}) { id } }"
    (field,) = parse(text, {"b": 4}).fields
    assert field.arguments == {"a": 2, "b": [4], "c": {"d": None}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Syntax Error"),
        ("{", "Syntax Error"),
        ("{ a(b: ", "Syntax Error"),
        ("{ a % }", "Syntax Error"),
        ("fragment F on X { a }", "must contain an operation"),
        ("subscription { x }", "Subscriptions are not supported"),
        ("query Q { ... Named }", "named fragment Named is not supported"),
        ("query Q { a @include(if: false) }", "directive @include is not supported"),
        ("{ ... on X @skip(if: true) { a } }", "directive @skip is not supported"),
    ],
)
def test_what_is_no_query_or_cannot_be_played_is_refused(text, says):
    with pytest.raises(GraphQLError, match=says):
        parse(text, {})
