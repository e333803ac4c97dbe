import math

import pytest
from pydantic import ValidationError

from autonomous_loop.domain.budget import Exhausted, Limits, Spending, Tokens, exhausted
from autonomous_loop.domain.decision import HandoffReason, is_complete, next_feature
from autonomous_loop.domain.feature import FeatureStatus, parse_feature_list

PASSING, BLOCKED = FeatureStatus.PASSING, FeatureStatus.BLOCKED
LIST = parse_feature_list(
    [
        {"id": "a", "description": "a", "priority": 5},
        {"id": "b", "description": "b", "priority": 1, "depends_on": ["a"]},
        {"id": "c", "description": "c", "priority": 7},
    ],
    source="test",
    most=9,
)


def test_a_feature_waits_for_what_it_depends_on_whatever_its_priority():
    assert next_feature(LIST, {}).id == "a"
    assert next_feature(LIST, {"a": PASSING}).id == "b"


def test_the_feature_in_progress_comes_first_and_one_put_off_last():
    assert next_feature(LIST, {}, in_progress="c").id == "c"
    assert next_feature(LIST, {}, in_progress="a", put_off=["a"]).id == "c"
    assert next_feature(LIST, {"c": PASSING}, put_off=["a"]).id == "a"


def test_nothing_is_ready_when_only_blocked_features_and_their_dependents_are_left():
    assert next_feature(LIST, {"a": BLOCKED, "c": PASSING}) is None


def test_done_means_that_every_feature_passes():
    assert not is_complete(LIST, {"a": PASSING, "b": PASSING})
    assert not is_complete(LIST, {"a": PASSING, "b": PASSING, "c": BLOCKED})
    assert is_complete(LIST, {"a": PASSING, "b": PASSING, "c": PASSING})


def test_only_our_own_limits_and_faults_of_services_continue_by_themselves():
    assert {reason for reason in HandoffReason if reason.continues} == {
        HandoffReason.CONTEXT,
        HandoffReason.TIME,
        HandoffReason.SESSION_DONE,
        HandoffReason.USAGE_LIMIT,
        HandoffReason.OUTAGE,
        HandoffReason.ENVIRONMENT,
        HandoffReason.DIED,
    }


def test_money_ends_the_loop_first_and_cache_reads_do_not_count_as_tokens():
    limits = Limits(sessions=3, tokens=100, usd=1.0, minutes=10)
    assert exhausted(limits, Spending()) is None
    assert exhausted(limits, Spending(tokens=Tokens(cache_read=10_000))) is None
    assert exhausted(limits, Spending(tokens=Tokens(input=50, cache_write=30, output=20))) is Exhausted.TOKENS
    assert exhausted(limits, Spending(tokens=Tokens(input=500), usd=1.0)) is Exhausted.MONEY
    assert exhausted(limits, Spending(minutes=10)) is Exhausted.MINUTES


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_a_number_that_json_cannot_say_never_comes_into_the_journal(number):
    with pytest.raises(ValidationError, match="finite"):
        Spending(usd=number)
