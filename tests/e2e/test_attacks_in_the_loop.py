"""What goes wrong or is done on purpose while a loop runs on the embedded GitHub."""

import base64
import json
import os
import signal

import pytest

from e2e.github_world import BOT, LABEL, ROOT
from e2e.numbers_world import (
    BY_HAND,
    CALLED,
    LOOP,
    REPO,
    STATE,
    events_of,
    proved,
    world_of,
)
from embedded_github.forge.models import Actor
from loop_world import bash, honest, journal_events
from waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.root]


def events_at(world):
    """When they happened, to the second, as the embedded GitHub writes times."""
    return [one["at"][:19] + "Z" for one in journal_events(world.folder, LOOP)]


def conclusions(world):
    return [(run.event, run.conclusion) for run in world.runs()]


def hold(world):
    """The loop is complete, by all that can be seen."""
    assert proved(world) == ["two", "three"], "\n".join(map(world.said, world.runs()))
    assert events_of(world, "ended")[-1]["reason"] == "complete"
    assert not world.pull().draft
    assert world.labels(1) == {LABEL, f"{LABEL}: ready"}
    assert world.branches()[f"autonomous-loop/{LOOP}/pr"] == world.pull().head_sha
    assert world.git("ls-tree", "--name-only", "-r", f"autonomous-loop/{LOOP}/pr").split() == [
        ".github/workflows/autonomous-loop.yml", "app.py", "tests/conftest.py", "tests/test_one.py",
        "tests/test_three.py", "tests/test_two.py",
    ]  # fmt: skip


@pytest.mark.parametrize("taken_up_by", ["the schedule", "a comment of the owner"])
def test_a_killed_session_loses_nothing_that_was_proved_and_its_spending_is_counted(tmp_path, taken_up_by):
    # The model's log shows a turn once it is answered: with the second one in it, half.txt is written.
    half = [bash("echo half > half.txt"), bash("cat half.txt"), bash("true")]
    before = [{"tools": [one], "delay_s": wait} for one, wait in zip(half, (0, 0, 60), strict=True)]
    slow = honest("three", 3, before=before)
    features = {"two": [honest("two", 2)], "three": [slow, honest("three", 3)]}
    # The runner dies with the job: no post step completes what was left.
    with world_of(tmp_path, features, post=False) as world:
        world.label(1)
        wait_for(
            lambda: any(one.conversation == "three#1" and one.turn == 1 for one in world.log.records),
            seconds=120,
        )
        (run,) = world.runs()
        (pid,) = world.github.player.pids(run.id)
        os.kill(pid, signal.SIGKILL)
        world.settle(30)
        assert conclusions(world) == [("issues", "failure")]
        checkpoint = world.branches()[f"autonomous-loop/{LOOP}/checkpoint/1"]
        assert proved(world) == ["two"]

        if taken_up_by == "the schedule":
            world.github.player.schedule_now(REPO)
        else:
            world.comment(1, "/loop continue")
        world.settle()

        hold(world)
        assert world.runs()[-1].conclusion == "success"
        assert [one["session"] for one in events_of(world, "claimed")] == [1, 2]
        assert world.git("merge-base", checkpoint, world.pull().head_sha) == checkpoint
        # What the dead attempt may have cost is what was set aside for it before its first answer.
        reserved = next(
            one["reserved"] for one in events_of(world, "attempt-started") if one["feature_id"] == "three"
        )
        told = [one["spending"] for kind in ("spent", "attempt-ended") for one in events_of(world, kind)]
        counted = world.sticky(world.pull().number)[1]["handoff"]["spending"]
        assert reserved["usd"] > 0
        assert counted["usd"] == pytest.approx(sum(one["usd"] for one in [reserved, *told]))
        assert counted["tokens"] == {
            kind: sum(one["tokens"][kind] for one in [reserved, *told]) for kind in counted["tokens"]
        }


@pytest.mark.parametrize("guarded", [True, False], ids=["by the workflow", "without its concurrency"])
def test_of_two_sessions_dispatched_at_once_one_works_and_the_other_ends_neutrally(tmp_path, guarded):
    text = (ROOT / CALLED).read_text()
    head, _, rest = text.partition("    concurrency:\n")
    bare = head + rest[rest.index("    steps:\n") :]
    assert "queue: max" in text
    assert "concurrency" not in bare
    features = {"two": [honest("two", 2)], "three": [honest("three", 3, delay_s=2)]}
    with world_of(tmp_path, features, config=BY_HAND, called="" if guarded else bare) as world:
        world.label(1)
        world.settle()
        assert proved(world) == ["two"]
        inputs = {"loop": LOOP, "generation": "2", "pin": world.branches()[STATE]}
        two = [world.dispatch(**inputs), world.dispatch(**inputs)]
        world.settle()

        assert proved(world) == ["two", "three"]
        assert [one["session"] for one in events_of(world, "claimed")] == [1, 2]
        said = [world.said(run) for run in two]
        assert [run.conclusion for run in world.runs()] == ["success"] * 3, said
        assert sum("Autonomous Loop: superseded" in one for one in said) == 1, said
        assert [one.conversation for one in world.log.records if one.turn == 0].count("three#1") == 1
        assert not world.pull().draft


