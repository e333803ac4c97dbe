"""Reviews and failed runs of CI, as a session meets them."""

import pytest

from autonomous_loop.domain.work import Command
from autonomous_loop.github.checks import ChecksInbox, check_id
from autonomous_loop.github.inbox import Inboxes
from autonomous_loop.github.reviews import ReviewInbox
from embedded_github.forge.models import Actor
from integration.github.conftest import HEAD, REPO

PATH = ".github/workflows/ci.yml"


@pytest.fixture
def pull(world):
    world.push()
    return world.forge().open_pull_request(title="t", body="b", head=HEAD, base="main")


def box(world, **more):
    return ReviewInbox(world.thread(), world.access(), **{"since": world.clock.at, "every_s": 0.0, **more})


def review(world, number, login, *, event="REQUEST_CHANGES", body="", comments=()):
    actor = Actor(login, links=world.store.links)
    return world.store.reviews.create(REPO, number, actor, event=event, body=body, comments=comments).id


# --- reviews


def test_a_writers_request_for_changes_arrives_whole_and_clean(world, pull):
    reader = box(world)
    lines = [
        {"path": "README.md", "body": "Say <!-- and obey --> hello", "line": 1},
        {"path": "README.md", "body": "<!-- nothing else -->", "line": 2},
    ]
    number = review(world, pull, "ann", body="Not\u200b yet", comments=lines)
    (found,) = reader.poll(consumed=())
    assert (found.id, found.actor, found.name) == (f"review-{number}", "ann", "review")
    assert found.argument == "Not yet\n- README.md, line 1: Say  hello"
    assert reader.poll(consumed=()) == []
    assert box(world).poll(consumed=(found.id,)) == []


@pytest.mark.parametrize("login", ["tri", "rea", "eve"])
def test_nobody_elses_review_arrives(world, pull, login):
    review(world, pull, login, body="Change it")
    assert box(world).poll(consumed=()) == []


@pytest.mark.parametrize("event", ["APPROVE", "COMMENT"])
def test_a_review_that_asks_for_nothing_does_not_arrive(world, pull, event):
    review(world, pull, "ann", event=event, body="Change it")
    assert box(world).poll(consumed=()) == []


def test_a_review_from_before_does_not_arrive(world, pull):
    review(world, pull, "ann", body="Change it")
    assert box(world, since=world.clock.later()).poll(consumed=()) == []


def test_a_review_of_nothing_that_is_shown_does_not_arrive(world, pull):
    review(world, pull, "ann", body="<!-- hidden -->")
    assert box(world).poll(consumed=()) == []


def test_reviews_of_a_closed_pull_request_do_not_arrive(world, pull):
    review(world, pull, "ann", body="Change it")
    world.store.issues.edit(REPO, pull, Actor("octo", links=world.store.links), state="closed")
    assert box(world).poll(consumed=()) == []


def test_what_github_does_not_tell_now_is_asked_for_again(world, pull):
    review(world, pull, "ann", body="Change it")
    reader = box(world)
    world.faults.plan = lambda _, path: "denied" if path.endswith("/reviews") else None
    assert reader.poll(consumed=()) == []
    world.faults.plan = lambda _, path: None
    assert len(reader.poll(consumed=())) == 1


# --- CI


@pytest.fixture
def published(world, pull):
    """The branch as the loop published it, with the project's workflows in it."""
    git = world.store.git(REPO)
    main = git.branch("main")
    sha = git.commit_tree(git.commit(main).tree, [main], "work", git.commit(main).author)
    git.update_ref(f"refs/heads/{HEAD}", sha)
    return sha


def run_ci(world, branch=HEAD):
    run = world.player.dispatch(REPO, "ci.yml", branch, {}, actor="octo")
    assert world.player.wait_idle(30)
    assert world.player.runs.run(run.id).conclusion == "failure"
    return run


def checks(world, sha, *, own=".github/workflows/loop.yml"):
    return ChecksInbox(world.thread(), published=sha, own_workflow=own)


def test_a_failure_on_exactly_what_was_published_arrives_once_with_its_job_and_log(world, published):
    run = run_ci(world)
    run_ci(world)
    looking = checks(world, published)
    (found,) = looking.poll(consumed=())
    assert (found.id, found.name, found.subject) == (check_id(run.workflow_id, published), "ci", PATH)
    assert "Job test, at: " in found.argument
    assert "\nit broke\n" in found.argument
    assert "\x1b" not in found.argument
    assert looking.poll(consumed=()) == []
    assert checks(world, published).poll(consumed=(found.id,)) == []


def test_failures_elsewhere_do_not_arrive(world, published):
    run_ci(world)
    run_ci(world, "main")
    assert checks(world, None).poll(consumed=()) == []
    assert checks(world, world.store.git(REPO).branch("main")).poll(consumed=()) == []
    assert checks(world, published, own=PATH).poll(consumed=()) == []


def test_a_failure_arrives_without_its_log_where_that_cannot_be_read(world, published):
    run_ci(world)
    world.faults.plan = lambda _, path: "denied" if path.endswith("/logs") else None
    (found,) = checks(world, published).poll(consumed=())
    assert "Job test" in found.argument
    assert "its log" not in found.argument


# --- together


def test_all_inboxes_are_one_and_whoever_asked_is_told(world, pull):
    review(world, pull, "ann", body="Change it")
    both = Inboxes(box(world), checks(world, None))
    (found,) = both.poll(consumed=())
    both.refuse(found)
    both.refuse(Command(id="x", actor="", name="ci"))


def test_a_ready_pull_request_goes_back_into_draft(world, pull):
    forge = world.forge()
    forge.mark_ready(pull)
    assert not world.store.pulls.require(REPO, pull).draft
    world.forge().mark_draft(pull)
    world.forge().mark_draft(pull)
    assert world.store.pulls.require(REPO, pull).draft
