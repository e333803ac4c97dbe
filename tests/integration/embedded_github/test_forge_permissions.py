"""GitHub's refusals: what a run's token, a role or nobody may not do."""

import pytest

from embedded_github.forge.models import Actor
from integration.embedded_github.forge_world import REPO, World, forge_server, forge_world


@pytest.fixture(scope="module")
def server():
    with forge_server() as server:
        yield server


@pytest.fixture
def world(server, tmp_path):
    with forge_world(server, tmp_path) as world:
        world.store.issues.create(REPO, "t", None, Actor("ann"))
        yield world


NOT_ACCESSIBLE = (403, "Resource not accessible by integration")
SHA = "{sha}"

WRITES = [
    ("issues", "POST", "issues", {"title": "t"}),
    ("issues", "POST", "issues/1/comments", {"body": "b"}),
    ("issues", "POST", "issues/1/labels", {"labels": ["x"]}),
    ("issues", "PATCH", "issues/1", {"state": "closed"}),
    ("issues", "POST", "issues/1/reactions", {"content": "eyes"}),
    ("issues", "POST", "labels", {"name": "n", "color": "ffffff"}),
    ("pull_requests", "POST", "pulls", {"title": "t", "head": "work", "base": "main"}),
    ("contents", "POST", "git/refs", {"ref": "refs/heads/x", "sha": SHA}),
    ("contents", "POST", "dispatches", {"event_type": "done"}),
    ("checks", "POST", "check-runs", {"name": "n", "head_sha": SHA}),
]


@pytest.mark.parametrize(("permission", "method", "path", "body"), WRITES)
def test_each_write_takes_its_own_permission(world: World, permission, method, path, body):
    sha = world.branch("work")
    body = {key: sha if value == SHA else value for key, value in body.items()}
    others = {name: "write" for name, *_ in WRITES if name != permission} | {permission: "read"}
    refused = world.ask(method, f"/repos/{REPO}/{path}", world.workflow_token(**others), json=body)
    assert (refused.status_code, refused.json()["message"]) == NOT_ACCESSIBLE
    taken = world.ask(
        method, f"/repos/{REPO}/{path}", world.workflow_token(**{permission: "write"}), json=body
    )
    assert taken.status_code < 300


def test_a_public_repository_is_read_without_permission(world: World):
    token = world.workflow_token(contents="none")
    for path in ("", "/issues/1", "/pulls", "/branches", "/issues/1/comments"):
        assert world.ask("GET", f"/repos/{REPO}{path}", token).status_code == 200


def test_a_private_repository_is_read_by_permission_alone(server, tmp_path):
    with forge_world(server, tmp_path, private=True) as world:
        token = world.workflow_token(issues="read")
        assert world.ask("GET", f"/repos/{REPO}/issues", token).status_code == 200
        assert world.ask("GET", f"/repos/{REPO}/collaborators/ann/permission", token).status_code == 200
        refused = world.ask("GET", f"/repos/{REPO}/pulls", token)
        assert (refused.status_code, refused.json()["message"]) == NOT_ACCESSIBLE
        for stranger in (None, world.token("eve")):
            assert world.ask("GET", f"/repos/{REPO}/issues", stranger).status_code == 404
        other = world.store.mint_token("octo/guestbook", {"issues": "write"}, 1)
        world.store.create_repository("octo/secret", private=True)
        assert world.ask("GET", "/repos/octo/secret/issues", other).status_code == 404


def test_a_runs_token_reaches_no_other_repository(world: World):
    world.store.create_repository("octo/other")
    token = world.workflow_token()
    assert world.ask("GET", "/repos/octo/other/issues", token).status_code == 200
    refused = world.ask("POST", "/repos/octo/other/issues", token, json={"title": "t"})
    assert (refused.status_code, refused.json()["message"]) == NOT_ACCESSIBLE


def test_a_runs_token_is_nobodys(world: World):
    refused = world.ask("GET", "/user", world.workflow_token())
    assert (refused.status_code, refused.json()["message"]) == NOT_ACCESSIBLE


