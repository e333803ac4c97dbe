"""Reads from GitHub's runs which sessions may still be at work."""

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
        repository: the loop's repository.
        facts: facts of this run.
    """

    def __init__(self, repository: Repository, facts: RunFacts) -> None:
        self._repository = repository
        # Random, so that two attempts of one run never write the same commit.
        self._me = Claimant(
            nonce=secrets.token_hex(16), run_id=str(facts.run_id), run_attempt=facts.run_attempt
        )

    def me(self) -> Claimant:
        """See `Claimants`. The same for the whole session."""
        return self._me

    def is_alive(self, claimant: Claimant) -> bool:
        """See `Claimants`. False only if GitHub says that its run or attempt is over or deleted."""
        if not claimant.run_id.isdecimal():
            return True  # a process on some machine; unknown from here
        if claimant.run_id == self._me.run_id and claimant.run_attempt < self._me.run_attempt:
            return False  # GitHub starts an attempt only after the previous one is over
        try:
            status, attempt = self._status(claimant)
        except (GithubException, requests.RequestException) as error:
            if status_of(error) == 404 and self._may_read_runs():
                return False  # only a finished run can be deleted
            why = type(error).__name__
            logger.warning("whether run %s is over cannot be told (%s)", claimant.run_id, why)
            return True
        return status != "completed" and attempt <= claimant.run_attempt

    def _status(self, claimant: Claimant) -> tuple[str, int]:
        run = self._repository.get_workflow_run(int(claimant.run_id))
        return run.status, run.run_attempt

    def _may_read_runs(self) -> bool:
        """Whether the token can read runs; without access GitHub answers 404 for every run."""
        try:
            self._status(self._me)
        except (GithubException, requests.RequestException):
            return False
        return True

    def was_cancelled(self, claimant: Claimant, *, before: datetime) -> bool:
        """Whether its run was cancelled before `before`, so by a person and not by the job's time limit."""
        if not claimant.run_id.isdecimal():
            return False
        with translated(f"looking at run {claimant.run_id}"):
            run = self._repository.get_workflow_run(int(claimant.run_id))
            return run.conclusion == "cancelled" and run.updated_at < before


def step_cancelled_at(repository: Repository, facts: RunFacts) -> datetime | None:
    """Return when a step in a running job of this run was cancelled; None if no step was.

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
    """Return when a run was created, whichever attempt this is and however long it waited.

    Raises:
        ForgeError: GitHub did not answer.
    """
    with translated(f"reading run {run_id}"):
        return repository.get_workflow_run(run_id).created_at
