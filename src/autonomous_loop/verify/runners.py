"""Runs of a project's tests, counted from the report the runner writes, never from its exit code alone."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Reason, TestRun
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.errors import HandsError
from autonomous_loop.ports import Hands
from autonomous_loop.verify.canary import Canary, place
from autonomous_loop.verify.report import (
    REPORT_LIMIT,
    Case,
    Outcome,
    ReportError,
    count,
    missing_modules,
    read_report,
)
from autonomous_loop.verify.tree_facts import Facts, TreeFacts
from autonomous_loop.verify.wording import Wording, without_canary

PYTEST = "python -m pytest"
_IS_PYTEST = re.compile(r"(?:^|[\s/])(?:pytest|py\.test)(?:\s|$)")
_HOUSEKEEPING_S = 60.0
_OUTPUT = 400_000
_REPORT = "report.xml"
_OTHER_LANGUAGES = (
    ".js",
    ".mjs",
    ".cjs",
    ".ts",
    ".mts",
    ".tsx",
    ".jsx",
    ".go",
    ".rs",
    ".java",
    ".kt",
    ".rb",
    ".sh",
)
_LEFT = "left"
# One command for the whole run, since each start of a process as hands has its price. Before the tests: what
# earlier runs left goes, the canary comes from standard input, and the project's bytecode goes (none is
# written either): a stale .pyc is new code in place of old. (A cache folder of its own for each run would do
# as well, but then Python compiles its own library anew each time.) After the tests: the canary goes, and
# what still runs is noted, told by the environment, which names the run. Shutting down takes a browser or a
# worker a moment: one second of patience.
_MARK = "AUTONOMOUS_LOOP_TEST_RUN"
_WRAPPED = f"""
mark="{_MARK}=$1" folder=$2 canary=$3 command=$4; shift 4
rm -rf -- "${{folder%/*}}"/run-*
mkdir -p -- "$folder" && cat > "$canary"
find . \\( -name .git -o -name node_modules -o -name site-packages \\) -prune -o \\
  -type d -name __pycache__ -prune -exec rm -rf -- {{}} +
env "$mark" bash -c "$command" tests "$@"
code=$?
rm -f -- "$canary"
for turn in 1 2 3 4 5 6; do
  found=$(grep -lzxFs -- "$mark" /proc/[0-9]*/environ 2>/dev/null)
  [ -z "$found" ] && exit $code
  sleep 0.2
