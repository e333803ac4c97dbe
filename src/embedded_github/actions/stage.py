"""What jobs are played with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from embedded_github.actions.artifacts.store import Artifacts
from embedded_github.actions.ports import Forge, JobRunner
from embedded_github.actions.runs import Runs


@dataclass(frozen=True)
class Stage:
    """What jobs are played with.

    Args:
        folder: `jobs/` and `logs/` are made below it.
        action_sources: folders of actions by name.
        max_jobs: how many are played at once; further ones are queued in order.
    """

    folder: Path
    forge: Forge
    runner: JobRunner
    runs: Runs
    artifacts: Artifacts
    action_sources: Mapping[str, Path]
    max_jobs: int
    clock: Callable[[], datetime]
