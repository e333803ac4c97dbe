"""Older tests that can never run or fail, or rest on less than they did, and honest work beside them."""

import pytest

from verify.corpus import around_tests, never_runs
from verify.corpus.base import judge, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("trick", [*never_runs.TRICKS, *around_tests.TRICKS], ids=str)
async def test_it_is_refused_with_a_reason_that_names_it(world, trick):
    await refused(world, trick)


@pytest.mark.parametrize("work", [*never_runs.HONEST, *around_tests.HONEST], ids=str)
async def test_it_is_accepted(world, work):
    verdict = await judge(world, work)
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == work.marks
