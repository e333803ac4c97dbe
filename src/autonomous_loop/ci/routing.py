"""Decides which loop an event is about, and whether its sender may start it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from autonomous_loop.ci.job import Job
from autonomous_loop.ci.queue import LoopQueue, is_over
from autonomous_loop.config import ContinuationMode, LoopConfig
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.model import CommitSha, LoopId
from autonomous_loop.domain.queue import Stand, Turn, asked_again
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.trigger import (
    Activity,
    Asked,
    Checked,
    Continue,
    Ignore,
    Pushed,
    Queue,
    Reviewed,
    Start,
    StartFile,
    choose_loop,
    issue_of,
)
from autonomous_loop.errors import AccessError, AccessUnknown, LoopError
from autonomous_loop.github import content, trigger
from autonomous_loop.github.access import Access
from autonomous_loop.github.client import WORKFLOW_BOT
from autonomous_loop.github.closing import Closing, closing_of
from autonomous_loop.github.request_file import FileIssues, RequestFile, safe_path
from autonomous_loop.github.runs import made_at
from autonomous_loop.wiring.local_request import request_of


@dataclass(frozen=True, slots=True)
class Route:
    """The loop whose next session this job runs.

    Attributes:
        issue: the issue it works on.
        pin: the generation before the one a dispatch names; None when a person or event started this.
        pin_state: the journal commit that the dispatch saw.
    """

    loop: LoopId
    issue: int
    request: Request
    pin: int | None = None
    pin_state: CommitSha | None = None


class EventRouter:
    """Routes the event of one job.

    Args:
        config: configuration at the default branch's head.
        base: that head.
        access: asked before any work begins.
        fleet: decides what a schedule starts.
        turn: the session that the workflow assigns to this job, from `plan`'s matrix.
        request_file: the workflow's request file, used if the event names nothing; empty: none.
    """

    def __init__(
        self,
        job: Job,
        config: LoopConfig,
        access: Access,
        fleet: LoopQueue,
        *,
        base: CommitSha,
        turn: Turn | None = None,
        request_file: str = "",
    ) -> None:
        self._job = job
        self._config = config
        self._access = access
        self._fleet = fleet
        self._base = base
        self._turn = turn
        self._file = request_file
        self._files = FileIssues(job.repository, own_login=job.login, server_url=job.facts.server_url)

    def choose(self) -> Route | Ignore:
        """Decide what this job's event leads to.

        Raises:
            ForgeError: GitHub does not answer.
            RequestError: the request file does not exist.
        """
        facts = self._job.facts
        doing = trigger.activity(facts.event_name, facts.event, self._config)
        turn = self._turn
        if turn is None and self._file:
            doing = self._or_file(doing)
        if turn is None and isinstance(doing, Queue):
            plan = self._fleet.plan()
            if not plan.turns:
                return Ignore("; ".join(plan.notes) or "nothing waits")
            turn = plan.turns[0]
        if facts.run_attempt > 1:
            # A re-run keeps the first run's actor, so check the person who started it again. Keep the label:
            # that person did not add it, and removing it would stop the loop.
            try:
                self._access.require_writer(facts.triggering_actor)
            except AccessError as error:
                return Ignore(str(error))
        try:
            return self._taken(turn) if turn else self._chosen(doing)
        except AccessError as error:
            # A missing answer is no refusal, so the label stays for the next run.
            if turn is None and not isinstance(error, AccessUnknown):
                self._refuse(doing)
            return Ignore(str(error))

    def _chosen(  # noqa: PLR0911 - one line an event reads best
        self, doing: Activity
    ) -> Route | Ignore:
        match doing:
            case Ignore():
                return doing
            case Queue():
                return Ignore("nothing waits")
            case Start(issue=issue, actor=actor):
                return self._start(issue, actor)
            case StartFile(path=path, actor=actor):
                return self._start_file(path, actor)
            case Continue(loop=loop, generation=generation, pin=pin, actor=actor):
                return self._go_on(loop, actor=actor, generation=generation, pin=pin)
            case Asked():
                return self._asked(doing)
            case Reviewed() | Pushed() | Checked():
                return self._happened(doing)

    def _taken(self, turn: Turn) -> Route | Ignore:
        """Re-read the loop's current state, because a scheduled run may have queued for a runner."""
        record = self._job.peek(turn.loop, self._config)
        standing = Stand.OVER if record is None else self._fleet.stand(record)
        if record is None or standing is Stand.OVER:
            return self._start(turn.issue, "", chosen=True)
        if standing is not Stand.DUE:
            return Ignore(f"{turn.loop}: {standing}")
        if self._fleet.stopped(turn.loop, record):
            return Ignore(f"{turn.loop}: a person stopped it")
        return self._go_on(turn.loop, actor=WORKFLOW_BOT)

    def _or_file(self, doing: Activity) -> Activity:
        """Use the workflow's request file if the event names nothing; a schedule starts each file once."""
        facts = self._job.facts
        scheduled = isinstance(doing, Queue)
        if not scheduled and not (isinstance(doing, Ignore) and facts.event_name == "workflow_dispatch"):
            return doing
        if scheduled and self._files.find(self._read(self._file)) is not None:
            return doing
        return StartFile(path=self._file, actor=facts.actor)

    def _read(self, given: str) -> RequestFile:
        path, git = safe_path(given), self._job.git
        return RequestFile.of(path, self._base, git.read(git.tree_of(self._base), path))

    def _start_file(self, given: str, actor: str) -> Route | Ignore:
        """Use the file's text as request, and open an issue on which people follow and steer the loop."""
        self._access.require_writer(actor)
        file = self._read(given)
        asked = request_of(file.text, source=file.path)
        if self._job.facts.run_attempt == 1:
            number = self._files.open(file, title=asked.title, body=asked.body)
        elif (there := self._files.find_open(file)) is not None:
            number = there
        else:
            return Ignore("a re-run goes by the journal, and there is none; dispatch it again")
        return self._start(number, actor, asked=asked)

    def _start(
        self, issue: int, actor: str, *, chosen: bool = False, asked: Request | None = None
    ) -> Route | Ignore:
        """Start or continue the loop on an issue.

        Args:
            chosen: a schedule found the issue.
            asked: the text of a request file; None: use the issue's text.
        """
        loops = self._job.loops(self._config, issue)
        loop = choose_loop(issue, {one: self._is_over(one, record) for one, record in loops.items()})
        if asked is not None or (not chosen and self._job.facts.event_name == "workflow_dispatch"):
            self._access.require_writer(actor)
            requester, at = actor, made_at(self._job.repository, self._job.facts.run_id)
        else:
            found = self._access.check_start(issue, self._config.label, actor=actor)
            requester, at = found.actor, found.at
        if chosen and not asked_again(loops, at):
            return Ignore(f"nobody labelled issue #{issue} since its loop ended")
        if loop in loops:
            return self._go_on(loop, actor=requester)
        for one, record in loops.items():
            # A second event that waited for the first one's session, or a re-run, asks for nothing new.
            if (over := record.sessions[-1].ended) and over > at:
                return Ignore(f"it was asked for before {one} ended; label the issue again for another loop")
        if self._job.facts.run_attempt > 1:
            return Ignore("a re-run goes by the journal, and there is none; label the issue again")
        if asked is not None:
            return Route(loop, issue, asked.model_copy(update={"requester": requester, "issue": issue}))
        event = self._job.facts.event if self._job.facts.event_name == "issues" else None
        request = content.freeze(
            self._job.repository, issue, requester=requester, at=at, access=self._access, event=event
        )
        return Route(loop, issue, request)

    def _go_on(
        self,
        loop: LoopId,
        *,
        actor: str,
        generation: int | None = None,
        pin: CommitSha | None = None,
    ) -> Route | Ignore:
        record = self._job.peek(loop, self._config)
        if record is None:
            return Ignore(f"there is no loop {loop}")
        if closing := self._closing(loop, record):
            return Ignore(f"{closing}: {loop} ended with it; label the issue again for another loop")
        request = record.facts.request
        self._access.check_continuation(dispatcher=actor, requester=request.requester)
        issue = request.issue or issue_of(loop) or 0
        before = None if generation is None else generation - 1
        return Route(loop, issue, request, pin=before, pin_state=pin)

    def _asked(self, asked: Asked) -> Route | Ignore:
        self._access.require_writer(asked.actor)
        loops = self._job.loops(self._config, None if asked.on_pull_request else asked.number)
        if asked.on_pull_request:
            loops = {loop: one for loop, one in loops.items() if one.pull_request == asked.number}
        if not loops:
            return Ignore(f"no loop works on #{asked.number}")
        loop = max(loops, key=lambda name: loops[name].sessions[-1].started if loops[name].sessions else 0)
        if asked.name in {"", "stop"}:
            # A running session reads it at its next turn. Without a session there is nothing to stop.
            return Ignore(f"/loop {asked.name}: a running session acts on it")
        return self._go_on(loop, actor=asked.actor)

    def _happened(self, what: Reviewed | Pushed | Checked) -> Route | Ignore:
        """Route an event on a loop's pull request. The next session reads the details for itself."""
        record = self._job.peek(what.loop, self._config)
        if record is None or not record.sessions:
            return Ignore(f"there is no loop {what.loop}")
        facts = self._job.facts
        why = nothing_new(
            what,
            record,
            mode=self._config.continuation,
            own_workflow=facts.workflow_path,
            own_login=self._job.login,
            now=datetime.now(UTC),
        )
        if why:
            return Ignore(why)
        if isinstance(what, Checked):
            return self._go_on(what.loop, actor=WORKFLOW_BOT)
        self._access.require_writer(what.actor, what.kind)
        return self._go_on(what.loop, actor=what.actor)

    def _closing(self, loop: LoopId, record: LoopRecord) -> Closing | None:
        issue = record.facts.request.issue or issue_of(loop) or 0
        return closing_of(self._job.repository, issue=issue, pull_request=record.pull_request)

    def _is_over(self, loop: LoopId, record: LoopRecord) -> bool:
        """Whether a label starts another loop, also because this loop's pull request was closed."""
        if is_over(record):
            return True
        return record.pull_request is not None and self._closing(loop, record) is not None

    def _refuse(self, doing: Activity) -> None:
        if isinstance(doing, Start) and self._job.facts.event_name != "workflow_dispatch":
            with suppress(LoopError):  # best effort: a failure here must not hide the refusal
                self._access.remove_label(doing.issue, self._config.label)


