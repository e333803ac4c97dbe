"""Expressions give what GitHub gives."""

import math

import pytest

from embedded_github.actions.workflow.expressions import (
    ExpressionError,
    Scope,
    check,
    condition,
    evaluate,
    render,
    render_value,
)

GITHUB = {
    "event_name": "issues",
    "event": {
        "label": {"name": "Autonomous-Loop"},
        "issue": {"number": 12, "labels": [{"name": "bug"}, {"name": "Help"}], "pull_request": None},
        "comment": {"body": "/loop go"},
    },
    "ref-name": "main",
    "matrix": {"a": {"os": 1}, "b": {"os": 2}},
}


def scope(*, ok: bool = True, cancelled: bool = False) -> Scope:
    return Scope(
        {"github": GITHUB, "inputs": {"dry": True, "n": 3.0, "text": ""}, "env": {}},
        {
            "success": lambda: ok and not cancelled,
            "failure": lambda: not ok,
            "cancelled": lambda: cancelled,
            "always": lambda: True,
        },
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("null", None),
        ("-1.5e1", -15),
        ("0x1f", 31),
        ("0o17", 15),
        ("Infinity", math.inf),
        ("github.event.label.name == 'autonomous-loop'", True),
        ("GitHub.Event.Label.NAME", "Autonomous-Loop"),
        ("github['ref-name']", "main"),
        ("github.ref-name", "main"),
        ("github.event.issue.labels[1].name", "Help"),
        ("github.event.issue.labels[9].name", None),
        ("github.nothing.at.all", None),
        ("github.event.issue.labels.*.name", ["bug", "Help"]),
        ("github.event.issue.labels[*].name", ["bug", "Help"]),
        ("github.matrix.*.os", [1, 2]),
        ("contains(github.event.issue.labels.*.name, 'BUG')", True),
        ("contains(github.event.issue.labels.*.name, 'bu')", False),
        ("contains('Hello', 'ELL')", True),
        ("contains(github.event, 'x')", False),
        ("startsWith(github.event.comment.body, '/LOOP')", True),
        ("endsWith('file.PY', '.py')", True),
        ("github.event.issue.pull_request == null", True),
        ("!github.event.issue.pull_request", True),
        ("1 == '1'", True),
        ("0 == ''", True),
        ("null == 0", True),
        ("true == 1", True),
        ("true == 'true'", False),
        ("'abc' == 0", False),
        ("NaN == NaN", False),
        ("github.event == github.event", True),
        ("fromJSON('[1]') == fromJSON('[1]')", False),
        ("'b' > 'A'", True),
        ("2 < 10", True),
        ("'2' < 10", True),
        ("'a' < 1", False),
        ("3 >= 3 && 3 <= 3", True),
        ("1 != 2", True),
        ("false || 'x'", "x"),
        ("'' || 0", 0),
        ("'a' && 'b'", "b"),
        ("0 && 'b'", 0),
        ("true || false && false", True),
        ("!(true && false)", True),
        ("!true == false", True),
        ("true || fromJSON('{')", True),
        ("format('{0}-{1}{{}}', 'a', 1.0)", "a-1{}"),
        ("join(github.event.issue.labels.*.name, ', ')", "bug, Help"),
        ("join('one')", "one"),
        ("toJSON(inputs)", '{\n  "dry": true,\n  "n": 3,\n  "text": ""\n}'),
        ('fromJSON(\'{"a": [1, {"b": null}]}\').a[1].b', None),
        ("case(false, 1, true, 2, 3)", 2),
        ("case(false, 1, 3)", 3),
    ],
)
def test_value(text, value):
    assert evaluate(text, scope()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("github.", "malformed"),
        ('"double"', "malformed"),
        ("a b", "malformed"),
        ("", "malformed"),
        ("secrets.X", "Unrecognized named-value: 'secrets'"),
        ("nope(1)", "Unrecognized function: 'nope'"),
        ("contains('a')", "2 to 2 arguments"),
        ("fromJSON('{')", "not JSON"),
        ("format('{1}', 'a')", "does not fit"),
        ("format('{', 'a')", "does not fit"),
        ("hashFiles('x')", "hashFiles is not played"),
        ("case(true, 1)", "3 to 255"),
        ("case(true, 1, false, 2)", "pairs"),
    ],
)
def test_error(text, message):
    with pytest.raises(ExpressionError, match=message.replace("(", r"\(")):
        evaluate(text, scope())


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("a ${{ inputs.n }} b ${{ inputs.dry }} ${{ github.none }}.", "a 3 b true ."),
        ("${{ 'a }} b' }}!", "a }} b!"),
        ("${{ github.event }}", "Object"),
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
    ],
)
def test_text_is_interpolated(text, result):
    assert render(text, scope()) == result


def test_a_lone_expression_keeps_its_kind_and_text_around_it_makes_a_string():
    assert render_value("${{ inputs.dry }}", scope()) is True
    assert render_value(" ${{ inputs.dry }}", scope()) == " true"


def test_an_expression_that_is_not_closed_is_an_error():
    with pytest.raises(ExpressionError, match="not closed"):
        render("${{ 'a }}", scope())


@pytest.mark.parametrize(
    ("text", "held"),
    [
        (None, True),
        ("github.event_name == 'issues'", True),
        ("${{ github.event_name == 'push' }}", False),
        # Text around an expression makes a string, which is true: GitHub's well-known trap.
        ("${{ false }} && true", True),
        ("!cancelled()", True),
        (False, False),
        ("inputs.text", False),
        ("inputs.n", True),
    ],
)
def test_condition(text, held):
    assert condition(text, scope()) is held


@pytest.mark.parametrize(
    ("text", "after_failure", "after_cancel"),
    [
        (None, False, False),
        ("true", False, False),
        ("always()", True, True),
        ("always() && inputs.dry", True, True),
        ("failure()", True, False),
        ("cancelled()", False, True),
        ("!cancelled()", True, False),
        ("contains('success()', 'x') || true", False, False),
    ],
)
def test_success_is_implied_unless_a_status_is_asked_for(text, after_failure, after_cancel):
    assert condition(text, scope(ok=False)) is after_failure
    assert condition(text, scope(cancelled=True)) is after_cancel


def test_a_place_has_only_its_own_contexts_and_functions():
    here = frozenset({"github"})
    check("${{ github.ref }}", here)
    check("steps.a", here)
    check("always()", here, bare=True, status=True)
    for text, bare in (
        ("${{ steps.a }}", False),
        ("steps.a", True),
        ("always()", True),
        ("${{ hashFiles('a') }}", False),
    ):
        with pytest.raises(ExpressionError, match="Unrecognized"):
            check(text, here, bare=bare)
