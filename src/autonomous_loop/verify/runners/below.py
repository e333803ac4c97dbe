"""Lists a tree's paths as a command in one of its folders sees them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from autonomous_loop.verify.project.tree_facts import Facts
from autonomous_loop.verify.runners.base import Step


def below(step: Step, facts: Facts, *, marker: str, suffix: str) -> list[str]:
    """Return the files with this suffix below a step's folder, as the command sees them.

    Args:
        marker: a file that makes its folder a project of its own (`go.mod`); files below a nested project do
            not belong to the step.
    """
    start = f"{step.folder}/" if step.folder else ""
    inside = [step.inner(path) for path in facts.paths if path.startswith(start)]
    nested = tuple(
        f"{posixpath.dirname(path)}/" for path in inside if posixpath.basename(path) == marker and "/" in path
    )
    return [path for path in inside if path.endswith(suffix) and not path.startswith(nested)]


def folders_with(marker: str, facts: Facts, *, never: Sequence[str]) -> Iterator[str]:
    """Yield folders that hold a file of this name, deepest first: a nested project takes its own files.

    Args:
        never: names of folders whose content does not count.
    """
    found = {posixpath.dirname(path) for path in facts.by_name.get(marker, ())}
    for folder in sorted(found, key=lambda one: (-len(one.split("/")) if one else 0, one)):
        if not any(part in never or part.startswith("_") for part in folder.split("/")):
            yield folder
