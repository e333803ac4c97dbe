"""A dispatch that names a file of the repository instead of an issue, played to a pull request."""

import pytest

from e2e.github_world import BOT, github_world
from loop_world import honest, listed, make_project, model, plan

pytestmark = [pytest.mark.e2e, pytest.mark.root]
PATH = "docs/wish.md"
TWO = plan(listed("two", priority=1), listed("three", priority=2, depends_on=["two"]))
HONEST = {"two": [honest("two", 2)], "three": [honest("three", 3)]}


def test_a_dispatch_with_a_file_leads_to_a_ready_pull_request(tmp_path):
    wish = "# Two numbers\n\nI want two() and three().\n"
    # One feature a session: the second one is dispatched with the loop's name alone.
    files = make_project(tmp_path / "project", {PATH: wish}, config="session-features = 1\n")
    with (
        model(TWO, HONEST) as (url, log),
        github_world(tmp_path / "github", url, repo="ann/demo", files=files, log=log) as world,
    ):
        run = world.dispatch(request=PATH)
        world.settle()
        said = "\n".join(map(world.said, world.runs()))
        issue = world.github.store.issues.require(world.repo, 1)
        assert (issue.title, issue.author) == ("Two numbers", BOT), said
        assert not world.pull().draft, said
        assert f"Closes #{issue.number}" in world.pull().issue.body
        runs = world.runs()
        assert [one.event for one in runs] == ["workflow_dispatch"] * 2
        assert runs[1].caused_by == run.id

        # A path that is none fails, and says what to do.
        world.dispatch(request="docs/other.md")
        world.settle()
        last = world.runs()[-1]
        assert last.conclusion == "failure"
        assert "is not in the repository" in world.said(last)
        assert (
            len(world.github.store.issues.list(world.repo, state="all")) == 2
        )  # the issue, the pull request
