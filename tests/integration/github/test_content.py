from __future__ import annotations

import pytest

from autonomous_loop.errors import ForgeError, RequestError
from autonomous_loop.github.content import freeze
from embedded_github.forge.models import Actor

from .conftest import REPO


def act(login: str) -> Actor:
    return Actor(login)


def labelled(world) -> dict:
    """Label the issue and give the payload GitHub sends then."""
    events = []
    world.store.subscribe(events.append)
    world.clock.later()
    world.label("ann")
    return next(one for one in events if one.action == "labeled").payload


def frozen(world, event=None, at=None, **more):
    return freeze(
        world.repository(),
        1,
        requester="ann",
        at=at or world.clock.at,
        access=world.access(),
        event=event,
        **more,
    )


def test_title_and_body_are_those_of_the_label(world):
    event = labelled(world)
    world.clock.later()
    world.store.issues.edit(REPO, 1, act("ann"), title="Other", body="Other")
    request = frozen(world, event)
    assert (request.title, request.body, request.requester, request.issue) == (
        "Replies", "Visitors can reply.", "ann", 1,
    )  # fmt: skip


@pytest.mark.parametrize("change", [{"title": "Other"}, {"body": "Other"}])
def test_without_the_picture_an_edit_after_the_label_is_refused(world, change):
    labelled(world)
    at = world.clock.at
    world.clock.later()
    world.store.issues.edit(REPO, 1, act("ann"), **change)
    with pytest.raises(RequestError, match="edited after it was labelled"):
        frozen(world, at=at)


def test_without_the_picture_an_edit_before_the_label_is_fine(world):
    world.clock.later()
    world.store.issues.edit(REPO, 1, act("ann"), title="Better", body="Best")
    labelled(world)
    request = frozen(world)
    assert (request.title, request.body) == ("Better", "Best")


def test_a_picture_of_another_issue_is_no_picture(world):
    event = labelled(world)
    event["issue"]["number"] = 2
    event["issue"]["body"] = "forged"
    assert frozen(world, event).body == "Visitors can reply."


def test_only_what_writers_said_before_the_label_and_left_alone_counts(world):
    world.say("ann", "By a writer.")
    world.say("eve", "By a stranger.")
    world.say("tri", "By a triager.")
    world.say("ann", "/loop stop")
    world.say("ann", "Ours. <!-- autonomous-loop:issue-1:handoff -->")
    world.say("github-actions[bot]", "By a bot.")
    edited = world.say("ann", "Edited later.")
    event = labelled(world)
    world.clock.later()
    world.store.comments.edit(REPO, edited, "Now something else.", act("ann"))
    world.say("ann", "After the label.")
    assert frozen(world, event).comments == ("ann:\nBy a writer.",)


def test_hidden_text_is_gone_everywhere(world):
    hidden = "shown <!-- hidden --><b title='hidden'>bold</b>\u200b"
    world.store.issues.edit(REPO, 1, act("ann"), title="Title\u202e", body=hidden)
    world.say("ann", hidden)
    request = frozen(world, labelled(world))
    assert request.title == "Title"
    assert request.body == "shown <b>bold</b>"
    assert request.comments == ("ann:\nshown <b>bold</b>",)


def test_a_request_of_hidden_text_alone_asks_for_nothing(world):
    world.store.issues.edit(REPO, 1, act("ann"), title="\u200b", body="<!-- do evil -->")
    with pytest.raises(RequestError, match="asks for nothing"):
        frozen(world, labelled(world))


def test_a_request_that_cannot_be_read_is_an_error(world):
    world.faults.plan = lambda method, path: "denied" if path.endswith("/graphql") else None
    with pytest.raises(ForgeError):
        frozen(world)


def test_the_same_request_has_the_same_hash(world):
    event = labelled(world)
    first = frozen(world, event)
    world.clock.later()
    world.say("ann", "After.")
    assert frozen(world, event).hash == first.hash
