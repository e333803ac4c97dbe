"""What decides which tests run and how they count may not change along with the work it judges.

Dependencies and fixtures may change; outcome hooks, selection and ignore settings may not. Where no suite
existed, selection settings may be created; outcome hooks may not even then: a new suite needs none.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from autonomous_loop.domain.proof import Reason
from autonomous_loop.domain.work import Change
from autonomous_loop.verify.pytest_settings import CONFIG_NAMES, SHADOWING, parse_toml, runner_keys, table_of

# Hooks through which Python code decides what a test's outcome is or whether the run goes on.
OUTCOME_HOOKS = re.compile(
    r"pytest_(?:runtest_\w+|runtestloop|pyfunc_call|report_teststatus|exception_interact|sessionfinish"
    r"|cmdline_\w+|unconfigure|fixture_setup|keyboard_interrupt|internalerror|load_initial_conftests)"
)
SELECTION_HOOKS = re.compile(
    r"pytest_(?:ignore_collect|collection\w*|collect_\w+|itemcollected|deselected|pycollect_\w+"
    r"|make_collect_report|make_parametrize_id)"
)
SELECTION_NAMES = frozenset({"collect_ignore", "collect_ignore_glob", "pytest_plugins"})
# Modules that, lying in the project, are taken for the runner's own.
SHADOWED = frozenset({
    "pytest", "_pytest", "pluggy", "iniconfig", "unittest", "sitecustomize", "usercustomize",
})  # fmt: skip
JAVASCRIPT_CONFIG = re.compile(
    r"(?:jest|vitest|playwright|karma|cypress)\.config\.[cm]?[jt]s(?:on)?|\.mocharc\..*"
)

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Control:
    """Something in a file that decides about tests: its name, its content, and how grave it is."""

    name: str
    content: str
    outcome: bool


def guard(
    changes: Sequence[Change], before: Read, after: Read, *, paths: Collection[str], suite_existed: bool
) -> tuple[Reason, ...]:
    """Reasons to refuse a candidate for what it changes in its own judge.

    Args:
        changes: between the two trees.
        before: reads a path of the checkpoint.
        after: the same of the candidate.
        paths: of the checkpoint.
        suite_existed: the checkpoint has tests.
    """
    found: list[Reason] = []
    for change in changes:
        name = posixpath.basename(change.path)
        if change.status != "D" and _shadows(change.path, paths):
            text = (
                f"{change.path} would be imported in place of the module of that name. Give it another name."
            )
            found.append(Reason(code="runner-shadowed", text=text))
        elif name.endswith(".pth"):
            text = f"{change.path} is run at the start of every interpreter that finds it. Do without it."
            found.append(Reason(code="runner-shadowed", text=text))
        elif name.endswith(".py"):
            found += _python(
                change.path, before(change.path), after(change.path), suite_existed=suite_existed
            )
        elif suite_existed and (
            name in CONFIG_NAMES or name == "package.json" or JAVASCRIPT_CONFIG.fullmatch(name)
        ):
            found += _configuration(change, before(change.path), after(change.path))
    return tuple(found)


def _shadows(path: str, paths: Collection[str]) -> bool:
    """Whether a file makes a module of the runner's name that the project did not have."""
    parts = path.removeprefix("src/").split("/")
    named = parts[0].removesuffix(".py") if path.endswith(".py") else ""
    if named not in SHADOWED:
        return parts[-1] in {"sitecustomize.py", "usercustomize.py"}
    root = path[: len(path) - len("/".join(parts))] + named
    return not any(one == f"{root}.py" or one.startswith(f"{root}/") for one in paths)


def _python(path: str, old: bytes | None, new: bytes | None, *, suite_existed: bool) -> Iterator[Reason]:
    was = {(one.name, one.content) for one in controls(old)}
    for one in controls(new):
        if (one.name, one.content) in was or (not one.outcome and not suite_existed):
            continue
        what = "decides the outcome of tests" if one.outcome else "decides which tests run"
        yield Reason(
            code="outcome-hook" if one.outcome else "runner-keys",
            text=f"{path} adds or changes {one.name}, which {what}. Do without it.",
        )


def controls(source: bytes | None) -> tuple[Control, ...]:
    """Hooks and selecting names of a Python file; empty where it cannot be parsed (nor run, then)."""
    try:
        tree = ast.parse(source or b"")
    except (SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(_controls(tree))


def _controls(tree: ast.Module) -> Iterator[Control]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if OUTCOME_HOOKS.fullmatch(node.name):
                yield Control(node.name, ast.dump(node), outcome=True)
            elif SELECTION_HOOKS.fullmatch(node.name):
                yield Control(node.name, ast.dump(node), outcome=False)
        elif isinstance(node, ast.Attribute) and node.attr == "pluginmanager":
            yield Control("a use of config.pluginmanager", "", outcome=True)
        elif isinstance(node, ast.Name) and node.id in SELECTION_NAMES and isinstance(node.ctx, ast.Store):
            yield Control(node.id, _assigned(tree, node.id), outcome=False)


def _assigned(tree: ast.Module, name: str) -> str:
    """Everything that is assigned to a name, as text to compare."""
    statements = [
        node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
    ]
    return "\n".join(ast.dump(node) for node in statements if name in ast.unparse(node))


def _configuration(change: Change, old: bytes | None, new: bytes | None) -> Iterator[Reason]:
    name = posixpath.basename(change.path)
    advice = "Leave it as it is, or ask a person to set runner-keys."
    if JAVASCRIPT_CONFIG.fullmatch(name):
        yield Reason(code="runner-keys", text=f"{change.path} configures the test runner. {advice}")
        return
    if name in SHADOWING and change.status in {"A", "D"}:
        text = f"{change.path} replaces the configuration the tests ran with before. {advice}"
        yield Reason(code="runner-keys", text=text)
        return
    was, now = _keys(name, old), _keys(name, new)
    changed = sorted(key for key in was | now if was.get(key) != now.get(key))
    if changed:
        text = f"{change.path} changes {', '.join(changed)}, which decides what tests run or count. {advice}"
        yield Reason(code="runner-keys", text=text)


def _keys(name: str, data: bytes | None) -> dict[str, str]:
    if name == "package.json":
        return _package_keys(data)
    keys = dict(runner_keys(name, data))
    if name == "pyproject.toml" and data is not None:
        project = parse_toml(data.decode("utf-8", "replace"))
        plugins = table_of(project, "project", "entry-points", "pytest11")
        loop = table_of(project, "tool", "autonomous-loop")
        keys |= {"project.entry-points.pytest11": json.dumps(plugins)} if plugins else {}
        keys |= {"tool.autonomous-loop": json.dumps(loop, default=str)} if loop else {}
    return keys


def _package_keys(data: bytes | None) -> dict[str, str]:
    try:
        package = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(package, dict):
        return {}
    scripts = package.get("scripts")
    named = scripts if isinstance(scripts, dict) else {}
    keys = {f"scripts.{key}": json.dumps(named[key]) for key in sorted(named) if "test" in key}
    return keys | {
        key: json.dumps(package[key], sort_keys=True) for key in ("jest", "vitest", "mocha") if key in package
    }