@pytest.mark.parametrize("header", ["Bearer nonsense", "token ghs_nonsense", "Basic !!!", "Weird x"])
def test_an_unknown_token_is_bad_credentials_even_for_what_is_public(world: World, header):
    answer = world.ask("GET", f"/repos/{REPO}", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_a_revoked_token_is_bad_credentials(world: World):
    token = world.workflow_token()
    assert world.ask("GET", f"/repos/{REPO}", token).status_code == 200
    world.store.revoke_token(token)
    assert world.ask("GET", f"/repos/{REPO}", token).status_code == 401


def test_nobody_writes_without_signing_in(world: World):
    answer = world.ask("POST", f"/repos/{REPO}/issues/1/comments", json={"body": "b"})
    assert (answer.status_code, answer.json()["message"]) == (401, "Requires authentication")


def test_strangers_comment_but_neither_label_nor_dispatch(world: World):
    eve = world.token("eve")
    assert world.ask("POST", f"/repos/{REPO}/issues/1/comments", eve, json={"body": "b"}).status_code == 201
    for path, body in (("issues/1/labels", {"labels": ["x"]}), ("dispatches", {"event_type": "x"})):
        assert world.ask("POST", f"/repos/{REPO}/{path}", eve, json=body).status_code == 403
    assert world.ask("PATCH", f"/repos/{REPO}/issues/1", eve, json={"title": "mine"}).status_code == 403


def test_triage_labels_but_does_not_edit_others_comments(world: World):
    tri = world.token("tri")
    comment = world.repository(world.token("ann")).get_issue(1).create_comment("mine")
    assert world.ask("POST", f"/repos/{REPO}/issues/1/labels", tri, json={"labels": ["x"]}).status_code == 200
    path = f"/repos/{REPO}/issues/comments/{comment.id}"
    assert world.ask("PATCH", path, tri, json={"body": "yours"}).status_code == 403
    assert world.ask("PATCH", path, world.token("octo"), json={"body": "edited"}).status_code == 200


def test_a_pull_requests_conversation_opens_to_either_permission(world: World):
    world.branch("work")
    world.repository(world.token("ann")).create_pull("main", "work", title="t")
    token = world.workflow_token(pull_requests="write")
    on_pull = world.ask("POST", f"/repos/{REPO}/issues/2/comments", token, json={"body": "b"})
    assert on_pull.status_code == 201
    path = f"/repos/{REPO}/issues/comments/{on_pull.json()['id']}"
    assert world.ask("PATCH", path, token, json={"body": "c"}).status_code == 200
    on_issue = world.ask("POST", f"/repos/{REPO}/issues/1/comments", token, json={"body": "b"})
    assert (on_issue.status_code, on_issue.json()["message"]) == NOT_ACCESSIBLE


def test_actions_may_not_open_pull_requests_until_the_setting_allows(world: World):
    world.branch("work")
    world.store.repositories.configure(REPO, allow_actions_to_create_pull_requests=False)
    body = {"title": "t", "head": "work", "base": "main"}
    refused = world.ask("POST", f"/repos/{REPO}/pulls", world.workflow_token(), json=body)
    words = "GitHub Actions is not permitted to create or approve pull requests."
    assert (refused.status_code, refused.json()["message"]) == (403, words)
    assert world.ask("POST", f"/repos/{REPO}/pulls", world.token("ann"), json=body).status_code == 201
    approval = world.ask(
        "POST", f"/repos/{REPO}/pulls/2/reviews", world.workflow_token(), json={"event": "APPROVE"}
    )
    assert (approval.status_code, approval.json()["errors"]) == (422, [words])


def test_a_run_has_a_thousand_requests_an_hour(world: World, monkeypatch):
    monkeypatch.setattr("embedded_github.forge.api.limits.WORKFLOW_LIMIT", 2)
    token = world.workflow_token()
    codes = [world.ask("GET", f"/repos/{REPO}", token).status_code for _ in range(3)]
    assert codes == [200, 200, 403]
    refused = world.ask("GET", f"/repos/{REPO}", token)
    assert "rate limit exceeded" in refused.json()["message"]
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert world.ask("GET", "/rate_limit", token).status_code == 200
