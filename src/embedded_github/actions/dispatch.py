"""A workflow dispatch, refused in GitHub's words where GitHub refuses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from embedded_github.actions.ports import Forge
from embedded_github.actions.workflow.definition import Input, Scalar, Workflow
from embedded_github.actions.workflow.triggers import Origin

INPUTS_CHARACTERS = 65_535
INPUTS_COUNT = 25


class Refused(Exception):  # noqa: N818 - what the API answers, not a fault of ours
    """A request that the API refuses.

    Args:
        status: the HTTP status.
        message: GitHub's words.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def dispatch_origin(repo: str, ref: str, forge: Forge) -> Origin:
    """The branch or tag a dispatch names, in short or in full.

    Raises:
        Refused: there is none.
    """
    names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    for name in names:
        try:
            return Origin(name, forge.sha_of(repo, name))
        except LookupError:
            continue
    raise Refused(422, f"No ref found for: {ref}")


def check_inputs(workflow: Workflow, given: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of a dispatch as strings, with defaults.

    Raises:
        Refused: no such trigger, or inputs that do not fit it.
    """
    trigger = workflow.on.get("workflow_dispatch")
    if trigger is None:
        raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
    if workflow.problems:
        raise Refused(422, f"failed to parse workflow: {workflow.problems[0]}")
    if unexpected := [name for name in given if name not in trigger.inputs]:
        raise Refused(422, f"Unexpected inputs provided: {json.dumps(unexpected)}")
    if len(given) > INPUTS_COUNT:
        raise Refused(422, f"You may only provide up to {INPUTS_COUNT} inputs")
    if len(json.dumps(dict(given), ensure_ascii=False)) > INPUTS_CHARACTERS:
        raise Refused(422, "inputs are too large.")
    return {name: _value(one, given.get(name)) for name, one in trigger.inputs.items()}


def typed_inputs(workflow: Workflow, values: Mapping[str, str]) -> dict[str, Scalar]:
    """The `inputs` context: booleans and numbers are real ones."""
    trigger = workflow.on.get("workflow_dispatch")
    known = trigger.inputs if trigger else {}
    return {name: known[name].typed(text) if name in known else text for name, text in values.items()}


def _value(one: Input, given: object) -> str:
    if given is None or given == "":
        if one.required and one.default is None:
            raise Refused(422, f"Required input '{one.name}' not provided")
        text = as_text(one.default)
        return text or {"boolean": "false"}.get(one.type, "")
    text = as_text(given)
    allowed = {"boolean": ("true", "false"), "choice": one.options}.get(one.type)
    if allowed is not None and text not in allowed:
        raise Refused(
            422, f"Provided value '{text}' for input '{one.name}' not in the list of allowed values"
        )
    return text


def as_text(value: object) -> str:
    """A value of an input as the API has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)
