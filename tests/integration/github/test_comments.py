from __future__ import annotations

import json

import pytest

from autonomous_loop.errors import ForgeError
from autonomous_loop.github.comments import MOST_COMMENT, CommentInbox, StickyCommentStore
from embedded_github.forge.models import Actor

from .conftest import HEAD, LABEL, REPO

DOCUMENT = json.dumps({"note": "a --> b <!-- c `d` \u2603", "n": 1})


def store(world, **more) -> StickyCommentStore:
    return StickyCommentStore(world.thread(**more), pause_s=0.0)


def comments(world, number=1):
    return list(world.repository().get_issue(number).get_comments())


# --- the sticky comment ---


def test_a_document_comes_back_as_it_was_written(world):
    store(world).write("Human words.", DOCUMENT)
    assert store(world).read() == DOCUMENT
    (comment,) = comments(world)
    assert comment.body.startswith("Human words.\n\n<!-- autonomous-loop:issue-1:handoff\n")
    assert comment.body.count("-->") == 1


def test_before_the_first_there_is_none(world):
    assert store(world).read() is None


def test_it_is_edited_in_place(world):
    one = store(world)
    one.write("First.", "1")
    one.write("Second.", "2")
    store(world).write("Third.", "3")
    (comment,) = comments(world)
    assert comment.body.startswith("Third.")
    assert store(world).read() == "3"


def test_a_lost_answer_makes_no_second_comment(world):
    world.faults.times(1, "POST", "/comments", "lost")
    store(world).write("Words.", "1")
    assert len(comments(world)) == 1
    assert store(world).read() == "1"


def test_a_comment_a_person_deleted_is_written_anew(world):
    one = store(world)
    one.write("First.", "1")
    world.person("octo").get_issue(1).get_comments()[0].delete()
    one.write("Second.", "2")
    assert store(world).read() == "2"


def test_somebody_elses_document_is_not_read(world):
    store(world).write("Ours.", "ours")
    forged = comments(world)[0].body.replace("Ours.", "Forged.")
    world.say("octo", forged)
    assert store(world).read() == "ours"


def test_a_forged_document_alone_is_none(world):
    one = store(world)
    one.write("Ours.", "ours")
    body = comments(world)[0].body
    world.store.comments.delete(REPO, comments(world)[0].id, Actor("octo"))
    world.say("ann", body)
    assert store(world).read() is None


def test_another_loops_document_is_not_read(world):
    store(world, loop="issue-1-2").write("Theirs.", "theirs")
    assert store(world).read() is None


@pytest.mark.parametrize("damage", ["", "!!!!", "////"])
def test_a_damaged_block_is_no_document(world, damage):
    mark = f"<!-- autonomous-loop:issue-1:handoff\n{damage}\n-->"
    world.thread().repository.get_issue(1).create_comment(mark)
    assert store(world).read() is None


def test_it_moves_to_the_pull_request_and_the_issue_points_there(world):
    store(world).write("On the issue.", "1")
    world.push()
    number = world.forge().open_pull_request(title="t", body="b", head=HEAD, base="main")
    assert store(world).read() == "1"
    store(world).write("On the pull request.", "2")
    store(world).write("Again.", "3")
    assert store(world).read() == "3"
    assert [one.body.partition("\n")[0] for one in comments(world, number)] == ["Again."]
    (old,) = comments(world)
    assert f"goes on in pull request #{number}" in old.body


def test_long_human_text_gives_way_to_the_document(world):
    store(world).write("line\n" * 40_000, DOCUMENT)
    assert len(comments(world)[0].body) <= MOST_COMMENT
    assert store(world).read() == DOCUMENT


def test_a_document_that_fits_no_comment_is_an_error(world):
    with pytest.raises(ForgeError, match="a comment holds"):
        store(world).write("", "x" * MOST_COMMENT)


def test_a_person_can_be_the_token_too(world):
    token = world.store.create_token("octo")
    StickyCommentStore(world.thread(token)).write("Words.", "1")
    assert comments(world)[0].user.login == "octo"
    assert StickyCommentStore(world.thread(token)).read() == "1"


# --- the inbox ---


def inbox(world, **more) -> CommentInbox:
    given = {"label": LABEL, "since": world.clock.at, "every_s": 0.0}
    return CommentInbox(world.thread(), world.access(), **{**given, **more})


@pytest.mark.parametrize(
    ("said", "name", "argument"),
    [
        ("/loop stop", "stop", ""),
        ("/loop continue\nthanks", "continue", ""),
        ("/loop go", "go", ""),
        ("/loop retry reply", "retry", "reply"),
        ("/loop skip reply", "skip", "reply"),
        ("/loop add an Atom feed, please", "add", "an Atom feed, please"),
        ("/loop budget 20", "budget", "20"),
        ("/loop STOP", "stop", ""),
    ],
)
def test_a_writers_command_arrives_and_gets_a_receipt(world, said, name, argument):
    box = inbox(world)
    number = world.say("ann", said)
    (command,) = box.poll(consumed=())
    assert (command.id, command.actor, command.name, command.argument) == (
        f"comment-{number}", "ann", name, argument,
    )  # fmt: skip
    (reaction,) = world.repository().get_issue(1).get_comment(number).get_reactions()
    assert reaction.content == "eyes"


