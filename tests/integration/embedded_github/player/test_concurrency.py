"""Concurrency groups: who waits, who is cancelled, who runs."""

from pathlib import Path

import pytest

from integration.embedded_github.player_world import World, run_step
from waiting import wait_for


def gate(folder: Path, concurrency: str, where: str = "job") -> str:
    """A workflow whose run number N waits for the file `open-N`."""
    code = (
        f"touch {folder}/began-$GITHUB_RUN_NUMBER;"
        f" until [ -e {folder}/open-$GITHUB_RUN_NUMBER ]; do sleep 0.02; done"
    )
    line = f"concurrency: {concurrency}"
    top, job = (line, "") if where == "run" else ("", line)
    return (
        f"on: {{issues: {{types: [labeled]}}}}\n{top}\njobs:\n  j:\n    runs-on: x\n    {job}\n"
        f"    steps: [{run_step(code)}]\n"
    )


@pytest.mark.parametrize("where", ["job", "run"])
def test_by_default_a_newcomer_cancels_the_one_that_waits(world, tmp_path, where):
    world.workflow(gate(tmp_path, "loop-${{ github.event.issue.number }}", where))
    world.label()
    wait_for((tmp_path / "began-1").exists)
    world.label()
    wait_for(lambda: [run.status for run in world.runs()] == ["in_progress", "pending"])
    world.label()
    wait_for(lambda: len(world.runs()) == 3 and world.runs()[1].status == "completed")
    for number in (1, 3):
        (tmp_path / f"open-{number}").touch()
    runs = world.settle()
    assert [run.conclusion for run in runs] == ["success", "cancelled", "success"]
    assert not (tmp_path / "began-2").exists()
    (annotation,) = world.jobs(runs[1])["j"].annotations
    assert annotation.message == "Canceling since a higher priority waiting request for 'loop-12' exists"


@pytest.mark.parametrize("where", ["job", "run"])
def test_queue_max_keeps_all_that_wait_in_order(world, tmp_path, where):
    world.workflow(gate(tmp_path, "{group: loop, queue: max}", where))
    for _ in range(4):
        world.label()
    wait_for((tmp_path / "began-1").exists)
    wait_for(lambda: len(world.runs()) == 4)
    for number in range(1, 5):
        assert not (tmp_path / f"began-{number + 1}").exists()
        (tmp_path / f"open-{number}").touch()
        if number < 4:
            wait_for((tmp_path / f"began-{number + 1}").exists)
    assert [run.conclusion for run in world.settle()] == ["success"] * 4


def test_cancel_in_progress_ends_the_one_that_runs(world, tmp_path):
    world.workflow(
        gate(tmp_path, "{group: LOOP, cancel-in-progress: '${{ github.event.issue.number == 12 }}'}")
    )
    world.label()
    wait_for((tmp_path / "began-1").exists)
    (tmp_path / "open-2").touch()
    world.label()
    assert [run.conclusion for run in world.settle()] == ["cancelled", "success"]


def test_no_more_jobs_are_played_at_once_than_allowed(tmp_path):
    with World(tmp_path, max_jobs=1) as world:
        world.workflow(gate(tmp_path, "g-${{ github.run_number }}"))
        world.label()
        world.label()
        wait_for((tmp_path / "began-1").exists)
        wait_for(lambda: len(world.runs()) == 2)
        assert world.runs()[1].status == "queued"
        (tmp_path / "open-1").touch()
        wait_for((tmp_path / "began-2").exists)
        (tmp_path / "open-2").touch()
        assert [run.conclusion for run in world.settle()] == ["success"] * 2
