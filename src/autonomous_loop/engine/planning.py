"""Makes the feature list from the request, and adds later requests to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Added, BaselineTaken, Event, Planned, Spent
from autonomous_loop.domain.feature import FeatureList
from autonomous_loop.domain.late_requests import direct, joined, request_of
from autonomous_loop.domain.proof import Baseline
from autonomous_loop.domain.record import PLANNING
from autonomous_loop.domain.request import Request
from autonomous_loop.engine.attempt import Conversation, Workbench
from autonomous_loop.engine.groundwork import Groundwork
from autonomous_loop.engine.orchestrator import RESERVE, FeatureResult, fault_of
from autonomous_loop.engine.ports import Planner
from autonomous_loop.engine.recovery import ErrorRecoverer
from autonomous_loop.errors import FeatureListError, LoopError, UsageError


@dataclass(frozen=True, slots=True)
class _Asked:
    """The result of a planning conversation. It is not journaled yet."""

    result: FeatureResult
    made: FeatureList | None
    spent: Spent
    baseline: Baseline | None


class PlanningFailed(Exception):  # noqa: N818 - never seen outside
    """The planner produced no list. The cost of the conversation is not journaled yet."""

    def __init__(self, error: FeatureListError, spent: Spent) -> None:
        super().__init__(str(error))
        self.error = error
        self.spent = spent


class Planning(Conversation):
    """The loop's side of a planning conversation. Implements all of `PlanControl`.

    Args:
        groundwork: tries plans out; None if setup and baseline already exist, since later features keep them.
    """

    def __init__(self, bench: Workbench, *, number: int, groundwork: Groundwork | None) -> None:
        super().__init__(bench, subject=PLANNING, number=number, reserved=RESERVE)
        self._groundwork = groundwork
        self.baseline: Baseline | None = None

    async def try_out(self, plan: FeatureList) -> str:
        """See `PlanControl`."""
        if self._groundwork is None or self._groundwork.needs_no_plan:
            return ""
        try:
            self.baseline = await self._groundwork.try_out(plan)
        except UsageError as error:
            self.progress("the plan does not work: the planner is told")
            return self._bench.reporter.redact(error.message)
        return ""


class ListMaker:
    """Makes the feature list and extends it.

    Args:
        bench: all connected parts.
        planner: holds the conversation.
        groundwork: tries the list's commands before the list is kept.
        recoverer: decides what an error means for the session.
    """

    def __init__(
        self, bench: Workbench, *, planner: Planner, groundwork: Groundwork, recoverer: ErrorRecoverer
    ) -> None:
        self._bench = bench
        self._planner = planner
        self._groundwork = groundwork
        self._recoverer = recoverer

    async def plan(self, imported: FeatureList | None) -> FeatureResult:
        """Make or import the feature list and journal it.

        Raises:
            FeatureListError: there is no valid list.
        """
        result = FeatureResult(settled=True)
        if imported is not None:
            self._write_down(imported, imported=True)
        else:
            result = await self._ask_for_plan()
        self._bench.progress.update(self._bench.journal.record(), Spending())
        return result

    def _write_down(
        self, made: FeatureList | None, *before: Event, imported: bool, baseline: Baseline | None = None
    ) -> None:
        events = list(before)
        if made is not None:
            self._bench.journal.set_features(made)
            events.append(Planned(features=len(made.features), imported=imported))
            # In one commit with the plan, so that no session finds one without the other.
            events += [BaselineTaken(baseline=baseline)] if baseline else []
        self._bench.journal.append(events)

    async def _ask_for_plan(self) -> FeatureResult:
        record = self._bench.journal.record()
        number = len(record.attempts_at(PLANNING)) + 1
        most = self._bench.config.max_features
        try:
            asked = await self._asked(record.facts.request, number=number, most=most, tries=True)
        except PlanningFailed as failed:
            self._write_down(None, failed.spent, imported=False)
            raise failed.error from None
        self._write_down(asked.made, asked.spent, imported=False, baseline=asked.baseline)
        return asked.result

    async def plan_late(self) -> FeatureResult:
        """Turn requests made while the loop ran into features of the same list.

        If the planner fails, each request becomes one feature as it is, so no request is lost.
        """
        record = self._bench.journal.record()
        assert record.features is not None
        wishes = [record.wishes[one] for one in record.waiting]
        room = max(1, self._bench.config.max_features - record.total)
        number = record.plans + len(record.attempts_at(PLANNING)) + 1
        request = request_of(wishes, record.features, title=record.facts.request.title)
        late, made, spent = FeatureResult(settled=True), None, Spent(what=PLANNING, spending=Spending())
        try:
            asked = await self._asked(request, number=number, most=room, tries=False)
            late, made, spent = asked.result, asked.made, asked.spent
        except PlanningFailed as failed:
            spent = failed.spent
        events: list[Event] = [spent]
        if late.over is None:
            more = list(made.features) if made else []
            if not more:
                taken = {one.id for one in record.features.features}
                for wish in wishes[:room]:
                    more.append(direct(wish, taken))
                    taken.add(more[-1].id)
            features, added = joined(record.features, more)
            self._bench.journal.set_features(features)
            events.append(Added(features=tuple(one.id for one in added), wishes=record.waiting))
        self._bench.journal.append(events)
        self._bench.progress.update(self._bench.journal.record(), Spending())
        return late

    async def _asked(self, request: Request, *, number: int, most: int, tries: bool) -> _Asked:
        """Hold a planning conversation. The caller must still journal its cost.

        Args:
            tries: try the list's commands out.

        Raises:
            PlanningFailed: the planner produced no list.
        """
        record = self._bench.journal.record()
        control = Planning(self._bench, number=number, groundwork=self._groundwork if tries else None)
        self._bench.journal.append([control.started()])
        self._bench.progress.step("planning: the request becomes a feature list")
        result, made = FeatureResult(settled=True), None
        failed: FeatureListError | None = None
        try:
            async with asyncio.timeout(self._bench.watch.seconds_left()):
                tests = await self._bench.verifier.how_tests_run(record.checkpoint)
                made = await self._planner.plan(request, control, attempt=number, most=most, tests=tests)
        except TimeoutError:
            result = FeatureResult(over=HandoffReason.TIME, note="planning did not end in this session")
        except FeatureListError as error:
            failed = error
        except UsageError:
            self._bench.journal.append([self._spent(control)])
            raise
        except LoopError as error:
            result = (
                FeatureResult(over=control.over)
                if control.over
                else fault_of(error, self._recoverer, self._bench.reporter)
            )
        except BaseException:
            self._bench.journal.append([self._spent(control)])
            raise
        # The planner may have changed files while trying things out. Features start from untouched code.
        await self._bench.workspace.switch(self._bench.trees.tree_of(record.checkpoint))
        if failed is not None:
            raise PlanningFailed(failed, self._spent(control))
        return _Asked(result, made, self._spent(control), control.baseline)

    def _spent(self, control: Conversation) -> Spent:
        return Spent(what=PLANNING, spending=control.spent, recovered=control.recovered)
