import asyncio
import json
import os
import signal
import threading
import time

import pytest

from autonomous_loop.verify.syntax import isolation as room
from autonomous_loop.verify.syntax.isolation import Unread, apart


async def test_results_come_in_order_and_from_another_process():
    first, second, third = await apart([(len, ("abc",)), (os.getpid, ()), (len, ("",))])
    assert (first, third) == (3, 0)
    assert second != os.getpid()


async def test_what_ends_the_process_is_unread_and_the_rest_is_read():
    calls = [(len, ("a",)), (signal.raise_signal, (signal.SIGSEGV,)), (len, ("ab",))]
    assert await apart(calls) == [1, Unread("what reads it was ended by SIGSEGV"), 2]


async def test_what_takes_too_long_is_unread_even_where_nothing_in_it_looks_up():
    # One call into C that holds the interpreter: no thread, and no handler of a signal, could end it.
    calls = [(pow, (3, 10**9)), (len, ("ab",))]
    found, after = await apart(calls, cpu_s=0.2)
    assert found == Unread("it takes more than 0.2 s of the processor")
    assert after == 2


async def test_what_is_too_deep_or_too_large_is_unread():
    deep, large, fine = await apart([(json.loads, ("[" * 100_000,)), (bytearray, (10**10,)), (len, ("ab",))])
    assert deep == Unread("it is nested too deeply")
    assert "memory" in large.why
    assert fine == 2


async def test_all_together_have_a_deadline():
    calls = [(len, ("a",)), (time.sleep, (600,)), (len, ("ab",))]
    found = await apart(calls, all_s=1.0)
    assert found[1] == found[2] == Unread("there was no time left of the 1 s that reading may take")


async def test_a_stop_is_heard_and_ends_the_process(monkeypatch):
    pids, begun = [], threading.Event()
    real = asyncio.create_subprocess_exec

    async def noted(*arguments, **options):
        process = await real(*arguments, **options)
        pids.append(process.pid)
        begun.set()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    reading = asyncio.create_task(apart([(time.sleep, (600,))]))
    async with asyncio.timeout(60):
        await asyncio.to_thread(begun.wait)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_it_gets_no_environment_of_ours(monkeypatch):
    monkeypatch.setenv("TOKEN", "x")
    assert (await apart([(os.getenv, ("TOKEN",))])) == [None]


async def test_a_process_that_does_not_start_is_our_own_fault(monkeypatch):
    monkeypatch.setattr(room, "_PROGRAM", "import no_such_module")
    with pytest.raises(RuntimeError, match="no_such_module"):
        await apart([(len, ("a",))])
