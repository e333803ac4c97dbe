"""Finds the checkpoint that broke a test when nobody noticed at the time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.verify.comparison import losses
from autonomous_loop.verify.execution.bench import TestBench

THE_SUITE = "the whole suite"
"""Stands for a test if the suite cannot run any more."""


async def first_bad(count: int, is_bad: Callable[[int], Awaitable[bool]]) -> int | None:
    """Return the first bad item of a row whose last is bad, in about log2 steps; None: all are bad.

    Args:
        count: the number of items; the last one is not checked again.
        is_bad: checks an item; all items after the first bad one are bad.
    """
    good, bad = -1, count - 1
    # Check the first item only if no other was good, because its state is usually known.
    low = 0
    while bad - low > 1:
        middle = (low + bad) // 2
        if await is_bad(middle):
            bad = middle
        else:
            good = low = middle
    if good < 0 and bad > 0 and not await is_bad(0):
        good = 0
    return bad if good >= 0 else None


async def culprits(
    bench: TestBench, trees: Sequence[TreeSha], *, lost: Collection[str], since: Mapping[str, int]
) -> Mapping[int, tuple[str, ...]]:
    """Return, for each tree that broke tests, the tests it broke; empty if they fail from the start.

    Only the files of the lost tests run, unless the tests fail only in the whole suite. A test that does not
    fail again in the last tree is blamed on no tree.

    Args:
        trees: in the order they were made; in the last one, all of `lost` are lost.
        lost: test ids; empty: the suite cannot run any more.
        since: for each test, the index in `trees` from which it must pass; if missing, the start.
    """
    looks = _Looks(bench, trees, lost=lost or (THE_SUITE,), since=since, whole=not lost)
    last = len(trees) - 1
    if await looks.bad_at(last) != set(lost) and lost:
        looks = _Looks(bench, trees, lost=lost, since=since, whole=True)
    found: dict[int, tuple[str, ...]] = {}
    left = set(await looks.bad_at(last))
    while left:

        async def is_bad(index: int, left: frozenset[str] = frozenset(left)) -> bool:
            return bool(await looks.bad_at(index) & left)

        index = await first_bad(len(trees), is_bad)
        if index is None:
            break
        broken = left if index == last else left & await looks.bad_at(index)
        found[index] = tuple(sorted(broken))
        left -= broken
    return found


class _Looks:
    """Finds the lost tests of each tree; runs each tree once.

    Args:
        whole: run the whole suite instead of only the files of the lost tests.
    """

    def __init__(
        self,
        bench: TestBench,
        trees: Sequence[TreeSha],
        *,
        lost: Collection[str],
        since: Mapping[str, int],
        whole: bool = False,
    ) -> None:
        self._bench = bench
        self._trees = trees
        self._lost = lost
        self._since = since
        self._whole = whole
        self._known: dict[int, set[str]] = {}

    async def bad_at(self, index: int) -> set[str]:
        if index not in self._known:
            self._known[index] = await self._look(index)
        return self._known[index]

    async def _look(self, index: int) -> set[str]:
        tree = self._trees[index]
        asked = {one for one in self._lost if self._since.get(one, 0) <= index}
        there = self._bench.facts.of(tree).every_path
        files = sorted({one.partition("::")[0] for one in asked} & there)
        if not asked or not (files or self._whole):
            return asked
        await self._bench.put_up(tree)
        if self._whole:
            result = await self._bench.suite(tree, tree)
        else:
            result = await self._bench.tests(tree, files, tree)
        # A run with faults shows no passing test.
        return asked if result.faults else set(losses(asked - {THE_SUITE}, result.cases).all)
