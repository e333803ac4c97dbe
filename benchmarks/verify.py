"""What a proof costs on top of the test commands it runs.

    python benchmarks/verify.py [readers] [one-file] [proofs]
        [--files 50000] [--runs 5] [--suite-seconds 2] [--json]

- readers: 10,000 lines of each language, and hostile text (`readers.py`).
- one-file: a one-line change in a project with 600 tests in one file of 7,000 lines.
- proofs: small and large repositories, and a list of 200 features.

Proofs are those of the real verifier, with real hands and real git. Root is needed for hands of their own.
Timings say something only where the machine is idle; CPU time is shown beside them, as it says nearly the
same on a busy one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import readers

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import Feature, FeatureKind
from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import Baseline, ModelCommand, Proof, Submission
from autonomous_loop.git.repository import Repository
from autonomous_loop.git.tree_edit import Entry
from autonomous_loop.git.workspace import ScratchWorkspace
from autonomous_loop.sandbox.sandbox import ProcessSandbox
from autonomous_loop.verify.gate import ProofGate
from autonomous_loop.verify.syntax import reading
from autonomous_loop.verify.verifier import ProofVerifier

PROJECT = {
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]\n',
    ".gitignore": "__pycache__/\n.pytest_cache/\n",
}
MODULE = "def value():\n    return {number}\n"
TEST = """import time

from features import f{number:03}


def test_f{number:03}():
    time.sleep({seconds})
    assert f{number:03}.value() == {number}
"""
MANY, PER_FOLDER = 200, 20
PARTS = ["readers", "one-file", "proofs"]
# Stands before the interpreter on the hands' PATH and writes down how long each test command took.
SHIM = """#!/bin/bash
began=$EPOCHREALTIME
{python} "$@"
code=$?
ended=$EPOCHREALTIME
{{ echo "$began $ended"; times; }} >> "$HOME/times"
exit $code
"""


@dataclass(frozen=True)
class Cost:
    """One proof. Seconds.

    Attributes:
        total: of `prove`.
        tests: inside the test commands, from the interpreter's start to its end.
        commands: how many of these.
        cpu: the verifier's own, of the loop's process, its git and everything of the hands but the tests.
    """

    total: float
    tests: float
    commands: int
    cpu: float

    @property
    def own(self) -> float:
        """What is not the tests'."""
        return self.total - self.tests


