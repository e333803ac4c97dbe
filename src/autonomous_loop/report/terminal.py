"""Shows live progress: a bar over features on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from autonomous_loop.domain.budget import Spending
from autonomous_loop.report.log import harmless


class Shown(Protocol):
    """The fields of a progress snapshot that a surface needs."""

    @property
    def session(self) -> int:
        """The session's number."""

    @property
    def passing(self) -> int:
        """Number of features that pass."""

    @property
    def total(self) -> int:
        """Number of features."""

    @property
    def step(self) -> str:
        """The current step."""

    @property
    def spending(self) -> Spending:
        """Spending of the whole loop."""


class ProgressView:
    """Shows snapshots on one stream.

    Args:
        stream: usually standard error, because standard output is for results.
        for_runner: a GitHub runner reads the lines, so they must contain no workflow command.
    """

    def __init__(self, stream: TextIO, *, for_runner: bool = False) -> None:
        self._for_runner = for_runner
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._live = self._console.is_terminal
        self._last = ""
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[session]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[spent]}"),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, session="session 1", spent="")

    def __enter__(self) -> Self:
        if self._live:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._bar.stop()

    def __call__(self, shown: Shown) -> None:
        """Show a snapshot; print a line only for a new step."""
        spent = f"{shown.spending.tokens.total:,} tokens, ${shown.spending.usd:.2f}"
        if self._live:
            self._bar.update(
                self._task,
                completed=shown.passing,
                total=shown.total or None,
                description=shown.step,
                session=f"session {max(1, shown.session)}",
                spent=spent,
            )
        elif shown.step and shown.step != self._last:
            self._last = shown.step
            counts = f"{shown.passing}/{shown.total or '?'}"
            line = f"session {shown.session} | {counts} | {spent} | {shown.step}"
            self._console.print(harmless(line) if self._for_runner else line, markup=False)
