"""`actions/checkout`, built in: a clone of the commit into the workspace, with the job's token."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from embedded_github.actions.workflow.definition import WorkflowError

_OPTIONS = {
    "repository", "ref", "token", "path", "fetch-depth", "persist-credentials", "clean", "fetch-tags",
    "set-safe-directory", "show-progress",
}  # fmt: skip

Git = Callable[[Sequence[str], Mapping[str, str], Path], bool]
"""Runs git with arguments, variables and a folder; whether it succeeded."""


def checkout(
    options: Mapping[str, str], github: Mapping[str, Any], mask: Callable[[str], None], git: Git
) -> bool:
    """Play the action; whether it succeeded.

    Args:
        options: its `with:`.
        github: the context.
        mask: told of the credential it makes.
        git: runs a command of git, its output to the log.

    Raises:
        WorkflowError: an option that this stand-in does not have.
    """
    if unknown := sorted(set(options) - _OPTIONS):
        raise WorkflowError(f"actions/checkout is played without its input '{unknown[0]}'")
    repository = options.get("repository") or github["repository"]
    folder = Path(github["workspace"], options.get("path", ""))
    folder.mkdir(parents=True, exist_ok=True)
    server = str(github["server_url"])
    credential = base64.b64encode(
        f"x-access-token:{options.get('token') or github['token']}".encode()
    ).decode()
    mask(credential)
    key, header = f"http.{server}/.extraheader", f"AUTHORIZATION: basic {credential}"
    # By environment, not as an argument: arguments are for all to read.
    secret = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": header}

    own = repository == github["repository"]
    ref = options.get("ref") or (github["ref"] if own else "HEAD")
    sha = github["sha"] if own and not options.get("ref") else ""
    depth = int(options.get("fetch-depth") or 1)
    limits = [f"--depth={depth}"] if depth else ["+refs/heads/*:refs/remotes/origin/*"]
    tags = [] if options.get("fetch-tags") == "true" else ["--no-tags"]
    prepared = (
        git(["init", "--quiet", "--initial-branch", "main", "."], {}, folder)
        and _remote(git, f"{server}/{repository}", folder)
        and git(["fetch", "--quiet", *tags, "origin", *limits, sha or ref], secret, folder)
    )
    if not prepared:
        return False
    branch = ref.removeprefix("refs/heads/")
    if ref.startswith("refs/heads/"):
        remote = f"refs/remotes/origin/{branch}"
        done = git(["update-ref", remote, sha or "FETCH_HEAD"], {}, folder) and git(
            ["checkout", "--quiet", "--force", "-B", branch, remote], {}, folder
        )
    else:
        done = git(["checkout", "--quiet", "--force", "--detach", sha or "FETCH_HEAD"], {}, folder)
    if done and options.get("persist-credentials", "true") == "true":
        # Written by this process: git's own command would need the credential as an argument.
        with (folder / ".git" / "config").open("a", encoding="utf-8") as config:
            config.write(f'[http "{server}/"]\n\textraheader = {header}\n')
    return done


def _remote(git: Git, url: str, folder: Path) -> bool:
    if (folder / ".git" / "refs" / "remotes" / "origin").exists():
        return git(["remote", "set-url", "origin", url], {}, folder)
    return git(["remote", "add", "origin", url], {}, folder)
