"""Chooses between a guessed test command and the model's by running both on untouched code."""

from __future__ import annotations

import posixpath
import re

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import ModelCommand
from autonomous_loop.errors import ConfigurationError
from autonomous_loop.verify.execution.bench import TestBench
from autonomous_loop.verify.execution.no_baseline import MEND, is_unloaded, why_none
from autonomous_loop.verify.execution.running import RunResult
from autonomous_loop.verify.project.shell_words import split
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.runners.pytest_places import places
from autonomous_loop.verify.syntax import holds_tests

_RUNNERS = frozenset({"pytest", "py.test", "vitest", "jest"})
_FROM_OUTSIDE = re.compile(r"\w*(?:ADDOPTS|GOFLAGS|NODE_OPTIONS)=.*", re.DOTALL)
# Words after a runner's name that leave no test out. Other words may. A project's own settings belong into
# its files, where people read them.
_HARMLESS = re.compile(
    r"-[qvs]+|--(?:quiet|verbose)|-r[a-zA-Z]+|-n=?\w*|\d+|auto|-p|no:[\w.-]+|-W|(?:ignore|default|error)(?::.*)?"
    r"|--(?:tb|colou?r|durations|dist|numprocesses|import-mode|reporter)(?:=.*)?|short|long|no|yes"
    r"|--no-(?:header|cov|summary)|--strict-\w+|run|\./\.\.\.|-race|-count=\d+|-v"
    r"|--(?:workspace|all|all-features|all-targets|locked|offline|frozen)"
)


async def first_run(
    bench: TestBench, tree: TreeSha, proposed: str, *, has_suite: bool
) -> tuple[ModelCommand, RunResult | None]:
    """Choose the command; return the model's part of it and the first whole run, or None without one.

    Evidence beats detection. A guessed command gives way to the model's if it cannot load all tests, and if
    the model's command shows everything that the guess shows, and more.

    Args:
        bench: afterwards it uses the chosen command.
        tree: untouched code, already in the work tree.

    Raises:
        ConfigurationError: neither command is usable; the message says why.
    """
    none, models = ModelCommand(tried=True), ModelCommand(proposed.strip(), tried=True)
    bench.put_on_trial(models)
    theirs = bench.commands(tree)
    bench.put_on_trial(none)
    ours = bench.commands(tree)
    settled = theirs.test == ours.test or theirs.suite == ours.suite
    if settled or not any(step.guessed for step in ours.test):
        taken = none if settled else models
        bench.put_on_trial(taken)
        return taken, await bench.suite(tree, tree) if has_suite else None
    first = await bench.suite(tree, tree) if has_suite else None
    if first is not None and _loads_everything(first):
        return none, first
    facts = bench.facts.of(tree)
    narrow = next((word for step in theirs.test if (word := narrows(step, facts))), "")
    if narrow and first is None:
        return none, None
    if narrow:
        raise ConfigurationError(
            f"{ours.suite_text} cannot load all tests ({bench.wording.plain(_said(first, facts))}), and the"
            f" proposed {proposed} may leave tests out: {narrow}.",
            hint="propose the command without it.",
        )
    bench.put_on_trial(models)
    await bench.put_up(tree)
    second = await bench.suite(tree, tree)
    if first is None and not second.faults:
        return models, None  # the canary was seen, and there is nothing to leave out
    if first is not None and shows_more(second, first, facts):
        return models, second
    bench.put_on_trial(none)
    if first is not None and why_none(first, facts):
        raise ConfigurationError(
            f"the project's own suite cannot be run on its untouched code, neither by {ours.suite_text},"
            f" which its files speak of: {_said(first, facts)}\nnor by {theirs.suite_text}:"
            f" {_said(second, facts)}",
            hint=MEND,
        )
    return none, first


def shows_more(models: RunResult, guess: RunResult, facts: Facts) -> bool:
    """Return whether the model's run shows everything that the guess shows, and more."""
    if models.faults or models.by_exit_code:
        return False
    seen = {case.file for case in models.cases}
    left_out = {case.file for case in guess.cases} - seen
    return set(guess.run.passed) < set(models.run.passed) and not any(
        holds_tests(file, facts.read_if_there(file)) for file in left_out
    )


def narrows(step: Step, facts: Facts) -> str:
    """Return the word of a command that may leave tests out; empty: none, or only a run can tell."""
    words = split(step.command)
    outside = next((word for word in words if _FROM_OUTSIDE.fullmatch(word)), "")
    named = [at for at, word in enumerate(words) if _is_runner(words, at)]
    if outside or not named:
        return outside
    where = places(step, facts) if step.runner.name == "pytest" else []
    for word in words[named[-1] + 1 :]:
        if not _HARMLESS.fullmatch(word) and word not in where:
            return word
    roots = [word.strip("/").removeprefix("./") for word in where]
    mine = [path for path in facts.test_files if facts.settings.is_test_file(path)]
    missed = [path for path in mine if not any(path == root or path.startswith(f"{root}/") for root in roots)]
    return " ".join(where) if where and missed else ""


def _is_runner(words: list[str], at: int) -> bool:
    if words[at] == "test" and at:
        return posixpath.basename(words[at - 1]) in {"go", "cargo"}
    return posixpath.basename(words[at]) in _RUNNERS


def _loads_everything(result: RunResult) -> bool:
    return bool(not result.faults and result.cases) and not any(map(is_unloaded, result.cases))


def _said(result: RunResult | None, facts: Facts) -> str:
    """Describe a run's outcome briefly."""
    if result is None:
        return ""
    broken = next((case for case in result.cases if is_unloaded(case)), None)
    return why_none(result, facts) or (f"{broken.id}: {broken.message}" if broken else "it shows no more")
