"""Finds the loops in a git directory by their state branches, local or remote-tracking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autonomous_loop.domain.model import CommitSha
from autonomous_loop.errors import UsageError
from autonomous_loop.git.source import Source

STATE = re.compile(
    r"(?P<place>refs/(?:heads|remotes/[^/]+)/)(?P<branches>.+/(?P<loop>[a-z0-9][a-z0-9-]{0,62}))/state"
)
OWN = re.compile(r"/(?:state|pr|checkpoint/\d+)$")


@dataclass(frozen=True, slots=True)
class LoopBranches:
    """The branches of one loop in one place.

    Attributes:
        loop: the loop's id.
        branches: `autonomous-loop/<loop>`, the prefix of the branches.
        place: `refs/heads/` or `refs/remotes/origin/`.
        state: the tip of its journal there.
    """

    loop: str
    branches: str
    place: str
    state: CommitSha


def loops_in(source: Source) -> Sequence[LoopBranches]:
    """Return every loop with a journal, once for each place that has it."""
    found = []
    for ref, sha in sorted(source.refs().items()):
        match = STATE.fullmatch(ref)
        if match and source.has_file(sha, "loop.json"):
            found.append(LoopBranches(match["loop"], match["branches"], match["place"], sha))
    return found


def choose(found: Sequence[LoopBranches], ref: str, source: Source) -> LoopBranches:
    """Return the loop that `ref` names.

    Args:
        found: all loops there are.
        ref: an id, or one of the loop's branches with or without its place; empty: the only loop.

    Raises:
        UsageError: no loop matches, or several do.
    """
    wanted = OWN.sub("", ref)
    names = sorted({one.branches for one in found})
    meant = [one for one in found if not wanted or wanted in _names_of(one)]
    if not meant:
        known = f"the loops here: {', '.join(names)}" if names else "there is no state branch of a loop here"
        raise UsageError(
            f"no loop is named {ref}; {known}" if ref else known,
            hint="fetch its branches first: git fetch origin"
            " 'refs/heads/autonomous-loop/*:refs/remotes/origin/autonomous-loop/*'.",
        )
    if len({one.branches for one in meant}) > 1:
        raise UsageError(
            f"there are several loops here: {', '.join(sorted({one.branches for one in meant}))}",
            hint="name one of them.",
        )
    # If the same loop is in several places, the one that contains all others is the newest.
    for one in meant:
        if all(source.is_ancestor(other.state, one.state) for other in meant):
            return one
    raise UsageError(
        f"{meant[0].branches} stands differently in {', '.join(one.place for one in meant)}",
        hint=f"name one of them in full, such as {meant[0].place}{meant[0].branches}/state.",
    )


def _names_of(one: LoopBranches) -> set[str]:
    remote = one.place.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    return {one.loop, one.branches, f"{remote}{one.branches}", f"{one.place}{one.branches}"}
