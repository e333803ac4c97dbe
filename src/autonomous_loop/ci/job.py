"""Connects one CI job: its git, its repository over REST, and the login of its token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from github.Repository import Repository as GitHubRepository

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.events import Claimant
from autonomous_loop.domain.keys import Keyring
from autonomous_loop.domain.model import CommitSha, LoopId
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.service import ServiceAccess
from autonomous_loop.domain.trigger import issue_of
from autonomous_loop.errors import JournalError, RepositoryError
from autonomous_loop.git.command import bearer
from autonomous_loop.git.journal import StateTracker
from autonomous_loop.git.repository import Repository
from autonomous_loop.github import client
from autonomous_loop.github.action import ActionInputs, RunFacts
from autonomous_loop.sandbox.network_policy import NetworkPolicy
from autonomous_loop.wiring.environment import RuntimeEnvironment
from autonomous_loop.wiring.session import IDENTITY, SystemClock


def given_to(
    runtime: RuntimeEnvironment, inputs: ActionInputs, facts: RunFacts, environ: Mapping[str, str]
) -> RuntimeEnvironment:
    """Return a job's environment with the values of the action's inputs.

    Raises:
        ConfigurationError: an unknown provider or network, or malformed hosts.
        CredentialError: there is no token.
    """
    made = runtime.with_inputs(
        service=ServiceAccess.read(environ, inputs.service),
        reach=NetworkPolicy.read(inputs.network, inputs.allowed_hosts),
        token=inputs.credentials.github_token,
        handoff_keys=(inputs.credentials.handoff_key, inputs.credentials.handoff_key_previous),
        runtime_token=facts.runtime_token,
    )
    made.require_token()
    return made


@dataclass(frozen=True, slots=True)
class Job:
    """One connected job.

    Attributes:
        git: the loop's own bare repository.
        repository: the repository over REST.
        login: the account of the job's token.
        branch: the default branch.
    """

    facts: RunFacts
    git: Repository
    repository: GitHubRepository
    login: str
    branch: str

    @classmethod
    def connect(cls, facts: RunFacts, runtime: RuntimeEnvironment, home: Path) -> Self:
        """Connect git and REST with the job's token.

        Raises:
            ForgeError: GitHub does not answer, or refuses the token.
        """
        git = Repository.create(
            home,
            remote=f"{facts.server_url}/{facts.repository}.git",
            identity=IDENTITY,
            path=runtime.path,
            auth=bearer(facts.server_url, runtime.token),
        )
        connected = client.connect(runtime.token, facts.api_url)
        with client.translated(f"reading the repository {facts.repository}"):
            repository: GitHubRepository = connected.get_repo(facts.repository).complete()
        login = client.own_login(connected, runtime.token)
        return cls(facts, git, repository, login, facts.default_branch or repository.default_branch)

    def default_head(self) -> CommitSha:
        """Fetch the default branch and return its commit.

        Raises:
            RepositoryError: there is none.
        """
        ref = f"refs/heads/{self.branch}"
        head = self.git.remote_refs(ref).get(ref)
        if head is None:
            raise RepositoryError(
                f"{self.facts.repository} has no commit on {self.branch}: there is nothing to start from",
                hint="push a first commit.",
            )
        self.git.fetch(f"{ref}:refs/loop/base")
        return head

    def is_own(self, claimant: Claimant) -> bool:
        """Whether this attempt of this run made the claim."""
        return (claimant.run_id, claimant.run_attempt) == (str(self.facts.run_id), self.facts.run_attempt)

    def loops(self, config: LoopConfig, issue: int | None = None) -> dict[LoopId, LoopRecord]:
        """Return the records of an issue's loops, or of all, unverified; restore checks their chains."""
        found = {}
        for loop in self.names(config):
            if issue is not None and issue_of(loop) != issue:
                continue
            with suppress(JournalError):  # the loop's own session reports it; go on with the others
                if (record := self.peek(loop, config)) is not None:
                    found[loop] = record
        return found

    def names(self, config: LoopConfig) -> Sequence[LoopId]:
        """Return every loop that has a state branch."""
        prefix = f"refs/heads/{config.branch_prefix}/"
        found = self.git.remote_refs(f"{prefix}*/state")
        return [ref.removeprefix(prefix).removesuffix("/state") for ref in sorted(found)]

    def peek(self, loop: LoopId, config: LoopConfig) -> LoopRecord | None:
        """Return a loop's record, unverified."""
        return self.journal(loop, config).read()

    def journal(self, loop: LoopId, config: LoopConfig, keys: Keyring | None = None) -> StateTracker:
        """Return a loop's journal, not read yet.

        Args:
            keys: they verify the chain and allow writing; None: read-only, unverified.
        """
        return StateTracker(
            self.git,
            branches=f"{config.branch_prefix}/{loop}",
            name=self.facts.repository,
            loop=loop,
            keys=keys,
            clock=SystemClock(),
        )
