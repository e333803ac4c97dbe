"""For all tests: the embedded GitHub keeps to GitHub's own descriptions, and no example is timed."""

import pytest
from hypothesis import settings

from contract.hold import LEDGER, hold

# How long an example takes is the machine's business: a timed claim belongs in benchmarks/.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
hold()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    # After the last fixture has gone, those of the module and the session included.
    try:
        return (yield)
    finally:
        LEDGER.assert_clean()