class Place:
    """A repository, its loop and its hands."""

    def __init__(
        self, sandbox: ProcessSandbox, folder: Path, project: Callable[[Repository], TreeSha]
    ) -> None:
        self.sandbox = sandbox
        self.repository = Repository.create(
            folder, remote=str(folder), identity=("Loop", "loop@localhost"), path=os.defpath, auth={}
        )
        self.workspace = ScratchWorkspace(sandbox, self.repository)
        config = LoopConfig()
        self.gate = ProofGate(self.repository, config)
        self.verifier = ProofVerifier(
            sandbox, self.workspace, self.repository, config, model_command=ModelCommand, prepare=_nothing
        )
        self.tree = project(self.repository)
        self.checkpoint = self.repository.commit(self.tree, [], "start\n")
        self.baseline = Baseline()
        self._made = 0

    async def open(self) -> None:
        """A work tree, and a first run of the suite."""
        await self.workspace.open(self.checkpoint)
        self.baseline = await self.verifier.baseline(self.checkpoint)

    async def prove(self, passing: Mapping[str, Proof]) -> tuple[Cost, Proof]:
        """A new candidate, written by the hands as the model would, taken, looked at by the gate, proved."""
        self._made += 1
        number = 500 + self._made
        write = (
            "printf 'def value():\\n    return %s\\n' $1 > features/f$1.py &&"
            " printf 'from features import f%s\\n\\n\\ndef test_it():\\n    assert f%s.value() == %s\\n'"
            " $1 $1 $1 > tests/test_f$1.py; rm -f $HOME/times"
        )
        await self.workspace.switch(self.tree)
        await self.sandbox.run(["bash", "-c", write, "write", str(number)], timeout_s=30)
        return await self._judge(f"tests/test_f{number}.py", passing)

    async def prove_in_one_file(self) -> tuple[Cost, Proof]:
        """A line of the code and a line of one of its 600 tests, the gate's look counted along."""
        await self.workspace.switch(self.tree)
        write = (
            "sed -i 's/^STEP = 1$/STEP = 2/' calc.py; sed -i 's/^ONE = 1$/ONE = 2/' tests/test_calc.py;"
            " rm -f $HOME/times"
        )
        await self.sandbox.run(["bash", "-c", write], timeout_s=30)
        return await self._judge("tests/test_calc.py", {}, gate_too=True)

    async def _judge(
        self, test: str, passing: Mapping[str, Proof], *, gate_too: bool = False
    ) -> tuple[Cost, Proof]:
        after = await self.workspace.take()
        cpu, began = self._cpu(), time.monotonic()
        report = await self.gate.check(self.tree, after)
        if not gate_too:
            cpu, began = self._cpu(), time.monotonic()
        verdict, _ = await self.verifier.prove(
            Feature(id="next", kind=FeatureKind.BEHAVIOUR, category="backend", description="It has a value."),
            Submission(feature_id="next", tests=(test,), summary="done"),
            before=self.checkpoint,
            after=after,
            baseline=self.baseline,
            passing=passing,
            gate=report,
        )
        total = time.monotonic() - began
        await self.sandbox.end_all()
        cpu = self._cpu() - cpu
        if verdict.proof is None:
            raise SystemExit(f"the proof was refused: {verdict.reasons}")
        tests, tests_cpu, commands = await self._times()
        return Cost(total, tests, commands, cpu - tests_cpu), verdict.proof

    def close(self) -> None:
        """End what belongs to the repository."""
        self.repository.close()

    def _cpu(self) -> float:
        """CPU time so far of this process, of the children it waited for, and of the hands."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        launcher = psutil.Process(self.sandbox._starter.pid).cpu_times()  # noqa: SLF001 - for the measurement
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime + sum(launcher[:4])

    async def _times(self) -> tuple[float, float, int]:
        done = await self.sandbox.run(["bash", "-c", "cat $HOME/times"], timeout_s=30)
        lines = done.text.splitlines()
        # Three lines a command: begin and end; `times` of the shim itself; `times` of its children.
        walls = [float(end) - float(begin) for begin, end in (line.split() for line in lines[::3])]
        cpu = sum(_seconds(one) for line in lines[2::3] for one in line.split())
        return sum(walls), cpu, len(walls)


async def _nothing() -> None:
    return None


def _seconds(said: str) -> float:
    minutes, _, seconds = said.rstrip("s").partition("m")
    return 60 * float(minutes) + float(seconds)


def _modules(repository: Repository, *, seconds: float, files: int) -> TreeSha:
    return _many(repository, _project(repository, seconds), files)


def _one_file(repository: Repository) -> TreeSha:
    """600 tests of eleven lines each, and what they share."""
    lines = "".join(f"    value = calc.step(value) - calc.step(0)  # {at}\n" for at in range(7))
    tests = "".join(
        f"def test_f{number:03}():\n    value = {number}\n{lines}    assert value == {number}\n\n\n"
        for number in range(599)
    )
    shared = "import calc\n\nONE = 1\n\n\ndef test_step():\n    assert calc.step(0) == ONE\n\n\n"
    text = {
        **PROJECT,
        "calc.py": "STEP = 1\n\n\ndef step(value):\n    return value + STEP\n",
        "tests/test_calc.py": shared + tests,
    }
    return repository.write_files(None, {path: one.encode() for path, one in text.items()})


def _project(repository: Repository, seconds: float) -> TreeSha:
    """A module and a test for each of the features; the whole suite takes so long, and a little more."""
    files = {path: text.encode() for path, text in PROJECT.items()}
    for number in range(MANY):
        files[f"features/f{number:03}.py"] = MODULE.format(number=number).encode()
        files[f"tests/test_f{number:03}.py"] = TEST.format(number=number, seconds=seconds / MANY).encode()
    return repository.write_files(None, files)


def _many(repository: Repository, tree: TreeSha, files: int) -> TreeSha:
    """Up to so many files in folders of a few each."""
    if files <= 2 * MANY + len(PROJECT):
        return tree
    text = {f"data/{number}.py": f"x = {number}\n".encode() for number in range(PER_FOLDER)}
    blobs = repository.look_up(repository.write_files(None, text), list(text))
    rows: dict[str, Entry | None] = {}
    for number in range(files - 2 * MANY - len(PROJECT)):
        folder, place = divmod(number, PER_FOLDER)
        rows[f"src/m{folder // 50:02}/d{folder:04}/f{place:02}.py"] = blobs[f"data/{place}.py"]
    return repository.graft(tree, rows)


def _passing(proof: Proof, count: int) -> dict[str, Proof]:
    """Proofs as they would be after so many features: each with its own test file and id."""
    made = {}
    for number in range(count):
        test_file = f"tests/test_f{number:03}.py"
        name = f"{test_file}::test_f{number:03}"
        run = proof.green.model_copy(update={"passed": (name,)}) if proof.green else None
        made[f"f{number:03}"] = proof.model_copy(
            update={
                "feature_id": f"f{number:03}",
                "tests": (name,),
                "test_files": (test_file,),
                "green": run,
                "red": None,
                "regression": None,
                "after_tree": TreeSha(f"{number:040x}"),
                "after": CommitSha(f"{number:040x}"),
            }
        )
    return made


async def _sandbox(shims: Path) -> ProcessSandbox:
    return await ProcessSandbox.create(
        base=Path(tempfile.gettempdir()),
        path=[str(shims), str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"],
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        read_paths=[str(shims), sys.prefix, sys.base_prefix],
        unsandboxed=False,
        chrome_path=None,
        browser_python=None,
    )


def _summary(name: str, costs: Sequence[Cost]) -> dict[str, Any]:
    total, tests, own, cpu = (
        statistics.median(getattr(cost, what) for cost in costs) for what in ("total", "tests", "own", "cpu")
    )
    return {
        "name": name,
        "total_s": round(total, 3),
        "tests_s": round(tests, 3),
        "commands": costs[0].commands,
        "own_ms": round(own * 1000),
        "own_ms_least": round(min(cost.own for cost in costs) * 1000),
        "own_cpu_ms": round(cpu * 1000),
        "own_percent": round(100 * own / tests, 1),
        "runs": len(costs),
    }


def _shims(folder: Path) -> Path:
    folder.chmod(0o755)
    shims = folder / "bin"
    shims.mkdir()
    for name in ("python", "python3"):
        (shims / name).write_text(SHIM.format(python=sys.executable))
        (shims / name).chmod(0o755)
    return shims


async def _measure(files: int, runs: int, seconds: float) -> list[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    shims = _shims(folder)
    places: dict[str, Place] = {}
    costs: dict[str, list[Cost]] = {}
    try:
        for name, count in (("small repository", 0), (f"{files} files", files)):
            project = partial(_modules, seconds=seconds, files=count)
            places[name] = Place(await _sandbox(shims), folder / f"loop-{len(places)}", project)
            await places[name].open()
            _, proof = await places[name].prove({})  # warms up
        small = places["small repository"]
        # Side by side, so that whatever else the machine does meets all of them.
        for _ in range(runs):
            for name, place in places.items():
                costs.setdefault(name, []).append((await place.prove({}))[0])
            for count in (10, MANY):
                taken = await small.prove(_passing(proof, count - 1))
                costs.setdefault(f"feature {count} of a list", []).append(taken[0])
    finally:
        for place in places.values():
            place.close()
            await place.sandbox.close()
        shutil.rmtree(folder)
    return [_summary(name, some) for name, some in costs.items()]


async def _measure_one_file(runs: int) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    shims = _shims(folder)
    place = Place(await _sandbox(shims), folder / "loop", _one_file)
    try:
        await place.open()
        costs = []
        for _ in range(runs):
            reading.forget()
            costs.append((await place.prove_in_one_file())[0])
    finally:
        place.close()
        await place.sandbox.close()
        shutil.rmtree(folder)
    return _summary("600 tests in one file", costs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=50_000, help="size of the large repository")
    parser.add_argument("--runs", type=int, default=5, help="proofs on each")
    parser.add_argument("--suite-seconds", type=float, default=2.0, help="how long the project's suite takes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="which of them; all without any")
    given = parser.parse_args()
    parts = given.parts or PARTS
    found: dict[str, Any] = {"cores": os.cpu_count()}
    if "readers" in parts:
        found["readers"] = readers.measured()
    if "one-file" in parts:
        found["one_file"] = asyncio.run(_measure_one_file(given.runs))
    if "proofs" in parts:
        found["proofs"] = asyncio.run(_measure(given.files, given.runs, given.suite_seconds))
        by_name = {row["name"]: row for row in found["proofs"]}
        first, last = by_name["feature 10 of a list"], by_name[f"feature {MANY} of a list"]
        found["feature_200_to_10"] = {
            what: round(last[what] / first[what], 2) for what in ("total_s", "own_ms", "own_cpu_ms")
        }
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {given.runs}")
    for row in found.get("readers", ()):
        told = f"{row['quarter_s']:.3f} s, four times as much {row['whole_s']:.3f} s (x{row['ratio']})"
        print(f"{row['name']:32} {told}")
    for row in [*([found["one_file"]] if "one_file" in found else []), *found.get("proofs", ())]:
        print(
            f"{row['name']:24} total {row['total_s']:.2f} s, in {row['commands']} test commands"
            f" {row['tests_s']:.2f} s, own {row['own_ms']} ms ({row['own_percent']} %; least"
            f" {row['own_ms_least']} ms; CPU {row['own_cpu_ms']} ms)"
        )
    if ratios := found.get("feature_200_to_10"):
        print(f"feature {MANY} to feature 10: total x{ratios['total_s']}, own x{ratios['own_ms']}")


if __name__ == "__main__":
    main()
