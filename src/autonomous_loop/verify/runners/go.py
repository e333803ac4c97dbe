"""`go test`: reads its JSON output, with a canary in each package that runs."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.results.canary import Canary, new_word
from autonomous_loop.verify.results.report import Case, Outcome, ReportError
from autonomous_loop.verify.runners.base import Folders, Invocation, Step
from autonomous_loop.verify.runners.below import below, folders_with

COMMAND = "go test"
# Toolchain failures; `faults.GO` recognises these texts.
BROKEN, MISSING = "[build failed]", "no required module provides package"
# A line of the report: if a package does not build, its canary fails too, but go does not report it.
_PLANTED = "planted: "
_EVENTS, _BUILD = "go-events.json", "go-build.txt"
_NEVER = ("testdata", "vendor", "node_modules")
_CALL = re.compile(r"\bgo\s+test\b")
_FLAGS = "-json -count=1"  # never use the test cache, which the sandbox can write
# The canary is among the first tests and fails, so `-failfast` would end the run.
_FAIL_FAST = re.compile(r"(?<!\S)--?failfast(?:=\S*)?(?!\S)")
# A package, unless the option before it takes the next word, or it follows `-args`.
_WORDS = re.compile(
    r"""(?<!\S)(?:(?P<kept>--?args\s.*|--?(?:run|skip|bench|list|fuzz|tags|timeout|count|cpu|parallel|p|mod|modfile"""
    r"""|overlay|pkgdir|coverpkg|coverprofile|covermode|cpuprofile|memprofile|memprofilerate|blockprofile"""
    r"""|blockprofilerate|mutexprofile|mutexprofilefraction|outputdir|o|trace|exec|toolexec|vet|shuffle|benchtime"""
    r"""|fuzztime|fuzzminimizetime|fuzzcachedir|ldflags|gcflags|asmflags|gccgoflags|buildmode|compiler"""
    r"""|installsuffix|pgo)\s+(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s;&|<>])+)"""
    r"""|(?P<package>\.{1,2}(?:/[^\s;&|<>]*)?|[\w./-]+/\.\.\.)(?!\S))""",
    re.DOTALL,
)
_CLAUSE = re.compile(rb"^package\s+(\w+)", re.MULTILINE)
_NOT_BUILT = re.compile(rb"^//go:build\s+ignore\b", re.MULTILINE)
_FUNCTION = re.compile(rb"^func\s+((?:Test|Example|Fuzz|Benchmark)\w*)\s*\(", re.MULTILINE)
_MODULE = re.compile(rb'^module\s+"?([^\s"]+)', re.MULTILINE)
_BROKEN_LINE = re.compile(r"^FAIL\s+(\S+) \[(?:build|setup) failed\]")
_VERDICT = re.compile(r"--- (PASS|FAIL|SKIP): (\S+) \(")
_ERROR_LINE = re.compile(r"(?<!\S)\S+\.go:\d+(?::\d+)?: .+")
_MISSING = re.compile(
    r"(?:no required module provides package|cannot find module providing package|cannot find package"
    r'|missing go\.sum entry for module providing package|package(?= \S+ is not in )) "?([^\s;:"]+)'
    r'|(?<![^\s@:])([^\s@:]+)@v[\w.+-]+: (?:Get "|module lookup disabled|cannot find module)'
)
_OUTCOMES: Mapping[str, Outcome] = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}
# Output for people: the compiler's messages and the tests' output.
_RUN = r"""printf '%s\n' {said} >{events}
(
{command}
) >>{events} 2>{build}
code=$?
cat {build} >&2
sed -n '/^planted: /d; /^{{/!p; s/^{{.*"Output":"\(.*\)\\n"}}$/\1/; t said
b
: said
s/\\u003c/</g; s/\\u003e/>/g; s/\\u0026/\&/g; s/\\t/\t/g; s/\\"/"/g; s/\\\\/\\/g; p' {events} >&2
exit $code"""
# Its name sorts before every other file, so its test runs first: a panic ends the package's tests. It is in
# the package itself, because an external test package runs last.
_CANARY = """package {package}

import {word} "testing"

