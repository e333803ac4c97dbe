"""One session in a CI job: from the event that started it to the step's outputs."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from github.Repository import Repository as GitHubRepository

from autonomous_loop.compose import IDENTITY, Parts, Place, SystemClock, configuration, connect, warm_up
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.trigger import (
    Activity,
    Asked,
    Continue,
    Ignore,
    Queue,
    Start,
    choose_loop,
    issue_of,
)
from autonomous_loop.errors import AccessError, JournalError, LoopError, RepositoryError, Superseded
from autonomous_loop.git.command import bearer
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.git.repository import Repository
from autonomous_loop.github import client, content, trigger
from autonomous_loop.github.access import Access
from autonomous_loop.github.action import (
    ActionInputs,
    RunFacts,
    append_summary,
    read_event,
    read_facts,
    read_inputs,
    write_outputs,
)
from autonomous_loop.github.comments import CommentInbox, StickyCommentStore
from autonomous_loop.github.forge import GitHubForge
from autonomous_loop.github.runs import GitHubClaimants, made_at
from autonomous_loop.github.thread import Thread
from autonomous_loop.loop import run_session
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.report.rows import Site
from autonomous_loop.session import Ending
from autonomous_loop.surroundings import Surroundings

IGNORED = "ignored"
SUPERSEDED = "superseded"
FAILED = frozenset({HandoffReason.FAILED, HandoffReason.BLOCKED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the step says of itself.

    Attributes:
        result: why the session ended, or "ignored", or "superseded".
        why: for people.
    """

    result: str
    why: str = ""
    loop: str = ""
    session: int = 0
    features_passing: int = 0
    features_total: int = 0
    pull_request: int | None = None
    total_tokens: int = 0
    cost_usd: float = 0.0
    continues: bool = False
    summary: str = field(default="", repr=False)

    @property
    def exit_code(self) -> int:
        """1 only where a person must look: a pause is not a failure."""
        return 1 if self.result in {str(reason) for reason in FAILED} else 0

    def as_dict(self) -> dict[str, object]:
        """Plain data, by the names of the action's outputs."""
        return {
            "result": self.result,
            "loop": self.loop,
            "session": self.session,
            "features-passing": self.features_passing,
            "features-total": self.features_total,
            "pull-request": self.pull_request or "",
            "total-tokens": self.total_tokens,
            "cost-usd": round(self.cost_usd, 4),
            "continues": str(self.continues).lower(),
        }


async def run_ci_session(around: Surroundings, environ: dict[str, str]) -> Outcome:
    """What the action runs.

    Args:
        around: its tools and folders.
        environ: of the job: `INPUT_*`, `GITHUB_*`.

    Raises:
        UsageError: input, configuration or environment a person must mend.
        StopLoop: the journal or the handoff cannot be trusted.
    """
    inputs = read_inputs(environ)
    facts = read_facts(environ, read_event(environ.get("GITHUB_EVENT_PATH", "")))
    around = around.with_credentials(
        api_key=inputs.credentials.anthropic_api_key,
        base_url=inputs.anthropic_base_url,
        token=inputs.credentials.github_token,
        handoff_keys=(inputs.credentials.handoff_key, inputs.credentials.handoff_key_previous),
    )
    around.require_key()
    around.require_token()
    warm_up()
    home = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=around.temporary))
    fault: LoopError | None = None
    try:
        outcome = await _Job(inputs, facts, around, home).play()
    except Superseded as error:
        outcome = Outcome(result=SUPERSEDED, why=str(error))
    except LoopError as error:
        outcome, fault = Outcome(result=str(HandoffReason.FAILED), why=str(error)), error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    redactor = Redactor(around.secrets)
    if facts.output_path:
        write_outputs(facts.output_path, {key: str(value) for key, value in outcome.as_dict().items()})
    if facts.summary_path:
        said = outcome.summary or f"Autonomous Loop: {outcome.result}. {outcome.why}"
        append_summary(facts.summary_path, redactor.text(said))
    if fault:
        raise fault
    return outcome


