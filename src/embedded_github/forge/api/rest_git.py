"""REST: refs, branches, commits, comparisons, files and checks."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from embedded_github.forge.api.errors import ApiError, invalid, not_found
from embedded_github.forge.api.operations import Call, Need, created, no_content, operation
from embedded_github.forge.git.repository import GitError, GitRepository
from embedded_github.forge.models import ZERO_SHA, Commit
from embedded_github.forge.store import Store

READ = Need("contents")
WRITE = Need("contents", "write")
_LARGEST_INLINE = 1_000_000  # bytes of a file that the contents API still carries


def git_routes(store: Store) -> list[Route]:
    """Return the routes."""
    repo = "/repos/{owner}/{repo}"
    return [
        operation(store, "GET", f"{repo}/git/ref/{{ref:path}}", get_ref, READ),
        operation(store, "GET", f"{repo}/git/matching-refs/{{ref:path}}", matching_refs, READ),
        operation(store, "POST", f"{repo}/git/refs", create_ref, WRITE),
        operation(store, "PATCH", f"{repo}/git/refs/{{ref:path}}", update_ref, WRITE),
        operation(store, "DELETE", f"{repo}/git/refs/{{ref:path}}", delete_ref, WRITE),
        operation(store, "GET", f"{repo}/branches", list_branches, READ),
        operation(store, "GET", f"{repo}/branches/{{branch:path}}", get_branch, READ),
        operation(store, "GET", f"{repo}/commits", list_commits, READ),
        operation(store, "GET", f"{repo}/commits/{{ref:path}}/check-runs", list_check_runs, Need("checks")),
        operation(store, "GET", f"{repo}/commits/{{ref:path}}", get_commit, READ),
        operation(store, "GET", f"{repo}/compare/{{basehead:path}}", compare, READ),
        operation(store, "GET", f"{repo}/contents", get_contents, READ),
        operation(store, "GET", f"{repo}/contents/{{path:path}}", get_contents, READ),
        operation(store, "POST", f"{repo}/check-runs", create_check_run, Need("checks", "write")),
        operation(store, "GET", f"{repo}/check-runs/{{check_run_id}}", get_check_run, Need("checks")),
        operation(
            store, "PATCH", f"{repo}/check-runs/{{check_run_id}}", edit_check_run, Need("checks", "write")
        ),
    ]


# -- refs


def get_ref(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/git/ref/{ref}`."""
    name = f"refs/{call.path('ref')}"
    git = call.store.git(call.repo)
    sha = git.ref(name)
    if sha is None:
        raise not_found()
    return call.render.ref(call.repo, name, sha, git.text("cat-file", "-t", sha))


