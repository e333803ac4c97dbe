"""The committed Dockerfile, built for real, and one session in it, started as the runner starts it."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from autonomous_loop.local.actions.player import Player
from autonomous_loop.local.embedded import EmbeddedGitHub
from autonomous_loop.local.forge.models import Actor
from git_world import git
from loop_world import KEY, honest, listed, make_project, model, plan

pytestmark = [pytest.mark.e2e, pytest.mark.container, pytest.mark.root, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
IMAGE = "autonomous-loop:test"
# The runner's own layout for a docker action: the job's folders below /github, its environment, no more.
DOCKER_RUN = """\
import os, subprocess, sys
env = []
for name, value in os.environ.items():
    if name in ("PATH", "HOME", "LANG", "DOCKER_HOST"):
        continue
    env += ["-e", name]
mounts = ["-v", f"{sys.argv[1]}:{sys.argv[1]}", "-v", f"{os.environ['GITHUB_WORKSPACE']}:/github/workspace"]
sys.exit(subprocess.call(["docker", "run", "--rm", "--network", "host", "--workdir", "/github/workspace",
    "-e", "HOME=/github/home", *env, *mounts, sys.argv[2]]))
"""


@pytest.fixture(scope="module")
def engine():
    folder = Path("/tmp/autonomous-loop-engine")
    build = [str(ROOT / "tests" / "container.sh"), str(folder), IMAGE]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    yield f"unix://{folder}/docker.sock"
    subprocess.run([build[0], "--stop", str(folder)], check=True, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


def docker(engine, *args):
    env = {"PATH": os.environ["PATH"], "DOCKER_HOST": engine}
    return subprocess.run(
        ["docker", *args], env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_image_runs_the_program_and_its_hands_have_their_tools(engine):
    assert "autonomous-loop, version" in docker(engine, "run", "--rm", IMAGE, "--version").stdout
    python = "/opt/autonomous-loop/tools/bin/python -c 'import pytest, playwright'"
    tools = f"{python} && node --version && chromium --version"
    done = docker(engine, "run", "--rm", "--user", "58123", "--entrypoint", "sh", IMAGE, "-c", tools)
    assert done.returncode == 0, done.stderr
    assert "Chromium" in done.stdout


def test_one_session_in_the_container_takes_an_issue_to_a_pull_request(engine, tmp_path):
    project = make_project(tmp_path / "project")
    (project / ".github" / "workflows").mkdir(parents=True)
    workflow = ".github/workflows/autonomous-loop.yml"
    shutil.copy(ROOT / workflow, project / workflow)
    shutil.rmtree(project / ".git")
    starter = tmp_path / "docker_run.py"
    starter.write_text(textwrap.dedent(DOCKER_RUN))
    state = tmp_path / "github"

    def entrypoint(action, stage):
        return [sys.executable, str(starter), str(state), IMAGE] if stage == "main" else None

    with model(plan(listed("two")), {"two": [honest("two", 2)]}) as (url, _):
        github = EmbeddedGitHub(
            state,
            entrypoint=entrypoint,
            action_sources={"autonomous-loop/autonomous-loop": ROOT},
            secrets={"ANTHROPIC_API_KEY": KEY},
            extra_env={"ANTHROPIC_BASE_URL": url, "DOCKER_HOST": engine},
            path=os.environ["PATH"],
        )
        with github:
            store, owner = github.store, Actor("octo")
            store.create_repository(
                "octo/tiny", from_folder=project, allow_actions_to_create_pull_requests=True
            )
            issue = store.issues.create("octo/tiny", "A two", "I want two().", owner)
            store.issues.add_labels("octo/tiny", issue.number, ["autonomous-loop"], owner)
            assert github.player.wait_idle(300)
            log = read_log(github.player)
            _, runs = github.player.runs.runs("octo/tiny")
            assert [run.conclusion for run in runs] == ["success"], log
            (pull,) = store.pulls.list("octo/tiny")
            assert not pull.draft, log
            assert KEY not in log
            workspaces = state / "actions" / "jobs"
            left = list(workspaces.rglob("workspace/*"))
            assert left == []


def test_the_proofs_action_reads_a_checkout_that_is_not_its_own(engine, tmp_path):
    """As the runner starts it: the checkout belongs to the runner's user, the program is root."""
    project = make_project(tmp_path / "workspace")
    (project / "app.py").write_text("def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    test = "import app\n\n\ndef test_two():\n    assert app.two() == 2\n"
    (project / "tests" / "test_two.py").write_text(test)
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "Add two()")
    head, base = git(project, "rev-parse", "HEAD", "HEAD~1").split()
    subprocess.run(["chown", "-R", "1001:1001", project], check=True)
    given = tmp_path / "given"
    given.mkdir()
    (given / "event.json").write_text(
        json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}})
    )
    variables = {
        "GITHUB_EVENT_PATH": "/github/workflow/event.json",
        "GITHUB_STEP_SUMMARY": "/github/workflow/summary",
        "GITHUB_OUTPUT": "/github/workflow/output",
        "GITHUB_WORKSPACE": "/github/workspace",
        "HOME": "/github/home",
    }
    done = docker(
        engine, "run", "--rm", "--network", "host", "--workdir", "/github/workspace",
        "-v", f"{project}:/github/workspace", "-v", f"{given}:/github/workflow",
        *(word for name, value in variables.items() for word in ("-e", f"{name}={value}")),
        IMAGE, *yaml.safe_load((ROOT / "prove" / "action.yml").read_text())["runs"]["args"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "accepted: 1 test turns from red to green" in (given / "summary").read_text()
    assert "accepted" in (given / "output").read_text()


def read_log(player: Player) -> str:
    _, runs = player.runs.runs("octo/tiny")
    return "".join(Path(job.log).read_text() for run in runs for job in player.runs.jobs(run.id) if job.log)
