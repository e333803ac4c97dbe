"""Makes a fresh place: one tree and the result of its setup, without any state of earlier runs."""

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
    """Makes fresh places.

    Args:
        bench: holds the work tree.
        prepare: runs the setup of a fresh clone in the sandbox; returns its result, or None if there is no
            setup.
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
        """Empty the sandbox, put up a clone of `commit` with the files of `tree`, and run the setup.

        The home folder is emptied too: packages, caches and notes between runs are not part of the project.

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
        """Empty the sandbox and put up a clone of `commit`, without running its setup."""
        self._bench.let_go()
        await self._sandbox.empty()
        await self._workspace.open(commit)
