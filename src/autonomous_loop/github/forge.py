"""Writes the pull request, its comments and labels, and dispatches the next session."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from github.GithubException import GithubException
from github.PullRequest import PullRequest

from autonomous_loop.domain.handoff import Handoff
from autonomous_loop.errors import ForgeError
from autonomous_loop.github.client import NOT_PERMITTED, once, repeated, translated
from autonomous_loop.github.thread import Thread

STATES: Final = {"working": "1d76db", "paused": "fbca04", "ready": "0e8a16", "stopped": "b60205"}
"""The words and colours of the second label."""
_NO_DRAFTS: Final = re.compile(r"draft pull requests? .*not supported", re.IGNORECASE)


class GitHubForge:
    """Implements `Forge` with PyGithub.

    Every write can be repeated: a pull request is found again by its branch and a comment by its marker and
    author, labels are a set, and a second dispatch of a generation finds it claimed.

    Args:
        thread: the loop's issue and pull request.
        workflow: path of our own workflow's file, or its name.
        label: the label that starts a loop; the state labels are derived from it.
        default_branch: used in dispatches; empty asks GitHub.
        server_url: base of links for people.
        pause_s: seconds before a retry; doubled each time.
    """

    def __init__(
        self,
        thread: Thread,
        *,
        workflow: str,
        label: str,
        default_branch: str = "",
        server_url: str = "https://github.com",
        pause_s: float = 1.0,
    ) -> None:
        self._thread = thread
        self._repository = thread.repository
        self._workflow = workflow.rpartition("/")[2]
        self._label = label
        self._default_branch = default_branch
        self._server_url = server_url
        self._pause_s = pause_s
        self._shown: dict[int, tuple[str, str]] = {}
        self._state = ""

    def open_pull_request(self, *, title: str, body: str, head: str, base: str) -> int:
        """See `Forge`.

        Raises:
            ForgeError: refused. If a setting forbids it, the hint names the setting and the page on which a
                person can open the pull request, which is then found by its branch.
        """

        def create() -> PullRequest:
            try:
                return self._repository.create_pull(base=base, head=head, title=title, body=body, draft=True)
            except GithubException as error:
                # Private repositories of free accounts have no drafts.
                if not _NO_DRAFTS.search(str(error.data)):
                    raise
            return self._repository.create_pull(base=base, head=head, title=title, body=body, draft=False)

        try:
            with translated("opening the pull request"):
                made = once(self._thread.find_pull_request, create, pause_s=self._pause_s)
        except ForgeError as error:
            hint = error.hint
            if NOT_PERMITTED in error.message:
                page = f"{self._server_url}/{self._repository.full_name}/compare"
                hint += f" Or open it yourself: {page}/{quote(base)}...{quote(head)}?expand=1"
            raise ForgeError(error.message, status=error.status, hint=hint) from None
        self._thread.opened(made.number)
        return made.number

    def update_pull_request(self, number: int, *, title: str, body: str) -> None:
        """See `Forge`.

        Raises:
            ForgeError: GitHub refused.
        """
        if self._shown.get(number) == (title, body):
            return
        with translated(f"updating pull request #{number}"):
            self._repository.get_pull(number).edit(title=title, body=body)
        self._shown[number] = (title, body)

    def mark_ready(self, number: int) -> None:
        """See `Forge`. If it is no draft, nothing changes.

        Raises:
            ForgeError: GitHub refused.
        """
        with translated(f"marking pull request #{number} ready for review"):
            pull = self._repository.get_pull(number)
            if pull.draft:
                pull.mark_ready_for_review()

    def mark_draft(self, number: int) -> None:
        """See `Forge`. If it is a draft already, nothing changes.

        Raises:
            ForgeError: GitHub refused, for example because the repository's plan has no drafts.
        """
        with translated(f"converting pull request #{number} to a draft"):
            pull = self._repository.get_pull(number)
            if not pull.draft:
                pull.convert_to_draft()

    def comment(self, marker: str, body: str) -> None:
        """See `Forge`.

        Raises:
            ForgeError: GitHub refused.
        """
        with translated("writing a comment"):
            number, mark = self._thread.number, self._thread.mark(marker)
            once(
                lambda: self._thread.find_comment(number, mark),
                lambda: self._repository.get_issue(number).create_comment(f"{body.rstrip()}\n\n{mark}"),
                pause_s=self._pause_s,
            )

    def set_state_label(self, state: str) -> None:
        """See `Forge`. Sets `<label>: <state>` on the issue, replacing the previous one.

        Raises:
            ForgeError: GitHub refused.
        """
        if state == self._state:
            return
        wanted = f"{self._label}: {state}"
        ours = {f"{self._label}: {one}" for one in STATES} - {wanted}
        with translated(f"setting the label {wanted}"):
            issue = self._repository.get_issue(self._thread.issue)
            present = {one.name for one in issue.get_labels()}
            if wanted not in present:
                self._make_label(wanted, STATES.get(state, "ededed"))
                issue.add_to_labels(wanted)
            for name in sorted(present & ours):
                self._drop_label(name)
        self._state = state

    def dispatch(self, handoff: Handoff) -> str:
        """See `Forge`. Runs on the default branch with `loop`, the `generation` to claim, and `pin`.

        Raises:
            ForgeError: refused, or no answer after three tries.
        """
        inputs = {"loop": handoff.loop, "generation": str(handoff.generation + 1), "pin": handoff.state}
        with translated(f"dispatching session {handoff.generation + 1}"):
            branch = self._default_branch or self._repository.default_branch
            # Repeat it although it is a POST, because only one of two sessions can claim a generation.
            return repeated(lambda: self._dispatch(branch, inputs), pause_s=self._pause_s)

    def _dispatch(self, branch: str, inputs: dict[str, str]) -> str:
        workflow = self._repository.get_workflow(self._workflow)
        try:
            run = workflow.create_dispatch(branch, inputs, throw=True, return_run_details=True)
        except GithubException as error:
            if error.status not in {400, 422}:
                raise
            # Older Enterprise servers do not know the last argument. Any other fault is refused again.
            workflow.create_dispatch(branch, inputs, throw=True)
            return ""
        return "" if isinstance(run, bool) else run.html_url

    def _make_label(self, name: str, colour: str) -> None:
        try:
            self._repository.create_label(name, colour, "Set by Autonomous Loop")
        except GithubException as error:
            if error.status != 422:  # 422: it exists
                raise

    def _drop_label(self, name: str) -> None:
        try:
            self._repository.get_issue(self._thread.issue).remove_from_labels(name)
        except GithubException as error:
            if error.status != 404:  # 404: someone else removed it first
                raise
