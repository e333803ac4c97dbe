"""A place where nothing lies but one tree and what its setup makes: no state is left from any run before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import Reason
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.engine.ports import Sandbox, Workspace
from autonomous_loop.verify.execution.bench import TestBench
from autonomous_loop.verify.refused import Refused

SHOWN = 2_000


class FreshPlace:
    """Makes one.

    Args:
        bench: holds the work tree.
        prepare: the setup of a fresh clone, run as hands; its result, or None where there is none.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        workspace: Workspace,
        bench: TestBench,
        prepare: Callable[[], Awaitable[CommandResult | None]],
    ) -> None:
        self._sandbox = sandbox
        self._workspace = workspace
        self._bench = bench
        self._prepare = prepare

    async def make(self, commit: CommitSha, tree: TreeSha) -> None:
        """Empty all that the hands can write, put up a clone of `commit` with the files of `tree`, set it up.

        What lay in the home is no part of the project: packages, caches, notes from run to run.

        Raises:
            Refused: the setup fails.
        """
        await self.open(commit)
        await self._bench.put_up(tree)
        done = await self._prepare()
        if done is not None and done.exit_code != 0:
            said = self._bench.wording.tail(done.text, SHOWN) or "it said nothing"
            raise Refused(Reason(code="setup", text=f"The setup fails in a fresh clone:\n{said}"))
        self._bench.let_go()
        await self._bench.put_up(tree)

    async def open(self, commit: CommitSha) -> None:
        """Empty all that the hands can write, and put up a clone of `commit`, without its setup."""
        self._bench.let_go()
        await self._sandbox.empty()
        await self._workspace.open(commit)
