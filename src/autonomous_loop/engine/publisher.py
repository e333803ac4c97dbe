"""The only writer of what people see: the pull request's branch and text, labels, comments, final status."""

from __future__ import annotations

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import Event, Published, PullRequestOpened
from autonomous_loop.domain.record import LoopRecord
from autonomous_loop.engine.ports import Checkpoints, Forge, Journal, Progress, Reporter
from autonomous_loop.errors import ForgeError, LoopError, RepositoryError, Superseded

_KINDS = {
    HandoffReason.COMPLETE: "ready",
    HandoffReason.BLOCKED: "needs you",
    HandoffReason.APPROVAL: "needs you",
}


class Publisher:
    """Moves the `pr` branch and keeps the pull request's text in step with the journal.

    Args:
        forge: None on a plain git directory, where only branches move.
        head: full name of the pull request's branch (`autonomous-loop/<loop>/pr`).

    Attributes:
        notes: what could not be done, for people.
        behind: the branch could not move to the newest checkpoint, because someone else moved it.
        refused: the branch may not be moved, and a further session could not move it either.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        checkpoints: Checkpoints,
        forge: Forge | None,
        reporter: Reporter,
        progress: Progress,
        head: str,
    ) -> None:
        self._journal = journal
        self._checkpoints = checkpoints
        self._forge = forge
        self._reporter = reporter
        self._progress = progress
        self._head = head
        self.notes: list[str] = []
        self.behind = False
        self.refused = False

    def publish(self) -> list[Event]:
        """Move the branch to the newest checkpoint, and open the pull request if there is none.

        Returns:
            Events to journal. A failure here loses no work; refusals by GitHub become notes for people.
        """
        record = self._journal.record()
        if record.checkpoint == record.facts.base:
            return []  # nothing is proved yet, so there is nothing to show
        events: list[Event] = []
        if record.published != record.checkpoint:
            self._progress.step("publishing the pull request's branch")
            try:
                self._checkpoints.publish(record.checkpoint, expected=record.published)
                events.append(Published(commit=record.checkpoint))
            except RepositoryError as error:
                self.notes.append(str(error))
                self.refused = True
                return []
            except (Superseded, LoopError) as error:
                self.notes.append(error.args[0])
                self.behind = True
                return []
        if self._forge is not None and record.pull_request is None:
            title, body = self._reporter.pull_request(record)
            try:
                number = self._forge.open_pull_request(
                    title=title, body=body, head=self._head, base=record.facts.base_branch
                )
                events.append(PullRequestOpened(number=number))
            except ForgeError as error:
                self.notes.append(str(error))
        return events

    def ending(self, reason: HandoffReason) -> HandoffReason:
        """Return why the session ends. A refusal noted here means that a person must act."""
        by_itself = reason.continues or reason is HandoffReason.COMPLETE
        return HandoffReason.FAILED if self.refused and by_itself else reason

    def take_up(self, record: LoopRecord) -> None:
        """Return the pull request of a completed loop to draft, because work on it goes on."""
        if self._forge is None or record.pull_request is None or not record.taken_up_after_done:
            return
        try:
            self._forge.mark_draft(record.pull_request)
        except ForgeError as error:
            self.notes.append(str(error))

    def describe(self, record: LoopRecord) -> None:
        """Update the pull request's text and the state label from the record; refusals become notes."""
        if self._forge is None:
            return
        try:
            if record.pull_request is not None:
                title, body = self._reporter.pull_request(record)
                self._forge.update_pull_request(record.pull_request, title=title, body=body)
            self._forge.set_state_label(self._reporter.state(record))
        except ForgeError as error:
            self.notes.append(str(error))

    def finish(self, record: LoopRecord, reason: HandoffReason) -> None:
        """Post the one comment at an end: ready, stopped or needs you."""
        if self._forge is None or reason.continues:
            return
        if reason is HandoffReason.COMPLETE and record.pull_request is not None:
            self._forge.mark_ready(record.pull_request)
        kind = _KINDS.get(reason, "stopped")
        self._forge.comment(f"{kind} {record.generation}", self._reporter.final(record, kind))
