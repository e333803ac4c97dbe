"""What `init` wrote is played: the issue is labelled, a session starts and does its part."""

import pytest

from autonomous_loop.commands.init import init
from autonomous_loop.github.workflow import WORKFLOW
from autonomous_loop.wiring.environment import GitHubAccount, RuntimeEnvironment
from e2e.github_world import github_world
from loop_world import honest, listed, make_project, model, plan

pytestmark = pytest.mark.e2e


def test_the_workflow_that_init_wrote_starts_a_session(tmp_path):
    project = make_project(tmp_path / "project")
    init(project, RuntimeEnvironment.from_environment(), GitHubAccount())
    assert (project / WORKFLOW).is_file()
    with (
        model(plan(listed("two")), {"two": [honest("two", 2)]}) as (url, log),
        github_world(tmp_path / "github", url, repo="ann/demo", files=project, log=log) as world,
    ):
        issue = world.issue("# Add two\n\nplease")
        world.label(issue.number)
        world.settle()
        (run, *_) = world.runs()
        assert (run.event, run.conclusion) == ("issues", "success"), world.said(run)
        assert not world.pull().draft
