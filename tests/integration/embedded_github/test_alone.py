"""The embedded GitHub stands alone: `python -m embedded_github` needs nothing of the product."""

import json
import subprocess
import urllib.request

import alone
from git_world import git
from waiting import wait_for

WORKFLOW = """
on: {issues: {types: [opened]}}
jobs:
  greet:
    runs-on: ubuntu-latest
    steps:
      - uses: octo/greet@v1
        with: {who: "${{ github.event.issue.title }}"}
"""
ACTION = """
name: Greet
inputs: {who: {required: true}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'echo "hello $WHO"', env: {WHO: "${{ inputs.who }}"}}
"""


def ask(url, token, body=None):
    request = urllib.request.Request(
        url, None if body is None else json.dumps(body).encode(), {"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def test_help_needs_no_product(tmp_path):
    done = subprocess.run(
        alone.command("embedded_github", tmp_path, "--help"), capture_output=True, text=True, check=True
    )
    assert "--repository OWNER/NAME=FOLDER" in done.stdout


def test_a_workflow_runs_on_a_clones_history_and_is_kept(tmp_path):
    project, action = tmp_path / "project", tmp_path / "action"
    (project / ".github" / "workflows").mkdir(parents=True)
    (project / ".github" / "workflows" / "greet.yml").write_text(WORKFLOW)
    action.mkdir()
    (action / "action.yml").write_text(ACTION)
    git(project, "init", "-q", "-b", "trunk")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    (project / "not-committed").write_text("x")
    given = alone.command(
        "embedded_github", tmp_path, "--folder", str(tmp_path / "kept"),
        "--repository", f"octo/project={project}", "--action", f"octo/greet={action}",
    )  # fmt: skip
    with alone.running(given, "token") as said:
        api, token = f"{said['API']}/repos/octo/project", said["token of octo"]
        ask(f"{api}/issues", token, {"title": "world"})

        def ended():
            runs = json.loads(ask(f"{api}/actions/runs", token))["workflow_runs"]
            return runs and runs[0]["conclusion"]

        assert wait_for(ended) == "success"
        jobs = json.loads(ask(f"{api}/actions/runs/1/jobs", token))["jobs"]
        assert b"hello world" in ask(f"{api}/actions/jobs/{jobs[0]['id']}/logs", token)
        assert b"greet" in ask(f"{said['pages']}octo/project/actions", token)
        assert git(project, "ls-remote", f"{tmp_path}/kept/forge/repos/octo/project.git", "refs/heads/*") == (
            f"{git(project, 'rev-parse', 'HEAD')}\trefs/heads/trunk"
        )
    with alone.running(given, "token") as said:
        found = json.loads(ask(f"{said['API']}/repos/octo/project/issues/1", said["token of octo"]))
        assert found["title"] == "world"


def test_without_a_repository_a_token_is_there_all_the_same(tmp_path):
    with alone.running(alone.command("embedded_github", tmp_path), "token") as said:
        assert json.loads(ask(f"{said['API']}/user", said["token of octo"]))["login"] == "octo"


def test_what_cannot_be_made_is_said_before_anything_is_served(tmp_path):
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q", "-b", "main")
    for argument, says in (
        ("octo/one", "is not owner/name=FOLDER"),
        (f"octo/one={tmp_path / 'nowhere'}", "is not a folder"),
        (f"octo/one={tmp_path / 'empty'}", "octo/one cannot be made from"),
    ):
        done = subprocess.run(
            alone.command("embedded_github", tmp_path, "--repository", argument),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode, argument
        assert says in done.stderr


def test_the_readmes_example_is_a_test_that_passes(tmp_path):
    given = alone.readme_example("embedded_github", tmp_path)
    done = subprocess.run(given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
