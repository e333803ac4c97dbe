"""The test runners the loop knows."""

from __future__ import annotations

from collections.abc import Sequence

from autonomous_loop.verify.runners.any_command import AnyCommand
from autonomous_loop.verify.runners.base import Runner
from autonomous_loop.verify.runners.pytest import Pytest

# Asked in this order: the first that recognises a command has it.
RUNNERS: Sequence[Runner] = (Pytest(), AnyCommand())
