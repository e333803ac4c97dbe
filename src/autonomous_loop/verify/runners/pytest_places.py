"""Finds where a pytest command looks for tests: the files, folders and patterns it names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from itertools import groupby

from autonomous_loop.verify.project.places import holds
from autonomous_loop.verify.project.shell_words import split
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.runners.base import Step

_PYTEST = frozenset({"pytest", "py.test"})
_ENDS = frozenset({"&&", "||", ";", "|", "&"})
_PYARGS = "--pyargs"
_PATTERN = re.compile(r"[*?\[]")
# Options of pytest and its usual plugins that take the next word, which is then not a place to look in.
_VALUED = frozenset({
    "-c", "--config-file", "--rootdir", "--confcutdir", "--basetemp", "--ignore", "--ignore-glob",
    "--deselect", "-p", "-o", "--override-ini", "-k", "-m", "-n", "--numprocesses", "--dist", "--junitxml",
    "--junit-xml", "--junit-prefix", "--log-file", "--import-mode", "-W", "--pythonwarnings", "--cov",
    "--cov-config", "--cov-report", "--html", "--ds", "--dc", "--durations", "--maxfail", "--tb", "-r",
    "--timeout", "--color",
})  # fmt: skip


def places(step: Step, facts: Facts) -> list[str]:
    """Return the places that a command names, as it sees them; if empty, the settings decide.

    These are pytest's arguments. If a command calls pytest indirectly, any of its words counts, except the
    scripts among them.
    """
    words = _arguments(split(step.command))
    scripts = frozenset() if words is not None else facts.every_path - frozenset(facts.test_files)
    words = split(step.command)[1:] if words is None else words
    found = [
        _place(word, step, facts) or (_module(word, step, facts) if _PYARGS in words else "")
        for before, word in zip(["", *words], words, strict=False)
        if before not in _VALUED and not word.startswith("-")
    ]
    return [one for one in found if one and step.outer(one) not in scripts]


def _arguments(words: Sequence[str]) -> list[str] | None:
    """Return the words after pytest in the last command that calls it by name; None: no command does."""
    found = None
    for is_end, group in groupby(words, key=_ENDS.__contains__):
        command = [] if is_end else list(group)
        at = next((at for at, word in enumerate(command) if posixpath.basename(word) in _PYTEST), None)
        found = found if at is None else command[at + 1 :]
    return found


def _place(word: str, step: Step, facts: Facts) -> str:
    """Return the project's file, folder or pattern that a word names; "" if it names none."""
    path = word.partition("::")[0]
    if not path or path.startswith(("/", "~", "$")):
        return ""
    inner = posixpath.normpath(path)
    outer = posixpath.normpath(posixpath.join(step.folder, inner))
    if inner == "." or outer in facts.every_path or facts.has_folder(outer):
        return inner
    return inner if _PATTERN.search(path) and any(holds(outer, one) for one in facts.paths) else ""


def _module(word: str, step: Step, facts: Facts) -> str:
    """Return the file or folder of a dotted name; "" if it is not in the project."""
    path = word.partition("::")[0].replace(".", "/")
    tried = (_place(f"{root}{path}{end}", step, facts) for root in ("", "src/") for end in ("", ".py"))
    return next(filter(None, tried), "")
