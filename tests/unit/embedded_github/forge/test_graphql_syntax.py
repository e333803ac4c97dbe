"""GraphQL's syntax, as far as clients of GitHub use it."""

import pytest

from embedded_github.forge.api.graphql_syntax import Field, GraphqlSyntaxError, parse


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


@pytest.mark.parametrize(
    "text", ["", "{", "subscription { x }", "{ a(b: ", "{ a % }", "query Q { ... Named }"]
)
def test_what_is_no_query_is_refused(text):
    with pytest.raises(GraphqlSyntaxError):
        parse(text, {})
