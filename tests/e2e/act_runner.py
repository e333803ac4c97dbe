"""A runner of the embedded GitHub: act plays the workflow file, each docker action in a fresh container."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embedded_github.actions.job.commands import JobLog, Masker
from embedded_github.actions.ports import Annotation, JobControl, JobPlan, JobResult, StepResult
from git_world import git

ACT = Path(sys.executable).with_name("act")
BASE = "python:3.13-slim-trixie"
"""The job's own image, where act runs what is no docker action: any that has a shell."""
UNKNOWN_TO_ACT = re.compile(r"^ +queue: max\n", re.MULTILINE)
"""act's schema is older than this key of `concurrency`, and refuses a file that has it."""
LEVELS = {"error": "failure", "warning": "warning", "notice": "notice"}
CANCEL_S = 15.0
"""How long act has, after SIGINT, before it is killed."""


@dataclass(frozen=True)
class ActRunner:
    """A `JobRunner`.

    act plays the whole workflow, and those it calls: it decides `needs`, `if` and a matrix once more.
    So this is for runs of which the player starts one job.


    What of GitHub's runner act does not copy: the folders below /github and the signals of a cancel
    (test_docker_run.py has both), and concurrency (the player keeps it before it starts a job).

    Args:
        engine: the container engine's address, for DOCKER_HOST.
        repositories: the embedded GitHub's bare repositories, by `owner/name.git`.
        actions: folders of actions and reusable workflows, by `owner/name@ref`: there is no github.com here.
        secrets: the repository's, without GITHUB_TOKEN.
        env: variables for every step.
    """

    engine: str
    repositories: Path
    actions: Mapping[str, Path]
    secrets: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, plan: JobPlan, control: JobControl) -> JobResult:
        """Play one job to its end, on the calling thread."""
        masker = Masker()
        for secret in self._secrets(plan).values():
            masker.add(secret)
        log = JobLog(plan.log, masker)
        reader = _Reader(log, masker)
        try:
            process = subprocess.Popen(
                self._command(plan),
                cwd=self._checkout(plan),
                env={"PATH": os.environ["PATH"], "HOME": str(plan.folder), "DOCKER_HOST": self.engine},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
            over = threading.Event()
            listener = threading.Thread(target=_listen, args=(process, reader, over, control))
            listener.start()
            _attend(process, over, control)
            listener.join()
            code = process.wait()
        finally:
            log.close()
        conclusion = "cancelled" if control.cancelled else "success" if code == 0 else "failure"
        return JobResult(
            conclusion,
            steps=tuple(reader.steps),
            annotations=tuple(reader.annotations),
            summary="\n".join(reader.summary),
        )

    def _secrets(self, plan: JobPlan) -> dict[str, str]:
        """Those of the run's own workflow: the plan has those that it hands to the one it calls."""
        return {**self.secrets, "GITHUB_TOKEN": plan.github["token"]}

    def _checkout(self, plan: JobPlan) -> Path:
        """The repository at the run's commit: act reads the workflow file in it."""
        folder = plan.folder / "checkout"
        source = self.repositories / f"{plan.github['repository']}.git"
        folder.parent.mkdir(parents=True, exist_ok=True)
        git(folder.parent, "clone", "-q", "--no-checkout", str(source), str(folder))
        git(folder, "checkout", "-q", "--detach", plan.github["sha"])
        _make_playable(folder)
        return folder

    def _actions(self, plan: JobPlan) -> dict[str, Path]:
        """Copies of the actions' folders, which stand for github.com."""
        made = {}
        for number, (name, source) in enumerate(self.actions.items()):
            made[name] = plan.folder / "github.com" / str(number)
            shutil.copytree(source, made[name], symlinks=True)
            _make_playable(made[name])
        return made

    def _command(self, plan: JobPlan) -> list[str]:
        github = plan.github
        event, secrets = plan.folder / "event.json", plan.folder / "secrets.env"
        plan.folder.mkdir(parents=True, exist_ok=True)
        event.write_text(json.dumps(plan.payload))
        # As dotenv: a value in single quotes is taken as it is.
        secrets.write_text("".join(f"{name}='{value}'\n" for name, value in self._secrets(plan).items()))
        path = github["workflow_ref"].partition("@")[0].removeprefix(f"{github['repository']}/")
        told = {f"GITHUB_{name.upper()}": github[name] for name in TOLD}
        return [
            str(ACT), github["event_name"], "--json", "--workflows", path,
            "--eventpath", str(event), "--secret-file", str(secrets), "--actor", github["actor"],
            "--platform", f"ubuntu-latest={BASE}", "--pull=false", "--no-cache-server", "--rm",
            "--network", "host", "--use-new-action-cache", "--action-offline-mode",
            "--action-cache-path", str(plan.folder / "actions"),
            *(f"--local-repository={name}={folder}" for name, folder in self._actions(plan).items()),
            *(f"--env={name}={value}" for name, value in {**told, **self.env}.items()),
        ]  # fmt: skip


TOLD = (
    "api_url", "graphql_url", "ref", "ref_name", "ref_type", "repository", "repository_owner", "run_attempt",
    "run_id", "run_number", "server_url", "triggering_actor", "workflow_ref", "workflow_sha",
)  # fmt: skip
"""What act would make up by itself, of the `github` context."""


@dataclass
class _Reader:
    """Takes act's output, a JSON object a line."""

    log: JobLog
    masker: Masker
    steps: list[StepResult] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)

    def line(self, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            said = {"msg": text}
        self.log.write(str(said.get("msg", "")).rstrip("\r\n"))
        command = said.get("command")
        if command == "summary":
            self.summary.append(self.masker.mask(said["content"]))
        elif command in LEVELS:
            self.annotations.append(
                Annotation(LEVELS[command], self.masker.mask(said.get("arg") or said["msg"]))
            )
        if "stepResult" in said:
            name, at = f"{said.get('stage', '')} {said['step']}".strip(), said.get("time", "")
            self.steps.append(StepResult(len(self.steps) + 1, name, said["stepResult"], at, at))


def _make_playable(folder: Path) -> None:
    """The one change: what act does not know is taken out of the workflow files."""
    for file in (folder / ".github" / "workflows").glob("*.yml"):
        file.write_text(UNKNOWN_TO_ACT.sub("", file.read_text()))


def _listen(
    process: subprocess.Popen[str], reader: _Reader, over: threading.Event, control: JobControl
) -> None:
    assert process.stdout is not None
    try:
        with process.stdout as stream:
            for line in stream:
                reader.line(line)
    finally:
        over.set()
        control.wake()


def _attend(process: subprocess.Popen[str], over: threading.Event, control: JobControl) -> None:
    """Wait for act; a cancelled job gets SIGINT first, for act to remove its containers."""
    due = float("inf")
    while not over.is_set():
        now = time.monotonic()
        if now >= due:
            os.killpg(process.pid, signal.SIGKILL)
            return
        if control.cancelled and due == float("inf"):
            process.send_signal(signal.SIGINT)
            due = now + CANCEL_S
        control.wait(over, seen=(control.cancelled, control.killed), until=min(due, now + 60))
