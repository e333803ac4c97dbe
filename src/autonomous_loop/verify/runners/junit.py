"""Any command that writes JUnit XML where the configuration says: Maven, Gradle, CTest and others.

The whole command runs unless it marks a place for tests. `{tests}` stands for the test files, separated by
spaces; `{classes}` for the names of Java classes, separated by commas (`mvn test -Dtest={classes}`). A word
with one of them is dropped if the whole suite runs. Nothing else is appended.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.canary import Canary, new_word
from autonomous_loop.verify.results.report import Case, ReportError, once, read_report
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.below import below
from autonomous_loop.verify.runners.pytest import canary_of

JUNIT = "AUTONOMOUS_LOOP_JUNIT"
_HOLDERS = re.compile(r"\{(?:tests|classes)\}")
_JVM = (".java", ".kt", ".kts", ".groovy", ".scala")
_ARGUMENTS = re.compile(r"\([^()]*\)|\{[^{}]*\}")
_PACKAGE = re.compile(rb"^[ \t]*package\s+([\w.]+)\s*;", re.MULTILINE)
# Messages of surefire, Gradle and compilers of the JVM.
_NOT_COMPILED = re.compile(r"^.*(?:error: |\.(?:java|kt):\[\d+,\d+\] |e: \S*).*$", re.MULTILINE)
_COMPILATION = re.compile(
    r"COMPILATION ERROR|Compilation (?:error|failure|failed)|compileTest\w*' *FAILED|\.java:\d+: error: "
)
_FRAMEWORKS = (
    (b"org.junit.jupiter", "@org.junit.jupiter.api.Test"),
    (b"org.testng", "@org.testng.annotations.Test"),
    (b"org.junit", "@org.junit.Test"),
)
_CLASS = """{package}public class {name} {{
    {annotation}
    public void canary() {{
        throw new AssertionError("{word}");
    }}
}}
"""


class Foreign:
    """The common part of commands that are known only by their JUnit XML."""

    __slots__ = ()

    def recognises(self, command: str, facts: Facts) -> bool:
        """See `Runner`."""
        del facts
        return bool(command.strip())

    def detect(self, facts: Facts) -> Sequence[Step]:
        """See `Runner`: such a command is never guessed."""
        del facts
        return []

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`."""
        return path in facts.test_files

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        return placed_cases(reports, facts, step)


@dataclass(frozen=True, slots=True)
class JUnit(Foreign):
    """Implements `Runner`.

    Attributes:
        patterns: patterns of the reports, as in `junit-reports`.
    """

    patterns: tuple[str, ...]
    name: str = "JUnit"
    blinds: str = (
        "a listener, an exit call, an option or a setting that chooses tests (groups, tags, a filter)"
    )

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        canaries = foreign_canaries(step, files, facts, first=".java")
        asked = [*files, *(canary.path for canary in canaries)] if files else []
        return Invocation(
            command=_told(step.command, asked),
            arguments=[],
            environment={JUNIT: f"{folders.run}/report.xml"},
            canaries=canaries,
            reports=[f"{folders.run}/report.xml", *self.patterns],
        )

    def died_importing(self, output: str) -> str:
        """See `Runner`: a JVM compiler refused the tests together with everything else."""
        if not _COMPILATION.search(output):
            return ""
        found = _NOT_COMPILED.search(output)
        return f"COMPILATION ERROR {found[0].strip() if found else ''}".strip()


def foreign_canaries(step: Step, files: Sequence[str], facts: Facts, *, first: str) -> list[Canary]:
    """Return a canary in the tests' language; none if the loop cannot write a test in that language.

    Args:
        first: the language to use if the tests have several.
    """
    asked = files or [step.inner(path) for path in facts.test_files]
    kinds = {posixpath.splitext(path)[1] for path in asked}
    if ".py" in kinds and (first == ".py" or ".java" not in kinds):
        return [canary_of(step, files, facts)]
    return _java([path for path in asked if path.endswith(".java")], facts, step)


def placed_cases(reports: Mapping[str, bytes], facts: Facts, step: Step) -> list[Case]:
    """Return the cases of JUnit files, each with its file in the tree if its name shows it.

    Raises:
        ReportError: a file is not JUnit XML, or there is no file.
    """
    if not reports:
        raise ReportError("there is no test report")
    paths = below(step, facts, marker="", suffix="")
    there = frozenset(paths)
    read = (case for name in sorted(reports) for case in read_report(reports[name]))
    return list(once(case if case.file in there else _placed(case, paths) for case in read))


def _placed(case: Case, paths: Sequence[str]) -> Case:
    first, _, inner = case.id.partition("::")
    if case.file:
        path = _ending(case.file.removeprefix("./"), paths)
        return replace(case, file=path, id=f"{path}{case.id.removeprefix(case.file)}") if path else case
    # Java's names: `com.x.FooTest$Inner`, and `adds(int)[1]` or `adds{int}[1]` for a test with parameters.
    top, *nested = first.split("$")
    stem = top.replace(".", "/")
    path = next((one for kind in _JVM if (one := _ending(f"{stem}{kind}", paths))), "")
    if not path or not inner:
        return case
    return replace(case, file=path, id="::".join([path, *nested, _ARGUMENTS.sub("", inner, count=1)]))


def _ending(wanted: str, paths: Iterable[str]) -> str:
    """Find a path by its end, tests first; for an absolute path, try its longest end."""
    if wanted.startswith("/"):
        return max((one for one in paths if wanted.endswith(f"/{one}")), key=len, default="")
    found = [one for one in paths if one == wanted or one.endswith(f"/{wanted}")]
    return min(
        found, key=lambda one: (one != wanted, "test" not in posixpath.dirname(one).lower()), default=""
    )


def _told(command: str, files: Sequence[str]) -> str:
    if not files:
        return re.sub(r"(?<!\S)[^\s]*\{(?:tests|classes)\}[^\s]*", "", command)
    names = ",".join(_class_of(path) for path in files)
    said = {"{tests}": shlex.join(files), "{classes}": shlex.quote(names)}
    return _HOLDERS.sub(lambda found: said[found[0]], command)


def _class_of(path: str) -> str:
    """Return a file's class: the path after the source root, or else its bare name."""
    stem = posixpath.splitext(path)[0]
    parts = re.split(r"(?:^|/)src/\w+/(?:java|kotlin|groovy|scala)/", stem, maxsplit=1)
    return parts[1].replace("/", ".") if len(parts) > 1 else posixpath.basename(stem)


def _java(files: Sequence[str], facts: Facts, step: Step) -> list[Canary]:
    for path in files:
        source = facts.read(step.outer(path)) or b""
        annotation = next((said for mark, said in _FRAMEWORKS if mark in source), "")
        if annotation:
            word = new_word()
            name = f"{word.capitalize()}Test"
            package = _PACKAGE.search(source)
            text = _CLASS.format(
                package=f"package {package[1].decode()};\n\n" if package else "",
                name=name,
                annotation=annotation,
                word=word,
            )
            return [Canary(name, posixpath.join(posixpath.dirname(path), f"{name}.java"), text.encode())]
    return []
