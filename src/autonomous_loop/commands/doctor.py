"""`doctor`: checks for everything that makes a first run fail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autonomous_loop.commands.checks.forge import look_at_rights, look_at_settings, without_token
from autonomous_loop.commands.checks.machine import look_at_machine, look_at_model, try_project
from autonomous_loop.commands.checks.project import (
    files_of,
    look_at_configuration,
    look_at_tests,
    look_at_workflow,
)
from autonomous_loop.commands.checks.target import Target
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.errors import ForgeError, RepositoryError, UsageError
from autonomous_loop.git.checkout import Checkout
from autonomous_loop.github.settings import NotToldError, RepositorySettings
from autonomous_loop.github.workflow import WORKFLOW, repository_of
from autonomous_loop.report.findings import Finding, fault, mend, ok, unknown
from autonomous_loop.wiring.environment import GitHubAccount, RuntimeEnvironment
from autonomous_loop.wiring.verification import Taken, taken_from

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Question:
    """The repository to check, and how.

    Attributes:
        repository: `owner/name`; empty: the one that `origin` names.
        run: also run the project's setup and tests, which may take long.
    """

    folder: Path
    repository: str = ""
    run: bool = False


async def examine(
    question: Question, runtime: RuntimeEnvironment, account: GitHubAccount, *, say: Callable[[str], object]
) -> list[Finding]:
    """Run every check; an early failure does not stop later ones.

    Args:
        say: called before a check that takes long.

    Raises:
        RepositoryError: there is no such folder, or it is no git repository.
        UsageError: the repository is not given as `owner/name`.
    """
    if question.repository and not _NAME.fullmatch(question.repository):
        raise UsageError(f"{question.repository} is not owner/name", hint="for example --repo octo/guestbook")
    checkout = Checkout.open(question.folder, path=runtime.path)
    name = question.repository or repository_of(checkout.origin, account.server_url)
    target = Target(name, account.server_url)
    with taken_from(question.folder, runtime) as taken:
        found, head = _commit(taken)
        local = dict(files_of(taken, head)) if head else {}
        settings, refused = _connect(target, account)
        data, where = _workflow_data(settings, local)
        of_workflow, facts = look_at_workflow(data, where)
        of_settings, config = look_at_configuration(local, facts)
        found += [*of_workflow, *of_settings]
        found += [look_at_tests(taken, head, config)] if head and config else []
        label = (config or LoopConfig()).label
        if settings:
            found += [*look_at_rights(settings), *look_at_settings(settings, target, label, facts)]
        else:
            found += refused or without_token(target, label, *_no_token(target, account, checkout))
        found += [one async for one in look_at_machine(runtime, matters=not name)]
        found.append(await look_at_model(runtime, config or LoopConfig()))
        if not (head and config):
            return found
        if question.run:
            say("setup and tests, in a fresh clone of the last commit")
            return found + await try_project(taken, head, config, runtime)
        return [
            *found,
            unknown("tests work", "not tried", "autonomous-loop doctor --run tries setup and tests"),
        ]


def _commit(taken: Taken) -> tuple[list[Finding], CommitSha | None]:
    try:
        head = taken.source.commit("HEAD")
    except RepositoryError:
        do = "git add -A && git commit -m 'first'"
        return [mend("git", "there is no commit yet: nothing to start from", do)], None
    taken.source.bring(taken.repository, [f"{head}:refs/doctor/head"])
    return [ok("git", f"HEAD is {head[:12]}")], head


def _connect(target: Target, account: GitHubAccount) -> tuple[RepositorySettings | None, list[Finding]]:
    if not (target.name and account.token):
        return None, []
    try:
        return RepositorySettings(account.token, account.api_url, target.name), []
    except ForgeError as error:
        do = "see GITHUB_TOKEN, and that origin or --repo names the repository"
        return None, [fault("token", error, do)]


def _workflow_data(settings: RepositorySettings | None, local: dict[str, bytes]) -> tuple[bytes | None, str]:
    """Return the workflow GitHub would run: the default branch's if readable, else the last commit's."""
    if settings:
        try:
            return settings.file(WORKFLOW), f"the default branch {settings.branch}"
        except (NotToldError, ForgeError):
            pass
    return local.get(WORKFLOW), "the last commit here"


def _no_token(target: Target, account: GitHubAccount, checkout: Checkout) -> tuple[str, str]:
    """Return why GitHub was not asked, and how to change that."""
    if target.name:
        return "there is no token to ask GitHub with", "GITHUB_TOKEN=$(gh auth token) autonomous-loop doctor"
    if not checkout.origin:
        return "there is no remote `origin`", "--repo owner/name says which repository is meant"
    return (
        f"the remote `origin` is not on {account.server_url}",
        "--repo owner/name says which repository is meant; GITHUB_SERVER_URL, on which GitHub it is",
    )
