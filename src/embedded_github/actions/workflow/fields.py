"""Reads single fields of a workflow file: each says where it stands when it is not what it should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from embedded_github.actions.workflow.definition import Scalar, WorkflowError
from embedded_github.actions.workflow.expressions import check
from embedded_github.actions.workflow.values import Value

# Which contexts GitHub offers where ("Contexts reference", context availability).
RUN = frozenset({"github", "inputs", "vars"})
NEEDS = RUN | {"needs"}
JOB = NEEDS | {"strategy", "matrix"}
STEPS = JOB | {"secrets", "env", "job", "runner", "steps"}
STEP_IF = STEPS - {"secrets"}
COMPOSITE = STEPS - {"secrets", "vars", "needs"}


def known(value: Mapping[Any, Any], keys: set[str], where: str) -> None:
    """Refuse keys that GitHub does not know or the player does not play."""
    for key in value:
        if key not in keys:
            raise WorkflowError(f"'{key}' in {where} is unknown, or not played by the embedded GitHub")


def mapping(value: Value, where: str) -> dict[Any, Any]:
    """A mapping."""
    if not isinstance(value, dict):
        raise WorkflowError(f"{where} must be a mapping")
    return value


def scalar(value: Value, where: str) -> Scalar:
    """One value."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise WorkflowError(f"{where} must be one value")


def text(value: Value, where: str) -> str:
    """One value as text; null is empty."""
    value = scalar(value, where)
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def words(value: Value, where: str) -> tuple[str, ...]:
    """A list of words, or one."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise WorkflowError(f"{where} must be a list")
    return tuple(text(one, where) for one in value)


def scalars(value: Value, where: str, contexts: frozenset[str]) -> dict[str, Scalar]:
    """A mapping of names to values, each checked against the contexts of its place."""
    if value is None:
        return {}
    return dict(_checked(mapping(value, where), where, contexts))


def _checked(value: dict[Any, Any], where: str, contexts: frozenset[str]) -> Iterator[tuple[str, Scalar]]:
    for key, one in value.items():
        check(scalar(one, f"{where}.{key}"), contexts, files=contexts >= COMPOSITE)
        yield str(key), one
