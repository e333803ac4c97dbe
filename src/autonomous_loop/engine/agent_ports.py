"""The conversations with the model, and what they ask of the loop."""

from __future__ import annotations

from typing import Protocol

from autonomous_loop.domain.decision import NextStep
from autonomous_loop.domain.feature import FeatureList
from autonomous_loop.domain.proof import Submission, Verdict
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import CoderResult, HowTestsRun, Task, Turn


class Control(Protocol):
    """What a conversation asks of the loop between two turns."""

    async def after_turn(self, turn: Turn) -> NextStep:
        """Account for the turn; say what to do next."""

    async def submit(self, submission: Submission) -> Verdict:
        """Prove a submission; on acceptance it is kept before this returns."""

    async def remember(self, note: str) -> None:
        """Keep a note for later sessions."""

    def progress(self, step: str) -> None:
        """Show what is being done: one short line."""

    def seconds_left(self) -> float:
        """Until the session's deadline: no command may outlast it."""


class PlanControl(Control, Protocol):
    """The same for a conversation that makes a plan."""

    async def try_out(self, plan: FeatureList) -> str:
        """Run the plan's setup and tests on the untouched code; why it cannot be kept, empty where it can.

        Raises:
            UsageError: no plan could mend it.
        """


class Coder(Protocol):
    """The conversation on one feature."""

    async def work(self, task: Task, control: Control) -> CoderResult:
        """Work until accepted, out of submissions, given up, blocked or told to hand off.

        Raises:
            UsageLimitError, TransientError, ContextExhaustedError, RefusalError, CredentialError, ModelError
        """


class Planner(Protocol):
    """The conversation that turns a request into a feature list."""

    async def plan(
        self, request: Request, control: PlanControl, *, attempt: int, most: int, tests: HowTestsRun
    ) -> FeatureList:
        """A validated list that was tried out. FeatureListError: none, or none that holds, was proposed.

        Args:
            tests: how the loop would run them without a word of the planner's.
        """
