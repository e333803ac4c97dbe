"""What starts a run on the player, and what does not."""

import pytest

from integration.embedded_github.player_world import BOT, REPO, Happening, run_step, steps


def test_a_label_by_a_person_starts_a_run_and_one_by_a_workflow_token_does_not(world):
    world.workflow(steps(run_step("true")))
    world.label(actor=BOT, by_workflow_token=True)
    world.label(actor="triager")
    (run,) = world.settle()
    assert (run.actor, run.event, run.conclusion, run.title) == ("triager", "issues", "success", "Do it")


def test_only_the_listed_activity_starts_a_run(world):
    world.workflow(steps(run_step("true")))
    world.player.deliver(Happening("issues", "opened", {"issue": {"title": "x"}}))
    world.player.deliver(Happening("issue_comment", "created", {}))
    assert world.settle() == []


def test_a_job_whose_condition_fails_is_skipped_and_so_is_the_run(world):
    world.workflow(
        "on: {issues: {types: [labeled]}}\n"
        "jobs:\n  j:\n    if: github.event.label.name == 'go'\n    runs-on: x\n    steps: [{run: 'true'}]\n"
    )
    world.label("other")
    world.label("GO")
    skipped, played = world.settle()
    assert (skipped.conclusion, world.jobs(skipped)["j"].conclusion) == ("skipped", "skipped")
    assert played.conclusion == "success"


def test_a_push_starts_what_its_branch_filter_takes(world):
    world.workflow(steps(run_step("true"), on="push: {branches: [main, 'release/**']}"))
    for ref in ("refs/heads/main", "refs/heads/topic", "refs/heads/release/1/2", "refs/tags/v1"):
        world.player.deliver(
            Happening("push", None, {"ref": ref, "after": "3" * 40, "head_commit": {"message": "m"}})
        )
    world.player.deliver(
        Happening("push", None, {"ref": "refs/heads/main", "after": "0" * 40, "deleted": True})
    )
    assert [run.ref for run in world.settle()] == ["refs/heads/main", "refs/heads/release/1/2"]


def test_a_pull_request_by_a_workflow_token_waits_for_approval_and_runs_when_approved(world):
    world.workflow(steps(run_step("echo $GITHUB_HEAD_REF-$GITHUB_BASE_REF"), on="pull_request:"))
    pull = {"number": 3, "title": "P", "head": {"sha": "4" * 40, "ref": "topic"}, "base": {"ref": "main"}}
    world.player.deliver(
        Happening("pull_request", "opened", {"pull_request": pull}, BOT, by_workflow_token=True)
    )
    (run,) = world.settle()
    assert (run.status, run.conclusion) == ("completed", "action_required")
    assert world.ask(f"/runs/{run.id}/approve", {})[0] == 201
    (run,) = world.settle()
    assert (run.conclusion, run.attempt) == ("success", 1)
    assert "topic-main" in world.log(run)


def test_a_schedule_fires_on_the_default_branch_in_the_owners_name(world):
    world.workflow(
        steps(run_step("echo cron=${{ github.event.schedule }}"), on="schedule: [{cron: '17 4 * * *'}]")
    )
    (started,) = world.player.schedule_now(REPO)
    (run,) = world.settle()
    assert (run.id, run.event, run.actor, run.ref) == (started.id, "schedule", "octo", "refs/heads/main")
    assert "cron=17 4 * * *" in world.log(run)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("services: {}\n", "'services'"),
        ("env: {A: '${{ secrets.X'}\n", "not closed"),
        ("permissions: {contents: all}\n", "permissions.contents"),
        ("concurrency: {group: '${{ steps.a }}'}\n", "Unrecognized named-value: 'steps'"),
        ("concurrency: {group: a, queue: max, cancel-in-progress: true}\n", "exclude each other"),
    ],
)
def test_a_file_github_would_refuse_is_recorded_as_a_startup_failure(world, more, word):
    world.workflow(steps(run_step("true"), more=more))
    world.label()
    (run,) = world.settle()
    assert (run.status, run.conclusion) == ("completed", "startup_failure")
    assert word in run.message
    assert world.player.runs.jobs(run.id) == []
