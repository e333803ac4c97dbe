"""Setup and baseline, which every proof needs. Both are tried before a plan is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from autonomous_loop.domain.events import BaselineTaken
from autonomous_loop.domain.feature import FeatureList
from autonomous_loop.domain.proof import Baseline, oversized
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.engine.attempt import Workbench
from autonomous_loop.errors import ConfigurationError, SandboxCallError, UsageError

_CANNOT_SET_UP = "mend the setup command in the configuration (`setup`), or what it needs."


class Groundwork:
    """Prepares a fresh clone, and takes the baseline of the untouched code once per loop.

    Args:
        bench: all connected parts.
        run: runs a setup command in the work tree, in the sandbox; returns None for an empty command.
    """

    def __init__(self, bench: Workbench, *, run: Callable[[str], Awaitable[CommandResult | None]]) -> None:
        self._bench = bench
        self._run = run
        self._is_laid = False

    @property
    def needs_no_plan(self) -> bool:
        """Whether the configuration already says everything a plan would."""
        config = self._bench.config
        return bool(config.setup and config.test_command)

    async def try_out(self, plan: FeatureList) -> Baseline:
        """Take the baseline as later sessions would: fresh clone, the plan's setup, its tests.

        Raises:
            UsageError: the setup fails twice, or the suite cannot be run; the message shows why.
        """
        await self._bench.verifier.open_afresh(self._bench.journal.record().checkpoint)
        self._is_laid = False
        if failed := await self._set_up(plan):
            raise UsageError(failed, hint=_CANNOT_SET_UP)
        made = await self._baseline(plan)
        self._is_laid = True
        return made

    async def lay(self) -> None:
        """Prepare this session's clone, and take the baseline if there is none. Does nothing after `try_out`.

        Raises:
            UsageError: the setup fails twice, or the suite cannot be run. Nothing can be proved without them.
            SandboxCallError: the setup worked in an earlier session, so the environment is at fault.
        """
        if self._is_laid:
            return
        record = self._bench.journal.record()
        assert record.features is not None
        if failed := await self._set_up(record.features):
            raise (UsageError if record.baseline is None else SandboxCallError)(failed, hint=_CANNOT_SET_UP)
        if record.baseline is None:
            baseline = await self._baseline(record.features)
            self._bench.journal.append([BaselineTaken(baseline=baseline)])

    async def _set_up(self, plan: FeatureList) -> str:
        """Run the setup. Return why it fails; empty if it works."""
        command = self._bench.config.setup or plan.setup
        self._bench.progress.step("setting the project up")
        done = await self._run(command)
        if done is not None and done.exit_code != 0:
            self._bench.progress.step("the setup failed: once more")
            done = await self._run(command)
        if done is None or done.exit_code == 0:
            return ""
        how = "no end in time" if done.exit_code is None else str(done.exit_code)
        return f"the setup failed ({how}): {self._bench.reporter.redact(done.text[-1_500:])}"

    async def _baseline(self, plan: FeatureList) -> Baseline:
        self._bench.progress.step("baseline: the project's own suite, twice")
        checkpoint = self._bench.journal.record().checkpoint
        baseline = await self._bench.verifier.baseline(checkpoint, proposed=plan.test_command)
        if too_much := oversized(baseline):
            raise ConfigurationError(too_much, hint="set suite-command to what a feature may break.")
        for gate in baseline.gates:
            if gate.why_not:
                self._bench.progress.step(gate.why_not)
        return baseline
