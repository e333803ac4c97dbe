"""Waiting for what a test is about: until it is so, and for long enough on a busy machine."""

import asyncio
import inspect
import time

LONG_S = 60
PAUSE_S = 0.02
LATE = "it did not come to pass in time"


def away(name):
    """For a shell, after `setsid NAME ... &`: wait until that left the shell's group, which ends with it."""
    return f"until grep -qa ^{name} /proc/$!/cmdline; do sleep 0.02; done"


def wait_for(condition, *, seconds=LONG_S):
    """What `condition()` gives, once that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, LATE
        time.sleep(PAUSE_S)
    return found


async def until(condition, *, seconds=LONG_S):
    """As `wait_for`; the condition may be a coroutine function."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, LATE
        await asyncio.sleep(PAUSE_S)
