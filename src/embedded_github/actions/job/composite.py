"""A composite action: steps in a scope of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from embedded_github.actions.workflow.definition import Step
from embedded_github.actions.workflow.expressions import Scope, condition, render, render_value
from embedded_github.actions.workflow.metadata import ActionMeta
from embedded_github.actions.workflow.values import truthy

Run = Callable[[Step, Scope, Mapping[str, str], dict[str, str]], str]
"""Runs one step with more variables, puts its outputs where they belong, and says what became of it."""
_OUTSIDE = frozenset({"inputs", "steps", "secrets", "needs", "vars"})


class Composite:
    """One use of a composite action.

    Args:
        meta: the action.
        inputs: its inputs' values.
        run: runs a step.
        around: the contexts where it is used, as they are now; inputs, steps and secrets are not passed on.
    """

    def __init__(
        self,
        meta: ActionMeta,
        inputs: Mapping[str, str],
        run: Run,
        around: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._meta = meta
        self._inputs = inputs
        self._run = run
        self._around = around
        self._steps: dict[str, dict[str, Any]] = {}
        self._failed = False

    def play(self, *, cancelled: Callable[[], bool]) -> str:
        """Every step whose condition holds; success, failure or cancelled.

        Raises:
            ExpressionError, WorkflowError: a step that cannot be played as it is written.
        """
        for step in self._meta.steps:
            scope = self._scope(cancelled)
            outcome, outputs = "skipped", dict[str, str]()
            if condition(step.condition, scope):
                extra = {name: render(value, scope) for name, value in step.env.items()}
                outcome = self._run(step, scope, extra, outputs)
            tolerated = outcome == "failure" and truthy(render_value(step.continue_on_error, scope))
            self._failed |= outcome == "failure" and not tolerated
            if step.id:
                conclusion = "success" if tolerated else outcome
                self._steps[step.id] = {"outputs": outputs, "outcome": outcome, "conclusion": conclusion}
        return "cancelled" if cancelled() else "failure" if self._failed else "success"

    def outputs(self) -> dict[str, str]:
        """The action's, from its steps'."""
        scope = self._scope(lambda: False)
        values = {name: render(value, scope) for name, value in self._meta.outputs.items()}
        return {name: value for name, value in values.items() if value}

    def _scope(self, cancelled: Callable[[], bool]) -> Scope:
        around = self._around()
        contexts = {name: value for name, value in around.items() if name not in _OUTSIDE}
        contexts["github"] = {**around["github"], "action_path": str(self._meta.folder)}
        contexts |= {"inputs": self._inputs, "steps": self._steps}
        return Scope(
            contexts,
            {
                "success": lambda: not self._failed and not cancelled(),
                "failure": lambda: self._failed and not cancelled(),
                "cancelled": cancelled,
                "always": lambda: True,
            },
        )