class _Job:
    """One job: who asked, for which loop, and may they."""

    def __init__(self, inputs: ActionInputs, facts: RunFacts, around: Surroundings, home: Path) -> None:
        self._inputs = inputs
        self._facts = facts
        self._around = around
        self._home = home
        url = f"{facts.server_url}/{facts.repository}.git"
        self._git = Repository.create(
            home,
            remote=url,
            identity=IDENTITY,
            path=around.path,
            auth=bearer(facts.server_url, around.token),
        )
        self._client = client.connect(around.token, facts.api_url)
        with client.translated(f"reading the repository {facts.repository}"):
            self._repository: GitHubRepository = self._client.get_repo(facts.repository).complete()
        self._login = client.own_login(self._client, around.token)
        self._branch = facts.default_branch or self._repository.default_branch

    async def play(self) -> Outcome:
        """Find the loop, check who asked, run one session of it."""
        base = self._default_head()
        config = configuration(self._git, base, overrides=self._inputs.overrides)
        access = Access(self._repository, allowed_bots=config.allowed_bots, own_login=self._login)
        doing = trigger.activity(self._facts.event_name, self._facts.event, config)
        if isinstance(doing, Queue):
            doing = self._from_queue(config)
        try:
            if self._facts.run_attempt > 1:
                # A re-run has the first run's actor: who started it again is somebody else's word.
                access.require_writer(self._facts.triggering_actor)
            place = self._place(doing, config, access, base)
        except AccessError as error:
            self._refuse(doing, config, access)
            return Outcome(result=IGNORED, why=str(error))
        if isinstance(place, Ignore):
            return Outcome(result=IGNORED, why=place.reason)
        record = self._peek(place.loop, config)
        if record is not None:
            # Read once, from the commit the loop started from: a later push cannot change a running loop.
            config = configuration(self._git, record.facts.base, overrides=self._inputs.overrides)
        parts = await connect(place, self._git, config, self._around, home=self._home)
        try:
            ending = await run_session(parts)
            return _outcome(place.loop, ending, parts)
        finally:
            await parts.close()

    # --- which loop ---------------------------------------------------------------------------------------

    def _place(self, doing: Activity, config: LoopConfig, access: Access, base: CommitSha) -> Place | Ignore:
        match doing:
            case Ignore():
                return doing
            case Queue():
                return Ignore("nothing waits")
            case Start(issue=issue, actor=actor):
                return self._start(issue, actor, config, access, base)
            case Continue(loop=loop, generation=generation, pin=pin, actor=actor):
                return self._go_on(loop, config, access, base, actor=actor, generation=generation, pin=pin)
            case Asked():
                return self._asked(doing, config, access, base)

    def _start(
        self, issue: int, actor: str, config: LoopConfig, access: Access, base: CommitSha
    ) -> Place | Ignore:
        loops = self._loops(config, issue)
        loop = choose_loop(issue, {one: _over(record) for one, record in loops.items()})
        if self._facts.event_name == "workflow_dispatch":
            access.require_writer(actor)
            requester, at = actor, made_at(self._repository, self._facts.run_id)
        else:
            found = access.check_start(issue, config.label, actor=actor)
            requester, at = found.actor, found.at
        if loop in loops:
            return self._go_on(loop, config, access, base, actor=actor)
        for one, record in loops.items():
            # A second event that waited for the first one's session, or a re-run, asks for nothing new.
            if (over := record.sessions[-1].ended) and over > at:
                return Ignore(f"it was asked for before {one} ended; label the issue again for another loop")
        event = self._facts.event if self._facts.event_name == "issues" else None
        request = content.freeze(
            self._repository, issue, requester=requester, at=at, access=access, event=event
        )
        return self._made(loop, issue, request, config, access, base)

    def _go_on(
        self,
        loop: str,
        config: LoopConfig,
        access: Access,
        base: CommitSha,
        *,
        actor: str,
        generation: int | None = None,
        pin: CommitSha | None = None,
    ) -> Place | Ignore:
        record = self._peek(loop, config)
        if record is None:
            return Ignore(f"there is no loop {loop}")
        request = record.facts.request
        access.check_continuation(dispatcher=actor, requester=request.requester)
        issue = request.issue or issue_of(loop) or 0
        before = None if generation is None else generation - 1
        return self._made(loop, issue, request, config, access, base, pin=before, pin_state=pin)

    def _asked(self, asked: Asked, config: LoopConfig, access: Access, base: CommitSha) -> Place | Ignore:
        access.require_writer(asked.actor)
        loops = self._loops(config, None if asked.on_pull_request else asked.number)
        if asked.on_pull_request:
            loops = {loop: one for loop, one in loops.items() if one.pull_request == asked.number}
        if not loops:
            return Ignore(f"no loop works on #{asked.number}")
        loop = max(loops, key=lambda name: loops[name].sessions[-1].started if loops[name].sessions else 0)
        if asked.name in {"", "stop"}:
            # A running session hears it at its next turn; where none runs there is nothing to stop.
            return Ignore(f"/loop {asked.name}: a running session acts on it")
        return self._go_on(loop, config, access, base, actor=asked.actor)

    def _from_queue(self, config: LoopConfig) -> Activity:
        now = datetime.now(UTC)
        loops = self._loops(config, None)
        for loop, record in sorted(loops.items()):
            last = record.sessions[-1] if record.sessions else None
            waits = last is not None and last.not_before is not None and last.not_before > now
            if last is None or waits or (last.reason is not None and not last.reason.continues):
                continue
            return Continue(loop=loop, generation=None, pin=None, actor="github-actions[bot]")
        working = {issue for loop in loops if (issue := issue_of(loop)) is not None}
        waiting = trigger.find_waiting(self._repository, config, working=working)
        return Queue() if waiting is None else Start(issue=waiting, actor="")

    def _made(
        self,
        loop: str,
        issue: int,
        request: Request,
        config: LoopConfig,
        access: Access,
        base: CommitSha,
        *,
        pin: int | None = None,
        pin_state: CommitSha | None = None,
    ) -> Place:
        facts = self._facts
        record = self._peek(loop, config)
        pull = record.pull_request if record else None
        branch = config.base_branch or self._branch
        began = record.sessions[-1].started if record and record.sessions else None
        since = began or datetime.now(UTC)
        thread = Thread(
            self._repository,
            loop=loop,
            issue=issue,
            head=f"{config.branch_prefix}/{loop}/pr",
            own_login=self._login,
            pull_request=pull,
        )
        return Place(
            name=facts.repository,
            loop=loop,
            remote=self._git.remote,
            base=base,
            base_branch=branch,
            request=request,
            imported=None,
            handoffs=StickyCommentStore(thread),
            claimants=GitHubClaimants(self._repository, facts),
            forge=GitHubForge(
                thread,
                workflow=facts.workflow_path,
                label=config.label,
                default_branch=self._branch,
                server_url=facts.server_url,
            ),
            inbox=CommentInbox(thread, access, label=config.label, since=since),
            pin=pin,
            pin_state=pin_state,
            site=Site(
                repository_url=facts.repository_url,
                branch=f"{config.branch_prefix}/{loop}",
                model=config.model,
                run_url=facts.run_url,
                ci="approval" if self._login == client.WORKFLOW_BOT else "runs",
                continuation=config.continuation,
            ),
        )

    # --- reading ------------------------------------------------------------------------------------------

    def _default_head(self) -> CommitSha:
        ref = f"refs/heads/{self._branch}"
        head = self._git.remote_refs(ref).get(ref)
        if head is None:
            raise RepositoryError(
                f"{self._facts.repository} has no commit on {self._branch}: there is nothing to start from",
                hint="push a first commit.",
            )
        self._git.fetch(f"{ref}:refs/loop/base")
        return head

    def _loops(self, config: LoopConfig, issue: int | None) -> dict[str, LoopRecord]:
        """The records of an issue's loops (or of all), as they say: their chains are checked at restore."""
        prefix = f"refs/heads/{config.branch_prefix}/"
        found = {}
        for ref in self._git.remote_refs(f"{prefix}*/state"):
            loop = ref.removeprefix(prefix).removesuffix("/state")
            if issue is not None and issue_of(loop) != issue:
                continue
            with suppress(JournalError):  # its own session says so; the others go on
                if (record := self._peek(loop, config)) is not None:
                    found[loop] = record
        return found

    def _peek(self, loop: str, config: LoopConfig) -> LoopRecord | None:
        return StateTracker(
            self._git,
            branches=f"{config.branch_prefix}/{loop}",
            name=self._facts.repository,
            loop=loop,
            keys=None,
            clock=SystemClock(),
        ).read()

    def _refuse(self, doing: Activity, config: LoopConfig, access: Access) -> None:
        if isinstance(doing, Start) and self._facts.event_name != "workflow_dispatch":
            with suppress(LoopError):  # a courtesy: it must not turn a refusal into a failure
                access.remove_label(doing.issue, config.label)


def _over(record: LoopRecord) -> bool:
    """Whether a label means another loop: this one came to its end."""
    last = record.sessions[-1] if record.sessions else None
    return last is not None and last.reason is HandoffReason.COMPLETE


def _outcome(loop: str, ending: Ending, parts: Parts) -> Outcome:
    record = ending.record
    return Outcome(
        result=str(ending.reason),
        why=ending.continuation.why,
        loop=loop,
        session=record.generation,
        features_passing=record.passing,
        features_total=record.total,
        pull_request=record.pull_request,
        total_tokens=record.spending.tokens.total,
        cost_usd=record.spending.usd,
        continues=ending.continuation.started,
        summary=parts.reporter.summary(record),
    )
