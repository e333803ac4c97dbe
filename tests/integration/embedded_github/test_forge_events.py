"""What subscribers are told: GitHub's webhooks, after the change, whoever made it."""

import pytest

from embedded_github.forge.actions_view import ActionsView
from embedded_github.forge.models import Actor
from integration.embedded_github.forge_world import REPO, World, forge_server, forge_world


@pytest.fixture(scope="module")
def server():
    with forge_server() as server:
        yield server


@pytest.fixture
def world(server, tmp_path):
    with forge_world(server, tmp_path) as world:
        world.repository(world.token("ann")).create_label("autonomous-loop", "00ff00")
        world.events.clear()
        yield world


def test_an_issue_opened_with_a_label_tells_both(world: World):
    world.repository(world.token("ann")).create_issue("t", "b", labels=["autonomous-loop"])
    assert world.names() == ["issues.opened", "issues.labeled"]
    payload = world.last("issues").payload
    assert payload["action"] == "labeled"
    assert payload["label"]["name"] == "autonomous-loop"
    assert payload["issue"]["number"] == 1
    assert payload["issue"]["url"] == f"{world.url}/api/v3/repos/{REPO}/issues/1"
    assert payload["repository"]["full_name"] == REPO
    assert payload["sender"]["login"] == "ann"


def test_each_change_of_an_issue_tells_its_own(world: World):
    issue = world.repository(world.token("ann")).create_issue("t", "b")
    issue.add_to_labels("autonomous-loop")
    issue.add_to_labels("autonomous-loop")  # no change, no event
    issue.remove_from_labels("autonomous-loop")
    issue.edit(title="u")
    issue.edit(title="u")
    issue.edit(state="closed")
    issue.edit(state="open")
    comment = issue.create_comment("/loop go")
    comment.edit("/loop stop")
    comment.delete()
    assert world.names() == [
        "issues.opened",
        "issues.labeled",
        "issues.unlabeled",
        "issues.edited",
        "issues.closed",
        "issues.reopened",
        "issue_comment.created",
        "issue_comment.edited",
        "issue_comment.deleted",
    ]
    edited = next(one for one in world.events if one.name == "issue_comment" and one.action == "edited")
    assert edited.payload["changes"] == {"body": {"from": "/loop go"}}
    assert edited.payload["comment"]["body"] == "/loop stop"
    assert edited.payload["issue"]["number"] == 1


def test_a_repository_dispatch_carries_its_payload_even_from_a_runs_token(world: World):
    world.repository(world.workflow_token()).create_repository_dispatch(
        "autonomous-loop-finished", {"issue": 1}
    )
    event = world.last("repository_dispatch")
    assert (event.action, event.by_workflow_token) == ("autonomous-loop-finished", True)
    assert event.payload["client_payload"] == {"issue": 1}
    assert event.payload["branch"] == "main"
    too_many = {"event_type": "x", "client_payload": {str(number): 1 for number in range(11)}}
    assert (
        world.ask("POST", f"/repos/{REPO}/dispatches", world.token("ann"), json=too_many).status_code == 422
    )


def test_subscribers_see_the_change_done_and_hold_up_nobody(world: World):
    seen = []
    world.store.subscribe(lambda event: seen.append(world.store.issues.require(REPO, 1).title))
    world.repository(world.token("ann")).create_issue("kept")
    assert seen == ["kept"]


def test_a_failing_subscriber_undoes_nothing(world: World, caplog):
    def fail(event):
        raise RuntimeError("the player fell over")

    world.store.subscribe(fail)
    assert world.repository(world.token("ann")).create_issue("kept").number == 1
    assert "the player fell over" in caplog.text


def test_a_change_without_a_request_is_told_with_the_stores_own_address(world: World):
    world.store.public_url = "http://forge.test"
    world.store.issues.create(REPO, "t", None, Actor("octo"))
    assert world.last("issues").payload["issue"]["html_url"] == f"http://forge.test/{REPO}/issues/1"


def test_the_player_finds_what_it_needs(world: World):
    view = ActionsView(world.store)
    sha = view.sha_of(REPO, "refs/heads/main")
    assert view.sha_of(REPO, sha) == sha
    assert view.workflow_files(REPO, sha) == {".github/workflows/loop.yml": b"on: push\n"}
    assert view.default_branch(REPO) == "main"
    assert view.repository(REPO)["full_name"] == REPO
    assert view.sender("github-actions[bot]")["id"] == 41_898_282
    assert view.sender("gone")["login"] == "ghost"
    with pytest.raises(LookupError, match="refs/heads/nope"):
        view.sha_of(REPO, "refs/heads/nope")
    token = view.mint_token(REPO, {"issues": "write"}, 3)
    assert world.ask("POST", f"/repos/{REPO}/issues", token, json={"title": "t"}).status_code == 201
    view.revoke_token(token)
    assert world.ask("GET", f"/repos/{REPO}", token).status_code == 401