@pytest.mark.parametrize("login", ["eve", "tri", "rea", "evil[bot]"])
def test_nobody_elses_command_arrives(world, login):
    box = inbox(world)
    world.store.create_user(login, "Bot" if login.endswith("[bot]") else "User")
    number = world.say(login, "/loop stop")
    assert box.poll(consumed=()) == []
    assert list(world.repository().get_issue(1).get_comment(number).get_reactions()) == []


@pytest.mark.parametrize("said", ["please /loop stop", " /loop stop", "/loopstop", "`/loop stop`", "> /loop"])
def test_only_the_first_word_is_a_command(world, said):
    box = inbox(world)
    world.say("ann", said)
    assert box.poll(consumed=()) == []


@pytest.mark.parametrize("said", ["/loop", "/loop dance", "/loop retry"])
def test_a_command_that_is_none_is_marked_as_not_understood(world, said):
    box = inbox(world)
    number = world.say("ann", said)
    assert box.poll(consumed=()) == []
    (reaction,) = world.repository().get_issue(1).get_comment(number).get_reactions()
    assert reaction.content == "confused"


def test_a_command_arrives_once_and_consumed_ones_never(world):
    box = inbox(world)
    first = world.say("ann", "/loop stop")
    assert inbox(world).poll(consumed=[f"comment-{first}"]) == []
    assert len(box.poll(consumed=())) == 1
    assert box.poll(consumed=()) == []
    world.say("ann", "/loop continue")
    assert [one.name for one in box.poll(consumed=())] == ["continue"]


def test_commands_on_the_pull_request_arrive_in_order_those_elsewhere_do_not(world):
    world.push()
    number = world.forge().open_pull_request(title="t", body="b", head=HEAD, base="main")
    world.store.issues.create(REPO, "Other", "", Actor("ann"))
    box = inbox(world)
    world.say("ann", "/loop add one", number)
    world.say("ann", "/loop add two", 1)
    world.say("ann", "/loop stop", 3)
    assert [one.argument for one in box.poll(consumed=())] == ["one", "two"]


def test_older_comments_belong_to_no_session_of_this_loop(world):
    number = world.say("ann", "/loop stop")
    world.clock.later()
    box = inbox(world)
    assert box.poll(consumed=()) == []
    world.store.comments.edit(REPO, number, "/loop stop now", Actor("ann"))
    assert box.poll(consumed=()) == []


def test_the_label_taken_off_is_a_stop(world):
    world.label("ann")
    box = inbox(world)
    assert box.poll(consumed=()) == []
    world.unlabel("tri")
    (command,) = box.poll(consumed=())
    assert (command.name, command.actor) == ("stop", "tri")
    assert command.id.startswith("unlabelled-")
    assert box.poll(consumed=()) == []
    assert inbox(world).poll(consumed=[command.id]) == []


def test_a_label_that_is_back_stops_nothing_and_taken_off_again_it_does(world):
    world.label("ann")
    box = inbox(world)
    world.unlabel("ann")
    world.label("ann")
    assert box.poll(consumed=()) == []
    world.clock.later()
    world.unlabel("ann")
    assert [one.name for one in box.poll(consumed=())] == ["stop"]


def test_an_issue_that_never_had_the_label_stops_nothing(world):
    assert inbox(world).poll(consumed=()) == []


def test_a_label_taken_off_before_the_loop_began_stops_nothing(world):
    world.label("ann")
    world.unlabel("ann")
    world.clock.later()
    assert inbox(world).poll(consumed=()) == []


def test_an_outage_loses_no_command(world):
    box = inbox(world)
    world.say("ann", "/loop stop")
    world.faults.plan = lambda method, path: "down" if path.endswith("/permission") else None
    assert box.poll(consumed=()) == []
    world.faults.plan = lambda method, path: None
    assert [one.name for one in box.poll(consumed=())] == ["stop"]


def test_a_receipt_that_is_refused_holds_no_command_back(world):
    box = inbox(world)
    world.say("ann", "/loop stop")
    world.faults.plan = lambda method, path: "denied" if path.endswith("/reactions") else None
    assert [one.name for one in box.poll(consumed=())] == ["stop"]


def test_between_two_looks_nothing_is_asked(world):
    now = [0.0]
    box = inbox(world, every_s=20.0, monotonic=lambda: now[0])
    box.poll(consumed=())
    world.say("ann", "/loop stop")
    before = len(world.faults.seen)
    now[0] = 19.0
    assert box.poll(consumed=()) == []
    assert len(world.faults.seen) == before
    now[0] = 20.0
    assert len(box.poll(consumed=())) == 1


def test_a_look_asks_only_for_what_is_newer_than_the_last(world):
    box = inbox(world)
    world.clock.later()
    world.say("ann", "hello")
    box.poll(consumed=())
    world.label("ann")
    box.poll(consumed=())
    asked = []
    world.faults.plan = lambda method, path: asked.append(world.faults.query)
    box.poll(consumed=())
    assert "since=2026-03-04T12%3A01%3A00Z" in asked[0]


def test_a_quiet_look_takes_two_requests(world):
    world.label("ann")
    box = inbox(world)
    box.poll(consumed=())
    before = len(world.faults.seen)
    box.poll(consumed=())
    assert len(world.faults.seen) - before == 2
