"""Repositories, folders, files and commits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from embedded_github.forge.git.repository import GitRepository
from embedded_github.forge.models import Commit, Entry, Repository
from embedded_github.pages.answers import PageNotFoundError, picture_type, raw
from embedded_github.pages.diff import diffs
from embedded_github.pages.highlight import lines
from embedded_github.pages.markdown import render
from embedded_github.pages.site import Site
from embedded_github.pages.words import path_url

MOST_SHOWN: Final = 1_000_000
"""Bytes of a file that are shown; a larger one is only linked."""
MOST_DATED: Final = 80
"""Entries of a folder that are shown with their last commit."""
MOST_COMMITS: Final = 200

_SHA: Final = re.compile(r"[0-9a-f]{7,40}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MARKDOWN: Final = (".md", ".markdown")


@dataclass(frozen=True)
class Place:
    """A revision as the address names it, its commit, and a path in it."""

    name: str
    sha: str
    path: str

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Every part of the path with the path up to it."""
        parts = [part for part in self.path.split("/") if part]
        return [(part, "/".join(parts[: at + 1])) for at, part in enumerate(parts)]


def home(site: Site, _request: Request) -> Response:
    """`/`: the repositories."""
    repositories = site.store.repositories.list()
    rows = [(one, site.store.issues.count_open(one.full_name)) for one in repositories]
    return site.page("home.html", rows=rows)


def repository(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}`: the files at the default branch, and the README."""
    repo = site.repository(request)
    git = site.store.git(repo.full_name)
    sha = git.branch(repo.default_branch)
    if sha is None:
        return site.repository_page("empty.html", repo, tab="code", branches=git.branches())
    return _folder(site, repo, git, Place(repo.default_branch, sha, ""))


def tree(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/tree/{revision}/{path}`: a folder."""
    repo = site.repository(request)
    git = site.store.git(repo.full_name)
    return _folder(site, repo, git, place(git, request.path_params["rest"]))


def blob(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/blob/{revision}/{path}`: a file; `?raw=true`: its bytes."""
    repo = site.repository(request)
    git = site.store.git(repo.full_name)
    where = place(git, request.path_params["rest"])
    content = git.read(where.sha, where.path) if where.path else None
    if content is None:
        if git.entries(where.sha, where.path) is not None:
            return RedirectResponse(f"/{repo.full_name}/tree/{path_url(f'{where.name}/{where.path}')}", 302)
        raise PageNotFoundError(f"There is no file {where.path} at {where.name}.")
    if request.query_params.get("raw") in {"true", "1"}:
        return raw(content)
    return _file(site, repo, git, where, content, source=request.query_params.get("plain") == "1")


def commit(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/commit/{sha}`: a commit and its difference to its first parent."""
    repo = site.repository(request)
    git = site.store.git(repo.full_name)
    sha = _resolve(git, request.path_params["sha"])
    found = git.commit(sha)
    base = found.parents[0] if found.parents else git.empty_tree()
    files = diffs(git, git.changed_files(base, sha), base, sha)
    branches = git.text("branch", "--format=%(refname:short)", "--contains", sha).splitlines()
    return site.repository_page(
        "commit.html", repo, tab="code", commit=found, files=files, branches=branches[:8]
    )


def commits(site: Site, request: Request) -> Response:
    """`/{owner}/{repo}/commits/{revision}`: the history."""
    repo = site.repository(request)
    git = site.store.git(repo.full_name)
    where = place(git, request.path_params["rest"])
    found = git.commits(f"-{MOST_COMMITS}", where.sha)
    return site.repository_page("commits.html", repo, tab="code", where=where, commits=found)


def place(git: GitRepository, rest: str) -> Place:
    """Split `revision/path`: branch names have slashes, too.

    Raises:
        PageNotFoundError: it begins with no branch, tag or commit of the repository.
    """
    if _CONTROL.search(rest):
        raise PageNotFoundError("There is no such path.")
    parts = rest.strip("/").split("/")
    # No branch's name is the beginning of another's (git refuses that), so the first match is the only one.
    heads, tags = git.branches(), git.refs("refs/tags/")
    for count in range(1, len(parts) + 1):
        name = "/".join(parts[:count])
        if name in heads or f"refs/tags/{name}" in tags:
            return Place(name, _resolve(git, name), "/".join(parts[count:]))
    return Place(parts[0], _resolve(git, parts[0]), "/".join(parts[1:]))


def _resolve(git: GitRepository, revision: str) -> str:
    known = None if _CONTROL.search(revision) else git.branch(revision)
    if known is None and (_SHA.fullmatch(revision) or revision == "HEAD" or _is_tag(git, revision)):
        known = git.resolve(revision)
    if known is None:
        raise PageNotFoundError(f"There is no branch, tag or commit {revision}.")
    return known


def _is_tag(git: GitRepository, revision: str) -> bool:
    return f"refs/tags/{revision}" in git.refs("refs/tags/")


def _folder(site: Site, repo: Repository, git: GitRepository, where: Place) -> Response:
    entries = git.entries(where.sha, where.path)
    if entries is None:
        raise PageNotFoundError(f"There is no folder {where.path} at {where.name}.")
    ordered = sorted(entries, key=lambda one: (one.type != "dir", one.path.lower()))
    last = git.commits("-1", where.sha)[0]
    readme = next((one for one in ordered if one.path.rsplit("/", 1)[-1].lower() == "readme.md"), None)
    return site.repository_page(
        "tree.html",
        repo,
        tab="code",
        where=where,
        entries=[(one, _last_commit(git, where.sha, one)) for one in ordered[:MOST_DATED]]
        + [(one, None) for one in ordered[MOST_DATED:]],
        branches=git.branches(),
        last=last,
        history=int(git.text("rev-list", "--count", where.sha)),
        readme=_readme(site, repo, git, where, readme) if readme else None,
    )


def _readme(site: Site, repo: Repository, git: GitRepository, where: Place, entry: Entry) -> tuple[str, str]:
    base = f"/{repo.full_name}/blob/{path_url(where.name)}/{path_url(entry.path)}"
    text = git.blob(entry.sha)[:MOST_SHOWN].decode(errors="replace")
    return entry.path, render(text, site.links(repo.full_name, base), breaks=False)


def _last_commit(git: GitRepository, sha: str, entry: Entry) -> Commit | None:
    found = git.commits("-1", sha, paths=[f":(literal){entry.path}"])
    return found[0] if found else None


def _file(
    site: Site, repo: Repository, git: GitRepository, where: Place, content: bytes, *, source: bool
) -> Response:
    base = f"/{repo.full_name}/blob/{path_url(where.name)}/{path_url(where.path)}"
    is_text = b"\x00" not in content[:8000] and len(content) <= MOST_SHOWN
    text = content.decode(errors="replace") if is_text else ""
    rendered = is_text and where.path.lower().endswith(_MARKDOWN) and not source
    return site.repository_page(
        "blob.html",
        repo,
        tab="code",
        where=where,
        branches=git.branches(),
        last=_last_commit(git, where.sha, Entry(where.path, "file", "", 0, "")),
        size=len(content),
        is_text=is_text,
        is_picture=picture_type(content) is not None,
        is_markdown=where.path.lower().endswith(_MARKDOWN),
        rendered=render(text, site.links(repo.full_name, base), breaks=False) if rendered else None,
        lines=lines(text, where.path) if is_text and not rendered and text else [],
    )
