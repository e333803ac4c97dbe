"""How a project's tests run: by its configuration, by what its files show, or as the model proposed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from autonomous_loop.config import LoopConfig
from autonomous_loop.verify.e2e import is_browser_test
from autonomous_loop.verify.runners import RUNNERS
from autonomous_loop.verify.runners.base import Runner, Step
from autonomous_loop.verify.runners.cargo import Cargo
from autonomous_loop.verify.runners.go import Go
from autonomous_loop.verify.runners.javascript import JavaScript
from autonomous_loop.verify.runners.junit import JUnit
from autonomous_loop.verify.runners.pytest import COMMAND as PYTEST
from autonomous_loop.verify.runners.script import calls_in
from autonomous_loop.verify.tree_facts import Facts

_IN_FOLDER = re.compile(r"\s*cd\s+([\w.-][\w./-]*)\s*&&\s*(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a project.

    Attributes:
        test: run what is appended to them; each file goes to the first that takes it.
        suite: all of them together are the whole suite.
        browser: run tests that drive a browser; empty: they run as others do.
        from_model: the model proposed them; the project and its configuration say nothing.
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


def find_commands(facts: Facts, config: LoopConfig, *, model_command: str = "") -> Commands:
    """Configuration first, then what the base shows, then what the model proposed.

    Args:
        facts: of the checkpoint: what the candidate adds decides nothing here.
        model_command: of `propose_features`.
    """
    from_model = False
    if config.test_command:
        test = steps_of(config.test_command, facts, config.junit_reports)
    else:
        test = detected(facts)
        if not test:
            from_model = bool(model_command)
            test = steps_of(model_command or PYTEST, facts, config.junit_reports)
    browser = steps_of(config.e2e_command, facts, config.junit_reports) if config.e2e_command else []
    suite = [*test, *browser]
    if config.suite_command:
        suite = steps_of(config.suite_command, facts, config.junit_reports)
    return Commands(tuple(test), tuple(suite), from_model and not config.suite_command, tuple(browser))


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
