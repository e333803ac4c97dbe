"""What cannot be read, through the real verifier."""

import pytest

from verify.corpus.base import refused
from verify.corpus.unreadable import TRICKS

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("trick", TRICKS, ids=str)
async def test_it_is_refused_with_a_reason_that_names_it(world, trick):
    await refused(world, trick)
