"""How a project's tests run: by configuration, its own scripts, the model's word, or what its files show."""

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
        test: run what is appended to them; each file goes to the first that takes it.
        suite: all of them together are the whole suite.
        browser: run tests that drive a browser; empty: they run as others do.
        from_model: the model proposed them; the project and its configuration say nothing that works.
    """

    test: Sequence[Step]
    suite: Sequence[Step]
    from_model: bool = False
    browser: Sequence[Step] = ()

    @property
    def suite_text(self) -> str:
        """For the record."""
        return " && ".join(step.command for step in self.suite)

    def share(self, files: Sequence[str], facts: Facts) -> list[tuple[Step, tuple[str, ...]]]:
        """Which step runs which files; a file that none takes goes to the first."""
        shared: dict[Step, list[str]] = {}
        for file in files:
            steps = self.browser if self.browser and is_browser_test(file, facts.read) else self.test
            takers = [step for step in steps if _takes(step, file, facts)]
            # The innermost folder's: a package of a monorepo runs its own tests.
            taker = max(takers, key=lambda step: len(step.folder), default=steps[0])
            shared.setdefault(taker, []).append(file)
        return [(step, tuple(shared[step])) for step in (*self.test, *self.browser) if step in shared]


def find_commands(
    facts: Facts, config: LoopConfig, *, model_command: str = "", tried: bool = True
) -> Commands:
    """Configuration first, then the project's own scripts, then what the model proposed, then a guess.

    Args:
        facts: of the checkpoint: what the candidate adds decides nothing here.
        model_command: of `propose_features`.
        tried: on the untouched code it showed more than the guess did (`choice.py`): it takes the guess's
            place. Otherwise it is used only where there is nothing to guess from.
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
    """The model's steps in the place of the guesses about the same runner; what somebody wrote stays."""
    if not found:
        return list(models)
    names = {step.runner.name for step in models}
    # Whatever a command of another kind calls in the end, it runs the tests that were guessed at.
    every = bool(names - {runner.name for runner in RUNNERS[:-1]})
    # One JavaScript runner may turn out to be the right one where another was guessed.
    if any(isinstance(step.runner, JavaScript) for step in models):
        names |= {step.runner.name for step in found if isinstance(step.runner, JavaScript)}
    guesses = [step for step in found if step.guessed and (every or step.runner.name in names)]
    same = [(step.command, step.folder) for step in models] == [(one.command, one.folder) for one in guesses]
    if not guesses or same:
        return list(found)
    at = found.index(guesses[0])
    return [*found[:at], *models, *(step for step in found[at:] if step not in guesses)]


def detected(facts: Facts) -> list[Step]:
    """What the files themselves speak of; empty where they say nothing."""
    return [step for runner in RUNNERS for step in runner.detect(facts)]


def steps_of(command: str, facts: Facts, reports: tuple[str, ...] = ()) -> list[Step]:
    """The steps of a command: by way of `package.json`, `npm test` may be several.

    Args:
        reports: what `junit-reports` says of commands that no other runner knows.
    """
    known = {runner.name: type(runner) for runner in RUNNERS if isinstance(runner, JavaScript)}
    calls = calls_in(command, facts.packages)
    steps = [Step(known[call.runner](call.folder), call.text, call.folder) for call in calls]
    return steps or [step_of(command, facts, reports)]


def step_of(command: str, facts: Facts, reports: tuple[str, ...] = ()) -> Step:
    """A command and the first runner that recognises it."""
    runner = _runner(command, facts)
    inside = _IN_FOLDER.fullmatch(command)
    if inside and isinstance(runner, Go | Cargo):
        return Step(runner, inside[2], posixpath.normpath(inside[1]))
    if reports and runner is RUNNERS[-1]:
        return Step(JUnit(reports), command)
    return Step(runner, command)


def _runner(command: str, facts: Facts) -> Runner:
    # The last one recognises everything.
    return next(runner for runner in RUNNERS if runner.recognises(command, facts) or runner is RUNNERS[-1])


def _takes(step: Step, file: str, facts: Facts) -> bool:
    below = not step.folder or file.startswith(f"{step.folder}/")
    return below and step.runner.is_test_file(step.inner(file), facts)
