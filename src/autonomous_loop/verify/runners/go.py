"""`go test`: counted from its JSON, a canary in every package that is run."""

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
# A failure of the toolchain's own, as `faults.GO` reads it back.
BROKEN, MISSING = "[build failed]", "no required module provides package"
# Lines of the report: where a package cannot be built, its canary fails too, but nobody says so.
_PLANTED = "planted: "
_EVENTS, _BUILD = "go-events.json", "go-build.txt"
_NEVER = ("testdata", "vendor", "node_modules")
_CALL = re.compile(r"\bgo\s+test\b")
_FLAGS = "-json -count=1"  # no result from the test cache: it is the hands' to write
# The canary is among the first to run and fails.
_FAIL_FAST = re.compile(r"(?<!\S)--?failfast(?:=\S*)?(?!\S)")
# A package, unless an option before it takes the next word, or it follows `-args`.
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
# For people: what the compiler said, and what the tests printed.
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
# Named before every other file, so that its test runs first: a panic ends the tests of a package. One in the
# package itself: an external one's would run last.
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
        """See `Runner`: one step a module with tests; every module where nothing has tests yet."""
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
            # Not what `go env -w` left in the hands' home: `-exec` there would run anything as the tests.
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
        """See `Runner`: a package that cannot be built is a failing case of its files."""
        del output
        return ""


@dataclass(slots=True)
class _Package:
    """What was said of one package.

    Attributes:
        tests: in the order they started; each with its output.
        verdicts: by test: what the test binary itself printed at its end.
    """

    tests: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, set[str]] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)
    broken: bool = False
    failed: bool = False


class _Run:
    """What was said of all of them.

    Attributes:
        build: what the compiler said, in pieces.
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
        """What the build said of a package; of all where it names another (one it imports)."""
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
    """By what the test binary printed: Go invents an event for a test that has none at the end of a run."""
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
    """A failed build in one line; packages of this module that are not there are not third-party ones."""
    missing = {one or other for one, other in _MISSING.findall(text)}
    third = sorted(one for one in missing if one != module and not one.startswith(f"{module}/"))
    if third:
        return f"{BROKEN} " + "; ".join(f"{MISSING} {one}" for one in third)
    if missing:
        return f"{BROKEN} this module has no package {', '.join(sorted(missing))}"
    line = _ERROR_LINE.search(text)
    return f"{BROKEN} {line[0] if line else text.strip().partition(chr(10))[0]}"


def _command(command: str, *, replaced: bool) -> tuple[str, list[str]]:
    """The command with `"$@"` where the packages go, and its own packages."""
    command = _FAIL_FAST.sub("", command)
    call = _CALL.search(command)
    if call is None:  # a step is made of a command that was recognised
        raise ValueError(command)
    head, rest = command[: call.end()], command[call.end() :]
    patterns = [found["package"] for found in _WORDS.finditer(rest) if found["package"]]
    if patterns and not replaced:
        return f"{head} {_FLAGS}{rest}", patterns
    return f'{head} {_FLAGS} "$@"{_WORDS.sub(lambda found: found["kept"] or "", rest)}', patterns


def _of_suite(step: Step, facts: Facts, patterns: Sequence[str]) -> list[str]:
    """Folders of the packages a whole run reaches: those with tests, or else the first there is."""
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
    """The package clause of a folder."""
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
    """What `./...` leaves out."""
    *folders, name = path.split("/")
    return not name.startswith(("_", ".")) and not any(
        part in _NEVER or part.startswith(("_", ".")) for part in folders
    )


def _module(step: Step, facts: Facts) -> str:
    found = _MODULE.search(facts.read(step.outer("go.mod")) or b"")
    return found[1].decode() if found else "-"
