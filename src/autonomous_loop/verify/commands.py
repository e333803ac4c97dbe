"""How a project's tests run: by its configuration, by what its files show, or as the model proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autonomous_loop.config import LoopConfig
from autonomous_loop.verify.runners import RUNNERS
from autonomous_loop.verify.runners.base import Runner, Step
from autonomous_loop.verify.runners.pytest import COMMAND as PYTEST
from autonomous_loop.verify.tree_facts import Facts


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a project.

    Attributes:
        test: run what is appended to them; each file goes to the first that takes it.
        suite: all of them together are the whole suite.
        from_model: the model proposed them; the project and its configuration say nothing.
    """

    test: Sequence[Step]
    suite: Sequence[Step]
    from_model: bool = False

    @property
    def suite_text(self) -> str:
        """For the record."""
        return " && ".join(step.command for step in self.suite)

    def share(self, files: Sequence[str], facts: Facts) -> list[tuple[Step, tuple[str, ...]]]:
        """Which step runs which files; a file that none takes goes to the first."""
        shared: dict[int, list[str]] = {}
        for file in files:
            takers = [at for at, step in enumerate(self.test) if _takes(step, file, facts)]
            shared.setdefault(takers[0] if takers else 0, []).append(file)
        return [(self.test[at], tuple(shared[at])) for at in sorted(shared)]


def find_commands(facts: Facts, config: LoopConfig, *, model_command: str = "") -> Commands:
    """Configuration first, then what the base shows, then what the model proposed.

    Args:
        facts: of the checkpoint: what the candidate adds decides nothing here.
        model_command: of `propose_features`.
    """
    from_model = False
    if config.test_command:
        test = [step_of(config.test_command, facts)]
    else:
        test = [step for runner in RUNNERS for step in runner.detect(facts)]
        if not test:
            from_model = bool(model_command)
            test = [step_of(model_command or PYTEST, facts)]
    suite = [step_of(config.suite_command, facts)] if config.suite_command else test
    return Commands(tuple(test), tuple(suite), from_model and not config.suite_command)


def step_of(command: str, facts: Facts) -> Step:
    """A command and the first runner that recognises it."""
    return Step(_runner(command, facts), command)


def _runner(command: str, facts: Facts) -> Runner:
    # The last one recognises everything.
    return next(runner for runner in RUNNERS if runner.recognises(command, facts) or runner is RUNNERS[-1])


def _takes(step: Step, file: str, facts: Facts) -> bool:
    below = not step.folder or file.startswith(f"{step.folder}/")
    return below and step.runner.is_test_file(step.inner(file), facts)
