"""Finds a loop's place on GitHub: its issue and pull request, its branches, its runs."""

from __future__ import annotations

from datetime import UTC, datetime

from autonomous_loop.ci.job import Job
from autonomous_loop.ci.routing import Route
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.ports import HandoffStore
from autonomous_loop.github import client
from autonomous_loop.github.access import Access
from autonomous_loop.github.actions_service import Backend
from autonomous_loop.github.artifact_handoffs import ArtifactHandoffStore
from autonomous_loop.github.artifacts import ArtifactClient
from autonomous_loop.github.checks import ChecksInbox
from autonomous_loop.github.comments import CommentInbox, StickyCommentStore
from autonomous_loop.github.forge import GitHubForge
from autonomous_loop.github.inbox import Inboxes
from autonomous_loop.github.reviews import ReviewInbox
from autonomous_loop.github.runs import GitHubClaimants
from autonomous_loop.github.thread import Thread
from autonomous_loop.report.view_model import Site
from autonomous_loop.wiring.session import LoopTarget


def target_of(
    job: Job,
    choice: Route,
    config: LoopConfig,
    access: Access,
    base: CommitSha,
    *,
    artifacts: ArtifactClient,
) -> LoopTarget:
    """Return where the chosen loop lives.

    Raises:
        ConfigurationError: the handoff should be an artifact, but this job cannot store artifacts.
    """
    facts = job.facts
    record = job.peek(choice.loop, config)
    pull = record.pull_request if record else None
    branch = config.base_branch or job.branch
    since = _heard_since(record)
    thread = Thread(
        job.repository,
        loop=choice.loop,
        issue=choice.issue,
        head=f"{config.branch_prefix}/{choice.loop}/pr",
        own_login=job.login,
        pull_request=pull,
    )
    claimants = GitHubClaimants(job.repository, facts)
    comment = StickyCommentStore(thread)
    handoffs: HandoffStore = comment
    if config.handoff_store == "artifact":
        Backend.of(facts)  # fail now, not after an hour's work
        handoffs = ArtifactHandoffStore(
            artifacts,
            loop=choice.loop,
            me=claimants.me(),
            claimed=[one.claimant for one in reversed(record.sessions)] if record else [],
            show=comment.show,
        )
    told = config.upload_transcripts
    return LoopTarget(
        name=facts.repository,
        loop=choice.loop,
        remote=job.git.remote,
        base=base,
        base_branch=branch,
        request=choice.request,
        imported=None,
        handoffs=handoffs,
        claimants=claimants,
        forge=GitHubForge(
            thread,
            workflow=facts.workflow_path,
            label=config.label,
            default_branch=job.branch,
            server_url=facts.server_url,
        ),
        inbox=Inboxes(
            CommentInbox(thread, access, label=config.label, since=since),
            ReviewInbox(thread, access, since=since),
            ChecksInbox(
                thread,
                published=record.published if record else None,
                own_workflow=facts.workflow_path,
            ),
        ),
        pin=choice.pin,
        pin_state=choice.pin_state,
        site=Site(
            repository_url=facts.repository_url,
            branch=f"{config.branch_prefix}/{choice.loop}",
            model=config.model,
            run_url=facts.run_url,
            ci="approval" if job.login == client.WORKFLOW_BOT else "runs",
            continuation=config.continuation,
        ),
        # A repository of unknown visibility counts as public.
        transcripts=told == "always" or (told == "private" and job.repository.private is True),
    )


def _heard_since(record: LoopRecord | None) -> datetime:
    """Return the time since which comments count as new; a session that died may have read none."""
    sessions = record.sessions if record else ()
    if not sessions:
        return datetime.now(UTC)
    return next((one.started for one in reversed(sessions) if one.ended is not None), sessions[0].started)
