"""Verifies a candidate: gates, red, green, regression, end-to-end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import Feature
from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import (
    Baseline,
    GateReport,
    ModelCommand,
    Proof,
    Reason,
    Submission,
    TestRun,
    Verdict,
)
from autonomous_loop.domain.work import CommandResult, HowTestsRun
from autonomous_loop.engine.ports import Sandbox, Trees, Workspace
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.comparison import set_aside
from autonomous_loop.verify.e2e import BrowserE2ETester
from autonomous_loop.verify.execution.bench import TestBench
from autonomous_loop.verify.execution.bisection import culprits
from autonomous_loop.verify.execution.command_choice import first_run
from autonomous_loop.verify.execution.fresh_place import FreshPlace
from autonomous_loop.verify.execution.how_tests_run import found_programs, told
from autonomous_loop.verify.execution.no_baseline import refuse_none
from autonomous_loop.verify.execution.regression import RegressionCheck
from autonomous_loop.verify.execution.running import RunResult
from autonomous_loop.verify.gates import ProjectGates
from autonomous_loop.verify.proving import Proving
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.rules.already_satisfied import AlreadySatisfied


class ProofVerifier:
    """Implements `Verifier`.

    Args:
        sandbox: runs the tests.
        workspace: the work tree they run in.
        trees: compares and overlays trees.
        config: commands, deadlines, when the whole suite runs.
        model_command: returns the model's proposal when it is needed. It is used only if neither the
            configuration nor the base says how tests run, or if the baseline chose it.
        prepare: runs the setup of a fresh clone in the sandbox; returns its result, or None if there is no
            setup.
        afresh: run red and green each in a fresh place with its own setup.
        removed_tests: whether older tests may be removed (with a mark), if a person who asks for a verdict
            says so; None in a loop, whose model must not remove tests.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        workspace: Workspace,
        trees: Trees,
        config: LoopConfig,
        *,
        model_command: Callable[[], ModelCommand],
        prepare: Callable[[], Awaitable[CommandResult | None]],
        afresh: bool = False,
        removed_tests: bool | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._workspace = workspace
        self._trees = trees
        self._config = config
        self._afresh = afresh
        self._bench = TestBench(sandbox, workspace, trees, config, model_command=model_command)
        self._fresh = FreshPlace(sandbox, workspace, self._bench, prepare)
        self._gates = ProjectGates(self._bench, sandbox, config)
        self._regression = RegressionCheck(self._bench, removed_tests=removed_tests)
        self._satisfied = AlreadySatisfied()
        self._browser = BrowserE2ETester(sandbox, trees)

    async def how_tests_run(self, commit: CommitSha) -> HowTestsRun:
        """See `Verifier`."""
        commands = self._bench.commands(self._trees.tree_of(commit))
        programs = await found_programs(self._sandbox, commands)
        return told(commands, programs, configured=bool(self._config.test_command))

    async def open_afresh(self, commit: CommitSha) -> None:
        """See `Verifier`."""
        await self._fresh.open(commit)

    async def baseline(self, commit: CommitSha, *, proposed: str = "") -> Baseline:
        """See `Verifier`."""
        tree = self._trees.tree_of(commit)
        facts = self._bench.facts.of(tree)
        has_suite = bool(self._config.suite_command or self._config.test_command or facts.has_suite)
        try:
            self._bench.let_go()
            gates = await self._gates.on_base(tree)
            await self._bench.put_up(tree)
            model, first = await first_run(self._bench, tree, proposed, has_suite=has_suite)
            if first is None:
                return Baseline(gates=gates, model_command=model.text)
            refuse_none(first, facts)
            await self._bench.put_up(tree)
            second = await self._bench.suite(tree, tree)
            refuse_none(second, facts)
            command = self._bench.commands(tree).suite_text
        finally:
            self._bench.put_on_trial(None)
            await self._bench.put_up(tree)
            self._bench.let_go()
        made = _baseline(command, first, second)
        self._regression.remember(tree, made.runs[0].passed)
        return made.model_copy(update={"gates": gates, "model_command": model.text})

    async def prove(
        self,
        feature: Feature,
        submission: Submission,
        *,
        before: CommitSha,
        after: TreeSha,
        baseline: Baseline,
        passing: Mapping[str, Proof],
        gate: GateReport,
    ) -> tuple[Verdict, Mapping[str, bytes]]:
        """See `Verifier`."""
        proving = Proving(
            bench=self._bench,
            gates=self._gates,
            regression=self._regression,
            browser=self._browser,
            satisfied=self._satisfied,
            feature=feature,
            submission=submission,
            before=before,
            work=Candidate(self._bench.facts, self._trees.tree_of(before), after),
            baseline=baseline,
            passing=passing,
            gate=gate,
            afresh=partial(self._fresh.make, before, after) if self._afresh else None,
            suite_now=self._config.regression == "feature",
        )
        self._bench.take_over(after)
        try:
            return await proving.run()
        except Refused as refused:
            return Verdict(accepted=False, reasons=refused.reasons, lost=refused.lost), refused.evidence
        except SandboxCallError as error:
            text = self._bench.wording.plain(f"The tests left something that cannot be taken: {error}")
            return Verdict(accepted=False, reasons=(Reason(code="sandbox", text=text),)), {}
        finally:
            await self._bench.put_up(after)
            self._bench.let_go()

    async def clean_room(
        self, commit: CommitSha, *, baseline: Baseline, passing: Mapping[str, Proof]
    ) -> Verdict:
        """See `Verifier`."""
        tree = self._trees.tree_of(commit)
        try:
            await self._fresh.make(commit, tree)
            await self._gates.check(tree, baseline)
            # A tree without a proof contains commits by people.
            known = any(proof.after_tree == tree for proof in passing.values())
            afresh = partial(self._fresh.make, commit, tree)
            held = await self._whole_suite(tree, baseline, passing, by_people=not known, afresh=afresh)
        except Refused as refused:
            return Verdict(accepted=False, reasons=refused.reasons, lost=refused.lost)
        finally:
            await self._bench.put_up(tree)
            self._bench.let_go()
        return Verdict(accepted=True, suite=held)

    async def suite(self, commit: CommitSha, *, baseline: Baseline, passing: Mapping[str, Proof]) -> Verdict:
        """See `Verifier`."""
        tree = self._trees.tree_of(commit)
        try:
            await self._bench.put_up(tree)
            held = await self._whole_suite(tree, baseline, passing)
        except Refused as refused:
            return Verdict(accepted=False, reasons=refused.reasons, lost=refused.lost)
        finally:
            await self._bench.put_up(tree)
            self._bench.let_go()
        return Verdict(accepted=True, suite=held)

    async def culprits(
        self, commits: Sequence[CommitSha], *, lost: Sequence[str], passing: Mapping[str, Proof]
    ) -> Mapping[CommitSha, Sequence[str]]:
        """See `Verifier`."""
        at = {commit: index for index, commit in enumerate(commits)}
        since: dict[str, int] = {}
        for proof in passing.values():
            if proof.green and proof.after in at:
                since |= dict.fromkeys(set(proof.green.passed) - since.keys(), at[proof.after])
        trees = [self._trees.tree_of(commit) for commit in commits]
        try:
            found = await culprits(self._bench, trees, lost=lost, since=since)
        finally:
            await self._bench.put_up(trees[-1])
            self._bench.let_go()
        return {commits[index]: ids for index, ids in found.items()}

    async def _whole_suite(
        self,
        tree: TreeSha,
        baseline: Baseline,
        passing: Mapping[str, Proof],
        *,
        by_people: bool = False,
        afresh: Callable[[], Awaitable[None]] | None = None,
    ) -> TestRun | None:
        work = Candidate(self._bench.facts, tree, tree)
        if not (work.had_suite or baseline.command):
            return None
        passed = self._regression.recorded(tree, baseline, passing)
        if passed is None:
            passed = self._regression.known_to_pass(baseline)
        held = await self._regression.check(
            work, baseline, passing, passed, by_people=by_people, afresh=afresh
        )
        return held.run


def _baseline(command: str, one: RunResult, other: RunResult) -> Baseline:
    first, second = one.run, other.run
    passed = set(first.passed) & set(second.passed)
    failing = set(first.failing) & set(second.failing)
    flaky = {*first.passed, *first.failing, *second.passed, *second.failing} - passed - failing
    runs = [set_aside(one.run, one.cases, flaky), set_aside(other.run, other.cases, flaky)]
    return Baseline(
        command=command,
        failing=tuple(sorted(failing)),
        flaky=tuple(sorted(flaky)),
        passed=len(passed),
        runs=(runs[0], runs[1].model_copy(update={"passed": ()})),
    )
