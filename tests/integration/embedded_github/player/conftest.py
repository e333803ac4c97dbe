import pytest

from integration.embedded_github.player_world import World


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as made:
        yield made
