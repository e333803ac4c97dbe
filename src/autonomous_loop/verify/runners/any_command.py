"""Any command that writes JUnit XML to `AUTONOMOUS_LOOP_JUNIT`, or calls pytest in the end."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from autonomous_loop.verify.project.places import unseen
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.junit import JUNIT, Foreign, foreign_canaries
from autonomous_loop.verify.runners.pytest import options
from autonomous_loop.verify.runners.pytest_places import places


class AnyCommand(Foreign):
    """Implements `Runner`; asked last, for commands that no other runner recognises."""

    name = "command"
    blinds = "a hook, a plugin, an exit call, an option that chooses tests (pytest's -k and -m)"

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        canaries = foreign_canaries(step, files, facts, first=".py")
        planted = [canary.path for canary in canaries]
        told = planted if files else unseen(planted, places(step, facts))
        return Invocation(
            command=f'{step.command} "$@"',
            arguments=[*files, *told],
            environment={
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTEST_ADDOPTS": shlex.join(options(folders)),
                JUNIT: f"{folders.run}/report.xml",
            },
            canaries=canaries,
            reports=[f"{folders.run}/report.xml"],
        )

    def died_importing(self, output: str) -> str:
        """See `Runner`."""
        del output
        return ""
