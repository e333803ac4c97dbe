"""Any command that writes JUnit XML where `AUTONOMOUS_LOOP_JUNIT` says, or calls pytest in the end."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.junit import JUNIT, Foreign, foreign_canaries
from autonomous_loop.verify.runners.pytest import asked, options
from autonomous_loop.verify.tree_facts import Facts


class AnyCommand(Foreign):
    """Implements `Runner`: the last one asked, for whatever no other recognises."""

    name = "command"

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        canaries = foreign_canaries(step, files, facts, first=".py")
        # A command that is told where to look sees the canary only if told of it too; a script is not that.
        scripts = facts.every_path - frozenset(facts.test_files)
        told = [word for word in asked(step, facts) if word not in scripts]
        seen = [canary.path for canary in canaries] if files or told else []
        return Invocation(
            command=f'{step.command} "$@"',
            arguments=[*files, *seen],
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
