"""The REST operations a loop uses, by PyGithub and by plain requests."""

from datetime import timedelta

import pytest
from github import GithubException

from integration.embedded_github.forge_world import REPO, World, forge_server, forge_world


@pytest.fixture(scope="module")
def server():
    with forge_server() as server:
        yield server


@pytest.fixture
def world(server, tmp_path):
    with forge_world(server, tmp_path) as world:
        yield world


@pytest.mark.parametrize("prefix", ["/api/v3", ""])
def test_addresses_in_answers_lead_back_the_way_the_request_came(world: World, prefix):
    repository = world.github(world.token("ann"), prefix=prefix).get_repo(REPO)
    issue = repository.create_issue("Add a page")
    assert issue.url == f"{world.url}{prefix}/repos/{REPO}/issues/1"
    assert issue.html_url == f"{world.url}/{REPO}/issues/1"
    assert repository.get_issue(1).title == "Add a page"


def test_an_issue_lives_from_opening_to_closing(world: World):
    repository = world.repository(world.token("ann"))
    issue = repository.create_issue("Add a page", "please", labels=["autonomous-loop"])
    issue.edit(title="Add two pages", body="please do")
    issue.edit(state="closed", state_reason="not_planned")
    kept = repository.get_issue(issue.number)
    assert (kept.title, kept.body, kept.state, kept.state_reason) == (
        "Add two pages",
        "please do",
        "closed",
        "not_planned",
    )
    assert kept.closed_by is not None
    assert kept.closed_by.login == "ann"
    assert [one.name for one in kept.labels] == ["autonomous-loop"]
    issue.edit(state="open")
    assert repository.get_issue(issue.number).closed_at is None


def test_labels_are_added_removed_set_and_found_in_any_case(world: World):
    repository = world.repository(world.token("ann"))
    repository.create_label("needs review/now", "ff0000", "a person must look")
    issue = repository.create_issue("t")
    issue.add_to_labels("Needs Review/now", "autonomous-loop")
    assert sorted(one.name for one in issue.get_labels()) == ["autonomous-loop", "needs review/now"]
    issue.remove_from_labels("autonomous-loop")
    issue.set_labels("working", "needs review/now")
    assert [one.name for one in repository.get_issue(1).labels] == ["needs review/now", "working"]
    assert repository.get_label("needs review/now").color == "ff0000"
    assert [one.name for one in repository.get_labels()] == ["autonomous-loop", "needs review/now", "working"]
    issue.delete_labels()
    assert list(issue.get_labels()) == []


def test_removing_a_label_that_is_not_there_says_so(world: World):
    issue = world.repository(world.token("ann")).create_issue("t")
    with pytest.raises(GithubException, match="Label does not exist") as refused:
        issue.remove_from_labels("nowhere")
    assert refused.value.status == 404


def test_a_label_cannot_be_made_twice(world: World):
    repository = world.repository(world.token("ann"))
    repository.create_label("bug", "ff0000")
    with pytest.raises(GithubException) as refused:
        repository.create_label("Bug", "00ff00")
    assert refused.value.status == 422
    assert refused.value.data["errors"] == [
        {"resource": "Label", "field": "name", "code": "already_exists"},
    ]


def test_the_history_of_an_issue_names_who_labelled_it_and_when(world: World):
    issue = world.repository(world.token("ann")).create_issue("t")
    issue.add_to_labels("autonomous-loop")
    world.repository(world.token("tri")).get_issue(1).remove_from_labels("autonomous-loop")
    issue.create_comment("hello")
    issue.edit(title="u")
    events = list(issue.get_events())
    assert [(one.event, one.actor.login) for one in events] == [
        ("labeled", "ann"),
        ("unlabeled", "tri"),
        ("renamed", "ann"),
    ]
    assert events[0].label.name == "autonomous-loop"
    assert events[0].created_at is not None
    assert sorted(one.event for one in issue.get_timeline()) == [
        "commented",
        "labeled",
        "renamed",
        "unlabeled",
    ]
    assert world.ask("GET", f"/repos/{REPO}/issues/events").json()[0]["issue"]["number"] == 1


def test_issues_are_listed_by_label_state_and_creator(world: World):
    ann, eve = world.repository(world.token("ann")), world.repository(world.token("eve"))
    first = ann.create_issue("first", labels=["a", "b"])
    ann.create_issue("second", labels=["a"]).edit(state="closed")
    eve.create_issue("third")
    assert [one.title for one in ann.get_issues()] == ["third", "first"]
    assert [one.title for one in ann.get_issues(labels=["a", "b"])] == ["first"]
    assert [one.title for one in ann.get_issues(state="all", labels=["a"])] == ["second", "first"]
    assert [one.title for one in ann.get_issues(creator="eve")] == ["third"]
    assert [one.title for one in ann.get_issues(sort="created", direction="asc")] == ["first", "third"]
    first.create_comment("!")
    assert next(iter(ann.get_issues(sort="comments"))).title == "first"


