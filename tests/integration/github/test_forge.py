from __future__ import annotations

import json

import pytest
from starlette.responses import Response

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.handoff import Handoff
from autonomous_loop.errors import ForgeError

from .conftest import HEAD, LABEL, REPO


def handoff(**more) -> Handoff:
    given = {
        "repository": REPO,
        "loop": "issue-1",
        "generation": 2,
        "reason": HandoffReason.TIME,
        "checkpoint": "a" * 40,
        "state": "b" * 40,
    }
    return Handoff(**{**given, **more})


def open_one(world, forge=None) -> int:
    return (forge or world.forge()).open_pull_request(title="Replies", body="Body", head=HEAD, base="main")


def test_the_pull_request_is_a_draft_and_made_once(world):
    world.push()
    number = open_one(world)
    assert open_one(world, world.forge()) == number
    pull = world.repository().get_pull(number)
    assert (pull.title, pull.body, pull.draft, pull.head.ref, pull.base.ref) == (
        "Replies",
        "Body",
        True,
        HEAD,
        "main",
    )
    assert world.repository().get_pulls(state="all").totalCount == 1


def test_a_lost_answer_makes_no_second_pull_request(world):
    world.push()
    world.faults.times(1, "POST", "/pulls", "lost")
    number = open_one(world)
    assert [one.number for one in world.repository().get_pulls(state="all")] == [number]


def test_a_server_that_is_down_for_a_moment_is_asked_again(world):
    world.push()
    world.faults.times(2, "POST", "/pulls", "down")
    assert open_one(world) == 2


def test_a_pull_request_a_person_opened_from_the_branch_is_the_loops(world):
    world.push()
    theirs = world.person("ann").create_pull(base="main", head=HEAD, title="Mine", body="")
    assert open_one(world) == theirs.number


def test_a_forbidden_pull_request_names_the_setting_and_the_page(world):
    world.push()
    world.store.db.execute("UPDATE repositories SET actions_may_open_pulls = 0")
    with pytest.raises(ForgeError) as caught:
        open_one(world)
    assert caught.value.status == 403
    assert "not permitted to create or approve pull requests" in caught.value.message
    assert "Allow GitHub Actions to create and approve pull requests" in caught.value.hint
    assert f"{world.url}/{REPO}/compare/main...{HEAD}?expand=1" in caught.value.hint


def test_nothing_to_compare_is_an_error_in_githubs_words(world):
    with pytest.raises(ForgeError) as caught:
        open_one(world)
    assert caught.value.status == 422
    assert "head" in caught.value.message.lower()


def test_title_and_body_are_updated_and_not_asked_for_twice(world):
    world.push()
    forge = world.forge()
    number = open_one(world, forge)
    forge.update_pull_request(number, title="New", body="Newer")
    before = len(world.faults.seen)
    forge.update_pull_request(number, title="New", body="Newer")
    assert len(world.faults.seen) == before
    pull = world.repository().get_pull(number)
    assert (pull.title, pull.body) == ("New", "Newer")


def test_ready_takes_it_out_of_draft_and_may_be_said_twice(world):
    world.push()
    forge = world.forge()
    number = open_one(world, forge)
    forge.mark_ready(number)
    forge.mark_ready(number)
    assert world.repository().get_pull(number).draft is False


def test_a_comment_is_written_once_for_each_marker_whatever_happens(world):
    world.faults.times(1, "POST", "/comments", "lost")
    world.forge().comment("ready 3", "Done.")
    world.forge().comment("ready 3", "Done.")
    world.forge().comment("stopped 4", "Stopped.")
    bodies = [one.body for one in world.repository().get_issue(1).get_comments()]
    assert [body.partition("\n")[0] for body in bodies] == ["Done.", "Stopped."]
    assert bodies[0].endswith("<!-- autonomous-loop:issue-1:ready 3 -->")


def test_somebody_elses_marker_hides_no_comment_of_ours(world):
    world.say("eve", "<!-- autonomous-loop:issue-1:ready 3 -->")
    world.forge().comment("ready 3", "Done.")
    assert world.repository().get_issue(1).get_comments().totalCount == 2


def test_comments_go_to_the_pull_request_once_there_is_one(world):
    world.push()
    forge = world.forge()
    number = open_one(world, forge)
    forge.comment("ready 3", "Done.")
    assert world.repository().get_issue(number).get_comments().totalCount == 1
    assert world.repository().get_issue(1).get_comments().totalCount == 0


