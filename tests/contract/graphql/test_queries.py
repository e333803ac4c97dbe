"""The contract's own test: a query or an answer that strays from GitHub's schema is found out."""

import pytest

from contract.graphql.queries import problems_of_answer, problems_of_query

READY = """mutation Q($input: MarkPullRequestReadyForReviewInput!) {
    markPullRequestReadyForReview(input: $input) {%s} }"""
EDITED = """query($n: Int!) {
    repository(owner: "o", name: "r") { mine: issue(number: $n) { title author { login } } } }"""


def test_what_github_has_passes():
    assert problems_of_query(READY % "clientMutationId", {"input": {"pullRequestId": "PR_1"}}) == []
    data = {"repository": {"mine": {"title": "t", "author": {"login": "ann"}}}}
    assert problems_of_query(EDITED, {"n": 1}) == []
    assert problems_of_answer(EDITED, {"n": 1}, data) == []
    assert problems_of_answer(EDITED, {"n": 1}, {"repository": {"mine": None}}) == []


@pytest.mark.parametrize(
    ("query", "variables", "said"),
    [
        (READY % "done", {"input": {"pullRequestId": "PR_1"}}, "Cannot query field 'done'"),
        (READY % "clientMutationId", {"input": {"pullRequest": "PR_1"}}, "pullRequest"),
        (READY % "clientMutationId", {}, "input"),
        (EDITED, {"n": "one"}, "Int cannot represent"),
        ("{ viewer { login }", {}, "Syntax Error"),
    ],
)
def test_a_query_github_would_refuse_is_found(query, variables, said):
    found = problems_of_query(query, variables)
    assert found
    assert said in " ".join(found)


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        ({"author": None}, "no title"),
        ({"title": None, "author": None}, "non-nullable"),
        ({"title": "t", "author": {"login": ["ann"]}}, "String cannot represent"),
    ],
)
def test_an_answer_of_another_shape_is_found(mine, said):
    (found,) = problems_of_answer(EDITED, {"n": 1}, {"repository": {"mine": mine}})
    assert said in found
