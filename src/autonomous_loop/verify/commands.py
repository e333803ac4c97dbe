"""Finds the commands that run a project's tests.

They come from the configuration, the project's own scripts, the model, or a guess by the project's files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from autonomous_loop.config import LoopConfig
from autonomous_loop.verify.e2e import is_browser_test
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.runners import RUNNERS
from autonomous_loop.verify.runners.base import Runner, Step
from autonomous_loop.verify.runners.cargo import Cargo
from autonomous_loop.verify.runners.go import Go
from autonomous_loop.verify.runners.javascript import JavaScript
from autonomous_loop.verify.runners.junit import JUnit
from autonomous_loop.verify.runners.pytest import COMMAND as PYTEST
from autonomous_loop.verify.runners.script import calls_in

_IN_FOLDER = re.compile(r"\s*cd\s+([\w.-][\w./-]*)\s*&&\s*(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a project.

    Attributes:
        test: run the test files that are appended to them; each file goes to the first command that takes it.
        suite: all of them together run the whole suite.
        browser: run browser tests; if empty, browser tests run like all others.
        from_model: whether the model proposed them, because neither the project nor its configuration names a
            command that works.
    """

    test: Sequence[Step]
    suite: Sequence[Step]
    from_model: bool = False
    browser: Sequence[Step] = ()

    @property
    def suite_text(self) -> str:
        """The suite's commands as text for the record."""
        return " && ".join(step.command for step in self.suite)

    def share(self, files: Sequence[str], facts: Facts) -> list[tuple[Step, tuple[str, ...]]]:
        """Return which step runs which files; a file that no step takes goes to the first one."""
        shared: dict[Step, list[str]] = {}
        for file in files:
            steps = self.browser if self.browser and is_browser_test(file, facts.read) else self.test
            takers = [step for step in steps if _takes(step, file, facts)]
            # Choose the innermost folder: a package of a monorepo runs its own tests.
            taker = max(takers, key=lambda step: len(step.folder), default=steps[0])
            shared.setdefault(taker, []).append(file)
        return [(step, tuple(shared[step])) for step in (*self.test, *self.browser) if step in shared]


def find_commands(
    facts: Facts, config: LoopConfig, *, model_command: str = "", tried: bool = True
) -> Commands:
    """Use the configuration first, then the project's own scripts, the model's proposal, and a guess.

    Args:
        facts: facts about the checkpoint; nothing that the candidate adds counts here.
        model_command: the command from `propose_features`.
        tried: whether the model's command showed more than the guess on the untouched code
            (`command_choice.py`); then it replaces the guess. Otherwise it is used only if there is nothing
            to guess from.
    """
    from_model = False
    if config.test_command:
        test = steps_of(config.test_command, facts, config.junit_reports)
    else:
        found = detected(facts)
        models = steps_of(model_command, facts, config.junit_reports) if model_command else []
        test = _in_place(models, found) if tried or not found else found
        from_model = test != found
        test = test or steps_of(PYTEST, facts, config.junit_reports)
    browser = steps_of(config.e2e_command, facts, config.junit_reports) if config.e2e_command else []
    suite = [*test, *browser]
    if config.suite_command:
        suite = steps_of(config.suite_command, facts, config.junit_reports)
    return Commands(tuple(test), tuple(suite), from_model and not config.suite_command, tuple(browser))


def _in_place(models: Sequence[Step], found: Sequence[Step]) -> list[Step]:
    """Replace the guesses about the same runner with the model's steps; keep steps that somebody wrote."""
    if not found:
        return list(models)
    names = {step.runner.name for step in models}
    # A command of an unknown kind may call any runner in the end, so it replaces every guess.
    every = bool(names - {runner.name for runner in RUNNERS[:-1]})
    # If one JavaScript runner was guessed, another one may turn out to be right.
    if any(isinstance(step.runner, JavaScript) for step in models):
        names |= {step.runner.name for step in found if isinstance(step.runner, JavaScript)}
    guesses = [step for step in found if step.guessed and (every or step.runner.name in names)]
    same = [(step.command, step.folder) for step in models] == [(one.command, one.folder) for one in guesses]
    if not guesses or same:
        return list(found)
    at = found.index(guesses[0])
    return [*found[:at], *models, *(step for step in found[at:] if step not in guesses)]


def detected(facts: Facts) -> list[Step]:
    """Return the steps that the project's files suggest; empty if they suggest none."""
    return [step for runner in RUNNERS for step in runner.detect(facts)]


def steps_of(command: str, facts: Facts, reports: tuple[str, ...] = ()) -> list[Step]:
    """Return the steps of a command; through `package.json`, `npm test` may be several.

    Args:
        reports: the `junit-reports` patterns, for commands that no other runner knows.
    """
    known = {runner.name: type(runner) for runner in RUNNERS if isinstance(runner, JavaScript)}
    calls = calls_in(command, facts.packages)
    steps = [Step(known[call.runner](call.folder), call.text, call.folder) for call in calls]
    return steps or [step_of(command, facts, reports)]


def step_of(command: str, facts: Facts, reports: tuple[str, ...] = ()) -> Step:
    """Return a command with the first runner that recognises it."""
    runner = _runner(command, facts)
    inside = _IN_FOLDER.fullmatch(command)
    if inside and isinstance(runner, Go | Cargo):
        return Step(runner, inside[2], posixpath.normpath(inside[1]))
    if reports and runner is RUNNERS[-1]:
        return Step(JUnit(reports), command)
    return Step(runner, command)


def _runner(command: str, facts: Facts) -> Runner:
    # The last runner recognises everything.
    return next(runner for runner in RUNNERS if runner.recognises(command, facts) or runner is RUNNERS[-1])


def _takes(step: Step, file: str, facts: Facts) -> bool:
    below = not step.folder or file.startswith(f"{step.folder}/")
    return below and step.runner.is_test_file(step.inner(file), facts)
