"""What a docker action's container is given."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from embedded_github.actions.workflow.expressions import Scope, render
from embedded_github.actions.workflow.metadata import ActionMeta


def container_arguments(
    meta: ActionMeta, values: Mapping[str, str], scope: Scope
) -> tuple[list[str], dict[str, str]]:
    """The arguments and the variables of its entrypoint.

    Args:
        meta: the action.
        values: its inputs.
        scope: of the step.
    """
    inner = Scope({**scope.contexts, "inputs": values}, scope.status)
    args = [render(one, inner) for one in meta.args]
    if "args" in values:
        args = shlex.split(values["args"])
    env = {name: render(value, inner) for name, value in meta.env.items()}
    env |= {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in values.items()}
    return args, env
