"""The container as GitHub's runner starts it: mounts, inputs, signals, post step; what the hands find."""

import json
import os
import re
import socket
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from container_engine import IMAGE, Engine
from e2e.github_world import LABEL, WORKFLOW, World, github_world
from embedded_github.actions.job.process import Grace
from embedded_github.actions.job.runner import ProcessRunner
from embedded_github.server import LocalServer
from loop_world import KEY, bash, create, honest, journal_events, listed, make_project, plan
from scripted_model.log import RequestLog
from scripted_model.script import Script
from scripted_model.server import create_app
from waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.container, pytest.mark.root, pytest.mark.timeout(600)]
SCRIPT = Path(__file__).with_name("docker_run.py")
LOOP = "issue-1"
# GitHub's runner has less of it; but how long a session takes for its end depends on the machine.
PATIENT = Grace(interrupt_s=120, terminate_s=60)
# What the runner gives every step, and no program of the hands may see.
RUNTIME = {
    "ACTIONS_RUNTIME_TOKEN": "runtime-token-f7a1c2",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "identity-token-0c9d3e",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/identity",
    "ACTIONS_CACHE_URL": "http://127.0.0.1:9/cache",
}
FLOW = """\
name: Loop
on:
  issues: {types: [labeled]}
  issue_comment: {types: [created]}
  workflow_dispatch:
    inputs:
      loop: {type: string}
      generation: {type: string}
      pin: {type: string}
permissions: {contents: write, issues: write, pull-requests: write, actions: write}
jobs:
  session:
    runs-on: ubuntu-latest
    steps:
      - uses: autonomous-loop/autonomous-loop@v1
        with:
          anthropic-api-key: ${{ secrets.ANTHROPIC_API_KEY }}
          anthropic-base-url: %s
          max-sessions: 7
"""
# What must not be reached; a line for each: REACHED or CLOSED, and its name.
TARGETS = (
    "/github/workspace", "/github/workspace/README.md", "/github/home", "/github/workflow/event.json",
    "/github/file_commands", "/github/runner_temp", "/github/runner_temp/git-credentials.config",
    "/proc/1/environ", "/proc/1/root", "/proc/1/fd",
)  # fmt: skip
ATTACK = f"""\
for target in {" ".join(TARGETS)}; do
  if cat "$target" >/dev/null 2>&1 || ls "$target/" >/dev/null 2>&1
  then echo "REACHED $target"; else echo "CLOSED $target"; fi
done
if touch /github/workspace/mine 2>/dev/null
then rm /github/workspace/mine; echo "REACHED writing"; else echo "CLOSED writing"; fi
/opt/autonomous-loop/tools/bin/python -I - <<'PY'
import socket
try:
    socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")
    print("REACHED docker.sock")
except OSError:
    print("CLOSED docker.sock")
PY
"""
ALL = {*TARGETS, "writing", "docker.sock"}
VARIABLES = """\
echo "FOUND $(cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sort -u | tr '\\n' ' ') END"
"""


@dataclass
class Runner:
    """The world of one loop, whose jobs are started as the runner starts them."""

    engine: Engine
    world: World
    log: RequestLog
    reports: Path
    connections: list[object]

    def begin(self):
        number = self.world.issue("# A two\n\nI want two().").number
        self.world.label(number)
        return number

    def container(self, run):
        return f"main-{run.id}"

    def report(self, run, stage="main"):
        return json.loads((self.reports / f"{stage}-{run.id}.json").read_text())

    def events(self, kind):
        found = [one["event"] for one in journal_events(self.world.folder, LOOP)]
        return [one for one in found if one["type"] == kind]

    def runs(self):
        return self.world.runs()

    def loop(self):
        """The reason in the handoff that people see, and whether it is the last session's."""
        for number in (2, 1):
            try:
                return self.world.sticky(number)[1]["handoff"]
            except (AssertionError, LookupError):
                continue
        raise AssertionError("there is no handoff")

    def asked(self):
        """Everything that was sent to the model."""
        return "\n".join(json.dumps(one.body) for one in self.log.records if one.body)

    def waits(self):
        """Until the slow answer is waited for: the request that holds what the turn before it did."""
        wait_for(lambda: "test_two.py" in self.asked(), seconds=60)


