"""Finds and runs the project's own format, lint, type and build commands.

They come from the configuration, or from files of the base that clearly declare them. A command that is not
clean on the untouched base is not required later, such as a missing tool or a lint that was red from the
start.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.model import TreeSha
from autonomous_loop.domain.proof import Baseline, GateRun, Reason
from autonomous_loop.engine.ports import Sandbox
from autonomous_loop.verify.execution.bench import TestBench
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.refused import Refused
from autonomous_loop.verify.results.wording import listed

EXCERPT = 2_500
MOST_CHANGED = 20
SCRIPTS = ("format:check", "lint", "typecheck", "type-check", "build")
_LOCKS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun"}
_GOFMT = 'wrong=$(gofmt -l .) && echo "$wrong" && test -z "$wrong"'


class ProjectGates:
    """Runs the project's gates.

    Args:
        bench: holds the work tree they run in.
        sandbox: runs them.
        config: lists them and their deadline.
    """

    def __init__(self, bench: TestBench, sandbox: Sandbox, config: LoopConfig) -> None:
        self._bench = bench
        self._sandbox = sandbox
        self._config = config

    async def on_base(self, tree: TreeSha) -> tuple[GateRun, ...]:
        """Run every gate on the untouched base, which is in the work tree."""
        commands = self._config.gates
        if not commands and self._config.detect_gates:
            commands = detect(self._bench.facts.of(tree))
        runs = []
        for command in commands:
            await self._bench.put_up(tree)
            run = await self._run(command, tree)
            # Do not blame this command for files that the one before it left.
            changed = await self._bench.changes_since(tree)
            runs.append(run.model_copy(update={"changed": tuple(changed[:MOST_CHANGED])}))
        return tuple(runs)

    async def check(self, tree: TreeSha, baseline: Baseline) -> tuple[GateRun, ...]:
        """Run the gates that were clean on the base, on the candidate in the work tree.

        Raises:
            Refused: a gate fails or changes files of the project.
        """
        runs = [await self._run(one.command, tree) for one in baseline.gates if one.clean]
        if not runs:
            return ()
        if failed := [one for one in runs if not one.clean]:
            raise Refused(*(Reason(code="gate", text=self._why(one)) for one in failed))
        if changed := await self._bench.changes_since(tree):
            text = (
                f"The project's own commands ({', '.join(one.command for one in runs)}) changed files while"
                f" they checked: {listed(changed)}. Run them yourself and hand in what they leave."
            )
            raise Refused(Reason(code="gate", text=text))
        return tuple(runs)

    async def _run(self, command: str, tree: TreeSha) -> GateRun:
        done = await self._sandbox.run(
            ["bash", "-c", command], timeout_s=self._config.command_timeout_s, max_output=400_000
        )
        return GateRun(
            command=command,
            tree=tree,
            exit_code=done.exit_code,
            duration_s=round(done.duration_s, 3),
            excerpt=self._bench.wording.tail(done.text, EXCERPT),
        )

    def _why(self, run: GateRun) -> str:
        limit = self._config.command_timeout_s
        how = f"exit code {run.exit_code}" if run.exit_code is not None else f"no end within {limit:g} s"
        return f"{run.command}: {how}\n{run.excerpt}"


def detect(facts: Facts) -> tuple[str, ...]:
    """Return the gates that files in the project's root clearly declare, each once."""
    there = facts.every_path
    found = [*_python(facts), *_node(facts)]
    if "go.mod" in there:
        found += ["go vet ./...", _GOFMT]
    if "Cargo.toml" in there:
        found += ["cargo fmt --check", "cargo clippy --quiet -- -D warnings"]
    makefile = next((name for name in ("GNUmakefile", "makefile", "Makefile") if name in there), "")
    if makefile and re.search(rb"^lint\s*:(?!=)", facts.read(makefile) or b"", re.MULTILINE):
        found.append("make lint")
    return tuple(dict.fromkeys(found))


def _python(facts: Facts) -> Iterator[str]:
    tools = _table(_toml(facts.read("pyproject.toml")), "tool")
    if "ruff" in tools or facts.every_path & {"ruff.toml", ".ruff.toml"}:
        yield "ruff check"
        yield "ruff format --check"
    settings = dict(_table(tools, "mypy"))
    told = "mypy" in tools
    for name in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        if name in facts.every_path and (section := _section(facts.read(name), "mypy")) is not None:
            told, settings = True, {**settings, **section}
    if told:
        # If no files are configured, mypy must be told where to look.
        yield "mypy" if settings.keys() & {"files", "packages", "modules"} else "mypy ."


def _node(facts: Facts) -> Iterator[str]:
    try:
        package = json.loads(facts.read("package.json") or b"{}")
    except ValueError:
        return
    scripts = _table(package if isinstance(package, dict) else {}, "scripts")
    manager = next((name for lock, name in _LOCKS.items() if lock in facts.every_path), "npm")
    for name in SCRIPTS:
        if isinstance(scripts.get(name), str) and scripts[name].strip():
            yield f"{manager} run {name}"


def _toml(data: bytes | None) -> Mapping[str, Any]:
    try:
        return tomllib.loads((data or b"").decode())
    except ValueError:
        return {}


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _section(data: bytes | None, name: str) -> Mapping[str, str] | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string((data or b"").decode())
    except (configparser.Error, ValueError):
        return None
    return dict(parser[name]) if parser.has_section(name) else None
