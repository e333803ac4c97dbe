"""The common part of the JavaScript and TypeScript runners: detection, the call, the canary."""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from autonomous_loop.verify.project.package_json import Package
from autonomous_loop.verify.project.runner_options import values_at
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.canary import Canary, new_word
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.javascript_reports import unloadable
from autonomous_loop.verify.runners.script import Call, calls_in, unquoted

# A file's imports tell which runner its tests are for; a file without these imports uses globals.
_IMPORTED = re.compile(
    rb"""(?:from|import|require\()\s*['"](vitest|@jest/globals|mocha|node:test|@playwright/test)['"]"""
)
_OWNERS = {
    b"vitest": "vitest",
    b"@jest/globals": "jest",
    b"mocha": "mocha",
    b"node:test": "node:test",
    b"@playwright/test": "playwright",
}
# Scripts that usually run a project's tests, the most usual first.
_SCRIPTS = ("test", "test:unit", "unit", "test:run", "test:ci", "test:e2e", "e2e", "test:integration")
PLAYWRIGHT_CONFIG = re.compile(r"playwright\.config\.[cm]?[jt]s")
_TEST_DIR = re.compile(r"""\btestDir\s*:\s*(?:path\.join\(__dirname,\s*)?['"]([^'"]+)['"]""")
# One call runs several configurations or several packages.
_PROJECTS = re.compile(r"\b(?:projects|workspace)\b")
_LOOKED_AT = 40


