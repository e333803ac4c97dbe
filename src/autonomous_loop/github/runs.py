"""Which sessions may still be at work, as GitHub's runs tell."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime

import requests
from github.GithubException import GithubException
from github.Repository import Repository

from autonomous_loop.domain.events import Claimant
from autonomous_loop.github.action import RunFacts
from autonomous_loop.github.client import status_of, translated

logger = logging.getLogger(__name__)


class GitHubClaimants:
    """Implements `Claimants` for CI jobs.

    Args:
        repository: of the loop.
        facts: of this run.
    """

    def __init__(self, repository: Repository, facts: RunFacts) -> None:
        self._repository = repository
        # Random, so that two attempts of one run never write the same commit.
        self._me = Claimant(
            nonce=secrets.token_hex(16), run_id=str(facts.run_id), run_attempt=facts.run_attempt
        )

    def me(self) -> Claimant:
        """See `Claimants`: the same for the whole session."""
        return self._me

    def is_alive(self, claimant: Claimant) -> bool:
        """See `Claimants`: False only when GitHub says that its run, or its attempt, is over or deleted."""
        if not claimant.run_id.isdecimal():
            return True  # a process of some machine: not to be told from here
        if claimant.run_id == self._me.run_id and claimant.run_attempt < self._me.run_attempt:
            return False  # GitHub starts an attempt only when the one before is over
        try:
            status, attempt = self._status(claimant)
        except (GithubException, requests.RequestException) as error:
            if status_of(error) == 404 and self._may_read_runs():
                return False  # only a run that is over can be deleted
            why = type(error).__name__
            logger.warning("whether run %s is over cannot be told (%s)", claimant.run_id, why)
            return True
        return status != "completed" and attempt <= claimant.run_attempt

    def _status(self, claimant: Claimant) -> tuple[str, int]:
        run = self._repository.get_workflow_run(int(claimant.run_id))
        return run.status, run.run_attempt

    def _may_read_runs(self) -> bool:
        """Whether this token is shown a run that certainly exists: to others GitHub says 404 of every run."""
        try:
            self._status(self._me)
        except (GithubException, requests.RequestException):
            return False
        return True

    def was_cancelled(self, claimant: Claimant, *, before: datetime) -> bool:
        """Whether its run was cancelled before a time: a person's stop, not a job that ran into its limit."""
        if not claimant.run_id.isdecimal():
            return False
        with translated(f"looking at run {claimant.run_id}"):
            run = self._repository.get_workflow_run(int(claimant.run_id))
            return run.conclusion == "cancelled" and run.updated_at < before


def step_cancelled_at(repository: Repository, facts: RunFacts) -> datetime | None:
    """When a step of a job of this run that is still at work was cancelled; None: none was.

    Raises:
        ForgeError: GitHub did not answer.
    """
    with translated(f"reading the jobs of run {facts.run_id}"):
        for job in repository.get_workflow_run(facts.run_id).jobs():
            for step in job.steps:
                if job.status != "completed" and step.conclusion == "cancelled":
                    return step.completed_at or datetime.now(UTC)
    return None


def made_at(repository: Repository, run_id: int) -> datetime:
    """When a run was made, whichever of its attempts this is and however long it waited.

    Raises:
        ForgeError: GitHub did not answer.
    """
    with translated(f"reading run {run_id}"):
        return repository.get_workflow_run(run_id).created_at
