"""Detects a run on untouched code that shows only a broken environment, not the project."""

from __future__ import annotations

import re

from autonomous_loop.errors import ConfigurationError
from autonomous_loop.verify.comparison import third_party
from autonomous_loop.verify.execution.running import RunResult
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.report import Case

MEND = "set setup, test-command or suite-command for autonomous-loop in this project."
# The module was found and loaded, so the missing name is only not written yet.
_NO_SUCH_NAME = re.compile(r"cannot import name '[^']+' from (?:partially initialized module )?'([\w.]+)'")
_SHOWN = 5


def refuse_none(result: RunResult, facts: Facts) -> None:
    """Raise unless the run is usable as a baseline.

    Raises:
        ConfigurationError: the run is no baseline; the message says why.
    """
    if why := why_none(result, facts):
        raise ConfigurationError(
            f"the project's own suite cannot be run on its untouched code. {why}", hint=MEND
        )


def why_none(result: RunResult, facts: Facts) -> str:
    """Return why a whole run on untouched code is no baseline; empty if it is one.

    It is none if the run itself cannot be trusted, if it holds no test although there are tests, or if
    nothing passes and nothing can even be loaded (`0 passed, 6 errors`).
    """
    if result.faults:
        return result.faults[0].text
    if result.by_exit_code:
        return ""
    command = result.run.command
    if not all(is_unloaded(case) for case in result.cases if case.outcome != "skipped"):
        return ""
    broken = [case for case in result.cases if is_unloaded(case)]
    if not broken or any(_is_to_be_written(case, facts) for case in broken):
        return ""  # all skipped, or the project's own code was loaded
    shown = "\n".join(f"- {case.id}: {_error(case)}" for case in broken[:_SHOWN])
    return f"{command}: no test passes, and {len(broken)} cannot be loaded:\n{shown}"


def is_unloaded(case: Case) -> bool:
    """Return whether a case is a file that cannot be loaded, or fails because of a failing import."""
    return case.failing and (case.id == case.file or case.import_fault)


def _is_to_be_written(case: Case, facts: Facts) -> bool:
    """Return whether a test imports a name that a module of the project does not have yet."""
    modules = _NO_SUCH_NAME.findall(case.text)
    return bool(modules) and not third_party(modules, facts.paths)


def _error(case: Case) -> str:
    raised = [line[2:].strip() for line in case.text.splitlines() if line.startswith("E ")]
    return " ".join((raised[-1] if raised else case.message or "it fails").split())[:300]
