"""The test runners that the loop knows."""

from __future__ import annotations

from collections.abc import Sequence

from autonomous_loop.verify.runners.any_command import AnyCommand
from autonomous_loop.verify.runners.base import Runner
from autonomous_loop.verify.runners.cargo import Cargo
from autonomous_loop.verify.runners.go import Go
from autonomous_loop.verify.runners.jest import Jest
from autonomous_loop.verify.runners.mocha import Mocha
from autonomous_loop.verify.runners.node_test import NodeTest
from autonomous_loop.verify.runners.playwright import Playwright
from autonomous_loop.verify.runners.pytest import Pytest
from autonomous_loop.verify.runners.vitest import Vitest

# The loop asks them in this order; the first that recognises a command gets it.
RUNNERS: Sequence[Runner] = (
    Pytest(),
    Go(),
    Cargo(),
    Vitest(),
    Jest(),
    Mocha(),
    NodeTest(),
    Playwright(),
    AnyCommand(),
)
