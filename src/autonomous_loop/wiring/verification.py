"""Sandbox, scratch clone and verifier to prove any commit, without a journal, a model or a forge."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.proof import ModelCommand
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.git.repository import Repository
from autonomous_loop.git.source import Source
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.verify.gate import ProofGate
from autonomous_loop.verify.verifier import ProofVerifier
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.sandbox import create_sandbox
from autonomous_loop.wiring.session import IDENTITY, run_setup


@dataclass(frozen=True, slots=True)
class VerificationEnvironment:
    """The environment in which commits of `repository` are proved.

    Attributes:
        setup: the command that prepares a fresh clone; empty: none.
        prepare: runs it in the sandbox, in the current work tree; returns None if there is no command.
    """

    repository: Repository
    workspace: ScratchWorkspace
    gate: ProofGate
    verifier: ProofVerifier
    setup: str
    prepare: Callable[[], Awaitable[CommandResult | None]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A repository of the program's own, and the source of its commits."""

    repository: Repository
    source: Source
    home: Path


@contextmanager
def taken_from(folder: Path, runtime: RuntimeEnvironment) -> Iterator[Taken]:
    """Create a bare repository for commits of a git directory, which is only read.

    Raises:
        RepositoryError: there is no such folder, or it is no git repository.
    """
    home = Path(tempfile.mkdtemp(prefix="autonomous-loop-", dir=runtime.temporary))
    try:
        source = Source(folder, home=home, path=runtime.path)
        # The repository is its own remote: it needs only the commits fetched into it, and pushes to no other.
        remote = str(home / "loop.git")
        repository = Repository.create(home, remote=remote, identity=IDENTITY, path=runtime.path, auth={})
        try:
            yield Taken(repository, source, home)
        finally:
            repository.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@asynccontextmanager
async def verification_environment(
    taken: Taken,
    config: LoopConfig,
    runtime: RuntimeEnvironment,
    *,
    setup: str = "",
    model_command: ModelCommand | None = None,
    removed_tests: bool | None = None,
) -> AsyncIterator[VerificationEnvironment]:
    """Provide a sandbox and a verifier for the commits that were taken.

    Args:
        setup: used if the configuration has none.
        model_command: the model's test command in the loop's record.
        removed_tests: see `ProofVerifier`.

    Raises:
        SandboxError: the sandbox cannot be isolated here.
    """
    sandbox = await create_sandbox(runtime, taken.home)
    command = config.setup or setup

    async def prepare() -> CommandResult | None:
        return await run_setup(sandbox, command)

    try:
        workspace = ScratchWorkspace(sandbox, taken.repository)
        yield VerificationEnvironment(
            repository=taken.repository,
            workspace=workspace,
            gate=ProofGate(taken.repository, config),
            verifier=ProofVerifier(
                sandbox,
                workspace,
                taken.repository,
                config,
                model_command=lambda: model_command or ModelCommand(),
                prepare=prepare,
                afresh=True,
                removed_tests=removed_tests,
            ),
            setup=command,
            prepare=prepare,
        )
    finally:
        await sandbox.close()