@contextmanager
def listening(path):
    """A socket that stands for the engine's: root's alone, like the real one; who connected."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o660)
        server.listen()
        met = []

        def accept():
            while True:
                try:
                    met.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield met
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in met:
                one.close()


@contextmanager
def runner_world(engine, tmp_path, features):
    script = Script.model_validate({"planner": plan(listed("two")), "features": features})
    log = RequestLog(bodies=True)
    reports = tmp_path / "reports"
    reports.mkdir()
    with (
        LocalServer(create_app(script, api_keys=frozenset({KEY}), log=log)) as model,
        listening(tmp_path / "docker.sock") as connections,
    ):
        project = make_project(tmp_path / "project", {WORKFLOW: FLOW % model.url})

        def entrypoint(action, stage):
            settings = {
                "docker_host": engine.address, "image": IMAGE, "name": stage, "reports": str(reports),
                "socket": str(tmp_path / "docker.sock"),
                "entrypoint": action.post_entrypoint if stage == "post" else action.entrypoint,
            }  # fmt: skip
            return [sys.executable, str(SCRIPT), json.dumps(settings)]

        jobs = ProcessRunner(
            docker_entrypoint=entrypoint, extra_env=RUNTIME, path=os.environ["PATH"], grace=PATIENT
        )
        with github_world(
            tmp_path / "github", model.url, repo="octo/tiny", files=project, log=log, runner=jobs
        ) as world:
            yield Runner(engine, world, log, reports, connections)


# Begins, and then waits for an answer until somebody ends it; the next attempt does the work.
SLOW = {
    "turns": [
        {
            "tools": [
                create(
                    "tests/test_two.py", "from app import two\n\n\ndef test_two():\n    assert two() == 2\n"
                )
            ]
        },
        # The model's log holds what was answered: this answer shows that the one before was carried out.
        {"tools": [bash("git status --short")]},
        {"tools": [bash("echo late")], "delay_s": 200},
    ]
}


@pytest.fixture(scope="module")
def played(engine, tmp_path_factory):
    """One session whose hands try what they must not."""
    tries = {"tools": [bash(ATTACK), bash(VARIABLES)]}
    folder = tmp_path_factory.mktemp("docker-run")
    with runner_world(engine, folder, {"two": [honest("two", 2, before=[tries])]}) as runner:
        runner.begin()
        runner.world.settle(240)
        yield runner


def test_a_session_in_the_runners_layout_takes_the_issue_to_a_pull_request(played):
    (run,) = played.runs()
    assert run.conclusion == "success", played.world.said(run)
    assert not played.world.pull().draft
    assert played.world.labels(1) == {LABEL, f"{LABEL}: ready"}


def test_inputs_with_hyphens_arrive(played):
    # The model's address came by an input alone: without it nothing would have been answered.
    assert "ANTHROPIC_BASE_URL" not in RUNTIME
    facts = json.loads(played.world.git("show", f"autonomous-loop/{LOOP}/state:loop.json"))
    assert facts["limits"]["sessions"] == 7


def test_nothing_in_the_runners_folders_belongs_to_root(played):
    (run,) = played.runs()
    assert played.report(run) == {"code": 0, "signals": [], "not_the_runners": []}


def test_the_hands_reach_nothing_of_the_runners(played):
    said = played.asked()
    assert {one for one in ALL if f"CLOSED {one}\\n" in said} == ALL
    assert "REACHED /" not in said.replace(json.dumps(ATTACK)[1:-1], "")
    assert played.connections == []


def test_no_secret_is_in_an_environment_the_hands_can_read(played):
    (found,) = set(re.findall(r"FOUND (\w+=.*?) END", played.asked()))
    for text in (played.asked(), played.world.said(played.runs()[0])):
        for secret in (KEY, *RUNTIME.values()):
            assert secret not in text
        assert "ghs_" not in text
    assert "PATH=" in found
    assert "INPUT_" not in found
    assert "GITHUB_" not in found


@pytest.fixture
def slow(engine, tmp_path):
    """A session that waits for an answer in its first attempt, with a test written and not kept."""
    with runner_world(engine, tmp_path, {"two": [SLOW, honest("two", 2)]}) as runner:
        runner.begin()
        runner.waits()
        yield runner


def test_what_closes_the_runners_folders_is_no_accident_of_the_image(slow):
    """The same commands in the same container: root reaches all, another user nothing, Landlock or not."""
    (run,) = slow.runs()
    inside = ["exec", slow.container(run), "sh", "-c", ATTACK]
    as_root = slow.engine.docker(*inside).stdout
    assert {line.removeprefix("REACHED ") for line in as_root.splitlines()} == ALL
    assert len(slow.connections) == 1
    as_another = slow.engine.docker("exec", "--user", "58999:58999", *inside[1:]).stdout
    assert {line.removeprefix("CLOSED ") for line in as_another.splitlines()} == ALL
    slow.world.github.player.cancel(run.id)
    slow.world.settle()


def test_a_persons_cancel_saves_hands_off_and_starts_nothing(slow):
    (run,) = slow.runs()
    slow.world.github.player.cancel(run.id)
    slow.world.settle()
    (run,) = slow.runs()
    assert run.conclusion == "cancelled"
    report = slow.report(run)
    assert report["signals"] == ["SIGINT"]
    assert report["code"] not in {137, 143}, slow.world.said(run)
    (ended,) = slow.events("ended")
    assert ended["reason"] == "stopped"
    assert slow.loop()["reason"] == "stopped"
    (attempt,) = slow.events("attempt-ended")
    assert attempt["attempt"]["outcome"] == "interrupted"
    assert attempt["patch"]
    patch = slow.world.git("show", f"autonomous-loop/{LOOP}/state:attempts/two/1.patch")
    assert "tests/test_two.py" in patch
    assert report["not_the_runners"] == []


def test_a_person_who_cancelled_can_go_on(slow):
    (run,) = slow.runs()
    slow.world.github.player.cancel(run.id)
    slow.world.settle()
    slow.world.comment(1, "/loop continue")
    slow.world.settle()
    assert [one.conclusion for one in slow.runs()] == ["cancelled", "success"], slow.world.said(
        slow.runs()[-1]
    )
    assert not slow.world.pull().draft


def test_a_killed_container_is_completed_by_the_post_step_in_a_new_one(slow):
    (run,) = slow.runs()
    slow.engine.docker("kill", "--signal", "KILL", slow.container(run), check=True)
    slow.world.settle()
    first, second = slow.runs()
    assert slow.report(first)["code"] == 137
    assert slow.report(first, "post")["code"] == 0
    assert slow.report(first, "post")["not_the_runners"] == []
    assert [one["reason"] for one in slow.events("ended")] == ["died", "complete"]
    assert (second.event, second.caused_by) == ("workflow_dispatch", first.id)
    assert (first.conclusion, second.conclusion) == ("failure", "success"), slow.world.said(second)
    assert not slow.world.pull().draft
