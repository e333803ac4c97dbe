"""Reads untrusted text in a separate process, which can be ended and does not block the loop.

A text can make its reader work as long, as deeply or as badly as its author wants. The separate process has a
limit of processor time and of memory, and damage to its interpreter ends with it. A text that was being read
when the process died counts as unread: see `Unread`.

The process gets none of the loop's environment, knows only functions of this package, and takes its work
through a pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import pickle
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

Call = tuple[Callable[..., Any], tuple[Any, ...]]
# Processor seconds and bytes of memory for one call, more than twenty times what 10,000 lines need.
CPU_S = 20.0
MEMORY = 2_000_000_000
DEPTH, DIGITS = 5_000, 50_000
# Seconds for all calls together, whatever else the machine does meanwhile.
ALL_S = 300.0
_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop());"
    " from autonomous_loop.verify.syntax.isolation import serve; serve()"
)
_ROOT = str(Path(__file__).parents[3])


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands in place of a result that does not exist.

    Attributes:
        why: the reason; follows "could not be read:".
    """

    why: str


async def apart(calls: Sequence[Call], *, cpu_s: float = CPU_S, all_s: float = ALL_S) -> list[Any]:
    """Run the calls in a separate process; return each result, or `Unread`.

    Args:
        calls: importable functions of this package, with arguments that can be pickled.

    Raises:
        RuntimeError: the process does not start.
    """
    found: list[Any] = []
    deadline = asyncio.get_running_loop().time() + all_s
    while len(found) < len(calls):
        left = deadline - asyncio.get_running_loop().time()
        results, ended = await _process(calls[len(found) :], cpu_s, max(left, 0.0))
        found += results
        if ended is None:
            late = Unread(f"there was no time left of the {all_s:g} s that reading may take")
            found += [late] * (len(calls) - len(found))
        elif len(found) < len(calls):
            found.append(_died(ended, cpu_s))
    return found


async def _process(calls: Sequence[Call], cpu_s: float, left_s: float) -> tuple[list[Any], int | None]:
    """Return the results until the process ended, and its exit code; None: the time ran out."""
    if left_s <= 0:
        return [], None
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", _PROGRAM, _ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        cwd="/", env={},
    )  # fmt: skip
    try:
        async with asyncio.timeout(left_s):
            said, errors = await process.communicate(pickle.dumps((cpu_s, list(calls))))
    except TimeoutError:
        return [], None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode and process.returncode > 0:
        raise RuntimeError(
            f"the process that reads sources failed: {errors.decode('utf-8', 'replace')[-2_000:]}"
        )
    return _results(said), process.returncode


def _results(said: bytes) -> list[Any]:
    found: list[Any] = []
    stream = io.BytesIO(said)
    with contextlib.suppress(EOFError, pickle.UnpicklingError):  # the process died while it wrote
        while stream.tell() < len(said):
            found.append(pickle.load(stream))  # noqa: S301 - of our own process
    return found


def _died(code: int, cpu_s: float) -> Unread:
    if code == -signal.SIGPROF:
        return Unread(f"it takes more than {cpu_s:g} s of the processor")
    return Unread(f"what reads it was ended by {signal.Signals(-code).name if code < 0 else code}")


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 - whatever it returns
    """Return the function's result, or `Unread` if the text is too much for the interpreter."""
    try:
        return function(*arguments)
    except RecursionError:
        return Unread("it is nested too deeply")
    except MemoryError:
        return Unread("it takes too much memory, or is nested too deeply")
    except Exception as error:  # noqa: BLE001 - whatever it is: what is not read must not pass for read
        return Unread(f"{type(error).__name__}: {str(error)[:200]}")


def serve() -> None:
    """Serve as the process: take calls from standard input, write each result to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Long chains of calls and sums are honest. A text that exhausts the stack ends this process, not the
    # loop.
    sys.setrecursionlimit(DEPTH)
    sys.set_int_max_str_digits(DIGITS)
    # A tree has no cycles, and the search for cycles takes longer the larger the tree is.
    gc.disable()
    out: BinaryIO = sys.stdout.buffer
    cpu_s, calls = pickle.load(sys.stdin.buffer)  # noqa: S301 - of our own process
    for function, arguments in calls:
        # Nothing catches this signal, so it ends the process whatever it is doing.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        result = pickle.dumps(attempt(function, *arguments))
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write(result)
        out.flush()