def test_one_state_label_stands_on_the_issue(world):
    world.label("ann")
    world.label("ann", "bug")
    forge = world.forge()
    forge.set_state_label("working")
    world.forge().set_state_label("ready")
    names = {one.name for one in world.repository().get_issue(1).labels}
    assert names == {LABEL, "bug", f"{LABEL}: ready"}
    assert world.repository().get_label(f"{LABEL}: ready").color == "0e8a16"


def test_the_same_state_costs_no_request(world):
    forge = world.forge()
    forge.set_state_label("working")
    before = len(world.faults.seen)
    forge.set_state_label("working")
    assert len(world.faults.seen) == before


def test_a_dispatch_names_the_default_branch_and_what_the_next_session_needs(world):
    url = world.forge().dispatch(handoff())
    assert world.player.wait_idle(20)
    _, (run,) = world.player.runs.runs(REPO)
    assert url == f"{world.url}/{REPO}/actions/runs/{run.id}"
    assert (run.event, run.head_branch) == ("workflow_dispatch", "main")
    assert {name: value for name, value in run.payload["inputs"].items() if value} == {
        "loop": "issue-1", "generation": "3", "pin": "b" * 40,
    }  # fmt: skip


def test_a_server_that_does_not_know_run_details_is_asked_without(world):
    world.faults.times(1, "POST", "/dispatches", "unknown")
    assert world.forge().dispatch(handoff()) == ""
    assert world.player.wait_idle(20)
    assert world.player.runs.runs(REPO)[0] == 1


def test_a_dispatch_survives_an_outage_of_a_moment(world):
    world.faults.times(2, "POST", "/dispatches", "down")
    assert world.forge().dispatch(handoff()).startswith(world.url)
    assert world.player.wait_idle(20)


def test_a_dispatch_without_the_permission_says_which_is_missing(world):
    thread = world.thread(world.workflow_token(contents="write", issues="write", actions="read"))
    with pytest.raises(ForgeError) as caught:
        world.forge(thread).dispatch(handoff())
    assert caught.value.status == 403
    assert "actions must be `write`" in caught.value.hint


def test_an_error_names_no_token(world):
    token = world.workflow_token(issues="read")
    with pytest.raises(ForgeError) as caught:
        world.forge(world.thread(token)).comment("x", "y")
    shown = f"{caught.value!r} {caught.value} {caught.value.__cause__} {caught.value.__context__!r}"
    assert caught.value.status == 403
    assert token not in shown


def test_an_outage_that_lasts_is_an_error_with_its_status(world):
    forge = world.forge()
    world.faults.plan = lambda method, path: "down" if method == "POST" else None
    with pytest.raises(ForgeError, match="HTTP 502"):
        forge.comment("x", "y")


def test_a_whole_session_makes_few_requests(world):
    world.push()
    world.label("ann")
    world.faults.seen.clear()
    thread = world.thread()
    forge = world.forge(thread, default_branch="main")
    forge.set_state_label("working")
    number = open_one(world, forge)
    forge.update_pull_request(number, title="a", body="b")
    forge.mark_ready(number)
    forge.comment("ready 1", "x")
    forge.set_state_label("ready")
    forge.dispatch(handoff())
    assert len(world.faults.seen) <= 20, world.faults.seen
    assert world.player.wait_idle(20)


class OfAFork:
    """Before the forge, which knows no forks: a list of pull requests says that their heads are a fork's."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if not (scope["path"].endswith("/pulls") and scope["method"] == "GET"):
            await self.app(scope, receive, send)
            return
        kept = {}

        async def keep(message):
            if message["type"] == "http.response.start":
                kept["headers"] = [one for one in message["headers"] if one[0] != b"content-length"]
            else:
                kept["body"] = kept.get("body", b"") + message["body"]

        await self.app(scope, receive, keep)
        pulls = json.loads(kept["body"])
        for one in pulls:
            one["head"]["repo"]["full_name"] = "octo/guestbook-fork"
        answer = Response(json.dumps(pulls))
        for name, value in kept["headers"]:
            answer.headers[name.decode()] = value.decode()
        await answer(scope, receive, send)


def test_a_forks_pull_request_from_a_branch_of_the_same_name_is_not_the_loops(world):
    world.push()
    number = open_one(world)
    assert world.thread().find_pull_request().number == number
    world.faults.app = OfAFork(world.faults.app)
    assert world.thread().find_pull_request() is None
