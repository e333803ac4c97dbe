"""Gates, red, green, regression, end-to-end: the loop's own look at a candidate."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import Feature
from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import Baseline, GateReport, Proof, Reason, Submission, TestRun, Verdict
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.errors import ConfigurationError, HandsError
from autonomous_loop.ports import Hands, Trees, Workspace
from autonomous_loop.verify.bench import TestBench
from autonomous_loop.verify.bisection import culprits
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.e2e import BrowserE2ETester
from autonomous_loop.verify.gates import ProjectGates
from autonomous_loop.verify.judgement import set_aside
from autonomous_loop.verify.proving import Proving
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.regression import RegressionCheck
from autonomous_loop.verify.running import RunResult
from autonomous_loop.verify.satisfied import AlreadySatisfied

_EMPTY = 'chmod -R u+rwX "$HOME" "$TMPDIR" 2>/dev/null; find "$HOME" "$TMPDIR" -mindepth 1 -delete'
_EMPTY_S = 120.0


class ProofVerifier:
    """Implements `Verifier`.

    Args:
        hands: run the tests.
        workspace: the work tree they run in.
        trees: what is compared and overlaid.
        config: commands, deadlines, when the whole suite runs.
        model_command: the test command the model proposed ("": none), asked when it is needed; used only
            where neither the configuration nor the base says how tests run.
        prepare: the setup of a fresh clone, run as hands; its result, or None where there is none.
        removed_tests: whether older tests may be gone, marked, as a person says who asks for a verdict; None
            in a loop, whose model must not get rid of tests.
    """

    def __init__(
        self,
        hands: Hands,
        workspace: Workspace,
        trees: Trees,
        config: LoopConfig,
        *,
        model_command: Callable[[], str],
        prepare: Callable[[], Awaitable[CommandResult | None]],
        removed_tests: bool | None = None,
    ) -> None:
        self._hands = hands
        self._workspace = workspace
        self._trees = trees
        self._config = config
        self._prepare = prepare
        self._bench = TestBench(hands, workspace, trees, config, model_command=model_command)
        self._gates = ProjectGates(self._bench, hands, config)
        self._regression = RegressionCheck(self._bench, removed_tests=removed_tests)
        self._satisfied = AlreadySatisfied()
        self._browser = BrowserE2ETester(hands, trees)

    async def baseline(self, commit: CommitSha) -> Baseline:
        """See `Verifier`.

        Raises:
            ConfigurationError: there is a suite, but it cannot be run; the message shows why.
        """
        tree = self._trees.tree_of(commit)
        configured = self._config.suite_command or self._config.test_command
        has_suite = bool(configured or self._bench.facts.of(tree).has_suite)
        runs: list[RunResult] = []
        try:
            self._bench.let_go()
            gates = await self._gates.on_base(tree)
            for _ in range(2 if has_suite else 0):
                await self._bench.put_up(tree)
                result = await self._bench.suite(tree, tree)
                if result.faults:
                    why = result.faults[0].text
                    raise ConfigurationError(
                        f"the project's own suite cannot be run on its untouched code. {why}",
                        hint="set setup, test-command or suite-command for autonomous-loop in this project.",
                    )
                runs.append(result)
        finally:
            await self._bench.put_up(tree)
            self._bench.let_go()
        if not runs:
            return Baseline(gates=gates)
        made = _baseline(self._bench.commands(tree).suite_text, *runs)
        self._regression.remember(tree, made.runs[0].passed)
        return made.model_copy(update={"gates": gates})

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
            suite_now=self._config.regression == "feature",
        )
        self._bench.take_over(after)
        try:
            return await proving.run()
        except Refused as refused:
            return Verdict(accepted=False, reasons=refused.reasons, lost=refused.lost), refused.evidence
        except HandsError as error:
            text = self._bench.wording.plain(f"The tests left something that cannot be taken: {error}")
            return Verdict(accepted=False, reasons=(Reason(code="hands", text=text),)), {}
        finally:
            await self._bench.put_up(after)
            self._bench.let_go()

    async def clean_room(
        self, commit: CommitSha, *, baseline: Baseline, passing: Mapping[str, Proof]
    ) -> Verdict:
        """See `Verifier`."""
        tree = self._trees.tree_of(commit)
        # What lies in the hands' home is no part of the project: packages, caches, notes from run to run.
        await self._hands.end_all()
        await self._hands.run(["bash", "-c", _EMPTY], timeout_s=_EMPTY_S)
        await self._workspace.open(commit)
        try:
            done = await self._prepare()
            if done is not None and done.exit_code != 0:
                text = f"The setup fails in a fresh clone:\n{self._bench.wording.tail(done.text, 2_000)}"
                return Verdict(accepted=False, reasons=(Reason(code="setup", text=text),))
            await self._bench.put_up(tree)
            await self._gates.check(tree, baseline)
            # A tree nobody proved has commits by people in it.
            known = any(proof.after_tree == tree for proof in passing.values())
            held = await self._whole_suite(tree, baseline, passing, by_people=not known)
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
        self, tree: TreeSha, baseline: Baseline, passing: Mapping[str, Proof], *, by_people: bool = False
    ) -> TestRun | None:
        work = Candidate(self._bench.facts, tree, tree)
        if not (work.had_suite or baseline.command):
            return None
        passed = self._regression.recorded(tree, baseline, passing)
        if passed is None:
            passed = self._regression.known_to_pass(baseline)
        held = await self._regression.check(work, baseline, passing, passed, by_people=by_people)
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
