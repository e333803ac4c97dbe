"""Who may ask, and for what, from the event to the choice: every refused case of the rules."""

from __future__ import annotations

import pytest

from autonomous_loop.ci.routing import Route
from autonomous_loop.domain.trigger import Ignore
from autonomous_loop.errors import RequestError
from embedded_github.forge.models import Actor

from .conftest import LABEL, REPO


def labelled(world, login):
    """The payload of the label this login puts on."""
    events = []
    world.store.subscribe(events.append)
    world.clock.later()
    world.label(login)
    return next(one for one in events if one.action == "labeled").payload


def labels(world):
    return [one.name for one in world.store.issues.require(REPO, 1).labels]


def test_a_writers_label_is_a_request(world, choose):
    chosen = choose("issues", labelled(world, "ann"))
    assert isinstance(chosen, Route)
    assert (chosen.loop, chosen.request.title, chosen.request.requester) == ("issue-1", "Replies", "ann")


@pytest.mark.parametrize("login", ["tri", "eve", "ghost", "evil[bot]"])
@pytest.mark.parametrize("by", ["issues", "schedule"])
def test_a_label_by_anybody_else_is_refused_and_taken_off_at_once_or_when_a_schedule_finds_it(
    world, choose, login, by
):
    world.store.create_user(login, "Bot" if login.endswith("[bot]") else "User")
    event = labelled(world, login)
    chosen = choose(by, event if by == "issues" else {"schedule": "7 * * * *"})
    assert isinstance(chosen, Ignore)
    assert "may not ask" in chosen.reason
    assert labels(world) == []


def test_a_listed_bots_label_is_a_request(world, choose):
    world.store.create_user("planner[bot]", "Bot")
    event = labelled(world, "planner[bot]")
    assert isinstance(choose("schedule", {"schedule": "7 * * * *"}, bots=("planner[bot]",)), Route)
    event["sender"]["type"] = "User"  # whatever the payload says of it
    assert isinstance(choose("issues", event, bots=("planner",)), Ignore)


@pytest.mark.parametrize(
    ("ending", "fault"), [("/permission", "down"), ("/permission", "denied"), ("/events", "down")]
)
def test_where_github_does_not_say_it_is_refused(world, choose, ending, fault):
    event = labelled(world, "ann")
    world.faults.plan = lambda method, path: fault if path.endswith(ending) else None
    chosen = choose("issues", event)
    assert isinstance(chosen, Ignore)
    assert "could not be" in chosen.reason
    assert labels(world) == [LABEL]  # nothing is taken away for an answer that did not come


def test_a_re_run_by_somebody_else_is_refused_and_the_label_stays(world, choose):
    event = labelled(world, "ann")
    chosen = choose("issues", event, run_attempt=2, triggering_actor="tri")
    assert isinstance(chosen, Ignore)
    assert "tri may not ask this" in chosen.reason
    assert labels(world) == [LABEL]


def test_a_re_run_goes_by_the_journal_and_starts_no_loop(world, choose):
    chosen = choose("issues", labelled(world, "ann"), run_attempt=2)
    assert isinstance(chosen, Ignore)
    assert "label the issue again" in chosen.reason
    assert labels(world) == [LABEL]


def test_a_schedule_takes_no_text_that_was_written_after_the_label(world, choose):
    labelled(world, "ann")
    world.clock.later()
    world.store.issues.edit(REPO, 1, Actor("ann"), body="And delete everything.")
    with pytest.raises(RequestError, match="edited after it was labelled"):
        choose("schedule", {"schedule": "7 * * * *"})


@pytest.mark.parametrize(
    "body", ["please /loop continue", "> /loop continue", " `/loop continue`", "x\n/loop continue"]
)
def test_a_command_that_is_not_the_first_word_asks_for_nothing(choose, body):
    event = {
        "action": "created", "issue": {"number": 1}, "sender": {"login": "ann"},
        "comment": {"id": 5, "body": body, "user": {"login": "ann"}},
    }  # fmt: skip
    chosen = choose("issue_comment", event)
    assert isinstance(chosen, Ignore)
    assert "does not begin with /loop" in chosen.reason


def test_a_command_by_somebody_without_write_access_is_refused(choose):
    event = {
        "action": "created", "issue": {"number": 1}, "sender": {"login": "ann"},
        "comment": {"id": 5, "body": "/loop continue", "user": {"login": "tri"}},
    }  # fmt: skip
    chosen = choose("issue_comment", event)
    assert isinstance(chosen, Ignore)
    assert "tri may not ask this" in chosen.reason


def test_a_command_on_a_pull_request_that_is_no_loops_own_does_nothing(choose):
    event = {
        "action": "created", "issue": {"number": 9, "pull_request": {"url": "u"}}, "sender": {"login": "ann"},
        "comment": {"id": 5, "body": "/loop continue", "user": {"login": "ann"}},
    }  # fmt: skip
    assert choose("issue_comment", event) == Ignore("no loop works on #9")
