"""`init`: writes the workflow and a commented configuration into a person's checkout."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autonomous_loop.commands.checks.target import Target, next_steps
from autonomous_loop.config import CONFIG_FILE, LoopConfig
from autonomous_loop.errors import RepositoryError
from autonomous_loop.git.checkout import Checkout
from autonomous_loop.github.workflow import WORKFLOW, ours, repository_of
from autonomous_loop.report.configuration import commented
from autonomous_loop.report.escape import printable
from autonomous_loop.verify.commands import detected, steps_of
from autonomous_loop.verify.project.tree_facts import TreeFacts
from autonomous_loop.wiring.environment import GitHubAccount, RuntimeEnvironment
from autonomous_loop.wiring.verification import taken_from

MOST_SHOWN = 60_000
Done = Literal["new", "same", "replaced", "refused", "kept"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """The change to one file.

    Attributes:
        done: `refused`: a different file is there; `kept`: it is the person's own and needs no change.
        why: for people, why it was left unchanged.
    """

    path: str
    before: bytes | None
    after: bytes
    done: Done
    why: str = ""

    @property
    def diff(self) -> str:
        """Return the change as a diff, made or planned."""
        if self.done == "kept":
            return ""
        old, new = (
            (data or b"").decode("utf-8", "replace").splitlines() for data in (self.before, self.after)
        )
        source = "/dev/null" if self.before is None else f"a/{self.path}"
        return "\n".join(difflib.unified_diff(old, new, source, f"b/{self.path}", lineterm=""))


@dataclass(frozen=True, slots=True)
class Initialised:
    """The result of `init`.

    Attributes:
        repository: `owner/name` on GitHub; empty if `origin` is elsewhere.
        label: the label that starts a loop.
        dry: nothing was written.
    """

    changes: tuple[FileChange, ...]
    repository: str
    server_url: str
    label: str
    dry: bool

    @property
    def refused(self) -> bool:
        """Whether a file is in the way; if so, nothing was written."""
        return any(one.done == "refused" for one in self.changes)


def init(
    folder: Path,
    runtime: RuntimeEnvironment,
    account: GitHubAccount,
    *,
    dry: bool = False,
    force: bool = False,
) -> Initialised:
    """Write the missing files. It commits and pushes nothing, and runs no code of the repository.

    Args:
        dry: only say what would be done.
        force: replace a workflow that differs from ours.

    Raises:
        RepositoryError: no git repository, no work tree, or a link in the way.
        ConfigurationError: the existing configuration cannot be read.
    """
    checkout = Checkout.open(folder, path=runtime.path)
    workflow = _workflow(checkout, force=force)
    settings, label = _settings(checkout, folder, runtime)
    made = Initialised(
        (workflow, settings),
        repository_of(checkout.origin, account.server_url),
        account.server_url,
        label,
        dry,
    )
    if not dry and not made.refused:
        for one in made.changes:
            if one.done in {"new", "replaced"}:
                checkout.write(one.path, one.after)
    return made


def _workflow(checkout: Checkout, *, force: bool) -> FileChange:
    before, after = checkout.read(WORKFLOW), ours()
    if before is None or before == after:
        return FileChange(WORKFLOW, before, after, "new" if before is None else "same")
    if force:
        return FileChange(WORKFLOW, before, after, "replaced")
    return FileChange(
        WORKFLOW, before, after, "refused", "it differs from ours; --force puts ours in its place"
    )


def _settings(checkout: Checkout, folder: Path, runtime: RuntimeEnvironment) -> tuple[FileChange, str]:
    """Write the configuration if there is none. An existing one is the person's, so `force` keeps it too."""
    files = {
        path: data for path in (CONFIG_FILE, "pyproject.toml") if (data := checkout.read(path)) is not None
    }
    config = LoopConfig.from_files(files)
    before = files.get(CONFIG_FILE)
    if before is not None:
        return FileChange(
            CONFIG_FILE, before, before, "kept", "your configuration stays as it is"
        ), config.label
    if _table_in(files.get("pyproject.toml", b"")):
        why = "the configuration stands in pyproject.toml, [tool.autonomous-loop]"
        return FileChange(CONFIG_FILE, None, b"", "kept", why), config.label
    test_command, others = _tests(folder, runtime)
    return FileChange(CONFIG_FILE, None, commented(test_command, others=others).encode(), "new"), config.label


def _table_in(pyproject: bytes) -> bool:
    tool = tomllib.loads(pyproject.decode()).get("tool", {})
    return isinstance(tool, dict) and "autonomous-loop" in tool


def _tests(folder: Path, runtime: RuntimeEnvironment) -> tuple[str, str]:
    """Return the test command found in the last commit's files, or a note on the several they name."""
    try:
        with taken_from(folder, runtime) as taken:
            head = taken.source.commit("HEAD")
            taken.source.bring(taken.repository, [f"{head}:refs/init/head"])
            facts = TreeFacts(taken.repository).of(taken.repository.tree_of(head))
            steps = detected(facts)
            # Written into the file, a guess would count as a person's choice and overrule what a run shows.
            if len(steps) == 1 and not steps[0].guessed and steps_of(steps[0].command, facts) == steps:
                return steps[0].command, ""
            said = [f"{one.command} (in {one.folder})" if one.folder else one.command for one in steps]
            return "", "; ".join(said)
    except RepositoryError:  # no commit yet, so there are no files to read
        return "", ""


_SAID = {
    "new": ("written", "would be written"),
    "replaced": ("replaced", "would be replaced"),
    "same": ("there already", "there already"),
    "kept": ("left as it is", "left as it is"),
    "refused": ("refused", "refused"),
}


def initialised_as_text(made: Initialised) -> str:
    """Return what was done, as a diff, and what a person still has to do."""
    unwritten = made.dry or made.refused
    lines = [
        f"{one.path}: {_SAID[one.done][unwritten]}{f' ({one.why})' if one.why else ''}"
        for one in made.changes
    ]
    for one in made.changes:
        if one.diff:
            lines += ["", *printable(one.diff, most=MOST_SHOWN)]
    if made.refused:
        return "\n".join([*lines, "", "Nothing was written."])
    steps = next_steps(Target(made.repository, made.server_url), made.label)
    return "\n".join([*lines, "", "Next:", *(f"{number}. {step}" for number, step in enumerate(steps, 1))])
