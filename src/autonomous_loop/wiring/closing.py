"""Connects the parts that end a session. They need neither a sandbox nor a model."""

from __future__ import annotations

from dataclasses import dataclass

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.keys import Keyring
from autonomous_loop.engine.continuation import ContinuationHandler
from autonomous_loop.engine.ending import SessionCloser
from autonomous_loop.engine.handoff import HandoffCoordinator
from autonomous_loop.engine.ports import Clock, Forge, HandoffStore
from autonomous_loop.engine.progress import ProgressTracker
from autonomous_loop.engine.publisher import Publisher
from autonomous_loop.git.checkpoints import CheckpointManager
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.git.repository import Repository
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.report.reporter import MarkdownReporter
from autonomous_loop.report.view_model import Site
from autonomous_loop.wiring.environment import RuntimeEnvironment


@dataclass(frozen=True, slots=True)
class ClosingParts:
    """The connected parts that end a session.

    Attributes:
        branches: prefix of the loop's branches.
        closer: ends the session with the parts below.
    """

    branches: str
    closer: SessionCloser
    checkpoints: CheckpointManager
    journal: StateTracker
    reporter: MarkdownReporter
    progress: ProgressTracker


def closing_parts(
    repository: Repository,
    config: LoopConfig,
    runtime: RuntimeEnvironment,
    *,
    name: str,
    loop: str,
    handoffs: HandoffStore,
    forge: Forge | None,
    site: Site,
    clock: Clock,
) -> ClosingParts:
    """Connect the parts.

    Args:
        name: name of the repository.
        forge: None on a plain git directory.
    """
    branches = f"{config.branch_prefix}/{loop}"
    keys = Keyring.derive(runtime.key_materials, repository=name, loop=loop)
    checkpoints = CheckpointManager(repository, branches=branches)
    redactor = Redactor(runtime.secrets)
    journal = StateTracker(
        repository,
        branches=branches,
        name=name,
        loop=loop,
        keys=keys,
        clock=clock,
        redact=redactor.text,
    )
    reporter = MarkdownReporter(site, state=journal.tip, redactor=redactor)
    progress = ProgressTracker(*runtime.observe, redact=redactor.text)
    handoff = HandoffCoordinator(handoffs, keys=keys, name=name, loop=loop, checkpoints=checkpoints)
    closer = SessionCloser(
        journal=journal,
        checkpoints=checkpoints,
        handoff=handoff,
        continuation=ContinuationHandler(
            config.continuation,
            forge=forge,
            clock=clock,
            signed=handoff.signed,
            allow_unsigned=config.allow_unsigned,
            max_sessions=config.max_sessions,
        ),
        publisher=Publisher(
            journal=journal,
            checkpoints=checkpoints,
            forge=forge,
            reporter=reporter,
            progress=progress,
            head=f"{branches}/pr",
        ),
        reporter=reporter,
        progress=progress,
        keep_checkpoints=config.keep_checkpoints,
    )
    return ClosingParts(branches, closer, checkpoints, journal, reporter, progress)
