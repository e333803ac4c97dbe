"""Older tests that can never run or fail any more, and honest work beside them, through the real verifier."""

import pytest

from verify.corpus.base import judge, refused
from verify.corpus.never_runs import HONEST, TRICKS

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("trick", TRICKS, ids=str)
async def test_it_is_refused_with_a_reason_that_names_it(world, trick):
    await refused(world, trick)


@pytest.mark.parametrize("work", HONEST, ids=str)
async def test_it_is_accepted(world, work):
    verdict = await judge(world, work)
    assert verdict.accepted, verdict.reasons
    assert verdict.proof.marks == work.marks
