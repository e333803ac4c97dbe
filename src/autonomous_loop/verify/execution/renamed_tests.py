"""Finds older tests that were renamed: the new test has every line of the older one, and maybe more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.project.test_ids import without_parameters
from autonomous_loop.verify.syntax import TestBody


@dataclass(frozen=True, slots=True)
class _Test:
    id: str
    words: tuple[str, ...]
    body: TestBody


def renamed(work: Candidate, gone: Collection[str]) -> Mapping[str, str]:
    """Map each removed test to one new test that continues it, by ids without parameters.

    A new test in the same file is preferred to one in another file.

    Args:
        gone: ids of tests that exist at the checkpoint and not on the candidate.
    """
    wanted = sorted({without_parameters(one) for one in gone})
    old = [one for test_id in wanted if (one := _at_checkpoint(work, test_id))]
    if not old:
        return {}
    new = list(_new_tests(work))
    found: dict[str, str] = {}
    for was in old:
        fit = [one for one in new if one.id not in found.values() and _continues(one, was)]
        fit.sort(key=lambda one: one.id.partition("::")[0] != was.id.partition("::")[0])
        if fit:
            found[was.id] = fit[0].id
    return found


async def read_ahead(work: Candidate, gone: Collection[str]) -> None:
    """Read the sources that `renamed` needs."""
    await work.read_ahead({*_new_files(work), *(one.partition("::")[0] for one in gone)})


def _at_checkpoint(work: Candidate, test_id: str) -> _Test | None:
    file, _, inner = test_id.partition("::")
    source = work.source(work.before, file)
    words, body = source.texts.get(inner), source.bodies.get(inner)
    return _Test(test_id, words, body) if words and body else None


def _new_tests(work: Candidate) -> Iterator[_Test]:
    """Yield tests of changed files whose names do not exist at the checkpoint."""
    for file in _new_files(work):
        source, before = work.source(work.after, file), work.source(work.before, file).texts
        for inner, words in source.texts.items():
            if inner not in before and inner in source.bodies:
                yield _Test(f"{file}::{inner}", words, source.bodies[inner])


def _new_files(work: Candidate) -> list[str]:
    files = set(work.new_test_files)
    return [one.path for one in work.changes if one.path in files and one.status != "D"]


def _continues(now: _Test, was: _Test) -> bool:
    _, *old = was.words
    _, *new = now.words
    # Only for Python can we tell whether code before a check may keep it from being reached.
    holds = _holds(new, old) if was.id.partition("::")[0].endswith(".py") else new[: len(old)] == old
    return bool(old) and holds and not now.body.is_weaker_than(was.body)


def _holds(lines: Sequence[str], old: Sequence[str]) -> bool:
    """Return whether all old lines are there, in their order."""
    rest = iter(lines)
    return all(line in rest for line in old)