def test_labels_of_a_stranger_are_left_out_of_a_new_issue(world: World):
    issue = world.repository(world.token("eve")).create_issue("t", labels=["autonomous-loop"])
    assert issue.labels == []


def test_comments_are_edited_deleted_and_paged(world: World):
    repository = world.repository(world.token("ann"))
    issue = repository.create_issue("t")
    comments = [issue.create_comment(f"comment {number}") for number in range(5)]
    comments[0].edit("edited")
    comments[1].delete()
    answer = world.ask("GET", f"/repos/{REPO}/issues/1/comments?per_page=2&page=1")
    assert [one["body"] for one in answer.json()] == ["edited", "comment 2"]
    assert answer.links["next"]["url"].endswith("/issues/1/comments?per_page=2&page=2")
    assert answer.links["last"]["url"] == answer.links["next"]["url"]
    last = world.ask("GET", answer.links["next"]["url"].removeprefix(world.url))
    assert [one["body"] for one in last.json()] == ["comment 3", "comment 4"]
    assert set(last.links) == {"prev", "first"}
    assert repository.get_issue(1).comments == 4
    assert len(list(repository.get_issues_comments())) == 4
    assert issue.get_comment(comments[0].id).body == "edited"


def test_an_edited_comment_is_newer_than_it_was_made(server, tmp_path):
    with forge_world(server, tmp_path) as world:
        issue = world.repository(world.token("ann")).create_issue("t")
        comment = issue.create_comment("one")
        now = world.store.now()
        world.store.db._clock = lambda: comment.created_at + timedelta(days=9_000)
        comment.edit("two")
        kept = issue.get_comment(comment.id)
        assert kept.updated_at > kept.created_at
        assert now < world.store.now()
        assert [one.body for one in issue.get_comments(since=kept.updated_at)] == ["two"]


def test_a_reaction_is_kept_once_a_person(world: World):
    issue = world.repository(world.token("ann")).create_issue("t")
    comment = issue.create_comment("hello")
    comment.create_reaction("eyes")
    comment.create_reaction("eyes")
    issue.create_reaction("rocket")
    assert [(one.content, one.user.login) for one in comment.get_reactions()] == [("eyes", "ann")]
    assert [one.content for one in issue.get_reactions()] == ["rocket"]
    assert comment.delete_reaction(next(iter(comment.get_reactions())).id) is True
    assert list(comment.get_reactions()) == []


@pytest.mark.parametrize(
    ("path", "body", "field", "code"),
    [
        ("issues", {}, "title", "missing_field"),
        ("issues", {"title": " "}, "title", "custom"),
        ("issues", {"title": "x" * 257}, "title", "custom"),
        ("issues/1/comments", {"body": "x" * 65_537}, "body", "custom"),
        ("issues/1/reactions", {"content": "love"}, "content", "invalid"),
        ("labels", {"name": "x", "color": "red"}, "color", "invalid"),
        ("pulls", {"title": "t", "base": "main"}, "head", "missing_field"),
    ],
)
def test_bad_input_is_refused_field_by_field(world: World, path, body, field, code):
    token = world.token("ann")
    world.repository(token).create_issue("t")
    answer = world.ask("POST", f"/repos/{REPO}/{path}", token, json=body)
    assert answer.status_code == 422
    assert answer.json()["message"] == "Validation Failed"
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)


def test_a_body_that_is_no_json_is_refused(world: World):
    answer = world.ask("POST", f"/repos/{REPO}/issues", world.token("ann"), data="{")
    # GitHub describes 400 for this operation.
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_what_is_not_there_is_not_found_in_githubs_words(world: World):
    token = world.token("ann")
    for path in (
        "/repos/octo/nope",
        f"/repos/{REPO}/issues/9",
        f"/repos/{REPO}/issues/x",
        f"/repos/{REPO}/pulls/1",
    ):
        answer = world.ask("GET", path, token)
        assert (answer.status_code, answer.json()["message"]) == (404, "Not Found"), path
    assert world.ask("GET", "/repos/octo/guestbook/nothing/like/this", token).json()["message"] == "Not Found"


def test_every_answer_carries_request_id_and_rate_limit(world: World):
    token = world.workflow_token()
    first = world.ask("GET", f"/repos/{REPO}", token)
    second = world.ask("GET", f"/repos/{REPO}/issues/9", token)
    assert first.headers["x-github-request-id"] != second.headers["x-github-request-id"]
    assert first.headers["x-ratelimit-limit"] == "1000"
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in (first, second)]
    assert left == [999, 998]
    assert world.ask("GET", "/rate_limit", token).json()["rate"]["remaining"] == 998


def test_an_unchanged_answer_is_not_sent_again(world: World):
    path = f"/repos/{REPO}/issues"
    tag = world.ask("GET", path).headers["etag"]
    assert world.ask("GET", path, headers={"If-None-Match": tag}).status_code == 304
    world.repository(world.token("ann")).create_issue("t")
    assert world.ask("GET", path, headers={"If-None-Match": tag}).status_code == 200


