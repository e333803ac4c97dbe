"""Runs tests: puts a tree into the work tree, runs a command, and refuses runs that show nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import ModelCommand, Reason
from autonomous_loop.domain.work import Change
from autonomous_loop.engine.ports import Sandbox, Trees, Workspace
from autonomous_loop.errors import SandboxCallError
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.commands import Commands, find_commands
from autonomous_loop.verify.comparison import third_party
from autonomous_loop.verify.execution.running import RunResult, TestRunning, together
from autonomous_loop.verify.project.tree_facts import TreeFacts
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.report import Case
from autonomous_loop.verify.results.wording import Wording, listed
from autonomous_loop.verify.runners.base import Step
from autonomous_loop.verify.syntax import is_javascript, read_ahead

# Files that honest test runs leave and git does not ignore. Nothing is ever taken from them.
LITTER = ("test-results/", "playwright-report/", "htmlcov/", ".hypothesis/", ".pytest_cache/", ".coverage")


class TestBench:
    """Runs tests of whole trees in the work tree.

    Args:
        model_command: returns the model's proposal when it is needed.
    """

    __test__ = False

    def __init__(
        self,
        sandbox: Sandbox,
        workspace: Workspace,
        trees: Trees,
        config: LoopConfig,
        *,
        model_command: Callable[[], ModelCommand],
    ) -> None:
        self.trees = trees
        self.facts = TreeFacts(trees)
        self.wording = Wording(sandbox.work, sandbox.temporary)
        self._running = TestRunning(
            sandbox, self.facts, timeout_s=config.test_timeout_s, by_exit_code=config.accept_exit_code
        )
        # Cache of the last commands; a tree never changes.
        self._found: tuple[tuple[TreeSha, ModelCommand], Commands] | None = None
        self._on_trial: ModelCommand | None = None
        self._up: TreeSha | None = None  # the tree in the work tree, while that is certain
        self._workspace = workspace
        self._config = config
        self._model_command = model_command

    def commands(self, before: TreeSha) -> Commands:
        """Return the commands that run tests, as the tree before the candidate defines them."""
        model = self._on_trial or self._model_command()
        if self._found is None or self._found[0] != (before, model):
            found = find_commands(
                self.facts.of(before), self._config, model_command=model.text.strip(), tried=model.tried
            )
            self._found = ((before, model), found)
        return self._found[1]

    def put_on_trial(self, model: ModelCommand | None) -> None:
        """Use this command of the model regardless of the recorded one; None: use the recorded one again."""
        self._on_trial = model

    async def put_up(self, tree: TreeSha) -> None:
        """Make the work tree equal to `tree`."""
        if self._up != tree:
            self._up = None
            await self._workspace.switch(tree)
            self._up = tree

    def take_over(self, tree: TreeSha) -> None:
        """Trust the caller that the work tree holds `tree`."""
        self._up = tree

    def let_go(self) -> None:
        """Note that others may change the work tree from here on."""
        self._up = None

    async def suite(self, before: TreeSha, tree: TreeSha) -> RunResult:
        """Run the whole suite on `tree`, which is in the work tree; never refuse the result.

        Args:
            before: the tree that decides which commands run.
        """
        self._up = None
        await self._read_ahead(self.facts.of(tree).test_files, tree)
        return await self._run([(step, ()) for step in self.commands(before).suite], tree)

    async def tests(self, before: TreeSha, files: Sequence[str], tree: TreeSha) -> RunResult:
        """Run these test files; otherwise like `suite`."""
        self._up = None
        await self._read_ahead(files, tree)
        return await self._run(self.commands(before).share(files, self.facts.of(tree)), tree)

    async def _run(self, shares: Sequence[tuple[Step, Sequence[str]]], tree: TreeSha) -> RunResult:
        return together([await self._running.run(step, files, tree) for step, files in shares])

    async def _read_ahead(self, files: Sequence[str], tree: TreeSha) -> None:
        """Read what runners ask about test files: their titles as written, and which drive a browser."""
        facts = self.facts.of(tree)
        found: list[tuple[str, bytes | None]] = []
        for path in files:
            if is_javascript(path) or self._config.e2e_command:
                with contextlib.suppress(SandboxCallError):  # too large
                    found.append((path, facts.read_if_there(path)))
        await read_ahead(found)

    async def on_old_code(self, before: TreeSha, files: Sequence[str], tree: TreeSha) -> RunResult:
        """Run newer tests on older code, where shared test code that cannot be loaded is an ordinary failure.

        Raises:
            Refused: the run has other faults.
        """
        result = await self.tests(before, files, tree)
        if result.died_importing and [fault.code for fault in result.faults] == ["no-report"]:
            error, said = result.died_importing, result.run.excerpt
            cases = tuple(Case(file, file, "error", error, said) for file in files)
            run = result.run.model_copy(update={"failing": tuple(files), "import_only": True})
            return RunResult(run, cases, missing=result.missing)
        if result.faults:
            where = "On the code as it was before your work: "
            raise Refused(*(Reason(code=one.code, text=where + one.text) for one in result.faults))
        return result

    def refuse_third_party(self, failing: Iterable[Case], work: Candidate) -> None:
        """Refuse failures that only show a missing dependency: they are neither red nor a regression.

        Raises:
            Refused: every test in `failing` lacks a module that no file of the project could provide.
        """
        cases = list(failing)
        if not all(case.missing_modules for case in cases):
            return
        missing = [third_party(case.missing_modules, work.every_path) for case in cases]
        if cases and all(missing):
            names = listed(sorted({name for one in missing for name in one}))
            text = (
                f"Not installed here: {names}. Tests that fail for that show nothing. Declare it as a"
                " dependency and let the project's setup install it, or do without."
            )
            raise Refused(Reason(code="environment", text=text))

    async def changes_since(self, expected: TreeSha) -> list[str]:
        """Return the project's paths that differ from the tree that was put up."""
        self._up = None
        now = await self._workspace.take()
        if now == expected:
            self._up = expected
            return []
        return [one.path for one in self.trees.changes(expected, now) if not _is_ours(one)]

    async def refuse_other_tree(self, expected: TreeSha) -> None:
        """Ensure that the tree to keep is the tree that was proved.

        Raises:
            Refused: the tests changed files of the project or left new ones behind.
        """
        real = await self.changes_since(expected)
        if real:
            text = (
                f"The tests changed these files of the project while they ran: {listed(real)}. Let them write"
                " to a temporary folder."
            )
            raise Refused(Reason(code="tree-changed", text=text))


def _is_ours(change: Change) -> bool:
    """Return whether this is litter of an honest run, or bytecode in git that was removed before the run."""
    if change.status == "D":
        return "__pycache__" in change.path.split("/")
    return change.status == "A" and change.path.startswith(LITTER)


def believed(result: RunResult) -> RunResult:
    """Return the run if it has no faults.

    Raises:
        Refused: the run has faults.
    """
    if result.faults:
        raise Refused(*result.faults)
    return result
