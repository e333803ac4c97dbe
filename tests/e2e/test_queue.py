"""The queue and the ends on the embedded GitHub: killed and cancelled jobs, limits, a closed pull request."""

import os
import signal
from datetime import UTC, datetime

import pytest

from e2e.github_world import LABEL
from e2e.numbers_world import BY_HAND, LOOP, REPO, events_of, proved
from e2e.queue_world import HEARD, at_three, heard, loop_runs, slow_at_three, world_of
from embedded_github.forge.models import Actor
from loop_world import bash, honest, journal_events
from waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.root]


# --- what a killed session leaves -------------------------------------------------------------------------


def test_a_killed_session_is_completed_by_its_jobs_post_step_and_the_next_job_carries_on(tmp_path):
    with world_of(tmp_path, slow_at_three()) as world:
        world.label(1)
        os.kill(at_three(world), signal.SIGKILL)
        world.settle()
        runs = loop_runs(world)
        assert [(run.event, run.conclusion) for run in runs] == [
            ("issues", "failure"), ("workflow_dispatch", "success"),
        ], "\n".join(map(world.said, runs))  # fmt: skip
        assert runs[1].caused_by == runs[0].id
        hold_with(world, [HEARD])
        first, second = events_of(world, "ended")
        assert (first["reason"], first["progressed"]) == ("died", True)
        assert second["reason"] == "complete"
        assert [one["session"] for one in events_of(world, "claimed")] == [1, 2]
        # The attempt it died in is settled, once, at what was set aside for it.
        reserved = [
            one["reserved"] for one in events_of(world, "attempt-started") if one["feature_id"] == "three"
        ]
        settled = [
            one["spending"]
            for one in events_of(world, "attempt-ended")
            if one["attempt"]["outcome"] == "interrupted"
        ]
        assert settled == reserved[:1]
        told = [one["spending"] for kind in ("spent", "attempt-ended") for one in events_of(world, kind)]
        handoff = world.sticky(world.pull().number)[1]["handoff"]
        assert handoff["spending"]["usd"] == pytest.approx(sum(one["usd"] for one in told))
        assert heard(world) == ["complete"]


def hold_with(world, more):
    """As `hold`, with other workflows in the repository."""
    assert proved(world) == ["two", "three"], "\n".join(map(world.said, world.runs()))
    assert not world.pull().draft
    assert world.labels(1) == {LABEL, f"{LABEL}: ready"}
    assert set(more) < set(world.git("ls-tree", "--name-only", "-r", f"autonomous-loop/{LOOP}/pr").split())


def only_a_person_goes_on(world):
    """No schedule takes it up again; a person does."""
    world.github.player.schedule_now(REPO)
    world.settle()
    assert len(events_of(world, "claimed")) == 1
    world.comment(1, "/loop continue")
    world.settle()
    assert proved(world) == ["two", "three"]


def test_a_cancel_the_session_was_too_busy_to_hear_of_stays_a_persons_stop(tmp_path):
    with world_of(tmp_path, slow_at_three()) as world:
        world.label(1)
        pid = at_three(world)
        os.kill(pid, signal.SIGSTOP)  # it hears no signal, and is killed in the end
        (run,) = world.runs()
        world.github.player.cancel(run.id)
        world.settle()
        assert [run.conclusion for run in loop_runs(world)] == ["cancelled"], world.said(run)
        assert [one["reason"] for one in events_of(world, "ended")] == ["stopped"], world.said(run)
        assert "told to stop" in events_of(world, "ended")[0]["note"]
        assert f"{LABEL}: stopped" in world.labels(1)
        assert heard(world) == ["stopped"]

        only_a_person_goes_on(world)


def test_a_cancel_where_not_even_the_post_step_ran_stays_a_persons_stop(tmp_path):
    with world_of(tmp_path, slow_at_three(), post=False) as world:
        world.label(1)
        pid = at_three(world)
        os.kill(pid, signal.SIGSTOP)
        world.github.player.cancel(world.runs()[0].id)
        world.settle()
        assert not events_of(world, "ended")
        only_a_person_goes_on(world)