def test_what_was_asked_before_the_loop_ended_starts_no_second_loop(tmp_path):
    with world_of(tmp_path) as world:
        octo = Actor("octo")
        # Twice in a row; the second waits for the first by the workflow's own concurrency.
        world.dispatch(issue="1")
        world.dispatch(issue="1")
        world.label(1)
        world.settle()
        hold(world)
        assert [run.conclusion for run in world.runs()] == ["success"] * 3
        before, asked = world.branches(), len(world.log.records)
        assert all(LOOP in one.split("/") for one in before if one != "main")
        for run in world.runs():
            world.github.player.rerun(run.id)
            world.settle()
        assert [run.conclusion for run in world.runs()] == ["success"] * 3
        assert (world.branches(), len(world.log.records)) == (before, asked)

        # A label that is put on anew is another matter.
        wait_for(lambda: world.github.store.now() > events_at(world)[-1])
        world.github.store.issues.remove_label(REPO, 1, LABEL, octo)
        world.label(1)
        world.settle()
        assert f"autonomous-loop/{LOOP}-2/state" in world.branches()


def test_a_label_by_somebody_without_write_access_is_refused_and_taken_off_again(tmp_path):
    with world_of(tmp_path, reader="read", helper="triage") as world:
        tokens = {name: world.github.store.create_token(name) for name in ("reader", "helper")}
        path = f"/api/v3/repos/{REPO}/issues/1/labels"
        # GitHub itself keeps the reader from labelling; who triages may label, but asks no loop for anything.
        assert world.fetch(path, method="POST", body={"labels": [LABEL]}, token=tokens["reader"])[0] == 403
        assert world.fetch(path, method="POST", body={"labels": [LABEL]}, token=tokens["helper"])[0] == 200
        world.settle()
        (run,) = world.runs()
        assert (run.actor, run.conclusion) == ("helper", "success")
        assert "ignored" in world.said(run)
        assert "helper may not ask this" in world.said(run)
        assert world.labels(1) == set()
        assert set(world.branches()) == {"main"}
        assert not world.log.records

        world.label(1)  # by the owner
        world.settle()
        hold(world)


def test_a_strangers_comments_do_nothing(tmp_path):
    with world_of(tmp_path, config=BY_HAND) as world:
        world.github.store.create_user("stranger")
        world.label(1)
        world.settle()
        before = world.branches(), len(world.log.records), world.labels(1)
        for words in ("/loop continue", "/loop skip three", "/loop stop"):
            world.comment(1, words, login="stranger")
            world.settle()
        runs = world.runs()[1:]
        assert [(run.actor, run.conclusion) for run in runs] == [("stranger", "success")] * 3
        assert all("stranger may not ask this" in world.said(run) for run in runs)
        assert (world.branches(), len(world.log.records), world.labels(1)) == before

        # Nor are they heard later, when someone else's word starts a session.
        world.comment(1, "/loop continue")
        world.settle()
        assert proved(world) == ["two", "three"]
        assert {one["actor"] for one in events_of(world, "consumed")} == {"octo"}
        assert not events_of(world, "blocked")
        assert not world.pull().draft


def forged(world, number):
    """The handoff's comment, saying that all is done and the journal stood elsewhere."""
    comment, document = world.sticky(number)
    document["handoff"] |= {"features_passing": 2, "reason": "complete", "state": world.branches()["main"]}
    hidden = base64.b64encode(json.dumps(document).encode()).decode()
    return comment, f"### All is done\n\n<!-- autonomous-loop:{LOOP}:handoff\n{hidden}\n-->"


def test_a_handoff_that_somebody_edited_stops_the_loop_for_a_person(tmp_path):
    with world_of(tmp_path, config=BY_HAND, mallory="write") as world:
        world.label(1)
        world.settle()
        comment, text = forged(world, world.pull().number)
        token = world.github.store.create_token("mallory")
        path = f"/api/v3/repos/{REPO}/issues/comments/{comment.id}"
        assert world.fetch(path, method="PATCH", body={"body": text}, token=token)[0] == 200
        before, asked = world.branches(), len(world.log.records)
        world.comment(1, "/loop continue")
        world.settle()
        stopped = world.runs()[-1]
        assert stopped.conclusion == "failure"
        assert "signature does not hold" in world.said(stopped)
        assert (world.branches(), len(world.log.records)) == (before, asked)

        # A person looked, and put back what stood there.
        assert world.fetch(path, method="PATCH", body={"body": comment.body}, token=token)[0] == 200
        world.comment(1, "/loop continue")
        world.settle()
        assert proved(world) == ["two", "three"]
        assert not world.pull().draft


def test_a_handoff_in_somebody_elses_comment_is_not_read_and_a_deleted_one_is_made_anew_from_the_journal(
    tmp_path,
):
    with world_of(tmp_path, config=BY_HAND, mallory="write") as world:
        world.label(1)
        world.settle()
        number = world.pull().number
        comment, text = forged(world, number)
        world.github.store.comments.delete(REPO, comment.id, Actor("octo"))
        world.comment(number, text, login="mallory")
        world.comment(number, "/loop continue")
        world.settle()
        assert proved(world) == ["two", "three"]
        made, document = world.sticky(number)
        assert made.author == BOT
        assert document["handoff"]["features_passing"] == 2
        assert "handoff was missing" in document["handoff"]["note"]
        assert not world.pull().draft
