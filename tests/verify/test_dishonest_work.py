"""The dishonest part of the corpus as a whole; its cases run in `test_tricks_*.py`."""

import pytest

from verify.corpus import TRICKS
from verify.corpus.older_tests import WAYS
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes


def test_the_corpus_is_large_and_names_each_case_once():
    names = [*map(str, TRICKS), *WAYS]
    assert len(set(names)) == len(names) >= 150


@pytest.mark.asyncio(loop_scope="session")
async def test_equal_failures_have_equal_signatures(world):
    await world.start(START)
    broken = DOUBLE_TEST | {"calc.py": DOUBLE["calc.py"].replace("a + b", "object()")}
    first = await world.submit(broken, "tests/test_double.py")
    second = await world.submit(broken, "tests/test_double.py")
    assert codes(first) == codes(second) == ["regression"]
    assert first.signature == second.signature
    assert "object object at 0x..." in first.reasons[0].text