@dataclass(frozen=True)
class JavaScript(ABC):
    """The part of `Runner` that is the same for all JavaScript runners.

    Attributes:
        folder: the package's folder in the tree; this runner takes the test files below it.
        blinds: see `Runner`.
        command: used if no script of the package calls the runner.
        dependency: the npm package that provides it.
        report: the name of its report in the run's own folder.
        configuration: names of its configuration files.
        named: paths of test files that it finds if no file is named.
        valued: its options that take the next word.
        lists: its options that take every word up to the next option.
        dropped: options to remove from scripts, besides those that the loop sets itself.
    """

    folder: str = ""

    name: ClassVar[str]
    blinds: ClassVar[str]
    command: ClassVar[str]
    dependency: ClassVar[str] = ""
    report: ClassVar[str] = "report.json"
    configuration: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")
    named: ClassVar[re.Pattern[str]] = re.compile(r"(?:.*/)?[^/]*\.(?:test|spec)\.[cm]?[jt]sx?")
    valued: ClassVar[frozenset[str]] = frozenset()
    lists: ClassVar[frozenset[str]] = frozenset()
    dropped: ClassVar[re.Pattern[str]] = re.compile(r"--(?:watch|ui|coverage|open|debug|headed)|-w")

    # --- Which projects, which files

    def recognises(self, command: str, facts: Facts) -> bool:
        """See `Runner`."""
        return any(call.runner == self.name for call in calls_in(command, facts.packages))

    def detect(self, facts: Facts) -> Sequence[Step]:
        """See `Runner`: by the packages' scripts, then by their dependencies."""
        calls = {one.folder: call for one in facts.packages if (call := self._script(one, facts.packages))}
        steps: dict[str, Step] = {}
        for package in facts.packages:
            folder, call = package.folder, calls.get(package.folder)
            above = [one for one in steps if is_below(folder, one)]
            if call is not None:
                # A call above may already run this package's tests as a project of its own.
                if not any(_PROJECTS.search(self.settings(one, facts)) for one in above):
                    steps[folder] = self._step(folder, call.text)
            # A monorepo may declare one runner for all packages at its root, so the calling package decides.
            elif (
                not above and not any(is_below(one, folder) for one in calls) and self.is_used(package, facts)
            ):
                steps[folder] = self._step(folder, self.command, guessed=True)
        return list(steps.values())

    def is_used(self, package: Package, facts: Facts) -> bool:
        """Return whether a package uses the runner although none of its scripts says so."""
        return self.dependency in package.dependencies or bool(self.settings(package.folder, facts))

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`: by its name, and by its imports if several runners are in use."""
        if not self.named.fullmatch(path):
            return False
        if not self._rivals(facts):
            return True
        owner = _IMPORTED.search(facts.read(posixpath.join(self.folder, path)) or b"")
        return self.takes_unknown(path, facts) if owner is None else _OWNERS[owner[1]] == self.name

    def takes_unknown(self, path: str, facts: Facts) -> bool:
        """Return whether this runner takes a file that imports no runner, if there are several runners."""
        folder = browser_folder(self.folder, facts)
        return not (folder and is_below(path, folder))

    def settings(self, folder: str, facts: Facts) -> str:
        """Return the text of the runner's own configuration file; "" if there is none."""
        return settings_of(self.configuration, folder, facts)

    # --- The call

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        call = calls_in(step.command, facts.packages, step.folder)[-1]
        start = call.at + 1
        values = frozenset(at + start for at in values_at(call.words[start:], self.valued, self.lists))
        chosen = list(self._chosen(call, values, step, facts))
        where = [unquoted(call.words[at]) for at in chosen]
        canary = self._canary(files, where, step, facts)
        asked = [*files, canary.path] if files else [canary.path] if where else []
        ours, rest = self.arguments(asked, exact=bool(files), folders=folders)
        gone = {*(chosen if files else ()), *self._replaced(call, values, [*ours, *rest])}
        words = [word for at, word in enumerate(call.words) if at not in gone]
        if words[:2] == ["npx", "--no-install"]:
            words = words[2:]  # it is on the PATH, so npx would only cost time
        at = next(at for at, word in enumerate(words) if word == call.words[call.at]) + 1
        text = " ".join([*words[:at], *(shlex.quote(one) for one in ours), *words[at:]])
        return Invocation(
            command=f'{_on_path(folders, step)}; {" && ".join([*call.before, text])} "$@"',
            arguments=rest,
            environment={"NODE_NO_WARNINGS": "1", "NO_COLOR": "1", "npm_config_yes": "false"}
            | self.environment(folders),
            canaries=[canary],
            files=self.files(),
            reports=[f"{folders.run}/{self.report}"],
        )

    @abstractmethod
    def arguments(
        self, asked: Sequence[str], *, exact: bool, folders: Folders
    ) -> tuple[list[str], list[str]]:
        """Return the words right after the runner's name, and the words at the end.

        Args:
            asked: files; empty: whatever the command collects by itself.
            exact: run only these files.
            folders: the run's folders.
        """

    def environment(self, folders: Folders) -> dict[str, str]:
        """Return variables to add to the sandbox's environment."""
        del folders
        return {}

    def files(self) -> Mapping[str, bytes]:
        """Return files to write into the run's folder."""
        return {}

    @abstractmethod
    def canary_source(self, word: str, path: str, facts: Facts) -> str:
        """Return a test file whose only test must fail."""

    def canary_folder(self, facts: Facts) -> str:
        """Return the folder that collects a canary if there is no test beside which to place it."""
        del facts
        return ""

    @abstractmethod
    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""

    def died_importing(self, output: str) -> str:
        """See `Runner`: code compiled before the tests, or loaded by all of them, is broken."""
        return unloadable(output)

    # --- Details

    def _step(self, folder: str, command: str, *, guessed: bool = False) -> Step:
        return Step(type(self)(folder), command, folder, guessed)

    def _script(self, package: Package, packages: Sequence[Package]) -> Call | None:
        """Find how a script of the package calls this runner in its own folder."""
        others = sorted(name for name in package.scripts if "test" in name or "e2e" in name)
        for name in (*_SCRIPTS, *others):
            for call in calls_in(package.scripts.get(name, ""), packages, package.folder):
                if call.runner == self.name and call.folder == package.folder:
                    return call
        return None

    def _rivals(self, facts: Facts) -> bool:
        """Return whether the package may also have tests of other runners."""
        near = [
            one
            for one in facts.packages
            if is_below(self.folder, one.folder) or is_below(one.folder, self.folder)
        ]
        used = {
            name
            for one in near
            for name in ("vitest", "jest", "mocha", "@playwright/test")
            if name in one.dependencies
        }
        text = " ".join(script for one in near for script in one.scripts.values())
        return len(used) + ("--test" in text.split()) > 1

    def _replaced(self, call: Call, values: Collection[int], ours: Sequence[str]) -> Iterator[int]:
        """Yield positions of words to remove: options that are dropped or set by the loop, and their values.

        Most runners accept an option only once.
        """
        names = {_option(word) for word in ours if word.startswith("-")}
        going = False
        for at in range(call.at + 1, len(call.words)):
            word = call.words[at]
            if at not in values:
                going = word.startswith("-") and (
                    _option(word) in names or bool(self.dropped.fullmatch(_option(word)))
                )
            if going:
                yield at

    def _chosen(self, call: Call, values: Collection[int], step: Step, facts: Facts) -> Iterator[int]:
        """Yield positions of words that name files or folders of the project to run."""
        for at in range(call.at + 1, len(call.words)):
            word = unquoted(call.words[at]).removeprefix("./").rstrip("/")
            if word.startswith("-") or at in values:
                continue
            path = step.outer(word)
            if path in facts.every_path or "*" in word or facts.has_folder(path):
                yield at

    def _canary(self, files: Sequence[str], where: Sequence[str], step: Step, facts: Facts) -> Canary:
        """Place it beside the run's tests and name it like them, so that the same rules collect it."""
        word = new_word()
        inside = tuple(one.removeprefix("./").partition("*")[0] for one in where)
        known = (step.inner(one) for one in facts.test_files if is_below(one, step.folder))
        suite = (one for one in known if one.startswith(inside or "") and self.is_test_file(one, facts))
        beside = list(files) or list(itertools.islice(suite, _LOOKED_AT))
        made = Counter((posixpath.dirname(one), *_around(posixpath.basename(one))) for one in beside)
        default = (self.canary_folder(facts), "", ".test.js")
        (folder, front, tail), _ = made.most_common(1)[0] if made else (default, 1)
        path = posixpath.join(folder, f"{front}{word}{tail}")
        return Canary(word, path, self.canary_source(word, path, facts).encode())


def settings_of(configuration: re.Pattern[str], folder: str, facts: Facts) -> str:
    """Return the text of a folder's configuration file with such a name; "" if there is none."""
    found = (
        path
        for base, paths in facts.by_name.items()
        if configuration.fullmatch(base)
        for path in paths
        if posixpath.dirname(path) == folder
    )
    name = next(found, None)
    return (facts.read(name) or b"").decode("utf-8", "replace") or "{}" if name else ""


def browser_folder(folder: str, facts: Facts) -> str:
    """Return Playwright's `testDir` in a folder's configuration; "" if it sets none."""
    found = _TEST_DIR.search(settings_of(PLAYWRIGHT_CONFIG, folder, facts))
    return posixpath.normpath(found[1]).removeprefix(".") if found else ""


def is_below(path: str, folder: str) -> bool:
    """Return whether a path is a folder or is inside it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def is_module(path: str, folder: str, facts: Facts) -> bool:
    """Return whether Node treats a `.js` file as an ES module."""
    if re.search(r"\.[cm][jt]sx?$", path):
        return path.endswith(("mjs", "mts", "mjsx", "mtsx"))
    outer = posixpath.join(folder, path)
    above = [one for one in facts.packages if is_below(outer, one.folder)]
    return bool(above) and above[-1].is_module


def _option(word: str) -> str:
    """Return an option's bare name: `--coverage` for `--coverage.provider=v8` and for `--no-coverage`."""
    name = re.split(r"[=.]", word, maxsplit=1)[0]
    return f"--{name.removeprefix('--no-')}" if name.startswith("--no-") else name


def _around(name: str) -> tuple[str, str]:
    """Return the fixed text before and after the variable part of a test file's name."""
    if found := re.search(r"[._-](?:test|spec|e2e)\.[cm]?[jt]sx?$", name):
        return "", name[found.start() :]
    front = re.match(r"test[-_]", name)
    return front[0] if front else "", posixpath.splitext(name)[1]


def _on_path(folders: Folders, step: Step) -> str:
    """Put the binaries of the package and of those above it on the PATH, as npm does for a script."""
    above = [folders.work]
    for _ in [one for one in step.folder.split("/") if one]:
        above.append(posixpath.dirname(above[-1]))
    bins = ":".join(shlex.quote(f"{folder}/node_modules/.bin") for folder in above)
    return f'export PATH={bins}:"$PATH"'
