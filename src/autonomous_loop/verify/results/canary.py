"""The canary: a random test that must fail. If it does not, nothing else in the report can be trusted."""

from __future__ import annotations

import posixpath
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autonomous_loop.verify.project.places import holds, innermost
from autonomous_loop.verify.project.pytest_settings import PytestSettings
from autonomous_loop.verify.results.report import Case

# pytest collects a TestCase whatever python_classes and python_functions say.
_SOURCE = """import unittest


class Test{word}(unittest.TestCase):
    def test_{word}(self):
        self.fail("{word}")
"""

MOST = 8


@dataclass(frozen=True, slots=True)
class Canary:
    """The canary of one run.

    Attributes:
        word: random; part of its file's name, its test's name and its message.
        path: as the command sees it, beside real tests.
        source: the content of the test file.
    """

    word: str
    path: str
    source: bytes

    def is_mine(self, case: Case) -> bool:
        """Return whether a case of the report is the canary."""
        return self.word in case.id

    def sings(self, cases: Sequence[Case]) -> bool:
        """Return whether the canary was reported, and only as failing; the loop must see this."""
        mine = [case for case in cases if self.is_mine(case)]
        return bool(mine) and all(case.failing for case in mine)


def new_word() -> str:
    """Return a random word for a canary: a valid name in any language, and not recognisable as a canary."""
    return secrets.choice("abcdefghijklmnopqrstuvwxyz") + secrets.token_hex(6)


def place(
    files: Sequence[str], paths: Sequence[str], settings: PytestSettings, within: Sequence[str] = ()
) -> Canary:
    """Place a Python canary beside the tests of a run.

    Args:
        files: the requested test files; empty: the whole suite.
        paths: the tree's paths.
        within: where the suite's own command looks; empty: where the settings say.
    """
    word = new_word()
    beside = [path for path in files if path.endswith(".py")] or _of_suite(paths, settings, within)
    if not beside:
        return _python(word, f"test_{word}.py")
    folder, _ = Counter(posixpath.dirname(path) for path in beside).most_common(1)[0]
    names = [pattern for pattern in settings.python_files if re.fullmatch(r"[\w-]*\*[\w-]*\.py", pattern)]
    name = next((one for one in names if not files), "test_*.py").replace("*", word)
    return _python(word, posixpath.join(folder, name))


def place_beside(
    files: Sequence[str], paths: Sequence[str], settings: PytestSettings, within: Sequence[str] = ()
) -> list[Canary]:
    """Place a canary in each folder of the requested files, because a conftest governs only its own folder.

    Args:
        files: the requested test files; empty: the whole suite, which gets one canary where it surely looks.
    """
    folders: dict[str, list[str]] = {}
    for path in files:
        if path.endswith(".py"):
            folders.setdefault(posixpath.dirname(path), []).append(path)
    if len(folders) < 2:
        return [place(files, paths, settings, within)]
    chosen = sorted(folders) if len(folders) <= MOST else secrets.SystemRandom().sample(sorted(folders), MOST)
    return [place(folders[folder], paths, settings) for folder in chosen]


def _of_suite(paths: Sequence[str], settings: PytestSettings, within: Sequence[str]) -> list[str]:
    """Return the test files that a run without arguments is most likely to collect."""
    found = [path for path in paths if settings.is_test_file(path)]
    looked = innermost(within or settings.testpaths)
    inside = [path for path in found if any(holds(one, path) for one in looked)]
    return inside or found


def _python(word: str, path: str) -> Canary:
    return Canary(word, path, _SOURCE.format(word=word).encode())