def test_a_dead_session_whose_run_was_deleted_is_gone_on_from_by_a_person(tmp_path):
    with world_of(tmp_path, slow_at_three(), post=False) as world:
        world.label(1)
        os.kill(at_three(world), signal.SIGKILL)
        world.settle()
        world.github.player.delete(world.runs()[0].id)
        # Whether it died or was cancelled is not to be told any more: no schedule takes it up.
        only_a_person_goes_on(world)


def test_a_cancel_the_session_heard_of_is_not_ended_twice(tmp_path):
    with world_of(tmp_path, slow_at_three()) as world:
        world.label(1)
        at_three(world)
        world.github.player.cancel(world.runs()[0].id)
        world.settle()
        assert [one["reason"] for one in events_of(world, "ended")] == ["stopped"]
        assert "did not end in time" not in events_of(world, "ended")[0]["note"]
        assert "the session ended by itself" in world.said(world.runs()[0])
        assert len(loop_runs(world)) == 1


# --- the queue --------------------------------------------------------------------------------------------


def unheard(world, *numbers, login=""):
    """Labels whose events start nothing, as when GitHub drops them."""
    world.github.player.set_enabled(REPO, "autonomous-loop.yml", enabled=False)
    for number in numbers:
        world.label(number, login)
    world.settle()
    world.github.player.set_enabled(REPO, "autonomous-loop.yml", enabled=True)


def test_one_schedule_starts_every_issue_that_waits_and_takes_refused_labels_off(tmp_path):
    with world_of(tmp_path, issues=3, helper="triage") as world:
        unheard(world, 1, 3)
        unheard(world, 2, login="helper")
        world.github.player.schedule_now(REPO)
        world.settle(480)
        (run,) = loop_runs(world)
        assert run.conclusion == "success", world.said(run)
        jobs = {job.name for job in world.github.player.runs.jobs(run.id)}
        assert {name.rpartition(" / ")[2] for name in jobs} == {"plan", "issue-1", "issue-3"}
        assert world.labels(2) == set()
        assert "helper, who may not ask" in world.said(run)
        for loop in ("issue-1", "issue-3"):
            reasons = [
                one["event"]["reason"]
                for one in journal_events(world.folder, loop)
                if one["event"]["type"] == "ended"
            ]
            assert reasons == ["complete"]
        assert sorted(heard(world)) == ["complete", "complete"]

        # With nothing to do there is no session at all.
        world.github.player.schedule_now(REPO)
        world.settle()
        last = loop_runs(world)[-1]
        assert [job.conclusion for job in world.github.player.runs.jobs(last.id)] == ["success", "skipped"]


def test_an_issue_beyond_the_open_loops_waits_once_and_the_schedule_starts_it_when_there_is_room(tmp_path):
    config = f"{BY_HAND}max-open-loops = 1\n"
    with world_of(tmp_path, config=config, issues=2) as world:
        world.label(1)
        world.settle()
        assert proved(world) == ["two"]  # paused, and open: it waits for a person
        world.label(2)
        world.settle()
        waiting = loop_runs(world)[-1]
        assert waiting.conclusion == "success"
        assert "waiting" in world.said(waiting)
        assert world.labels(2) == {LABEL, f"{LABEL}: paused"}
        world.github.player.schedule_now(REPO)
        world.settle()
        assert "autonomous-loop/issue-2/state" not in world.branches()
        (comment,) = world.github.store.comments.list(REPO, 2)
        assert "max-open-loops is 1" in comment.body
        assert "the schedule starts it" in comment.body

        world.comment(1, "/loop continue")  # the first comes to its end
        world.settle()
        hold_with(world, [HEARD])
        world.github.player.schedule_now(REPO)
        world.settle()
        assert "autonomous-loop/issue-2/state" in world.branches()


