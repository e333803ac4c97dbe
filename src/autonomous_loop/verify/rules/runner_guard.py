"""Refuses changes to what decides which tests run and how they count.

Dependencies and fixtures may change. Outcome hooks, selection and ignore settings may not. If there was no
suite, selection settings may be created, but outcome hooks may not even then: a new suite needs none.
"""

from __future__ import annotations

import json
import platform
import posixpath
from collections.abc import Callable, Collection, Iterator, Sequence

from autonomous_loop.domain.proof import Reason
from autonomous_loop.domain.work import Change
from autonomous_loop.verify.project.pytest_settings import (
    CONFIG_NAMES,
    SHADOWING,
    parse_toml,
    runner_keys,
    settings_file,
    table_of,
)
from autonomous_loop.verify.project.selection import is_support, is_test_file
from autonomous_loop.verify.project.shell_words import split
from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.rules.cargo_settings import cargo_keys, concerns_cargo
from autonomous_loop.verify.rules.focused_tests import refuse_focus
from autonomous_loop.verify.rules.javascript_settings import CONFIG as JAVASCRIPT_CONFIG
from autonomous_loop.verify.rules.javascript_settings import loaded, section_for_tests, shares_settings
from autonomous_loop.verify.rules.runner_in_product import holds_runner
from autonomous_loop.verify.syntax import awareness, controls, read_source

# If the project contains a module of this name, it is imported in place of the runner's own.
SHADOWED = frozenset({
    "pytest", "_pytest", "pluggy", "iniconfig", "unittest", "sitecustomize", "usercustomize",
})  # fmt: skip
_LINK = "120000"
_ADVICE = "Leave it as it is, or ask a person to set runner-keys."
_PACKAGED = frozenset({"entry_points.txt", "setup.py", "setup.cfg"})
_READ_BY = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "tox": ("tox.ini", "tox.toml"),
    "nox": ("noxfile.py",),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
}

Read = Callable[[str], bytes | None]


def guard(
    changes: Sequence[Change], before: Read, after: Read, *, checkpoint: Facts, commands: Sequence[str] = ()
) -> tuple[Reason, ...]:
    """Return reasons to refuse a candidate for changes to its own judge.

    Args:
        changes: the changes between the two trees.
        before: reads a changed path of the checkpoint.
        after: reads a changed path of the candidate.
        checkpoint: facts about the checkpoint's tree.
        commands: configured commands that run tests; the files they name are part of the judge.
    """
    found: list[Reason] = []
    suite_existed = checkpoint.has_suite
    judges = _judges(commands, checkpoint)
    for change in changes:
        name = posixpath.basename(change.path)
        if change.mode_after == _LINK:
            found += _link(change, checkpoint)
        elif change.status != "D" and _shadows(change.path, checkpoint.every_path):
            text = (
                f"{change.path} would be imported in place of the module of that name. Give it another name."
            )
            found.append(Reason(code="runner-shadowed", text=text))
        elif name.endswith(".pth"):
            text = f"{change.path} is run at the start of every interpreter that finds it. Do without it."
            found.append(Reason(code="runner-shadowed", text=text))
        elif change.path in judges:
            text = f"{change.path} {judges[change.path]}. {_ADVICE}"
            found.append(Reason(code="runner-keys", text=text))
        elif name in _PACKAGED and _plugins(after(change.path)) != _plugins(before(change.path)):
            text = f"{change.path} declares plugins of pytest (pytest11), which decide about tests. {_ADVICE}"
            found.append(Reason(code="runner-keys", text=text))
        elif name.endswith(".py"):
            found += _python(
                change.path, before(change.path), after(change.path), suite_existed=suite_existed
            )
        elif suite_existed and (
            name in CONFIG_NAMES
            or name == "package.json"
            or JAVASCRIPT_CONFIG.fullmatch(name)
            or shares_settings(name)
            or concerns_cargo(change.path)
        ):
            found += _configuration(change, before(change.path), after(change.path))
        found += _focus(change, before, after, checkpoint)
        found += _product(change, before, after, checkpoint, commands)
    if suite_existed and not found:
        found += _other_file(changes, after, checkpoint)
    return tuple(found)


def _judges(commands: Sequence[str], checkpoint: Facts) -> dict[str, str]:
    """Return the project's files that take part in running its tests, and how."""
    named = {path for command in commands for path in _named(command, checkpoint)}
    how = f"runs the tests ({', '.join(commands)})"
    judges = {path: how for path in named if path in checkpoint.every_path}
    if checkpoint.has_suite and checkpoint.packages:
        judges |= dict.fromkeys(loaded(checkpoint), "is loaded by the test runner's configuration")
    return judges


def _link(change: Change, checkpoint: Facts) -> Iterator[Reason]:
    """Refuse a link in place of a test or its folder: the runner would see files that no diff shows."""
    tests = [*checkpoint.test_files, *(one for one in checkpoint.paths if one.endswith("conftest.py"))]
    hidden = any(one == change.path or one.startswith(f"{change.path}/") for one in tests)
    if hidden or is_test_file(change.path, checkpoint.settings) or change.path.endswith("conftest.py"):
        text = (
            f"{change.path} is a link now, in place of tests or among them. Put the tests there themselves."
        )
        yield Reason(code="symlink", text=text)


def _named(command: str, checkpoint: Facts) -> Iterator[str]:
    """Yield the project's files that a command runs: those it names, and files that `make` etc. read."""
    for word in split(command):
        path = posixpath.normpath(word)
        if path not in checkpoint.test_files and not is_support(path):
            yield path
        yield from _READ_BY.get(posixpath.basename(word), ())


