from __future__ import annotations

import pytest

from autonomous_loop.errors import ForgeError
from autonomous_loop.github.client import connect, own_login, translated

from .conftest import REPO


def test_a_workflows_token_is_its_bots(world):
    token = world.workflow_token()
    assert own_login(connect(token, world.api_url), token) == "github-actions[bot]"


def test_a_persons_token_is_theirs(world):
    token = world.store.create_token("ann")
    assert own_login(connect(token, world.api_url), token) == "ann"


def test_where_graphql_is_closed_a_workflows_token_is_still_its_bots(world):
    token = world.workflow_token()
    world.faults.plan = lambda method, path: "denied" if path.endswith("/graphql") else None
    assert own_login(connect(token, world.api_url), token) == "github-actions[bot]"


@pytest.mark.parametrize("token", ["ghs_" + "0" * 36, "ghp_" + "0" * 36])
def test_a_bad_token_is_said_to_be_bad(world, token):
    with pytest.raises(ForgeError) as caught:
        own_login(connect(token, world.api_url), token)
    assert caught.value.status == 401
    assert "github-token is not valid" in caught.value.hint
    assert token not in str(caught.value)


def test_a_post_is_never_repeated_by_the_transport(world):
    world.faults.plan = lambda method, path: "lost" if method == "POST" else None
    with pytest.raises(ForgeError), translated("commenting"):
        world.repository().get_issue(1).create_comment("x")
    assert sum(one.startswith("POST") for one in world.faults.seen) == 1
    world.faults.plan = lambda method, path: None
    assert world.repository().get_issue(1).get_comments().totalCount == 1


def test_a_get_is_repeated_by_the_transport(world):
    world.faults.times(2, "GET", "/issues/1", "down")
    assert world.repository().get_issue(1).title == "Replies"


def test_nobody_at_the_address_is_an_error_without_a_status():
    client = connect("ghp_x", "http://127.0.0.1:9/api/v3", backoff_s=0.0)
    with pytest.raises(ForgeError, match="did not answer while reading") as caught, translated("reading"):
        client.get_repo(REPO).get_issue(1).complete()
    assert caught.value.status == 0
