"""Which checkpoint broke a test that nobody saw breaking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.verify.comparison import losses
from autonomous_loop.verify.execution.bench import TestBench

THE_SUITE = "the whole suite"
"""Stands for a test where the suite cannot be run any more."""


async def first_bad(count: int, is_bad: Callable[[int], Awaitable[bool]]) -> int | None:
    """The first bad one of a row whose last is bad, in about log2 looks; None: all of them are.

    Args:
        count: how many there are; the last is not looked at again.
        is_bad: from the first bad one on all are bad.
    """
    good, bad = -1, count - 1
    # The first is looked at only where nothing between shows a good one: mostly that is known already.
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
    """For each tree that broke something, the tests it broke; empty where they fail from the start.

    Only the files of the lost tests run, unless they fail in the whole suite alone. What does not fail in the
    last again is nobody's.

    Args:
        trees: in the order in which they were made; in the last, all of `lost` are lost.
        lost: test ids; none: the suite cannot be run any more.
        since: the place in `trees` from which a test can be asked for; without one, from the start.
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
    """What is lost in each tree, looked at once.

    Args:
        whole: by the whole suite, not by the files of the lost tests.
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
        # A run that shows nothing shows no passing test either.
        return asked if result.faults else set(losses(asked - {THE_SUITE}, result.cases).all)
