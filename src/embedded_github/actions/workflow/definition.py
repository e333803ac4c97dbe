"""A workflow file as typed values: what starts it, what it may, what it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Scalar = str | int | float | bool | None
"""A value of the file; a string may carry `${{ }}` that is evaluated later."""


class WorkflowError(ValueError):
    """A workflow file that GitHub would refuse, or that means something the player cannot do."""


@dataclass(frozen=True)
class Input:
    """An input of `workflow_dispatch`: `type` is string, boolean, choice, number or environment."""

    name: str
    type: str = "string"
    required: bool = False
    default: Scalar = None
    options: tuple[str, ...] = ()

    def typed(self, text: str | None) -> Scalar:
        """The value as the `inputs` context has it: booleans and numbers are real ones."""
        if self.type == "boolean":
            return (text or "").lower() == "true"
        if self.type == "number":
            return float(text) if text else 0
        return text if text is not None else ""


@dataclass(frozen=True)
class Trigger:
    """One event under `on:`.

    Args:
        event: its name.
        types: activity types it is limited to; None takes the event's default.
        include: branch or tag patterns, by `branches` or `tags`; empty takes all.
        exclude: patterns of `branches-ignore` or `tags-ignore`, by `branches` or `tags`.
        inputs: of `workflow_dispatch` or `workflow_call`.
        secrets: of `workflow_call`: whether each must be given.
        outputs: of `workflow_call`: each an expression over `jobs`.
        crons: of `schedule`.
        workflows: the names of those that `workflow_run` follows.
        unsupported: keys that the player does not know and that would change when it starts.
    """

    event: str
    types: tuple[str, ...] | None = None
    include: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    secrets: Mapping[str, bool] = field(default_factory=dict)
    outputs: Mapping[str, Scalar] = field(default_factory=dict)
    crons: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()

    def takes(self, action: str | None) -> bool:
        """Whether an activity type starts it."""
        types = self.types if self.types is not None else DEFAULT_TYPES.get(self.event)
        return types is None or action in types

    def takes_ref(self, kind: str, name: str) -> bool:
        """Whether a branch or tag starts it: `kind` is `branches` or `tags`."""
        if kind not in self.include and kind not in self.exclude:
            other = {"branches": "tags", "tags": "branches"}[kind]
            # A filter on branches alone leaves tags out, and the other way round.
            return other not in self.include and other not in self.exclude
        if any(_glob(pattern).fullmatch(name) for pattern in self.exclude.get(kind, ())):
            return False
        if kind not in self.include:
            return True
        taken = False
        for pattern in self.include[kind]:
            negative = pattern.startswith("!")
            if _glob(pattern.removeprefix("!")).fullmatch(name):
                taken = not negative
        return taken


DEFAULT_TYPES: Mapping[str, tuple[str, ...]] = {
    "pull_request": ("opened", "synchronize", "reopened"),
    "pull_request_target": ("opened", "synchronize", "reopened"),
}
"""Activity types where an event without `types:` does not take all."""


@dataclass(frozen=True)
class Concurrency:
    """`group` and `cancel_in_progress` may be expressions; `queue` is single or max."""

    group: str
    cancel_in_progress: Scalar = False
    queue: str = "single"


@dataclass(frozen=True)
class Step:
    """One step: either `uses` or `run`."""

    number: int
    id: str = ""
    name: str = ""
    condition: Scalar = None
    uses: str = ""
    run: str = ""
    shell: str = ""
    working_directory: str = ""
    with_: Mapping[str, Scalar] = field(default_factory=dict)
    env: Mapping[str, Scalar] = field(default_factory=dict)
    continue_on_error: Scalar = False
    timeout_minutes: Scalar = None

    @property
    def title(self) -> str:
        """What the log calls it."""
        if self.name:
            return self.name
        return f"Run {self.uses}" if self.uses else f"Run {self.run.strip().partition(chr(10))[0]}"


Permissions = Mapping[str, str]
"""Permission name to none, read or write; what is not named is none."""


@dataclass(frozen=True)
class Call:
    """A reusable workflow that a job calls: `secrets` is None where all are inherited."""

    uses: str
    with_: Mapping[str, Scalar] = field(default_factory=dict)
    secrets: Mapping[str, Scalar] | None = field(default_factory=dict)


@dataclass(frozen=True)
class Strategy:
    """A matrix, whole or in part expressions, and how its jobs are played."""

    matrix: Mapping[str, Any] | str
    fail_fast: Scalar = True
    max_parallel: Scalar = None


@dataclass(frozen=True)
class Job:
    """One job: `steps`, or `call`. `permissions` is None where only the workflow's hold."""

    key: str
    name: str = ""
    needs: tuple[str, ...] = ()
    condition: Scalar = None
    permissions: Permissions | None = None
    concurrency: Concurrency | None = None
    env: Mapping[str, Scalar] = field(default_factory=dict)
    outputs: Mapping[str, Scalar] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    runs_on: str = ""
    timeout_minutes: Scalar = None
    continue_on_error: Scalar = False
    strategy: Strategy | None = None
    call: Call | None = None
    shell: str = ""
    working_directory: str = ""


@dataclass(frozen=True)
class Workflow:
    """A workflow file.

    Args:
        path: in the repository, such as `.github/workflows/loop.yml`.
        problems: why no run of it can start (GitHub's `startup_failure`); empty for a good file.
    """

    path: str
    name: str = ""
    run_name: str = ""
    on: Mapping[str, Trigger] = field(default_factory=dict)
    permissions: Permissions | None = None
    env: Mapping[str, Scalar] = field(default_factory=dict)
    concurrency: Concurrency | None = None
    jobs: Mapping[str, Job] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The file's name, by which the API knows it."""
        return self.path.rpartition("/")[2]

    @property
    def title(self) -> str:
        """Its name, or its path."""
        return self.name or self.path


def _glob(pattern: str) -> re.Pattern[str]:
    """GitHub's filter patterns: `*` stops at a slash, `**` does not; `?`, `+`, `[]` as in a regular one."""
    text, index = "", 0
    while index < len(pattern):
        char = pattern[index]
        if pattern.startswith("**", index):
            text, index = text + ".*", index + 1
        elif char == "*":
            text += "[^/]*"
        elif char in "?+[]":
            text += char
        elif char == "\\" and index + 1 < len(pattern):
            index += 1
            text += re.escape(pattern[index])
        else:
            text += re.escape(char) if char != "-" else char
        index += 1
    try:
        return re.compile(text)
    except re.error:
        raise WorkflowError(f"the filter pattern '{pattern}' is malformed") from None
