"""The queue and the ends on the embedded GitHub: killed and cancelled jobs, limits, a closed pull request."""

import hashlib
import json
import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from autonomous_loop.cleanup import Cleanup
from autonomous_loop.compose import configuration
from autonomous_loop.github.action import read_facts
from autonomous_loop.job import Job
from autonomous_loop.local.forge.models import Actor
from autonomous_loop.surroundings import Surroundings
from e2e.github_world import LABEL, WORKFLOW, github_world
from e2e.test_attacks_in_the_loop import (
    BY_HAND,
    HONEST,
    LOOP,
    REPO,
    TWO,
    events_of,
    proved,
)
from loop_world import KEY, bash, command, environment, honest, journal_events, make_project, model
from waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.root]
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
        baton = world.sticky(world.pull().number)[1]["baton"]
        assert baton["spending"]["usd"] == pytest.approx(sum(one["usd"] for one in told))
        assert heard(world) == ["complete"]


def hold_with(world, more):
    """As `hold`, with other workflows in the repository."""
    assert proved(world) == ["two", "three"], "\n".join(map(world.said, world.runs()))
    assert not world.pull().draft
    assert world.labels(1) == {LABEL, f"{LABEL}: ready"}
    assert set(more) < set(world.git("ls-tree", "--name-only", "-r", f"autonomous-loop/{LOOP}/pr").split())


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

        # No schedule takes it up again; a person does.
        world.github.player.schedule_now(REPO)
        world.settle()
        assert len(events_of(world, "claimed")) == 1
        world.comment(1, "/loop continue")
        world.settle()
        assert proved(world) == ["two", "three"]


def test_a_cancel_where_not_even_the_post_step_ran_stays_a_persons_stop(tmp_path):
    with world_of(tmp_path, slow_at_three(), post=False) as world:
        world.label(1)
        pid = at_three(world)
        os.kill(pid, signal.SIGSTOP)
        world.github.player.cancel(world.runs()[0].id)
        world.settle()
        assert not events_of(world, "ended")
        world.github.player.schedule_now(REPO)
        world.settle()
        assert len(events_of(world, "claimed")) == 1
        world.comment(1, "/loop continue")
        world.settle()
        assert proved(world) == ["two", "three"]


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


def test_once_the_days_money_is_spent_the_next_session_waits_for_the_next_day(tmp_path):
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


# --- what is kept -----------------------------------------------------------------------------------------


class FolderStore:
    """Keeps bundles in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def upload(self, name, files):
        self.folder.mkdir(exist_ok=True)
        for file, data in files.items():
            (self.folder / file).write_bytes(data)
        return SimpleNamespace(id=41)


@contextmanager
def cleanup_of(world, tmp_path, *, bundles, days=0.0, keys=(KEY,)):
    """The clean-up as a job of the schedule has it, some days later."""
    token = world.github.store.create_token("octo")
    variables = {
        "GITHUB_REPOSITORY": REPO, "GITHUB_RUN_ID": "999", "GITHUB_EVENT_NAME": "schedule",
        "GITHUB_API_URL": f"{world.github.url}/api/v3", "GITHUB_SERVER_URL": world.github.url,
    }  # fmt: skip
    around = replace(Surroundings.from_environment({"PATH": os.environ["PATH"]}), token=token)
    with TemporaryDirectory(dir=tmp_path) as home:
        job = Job.connect(read_facts(variables, {}), around, Path(home))
        try:
            config = configuration(job.git, job.default_head())
            later = datetime.now(UTC) + timedelta(days=days)
            yield Cleanup(job, config, key_materials=keys, bundles=bundles, now=lambda: later)
        finally:
            job.git.close()


def test_the_journal_is_kept_as_a_bundle_that_audit_proves_and_the_branches_go_after_keep_days(tmp_path):
    store = FolderStore(tmp_path / "kept")
    with world_of(tmp_path) as world:
        world.label(1)
        world.settle()
        world.github.player.set_enabled(REPO, "autonomous-loop.yml", enabled=False)
        with cleanup_of(world, tmp_path, bundles=store, days=99) as cleanup:
            assert cleanup.sweep() == []  # nothing was closed
        world.github.store.pulls.merge(REPO, world.pull().number, Actor("octo"))
        before = world.branches()
        # With a key that is not the journal's nothing is written, nor anything deleted.
        with cleanup_of(world, tmp_path, bundles=store, keys=("another-key",)) as cleanup:
            assert "another key" in cleanup.sweep()[0]
        assert world.branches() == before

        with cleanup_of(world, tmp_path, bundles=store, days=13.9) as cleanup:
            assert "kept as the artifact issue-1-journal" in cleanup.sweep()[0]
            assert cleanup.sweep() == []
        (closed,) = events_of(world, "closed")
        bundle = store.folder / "issue-1.bundle"
        digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
        assert closed["bundle"] == {
            "run_id": 999, "artifact_id": 41, "name": "issue-1-journal", "sha256": digest,
        }  # fmt: skip
        assert f"autonomous-loop/{LOOP}/state" in world.branches()

        with cleanup_of(world, tmp_path, bundles=store, days=14.1) as cleanup:
            assert "branches were deleted" in cleanup.sweep()[0]
            assert cleanup.sweep() == []
        assert set(world.branches()) == {"main"}

    # Nothing but the file is needed.
    done = subprocess.run(
        command("audit", bundle, "--json"), env=environment(""), cwd=tmp_path,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["loop"] == LOOP


def test_what_is_not_kept_as_a_bundle_is_never_deleted(tmp_path):
    with world_of(tmp_path) as world:
        world.label(1)
        world.settle()
        # No job of the repository hears of it: it would keep the bundle as an artifact of its run.
        world.github.player.set_enabled(REPO, "autonomous-loop.yml", enabled=False)
        world.github.store.pulls.merge(REPO, world.pull().number, Actor("octo"))
        world.settle()
        before = world.branches().keys()
        with cleanup_of(world, tmp_path, bundles=None, days=99) as cleanup:
            ended, stayed = cleanup.sweep()
            assert "not kept" in ended
            assert "its branches stay" in stayed
        assert world.branches().keys() == before


def test_a_file_that_is_no_bundle_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "artifact.zip").write_bytes(b"PK\x03\x04")
    done = subprocess.run(
        command("audit", tmp_path / "artifact.zip"), env=environment(""),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "no git bundle" in done.stderr
    assert "unzip" in done.stderr
