import pytest

from autonomous_loop.agent.models import ModelFacts


@pytest.mark.parametrize(
    ("takes", "wanted", "given"),
    [
        (("low", "medium", "high", "xhigh", "max"), "xhigh", "xhigh"),
        (("low", "medium", "high"), "max", "high"),
        (("medium", "high"), "low", "medium"),
        ((), "high", None),
    ],
)
def test_an_effort_the_model_does_not_take_becomes_the_nearest_it_does(takes, wanted, given):
    assert ModelFacts("m", window=1, max_output=1, efforts=takes).effort(wanted) == given
