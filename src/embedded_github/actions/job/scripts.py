"""A `run:` step as a command, by the shells GitHub has on Linux."""

from __future__ import annotations

from pathlib import Path

from embedded_github.actions.job.environment import Folders
from embedded_github.actions.workflow.definition import Step, WorkflowError
from embedded_github.actions.workflow.expressions import Scope, render

_SHELLS = {
    # What a step without `shell:` gets, and what `shell: bash` gets, differ in pipefail.
    "": ["bash", "-e"],
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
    "sh": ["sh", "-e"],
}


def script(
    step: Step, scope: Scope, folders: Folders, name: str, *, shell: str = "", working_directory: str = ""
) -> tuple[list[str], Path]:
    """The command, and where it starts.

    Args:
        name: of the script's file, unique in the job.
        shell: where the step names none.
        working_directory: the same.

    Raises:
        ExpressionError: the script's or the folder's text fails.
        WorkflowError: there is no such folder.
    """
    file = folders.temp / f"{name}.sh"
    file.write_text(render(step.run, scope), encoding="utf-8")
    folder = render(step.working_directory or working_directory, scope)
    cwd = folders.workspace / folder
    if not cwd.is_dir():
        raise WorkflowError(f"the working directory '{folder}' does not exist")
    return [*_SHELLS[step.shell or shell], str(file)], cwd
