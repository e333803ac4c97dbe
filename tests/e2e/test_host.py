"""The composite way in, from an example people copy: installed as root, with what the job lends its hands."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from e2e.github_world import ACTION, ROOT
from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.models import Actor
from loop_world import KEY, honest, listed, make_project, model, plan

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.timeout(600)]
EXAMPLE = ROOT / "examples" / "workflows" / "host" / "postgresql.yml"
ADDRESS = "postgresql://postgres:postgres@localhost:5432/postgres"
# What stands for actions/setup-python: it puts a folder of programs on PATH, as that does.
SETUP = """
name: setup
inputs: {python-version: {default: ''}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'echo "${{ github.action_path }}/bin" >> "$GITHUB_PATH"'}
"""


@pytest.fixture
def machine():
    """A folder that every user can enter, as the runner's tool cache is."""
    folder = Path(tempfile.mkdtemp(prefix="autonomous-loop-host-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def workflow():
    """The example, but for its service (the player has none) and for what this project is tested with."""
    text = EXAMPLE.read_text()
    head, _, rest = text.partition("    services:\n")
    text = head + rest[rest.index("    env:\n      DATABASE_URL") :]
    head, _, rest = text.partition("          setup:")
    kept = [line for line in rest.splitlines()[1:] if "test-command" not in line]
    # Run as hands: the toolchain is found, the named variable is there, and no other of the job is.
    setup = f'toolchain && test "$DATABASE_URL" = {ADDRESS} && test -z "${{NOT_NAMED:-}}"'
    return head.replace("    env:\n", "    env:\n      NOT_NAMED: there\n", 1) + "\n".join(
        [f"          setup: '{setup}'", *kept, ""]
    )


def test_an_issue_becomes_a_pull_request_with_the_jobs_own_toolchain_and_service(machine, tmp_path):
    project = make_project(tmp_path / "project")
    (project / ".github" / "workflows").mkdir(parents=True)
    (project / ".github" / "workflows" / "autonomous-loop.yml").write_text(workflow())
    shutil.rmtree(project / ".git")
    (machine / "setup" / "bin").mkdir(parents=True)
    (machine / "setup" / "action.yml").write_text(SETUP)
    (machine / "setup" / "bin" / "toolchain").write_text("#!/bin/sh\nid -u\n")
    (machine / "setup" / "bin" / "toolchain").chmod(0o755)
    with (
        model(plan(listed("two")), {"two": [honest("two", 2)]}) as (url, _),
        EmbeddedGitHub(
            tmp_path / "github",
            entrypoint=lambda action, stage: None,
            action_sources={ACTION: ROOT, "actions/setup-python": machine / "setup"},
            secrets={"ANTHROPIC_API_KEY": KEY},
            extra_env={"ANTHROPIC_BASE_URL": url, "AUTONOMOUS_LOOP_FOLDER": str(machine / "program")},
            path=os.environ["PATH"],
        ) as github,
    ):
        store, owner = github.store, Actor("octo")
        store.create_repository("octo/tiny", from_folder=project, allow_actions_to_create_pull_requests=True)
        issue = store.issues.create("octo/tiny", "A two", "I want two().", owner)
        store.issues.add_labels("octo/tiny", issue.number, ["autonomous-loop"], owner)
        assert github.player.wait_idle(500)
        _, runs = github.player.runs.runs("octo/tiny")
        jobs = [job for run in runs for job in github.player.runs.jobs(run.id)]
        log = "".join(Path(job.log).read_text() for job in jobs if job.log)
        assert [run.conclusion for run in runs] == ["success"], log
        (pull,) = store.pulls.list("octo/tiny")
        assert not pull.draft, log
        assert KEY not in log
        (job,) = jobs
        assert job.summary
    # Installed for every user to run, for root to change.
    assert (machine / "program" / "tools" / "bin" / "python").exists()
    assert (machine / "program").stat().st_uid == 0
