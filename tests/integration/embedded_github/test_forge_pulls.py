"""Pull requests: their life over REST, GraphQL and git, and the events each step tells."""

import pytest
from github import GithubException

from integration.embedded_github.forge_world import REPO, Clone, World, forge_server, forge_world


@pytest.fixture(scope="module")
def server():
    with forge_server() as server:
        yield server


@pytest.fixture
def world(server, tmp_path):
    with forge_world(server, tmp_path) as world:
        yield world


@pytest.fixture
def clone(world) -> Clone:
    clone = world.clone(world.token("ann"))
    clone.git("checkout", "-q", "-b", "loop/pr")
    clone.commit({"a.txt": "a\n"}, "add a")
    clone.git("push", "-q", str(world.store.git(REPO).path), "loop/pr")
    return clone


def open_pull(world: World, token: str | None = None, **more):
    repository = world.repository(token or world.workflow_token())
    return repository.create_pull("main", "loop/pr", title="Add a", body="closes #1", **more)


def test_a_draft_is_opened_found_by_its_head_and_described(world, clone):
    made = open_pull(world, draft=True)
    assert (made.number, made.draft, made.user.login) == (1, True, "github-actions[bot]")
    found = list(world.repository(world.token("ann")).get_pulls(head="octo:loop/pr", base="main"))
    assert [one.number for one in found] == [1]
    assert list(world.repository(world.token("ann")).get_pulls(head="octo:other")) == []
    pull = world.repository(world.token("ann")).get_pull(1)
    assert (pull.commits, pull.additions, pull.changed_files, pull.mergeable) == (1, 1, 1, True)
    assert (pull.head.ref, pull.head.repo.full_name, pull.base.ref) == ("loop/pr", REPO, "main")
    assert [one.filename for one in pull.get_files()] == ["a.txt"]
    assert [one.commit.message for one in pull.get_commits()] == ["add a"]
    assert world.repository(world.token("ann")).get_issue(1).pull_request is not None
    event = world.last("pull_request")
    assert (event.action, event.by_workflow_token) == ("opened", True)
    assert event.payload["number"] == 1
    assert event.payload["pull_request"]["head"]["sha"] == pull.head.sha


@pytest.mark.parametrize(
    ("head", "base", "words"),
    [
        ("nowhere", "main", {"resource": "PullRequest", "field": "head", "code": "invalid"}),
        ("loop/pr", "nowhere", {"resource": "PullRequest", "field": "base", "code": "invalid"}),
        (
            "same",
            "main",
            {"resource": "PullRequest", "code": "custom", "message": "No commits between main and same"},
        ),
        (
            "loop/pr",
            "main",
            {
                "resource": "PullRequest",
                "code": "custom",
                "message": "A pull request already exists for octo:loop/pr.",
            },
        ),
    ],
)
def test_what_cannot_be_a_pull_request_is_refused(world, clone, head, base, words):
    clone.git("push", "-q", str(world.store.git(REPO).path), "origin/main:refs/heads/same")
    if "already" in words.get("message", ""):
        open_pull(world)
    with pytest.raises(GithubException) as refused:
        world.repository(world.token("ann")).create_pull(base, head, title="t")
    assert refused.value.status == 422
    assert refused.value.data["errors"] == [words]


def test_pygithub_marks_it_ready_and_draft_again(world, clone):
    pull = open_pull(world, draft=True)
    pull.mark_ready_for_review()
    assert world.repository(world.token("ann")).get_pull(1).draft is False
    pull.convert_to_draft()
    assert world.repository(world.token("ann")).get_pull(1).draft is True
    assert world.names()[-2:] == ["pull_request.ready_for_review", "pull_request.converted_to_draft"]
    lines = [one.event for one in world.repository(world.token("ann")).get_issue(1).get_events()]
    assert lines == ["ready_for_review", "convert_to_draft"]


@pytest.mark.parametrize(
    "permissions", [{"pull_requests": "write"}, {"contents": "write", "pull_requests": "read"}]
)
def test_marking_it_ready_takes_both_permissions(world, clone, permissions):
    open_pull(world, draft=True)
    pull = world.repository(world.workflow_token(**permissions)).get_pull(1)
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        pull.mark_ready_for_review()
    assert world.repository(world.token("ann")).get_pull(1).draft is True


def test_graphql_tells_when_an_issue_was_last_edited(world):
    issue = world.repository(world.token("ann")).create_issue("t", "b")
    query = """
      query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
        issue(number: 1) {
          title lastEditedAt author { login } comments(first: 10) { nodes { body } totalCount }
        } } }
    """
    variables = {"owner": "octo", "name": "guestbook"}

    def asked():
        body = {"query": query, "variables": variables}
        return world.ask("POST", "/graphql", world.token("ann"), json=body).json()["data"]["repository"][
            "issue"
        ]

    assert asked()["lastEditedAt"] is None
    issue.add_to_labels("x")
    issue.create_comment("hello")
    assert asked()["lastEditedAt"] is None
    issue.edit(body="c")
    assert asked()["lastEditedAt"] is not None
    assert asked()["comments"] == {"nodes": [{"body": "hello"}], "totalCount": 1}