def matching_refs(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/git/matching-refs/{ref}`: those whose names begin so."""
    git = call.store.git(call.repo)
    start = f"refs/{call.path('ref')}"
    found = [(name, sha) for name, sha in git.refs().items() if name.startswith(start)]
    return call.page(found, lambda one: call.render.ref(call.repo, *one, git.text("cat-file", "-t", one[1])))


def create_ref(call: Call) -> Response:
    """`POST /repos/{owner}/{repo}/git/refs`."""
    name, sha = call.field("Reference", "ref"), call.field("Reference", "sha")
    git = call.store.git(call.repo)
    if not name.startswith("refs/") or name.count("/") < 2 or not git.valid_ref(name):
        raise ApiError(422, "Reference name must start with 'refs/' and have at least two slashes")
    _check_object(git, sha)
    if git.ref(name) is not None:
        raise ApiError(422, "Reference already exists")
    _move(call, name, sha, ZERO_SHA, "Reference already exists")
    return created(call.render.ref(call.repo, name, sha))


def update_ref(call: Call) -> dict[str, Any]:
    """`PATCH /repos/{owner}/{repo}/git/refs/{ref}`: forward only, unless `force`."""
    name, sha = f"refs/{call.path('ref')}", call.field("Reference", "sha")
    git = call.store.git(call.repo)
    old = git.ref(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    _check_object(git, sha)
    if call.body.get("force") is not True and not git.is_ancestor(old, sha):
        raise ApiError(422, "Update is not a fast forward")
    if old != sha:
        _move(call, name, sha, old, "Reference cannot be updated")
    return call.render.ref(call.repo, name, sha)


def delete_ref(call: Call) -> Response:
    """`DELETE /repos/{owner}/{repo}/git/refs/{ref}`."""
    name = f"refs/{call.path('ref')}"
    old = call.store.git(call.repo).ref(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    _move(call, name, ZERO_SHA, old, "Reference cannot be deleted")
    return no_content()


def _move(call: Call, name: str, after: str, before: str, refusal: str) -> None:
    default = f"refs/heads/{call.repository.default_branch}"
    if name == default and (after == ZERO_SHA or call.repository.protect_default_branch):
        raise ApiError(
            422,
            "Cannot delete the default branch" if after == ZERO_SHA else "Cannot update this protected ref.",
        )
    try:
        call.store.refs.move(call.repo, name, after, call.actor, before=before)
    except GitError as error:
        raise ApiError(422, refusal) from error


def _check_object(git: GitRepository, sha: str) -> None:
    if len(sha) != 40 or git.ref(f"{sha}^{{object}}") is None:
        raise ApiError(422, "Object does not exist")


# -- branches and commits


def list_branches(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/branches`."""
    url = f"{call.render.repo_url(call.repo)}/commits"

    def render(branch: tuple[str, str]) -> dict[str, Any]:
        name, sha = branch
        return {
            "name": name,
            "commit": {"sha": sha, "url": f"{url}/{sha}"},
            "protected": _protected(call, name),
        }

    wanted = {"": None, "true": True, "false": False}.get(call.query("protected"))
    branches = list(call.store.git(call.repo).branches().items())
    return call.page([one for one in branches if wanted in (None, _protected(call, one[0]))], render)


def get_branch(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/branches/{branch}`."""
    name = call.path("branch")
    git = call.store.git(call.repo)
    sha = git.branch(name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    url, protected = f"{call.render.repo_url(call.repo)}/branches/{name}", _protected(call, name)
    checks = {"enforcement_level": "off", "contexts": [], "checks": []}
    return {
        "name": name,
        "commit": call.render.commit(call.repo, git.commit(sha)),
        "_links": {"self": url, "html": f"{call.identity.links.html}/{call.repo}/tree/{name}"},
        "protected": protected,
        "protection": {"enabled": protected, "required_status_checks": checks},
        "protection_url": f"{url}/protection",
    }


def _protected(call: Call, branch: str) -> bool:
    return call.repository.protect_default_branch and branch == call.repository.default_branch


def list_commits(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/commits`, newest first."""
    git = call.store.git(call.repo)
    start = call.query("sha") or call.repository.default_branch
    sha = git.resolve(start)
    if sha is None:
        if not git.branches():
            raise ApiError(409, "Git Repository is empty.")
        raise not_found()
    options = [f"--{name}={call.query(name)}" for name in ("since", "until", "author") if call.query(name)]
    paths = [call.query("path")] if call.query("path") else []
    commits = git.commits(*options, sha, paths=paths)
    return call.page(commits, lambda commit: call.render.commit(call.repo, commit))


def get_commit(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/commits/{ref}`."""
    commit = _commit_of(call)
    git = call.store.git(call.repo)
    base = commit.parents[0] if commit.parents else git.empty_tree()
    return call.render.full_commit(call.repo, commit, git.changed_files(base, commit.sha))


def _commit_of(call: Call) -> Commit:
    git, ref = call.store.git(call.repo), call.path("ref")
    sha = git.resolve(ref.removeprefix("heads/"))
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {ref}")
    return git.commit(sha)


def compare(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/compare/{basehead}`: `base...head`, each as `branch` or `owner:branch`."""
    git, text = call.store.git(call.repo), call.path("basehead")
    base, dots, head = text.partition("...")
    shas = [git.resolve(side.rpartition(":")[2]) for side in (base, head)] if dots else [None]
    if None in shas:
        raise not_found()
    comparison = git.compare(str(shas[0]), str(shas[1]))
    if comparison is None:
        raise ApiError(404, f"No common ancestor between {base} and {head}.")
    return call.render.comparison(call.repo, comparison, text)


# -- files


def get_contents(call: Call) -> Response | dict[str, Any] | list[Any]:
    """`GET /repos/{owner}/{repo}/contents/{path}`: a file with its text, or a folder's entries."""
    git = call.store.git(call.repo)
    revision = call.query("ref") or call.repository.default_branch
    sha = git.resolve(revision.removeprefix("refs/heads/").removeprefix("refs/tags/"))
    if sha is None:
        raise ApiError(
            404, f"No commit found for the ref {revision}" if git.branches() else "This repository is empty."
        )
    path = str(call.request.path_params.get("path", "")).strip("/")
    entry = git.entry(sha, path) if path else None
    if path and entry is None:
        raise not_found()
    if entry is None or entry.type == "dir":
        return [call.render.entry(call.repo, one, revision) for one in git.entries(sha, path) or ()]
    if entry.type == "submodule":
        raise not_found()
    content = git.blob(entry.sha)
    if "raw" in call.request.headers.get("accept", ""):
        return Response(content, media_type="application/vnd.github.raw")
    if entry.type == "symlink":
        return {**call.render.entry(call.repo, entry, revision), "target": content.decode(errors="replace")}
    if entry.size > _LARGEST_INLINE:
        return {**call.render.entry(call.repo, entry, revision, b""), "encoding": "none"}
    return call.render.entry(call.repo, entry, revision, content)


# -- checks


def list_check_runs(call: Call) -> Response:
    """`GET /repos/{owner}/{repo}/commits/{ref}/check-runs`."""
    runs = call.store.checks.list(call.repo, _commit_of(call).sha, name=call.query("check_name") or None)
    status = call.query("status")
    return call.page(
        [one for one in runs if status in ("", one.status)], call.render.check_run, wrap="check_runs"
    )


def create_check_run(call: Call) -> Response:
    """`POST /repos/{owner}/{repo}/check-runs`: for apps only, as a run's token is."""
    _check_app(call)
    sha = call.field("CheckRun", "head_sha")
    if call.store.git(call.repo).resolve(sha) is None:
        raise ApiError(422, f"No commit found for SHA: {sha}")
    name = call.field("CheckRun", "name")
    return created(
        call.render.check_run(
            call.store.checks.create(call.repo, sha, call.actor, name=name, **_check_values(call))
        )
    )


def get_check_run(call: Call) -> dict[str, Any]:
    """`GET /repos/{owner}/{repo}/check-runs/{check_run_id}`."""
    return call.render.check_run(call.store.checks.require(call.repo, call.number("check_run_id")))


def edit_check_run(call: Call) -> dict[str, Any]:
    """`PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}`."""
    _check_app(call)
    values = _check_values(call)
    if call.body.get("name"):
        values["name"] = call.field("CheckRun", "name")
    number = call.number("check_run_id")
    return call.render.check_run(call.store.checks.edit(call.repo, number, call.actor, **values))


def _check_app(call: Call) -> None:
    user = call.store.users.get(call.actor.login)
    if user is None or user.type != "Bot":
        raise ApiError(403, "You must authenticate via a GitHub App.")


def _check_values(call: Call) -> dict[str, str | None]:
    names = ("status", "conclusion", "started_at", "completed_at", "details_url", "external_id")
    values = {name: call.optional("CheckRun", name) for name in names}
    output = call.body.get("output")
    if isinstance(output, dict):
        for name in ("title", "summary", "text"):
            text = output.get(name)
            if text is not None and not isinstance(text, str):
                raise invalid("CheckRun", f"output.{name}", "invalid")
            if text is not None and len(text) > 65_535:
                raise invalid(
                    "CheckRun", f"output.{name}", "custom", "is too long (maximum is 65535 characters)"
                )
            values[name] = text
    return values
