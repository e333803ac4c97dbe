"""One step as a process that ends like a container, with the runner's signals."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded_github.actions.ports import JobControl

_CONTAINER = Path(__file__).with_name("container.py")
_LINE_BYTES = 64 * 1024
"""A longer line is logged in pieces."""
_HANGUP_S = 8.0
"""How long `container.py` has for its sweep before it is killed itself."""


@dataclass(frozen=True)
class Grace:
    """The runner's patience, in seconds: SIGINT, `interrupt_s`, SIGTERM, `terminate_s`, then it is killed.

    `cancelled_job_s` is what a cancelled job has for its remaining steps (GitHub: five minutes).
    """

    interrupt_s: float = 7.5
    terminate_s: float = 2.5
    cancelled_job_s: float = 300.0


class Patience:
    """When a job must end: by cancel, by its time limit, or at once.

    Args:
        control: the player's wish.
        timeout_s: the job's limit.
        grace: how a job ends.
    """

    def __init__(self, control: JobControl, timeout_s: float, grace: Grace) -> None:
        self.control = control
        self.grace = grace
        self.timed_out = False
        self._deadline = time.monotonic() + timeout_s
        self._window = math.inf

    @property
    def cancelled(self) -> bool:
        """Whether the job is being cancelled, by a person, by concurrency or by its own limit."""
        now = time.monotonic()
        if not self.control.cancelled and now >= self._deadline:
            self.timed_out = True
        over = self.control.cancelled or self.timed_out
        if over and math.isinf(self._window):
            self._window = now + self.grace.cancelled_job_s
        return over

    @property
    def killed(self) -> bool:
        """Whether nothing may run any more."""
        return self.control.killed or time.monotonic() >= self._window

    @property
    def next_change(self) -> float:
        """The monotonic time at which one of the above may change by itself."""
        return self._window if self.cancelled else self._deadline


def play(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    pidfile: Path,
    on_line: Callable[[str], None],
    patience: Patience,
    goes_on: Callable[[], bool],
    timeout_s: float = math.inf,
) -> int | None:
    """Run a command; return its exit status, or None when it had to be ended.

    Args:
        command: the program and its arguments.
        env: its whole environment.
        cwd: where it starts.
        pidfile: where its process id is written.
        on_line: gets each line of its output, in order, on another thread.
        patience: the job's.
        goes_on: whether it may run on although the job is cancelled (its `if:` is `always()`).
        timeout_s: the step's own limit.
    """
    pidfile.unlink(missing_ok=True)  # the last step's: its number may be another's by now
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_CONTAINER), str(pidfile), *command],
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    done = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        try:
            with process.stdout as stream:
                while line := stream.readline(_LINE_BYTES):
                    on_line(line.decode(errors="replace").rstrip("\r\n"))
            process.wait()
        finally:
            done.set()
            patience.control.wake()

    reader = threading.Thread(target=read, name=f"step-{process.pid}", daemon=True)
    reader.start()
    patience.control.pidfile = pidfile
    try:
        ended = _attend(process, done, patience, goes_on, time.monotonic() + timeout_s)
    finally:
        patience.control.pidfile = None
        if not done.is_set():
            process.kill()
        reader.join()
    return None if ended else process.returncode


def _attend(
    process: subprocess.Popen[bytes],
    done: threading.Event,
    patience: Patience,
    goes_on: Callable[[], bool],
    deadline: float,
) -> bool:
    """Wait for the process, and end it when it must; returns whether that was so."""
    grace, control = patience.grace, patience.control
    ladder = [
        (signal.SIGINT, grace.interrupt_s),
        (signal.SIGTERM, grace.terminate_s),
        (signal.SIGHUP, _HANGUP_S),
        (signal.SIGKILL, math.inf),
    ]
    hangup = 2
    rung, due = 0, math.inf
    while not done.is_set():
        seen, now = (control.cancelled, control.killed), time.monotonic()
        if patience.killed and rung <= hangup:
            rung, due = hangup, now
        elif math.isinf(due) and rung == 0 and (now >= deadline or (patience.cancelled and not goes_on())):
            due = now
        if now >= due:
            number, pause = ladder[rung]
            process.send_signal(number)
            rung, due = rung + 1, now + pause
            continue
        limits = [due, patience.next_change] if not patience.killed else [due]
        if rung == 0:
            limits.append(deadline)
        control.wait(done, seen=seen, until=min(limits))
    return rung > 0
