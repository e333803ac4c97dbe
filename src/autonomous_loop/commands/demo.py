"""Plays a whole loop on this machine: embedded GitHub, scripted model, real git, tests and browser."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from autonomous_loop.commands.status import LoopStatus, read_loops, status_of
from autonomous_loop.errors import CredentialError, RepositoryError, UsageError
from autonomous_loop.github.workflow import WORKFLOW, ours
from autonomous_loop.wiring.environment import RuntimeEnvironment
from embedded_github.actions.workflow.metadata import ActionMeta
from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.models import Actor
from embedded_github.pages.routes import web_pages
from scripted_model.script import load_script
from scripted_model.serving import serve

REPOSITORY = "octo/guestbook"
ACTION = "autonomous-loop/autonomous-loop"
SCRIPTED_KEY = "sk-ant-scripted-demo-key"
LIMIT_S = 900.0
# Enough time to reach `search`, whose first answer takes longer than any session. The first session ends
# there by its deadline, later ones when their context is full.
SESSION_MINUTES = 0.45
# CPU seconds until the demo begins. If the start takes longer, the demo expects all other steps to as well.
START_S = 1.8
MOST_SLOWNESS = 5.0
LIVE_LIMIT_S = 4 * 3600.0
# Sessions are short on purpose, so that a person sees them end and continue.
CONFIGURATION = """\
# Limits of the demo: sessions are short on purpose, so that you see them end and go on.
session-minutes = {minutes}
max-compactions = 1
max-submissions = 2
max-sessions = 10
max-usd = 5.0
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Takes the sample project's issue to a pull request.

    Args:
        folder: keeps the result; None: a new folder in the system's temporary one.
        serve: keep the pages up at the end.
        live: use Claude instead of the scripted model.
        port: port of the embedded GitHub.
        as_json: print the result as one JSON object.
        slowness: factor by which sessions get more time than where the script was timed; None: measured.
    """

    folder: Path | None
    serve: bool
    live: bool
    port: int
    as_json: bool
    slowness: float | None = None

    def play(self) -> int:
        """Play until the pull request is ready for review, or nothing continues.

        Returns:
            0 only if every feature is proved.

        Raises:
            CredentialError: `live` without a key.
            RepositoryError: the sample project was not installed with the program.
            UsageError: the folder is not empty.
        """
        example, root = _example()
        runtime = RuntimeEnvironment.from_environment()
        if self.live and not runtime.service.api_key:
            raise CredentialError(
                "the demo on Claude needs a key",
                hint="set ANTHROPIC_API_KEY, or leave --live (make: LIVE=1) out.",
            )
        folder = self.folder or Path(tempfile.mkdtemp(prefix="autonomous-loop-demo-"))
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                f"{folder} is not an empty folder", hint="name a new one, or leave --folder out."
            )
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with ExitStack() as stack:
            env = self._model(stack, example)
            env |= {"AUTONOMOUS_LOOP_TOOLS": str(runtime.tools)} if runtime.tools else {}
            github = stack.enter_context(self._github(folder, root, env, runtime))
            self._say(
                "The model's turns are scripted; git, tests, browser, jobs and the embedded GitHub are real."
                if not self.live
                else "Claude works on it; the GitHub is embedded, everything else is real."
            )
            number = self._begin(github, example, folder)
            pages = f"{github.url}/{REPOSITORY}"
            self._say(f"pages: {pages}/issues/{number} and {pages}/actions")
            self._follow(github, began)
            found = read_loops(str(folder / "forge" / "repos" / f"{REPOSITORY}.git"), runtime)
            status = status_of(found[0]) if found else None
            pull = _pull_request(github)
            done = status is not None and status.state == "complete" and pull is not None and pull[1]
            self._result(status, pull, folder, pages, minutes=(time.monotonic() - began) / 60)
            if self.serve:
                self._say("the pages stay up; Ctrl-C ends them")
                _until_interrupted()
        return 0 if done else 1

    def _model(self, stack: ExitStack, example: Path) -> dict[str, str]:
        if self.live:
            url = os.environ.get("ANTHROPIC_BASE_URL")
            return {"ANTHROPIC_BASE_URL": url} if url else {}
        script = load_script(example / "turns.yaml")
        return {"ANTHROPIC_BASE_URL": stack.enter_context(serve(script, api_keys=frozenset({SCRIPTED_KEY})))}

    def _github(
        self, folder: Path, root: Path, env: dict[str, str], runtime: RuntimeEnvironment
    ) -> EmbeddedGitHub:
        key = runtime.service.api_key if self.live else SCRIPTED_KEY
        return EmbeddedGitHub(
            folder,
            entrypoint=_entrypoint,
            action_sources={ACTION: root},
            secrets={"ANTHROPIC_API_KEY": key},
            extra_env=env,
            path=runtime.path,
            port=self.port,
            pages=web_pages,
        )

    def _begin(self, github: EmbeddedGitHub, example: Path, folder: Path) -> int:
        files = folder / "files"
        shutil.copytree(
            example / "repository", files, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache")
        )
        (files / ".github" / "workflows").mkdir(parents=True)
        (files / WORKFLOW).write_bytes(ours())
        minutes = 50.0 if self.live else SESSION_MINUTES * (self.slowness or slowness())
        (files / ".github" / "autonomous-loop.toml").write_text(
            CONFIGURATION.format(minutes=round(minutes, 2)), encoding="utf-8"
        )
        store = github.store
        store.create_repository(
            REPOSITORY,
            from_folder=files,
            description="A guestbook",
            allow_actions_to_create_pull_requests=True,
        )
        title, _, body = (example / "issue.md").read_text(encoding="utf-8").partition("\n")
        owner = Actor(REPOSITORY.partition("/")[0])
        issue = store.issues.create(REPOSITORY, title.lstrip("# ").strip(), body.strip(), owner)
        store.issues.add_labels(REPOSITORY, issue.number, ["autonomous-loop"], owner)
        return issue.number

    def _follow(self, github: EmbeddedGitHub, began: float) -> None:
        shown: dict[int, str] = {}
        limit = LIVE_LIMIT_S if self.live else LIMIT_S
        quiet = 0
        while time.monotonic() - began < limit and quiet < 3:
            for run in reversed(github.player.runs.runs(REPOSITORY)[1]):
                state = run.conclusion or run.status
                if shown.get(run.id) != state:
                    shown[run.id] = state
                    cause = f", dispatched by run {run.caused_by}" if run.caused_by else ""
                    at = time.monotonic() - began
                    self._say(f"[{at:5.1f} s] run {run.run_number} ({run.event}{cause}): {state}")
            quiet = quiet + 1 if github.player.wait_idle(0.5) else 0

    def _result(
        self,
        status: LoopStatus | None,
        pull: tuple[int, bool] | None,
        folder: Path,
        pages: str,
        *,
        minutes: float,
    ) -> None:
        if self.as_json:
            found = {} if status is None else status.as_dict()
            ready = bool(pull and pull[1])
            click.echo(json.dumps({**found, "pull_request_ready": ready, "folder": str(folder)}))
            return
        if status is None:
            self._say("no loop was begun: look at the logs of the runs")
        else:
            Console().print(_table(status, minutes))
        if pull and self.serve:
            self._say(f"pull request: {pages}/pull/{pull[0]}")
        self._say(f"the result lies in {folder} (git: forge/repos/{REPOSITORY}.git, logs: actions/)")
        if not self.serve:
            self._say("to look at the pages, play it with --serve (make demo SERVE=1)")

    def _say(self, text: str) -> None:
        click.echo(text, err=True)


def _table(status: LoopStatus, minutes: float) -> Table:
    table = Table(title=f"{status.loop}: {status.state}")
    for name in ("features proved", "sessions", "tokens", "estimated cost", "errors recovered", "minutes"):
        table.add_column(name, justify="right")
    table.add_row(
        f"{status.passing} of {status.total}",
        str(status.sessions),
        f"{status.total_tokens:,}",
        f"${status.usd:.2f}",
        str(status.errors_recovered),
        f"{minutes:.1f}",
    )
    return table


def _entrypoint(action: ActionMeta, stage: str) -> Sequence[str] | None:
    """Return the command that replaces the container: the same program in a process of its own."""
    command = ["finish"] if stage == "post" else [] if action.args else ["session"]
    return [sys.executable, "-I", "-m", "autonomous_loop", *command]


def _pull_request(github: EmbeddedGitHub) -> tuple[int, bool] | None:
    """Return the pull request's number, and whether it is ready for review."""
    for pull in github.store.pulls.list(REPOSITORY):
        return pull.number, not pull.draft
    return None


def _example() -> tuple[Path, Path]:
    """Return the sample project's folder and the action's folder, from the clone or the wheel."""
    for parent in Path(__file__).resolve().parents:
        for root in (parent, parent / "sample"):
            if (root / "examples" / "guestbook" / "turns.yaml").is_file():
                return root / "examples" / "guestbook", root
    raise RepositoryError(
        "the sample project was not found: this installation is not complete",
        hint='install again: pip install --force-reinstall "autonomous-loop[demo]"',
    )


def slowness() -> float:
    """Estimate how much slower this machine is, from the CPU time this program needed to reach the demo."""
    return min(max(time.process_time() / START_S, 0.5), MOST_SLOWNESS)


def _until_interrupted() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
