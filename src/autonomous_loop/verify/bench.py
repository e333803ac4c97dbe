"""Where tests are run: a tree is put up, a command runs on it, and a run that shows nothing refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Reason
from autonomous_loop.domain.work import Change
from autonomous_loop.ports import Hands, Trees, Workspace
from autonomous_loop.verify.candidate import Candidate
from autonomous_loop.verify.judgement import third_party
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.report import Case
from autonomous_loop.verify.runners import CommandRunner, Commands, RunResult, find_commands
from autonomous_loop.verify.tree_facts import TreeFacts
from autonomous_loop.verify.wording import Wording, listed

# Files that honest test runs leave where git does not ignore them; nothing is ever taken from them.
LITTER = ("test-results/", "playwright-report/", "htmlcov/", ".hypothesis/", ".pytest_cache/", ".coverage")


class TestBench:
    """Runs tests of whole trees in the work tree.

    Args:
        model_command: the test command the model proposed, asked when it is needed.
    """

    __test__ = False

    def __init__(
        self,
        hands: Hands,
        workspace: Workspace,
        trees: Trees,
        config: LoopConfig,
        *,
        model_command: Callable[[], str],
    ) -> None:
        self.trees = trees
        self.facts = TreeFacts(trees)
        self.wording = Wording(hands.work, hands.temporary)
        self._hands = hands
        self._up: TreeSha | None = None  # what the work tree holds, while that is certain
        self._workspace = workspace
        self._config = config
        self._model_command = model_command

    def commands(self, before: TreeSha) -> Commands:
        """How tests run, by what stood there before the candidate."""
        return find_commands(self.facts.of(before), self._config, model_command=self._model_command().strip())

    async def put_up(self, tree: TreeSha) -> None:
        """Make the work tree equal to `tree`."""
        if self._up != tree:
            self._up = None
            await self._workspace.switch(tree)
            self._up = tree

    def let_go(self) -> None:
        """From here on others may change the work tree."""
        self._up = None

    async def run(self, command: str, files: Sequence[str], tree: TreeSha) -> RunResult:
        """Run these test files (none: the whole suite) on the tree that is up, whatever comes of it."""
        self._up = None
        runner = CommandRunner(
            self._hands,
            self.facts,
            command,
            timeout_s=self._config.test_timeout_s,
            by_exit_code=self._config.accept_exit_code,
        )
        return await runner.run(files, tree)

    async def believed(self, command: str, files: Sequence[str], tree: TreeSha) -> RunResult:
        """The same, but only a run that shows something.

        Raises:
            Refused: it has faults.
        """
        result = await self.run(command, files, tree)
        if result.faults:
            raise Refused(*result.faults)
        return result

    async def on_old_code(self, command: str, files: Sequence[str], tree: TreeSha) -> RunResult:
        """Tests of newer code on older: there, a conftest that cannot be imported is a failure like others.

        Raises:
            Refused: it has other faults.
        """
        result = await self.run(command, files, tree)
        if [fault.code for fault in result.faults] == ["no-report"]:
            said = result.run.excerpt
            if "while loading conftest" in said:
                error = next((line for line in said.splitlines() if line.startswith("E ")), "E ImportError")
                cases = tuple(Case(file, file, "error", error[2:].strip(), said) for file in files)
                run = result.run.model_copy(update={"failing": tuple(files), "import_only": True})
                return RunResult(run, cases, missing=result.missing)
        if result.faults:
            where = "On the code as it was before your work: "
            raise Refused(*(Reason(code=one.code, text=where + one.text) for one in result.faults))
        return result

    def refuse_third_party(self, failing: Iterable[Case], work: Candidate) -> None:
        """A dependency that is not installed shows nothing, neither red nor a regression.

        Raises:
            Refused: every one of `failing` misses a module that no file of the project could provide.
        """
        cases = list(failing)
        missing = [third_party(case.missing_modules, work.every_path) for case in cases]
        if cases and all(missing):
            names = listed(sorted({name for one in missing for name in one}))
            text = (
                f"Not installed here: {names}. Tests that fail for that show nothing. Declare it as a"
                " dependency and let the project's setup install it, or do without."
            )
            raise Refused(Reason(code="environment", text=text))

    async def refuse_other_tree(self, expected: TreeSha) -> None:
        """What was proved must be what is kept.

        Raises:
            Refused: the tests changed files of the project, or left new ones behind.
        """
        now = await self._workspace.take()
        if now == expected:
            self._up = expected
            return
        changes = self.trees.changes(expected, now)
        real = [one.path for one in changes if not _is_ours(one)]
        if real:
            text = (
                f"The tests changed these files of the project while they ran: {listed(real)}. Let them write"
                " to a temporary folder."
            )
            raise Refused(Reason(code="tree-changed", text=text))


def _is_ours(change: Change) -> bool:
    """Litter of an honest run, or bytecode that is kept in git and was taken away before the run."""
    if change.status == "D":
        return "__pycache__" in change.path.split("/")
    return change.status == "A" and change.path.startswith(LITTER)
