"""The pages over real HTTP: what stands on them, what they answer, and that hostile content stays content."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import requests

from integration.embedded_github.pages_record import FEATURES, REPO
from integration.embedded_github.pages_world import BOT, MONA, add_run, commit, pages_world, picture

EVIL = "<img src=x onerror=alert(1)>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
TAG = re.compile(r"<[a-zA-Z][\w-]*(?:\s+[\w-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*\s*/?>")
ATTRIBUTE = re.compile(r"\s([\w-]+)(=(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?")
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with pages_world(tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture
def bare(tmp_path):
    """A repository nobody has touched yet, for tests that change things."""
    with pages_world(tmp_path, full=False) as made:
        yield made


def get(world, path, **more):
    return requests.get(world.url + path, timeout=30, headers={"accept": "text/html"}, **more)


def page(world, path, status=200):
    answer = get(world, path)
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.text


def words(html):
    """What a person reads, with single spaces."""
    text = re.sub(r"<[^>]*>", " ", html.partition("<main")[2])
    return re.sub(r"\s+", " ", text)


# -- what stands on the pages


def test_the_first_page_lists_the_repositories(world):
    assert f'href="/{REPO}"' in page(world, "/")


def test_a_repository_shows_its_files_readme_and_branches(world):
    html = page(world, f"/{REPO}")
    assert f'href="/{REPO}/blob/main/pyproject.toml"' in html
    assert f'href="/{REPO}/tree/main/guestbook"' in html
    assert "A small guestbook for a small website" in html
    assert f'href="/{REPO}/tree/autonomous-loop/issue-1/pr"' in html


def test_an_issue_shows_its_labels_events_and_comments_in_order(world):
    said = words(page(world, f"/{REPO}/issues/{world.issue}"))
    order = [
        "mona opened 52 minutes ago",
        "A limit for messages.",
        "mona added the autonomous-loop label",
        "github-actions bot added the loop: working label",
        "8 of 8 features proved",
        "linked a pull request for this issue",
        "added the loop: ready label and removed the loop: working label",
    ]
    places = [said.find(one) for one in order]
    assert -1 not in places, dict(zip(order, places, strict=True))
    assert places == sorted(places)


def test_the_handoff_hidden_in_the_comment_is_not_shown(world):
    assert "eyJzZWNyZXQi" not in page(world, f"/{REPO}/issues/{world.issue}")


def test_a_pull_request_shows_checklist_pictures_commits_review_and_verdict(world):
    html = page(world, f"/{REPO}/pull/{world.pull}")
    said = words(html)
    assert html.count('type="checkbox" disabled="" checked') + html.count('checked=""') >= len(FEATURES)
    assert f'src="/{REPO}/blob/{world.state}/evidence/search/found.png?raw=true"' in html
    assert "wants to merge 8 commits into main from autonomous-loop/issue-1/pr" in said
    assert "added 8 commits" in said
    assert "mona approved these changes" in said
    assert "No conflicts with the base branch" in said
    assert said.count("issue-1, session") == 3
    assert f'href="/{REPO}/issues/{world.issue}"' in html


def test_a_draft_says_so_and_cannot_be_merged(bare):
    commit(bare, "work", {"a.txt": b"a\n"}, "Add a")
    pull = bare.store.pulls.create(
        REPO, title="T", body=None, head="work", base="main", actor=BOT, draft=True
    )
    said = words(page(bare, f"/{REPO}/pull/{pull.number}"))
    assert " Draft " in said
    assert "still a work in progress" in said
    assert "No description provided." in said


def test_a_merged_pull_request_still_shows_what_it_brought(bare):
    commit(bare, "work", {"a.txt": b"a\n"}, "Add a")
    pull = bare.store.pulls.create(REPO, title="T", body="b", head="work", base="main", actor=BOT)
    bare.store.pulls.merge(REPO, pull.number, MONA)
    assert " Merged " in words(page(bare, f"/{REPO}/pull/{pull.number}"))
    assert "a.txt" in page(bare, f"/{REPO}/pull/{pull.number}/files")
    assert "merged" in words(page(bare, f"/{REPO}/pulls?state=closed"))


def test_what_was_merged_from_the_base_is_no_change_of_the_pull_request(bare):
    git = bare.store.git(REPO)
    commit(bare, "work", {"a.txt": b"a\n"}, "Add a")
    pull = bare.store.pulls.create(REPO, title="T", body="b", head="work", base="main", actor=BOT)
    commit(bare, "main", {"b.txt": b"b\n"}, "Add b")
    tree = git.merge_tree(git.branch("main"), git.branch("work"))
    who = git.commit(git.branch("work")).author
    head = git.commit_tree(tree, [git.branch("work"), git.branch("main")], "Merge main", who)
    bare.store.refs.move(REPO, "refs/heads/work", head, BOT)
    html = page(bare, f"/{REPO}/pull/{pull.number}/files")
    assert "a.txt" in html
    assert "b.txt" not in html


def test_files_changed_shows_line_numbers_signs_and_counts(world):
    html = page(world, f"/{REPO}/pull/{world.pull}/files")
    assert "Showing 12 changed files with 470 additions and 56 deletions" in words(html)
    assert 'data-mark="+"' in html
    assert re.search(r'<tr class="removed"><td class="no">\d+</td><td class="no"></td>', html)
    assert re.search(r'<tr class="added"><td class="no"></td><td class="no">\d+</td>', html)


def test_binary_renamed_empty_and_picture_files_say_what_they_are(bare):
    text = b"the same\nlines\n"
    commit(bare, "main", {"old.txt": text}, "Start")
    added = {"b.bin": b"\x00\x02", "empty": b"", "p.png": picture(8, 8), "old.txt": None, "new.txt": text}
    sha = commit(bare, "main", added, "Change")
    said = words(html := page(bare, f"/{REPO}/commit/{sha}"))
    assert "Binary file not shown." in said
    assert "Empty file." in said
    assert "old.txt → new.txt renamed" in said
    assert "File renamed without changes." in said
    assert f'<img src="/{REPO}/blob/{sha}/p.png?raw=true"' in html


def test_runs_say_which_run_dispatched_them_and_how_long_they_took(world):
    said = words(page(world, f"/{REPO}/actions"))
    assert "Autonomous Loop #1 : issues by mona" in said
    assert "Autonomous Loop #3 : dispatched by run #2" in said
    assert "13m 0s" in said


def test_a_run_shows_summary_annotations_log_and_its_neighbours(world):
    first, second = world.run_ids[0], world.run_ids[1]
    said = words(html := page(world, f"/{REPO}/actions/runs/{second}"))
    assert f'href="/{REPO}/actions/runs/{first}"' in html
    assert "this dispatched #3" in said
    assert "paging proved, kept as 9be04d1" in said
    assert "\x1b" not in html
    last = words(page(world, f"/{REPO}/actions/runs/{world.run_ids[-1]}/job/1"))
    assert "1 annotation" in last
    assert "8 of 8 features proved, ready for review" in last
    assert "Every feature is proved." in last
    # What a session writes into its reports: the run, and which attempt at it.
    assert words(page(world, f"/{REPO}/actions/runs/{second}/attempts/1")) == said


def test_a_commit_without_parents_shows_every_file_as_added(world):
    root = world.store.git(REPO).text("rev-list", "--max-parents=0", "main")
    assert "0 deletions" in words(page(world, f"/{REPO}/commit/{root}"))


def test_branches_with_slashes_and_their_files_are_found(world):
    branch = "autonomous-loop/issue-1/state"
    assert "found.png" in page(world, f"/{REPO}/tree/{branch}/evidence/search")
    assert "found.png" in page(world, f"/{REPO}/blob/{branch}/evidence/search/found.png")
    assert "Kept likes" in page(world, f"/{REPO}/commits/{branch}")


def test_markdown_files_are_shown_rendered_or_as_source(world):
    assert "<h1>Guestbook</h1>" in page(world, f"/{REPO}/blob/main/README.md")
    assert "<h1>Guestbook</h1>" not in page(world, f"/{REPO}/blob/main/README.md?plain=1")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (f"/{REPO}/issues/2", f"/{REPO}/pull/2"),
        (f"/{REPO}/pull/1", f"/{REPO}/issues/1"),
        (f"/{REPO}/blob/main/guestbook", f"/{REPO}/tree/main/guestbook"),
        (f"/{REPO}/", f"/{REPO}"),
        (f"/{REPO}/issues/1/", f"/{REPO}/issues/1"),
    ],
)
def test_a_neighbouring_address_leads_to_the_right_page(world, path, target):
    answer = get(world, path, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, target)
    page(world, target)


@pytest.mark.parametrize("path", [f"//{REPO}/", "//example.org/", "/%5Cexample.org/x/"])
def test_a_slash_too_many_leads_to_no_other_host(world, path):
    location = get(world, path, allow_redirects=False).headers.get("location", "/")
    assert re.match(r"/[^/\\]|/$", location)


@pytest.mark.parametrize(
    "path",
    [
        "/octo/nothing",
        "/octo/nothing/issues",
        f"/{REPO}/issues/99",
        f"/{REPO}/pull/99",
        f"/{REPO}/pull/2/nothing",
        f"/{REPO}/actions/runs/99",
        f"/{REPO}/actions/runs/99999999999999999999999",
        f"/{REPO}/actions/runs/1/attempts/0",
        f"/{REPO}/actions/runs/1/attempts/2",
        f"/{REPO}/issues/99999999999999999999999",
        f"/{REPO}/pull/99999999999999999999999",
        f"/{REPO}/commit/nothing",
        f"/{REPO}/commit/{'0' * 40}",
        f"/{REPO}/commit/--all",
        f"/{REPO}/commit/main%00",
        f"/{REPO}/tree/nothing",
        f"/{REPO}/tree/main/nothing",
        f"/{REPO}/blob/main/nothing",
        f"/{REPO}/blob/main/a%00b",
        f"/{REPO}/blob/main/%ff",
        f"/{REPO}/blob/main/%2e%2e/x",
        f"/{REPO}/blob/main:README.md/x",
        f"/{REPO}/commits/nothing",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(world, path):
    assert "Not found" in page(world, path, status=404)


# -- what belongs to the API and to git stays theirs


@pytest.mark.parametrize(
    "path",
    [
        f"/repos/{REPO}",
        "/repos/octo",
        "/users/nobody",
        "/api/v3/octo/guestbook",
        "/api/v3/repos/octo",
        f"/api/v3/{REPO}/issues",
        "/orgs/octo",
    ],
)
def test_the_api_answers_below_its_own_addresses(world, path):
    assert "json" in requests.get(world.url + path, timeout=30).headers["content-type"]


def test_git_still_clones(world, tmp_path):
    git = world.store.git(REPO)
    token = world.store.create_token("mona")
    url = world.url.replace("//", f"//x-access-token:{token}@")
    git.run("clone", "--quiet", "--bare", f"{url}/{REPO}.git", str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "HEAD").is_file()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_pages_answer_nothing_but_reading(world, method):
    answer = requests.request(method, f"{world.url}/{REPO}/issues/{world.issue}", timeout=30)
    assert answer.status_code in (404, 405)


# -- raw files


def test_a_picture_is_a_picture_by_its_bytes(world):
    answer = get(world, f"/{REPO}/blob/{world.state}/evidence/search/found.png?raw=true")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == picture()


@pytest.mark.parametrize("content", [SVG, HTML, b"GIF8" + HTML, b"%PDF-1.4 " + HTML])
@pytest.mark.parametrize("name", ["a.svg", "a.html", "a.png"])
def test_what_could_carry_scripts_is_plain_text(world, content, name):
    sha = commit(world, "evil", {name: content}, "Add it")
    answer = get(world, f"/{REPO}/blob/{sha}/{name}?raw=true")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.content == content


# -- hostile names and texts


def test_hostile_names_and_texts_are_shown_and_nothing_else(bare):
    name, branch = f"{EVIL} \"'&#%?.py", f"b/{EVIL.replace(' ', '')}"
    sha = commit(bare, branch, {name: b"x = 1\n", f"d/{name}": HTML}, f"{EVIL}\n\n{EVIL}")
    issue, pull, run = _fill_with_evil(bare, sha, branch, name)
    tabs = [f"/{REPO}/pull/{pull}{view}" for view in ("", "/commits", "/checks", "/files")]
    files = [f"/{REPO}/blob/{sha}/{quote(path)}" for path in (name, f"d/{name}")]
    paths = ["/", f"/{REPO}", f"/{REPO}/issues", f"/{REPO}/issues/{issue}", f"/{REPO}/pulls", *tabs, *files]
    paths += [
        f"/{REPO}/actions",
        f"/{REPO}/actions/runs/{run}",
        f"/{REPO}/commit/{sha}",
        f"/{REPO}/tree/{sha}",
    ]
    paths += [f"/{REPO}/tree/{sha}/d", f"/{REPO}/commits/{quote(branch)}", f"/{REPO}/tree/{quote(EVIL)}"]
    for path in paths:
        answer = get(bare, path)
        assert answer.status_code == (404 if path == paths[-1] else 200), path
        assert answer.text.count("<script") == 1, path
        assert "<img src=x" not in answer.text, path
        attributes = [name for tag in TAG.findall(answer.text) for name, _ in ATTRIBUTE.findall(tag)]
        assert not [name for name in attributes if name.startswith("on")], path


def _fill_with_evil(bare, sha, branch, name):
    store = bare.store
    store.labels.create(REPO, EVIL, MONA, color="ffffff", description=EVIL)
    issue = store.issues.create(REPO, EVIL, f"{EVIL}\n\n`{EVIL}`", MONA, labels=[EVIL])
    store.issues.edit(REPO, issue.number, MONA, title=f"{EVIL} again")
    store.comments.create(REPO, issue.number, EVIL, MONA)
    body = f"Closes #{issue.number} {EVIL}"
    pull = store.pulls.create(REPO, title=EVIL, body=body, head=branch, base="main", actor=BOT)
    remark = {"path": name, "line": 1, "body": EVIL}
    store.reviews.create(REPO, pull.number, MONA, event="COMMENT", body=EVIL, comments=[remark])
    store.checks.create(REPO, sha, BOT, name=EVIL, conclusion="success", title=EVIL, summary=EVIL)
    bare.issue = issue.number
    log = f"##[group]{EVIL}\n{EVIL}\n##[endgroup]\n{EVIL}"
    run = add_run(bare, 1, 1, 1, event="issues", title=EVIL, summary=EVIL, log=log)
    bare.runs.update_run(run, head_branch=EVIL, message=EVIL, inputs={EVIL: EVIL}, name=EVIL)
    return issue.number, pull.number, run


def test_many_readers_at_once_are_served(world):
    paths = [
        f"/{REPO}/pull/{world.pull}",
        f"/{REPO}/issues/{world.issue}",
        f"/{REPO}/actions",
        f"/{REPO}",
    ] * 3
    with ThreadPoolExecutor(6) as pool:
        assert {answer.status_code for answer in pool.map(lambda path: get(world, path), paths)} == {200}


def test_a_repository_without_commits_has_a_page(bare):
    bare.store.create_repository("octo/empty")
    assert "has no commits" in page(bare, "/octo/empty")
    page(bare, "/octo/empty/issues")
    page(bare, "/octo/empty/actions")
