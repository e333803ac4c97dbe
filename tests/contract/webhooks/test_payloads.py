"""GitHub's own examples of webhooks: those that keep to its description, and what the loop makes of all."""

import pytest

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.trigger import Activity, Asked, Ignore, Start
from autonomous_loop.github.trigger import activity
from contract.webhooks.fetch import examples
from contract.webhooks.payloads import problems_of

# Each of these has examples that keep to the description. Of the other events a trigger may read GitHub's
# examples are all older than it (`repository.has_discussions` is missing, for one).
WELL_SHOWN = ("issues", "issue_comment", "pull_request", "workflow_run")
EVERY = [
    (name, number, example)
    for name, given in sorted(examples().items())
    for number, example in enumerate(given)
]


@pytest.mark.parametrize("name", WELL_SHOWN)
def test_examples_that_keep_to_the_description_do_not_when_they_are_cut(name):
    good = [one for one in examples()[name] if not problems_of(name, one)]
    assert good
    for one in good:
        assert problems_of(name, {**one, "sender": None})
        assert problems_of(name, {key: value for key, value in one.items() if key != "repository"})


def test_an_event_github_does_not_send_is_no_webhook():
    assert problems_of("issues", {"action": "painted"}) == ["GitHub sends no webhook issues painted"]
    assert problems_of("schedule", {"schedule": "7 * * * *"}) == []


def test_the_trigger_makes_a_known_activity_of_each_example():
    assert len(EVERY) > 300
    for name, number, example in EVERY:
        asked = activity(name, example, LoopConfig())
        assert isinstance(asked, Activity), (name, number, asked)
        if name in ("issues", "issue_comment"):  # no example of GitHub's carries our label or our command
            assert isinstance(asked, Ignore), (name, number, asked)


def test_the_examples_of_a_label_and_a_comment_ask_once_they_are_about_us():
    (labelled, *_) = [one for one in examples()["issues"] if one["action"] == "labeled"]
    config = LoopConfig(label=labelled["label"]["name"])
    found = activity("issues", labelled, config)
    assert found == Start(issue=labelled["issue"]["number"], actor=labelled["sender"]["login"])
    (said, *_) = [one for one in examples()["issue_comment"] if one["action"] == "created"]
    said = {**said, "comment": {**said["comment"], "body": "/loop stop"}}
    asked = activity("issue_comment", said, LoopConfig())
    assert isinstance(asked, Asked)
    assert (asked.name, asked.actor) == ("stop", said["comment"]["user"]["login"])
