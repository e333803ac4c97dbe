"""The combinations of a matrix, as GitHub's documentation has them."""

import pytest

from embedded_github.actions.workflow.definition import WorkflowError
from embedded_github.actions.workflow.expressions import Scope
from embedded_github.actions.workflow.matrix import combinations, suffix

SCOPE = Scope({"github": {"event": {"list": ["a", "b"]}}})


def test_vectors_multiply_and_exclude_takes_away():
    made = combinations({"os": ["x", "y"], "n": [1, 2], "exclude": [{"os": "x", "n": 2}]}, SCOPE)
    assert made == [{"os": "x", "n": 1}, {"os": "y", "n": 1}, {"os": "y", "n": 2}]
    assert suffix(made[0]) == "x, 1"


def test_include_as_githubs_own_example_has_it():
    made = combinations(
        {
            "fruit": ["apple", "pear"],
            "animal": ["cat", "dog"],
            "include": [
                {"color": "green"},
                {"color": "pink", "animal": "cat"},
                {"fruit": "apple", "shape": "circle"},
                {"fruit": "banana"},
                {"fruit": "banana", "animal": "cat"},
            ],
        },
        SCOPE,
    )
    assert made == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_a_vector_may_be_an_expression():
    assert combinations({"v": "${{ github.event.list }}"}, SCOPE) == [{"v": "a"}, {"v": "b"}]


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        ({"v": []}, "'v' does not contain any values"),
        ({"include": []}, "at least one vector"),
        ({"v": "a"}, "'v' is not a list"),
        ({"include": ["a"]}, "an entry of the matrix's 'include'"),
        ({"v": list(range(257))}, "257 jobs"),
        ("${{ github.event.list }}", "not a mapping"),
    ],
)
def test_what_is_no_matrix_is_refused(matrix, word):
    with pytest.raises(WorkflowError, match=word):
        combinations(matrix, SCOPE)
