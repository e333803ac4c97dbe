"""Builds and connects the parts of a session. No other module knows them all."""

from __future__ import annotations

import gc
import shutil
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

from autonomous_loop.config import CONFIG_FILE, LoopConfig
from autonomous_loop.domain.answers import Rules
from autonomous_loop.domain.events import LoopFacts
from autonomous_loop.domain.feature import FeatureList, slug
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.engine.attempt import Workbench
from autonomous_loop.engine.full_suite import FullSuite
from autonomous_loop.engine.groundwork import Groundwork
from autonomous_loop.engine.limits import SessionLimits
from autonomous_loop.engine.orchestrator import FeatureOrchestrator
from autonomous_loop.engine.planning import ListMaker
from autonomous_loop.engine.ports import Claimants, Forge, HandoffStore, Inbox, Journal
from autonomous_loop.engine.progress import ProgressTracker
from autonomous_loop.engine.recovery import ErrorRecoverer
from autonomous_loop.engine.session import SessionInputs, SessionManager, SessionStart
from autonomous_loop.engine.upstream import UpstreamMerger
from autonomous_loop.engine.user_commands import UserCommands
from autonomous_loop.git.claimants import ProcessClaimants
from autonomous_loop.git.handoffs import FileHandoffStore
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.git.project import Project
from autonomous_loop.git.repository import Repository
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.report.reporter import MarkdownReporter
from autonomous_loop.report.view_model import Site
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.verify.gate import ProofGate
from autonomous_loop.verify.verifier import ProofVerifier
from autonomous_loop.wiring.closing import closing_parts
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.local_request import read_local_request
from autonomous_loop.wiring.sandbox import create_sandbox

IDENTITY = ("Autonomous Loop", "autonomous-loop[bot]@users.noreply.github.com")
SETUP_TIMEOUT_S = 1_800.0
TRANSCRIPTS = "transcripts"


class SystemClock:
    """Implements `Clock`."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Parts:
    """The connected parts of one session.

    Attributes:
        imported: a ready-made feature list; None: the request is planned.
        reporter: renders what people see.
        branches: prefix of the loop's branches.
    """

    session: SessionManager
    orchestrator: FeatureOrchestrator
    groundwork: Groundwork
    planning: ListMaker
    people: UserCommands
    upstream: UpstreamMerger
    suite: FullSuite
    limits: SessionLimits
    progress: ProgressTracker
    journal: StateTracker
    reporter: MarkdownReporter
    imported: FeatureList | None
    branches: str
    closers: tuple[Callable[[], Awaitable[None]], ...]

    async def close(self) -> None:
        """End the sandbox and remove the session's folders."""
        for closer in self.closers:
            await closer()


@dataclass(frozen=True, slots=True)
class LoopTarget:
    """Where a loop lives, and the services it has there.

    Attributes:
        name: name of the repository.
        loop: the loop's id.
        remote: the repository to fetch from and push to.
        base: the commit a new loop starts from.
        forge, inbox: None on a plain git directory.
        handoffs: created once the branches are known.
        pin: the generation before the one the dispatch names; None when a person or event started this.
        pin_state: the journal commit that the dispatch saw.
        site: for links in texts for people.
        transcripts: write conversations down, below the session's home.
    """

    name: str
    loop: str
    remote: str
    base: CommitSha
    base_branch: str
    request: Request
    imported: FeatureList | None
    handoffs: HandoffStore
    claimants: Claimants
    forge: Forge | None = None
    inbox: Inbox | None = None
    pin: int | None = None
    pin_state: CommitSha | None = None
    site: Site = field(default_factory=Site)
    transcripts: bool = False


# --- a plain git directory --------------------------------------------------------------------------------


async def local_parts(
    folder: Path,
    request_file: Path | None,
    config: LoopConfig | None,
    runtime: RuntimeEnvironment,
    *,
    overrides: Mapping[str, object] | None = None,
) -> Parts:
    """Connect a session on a git directory, without a forge.

    Raises:
        UsageError: a person must fix input, configuration or environment.
    """
    project = Project.open(folder)
    warm_up()
    home = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=runtime.temporary))
    try:
        repository = Repository.create(
            home, remote=str(project.git_folder), identity=IDENTITY, path=runtime.path, auth={}
        )
        # HEAD may be detached, so fetch the commit itself.
        repository.git("fetch", "--quiet", "--no-tags", "--", repository.remote, project.head, remote=True)
        config = config or configuration(repository, project.head, overrides=overrides)
        request, imported = read_local_request(project, request_file, config)
        loop = "run-" + slug(request.title, fallback="request")
        place = LoopTarget(
            name=project.root.name,
            loop=loop,
            remote=str(project.git_folder),
            base=project.head,
            base_branch=project.branch,
            request=request,
            imported=imported,
            handoffs=FileHandoffStore(project.git_folder, loop=loop),
            claimants=ProcessClaimants(),
        )
        parts = await connect(place, repository, config, runtime, home=home)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    if project.left_out:
        parts.progress.step(f"uncommitted work is left out: {', '.join(project.left_out[:5])}")
    return parts


