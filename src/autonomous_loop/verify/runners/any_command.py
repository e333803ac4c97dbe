"""Any command that writes JUnit XML where `AUTONOMOUS_LOOP_JUNIT` says, or calls pytest in the end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from autonomous_loop.verify.report import Case
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.pytest import asked, canary_of, junit_cases, options, told
from autonomous_loop.verify.tree_facts import Facts

JUNIT = "AUTONOMOUS_LOOP_JUNIT"


class AnyCommand:
    """Implements `Runner`: the last one asked, for whatever no other recognises."""

    name = "command"

    def recognises(self, command: str, facts: Facts) -> bool:
        """See `Runner`."""
        del facts
        return bool(command.strip())

    def detect(self, facts: Facts) -> Sequence[Step]:
        """See `Runner`: it is never guessed."""
        del facts
        return []

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`."""
        return path in facts.test_files

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        canary = canary_of(step, files, facts)
        where = [*files, *asked(step, facts)]
        python = not where or any(path.endswith(".py") or "." not in path for path in where)
        return Invocation(
            command=f'{step.command} "$@"',
            arguments=told(step, files, facts, canary) if python else [*files],
            environment={
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTEST_ADDOPTS": shlex.join(options(folders)),
                JUNIT: f"{folders.run}/report.xml",
            },
            canaries=[canary],
            reports=[f"{folders.run}/report.xml"],
        )

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        del facts, step
        return junit_cases(reports)

    def died_importing(self, output: str) -> str:
        """See `Runner`."""
        del output
        return ""
