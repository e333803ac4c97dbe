"""Red, green, regression, end-to-end: the loop's own look at a candidate."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import Feature
from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import Baseline, GateReport, Proof, Reason, Submission, TestRun, Verdict
from autonomous_loop.domain.work import CommandResult
from autonomous_loop.errors import ConfigurationError, HandsError
from autonomous_loop.ports import Hands, Trees, Workspace
from autonomous_loop.verify.bench import TestBench
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.e2e import BrowserE2ETester
from autonomous_loop.verify.proving import Proving
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.regression import RegressionCheck


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
    ) -> None:
        self._workspace = workspace
        self._trees = trees
        self._config = config
        self._prepare = prepare
        self._bench = TestBench(hands, workspace, trees, config, model_command=model_command)
        self._regression = RegressionCheck(self._bench)
        self._browser = BrowserE2ETester(hands, trees)

    async def baseline(self, commit: CommitSha) -> Baseline:
        """See `Verifier`.

        Raises:
            ConfigurationError: there is a suite, but it cannot be run; the message shows why.
        """
        tree = self._trees.tree_of(commit)
        configured = self._config.suite_command or self._config.test_command
        if not configured and not Candidate(self._bench.facts, tree, tree).old_test_files:
            return Baseline()
        command = self._bench.commands(tree).suite_text
        runs = []
        try:
            self._bench.let_go()
            for _ in range(2):
                await self._bench.put_up(tree)
                result = await self._bench.suite(tree, tree)
                if result.faults:
                    why = result.faults[0].text
                    raise ConfigurationError(
                        f"the project's own suite cannot be run on its untouched code. {why}",
                        hint="set setup, test-command or suite-command for autonomous-loop in this project.",
                    )
                runs.append(result.run)
        finally:
            await self._bench.put_up(tree)
            self._bench.let_go()
        made = _baseline(command, *runs)
        flaky = set(made.flaky)
        self._regression.remember(tree, [one for one in runs[0].passed if one not in flaky])
        return made

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
            regression=self._regression,
            browser=self._browser,
            feature=feature,
            submission=submission,
            before=before,
            work=Candidate(self._bench.facts, self._trees.tree_of(before), after),
            baseline=baseline,
            passing=passing,
            gate=gate,
        )
        try:
            return await proving.run()
        except Refused as refused:
            return Verdict(accepted=False, reasons=refused.reasons), {}
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
        await self._workspace.open(commit)
        try:
            done = await self._prepare()
            if done is not None and done.exit_code != 0:
                text = f"The setup fails in a fresh clone:\n{self._bench.wording.tail(done.text, 2_000)}"
                return Verdict(accepted=False, reasons=(Reason(code="setup", text=text),))
            work = Candidate(self._bench.facts, tree, tree)
            if work.old_test_files or baseline.command:
                passed = self._regression.recorded(tree, passing) or ()
                await self._regression.check(work, baseline, passing, passed, new=())
        except Refused as refused:
            return Verdict(accepted=False, reasons=refused.reasons)
        finally:
            await self._bench.put_up(tree)
            self._bench.let_go()
        return Verdict(accepted=True)


def _baseline(command: str, first: TestRun, second: TestRun) -> Baseline:
    passed = set(first.passed) & set(second.passed)
    failing = set(first.failing) & set(second.failing)
    seen = {*first.passed, *first.failing, *second.passed, *second.failing}
    return Baseline(
        command=command,
        failing=tuple(sorted(failing)),
        flaky=tuple(sorted(seen - passed - failing)),
        passed=len(passed),
    )
