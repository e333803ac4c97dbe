"""The tiny project on the embedded GitHub with issues nobody labelled, and a workflow that listens."""

from e2e import numbers_world
from e2e.github_world import WORKFLOW
from loop_world import bash, honest
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


def world_of(tmp_path, features=None, *, issues=1, **more):
    """See `numbers_world.world_of`; with a workflow that listens for the completion signal."""
    titles = [f"Two numbers, {number}" for number in range(1, issues + 1)]
    return numbers_world.world_of(tmp_path, features, more={HEARD: LISTENS}, titles=titles, **more)


def slow_at_three():
    """Session 1 proves two() and waits in its attempt at three(); whoever comes next is quick."""
    before = [{"tools": [bash("true")]}, {"tools": [bash("true")], "delay_s": 60}]
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
