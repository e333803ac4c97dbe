"""Older tests that have another name now: each holds, line by line, what the older one held, maybe more."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.sources import bodies
from autonomous_loop.verify.sources.base import TestBody
from autonomous_loop.verify.sources.texts import texts
from autonomous_loop.verify.tests_of import without_parameters


@dataclass(frozen=True, slots=True)
class _Test:
    id: str
    words: tuple[str, ...]
    body: TestBody


def renamed(work: Candidate, gone: Collection[str]) -> Mapping[str, str]:
    """The new test that each of these became, by ids without parameters; each new one is one old one's.

    A new test in the same file goes before one in another.

    Args:
        gone: ids of tests that are there at the checkpoint and not on the candidate.
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


def _at_checkpoint(work: Candidate, test_id: str) -> _Test | None:
    file, _, inner = test_id.partition("::")
    source = work.facts.of(work.before).read_if_there(file)
    words, body = texts(file, source).get(inner), bodies(file, source).get(inner)
    return _Test(test_id, words, body) if words and body else None


def _new_tests(work: Candidate) -> Iterator[_Test]:
    """Tests of files that differ whose names are not there at the checkpoint."""
    files = set(work.new_test_files)
    for change in work.changes:
        file = change.path
        if file not in files or change.status == "D":
            continue
        source = work.trees.read(work.after, file)
        before = texts(file, work.facts.of(work.before).read_if_there(file))
        made = bodies(file, source)
        for inner, words in texts(file, source).items():
            if inner not in before and inner in made:
                yield _Test(f"{file}::{inner}", words, made[inner])


def _continues(now: _Test, was: _Test) -> bool:
    _, *old = was.words
    _, *new = now.words
    # Of Python alone it is read closely enough what comes before a check, and may keep it from being reached.
    holds = _holds(new, old) if was.id.partition("::")[0].endswith(".py") else new[: len(old)] == old
    return bool(old) and holds and not now.body.is_weaker_than(was.body)


def _holds(lines: Sequence[str], old: Sequence[str]) -> bool:
    """Whether the old lines are all there, in their order."""
    rest = iter(lines)
    return all(line in rest for line in old)
