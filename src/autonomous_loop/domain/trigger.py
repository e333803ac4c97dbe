"""Pure types and functions for what an event asks of the loop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from autonomous_loop.domain.model import CommitSha, LoopId

COMMANDS: Final = ("go", "continue", "stop", "retry", "skip", "add", "budget")
_NEED_ARGUMENT: Final = frozenset({"retry", "skip", "add", "budget"})
_COMMAND: Final = re.compile(r"/loop(?:[ \t]+([^\s]+)(?:[ \t]+([^\r\n]*))?)?[ \t]*(?:\r?\n|\Z)")
_LOOP: Final = re.compile(r"issue-([1-9][0-9]{0,9})(?:-([1-9][0-9]{0,5}))?")
_USD: Final = re.compile(r"\$?([0-9]{1,7}(?:\.[0-9]{1,4})?)\Z")
MOST_ARGUMENT: Final = 4_000


@dataclass(frozen=True, slots=True)
class Start:
    """Start a loop for an issue, or continue its live one.

    Attributes:
        actor: the sender, as the event says; not checked yet.
    """

    issue: int
    actor: str


@dataclass(frozen=True, slots=True)
class StartFile:
    """Start a loop for a request file, or continue its live one.

    Attributes:
        path: as it was given.
    """

    path: str
    actor: str


@dataclass(frozen=True, slots=True)
class Continue:
    """Run the next session of a loop.

    Attributes:
        generation: the session to claim; None: the next one.
        pin: the journal's tip must be this or a descendant of it; None when a person asks.
    """

    loop: LoopId
    generation: int | None
    pin: CommitSha | None
    actor: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A command in a comment.

    Attributes:
        number: number of the issue or pull request.
        name: one of `COMMANDS`; "" if it is none of them.
    """

    number: int
    on_pull_request: bool
    name: str
    argument: str
    comment_id: int
    actor: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review requested changes on a loop's open pull request.

    Attributes:
        number: number of the pull request.
        kind: type of the reviewer's account: `User`, `Bot`...
    """

    loop: LoopId
    number: int
    actor: str
    kind: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """A push to the branch of a loop's pull request.

    Attributes:
        head: the branch's commit now.
    """

    loop: LoopId
    head: CommitSha
    actor: str
    kind: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Another workflow ended on a commit of a loop's pull request branch.

    Attributes:
        workflow: path of its file.
        failed: it failed or ran out of time.
    """

    loop: LoopId
    head: CommitSha
    workflow: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """A scheduled event: start what waits."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """There is nothing to do, for this reason."""

    reason: str


Activity = Start | StartFile | Continue | Asked | Reviewed | Pushed | Checked | Queue | Ignore


@dataclass(frozen=True, slots=True)
class Words:
    """A command as it was written. `name` is "" if the command is unknown or lacks its argument."""

    name: str
    argument: str = ""


def parse_command(text: str) -> Words | None:
    """Return the `/loop` command if it is the first word of a comment; otherwise None.

    A command is one line; only `add` includes the rest of the comment. A budget is in dollars: `20`, `$7.50`.
    """
    found = _COMMAND.match(text)
    if not found:
        return None
    name, argument = (found.group(1) or "").lower(), found.group(2) or ""
    if name == "add":
        argument = f"{argument}\n{text[found.end() :]}"
    argument = argument.strip()[:MOST_ARGUMENT]
    if name not in COMMANDS or (name in _NEED_ARGUMENT and not argument):
        return Words("")
    if name == "budget":
        usd = _USD.match(argument)
        return Words(name, usd.group(1)) if usd and float(usd.group(1)) > 0 else Words("")
    return Words(name, argument if name in _NEED_ARGUMENT else "")


def loop_of_branch(ref: str, prefix: str) -> LoopId | None:
    """Return the loop whose pull request has this branch; None for any other branch.

    Args:
        ref: `autonomous-loop/issue-12/pr`, with or without `refs/heads/`.
        prefix: the configured one.
    """
    found = re.fullmatch(
        rf"{re.escape(prefix)}/([a-z0-9][a-z0-9-]{{0,62}})/pr", ref.removeprefix("refs/heads/")
    )
    return found.group(1) if found else None


def loop_of(issue: int, round_number: int = 1) -> LoopId:
    """Return `issue-12`, or `issue-12-2` for the second loop of the same issue."""
    return f"issue-{issue}" if round_number == 1 else f"issue-{issue}-{round_number}"


def issue_of(loop: LoopId) -> int | None:
    """Return the issue a loop works on; None if it has none."""
    found = _LOOP.fullmatch(loop)
    return int(found.group(1)) if found else None


def choose_loop(issue: int, ended: Mapping[LoopId, bool]) -> LoopId:
    """Return the loop that a label on `issue` starts or continues.

    Args:
        ended: whether each known loop has ended; loops of other issues are ignored.
    """
    rounds = {
        int(found.group(2) or 1): is_over
        for loop, is_over in ended.items()
        if (found := _LOOP.fullmatch(loop)) and int(found.group(1)) == issue
    }
    if not rounds:
        return loop_of(issue)
    newest = max(rounds)
    return loop_of(issue, newest + 1 if rounds[newest] else newest)
