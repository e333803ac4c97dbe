"""The embedded GitHub with one repository, as people and programs meet it: over HTTP, git and the store."""

import base64
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_github.actions.ports import JobRunner
from embedded_github.actions.runs import RunRecord
from embedded_github.actions.workflow.metadata import ActionMeta
from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.models import Actor, Comment, Issue, PullRequest
from embedded_github.pages.routes import web_pages
from git_world import git
from loop_world import KEY, environment
from scripted_model.log import RequestLog

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ".github/workflows/autonomous-loop.yml"
LABEL = "autonomous-loop"
BOT = "github-actions[bot]"
ACTION = "autonomous-loop/autonomous-loop"
_HANDED = ("AUTONOMOUS_LOOP_", "ANTHROPIC_BASE_URL", "COVERAGE_")


@dataclass
class World:
    """One repository on the embedded GitHub.

    Args:
        github: it.
        repo: `owner/name`.
        log: what the model was asked.
    """

    github: EmbeddedGitHub
    repo: str
    log: RequestLog | None = None

    @property
    def owner(self) -> str:
        return self.repo.partition("/")[0]

    @property
    def folder(self) -> Path:
        """The bare repository."""
        return self.github.store.git(self.repo).path

    def git(self, *args: str) -> str:
        return git(self.folder, *args)

    def branches(self) -> dict[str, str]:
        """SHA by short name."""
        lines = self.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").splitlines()
        return dict(line.split(" ") for line in lines)

    # --- what people do

    def issue(self, text: str) -> Issue:
        """An issue by the owner, from Markdown: its first line is the title."""
        title, _, body = text.partition("\n")
        return self.github.store.issues.create(self.repo, title.lstrip("# "), body.strip(), Actor(self.owner))

    def label(self, number: int, login: str = "") -> None:
        self.github.store.issues.add_labels(self.repo, number, [LABEL], Actor(login or self.owner))

    def comment(self, number: int, text: str, login: str = "") -> None:
        self.github.store.comments.create(self.repo, number, text, Actor(login or self.owner))

    def dispatch(self, **inputs: str) -> RunRecord:
        return self.github.player.dispatch(self.repo, Path(WORKFLOW).name, "main", inputs, actor=self.owner)

    def settle(self, seconds: float = 240) -> None:
        """Until nothing runs and nothing waits."""
        assert self.github.player.wait_idle(seconds), [(run.id, run.status) for run in self.runs()]

    # --- what there is to see

    def runs(self) -> list[RunRecord]:
        """Oldest first."""
        return self.github.player.runs.runs(self.repo)[1][::-1]

    def said(self, run: RunRecord) -> str:
        """A run's job summaries and logs."""
        jobs = self.github.player.runs.jobs(run.id)
        logs = [Path(job.log).read_text() for job in jobs if job.log and Path(job.log).exists()]
        return "\n".join([*(job.summary for job in jobs), *logs])

    def pull(self) -> PullRequest:
        (found,) = self.github.store.pulls.list(self.repo)
        return found

    def labels(self, number: int) -> set[str]:
        return {one.name for one in self.github.store.issues.require(self.repo, number).labels}

    def sticky(self, number: int) -> tuple[Comment, dict[str, Any]]:
        """The comment that carries the handoff, and the document in it."""
        for comment in self.github.store.comments.list(self.repo, number):
            found = re.search(r"<!-- autonomous-loop:\S+:handoff\s+(\S+)\s+-->", comment.body)
            if found and comment.author == BOT:
                return comment, json.loads(base64.b64decode(found.group(1)))
        raise AssertionError(f"no handoff on #{number}")

    def fetch(
        self, path: str, *, token: str = "", method: str = "GET", body: object = None
    ) -> tuple[int, bytes]:
        """One request over HTTP, to the pages or (`/api/v3/...`, with a token) to the API."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            self.github.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers=headers,
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


def entrypoint(action: ActionMeta, stage: str) -> list[str] | None:
    """What stands for the image: its command is `session`, unless the action names another."""
    command = ["finish"] if stage == "post" else [] if action.args else ["session"]
    return [sys.executable, "-I", "-m", "autonomous_loop", *command]


@contextmanager
def github_world(
    folder: Path,
    url: str,
    *,
    repo: str,
    files: Path | None = None,
    log: RequestLog | None = None,
    post: bool = True,
    runner: JobRunner | None = None,
    **people: str,
) -> Iterator[World]:
    """The embedded GitHub.

    Args:
        folder: its state.
        url: of the model.
        repo: `owner/name`.
        files: become the first commit, the workflow beside them; None: the repository is there.
        post: False: as if the runner itself died with a job: no post step runs.
        runner: plays the jobs; None: as processes of this machine.
        people: roles of collaborators by login.
    """
    with EmbeddedGitHub(
        folder,
        entrypoint=lambda action, stage: entrypoint(action, stage) if post or stage == "main" else None,
        action_sources={ACTION: ROOT},
        secrets={"ANTHROPIC_API_KEY": KEY},
        extra_env={name: value for name, value in environment(url).items() if name.startswith(_HANDED)},
        path=os.environ["PATH"],
        runner=runner,
        pages=web_pages,
    ) as github:
        if files is not None:
            target = files / WORKFLOW
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((ROOT / WORKFLOW).read_bytes())
            github.store.create_repository(
                repo,
                from_folder=files,
                allow_actions_to_create_pull_requests=True,
                collaborators=people,
            )
        yield World(github, repo, log)
