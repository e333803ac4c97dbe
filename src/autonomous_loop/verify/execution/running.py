"""Runs tests once in the sandbox; counts come from the runner's report, never from its exit code."""

from __future__ import annotations

import base64
import json
import posixpath
import re
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Reason, TestRun
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.verify.execution import run_wrapper
from autonomous_loop.verify.execution.closed_paths import closed_to_hands
from autonomous_loop.verify.execution.empty_runs import expected, nothing_ran
from autonomous_loop.verify.project.tree_facts import Facts, TreeFacts
from autonomous_loop.verify.results.faults import missing_modules
from autonomous_loop.verify.results.report import REPORT_LIMIT, Case, Outcome, ReportError, count
from autonomous_loop.verify.results.wording import Wording, without_canary
from autonomous_loop.verify.runners.base import Folders, Invocation, Step

_HOUSEKEEPING_S = 60.0
_MARK = "AUTONOMOUS_LOOP_TEST_RUN"
_MEND = "Mend what its output names; what is missing here, the project's setup must install."
# Advice for a missing report, by runner; for all others see `_MEND`.
_REPORTED = {
    "command": (
        "The loop does not know this runner. Where it writes JUnit XML to files of its own, let junit-reports"
        " name them (target/surefire-reports/*.xml); else let it write to the file that AUTONOMOUS_LOOP_JUNIT"
        " names; where it can do neither, accept-exit-code counts by its exit code."
    ),
    "JUnit": "No file that junit-reports names was written by it, or what was is not JUnit XML.",
}
_AROUND = Path(run_wrapper.__file__).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run and what can be trusted of it.

    Attributes:
        run: the run as the proof keeps it.
        cases: all cases but the canary.
        faults: why the run shows nothing: no end, no report, no canary, a process left running.
        missing: modules that could not be imported, whether or not there is a report.
        by_exit_code: there was no report, so each file passed or failed as the command did.
        no_canary: this runner cannot have one.
        died_importing: the error, if the run ended because shared test code cannot be loaded.
    """

    run: TestRun
    cases: tuple[Case, ...] = ()
    faults: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()
    by_exit_code: bool = False
    no_canary: bool = False
    died_importing: str = ""


class TestRunning:
    """Runs one step's tests in the work tree as it is.

    Args:
        timeout_s: the limit for one run.
        by_exit_code: whether a runner without a report may count by its exit code.
    """

    __test__ = False

    def __init__(self, sandbox: Sandbox, facts: TreeFacts, *, timeout_s: float, by_exit_code: bool) -> None:
        self._sandbox = sandbox
        self._facts = facts
        self._timeout_s = timeout_s
        self._by_exit_code = by_exit_code
        self._wording = Wording(sandbox.work, sandbox.temporary)

    async def run(self, step: Step, files: Sequence[str], tree: TreeSha) -> RunResult:
        """Run the tests of these files, or the step's whole suite if there are none.

        Args:
            files: test files in the tree.
            tree: the tree in the work tree, for the record.
        """
        work = posixpath.join(self._sandbox.work, step.folder)
        folder = f"{self._sandbox.temporary}/run-{secrets.token_hex(8)}"
        folders = Folders(work=work.rstrip("/"), run=folder, temporary=self._sandbox.temporary)
        inner = [step.inner(file) for file in files]
        invocation = step.runner.invoke(step, inner, self._facts.of(tree), folders)
        result = await self._result(invocation, folders, step, files, tree)
        if result.by_exit_code and result.run.failing and invocation.canaries:
            # Without a report nobody knows whether only the canary failed.
            result = await self._result(_without_canaries(invocation), folders, step, files, tree)
        return result

    async def _result(
        self, invocation: Invocation, folders: Folders, step: Step, files: Sequence[str], tree: TreeSha
    ) -> RunResult:
        work = folders.work
        try:
            done = await self._sandbox.run(
                _wrapped(invocation, folders),
                program=_AROUND,
                timeout_s=self._timeout_s,
                cwd=work,
                env=invocation.environment,
                stdin=_around(invocation, folders, self._sandbox.work, self._facts.of(tree)),
                max_output=REPORT_LIMIT,
                merge_stderr=False,
            )
            failed = ""
        except SandboxCallError as error:
            done, failed = CommandResult(exit_code=-1, stdout=b"", stderr=b"", duration_s=0.0), error.message
        finally:
            await self._sandbox.end_all()
        if done.exit_code is None and invocation.canaries:
            planted = [canary.path for canary in invocation.canaries]
            await self._sandbox.run(["rm", "-f", "--", *planted], timeout_s=_HOUSEKEEPING_S, cwd=work)
        return self._judge(done, step, invocation, files, tree, failed)

    def _judge(
        self,
        done: CommandResult,
        step: Step,
        invocation: Invocation,
        files: Sequence[str],
        tree: TreeSha,
        failed: str,
    ) -> RunResult:
        output = done.stderr.decode("utf-8", "replace")
        for canary in invocation.canaries:
            output = without_canary(output, canary.word)
        inner = [step.inner(file) for file in files]
        # The shell interprets the command, so its quotes and variables stay unchanged.
        said = f"{step.command} {shlex.join(inner)}".strip()
        run = TestRun(
            command=f"cd {shlex.quote(step.folder)} && {said}" if step.folder else said,
            tree=tree,
            exit_code=done.exit_code,
            duration_s=round(done.duration_s, 3),
            excerpt=self._wording.tail(output),
        )
        missing = missing_modules(next(iter(inner), ""), output[-20_000:])
        if done.exit_code is None:
            text = f"The tests did not end within {self._timeout_s:g} s: {run.command}"
            return RunResult(run, faults=(Reason(code="timeout", text=text),), missing=missing)
        reports, left = _carried(done.stdout)
        faults = [_background(self._wording.plain(left))] if left else []
        try:
            if not reports:
                raise ReportError(failed or "no report was written")  # noqa: TRY301 - one way out for both
            cases = tuple(step.runner.read(reports, self._facts.of(tree), step))
        except ReportError as error:
            if not faults and not reports and not failed and self._counts_by_exit_code(step):
                return _by_exit_code(run, files or ["the suite"])
            faults = faults or [_no_report(run, self._wording.plain(str(error)), step.runner.name)]
            died = step.runner.died_importing(run.excerpt)
            return RunResult(run, faults=tuple(faults), missing=missing, died_importing=died)
        if not all(canary.sings(cases) for canary in invocation.canaries):
            faults.insert(0, _no_canary(run, step.runner.blinds))
        mine = [case for case in cases if any(canary.is_mine(case) for canary in invocation.canaries)]
        cases = tuple(_outer(case, step) for case in cases if case not in mine)
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
        if not (files or cases or faults) and (idle := expected(step, self._facts.of(tree))):
            faults.append(nothing_ran(run, idle))
        named = tuple(dict.fromkeys(module for case in failing for module in case.missing_modules))
        return RunResult(run, cases, tuple(faults), named, no_canary=not invocation.canaries)

    def _counts_by_exit_code(self, step: Step) -> bool:
        """Allow it only for an unknown command; a runner that can write a report must do so."""
        return self._by_exit_code and step.runner.name == "command"


def together(results: Sequence[RunResult]) -> RunResult:
    """Combine the runs of several steps into one."""
    if len(results) == 1:
        return results[0]
    runs = [result.run for result in results]
    codes = [run.exit_code for run in runs]
    counts = [run.counts for run in runs]
    every = [case for result in results for case in result.cases]
    run = TestRun(
        command=" && ".join(run.command for run in runs),
        tree=runs[0].tree,
        exit_code=None if None in codes else next((code for code in codes if code), 0),
        counts=None if None in counts else count(every),
        passed=tuple(one for run in runs for one in run.passed),
        failing=tuple(one for run in runs for one in run.failing),
        skipped=tuple(one for run in runs for one in run.skipped),
        import_only=any(run.import_only for run in runs)
        and all(run.import_only or not run.failing for run in runs),
        duration_s=round(sum(run.duration_s for run in runs), 3),
        excerpt="\n".join(run.excerpt[-(4_000 // len(runs) - 1) :] for run in runs),
    )
    return RunResult(
        run,
        tuple(every),
        tuple(fault for result in results for fault in result.faults),
        tuple(dict.fromkeys(name for result in results for name in result.missing)),
        by_exit_code=any(result.by_exit_code for result in results),
        no_canary=any(result.no_canary for result in results),
        died_importing=next((one.died_importing for one in results if one.died_importing), ""),
    )


def _without_canaries(invocation: Invocation) -> Invocation:
    planted = {canary.path for canary in invocation.canaries}
    told = [one for one in invocation.arguments if one not in planted]
    return replace(invocation, arguments=told, canaries=())


def _wrapped(invocation: Invocation, folders: Folders) -> list[str]:
    mark = f"{_MARK}={secrets.token_hex(16)}"
    return ["around-run", mark, folders.run, invocation.command, *invocation.arguments]


def _around(invocation: Invocation, folders: Folders, work: str, facts: Facts) -> bytes:
    """Return the input for `run_wrapper`."""
    files = {f"{folders.run}/{name}": data for name, data in invocation.files.items()}
    given = {
        "work": work,
        # Python keeps compiled sources of the tree here.
        "stale": [f"{folder}/__pycache__" if folder else "__pycache__" for folder in facts.python_folders],
        "reports": list(invocation.reports),
        "canaries": _in_base64({canary.path: canary.source for canary in invocation.canaries}),
        "files": _in_base64(files),
    }
    return json.dumps(given).encode("ascii")


def _in_base64(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: base64.b64encode(data).decode("ascii") for path, data in files.items()}


def _carried(stream: bytes) -> tuple[Mapping[str, bytes], str]:
    """Return reports by name, and command lines of processes left running."""
    reports: dict[str, bytes] = {}
    left: list[str] = []
    at = 0
    # One item a line, because base64 has no line breaks; the name may hold any character but \0.
    while (named := stream.find(b"\0", at)) >= 0:
        end = stream.find(b"\n", named)
        end = len(stream) if end < 0 else end
        head, data = stream[at:named], stream[named + 1 : end]
        at = end + 1
        kind, _, name = head.partition(b" ")
        try:
            if kind == b"left":
                left.append(base64.b64decode(data).decode("utf-8", "backslashreplace"))
            elif kind == b"report":
                reports[name.decode("utf-8", "backslashreplace")] = base64.b64decode(data)
        except ValueError:
            continue  # not from the wrapper; the missing report is a fault of its own
    return reports, "\n".join(left)


def _outer(case: Case, step: Step) -> Case:
    if not step.folder:
        return case
    return Case(step.outer(case.id), step.outer(case.file), case.outcome, case.message, case.text)


def _by_exit_code(run: TestRun, files: Sequence[str]) -> RunResult:
    """Count by exit code: without a report, a file is the smallest test and no canary can be seen."""
    outcome: Outcome = "passed" if run.exit_code == 0 else "failed"
    cases = tuple(Case(file, file, outcome, f"exit code {run.exit_code}", run.excerpt) for file in files)
    ids = tuple(files)
    run = run.model_copy(update={"passed": ids} if outcome == "passed" else {"failing": ids})
    return RunResult(run, cases, by_exit_code=True)


def _no_report(run: TestRun, why: str, runner: str) -> Reason:
    return Reason(
        code="no-report",
        text=(
            f"{run.command} ended with exit code {run.exit_code} and left no test report that can be read"
            f" ({why}). A run that ends before its tests are reported shows nothing."
            f" {closed_to_hands(run.excerpt) or _REPORTED.get(runner, _MEND)} {_said(run)}"
        ),
    )


def _no_canary(run: TestRun, blinds: str) -> Reason:
    return Reason(
        code="canary",
        text=(
            f"{run.command} ended with exit code {run.exit_code}: the loop put in a test that must fail, and"
            " the report does not show it failing. Either the runner could not do its work; then mend what"
            " its output names. Or something decides outcomes, deselects tests, ends the run early or writes"
            f" the report itself ({blinds}); then remove it."
            f" {_said(run)}"
        ),
    )


def _said(run: TestRun) -> str:
    return f"The end of its output:\n{run.excerpt[-1_500:]}"


def _background(commands: str) -> Reason:
    shown = ", ".join(sorted({line.strip() for line in commands.splitlines() if line.strip()}))[:500]
    shown = re.sub(r"\s+", " ", shown)
    return Reason(
        code="background",
        text=f"The tests left processes running: {shown}. End in the test whatever the test starts.",
    )