done
for one in $found; do tr '\\0' ' ' < "${{one%environ}}cmdline" 2>/dev/null; echo; done > "$folder/{_LEFT}"
exit $code
"""


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a project.

    Attributes:
        test: runs what is appended to it; "" where none is known.
        suite: the whole suite.
        from_model: the model proposed it; the project and its configuration say nothing.
    """

    test: str
    suite: str
    from_model: bool = False


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run and what can be believed of it.

    Attributes:
        run: as it is kept in the proof.
        cases: without the canary.
        faults: why it shows nothing: no end, no report, no canary, something left running.
        missing: modules that could not be imported, whether or not a report was written.
        by_exit_code: there was no report: each file passed or failed as the command did.
    """

    run: TestRun
    cases: tuple[Case, ...] = ()
    faults: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()
    by_exit_code: bool = False


class Runner(Protocol):
    """Runs tests in the work tree as it is."""

    async def run(self, files: Sequence[str], tree: TreeSha) -> RunResult:
        """Run the tests of these files; without any, the whole suite.

        Args:
            files: test files in the tree.
            tree: what the work tree holds, for the record.
        """
        ...


def find_commands(facts: Facts, config: LoopConfig, *, model_command: str = "") -> Commands:
    """Configuration first, then what the base shows, then what the model proposed.

    Args:
        facts: of the checkpoint: what the candidate adds decides nothing here.
        model_command: of `propose_features`.
    """
    test, from_model = config.test_command, False
    if not test:
        named = any(facts.settings.is_test_file(path) for path in facts.test_files)
        own = facts.settings.configured or named or any(path.endswith("conftest.py") for path in facts.paths)
        from_model = bool(model_command) and not own
        test = model_command if from_model else PYTEST
    return Commands(test, config.suite_command or test, from_model and not config.suite_command)


class CommandRunner:
    """pytest, and any command that writes JUnit XML where `AUTONOMOUS_LOOP_JUNIT` says.

    Implements `Runner`.

    Args:
        command: for a shell; the files and options are appended to it.
        timeout_s: for one run.
        by_exit_code: a runner without a report may count by its exit code.
    """

    def __init__(
        self, hands: Hands, facts: TreeFacts, command: str, *, timeout_s: float, by_exit_code: bool = False
    ) -> None:
        self._hands = hands
        self._facts = facts
        self._command = command
        self._timeout_s = timeout_s
        self._by_exit_code = by_exit_code
        self._wording = Wording(hands.work, hands.temporary)

    async def run(self, files: Sequence[str], tree: TreeSha) -> RunResult:
        """See `Runner`."""
        facts = self._facts.of(tree)
        paths = frozenset(facts.paths)
        words = _split(self._command)
        asked = [word for word in words if word.split("::")[0] in paths or _is_folder(word, paths)]
        canary = place(files, facts.paths, facts.settings, asked)
        # A command that is told where to look sees the canary only if it is told of it too.
        told = [*files, *asked]
        beside = [canary.path] if any(not one.endswith(_OTHER_LANGUAGES) for one in told) else []
        folder = f"{self._hands.temporary}/run-{secrets.token_hex(8)}"
        argv, env = self._arguments(folder, canary, [*files, *beside])
        try:
            done = await self._hands.run(
                argv, timeout_s=self._timeout_s, env=env, stdin=canary.source, max_output=_OUTPUT
            )
        finally:
            await self._hands.end_all()
        if done.exit_code is None:
            await self._hands.run(["rm", "-f", "--", canary.path], timeout_s=_HOUSEKEEPING_S)
        return await self._judge(done, folder, canary, files, tree)

    def _arguments(
        self, folder: str, canary: Canary, files: Sequence[str]
    ) -> tuple[Sequence[str], Mapping[str, str]]:
        report = f"{folder}/{_REPORT}"
        options = [
            f"--junitxml={report}",
            "-o", "junit_family=xunit1",
            "-p", "no:cacheprovider",
            "--continue-on-collection-errors",
            "--maxfail=0",
            "--tb=short",
            "--color=no",
            "--no-header",
        ]  # fmt: skip
        env = {
            "PYTHONDONTWRITEBYTECODE": "1",
            "AUTONOMOUS_LOOP_JUNIT": report,
        }
        direct = bool(_IS_PYTEST.search(self._command))
        if direct:
            options.append(f"--rootdir={self._hands.work}")
        else:
            env["PYTEST_ADDOPTS"] = shlex.join(options)
        extra = [*options, *files] if direct else list(files)
        own = [secrets.token_hex(16), folder, canary.path, f'{self._command} "$@"']
        return ["bash", "-c", _WRAPPED, "run", *own, *extra], env

    async def _judge(
        self, done: CommandResult, folder: str, canary: Canary, files: Sequence[str], tree: TreeSha
    ) -> RunResult:
        output = without_canary(done.text, canary.word)
        run = TestRun(
            command=shlex.join([*_split(self._command), *files]),
            tree=tree,
            exit_code=done.exit_code,
            duration_s=round(done.duration_s, 3),
            excerpt=self._wording.tail(output),
        )
        missing = missing_modules(output[-20_000:])
        if done.exit_code is None:
            text = f"The tests did not end within {self._timeout_s:g} s: {run.command}"
            return RunResult(run, faults=(Reason(code="timeout", text=text),), missing=missing)
        left = await self._left_behind(folder)
        try:
            cases = read_report(await self._hands.read_file(f"{folder}/{_REPORT}", max_bytes=REPORT_LIMIT))
        except (HandsError, ReportError) as error:
            return self._without_report(run, files, error, missing, left)
        faults = [] if canary.sings(cases) else [_no_canary(run)]
        if left:
            faults.append(_background(self._wording.plain(left)))
        cases = tuple(case for case in cases if not canary.is_mine(case))
        failing = [case for case in cases if case.failing]
        run = run.model_copy(
            update={
                "counts": count(cases),
                "passed": tuple(case.id for case in cases if case.outcome == "passed"),
                "failing": tuple(case.id for case in failing),
                "skipped": tuple(case.id for case in cases if case.outcome == "skipped"),
                "import_only": bool(failing) and all(case.import_fault for case in failing),
            }
        )
        named = tuple(dict.fromkeys(module for case in failing for module in case.missing_modules))
        return RunResult(run, cases, tuple(faults), named)

    def _without_report(
        self,
        run: TestRun,
        files: Sequence[str],
        error: HandsError | ReportError,
        missing: tuple[str, ...],
        left: str,
    ) -> RunResult:
        if left:
            return RunResult(run, faults=(_background(self._wording.plain(left)),), missing=missing)
        if self._by_exit_code and isinstance(error, HandsError) and not _IS_PYTEST.search(self._command):
            return _by_exit_code(run, files or ["the suite"])
        text = (
            f"{run.command} ended with exit code {run.exit_code} and left no test report that can be read"
            f" ({self._wording.plain(str(error))}). A run that ends before its tests are reported shows"
            f" nothing. The end of its output:\n{run.excerpt[-1_500:]}"
        )
        return RunResult(run, faults=(Reason(code="no-report", text=text),), missing=missing)

    async def _left_behind(self, folder: str) -> str:
        try:
            return (await self._hands.read_file(f"{folder}/{_LEFT}", max_bytes=100_000)).decode(
                "utf-8", "backslashreplace"
            )
        except HandsError:
            return ""  # not written: nothing was left


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _is_folder(word: str, paths: Collection[str]) -> bool:
    folder = word.strip("/").removeprefix("./")
    return bool(folder) and any(path.startswith(f"{folder}/") for path in paths)


def _by_exit_code(run: TestRun, files: Sequence[str]) -> RunResult:
    """Without a report a file is the smallest test, and no canary can be seen."""
    outcome: Outcome = "passed" if run.exit_code == 0 else "failed"
    cases = tuple(Case(file, file, outcome, f"exit code {run.exit_code}", run.excerpt) for file in files)
    ids = tuple(files)
    run = run.model_copy(update={"passed": ids} if outcome == "passed" else {"failing": ids})
    return RunResult(run, cases, by_exit_code=True)


def _no_canary(run: TestRun) -> Reason:
    return Reason(
        code="canary",
        text=(
            f"{run.command}: the loop put in a test that must fail, and the report does not show it failing."
            " Something decides outcomes, deselects tests, ends the run early or writes the report itself"
            " (a conftest hook, a plugin, an exit call, a -k or -m option). Remove it."
        ),
    )


def _background(commands: str) -> Reason:
    shown = ", ".join(sorted({line.strip() for line in commands.splitlines() if line.strip()}))[:500]
    return Reason(
        code="background",
        text=f"The tests left processes running: {shown}. End in the test whatever the test starts.",
    )
