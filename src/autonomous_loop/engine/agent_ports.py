"""Ports for the conversations with the model, and for what these conversations need from the loop."""

from __future__ import annotations

from typing import Protocol

from autonomous_loop.domain.decision import NextStep
from autonomous_loop.domain.feature import FeatureList
from autonomous_loop.domain.proof import Submission, Verdict
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import CoderResult, HowTestsRun, Task, Turn


class Control(Protocol):
    """The loop's side of a conversation. The conversation calls it between turns."""

    async def after_turn(self, turn: Turn) -> NextStep:
        """Account for the turn and return what to do next."""

    async def submit(self, submission: Submission) -> Verdict:
        """Prove a submission. An accepted submission is kept before this returns."""

    async def remember(self, note: str) -> None:
        """Store a note for later sessions."""

    def progress(self, step: str) -> None:
        """Show the current step in one short line."""

    def seconds_left(self) -> float:
        """Return the seconds until the session's deadline. No command may run past it."""


class PlanControl(Control, Protocol):
    """The loop's side of a planning conversation."""

    async def try_out(self, plan: FeatureList) -> str:
        """Run the plan's setup and tests on the untouched code.

        Returns:
            Why the plan cannot be kept; empty if it can.

        Raises:
            UsageError: no plan could fix the problem.
        """


class Coder(Protocol):
    """Holds the conversation about one feature."""

    async def work(self, task: Task, control: Control) -> CoderResult:
        """Work until accepted, out of submissions, given up, blocked or told to hand off.

        Raises:
            UsageLimitError, TransientError, ContextExhaustedError, RefusalError, CredentialError, ModelError
        """


class Planner(Protocol):
    """Holds the conversation that turns a request into a feature list."""

    async def plan(
        self, request: Request, control: PlanControl, *, attempt: int, most: int, tests: HowTestsRun
    ) -> FeatureList:
        """Return a validated list that was tried out.

        Args:
            tests: how the loop would run the tests if the planner said nothing about it.

        Raises:
            FeatureListError: the model proposed no list, or no valid one.
        """