def configuration(
    repository: Repository, base: CommitSha, *, overrides: Mapping[str, object] | None = None
) -> LoopConfig:
    """Read the project's own configuration from its base commit."""
    tree = repository.tree_of(base)
    files = {}
    for path in (CONFIG_FILE, "pyproject.toml"):
        data = repository.read(tree, path)
        if data is not None:
            files[path] = data
    return LoopConfig.from_files(files, overrides=overrides)


# --- everywhere -------------------------------------------------------------------------------------------


async def connect(
    place: LoopTarget, repository: Repository, config: LoopConfig, runtime: RuntimeEnvironment, *, home: Path
) -> Parts:
    """Connect every part of one session, for any target."""
    runtime.service.require()
    clock = SystemClock()
    closing = closing_parts(
        repository,
        config,
        runtime,
        name=place.name,
        loop=place.loop,
        handoffs=place.handoffs,
        forge=place.forge,
        site=place.site,
        clock=clock,
    )
    checkpoints, journal, reporter, progress = (
        closing.checkpoints,
        closing.journal,
        closing.reporter,
        closing.progress,
    )
    checkpoints.refuse_in_the_way(config.branch_prefix)
    checkpoints.refuse_in_the_way(closing.branches)
    sandbox = await create_sandbox(runtime, home, say=progress.step)
    # The SDK takes a second to import. The commands start that on a thread (`warm_up`); wait for it here.
    from autonomous_loop.agent.factory import make_team  # noqa: PLC0415

    transcripts = home / TRANSCRIPTS if place.transcripts else None
    try:
        team = make_team(config, sandbox, runtime.service, transcripts=transcripts)
    except BaseException:
        await sandbox.close()
        raise

    async def close() -> None:
        try:
            await sandbox.close()
        finally:
            await team.client.close()
            repository.close()
            shutil.rmtree(home, ignore_errors=True)

    try:
        workspace = ScratchWorkspace(sandbox, repository)
        verifier = ProofVerifier(
            sandbox,
            workspace,
            repository,
            config,
            model_command=lambda: journal.record().model_command,
            prepare=_preparation(sandbox, config, journal),
        )
        limits = SessionLimits(config, clock=clock, inbox=place.inbox)
        bench = Workbench(
            journal=journal,
            checkpoints=checkpoints,
            trees=repository,
            workspace=workspace,
            gate=ProofGate(repository, config),
            verifier=verifier,
            watch=limits,
            progress=progress,
            reporter=reporter,
            config=config,
        )
        people = UserCommands(
            journal=journal,
            inbox=place.inbox,
            limits=limits,
            progress=progress,
            rules=Rules(
                most_features=config.max_features,
                ceiling_usd=config.ceiling_usd,
                most_repeats=config.max_attempts,
            ),
        )
        upstream = UpstreamMerger(bench, most_merges=config.max_attempts)
        session = SessionManager(
            SessionStart(
                facts=LoopFacts(
                    repository=place.name,
                    loop=place.loop,
                    base_branch=place.base_branch,
                    base=place.base,
                    limits=config.limits,
                    request=place.request,
                    configuration_hash=config.hash,
                ),
                claimants=place.claimants,
                plan_approval=config.plan_approval,
                pin=place.pin,
                pin_state=place.pin_state,
            ),
            SessionInputs(place.inbox, people, upstream, limits),
            closing.closer,
        )
        recoverer = ErrorRecoverer(max_attempts=config.max_attempts, max_submissions=config.max_submissions)
        orchestrator = FeatureOrchestrator(bench, coder=team.coder, recoverer=recoverer)
        groundwork = Groundwork(bench, run=partial(run_setup, sandbox))
        planning = ListMaker(bench, planner=team.planner, groundwork=groundwork, recoverer=recoverer)
    except BaseException:
        await close()
        raise
    return Parts(
        session=session,
        orchestrator=orchestrator,
        groundwork=groundwork,
        planning=planning,
        people=people,
        upstream=upstream,
        suite=FullSuite(bench, recoverer=recoverer, upstream=upstream),
        limits=limits,
        progress=progress,
        journal=journal,
        reporter=reporter,
        imported=place.imported,
        branches=closing.branches,
        closers=(close,),
    )


def warm_up() -> None:
    """Start to import what a session needs only later, while it waits for git and GitHub."""

    def work() -> None:
        collecting = gc.isenabled()
        gc.disable()  # imports leave no garbage, and take half the time without the collector
        try:
            import_module("autonomous_loop.agent.factory")
        finally:
            if collecting:
                gc.enable()

    threading.Thread(target=work, daemon=True).start()


def _preparation(
    sandbox: ProcessSandbox, config: LoopConfig, journal: Journal
) -> Callable[[], Awaitable[CommandResult | None]]:
    async def prepare() -> CommandResult | None:
        features = journal.record().features
        return await run_setup(sandbox, config.setup or (features.setup if features else ""))

    return prepare


async def run_setup(sandbox: ProcessSandbox, command: str) -> CommandResult | None:
    """Run a setup command in the sandbox, in the work tree; None if the command is empty."""
    if not command.strip():
        return None
    return await sandbox.run(["bash", "-euo", "pipefail", "-c", command], timeout_s=SETUP_TIMEOUT_S)
