"""Settings of a repository for Actions: who may read and change them, and what they do."""

import pytest

from embedded_github.forge.actions_view import ActionsView
from embedded_github.forge.records.settings import ActionsSettings
from integration.embedded_github.forge_world import REPO, World, forge_server, forge_world

ACTIONS = f"/api/v3/repos/{REPO}/actions"


@pytest.fixture(scope="module")
def server():
    with forge_server() as server:
        yield server


@pytest.fixture
def world(server, tmp_path):
    with forge_world(server, tmp_path) as world:
        yield world


def test_an_admin_reads_and_changes_which_actions_run(world: World):
    token = world.token("octo")
    path = f"{ACTIONS}/permissions"
    assert world.ask("GET", path, token).json() == {
        "enabled": True, "allowed_actions": "all", "sha_pinning_required": False,
    }  # fmt: skip
    given = {"enabled": True, "allowed_actions": "local_only", "sha_pinning_required": True}
    assert world.ask("PUT", path, token, json=given).status_code == 204
    assert world.ask("GET", path, token).json() == given
    assert world.ask("PUT", path, token, json={"enabled": False}).status_code == 204
    assert world.ask("GET", path, token).json() == {"enabled": False}


@pytest.mark.parametrize("body", [{}, {"enabled": "yes"}, {"enabled": True, "allowed_actions": "some"}])
def test_settings_that_are_none_are_refused(world: World, body):
    assert world.ask("PUT", f"{ACTIONS}/permissions", world.token("octo"), json=body).status_code == 422
    assert world.store.settings.actions(REPO).allowed_actions == "all"


def test_the_pull_request_setting_is_the_one_that_opening_asks(world: World):
    token, path = world.token("octo"), f"{ACTIONS}/permissions/workflow"
    assert world.ask("GET", path, token).json() == {
        "default_workflow_permissions": "read", "can_approve_pull_request_reviews": True,
    }  # fmt: skip
    given = {"default_workflow_permissions": "write", "can_approve_pull_request_reviews": False}
    assert world.ask("PUT", path, token, json=given).status_code == 204
    assert world.ask("GET", path, token).json() == given
    assert not world.store.repositories.require(REPO).allow_actions_to_create_pull_requests


def test_secrets_are_listed_by_name(world: World):
    world.store.settings.secret_names = lambda: ("B_KEY", "A_KEY")
    found = world.ask("GET", f"{ACTIONS}/secrets?per_page=1", world.token("ann"))
    assert (found.json()["total_count"], [one["name"] for one in found.json()["secrets"]]) == (2, ["A_KEY"])
    assert 'rel="next"' in found.headers["link"]
    assert world.ask("GET", f"{ACTIONS}/organization-secrets", world.token("ann")).json()["secrets"] == []


@pytest.mark.parametrize(
    ("path", "login"),
    [("permissions", "ann"), ("permissions/workflow", "ann"), ("secrets", "tri"), ("secrets", "eve")],
)
def test_others_are_refused(world: World, path, login):
    assert world.ask("GET", f"{ACTIONS}/{path}", world.token(login)).status_code == 403


@pytest.mark.parametrize("path", ["permissions", "permissions/workflow", "secrets", "organization-secrets"])
def test_a_workflows_own_token_reads_none_of_it(world: World, path):
    refused = world.ask("GET", f"{ACTIONS}/{path}", world.workflow_token())
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")


def test_where_actions_are_disabled_there_is_no_workflow_to_start(world: World):
    view = ActionsView(world.store)
    assert list(view.workflow_files(REPO, "main")) == [".github/workflows/loop.yml"]
    world.store.settings.change_actions(REPO, ActionsSettings(enabled=False))
    assert view.workflow_files(REPO, "main") == {}
