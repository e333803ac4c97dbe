"""Ends the journal after the pull request closed, keeps it as a bundle, and later deletes the branches."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from autonomous_loop.ci.finished_event import tell
from autonomous_loop.ci.job import Job
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.events import Bundle, Closed
from autonomous_loop.domain.keys import Keyring
from autonomous_loop.domain.model import LoopId
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.domain.trigger import issue_of
from autonomous_loop.errors import LoopError, UsageError
from autonomous_loop.github.closing import Closing, closing_of
from autonomous_loop.github.forge import GitHubForge
from autonomous_loop.github.runs import GitHubClaimants
from autonomous_loop.github.thread import Thread


class Uploaded(Protocol):
    """Describes a file set that a store has accepted."""

    @property
    def id(self) -> int:
        """The artifact's id on GitHub."""


class BundleStore(Protocol):
    """Keeps the files of a run, as GitHub artifacts."""

    def upload(self, name: str, files: Mapping[str, bytes]) -> Uploaded:
        """Keep the files under a name that is unique in this run.

        Raises:
            LoopError: the upload failed.
        """


class Cleanup:
    """Ends loops whose pull request was closed, or whose issue was closed if there is no pull request.

    Args:
        config: configuration at the default branch's head.
        key_materials: sign the journal; without keys its end is not journaled.
        bundles: None: there is no store here. A loop that was not kept as a bundle is never deleted.
        now: a clock.
    """

    def __init__(
        self,
        job: Job,
        config: LoopConfig,
        *,
        key_materials: tuple[str, ...],
        bundles: BundleStore | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._job = job
        self._config = config
        self._materials = key_materials
        self._bundles = bundles
        self._now = now
        self._claimants = GitHubClaimants(job.repository, job.facts)

    def closed_by_event(self) -> Sequence[LoopId] | None:
        """Return the loops that this job's event may have closed; None for any other event."""
        facts, event = self._job.facts, self._job.facts.event
        if event.get("action") != "closed":
            return None
        if facts.event_name == "pull_request":
            head = _mapping(_mapping(event.get("pull_request")).get("head"))
            # A branch in a fork may have any name.
            if _mapping(head.get("repo")).get("full_name") != facts.repository:
                return []
            found = re.fullmatch(
                rf"{re.escape(self._config.branch_prefix)}/([a-z0-9][a-z0-9-]{{0,62}})/pr",
                str(head.get("ref")),
            )
            return [found[1]] if found else []
        if facts.event_name == "issues":
            number = _mapping(event.get("issue")).get("number")
            return [loop for loop in self._job.names(self._config) if issue_of(loop) == number]
        return None

    def sweep(self) -> Sequence[str]:
        """Go through every loop: end those that were closed, delete those kept for `keep-days`.

        Returns:
            What was done or failed, for the log.
        """
        said = []
        for loop in self._job.names(self._config):
            try:
                said += [one for one in (self.close(loop), self.delete(loop)) if one]
            except LoopError as error:  # go on with the other loops
                said.append(f"{loop}: {error.message}")
        return said

    def close(self, loop: LoopId) -> str:
        """End one closed loop, once: bundle, journal, label, signal.

        Returns:
            What was done; empty if there was nothing to do.

        Raises:
            LoopError: GitHub, git or the journal's keys refuse.
        """
        record = self._job.peek(loop, self._config)
        closing = self._closing(loop, record) if record is not None else None
        if record is None or closing is None or record.closed is not None:
            return ""
        if self._at_work(record):
            return f"{loop}: {closing}; its session hears of it and ends"
        journal = self._job.journal(loop, self._config, Keyring.derive(self._materials, **self._scope(loop)))
        journal.read()  # verifies: add nothing to a broken chain
        bundle = self._keep(loop)
        journal.append([Closed(how=closing.how, pull_request=closing.pull_request, bundle=bundle)])
        self._show(loop, record, closing)
        kept = (
            f"kept as the artifact {bundle.name}" if bundle else "not kept: there is no artifact store here"
        )
        return f"{loop}: {closing}; its journal is {kept}"

    def delete(self, loop: LoopId) -> str:
        """Delete a loop's branches `keep-days` after it was closed, if a bundle of them exists.

        Returns:
            What was done; empty if it is too early.

        Raises:
            LoopError: as in `close`.
        """
        record = self._job.peek(loop, self._config)
        closing = self._closing(loop, record) if record is not None else None
        if record is None or closing is None or closing.at is None or self._at_work(record):
            return ""
        if self._now() < closing.at + timedelta(days=self._config.keep_days):
            return ""
        if (record.closed is None or record.closed.bundle is None) and self._keep(loop) is None:
            return f"{loop}: its branches stay: there is no artifact store here that could keep them"
        refs = self._job.git.remote_refs(f"refs/heads/{self._config.branch_prefix}/{loop}/*")
        self._job.git.push(dict.fromkeys(refs))
        return f"{loop}: {closing} {self._config.keep_days} days ago or more; its branches were deleted"

    # --- parts of it --------------------------------------------------------------------------------------

    def _keep(self, loop: LoopId) -> Bundle | None:
        if self._bundles is None:
            return None
        data = bundle_of(self._job, loop, self._config)
        name = f"{loop}-journal"
        made = self._bundles.upload(name, {f"{loop}.bundle": data})
        return Bundle(
            run_id=self._job.facts.run_id,
            artifact_id=made.id,
            name=name,
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def _show(self, loop: LoopId, record: LoopRecord, closing: Closing) -> None:
        thread = Thread(
            self._job.repository,
            loop=loop,
            issue=record.facts.request.issue or issue_of(loop) or 0,
            head=f"{self._config.branch_prefix}/{loop}/pr",
            own_login=self._job.login,
            pull_request=record.pull_request,
        )
        forge = GitHubForge(thread, workflow=self._job.facts.workflow_path, label=self._config.label)
        if thread.issue:
            forge.set_state_label("ready" if closing.how == "merged" else "stopped")
        tell(self._job, loop, record, result=closing.how)

    def _closing(self, loop: LoopId, record: LoopRecord) -> Closing | None:
        issue = record.facts.request.issue or issue_of(loop) or 0
        return closing_of(self._job.repository, issue=issue, pull_request=record.pull_request)

    def _at_work(self, record: LoopRecord) -> bool:
        last = record.sessions[-1] if record.sessions else None
        return last is not None and last.ended is None and self._claimants.is_alive(last.claimant)

    def _scope(self, loop: LoopId) -> dict[str, str]:
        return {"repository": self._job.facts.repository, "loop": loop}


def bundle_of(job: Job, loop: LoopId, config: LoopConfig) -> bytes:
    """Return a loop's branches with their whole history as a git bundle, which is all that `audit` needs.

    Raises:
        UsageError: the loop has no branches.
        LoopError: git fails.
    """
    place = f"refs/heads/{config.branch_prefix}/{loop}"
    refs = sorted(job.git.remote_refs(f"{place}/*"))
    if not refs:
        raise UsageError(f"{loop} has no branches (any more)")
    job.git.fetch(*(f"+{ref}:{ref}" for ref in refs))
    file = job.git.git.git_dir.parent / f"{loop}.bundle"
    job.git.git("bundle", "create", "--quiet", str(file), *refs)
    try:
        return file.read_bytes()
    finally:
        file.unlink()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