def test_graphql_says_what_it_cannot_resolve(world):
    token = world.token("ann")

    def errors(query, variables=None):
        body = {"query": query, "variables": variables or {}}
        return world.ask("POST", "/api/graphql", token, json=body).json()["errors"]

    ready = "markPullRequestReadyForReview(input: $i) { pullRequest { isDraft } }"
    unknown = f"mutation($i: MarkPullRequestReadyForReviewInput!) {{ {ready} }}"
    assert errors(unknown, {"i": {"pullRequestId": "PR_none"}})[0]["type"] == "NOT_FOUND"
    assert "doesn't exist on type 'Mutation'" in errors("mutation { mergeEverything { ok } }")[0]["message"]
    assert "Syntax Error" in errors("{ viewer { login }")[0]["message"]
    assert world.ask("POST", "/graphql", json={"query": "{ viewer { login } }"}).status_code == 401


def test_a_push_to_its_head_moves_it(world, clone):
    open_pull(world)
    before = world.repository(world.token("ann")).get_pull(1).head.sha
    after = clone.commit({"b.txt": "b"}, "add b")
    clone.git("push", "-q", "origin", "loop/pr")
    event = world.last("pull_request")
    assert event.action == "synchronize"
    assert (event.payload["before"], event.payload["after"]) == (before, after)
    pull = world.repository(world.token("ann")).get_pull(1)
    assert (pull.head.sha, pull.commits) == (after, 2)
    clone.git("commit", "-q", "--amend", "-m", "again")
    clone.git("push", "-qf", "origin", "loop/pr")
    lines = [one.event for one in world.repository(world.token("ann")).get_issue(1).get_events()]
    assert lines == ["head_ref_force_pushed"]


def test_a_conflict_with_its_base_shows(world, clone):
    open_pull(world)
    other = world.clone(world.token("ann"), "other")
    other.commit({"a.txt": "something else\n"})
    other.git("push", "-q", "origin", "main")
    pull = world.repository(world.token("ann")).get_pull(1)
    assert (pull.mergeable, pull.mergeable_state) == (False, "dirty")
    with pytest.raises(GithubException, match="not mergeable") as refused:
        pull.merge()
    assert refused.value.status == 405


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1)])
def test_merging_moves_the_base_and_closes_it(world, clone, method, parents):
    pull = open_pull(world)
    world.events.clear()
    status = world.repository(world.token("ann")).get_pull(1).merge(merge_method=method)
    kept = world.repository(world.token("ann")).get_pull(1)
    assert (kept.merged, kept.state, kept.merged_by.login, kept.merge_commit_sha) == (
        True,
        "closed",
        "ann",
        status.sha,
    )
    commit = world.repository(world.token("ann")).get_commit("main")
    assert (commit.sha, len(commit.parents)) == (status.sha, parents)
    assert world.names() == ["pull_request.closed", "push"]
    assert world.last("pull_request").payload["pull_request"]["merged"] is True
    assert pull.is_merged()


def test_a_push_that_takes_it_into_its_base_merges_it(world, clone):
    open_pull(world)
    clone.git("push", "-q", "origin", "HEAD:main")
    assert world.repository(world.token("ann")).get_pull(1).merged is True


def test_deleting_its_branch_closes_it(world, clone):
    open_pull(world)
    clone.git("push", "-q", "origin", "--delete", "loop/pr")
    pull = world.repository(world.token("ann")).get_pull(1)
    assert (pull.state, pull.merged) == ("closed", False)
    assert world.names()[-1] == "pull_request.closed"
    with pytest.raises(GithubException):
        pull.edit(state="open")


def test_title_body_and_state_are_edited(world, clone):
    pull = open_pull(world)
    pull.edit(title="Add b", body="new")
    assert world.last("pull_request").payload["changes"] == {
        "title": {"from": "Add a"},
        "body": {"from": "closes #1"},
    }
    pull.edit(state="closed")
    assert world.names()[-1] == "pull_request.closed"
    pull.edit(state="open")
    kept = world.repository(world.token("ann")).get_pull(1)
    assert (kept.title, kept.body, kept.state) == ("Add b", "new", "open")
    assert world.names()[-1] == "pull_request.reopened"


def test_a_review_is_kept_with_its_comments_on_lines(world, clone):
    open_pull(world)
    pull = world.repository(world.token("octo")).get_pull(1)
    pull.create_review(
        body="not yet",
        event="REQUEST_CHANGES",
        comments=[{"path": "a.txt", "body": "say more", "line": 1, "side": "RIGHT"}],
    )
    assert [(one.state, one.user.login, one.body) for one in pull.get_reviews()] == [
        ("CHANGES_REQUESTED", "octo", "not yet"),
    ]
    assert [(one.path, one.body) for one in pull.get_review_comments()] == [("a.txt", "say more")]
    event = next(one for one in world.events if one.name == "pull_request_review")
    assert (event.action, event.payload["review"]["state"]) == ("submitted", "changes_requested")
    assert event.payload["pull_request"]["number"] == 1


def test_nobody_approves_their_own(world, clone):
    open_pull(world, world.token("ann"))
    with pytest.raises(GithubException, match="Can not approve your own pull request"):
        world.repository(world.token("ann")).get_pull(1).create_review(event="APPROVE")