func Test_{word}(t *{word}.T) {{ t.Fatal("{word}") }}
"""


class Go:
    """Implements `Runner`."""

    name = "go test"
    blinds = "a -run, -skip or -short option, TestMain, os.Exit, an init function, a build tag"

    def recognises(self, command: str, facts: Facts) -> bool:
        """See `Runner`."""
        del facts
        return bool(_CALL.search(command))

    def detect(self, facts: Facts) -> Sequence[Step]:
        """See `Runner`: one step for each module with tests; all modules if there are no tests yet."""
        steps = [
            Step(self, COMMAND, folder, guessed=True)
            for folder in folders_with("go.mod", facts, never=_NEVER)
        ]
        tested = [step for step in steps if _test_files(step, facts)]
        return tested if tested or facts.test_files else steps

    def is_test_file(self, path: str, facts: Facts) -> bool:
        """See `Runner`."""
        del facts
        return path.endswith("_test.go")

    def invoke(self, step: Step, files: Sequence[str], facts: Facts, folders: Folders) -> Invocation:
        """See `Runner`."""
        asked = sorted({posixpath.dirname(file) for file in files})
        command, patterns = _command(step.command, replaced=bool(files))
        packages = asked or _of_suite(step, facts, patterns)
        canaries = [_canary(folder, step, facts) for folder in packages]
        said = shlex.join([f"{_PLANTED}{canary.path}" for canary in canaries])
        events, build = shlex.quote(f"{folders.run}/{_EVENTS}"), shlex.quote(f"{folders.run}/{_BUILD}")
        return Invocation(
            command=_RUN.format(said=said, command=command, events=events, build=build),
            arguments=[f"./{folder}" for folder in asked] if files else ["./..."],
            # Override what `go env -w` left in the sandbox's home: `-exec` there could run anything as the
            # tests.
            environment={"GOFLAGS": "-count=1"},
            canaries=canaries,
            reports=[f"{folders.run}/{_EVENTS}", f"{folders.run}/{_BUILD}"],
        )

    def read(self, reports: Mapping[str, bytes], facts: Facts, step: Step) -> Sequence[Case]:
        """See `Runner`."""
        run = _Run()
        for name, data in sorted(reports.items()):
            text = data.decode("utf-8", "replace")
            if posixpath.basename(name) == _BUILD:
                run.build.append(text)
            else:
                run.take(text)
        if not run.packages:
            said = "".join(run.build).strip().splitlines()
            raise ReportError(said[-1] if said else "go test said nothing")
        return [
            case for name, package in run.packages.items() for case in _cases(name, package, run, facts, step)
        ]

    def died_importing(self, output: str) -> str:
        """See `Runner`: a package that does not build is a failing case of its files."""
        del output
        return ""


@dataclass(slots=True)
class _Package:
    """The output about one package.

    Attributes:
        tests: in the order they started, each with its output.
        verdicts: by test: the verdict that the test binary itself printed at the end.
    """

    tests: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, set[str]] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)
    broken: bool = False
    failed: bool = False


class _Run:
    """The output about all packages.

    Attributes:
        build: the compiler's output, in pieces.
        planted: paths of the canaries.
    """

    def __init__(self) -> None:
        self.packages: dict[str, _Package] = {}
        self.build: list[str] = []
        self.planted: list[str] = []

    def take(self, text: str) -> None:
        for line in text.splitlines():
            event = _event(line)
            if line.startswith(_PLANTED):
                self.planted.append(line.removeprefix(_PLANTED))
            elif event is None:  # before Go 1.24 a failed build is no JSON
                self._broken(line)
            elif event.get("Action") == "build-output":
                self.build.append(str(event.get("Output", "")))
            elif event.get("Package"):
                self._event(event)

    def _event(self, event: Mapping[str, object]) -> None:
        package = self.packages.setdefault(str(event["Package"]), _Package())
        test, said = str(event.get("Test", "")), str(event.get("Output", ""))
        if test:
            package.tests.setdefault(test, []).append(said)
        elif said:
            package.output.append(said)
            self._broken(said)
        elif event.get("Action") == "fail":
            package.failed = True
        for verdict, name in _VERDICT.findall(said):
            package.verdicts.setdefault(name, set()).add(verdict)

    def _broken(self, line: str) -> None:
        if found := _BROKEN_LINE.match(line):
            self.packages.setdefault(found[1], _Package()).broken = True

    def errors(self, name: str) -> str:
        """Return the build output about a package; all of it if it names another (imported) package."""
        text = "".join(self.build)
        parts = re.split(r"^# (\S+).*\n", text, flags=re.MULTILINE)
        mine = [said for title, said in zip(parts[1::2], parts[2::2], strict=True) if title.startswith(name)]
        return "".join(mine) or text


def _event(line: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cases(name: str, package: _Package, run: _Run, facts: Facts, step: Step) -> Iterator[Case]:
    module = _module(step, facts)
    folder = name.removeprefix(module).strip("/") if name == module or name.startswith(f"{module}/") else name
    files = [path for path in _test_files(step, facts) if posixpath.dirname(path) == folder]
    files += [path for path in run.planted if posixpath.dirname(path) == folder]
    if package.broken:
        text = run.errors(name)
        message = _why(text, module)
        yield from (Case(file, file, "error", message, text) for file in files)
        return
    if package.failed and not package.tests:
        text = "".join(package.output)
        yield from (Case(file, file, "error", "the tests ended before the first one", text) for file in files)
        return
    homes = {
        function.decode(): file
        for file in files
        for function in _FUNCTION.findall(facts.read(step.outer(file)) or b"")
    }
    for test, said in package.tests.items():
        file = homes.get(test.partition("/")[0], "")
        outcome, message = _outcome(test, package, said)
        yield Case(f"{file or folder}::{test}", file, outcome, message, "".join(said))


def _outcome(test: str, package: _Package, said: Sequence[str]) -> tuple[Outcome, str]:
    """Judge by what the test binary printed: Go invents events for tests without one at the end of a run."""
    verdicts = package.verdicts.get(test, set())
    if not verdicts:
        return "error", "the process ended before this test did"
    verdict = next(one for one in ("FAIL", "SKIP", "PASS") if one in verdicts)
    parts = [one for one in package.tests if one.startswith(f"{test}/")]
    if verdict == "PASS" and parts and all(package.verdicts.get(one) == {"SKIP"} for one in parts):
        verdict = "SKIP"
    lines = [line.strip() for one in said for line in one.splitlines()]
    line = next((one for one in lines if one.startswith("panic:") or _ERROR_LINE.match(one)), "")
    return _OUTCOMES[verdict], line if verdict == "FAIL" else ""


def _why(text: str, module: str) -> str:
    """Summarise a failed build in one line; missing packages of this module are not third-party ones."""
    missing = {one or other for one, other in _MISSING.findall(text)}
    third = sorted(one for one in missing if one != module and not one.startswith(f"{module}/"))
    if third:
        return f"{BROKEN} " + "; ".join(f"{MISSING} {one}" for one in third)
    if missing:
        return f"{BROKEN} this module has no package {', '.join(sorted(missing))}"
    line = _ERROR_LINE.search(text)
    return f"{BROKEN} {line[0] if line else text.strip().partition(chr(10))[0]}"


def _command(command: str, *, replaced: bool) -> tuple[str, list[str]]:
    """Return the command with `"$@"` in place of its packages, and these packages."""
    command = _FAIL_FAST.sub("", command)
    call = _CALL.search(command)
    if call is None:  # steps are made only of recognised commands
        raise ValueError(command)
    head, rest = command[: call.end()], command[call.end() :]
    patterns = [found["package"] for found in _WORDS.finditer(rest) if found["package"]]
    if patterns and not replaced:
        return f"{head} {_FLAGS}{rest}", patterns
    return f'{head} {_FLAGS} "$@"{_WORDS.sub(lambda found: found["kept"] or "", rest)}', patterns


def _of_suite(step: Step, facts: Facts, patterns: Sequence[str]) -> list[str]:
    """Return folders of the packages in a whole run: those with tests, or else the first package."""
    tested = sorted({posixpath.dirname(path) for path in _test_files(step, facts)})
    reached = [folder for folder in tested if not patterns or any(_reaches(one, folder) for one in patterns)]
    if reached:
        return reached
    sources = [path for path in below(step, facts, marker="go.mod", suffix=".go") if _is_seen(path)]
    return [min((posixpath.dirname(path) for path in sources), default="")]


def _reaches(pattern: str, folder: str) -> bool:
    root, deep, _ = pattern.partition("...")
    root = posixpath.normpath(root).strip("/") if root.startswith(".") else ""
    root = "" if root == "." else root
    return folder == root or (bool(deep) and (not root or folder.startswith(f"{root}/")))


def _canary(folder: str, step: Step, facts: Facts) -> Canary:
    word = new_word()
    package = _package(folder, step, facts)
    source = _CANARY.format(package=package, word=word).encode()
    return Canary(word, posixpath.join(folder, f"0{word}_test.go"), source)


def _package(folder: str, step: Step, facts: Facts) -> str:
    """Return the package clause of a folder."""
    clauses: Counter[str] = Counter()
    for path in below(step, facts, marker="go.mod", suffix=".go"):
        source = facts.read(step.outer(path)) if posixpath.dirname(path) == folder else None
        clause = _CLAUSE.search(source or b"")
        if clause and not _NOT_BUILT.search(source or b""):
            name = clause[1].decode()
            clauses[name.removesuffix("_test") if path.endswith("_test.go") else name] += 1
    return clauses.most_common(1)[0][0] if clauses else "canary"


def _test_files(step: Step, facts: Facts) -> list[str]:
    return [path for path in below(step, facts, marker="go.mod", suffix="_test.go") if _is_seen(path)]


def _is_seen(path: str) -> bool:
    """Return whether `./...` includes a path."""
    *folders, name = path.split("/")
    return not name.startswith(("_", ".")) and not any(
        part in _NEVER or part.startswith(("_", ".")) for part in folders
    )


def _module(step: Step, facts: Facts) -> str:
    found = _MODULE.search(facts.read(step.outer("go.mod")) or b"")
    return found[1].decode() if found else "-"
