"""The tiny project on the embedded GitHub with issues nobody labelled, and a workflow that listens."""

from contextlib import contextmanager

from e2e.github_world import WORKFLOW, github_world
from e2e.test_attacks_in_the_loop import HONEST, REPO, TWO
from loop_world import bash, honest, make_project, model
from waiting import wait_for

HEARD = ".github/workflows/heard.yml"
LISTENS = """
on:
  repository_dispatch:
    types: [autonomous-loop-finished]
jobs:
  heard:
    runs-on: ubuntu-latest
    steps:
      - env:
          HEARD: ${{ toJSON(github.event.client_payload) }}
        run: echo "$HEARD"
"""


@contextmanager
def world_of(tmp_path, features=None, *, config="", issues=1, **people):
    """The tiny project, a workflow that listens for the completion signal, issues nobody labelled."""
    files = make_project(tmp_path / "project", {HEARD: LISTENS}, config=config)
    with (
        model(TWO, features or HONEST) as (url, log),
        github_world(tmp_path / "github", url, repo=REPO, files=files, log=log, **people) as world,
    ):
        for number in range(1, issues + 1):
            world.issue(f"# Two numbers, {number}\n\nI want two() and three().")
        yield world


def slow_at_three(*, delay=60):
    """Session 1 proves two() and waits in its attempt at three(); whoever comes next is quick."""
    before = [{"tools": [bash("true")]}, {"tools": [bash("true")], "delay_s": delay}]
    return {"two": [honest("two", 2)], "three": [honest("three", 3, before=before), honest("three", 3)]}


def at_three(world):
    """Wait for it; the process of its session."""
    wait_for(
        lambda: any(one.conversation == "three#1" and one.turn == 0 for one in world.log.records), seconds=120
    )
    (pid,) = world.github.player.pids(world.runs()[0].id)
    return pid


def heard(world):
    """The results the completion signal told of."""
    return [
        world.said(run).split('"result": "')[1].partition('"')[0] for run in world.runs() if run.path == HEARD
    ]


def loop_runs(world):
    return [run for run in world.runs() if run.path == WORKFLOW]
