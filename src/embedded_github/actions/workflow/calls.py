"""Reusable workflows: found and checked before a run starts, as GitHub does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embedded_github.actions.dispatch import as_text
from embedded_github.actions.workflow.definition import (
    Call,
    Job,
    Permissions,
    Scalar,
    Workflow,
    WorkflowError,
)
from embedded_github.actions.workflow.expressions import Scope, render, render_value
from embedded_github.actions.workflow.reader import read_workflow

DEEPEST = 10
"""Levels of workflows GitHub plays, the run's own included."""
DEFAULT_PERMISSIONS: Permissions = {"contents": "read", "packages": "read"}
"""GitHub's restricted default, where a workflow names none."""
_REMOTE = re.compile(r"([\w.-]+/[\w.-]+)/(\.github/workflows/[\w.-]+\.ya?ml)@\S+\Z")
_HERE = re.compile(r"\./(\.github/workflows/[\w.-]+\.ya?ml)\Z")
_LEVELS = {"none": 0, "read": 1, "write": 2}


@dataclass(frozen=True)
class Frame:
    """The workflow file that a job stands in: the run's own, or one that a job calls.

    Args:
        calls: the frames of its jobs that call, by the job's key; their inputs are still empty.
        inputs: the `inputs` context.
        secrets: the `secrets` context without GITHUB_TOKEN; None: the repository's.
        allowed: what the calling job's token may; None in the run's own.
        prefix: of its jobs' keys within the run (`call/`).
        title: of its jobs' names (`call / `).
    """

    workflow: Workflow
    calls: Mapping[str, Frame] = field(default_factory=dict)
    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    secrets: Mapping[str, str] | None = None
    allowed: Permissions | None = None
    prefix: str = ""
    title: str = ""

    def permissions(self, job: Job) -> Permissions:
        """What a job's token may, but for metadata: its own word, its workflow's, its caller's."""
        for said in (job.permissions, self.workflow.permissions, self.allowed):
            if said is not None:
                return said
        return DEFAULT_PERMISSIONS


class Library:
    """Where reusable workflows are read.

    Args:
        own: gives the repository's workflow files at the run's commit, by path.
        sources: folders of other repositories, by `owner/name`.
    """

    def __init__(self, own: Callable[[], Mapping[str, bytes]], sources: Mapping[str, Path]) -> None:
        self._own = own
        self._sources = sources

    def frame(self, workflow: Workflow) -> Frame:
        """The run's own workflow with everything it calls, at any depth.

        Raises:
            WorkflowError: a called workflow is missing, malformed, not callable, given what it does not
                take, or asks for more than its caller may.
        """
        return self._frame(workflow, "", None, 1)

    def _frame(self, workflow: Workflow, home: str, allowed: Permissions | None, depth: int) -> Frame:
        frame = Frame(workflow, allowed=allowed)
        calls = {
            key: self._called(job.call, home, frame.permissions(job), depth + 1)
            for key, job in workflow.jobs.items()
            if job.call
        }
        return Frame(workflow, calls, allowed=allowed)

    def _called(self, call: Call, home: str, allowed: Permissions, depth: int) -> Frame:
        if depth > DEEPEST:
            raise WorkflowError(f"{call.uses}: workflows call each other more than {DEEPEST} levels deep")
        content, path, home = self._find(call.uses, home)
        workflow = read_workflow(path, content)
        for problem in workflow.problems:
            raise WorkflowError(f"error parsing called workflow {call.uses}: {problem}")
        _fits(call, workflow)
        for asked, who in _asked(workflow):
            for name, level in asked.items():
                if _LEVELS[level] > _LEVELS[allowed.get(name, "none")]:
                    raise WorkflowError(
                        f"Error calling workflow '{call.uses}'. {who} is requesting '{name}: {level}', but is"
                        f" only allowed '{name}: {allowed.get(name, 'none')}'."
                    )
        return self._frame(workflow, home, allowed, depth)

    def _find(self, uses: str, home: str) -> tuple[bytes, str, str]:
        """The file, its path, and the repository it is in ("" is the run's own)."""
        if here := _HERE.match(uses):
            path = here[1]
        elif there := _REMOTE.match(uses):
            home, path = there[1], there[2]
            if home not in self._sources:
                raise WorkflowError(f"error parsing called workflow {uses}: repository not found")
        else:
            raise WorkflowError(
                f"invalid value workflow reference: '{uses}' is neither ./.github/workflows/FILE nor"
                " OWNER/REPOSITORY/.github/workflows/FILE@REF"
            )
        try:
            content = (self._sources[home] / path).read_bytes() if home else self._own()[path]
        except (KeyError, OSError):
            raise WorkflowError(f"error parsing called workflow {uses}: workflow was not found") from None
        return content, path, home


def entered(call: Call, frame: Frame, scope: Scope, caller: str, title: str) -> Frame:
    """A called workflow's frame as it begins: inputs and secrets evaluated where the caller stands.

    Args:
        scope: the caller's, its `secrets` context among the contexts.
        caller: the calling job's key within the run.
        title: the calling job's name.

    Raises:
        ExpressionError: a value fails.
        WorkflowError: a value is not of its input's type.
    """
    declared = frame.workflow.on["workflow_call"].inputs
    inputs: dict[str, Scalar] = {}
    for name, one in declared.items():
        value = render_value(call.with_.get(name, one.default), scope)
        text = as_text(value)
        if one.type == "boolean" and text not in {"", "true", "false"}:
            raise WorkflowError(f"the input '{name}' must be a boolean; it is '{text}'")
        if one.type == "number" and text and not isinstance(value, int | float):
            raise WorkflowError(f"the input '{name}' must be a number; it is '{text}'")
        inputs[name] = one.typed(text)
    secrets = None
    if call.secrets is not None:
        secrets = {name: render(value, scope) for name, value in call.secrets.items()}
    elif isinstance(given := scope.contexts["secrets"], Mapping):
        secrets = {name: value for name, value in given.items() if name != "GITHUB_TOKEN"}
    return Frame(
        frame.workflow, frame.calls, inputs, secrets, frame.allowed, prefix=f"{caller}/", title=f"{title} / "
    )


def _fits(call: Call, workflow: Workflow) -> None:
    """Whether a caller gives what a workflow takes."""
    declared = workflow.on.get("workflow_call")
    if declared is None:
        raise WorkflowError(
            f"error parsing called workflow {call.uses}: it is not reusable: on.workflow_call is missing"
        )
    if workflow.concurrency:
        raise WorkflowError(
            f"'concurrency' of the called workflow {call.uses} is not played by the embedded GitHub"
        )
    _given("Input", call.with_, {name: one.required for name, one in declared.inputs.items()})
    if call.secrets is not None:
        _given("Secret", call.secrets, declared.secrets)
        if any("GITHUB_TOKEN" in str(value) for value in call.secrets.values()):
            raise WorkflowError(f"{call.uses} is given GITHUB_TOKEN as a secret, which it has anyway")


def _given(kind: str, given: Mapping[str, Scalar], declared: Mapping[str, bool]) -> None:
    for name in given:
        if name not in declared:
            raise WorkflowError(f"Invalid {kind.lower()}, {name} is not defined in the referenced workflow.")
    for name, required in declared.items():
        if required and name not in given:
            raise WorkflowError(f"{kind} {name} is required, but not provided while calling.")


def _asked(workflow: Workflow) -> Iterator[tuple[Permissions, str]]:
    if workflow.permissions is not None:
        yield workflow.permissions, "The workflow"
    for key, job in workflow.jobs.items():
        if job.permissions is not None:
            yield job.permissions, f"The nested job '{key}'"
