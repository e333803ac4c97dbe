"""A job's matrix: the combinations it stands for, by GitHub's rules of `include` and `exclude`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from embedded_github.actions.workflow.definition import WorkflowError
from embedded_github.actions.workflow.expressions import Scope, render_value
from embedded_github.actions.workflow.values import is_array, is_primitive, to_string

MOST = 256
"""Jobs GitHub makes of one matrix."""


def leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any value of a workflow file
    """The single values in a matrix as it is written."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from leaves(one)
    elif is_array(value):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def combinations(matrix: Mapping[str, Any] | str, scope: Scope) -> list[dict[str, Any]]:
    """What each job's `matrix` context holds, in order.

    Raises:
        ExpressionError: an expression fails.
        WorkflowError: it is no matrix, is empty, or makes too many jobs.
    """
    made = _evaluated(matrix, scope)
    if not isinstance(made, Mapping):
        raise WorkflowError("the matrix is not a mapping")
    vectors = {str(name): _vector(str(name), one) for name, one in made.items()}
    include, exclude = vectors.pop("include", []), vectors.pop("exclude", [])
    original = (
        [dict(zip(vectors, values, strict=True)) for values in product(*vectors.values())] if vectors else []
    )
    kept = [one for one in original if not any(_within(rule, one) for rule in exclude)]
    added: list[dict[str, Any]] = []
    result = [dict(one) for one in kept]
    for rule in include:
        fits = [
            at for at, one in enumerate(kept) if all(rule[name] == one[name] for name in rule if name in one)
        ]
        for at in fits:
            result[at] |= rule
        if not fits:
            added.append(dict(rule))
    result += added
    if not result:
        raise WorkflowError("Matrix must define at least one vector")
    if len(result) > MOST:
        raise WorkflowError(f"the matrix makes {len(result)} jobs; GitHub takes {MOST}")
    return result


def suffix(combination: Mapping[str, Any]) -> str:
    """What GitHub puts behind a job's name: `(12, issue-12)`."""
    return ", ".join(to_string(one) for one in combination.values() if is_primitive(one))


def _evaluated(value: Any, scope: Scope) -> Any:  # noqa: ANN401 - any value of a workflow file
    if isinstance(value, Mapping):
        return {name: _evaluated(one, scope) for name, one in value.items()}
    if is_array(value):
        return [_evaluated(one, scope) for one in value]
    return render_value(value, scope)


def _vector(name: str, value: Any) -> list[Any]:  # noqa: ANN401 - any value of a workflow file
    if not is_array(value):
        raise WorkflowError(f"the matrix's '{name}' is not a list")
    if name in {"include", "exclude"}:
        if any(not isinstance(one, Mapping) for one in value):
            raise WorkflowError(f"an entry of the matrix's '{name}' is not a mapping")
    elif not value:
        raise WorkflowError(f"Matrix vector '{name}' does not contain any values")
    return list(value)


def _within(rule: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    return all(name in one and one[name] == value for name, value in rule.items())
