"""How a job ends: by cancel, by its time, by a kill, by a rerun."""

import os
import signal
import time

import pytest

from embedded_github.actions.job.process import Grace
from integration.embedded_github.player_world import World, docker, run_step, steps
from waiting import wait_for

TRAP = """
import signal, time, os
def note(number, frame):
    print("got", signal.Signals(number).name, flush=True)
signal.signal(signal.SIGINT, note); signal.signal(signal.SIGTERM, note)
with open(os.environ["GITHUB_STATE"], "a") as state: print("where=here", file=state)
print("ready", flush=True)
while True: time.sleep(0.05)
"""


def test_cancel_sends_interrupt_then_terminate_then_kills_and_the_post_step_still_runs(world):
    after = docker("print('never')")
    always = run_step("echo cleaned up", ", if: always()")
    world.workflow(steps(docker(TRAP, "print('post', os.environ['STATE_where'])"), after, always))
    world.label()
    run = wait_for(lambda: world.runs() and world.runs()[0])
    wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
    began = time.monotonic()
    assert world.ask(f"/runs/{run.id}/cancel", {})[0] == 202
    (run,) = world.settle()
    assert 0.8 <= time.monotonic() - began < 30
    log = world.log(run)
    marks = ["got SIGINT", "got SIGTERM", "cleaned up", "post here", "The operation was canceled."]
    assert [log.find(mark) for mark in marks] == sorted(log.find(mark) for mark in marks)
    assert all(mark in log for mark in marks)
    assert "never" not in log
    job = world.jobs(run)["j"]
    assert (run.conclusion, job.conclusion) == ("cancelled", "cancelled")
    assert [step.conclusion for step in job.steps] == ["cancelled", "skipped", "success", "success"]
    status, answer = world.ask(f"/runs/{run.id}/cancel", {})
    assert (status, answer["message"]) == (409, "Cannot cancel a workflow run that is completed.")


def test_a_step_that_heeds_the_interrupt_is_not_terminated(world):
    code = TRAP.replace("while True: time.sleep(0.05)", "signal.pause(); print('saved')")
    world.workflow(steps(docker(code)))
    world.label()
    run = wait_for(lambda: world.runs() and world.runs()[0])
    wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
    world.player.cancel(run.id)
    (run,) = world.settle()
    assert "saved" in world.log(run)
    assert "SIGTERM" not in world.log(run)
    assert run.conclusion == "cancelled"


def test_a_killed_process_is_a_failure_and_the_post_step_runs(world):
    world.workflow(steps(docker(TRAP, "print('post ran')")))
    world.label()
    run = wait_for(lambda: world.runs() and world.runs()[0])
    wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
    (pid,) = world.player.pids(run.id)
    os.kill(pid, signal.SIGKILL)
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert "exit code 137" in world.log(run)
    assert "post ran" in world.log(run)


def test_the_jobs_time_limit_cancels_it(world):
    world.workflow(
        steps(docker(TRAP, "print('post ran')")).replace(
            "    steps:", "    timeout-minutes: 0.05\n    steps:"
        )
    )
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "cancelled"
    assert "exceeded the maximum execution time of 0.05 minutes" in world.log(run)
    assert "got SIGINT" in world.log(run)
    assert "post ran" in world.log(run)


def test_a_steps_time_limit_fails_it(world):
    world.workflow(steps(run_step("sleep 60", ", timeout-minutes: 0.005"), run_step("echo no")))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "failure"
    assert "timed out after 0.005 minutes" in world.log(run)


def test_what_a_step_leaves_running_ends_with_it_even_in_a_session_of_its_own(world, tmp_path):
    file = tmp_path / "pid"
    daemon = f"setsid bash -c 'echo $$ > {file}; exec sleep 60' >/dev/null 2>&1 &"
    world.workflow(steps(run_step(f"{daemon} until [ -s {file} ]; do sleep 0.01; done")))
    world.label()
    (run,) = world.settle()
    assert run.conclusion == "success"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_stop_ends_what_is_played_at_once(tmp_path):
    world = World(tmp_path, grace=Grace(interrupt_s=60, terminate_s=60))
    with world:
        world.workflow(steps(docker(TRAP), run_step("true", ", if: always()")))
        world.label()
        run = wait_for(lambda: world.runs() and world.runs()[0])
        wait_for(lambda: world.jobs(run)["j"].log and "ready" in world.log(run))
        (pid,) = world.player.pids(run.id)
        began = time.monotonic()
        world.player.stop()
        assert time.monotonic() - began < 30
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with World(tmp_path) as later:
        assert [run.conclusion for run in later.runs()] == ["cancelled"]


def test_a_player_that_died_leaves_no_run_in_progress(tmp_path):
    with World(tmp_path) as world:
        world.workflow(steps(run_step("true")))
        world.label()
        (run,) = world.settle()
        world.player.runs.update_run(run.id, status="in_progress", conclusion=None)
    with World(tmp_path) as later:
        assert [(run.status, run.conclusion) for run in later.runs()] == [("completed", "failure")]


def test_a_rerun_is_one_attempt_more_of_the_same(world):
    world.workflow(steps(run_step("echo attempt $GITHUB_RUN_ATTEMPT by $GITHUB_TRIGGERING_ACTOR; exit 1")))
    world.label(actor="eve")
    (run,) = world.settle()
    world.workflow("on: push\njobs: {}")
    assert world.ask(f"/runs/{run.id}/rerun", {})[0] == 201
    (again,) = world.settle()
    assert (again.id, again.attempt, again.actor, again.triggering_actor) == (run.id, 2, "eve", "ada")
    assert "attempt 1 by eve" in world.log(again)
    assert "attempt 2 by ada" in world.log(again)
    assert [job["run_attempt"] for job in world.ask(f"/runs/{run.id}/jobs")[1]["jobs"]] == [2]
    assert world.ask(f"/runs/{run.id}/attempts/1/jobs")[1]["total_count"] == 1
