"""`python -m embedded_github`: serve a GitHub on this machine until interrupted."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from embedded_github.embedded import EmbeddedGitHub
from embedded_github.forge.git.repository import GitError, GitRepository
from embedded_github.forge.store import Store
from embedded_github.pages.routes import web_pages

DEFAULT_USER = "octo"


def named_folder(value: str) -> tuple[str, Path]:
    """Split `owner/name=FOLDER`.

    Raises:
        BadParameter: it is not of that form, or the folder does not exist.
    """
    name, _, folder = value.partition("=")
    if name.count("/") != 1 or not folder:
        raise click.BadParameter(f"{value!r} is not owner/name=FOLDER.")
    if not Path(folder).is_dir():
        raise click.BadParameter(f"{folder} is not a folder.")
    return name, Path(folder).resolve()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is kept. Default: a temporary folder, removed at the end.",
)
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option(
    "--repository",
    "repositories",
    type=named_folder,
    metavar="OWNER/NAME=FOLDER",
    multiple=True,
    help="A repository to make: from a git clone's last commit, or from a folder's files.",
)
@click.option(
    "--action",
    "actions",
    type=named_folder,
    metavar="OWNER/NAME=FOLDER",
    multiple=True,
    help="An action that workflows may use by this name, besides those in their own repository.",
)
@click.option(
    "--secret", "secrets", metavar="NAME", multiple=True, help="A secret; its value is this environment's."
)
def main(
    folder: Path | None,
    port: int,
    repositories: tuple[tuple[str, Path], ...],
    actions: tuple[tuple[str, Path], ...],
    secrets: tuple[str, ...],
) -> None:
    """Serve a small GitHub on 127.0.0.1: REST, GraphQL, git, web pages, and workflows that run.

    Prints the addresses and a token of each repository's owner. Ctrl-C ends it.
    """
    for name in secrets:
        if name not in os.environ:
            raise click.UsageError(f"--secret {name}: set the environment variable {name} to its value.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        kept = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="embedded-github-")))
        try:
            github = EmbeddedGitHub(
                kept,
                action_sources=dict(actions),
                secrets={name: os.environ[name] for name in secrets},
                path=os.environ.get("PATH", os.defpath),
                port=port,
                pages=web_pages,
            )
        except OSError as error:
            raise click.ClickException(
                f"it cannot start on port {port} in {kept}: {error.strerror}"
            ) from None
        stack.enter_context(github)
        try:
            for name, source in repositories:
                make_repository(github.store, name, source)
        except (GitError, ValueError) as error:
            raise click.ClickException(f"{name} cannot be made from {source}: {error}") from None
        _introduce(github, [name for name, _ in repositories])
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo("ending", err=True)


def make_repository(store: Store, name: str, source: Path) -> None:
    """Make a repository, unless the store has it from an earlier run.

    Args:
        store: where to.
        name: `owner/name`.
        source: a git work tree, whose last commit and its history are taken, or a folder of files.

    Raises:
        GitError: the work tree has no commit or no branch.
        ValueError: the name is malformed.
    """
    if store.repositories.get(name) is not None:
        return
    if not (source / ".git").exists():
        store.create_repository(name, from_folder=source, allow_actions_to_create_pull_requests=True)
        return
    branch = GitRepository(source / ".git").text("symbolic-ref", "--short", "HEAD")
    store.create_repository(name, default_branch=branch, allow_actions_to_create_pull_requests=True)
    store.git(name).run("fetch", "--quiet", str(source), f"+HEAD:refs/heads/{branch}")


def _introduce(github: EmbeddedGitHub, names: Sequence[str]) -> None:
    click.echo(f"pages: {github.url}/")
    click.echo(f"API: {github.url}/api/v3")
    for name in names:
        click.echo(f"git: {github.url}/{name}.git")
    for owner in dict.fromkeys(name.partition("/")[0] for name in names or [f"{DEFAULT_USER}/"]):
        github.store.create_user(owner)
        click.echo(f"token of {owner}: {github.store.create_token(owner)}")


if __name__ == "__main__":
    main(prog_name="python -m embedded_github")