def nothing_new(  # noqa: PLR0911 - one reason a line reads best
    what: Reviewed | Pushed | Checked,
    record: LoopRecord,
    *,
    mode: ContinuationMode,
    own_workflow: str,
    own_login: str,
    now: datetime,
) -> str:
    """Return why an event on a loop's pull request starts no session; empty if it starts one.

    Args:
        mode: continuation mode from the configuration.
        own_workflow: path of the loop's own workflow.
        own_login: the account of the loop's token.
    """
    last = record.sessions[-1]
    if last.not_before is not None and last.not_before > now:
        return f"the model's service is not to be asked before {last.not_before:%Y-%m-%d %H:%M} UTC"
    if last.reason is HandoffReason.STOPPED:
        return "a person stopped the loop: `/loop continue` goes on with it, and takes this in"
    if isinstance(what, Reviewed):
        return "" if record.pull_request == what.number else f"#{what.number} is not its pull request"
    if mode is ContinuationMode.MANUAL:
        return "continuation is manual: the session after the next `/loop continue` takes it in"
    if isinstance(what, Pushed):
        ours = what.head == record.published or what.actor == own_login
        return "the loop pushed that itself" if ours else ""
    if what.head != record.published or what.workflow == own_workflow:
        return "the run is not about what the loop published"
    waits = last.reason is not None and last.reason.continues and mode is ContinuationMode.EVENT
    return "" if what.failed or waits else "CI did not fail"