def test_refs_are_made_moved_and_deleted(world: World):
    repository = world.repository(world.token("ann"))
    main = repository.get_branch("main").commit.sha
    ref = repository.create_git_ref("refs/heads/autonomous-loop/issue-1/state", main)
    assert ref.object.sha == main
    found = repository.get_git_matching_refs("heads/autonomous-loop/")
    assert [one.ref for one in found] == ["refs/heads/autonomous-loop/issue-1/state"]
    newer = world.clone(world.token("ann")).commit({"x": "y"})
    with pytest.raises(GithubException, match="Object does not exist"):
        ref.edit(newer)
    with pytest.raises(GithubException, match="Reference already exists"):
        repository.create_git_ref(ref.ref, main)
    with pytest.raises(GithubException, match="must start with 'refs/'"):
        repository.create_git_ref("heads/x", main)
    ref.delete()
    with pytest.raises(GithubException) as gone:
        repository.get_git_ref("heads/autonomous-loop/issue-1/state")
    assert gone.value.status == 404


def test_a_ref_moves_forward_only_unless_forced(world: World):
    repository = world.repository(world.token("ann"))
    clone = world.clone(world.token("ann"))
    base, tip = clone.git("rev-parse", "HEAD").stdout.strip(), clone.commit({"x": "y"})
    clone.git("push", "origin", "HEAD:refs/heads/work")
    ref = repository.get_git_ref("heads/work")
    with pytest.raises(GithubException, match="Update is not a fast forward"):
        ref.edit(base)
    ref.edit(base, force=True)
    ref.edit(tip)
    assert repository.get_branch("work").commit.sha == tip


def test_commits_comparisons_and_files_are_read_from_git(world: World):
    repository = world.repository(world.token("ann"))
    clone = world.clone(world.token("ann"))
    clone.git("checkout", "--quiet", "-b", "feature/x")
    tip = clone.commit({"src/app.py": "print('bye')\n", "new file.txt": "new\n"}, "change things")
    clone.git("push", "origin", "feature/x")
    comparison = repository.compare("main", "feature/x")
    assert (comparison.status, comparison.ahead_by, comparison.behind_by) == ("ahead", 1, 0)
    assert {one.filename: one.status for one in comparison.files} == {
        "src/app.py": "modified",
        "new file.txt": "added",
    }
    assert "+print('bye')" in next(one for one in comparison.files if one.filename == "src/app.py").patch
    commit = repository.get_commit("feature/x")
    assert (commit.sha, commit.author.login, commit.stats.additions) == (tip, "ann", 2)
    assert next(iter(repository.get_commits(sha="feature/x"))).sha == tip
    assert repository.get_contents("src/app.py", ref="feature/x").decoded_content == b"print('bye')\n"
    assert [one.path for one in repository.get_contents("src")] == ["src/app.py"]
    assert {one.type for one in repository.get_contents("")} == {"file", "dir"}
    with pytest.raises(GithubException) as missing:
        repository.get_contents("nope.txt")
    assert missing.value.status == 404


def test_check_runs_are_an_apps_to_make(world: World):
    sha = world.repository(world.token("ann")).get_branch("main").commit.sha
    output = {"title": "1 feature", "summary": "all proved"}
    run = world.repository(world.workflow_token()).create_check_run(
        "proof", sha, status="queued", output=output
    )
    run.edit(status="completed", conclusion="success")
    kept = list(world.repository(world.token("ann")).get_commit(sha).get_check_runs())
    assert [(one.name, one.status, one.conclusion, one.output.title) for one in kept] == [
        ("proof", "completed", "success", "1 feature"),
    ]
    with pytest.raises(GithubException, match="You must authenticate via a GitHub App"):
        world.repository(world.token("ann")).create_check_run("proof", sha)


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [
        ("octo", "admin", "admin"),
        ("ann", "write", "write"),
        ("tri", "read", "triage"),
        ("eve", "read", "read"),
    ],
)
def test_permission_of_a_collaborator_is_one_of_four_beside_the_role(world: World, login, permission, role):
    repository = world.repository(world.workflow_token(issues="read"))
    assert repository.get_collaborator_permission(login) == permission
    assert repository.get_collaborator_role_name(login) == role


def test_bots_and_strangers_have_no_permission(world: World):
    repository = world.repository(world.workflow_token())
    world.store.create_user("my-app[bot]", "Bot")
    assert repository.get_collaborator_permission("my-app[bot]") == "none"
    for login in ("github-actions[bot]", "nobody-at-all"):
        with pytest.raises(GithubException, match="is not a user"):
            repository.get_collaborator_permission(login)


def test_the_root_and_users_answer(world: World):
    token = world.token("ann")
    assert world.github(token).get_user().login == "ann"
    assert world.github(token).get_user("github-actions[bot]").id == 41_898_282
    assert world.ask("GET", "/").json()["repository_url"] == f"{world.url}/repos/{{owner}}/{{repo}}"
    assert world.ask("GET", "/api/v3/").json()["rate_limit_url"] == f"{world.url}/api/v3/rate_limit"
