"""Decides which loops and waiting issues may run now, within the repository's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from autonomous_loop.ci.job import Job
from autonomous_loop.config import ContinuationMode, LoopConfig
from autonomous_loop.domain.answers import wants_stop
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.model import LoopId
from autonomous_loop.domain.queue import (
    Room,
    Stand,
    Standing,
    Turn,
    Wait,
    Waiting,
    asked_again,
    matrix,
    must_wait,
    spent_on,
    stand,
)
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.trigger import choose_loop, issue_of
from autonomous_loop.errors import AccessError, ForgeError, LoopError
from autonomous_loop.github.access import Access
from autonomous_loop.github.client import translated
from autonomous_loop.github.closing import closing_of
from autonomous_loop.github.comments import CommentInbox
from autonomous_loop.github.runs import GitHubClaimants
from autonomous_loop.github.thread import Thread
from autonomous_loop.wiring.session import configuration

MOST_ISSUES = 100
"""Maximum labelled issues checked in one run; each takes two requests."""
GOES_ON_BY_ITSELF = frozenset({ContinuationMode.AUTO, ContinuationMode.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Plan:
    """The sessions a schedule starts.

    Attributes:
        turns: one job each.
        wait: why nothing else starts now.
        notes: for the log: what was refused or could not be read.
    """

    turns: Sequence[Turn]
    wait: Wait | None
    notes: Sequence[str]


class LoopQueue:
    """The loops of one repository.

    Args:
        config: configuration at the default branch's head; it sets the repository's limits.
        overrides: keys that take precedence over each loop's own configuration.
        now: a clock.
        tidy: remove labels that were added without write access.
    """

    def __init__(
        self,
        job: Job,
        config: LoopConfig,
        access: Access,
        *,
        overrides: Mapping[str, object],
        tidy: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._job = job
        self._config = config
        self._access = access
        self._overrides = overrides
        self._tidy = tidy
        self._now = now
        self._claimants = GitHubClaimants(job.repository, job.facts)
        self._room = Room(usd=config.max_usd_per_day, loops=config.max_open_loops)
        self._records: dict[LoopId, LoopRecord] = {}
        self._spent = 0.0
        self.notes: list[str] = []

    def plan(self) -> Plan:
        """Return what may start now, oldest first; remove labels added by people who may not start a loop.

        Raises:
            ForgeError: GitHub does not answer.
        """
        standings = [self._still_due(one) for one in self._read()]
        waiting = self._waiting(standings)
        turns, wait = matrix(standings, waiting, spent_today=self._spent, room=self._room, now=self._now())
        return Plan(turns, wait, tuple(self.notes))

    def wait_of(self, loop: LoopId) -> Wait | None:
        """Return why a session of this loop may not start now; None if there is room."""
        standings = self._read()
        wait = must_wait(loop, standings, spent_today=self._spent, room=self._room, now=self._now())
        if wait is None or self._spent >= self._room.usd:
            return wait
        # Check for closed loops before making this one wait: their journals stay open until cleanup.
        standings = [one for one in standings if self._closed(one.loop, one.issue) is None]
        return must_wait(loop, standings, spent_today=self._spent, room=self._room, now=self._now())

    def stand(self, record: LoopRecord) -> Stand:
        """Return what the loop waits for, according to its own configuration."""
        config = self._own_configuration(record)
        last = record.sessions[-1] if record.sessions else None
        headless = last if last is not None and last.ended is None else None
        alive = headless is not None and self._claimants.is_alive(headless.claimant)
        cancelled = False
        if headless is not None and not alive:
            before = headless.started + timedelta(minutes=config.session_minutes)
            try:
                cancelled = self._claimants.was_cancelled(headless.claimant, before=before)
            except ForgeError:
                cancelled = True  # GitHub cannot tell, as for a deleted run; a person may have stopped it
        return stand(
            record,
            alive=alive,
            cancelled=cancelled,
            by_itself=config.continuation in GOES_ON_BY_ITSELF,
            allow_unsigned=config.allow_unsigned,
            limits=config.limits_with(record.budget_usd),
            now=self._now(),
        )

    def stopped(self, loop: LoopId, record: LoopRecord) -> bool:
        """Whether a person stopped it while no session ran, by a comment or by removing the label."""
        thread = Thread(
            self._job.repository,
            loop=loop,
            issue=_issue(loop, record),
            head=f"{self._config.branch_prefix}/{loop}/pr",
            own_login=self._job.login,
            pull_request=record.pull_request,
        )
        since = record.sessions[-1].started
        inbox = CommentInbox(thread, self._access, label=self._config.label, since=since)
        return wants_stop(inbox.poll(consumed=record.consumed))

    # --- reading ------------------------------------------------------------------------------------------

    def _read(self) -> list[Standing]:
        today, self._spent = self._now().astimezone(UTC).date(), 0.0
        self._records = {}
        standings = []
        for loop in self._job.names(self._config):
            journal = self._job.journal(loop, self._config)
            try:
                record = journal.read()
            except LoopError as error:  # the loop's own session reports it; go on with the others
                self.notes.append(f"{loop}: {error.message}")
                continue
            if record is None or not record.sessions:
                continue
            self._records[loop] = record
            self._spent += spent_on(today, journal.entries())
            began = record.sessions[0].started
            standings.append(Standing(loop, _issue(loop, record), self.stand(record), began))
        return standings

    def _own_configuration(self, record: LoopRecord) -> LoopConfig:
        try:
            return configuration(self._job.git, record.facts.base, overrides=self._overrides)
        except LoopError:
            return self._config

    def _closed(self, loop: LoopId, issue: int) -> str | None:
        found = closing_of(self._job.repository, issue=issue, pull_request=self._records[loop].pull_request)
        return str(found) if found else None

    def _still_due(self, one: Standing) -> Standing:
        """Check for a stop or a closing that no session was running to notice."""
        if one.stand is not Stand.DUE:
            return one
        why = self._closed(one.loop, one.issue)
        if why is None and not self.stopped(one.loop, self._records[one.loop]):
            return one
        self.notes.append(f"{one.loop}: {why or 'a person stopped it'}")
        return Standing(one.loop, one.issue, Stand.OVER, one.began)

    # --- issues -------------------------------------------------------------------------------------------

    def _waiting(self, standings: Sequence[Standing]) -> list[Waiting]:
        at_work = {one.issue for one in standings if one.stand is not Stand.OVER}
        with translated("looking for labelled issues"):
            found = self._job.repository.get_issues(
                state="open", labels=[self._config.label], sort="created", direction="asc"
            )
            issues = list(islice((one.number for one in found if one.pull_request is None), MOST_ISSUES))
        made = (self._waits(issue) for issue in issues if issue not in at_work)
        return [one for one in made if one is not None]

    def _waits(self, issue: int) -> Waiting | None:
        label = self._config.label
        try:
            labelled = self._access.labelled(issue, label)
            # A missing answer is no refusal, so the label stays for the next run.
            if not self._access.may_write(labelled.actor, labelled.kind):
                who = labelled.actor or "an account that is gone"
                self.notes.append(f"#{issue}: labelled by {who}, who may not ask")
                if self._tidy:
                    self._access.remove_label(issue, label)
                return None
        except (AccessError, ForgeError) as error:
            self.notes.append(f"#{issue}: {error.message}")
            return None
        mine = {loop: one for loop, one in self._records.items() if _issue(loop, one) == issue}
        if not asked_again(mine, labelled.at):
            return None
        return Waiting(
            choose_loop(issue, {loop: is_over(one) for loop, one in mine.items()}), issue, labelled.at
        )


def is_over(record: LoopRecord) -> bool:
    """Whether a label starts another loop, because this one is complete or was closed."""
    last = record.sessions[-1] if record.sessions else None
    return record.closed is not None or (last is not None and last.reason is HandoffReason.COMPLETE)


def _issue(loop: LoopId, record: LoopRecord) -> int:
    return record.facts.request.issue or issue_of(loop) or 0