def _shadows(path: str, paths: Collection[str]) -> bool:
    """Return whether a file creates a module with a runner's name that the project did not have.

    It does so at the root, below `src`, and in any folder that is no package: test folders are put on the
    path.
    """
    name = posixpath.basename(path)
    if name in {"sitecustomize.py", "usercustomize.py"}:
        return True
    if not name.endswith(".py"):
        return False
    parts = path.split("/")
    for depth, part in enumerate(parts):
        above = "/".join(parts[:depth])
        if part.removesuffix(".py") in SHADOWED and f"{above}/__init__.py" not in paths:
            root = posixpath.join(above, part.removesuffix(".py"))
            return not any(one == f"{root}.py" or one.startswith(f"{root}/") for one in paths)
    return False


def _python(path: str, old: bytes | None, new: bytes | None, *, suite_existed: bool) -> Iterator[Reason]:
    fault = read_source(path, new).fault
    if fault and posixpath.basename(path) == "conftest.py":
        text = (
            f"{path} cannot be parsed by the loop's Python {platform.python_version()} ({fault}), so nobody"
            " can tell what it decides about tests. Mend it, or ask a person to set runner-keys."
        )
        yield Reason(code="unreadable", text=text)
    was, now = controls(path, old), controls(path, new)
    names = {one.name for one in now}
    for one in now:
        if one in was or (not one.outcome and not suite_existed):
            continue
        what = "decides the outcome of tests" if one.outcome else "decides which tests run"
        yield Reason(
            code="outcome-hook" if one.outcome else "runner-keys",
            text=f"{path} adds or changes {one.name}, which {what}. Do without it.",
        )
    gone = sorted({one.name for one in was if one.name not in names})
    if gone and suite_existed:
        text = f"{path} had {', '.join(gone)}, which the tests ran with before. {_ADVICE}"
        yield Reason(code="runner-keys", text=text)


def _focus(change: Change, before: Read, after: Read, checkpoint: Facts) -> Iterator[Reason]:
    if change.path in checkpoint.test_files or _is_for_tests(change.path, checkpoint):
        yield from refuse_focus(change.path, before(change.path), after(change.path))


def _is_for_tests(path: str, checkpoint: Facts) -> bool:
    return is_support(path) or is_test_file(path, checkpoint.settings)


def _product(
    change: Change, before: Read, after: Read, checkpoint: Facts, commands: Sequence[str]
) -> Iterator[Reason]:
    """Refuse things that a file outside the tests does not need."""
    if change.status == "D" or _is_for_tests(change.path, checkpoint):
        return
    yield from _aware(change, before, after, _called(checkpoint, commands))
    yield from holds_runner(change.path, before(change.path), after(change.path), checkpoint)


def _called(checkpoint: Facts, commands: Sequence[str]) -> frozenset[str]:
    """Return words that may be on the command line of a test run."""
    said = {word for command in commands for word in split(command)}
    folders = {part for path in checkpoint.test_files for part in path.split("/")[:-1]}
    return frozenset({*said, *folders, *(["test"] if "manage.py" in checkpoint.by_name else [])})


def _aware(change: Change, before: Read, after: Read, called: Collection[str]) -> Iterator[Reason]:
    """Refuse a source file that newly checks whether it is being tested."""
    was = awareness(change.path, before(change.path), called)
    new = sorted(set(awareness(change.path, after(change.path), called)) - set(was))
    if new:
        text = (
            f"{change.path} looks whether it is being tested ({', '.join(new)}). Code must do the same for"
            " its tests as for everybody: use an argument or a setting. If it is meant, a person can set"
            " runner-keys."
        )
        yield Reason(code="knows-its-tests", text=text)


def _other_file(changes: Sequence[Change], after: Read, checkpoint: Facts) -> Iterator[Reason]:
    """Refuse a change of the settings file: pytest reads only the first file with a section for it."""
    changed = {change.path for change in changes}
    if not changed.intersection(CONFIG_NAMES):
        return
    was = settings_file(checkpoint.read_if_there)
    now = settings_file(lambda name: after(name) if name in changed else checkpoint.read_if_there(name))
    if was and now != was:
        text = f"pytest would read {now or 'no settings'} in place of {was}. {_ADVICE}"
        yield Reason(code="runner-keys", text=text)


def _plugins(data: bytes | None) -> list[str]:
    """Return the pytest plugins that a file declares: the lines from the group's name on."""
    text = (data or b"").decode("utf-8", "replace")
    return text.partition("pytest11")[2].splitlines()[:20] if "pytest11" in text else []


def _configuration(change: Change, old: bytes | None, new: bytes | None) -> Iterator[Reason]:
    name = posixpath.basename(change.path)
    if JAVASCRIPT_CONFIG.fullmatch(name):
        yield Reason(code="runner-keys", text=f"{change.path} configures the test runner. {_ADVICE}")
        return
    if name in SHADOWING and change.status in {"A", "D"}:
        text = f"{change.path} replaces the configuration the tests ran with before. {_ADVICE}"
        yield Reason(code="runner-keys", text=text)
        return
    was, now = _keys(change.path, old), _keys(change.path, new, new=change.status == "A")
    changed = sorted(key for key in was | now if was.get(key) != now.get(key))
    if changed:
        text = f"{change.path} changes {', '.join(changed)}, which decides what tests run or count. {_ADVICE}"
        yield Reason(code="runner-keys", text=text)


def _keys(path: str, data: bytes | None, *, new: bool = False) -> dict[str, str]:
    name = posixpath.basename(path)
    if concerns_cargo(path):
        return dict(cargo_keys(path, data, new=new))
    if shares_settings(name):
        section = section_for_tests((data or b"").decode("utf-8", "replace"))
        return {"test": section} if section else {}
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