def minutes_left_of_the_day():
    now = datetime.now(UTC)
    return 24 * 60 - now.hour * 60 - now.minute


def test_once_the_days_money_is_spent_the_next_session_waits_for_the_next_day(tmp_path):
    wait_for(lambda: minutes_left_of_the_day() > 4, seconds=400)  # all of it is to be one day's
    config = "session-features = 1\nmax-usd-per-day = 0.001\n"
    with world_of(tmp_path, config=config) as world:
        world.label(1)
        world.settle()
        runs = loop_runs(world)
        assert [(run.event, run.conclusion) for run in runs] == [
            ("issues", "success"), ("workflow_dispatch", "success"),
        ]  # fmt: skip
        assert "max-usd-per-day" in world.said(runs[1])
        assert len(events_of(world, "claimed")) == 1
        assert f"{LABEL}: paused" in world.labels(1)
        number = world.pull().number
        waits = [one for one in world.github.store.comments.list(REPO, number) if "waits" in one.body]
        assert len(waits) == 1
        assert "00:00 UTC the schedule starts it" in waits[0].body

        world.github.player.schedule_now(REPO)
        world.settle()
        assert len(events_of(world, "claimed")) == 1
        waits = [one for one in world.github.store.comments.list(REPO, number) if "waits" in one.body]
        assert len(waits) == 1


# --- the end ----------------------------------------------------------------------------------------------


def test_a_pull_request_that_is_closed_ends_its_loop(tmp_path):
    config = 'session-features = 1\ncontinuation = "scheduled"\n'
    with world_of(tmp_path, config=config) as world:
        world.label(1)
        world.settle()
        number = world.pull().number
        world.github.store.issues.edit(REPO, number, Actor("octo"), state="closed")
        world.settle()
        run = loop_runs(world)[-1]
        assert (run.event, run.conclusion) == ("pull_request", "success")
        (closed,) = events_of(world, "closed")
        assert (closed["how"], closed["pull_request"]) == ("closed", number), world.said(run)
        assert (closed["bundle"]["run_id"], closed["bundle"]["name"]) == (run.id, f"{LOOP}-journal")
        assert f"{LABEL}: stopped" in world.labels(1)
        assert heard(world) == ["closed"]

        world.github.player.schedule_now(REPO)
        world.comment(1, "/loop continue")
        world.settle()
        assert len(events_of(world, "claimed")) == 1
        assert "ended with it" in world.said(loop_runs(world)[-1])


def test_a_session_hears_that_its_pull_request_was_closed(tmp_path):
    before = [{"tools": [bash("true")], "delay_s": 3} for _ in range(40)]
    features = {"two": [honest("two", 2)], "three": [honest("three", 3, before=before)]}
    with world_of(tmp_path, features, config="session-features = 1\n") as world:
        world.label(1)
        wait_for(lambda: len(events_of_if_any(world, "claimed")) > 1, seconds=120)
        world.github.store.issues.edit(REPO, world.pull().number, Actor("octo"), state="closed")
        world.settle()
        assert proved(world) == ["two"]
        assert [one["reason"] for one in events_of(world, "ended")] == ["session-done", "stopped"]
        assert [one["how"] for one in events_of(world, "closed")] == ["closed"]


def events_of_if_any(world, kind):
    return events_of(world, kind) if f"autonomous-loop/{LOOP}/state" in world.branches() else []


def test_a_merged_pull_request_ends_its_loop_and_a_new_label_starts_another(tmp_path):
    with world_of(tmp_path) as world:
        world.label(1)
        world.settle()
        world.github.store.pulls.merge(REPO, world.pull().number, Actor("octo"))
        world.settle()
        assert [one["how"] for one in events_of(world, "closed")] == ["merged"]
        assert f"{LABEL}: ready" in world.labels(1)
        assert heard(world) == ["complete", "merged"]
