"""What whole loops share."""

import pytest

from container_engine import built_engine


@pytest.fixture(scope="session")
def engine():
    """One container engine for the whole test run, with the image built from this checkout."""
    with built_engine() as made:
        yield made
