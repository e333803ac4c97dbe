"""Parses the output of cargo and of test binaries into test cases.

The stable test harness has no machine-readable format. It prints one line per test and one line with counts
at the end of each binary. A binary fails if its lines and counts disagree, or if it ends without counts.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autonomous_loop.verify.results.report import Case, Outcome

# Lines that the loop's command prints: its folder, the canary, and the next target.
WHERE, PLANTED, ASKED = "loop-where:", "loop-planted:", "loop-asked:"
# `faults.RUST` recognises this text.
BROKEN = "[build failed]"
# No test has such a long name.
MOST_OF_LINE = 10_000
_RUNNING = re.compile(r"^\s+Running (?:.*\()?([^()\s]+)\)?$")
_DOC_TESTS = re.compile(r"^\s+Doc-tests (\S+)$")
_BEGIN = re.compile(r"^running \d+ tests?$")
_TEST = re.compile(r"test (\S.*?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, .*)?$")
_RESULT = re.compile(r"\btest result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
_TITLE = re.compile(r"^---- (.+?) stdout ----$")
_DOC = re.compile(r"(\S+) - (?:(.+?) )?\(line (\d+)\)")
_COMPILE = re.compile(r"^error(?:\[E\d+\])?: .+", re.MULTILINE)
_MISSING = re.compile(
    r"unresolved import `([\w]+)`|undeclared crate or module `(\w+)`|unlinked crate `(\w+)`"
    r"|can't find crate for `(\w+)`|no matching package named `([\w-]+)`"
)
_OUTCOMES: Mapping[str, Outcome] = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}


@dataclass(slots=True)
class _Binary:
    """One test binary, or the documentation examples of a crate.

    Attributes:
        source: the absolute path of its root file.
        outcomes: by the printed test name.
        texts: output of failing tests.
        counts: passed, failed and ignored by its own count; None until it prints them.
    """

    source: str
    integration: bool = False
    documentation: bool = False
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    counts: list[int] | None = None
    begun: bool = False

    @property
    def fault(self) -> str:
        """Why nothing of it can be trusted; or ""."""
        if self.counts is None or self.begun:
            return "it ended before its tests were counted"
        outcomes = list(self.outcomes.values())
        seen = [outcomes.count(one) for one in _OUTCOMES.values()]
        return "" if seen == self.counts else f"it printed {seen} and counted {self.counts} tests"


@dataclass(slots=True)
class _Build:
    """One call of cargo."""

    asked: tuple[str, ...]
    errors: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    binaries: list[_Binary] = field(default_factory=list)


class CargoOutput:
    """Reads the report of `cargo.py`'s commands.

    Args:
        paths: the tree's source files, as the command sees them.
        own: names of the tree's crates; if one of them is not found, it is not a third party's.
    """

    def __init__(self, paths: frozenset[str], own: frozenset[str]) -> None:
        self.said = ""
        self._paths = paths
        self._own = own
        self._where = ""
        self._planted: list[str] = []
        self._sources: dict[str, tuple[str, bool]] = {}
        self._crates: dict[str, str] = {}

    def cases(self, text: str) -> list[Case]:
        """Return the cases in the order of the runs, each id once (a failing one wins)."""
        found: dict[str, Case] = {}
        for build in self._builds(text):
            self.said = self.said or next(iter(build.said), "")
            for case in [
                *self._broken(build),
                *(one for binary in build.binaries for one in self._of(binary)),
            ]:
                known = found.get(case.id)
                if known is None or (case.failing and not known.failing):
                    found[case.id] = case
        return list(found.values())

    def _builds(self, text: str) -> list[_Build]:
        builds = [_Build(())]
        binary: _Binary | None = None
        title = ""
        for line in text.splitlines():
            build = builds[-1]
            if found := self._starts(line):
                binary = found
                build.binaries.append(binary)
            elif line.startswith(ASKED):
                builds.append(_Build(tuple(line.removeprefix(ASKED).split("\t"))))
                binary = None
            elif binary and binary.begun:
                title = _listen(binary, line, title)
            elif binary and _BEGIN.match(line):
                binary.begun, title = True, ""
            elif line.startswith(WHERE):
                self._where = line.removeprefix(WHERE)
            elif line.startswith(PLANTED):
                self._planted.append(line.removeprefix(PLANTED))
            elif line.startswith('{"reason":'):
                self._message(line, build)
            elif line.startswith("error"):
                build.said.append(line)
        return builds

    def _starts(self, line: str) -> _Binary | None:
        """Return the binary that a line announces, if cargo built it."""
        if found := _RUNNING.match(line):
            source, integration = self._sources.get(posixpath.basename(found[1]), ("", False))
            return _Binary(source, integration) if source else None
        if found := _DOC_TESTS.match(line):
            source = self._crates.get(found[1].replace("-", "_"), "")
            return _Binary(source, documentation=True) if source else None
        return None

    def _message(self, line: str, build: _Build) -> None:
        try:
            message = json.loads(line)
            target = message.get("target") or {}
            source = str(target.get("src_path", ""))
            if message["reason"] == "compiler-artifact":
                if message.get("executable"):
                    name = posixpath.basename(str(message["executable"]))
                    self._sources[name] = (source, target.get("kind") == ["test"])
                if target.get("doctest"):
                    self._crates[str(target.get("name", "")).replace("-", "_")] = source
            elif message["reason"] == "compiler-message" and message["message"]["level"] == "error":
                build.errors.append((source, str(message["message"]["rendered"])))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return  # a line from somewhere else

    def _broken(self, build: _Build) -> Iterator[Case]:
        """Yield cases for code that did not compile, and for tests that cargo therefore did not run."""
        every = "".join(text for _, text in build.errors) or "".join(build.said if build.asked else ())
        if build.binaries or not every:
            return
        asked = build.asked or (*self._planted, *sorted(path for path in self._paths if _may_hold(path)))
        own = {self._inner(source) for source, _ in build.errors}
        for path in asked:
            mine = "".join(text for source, text in build.errors if self._inner(source) == path)
            about = mine or every
            if not mine and not build.asked and all(one in asked and _is_integration(one) for one in own):
                yield Case(
                    path, path, "error", f"not run: {', '.join(sorted(own))} cannot be compiled", every
                )
            else:
                yield Case(path, path, "error", self._why(about), about)

    def _why(self, text: str) -> str:
        names = {name for found in _MISSING.findall(text) for name in found if name}
        stems = {part.removesuffix(".rs") for path in self._paths for part in path.split("/")}
        third = sorted(names - self._own - stems - {"crate", "self", "super"})
        if third:
            return f"{BROKEN} " + "; ".join(f"missing crate `{name}`" for name in third)
        line = _COMPILE.search(text)
        return f"{BROKEN} {line[0] if line else text.strip().partition(chr(10))[0]}"

    def _of(self, binary: _Binary) -> Iterator[Case]:
        root = self._inner(binary.source)
        names: dict[str, tuple[str, str]] = (
            self._of_documentation(binary, root)
            if binary.documentation
            else {name: self._place(name, root, integration=binary.integration) for name in binary.outcomes}
        )
        if binary.fault:
            files = {root, *(file for file, _ in names.values())}
            text = "".join(line for lines in binary.texts.values() for line in lines)
            yield from (Case(file, file, "error", binary.fault, text) for file in sorted(files))
        for name, outcome in binary.outcomes.items():
            file, inner = names[name]
            text = "".join(binary.texts.get(name, ()))
            yield Case(f"{file}::{inner}", file, outcome, self._failure(text, outcome), text)

    def _failure(self, text: str, outcome: Outcome) -> str:
        if outcome != "failed":
            return ""
        if "Couldn't compile the test" in text:
            return self._why(text)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        at = next((at for at, line in enumerate(lines) if " panicked at " in line), None)
        return "failed" if at is None else " ".join(lines[at : at + 2])

    def _inner(self, source: str) -> str:
        return source.removeprefix(f"{self._where.rstrip('/')}/")

    def _place(self, name: str, root: str, *, integration: bool) -> tuple[str, str]:
        """Return the file and inner name of a test, by the module that holds it."""
        parts = name.split("::")
        base = posixpath.dirname(root)
        for most in range(0 if integration else len(parts) - 1, 0, -1):
            stem = posixpath.join(base, *parts[:most])
            for path in (f"{stem}.rs", f"{stem}/mod.rs"):
                if path in self._paths:
                    return path, "::".join(parts[most:])
        return root, name

    def _of_documentation(self, binary: _Binary, root: str) -> dict[str, tuple[str, str]]:
        """Name examples by the documented item, because their lines move with every change above them."""
        crate = posixpath.dirname(posixpath.dirname(root))
        found = [(match, name) for name in binary.outcomes if (match := _DOC.match(name))]
        names = {name: (root, name) for name in binary.outcomes}
        seen: dict[tuple[str, str], int] = {}
        for match, name in sorted(found, key=lambda one: (one[0][1], int(one[0][3]))):
            path = posixpath.join(crate, match[1])
            file = path if path in self._paths else match[1] if match[1] in self._paths else root
            item = match[2] or ""
            seen[file, item] = number = seen.get((file, item), 0) + 1
            names[name] = (file, f"{item} (example{f' {number}' if number > 1 else ''})".strip())
        return names


def _listen(binary: _Binary, line: str, title: str) -> str:
    """Take a line of a running binary; return the test that the next lines belong to."""
    if found := _RESULT.search(line):
        counts = [int(number) for number in found.groups()]
        binary.counts = [a + b for a, b in zip(binary.counts or [0, 0, 0], counts, strict=True)]
        binary.begun = False
        return ""
    if found := _TITLE.match(line):
        return found[1]
    if title:
        binary.texts.setdefault(title, []).append(f"{line}\n")
        return "" if line == "failures:" else title
    if len(line) <= MOST_OF_LINE and (found := _TEST.search(line)):
        binary.outcomes[found[1]] = _OUTCOMES[found[2]]
    return title


def _is_integration(path: str) -> bool:
    return posixpath.basename(posixpath.dirname(path)) == "tests"


def _may_hold(path: str) -> bool:
    return _is_integration(path) or "src" in path.split("/")[:-1]
