"""Git over HTTP, by git itself: fetches, pushes, races and refusals."""

import base64
import secrets
import subprocess
import threading

import pytest

from integration.embedded_github.forge_world import GIT_ENVIRONMENT, REPO, World, forge_server, forge_world


@pytest.fixture(scope="module")
def server():
    with forge_server() as server:
        yield server


@pytest.fixture
def world(server, tmp_path):
    with forge_world(server, tmp_path) as world:
        yield world


def tips(world: World) -> dict[str, str]:
    return world.store.git(REPO).branches()


def test_a_public_repository_is_cloned_by_anyone(world: World, tmp_path):
    url = f"{world.url}/{REPO}"  # without .git, as GitHub allows
    subprocess.run(["git", "clone", "-q", url, str(tmp_path / "c")], env=GIT_ENVIRONMENT, check=True)
    assert (tmp_path / "c" / "README.md").read_text() == "# Guestbook\n"


def test_a_bearer_header_is_as_good_as_basic(world: World, tmp_path):
    header = f"http.extraHeader=Authorization: Bearer {world.workflow_token()}"
    url = f"{world.url}/{REPO}.git"
    subprocess.run(
        ["git", "-c", header, "clone", "-q", url, str(tmp_path / "c")], env=GIT_ENVIRONMENT, check=True
    )
    clone = tmp_path / "c"
    done = subprocess.run(
        ["git", "-C", str(clone), "-c", header, "push", "-q", "origin", "HEAD:refs/heads/copy"],
        env=GIT_ENVIRONMENT,
        check=True,
    )
    assert done.returncode == 0
    assert tips(world)["copy"] == tips(world)["main"]


def test_a_push_is_told_before_it_returns(world: World):
    clone = world.clone(world.token("ann"))
    before = tips(world)["main"]
    sha = clone.commit({"a.txt": "a", "README.md": "new\n"}, "two files")
    clone.git("push", "origin", "main")
    event = world.last("push")
    assert (event.actor, event.by_workflow_token) == ("ann", False)
    payload = event.payload
    assert (payload["ref"], payload["before"], payload["after"]) == ("refs/heads/main", before, sha)
    assert (payload["created"], payload["deleted"], payload["forced"]) == (False, False, False)
    assert payload["head_commit"]["id"] == sha
    assert payload["head_commit"]["added"] == ["a.txt"]
    assert payload["head_commit"]["modified"] == ["README.md"]
    assert [one["message"] for one in payload["commits"]] == ["two files"]
    assert payload["repository"]["full_name"] == REPO
    assert payload["sender"]["login"] == "ann"


def test_a_workflow_tokens_push_is_marked_as_its_own(world: World):
    clone = world.clone(world.workflow_token())
    clone.commit({"a.txt": "a"})
    clone.git("push", "origin", "HEAD:refs/heads/work")
    event = world.last("push")
    assert (event.actor, event.by_workflow_token, event.payload["created"]) == (
        "github-actions[bot]",
        True,
        True,
    )


def test_two_refs_move_together_or_not_at_all(world: World):
    clone, other = world.clone(world.token("ann")), world.clone(world.token("ann"), "other")
    clone.commit({"a.txt": "a"})
    clone.git("push", "--atomic", "origin", "HEAD:refs/heads/state", "HEAD:refs/heads/checkpoint/1")
    assert tips(world)["state"] == tips(world)["checkpoint/1"]
    kept = tips(world)
    world.events.clear()
    other.commit({"b.txt": "b"})  # no descendant of what `state` is now
    done = other.git(
        "push", "--atomic", "origin", "HEAD:refs/heads/state", "HEAD:refs/heads/checkpoint/2", check=False
    )
    assert done.returncode != 0
    assert tips(world) == kept
    assert world.events == []


def test_atomic_holds_where_only_the_server_sees_the_conflict(world: World):
    clone = world.clone(world.token("ann"))
    clone.commit({"a.txt": "a"})
    clone.git("push", "origin", "HEAD:refs/heads/state")
    kept = tips(world)
    # A branch below a branch of the same name: no client sees that coming.
    done = clone.git(
        "push", "--atomic", "origin", "HEAD:refs/heads/new", "HEAD:refs/heads/state/x", check=False
    )
    assert "[remote rejected]" in done.stderr
    assert tips(world) == kept


