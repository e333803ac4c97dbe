"""Small repositories in a real loop repository, proved by the real verifier with real hands."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import Feature
from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import Baseline, GateReport, ModelCommand, Proof, Submission, Verdict
from autonomous_loop.git.repository import Repository
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.verify.gate import ProofGate
from autonomous_loop.verify.verifier import ProofVerifier

START = {
    "calc.py": "def add(a, b):\n    return a + b\n",
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]\n',
}
DOUBLE = {"calc.py": START["calc.py"] + "\n\ndef double(a):\n    return 2 * a\n"}
DOUBLE_TEST = {
    "tests/test_double.py": """
        def test_double():
            import calc

            assert hasattr(calc, "double")
            assert calc.double(4) == 8
    """
}
SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin"]


async def make_sandbox(chrome: str | None = None) -> ProcessSandbox:
    """Hands that find this interpreter's pytest, without its plugins."""
    return await ProcessSandbox.create(
        base=Path(tempfile.gettempdir()),
        path=[str(Path(sys.executable).parent), *SYSTEM_PATH],
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        read_paths=[sys.prefix, sys.base_prefix],
        unsandboxed=False,
        chrome_path=chrome,
        browser_python=None,
    )


class World:
    """One project, its checkpoints, and what is submitted to it."""

    def __init__(self, sandbox: ProcessSandbox, folder: Path, config: LoopConfig) -> None:
        self.sandbox = sandbox
        identity = ("Loop", "loop@localhost")
        self.repository = Repository.create(
            folder, remote=str(folder), identity=identity, path=os.defpath, auth={}
        )
        self.workspace = ScratchWorkspace(sandbox, self.repository)
        self.model_command = ModelCommand()
        self.setups = 0
        self.setup = ""
        self.configure(config)
        self.baseline = Baseline()
        self.passing: dict[str, Proof] = {}
        self.evidence: Mapping[str, bytes] = {}
        self.checkpoint = CommitSha("")
        self.report = GateReport()

    def configure(self, config: LoopConfig, *, afresh: bool = False) -> None:
        self.gate = ProofGate(self.repository, config)
        self.verifier = ProofVerifier(
            self.sandbox,
            self.workspace,
            self.repository,
            config,
            model_command=lambda: self.model_command,
            prepare=self._prepare,
            afresh=afresh,
        )

    async def _prepare(self):
        self.setups += 1
        return await self.sandbox.run(["bash", "-c", self.setup], timeout_s=20) if self.setup else None

    def tree(
        self,
        files: Mapping[str, str | bytes | None],
        base: TreeSha | None = None,
        *,
        modes: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> TreeSha:
        """A tree: `files` over `base`; `modes` adds entries by git mode (a link's content is its target)."""
        made = {
            path: dedent(text).lstrip("\n").encode() if isinstance(text, str) else text
            for path, text in files.items()
        }
        tree = self.repository.write_files(base, made)
        for path, (mode, content) in (modes or {}).items():
            tree = self._with_entry(tree, path.split("/"), mode, content)
        return tree

    def _with_entry(self, tree: TreeSha, path: Sequence[str], mode: str, content: bytes) -> TreeSha:
        """Through `mktree`, which takes names that git's index refuses."""
        git = self.repository.git
        rows = [row for row in git("ls-tree", "-z", tree).decode().split("\0") if row]
        name, *below = path
        there = next((row for row in rows if row.endswith(f"\t{name}")), None)
        if below:
            known = there.split()[2] if there else git("mktree", stdin=b"").decode().strip()
            new = f"040000 tree {self._with_entry(TreeSha(known), below, mode, content)}"
        elif mode == "160000":
            new = f"160000 commit {self.checkpoint}"
        else:
            new = f"{mode} blob {git('hash-object', '-w', '--stdin', stdin=content).decode().strip()}"
        kept = [row for row in rows if row is not there]
        made = git("mktree", "--missing", "-z", stdin="\0".join([*kept, f"{new}\t{name}", ""]).encode())
        return TreeSha(made.decode().strip())

    async def start(
        self,
        files: Mapping[str, str | bytes],
        *,
        passing: tuple[str, ...] = ("tests/test_calc.py::test_add",),
    ) -> None:
        """The project as the loop finds it; `passing` stands for a baseline taken a moment ago."""
        tree = self.tree(files)
        self.checkpoint = self.repository.commit(tree, [], "start\n")
        await self.workspace.open(self.checkpoint)
        if passing:
            self.baseline = Baseline(
                command=self.verifier._bench.commands(tree).suite_text, passed=len(passing)
            )
            self.verifier._regression.remember(tree, passing)

    async def start_with_baseline(self, files: Mapping[str, str | bytes]) -> None:
        """The same with the real baseline."""
        await self.start(files, passing=())
        self.baseline = await self.verifier.baseline(self.checkpoint)

    async def submit(
        self,
        files: Mapping[str, str | bytes | None],
        *tests: str,
        kind: str = "behaviour",
        category: str = "backend",
        feature_id: str = "double",
        keep: bool = False,
        by_hand: str = "",
        modes: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Verdict:
        """The candidate: these files over the checkpoint; gate and proof, as the loop does them.

        Args:
            by_hand: what the model does in the work tree besides, in the shell.
            modes: see `tree`; a tree with them is judged without a work tree having held it.
        """
        before = self.repository.tree_of(self.checkpoint)
        await self.workspace.switch(self.tree(files, before))
        if by_hand:
            done = await self.sandbox.run(["bash", "-ec", by_hand], timeout_s=20)
            assert done.exit_code == 0, done.text
        after = self.tree({}, await self.workspace.take(), modes=modes)
        self.report = await self.gate.check(before, after)
        verdict, self.evidence = await self.verifier.prove(
            Feature(id=feature_id, kind=kind, category=category, description="It doubles."),
            Submission(feature_id=feature_id, tests=tests, summary="done"),
            before=self.checkpoint,
            after=after,
            baseline=self.baseline,
            passing=self.passing,
            gate=self.report,
        )
        self.candidate = after
        if keep:
            assert verdict.accepted, verdict.reasons
            proof = verdict.proof
            self.checkpoint = self.repository.commit(after, [self.checkpoint], feature_id)
            self.passing[feature_id] = proof.model_copy(update={"after": self.checkpoint})
        return verdict

    def close(self) -> None:
        self.repository.close()


def codes(verdict: Verdict) -> list[str]:
    """Reason codes of a refusal."""
    return [reason.code for reason in verdict.reasons]