def test_a_push_that_is_no_fast_forward_is_rejected(world: World):
    clone, other = world.clone(world.token("ann")), world.clone(world.token("ann"), "other")
    clone.commit({"a.txt": "a"})
    clone.git("push", "origin", "main")
    kept = tips(world)
    other.commit({"b.txt": "b"})
    done = other.git("push", "origin", "main", check=False)
    assert done.returncode != 0
    assert "[rejected]" in done.stderr
    assert tips(world) == kept


def test_force_with_lease_holds_only_while_the_lease_is_true(world: World):
    clone, other = world.clone(world.token("ann")), world.clone(world.token("ann"), "other")
    first = clone.commit({"a.txt": "a"})
    clone.git("push", "origin", "HEAD:refs/heads/work")
    second = other.commit({"b.txt": "b"})
    stale = other.git(
        "push", f"--force-with-lease=work:{second}", "origin", "HEAD:refs/heads/work", check=False
    )
    assert "stale info" in stale.stderr
    other.git("push", f"--force-with-lease=work:{first}", "origin", "HEAD:refs/heads/work")
    assert tips(world)["work"] == second
    assert world.last("push").payload["forced"] is True


def test_of_two_racing_pushes_exactly_one_wins(world: World):
    token = world.token("ann")
    clones = [world.clone(token, f"racer-{number}") for number in range(2)]
    for round_number in range(3):
        for clone in clones:
            clone.git("fetch", "-q", "origin")
            clone.git("reset", "-q", "--hard", "origin/main")
        shas = [clone.commit({f"{clone.folder.name}.txt": str(round_number)}) for clone in clones]
        start = threading.Barrier(2)
        codes: dict[int, int] = {}

        def race(index: int, start: threading.Barrier, codes: dict[int, int]) -> None:
            start.wait()
            codes[index] = clones[index].git("push", "origin", "main", check=False).returncode

        threads = [threading.Thread(target=race, args=(index, start, codes)) for index in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [index for index, code in codes.items() if code == 0]
        assert len(winners) == 1
        assert tips(world)["main"] == shas[winners[0]]
    assert world.names().count("push") == 3


def test_identical_commits_of_two_claimants_are_both_up_to_date(world: World):
    """Why the journal's commits carry a nonce: git alone cannot tell such a race apart."""
    clone, other = world.clone(world.token("ann")), world.clone(world.token("ann"), "other")
    clone.commit({"a.txt": "a"})
    clone.git("push", "origin", "main")
    other.git("fetch", "-q")
    other.git("reset", "-q", "--hard", "origin/main")
    assert other.git("push", "origin", "main").returncode == 0
    assert world.names().count("push") == 1


def test_a_workflow_token_cannot_push_workflow_files(world: World):
    clone = world.clone(world.workflow_token())
    kept = tips(world)
    clone.commit({".github/workflows/new.yml": "on: push\n"})
    done = clone.git("push", "origin", "HEAD:refs/heads/work", check=False)
    assert done.returncode != 0
    assert (
        "! [remote rejected] HEAD -> work (refusing to allow a GitHub App to create or update workflow "
        "`.github/workflows/new.yml` without `workflows` permission)"
    ) in done.stderr
    assert tips(world) == kept


def test_a_workflow_file_pushed_and_removed_again_is_refused_too(world: World):
    clone = world.clone(world.workflow_token())
    clone.commit({".github/workflows/loop.yml": "changed\n"})
    clone.commit({".github/workflows/loop.yml": "on: push\n"})
    done = clone.git("push", "origin", "HEAD:refs/heads/work", check=False)
    assert "without `workflows` permission" in done.stderr


def test_workflow_files_already_there_hinder_no_push(world: World):
    person = world.clone(world.token("ann"), "person")
    person.commit({".github/workflows/ci.yml": "on: push\n"})
    person.git("push", "origin", "main")
    clone = world.clone(world.workflow_token())
    clone.git("checkout", "-q", "-b", "work", "HEAD~1")
    clone.commit({"a.txt": "a"})
    clone.git("merge", "-q", "origin/main", "-m", "take in main")
    clone.git("push", "origin", "work")
    assert "work" in tips(world)


def test_a_protected_default_branch_refuses_everyone(world: World):
    world.store.repositories.configure(REPO, protect_default_branch=True)
    clone = world.clone(world.token("octo"))
    clone.commit({"a.txt": "a"})
    done = clone.git("push", "origin", "main", check=False)
    assert "GH006: Protected branch update failed for refs/heads/main" in done.stderr
    assert "(protected branch hook declined)" in done.stderr
    clone.git("push", "origin", "HEAD:refs/heads/work")


def test_pull_requests_own_refs_are_readable_and_not_for_pushing(world: World):
    clone = world.clone(world.token("ann"))
    sha = clone.commit({"a.txt": "a"})
    clone.git("push", "origin", "HEAD:refs/heads/work")
    world.repository(world.token("ann")).create_pull("main", "work", title="t")
    listed = clone.git("ls-remote", "origin", "refs/pull/1/head").stdout
    assert listed.split() == [sha, "refs/pull/1/head"]
    assert clone.git("push", "origin", "HEAD:refs/pull/1/head", "-f", check=False).returncode != 0


def test_a_large_push_goes_through_in_chunks(world: World):
    clone = world.clone(world.token("ann"))
    # Random text that does not pack: more than git's post buffer, so that the body is chunked.
    text = base64.b64encode(secrets.token_bytes(3_000_000))
    sha = clone.commit({"big.txt": text.decode()})
    clone.git("push", "origin", "main")
    assert tips(world)["main"] == sha


def test_a_compressed_request_is_understood(world: World):
    """Git compresses what it wants and has as soon as that is more than a kilobyte."""
    clone, other = world.clone(world.token("ann")), world.clone(world.token("ann"), "other")
    shas = [other.commit({"b.txt": str(number)}) for number in range(8)]
    other.git("push", "-q", "origin", *(f"{sha}:refs/heads/b{number}" for number, sha in enumerate(shas)))
    for number in range(40):
        clone.git("commit", "-q", "--allow-empty", "-m", f"local {number}")
    clone.git("-c", "protocol.version=0", "fetch", "-q", "origin")
    assert clone.git("rev-parse", "origin/b7").stdout.strip() == shas[7]


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        ({"contents": "read"}, "Permission to octo/guestbook.git denied to github-actions[bot]."),
        ({"issues": "write"}, "Permission to octo/guestbook.git denied to github-actions[bot]."),
    ],
)
def test_pushing_takes_contents_write(world: World, permissions, said):
    clone = world.clone(world.workflow_token(**permissions))
    clone.commit({"a.txt": "a"})
    done = clone.git("push", "origin", "main", check=False)
    assert said in done.stderr
    assert "403" in done.stderr


def test_a_reader_cannot_push(world: World):
    clone = world.clone(world.token("rea"))
    clone.commit({"a.txt": "a"})
    assert "denied to rea" in clone.git("push", "origin", "main", check=False).stderr


def test_a_revoked_token_opens_nothing(world: World):
    token = world.workflow_token()
    clone = world.clone(token)
    clone.git("config", "--unset", "http.extraHeader")
    clone.git("remote", "set-url", "origin", world.remote(token))
    world.store.revoke_token(token)
    done = clone.git("push", "origin", "HEAD:refs/heads/work", check=False)
    assert "Authentication failed" in done.stderr
    assert "work" not in tips(world)


def test_a_private_repository_is_not_there_for_strangers(server, tmp_path):
    with forge_world(server, tmp_path, private=True) as world:
        for remote in (world.remote(world.token("eve")), f"{world.url}/{REPO}.git"):
            done = subprocess.run(
                ["git", "ls-remote", remote], env=GIT_ENVIRONMENT, capture_output=True, text=True, check=False
            )
            assert done.returncode != 0
            assert "Repository not found" in done.stderr or "could not read Username" in done.stderr
        assert world.clone(world.token("rea")).folder.joinpath("README.md").exists()
