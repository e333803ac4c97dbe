from __future__ import annotations

import pytest

from autonomous_loop.domain.budget import Limits
from autonomous_loop.domain.events import RequestAdded
from autonomous_loop.domain.feature import Feature, FeatureList
from autonomous_loop.domain.late_requests import direct, estimate, joined, request_of, unique_id

LIST = FeatureList(features=(Feature(id="two", description="two works"),), test_command="pytest")


def test_a_taken_id_gets_a_number_and_stays_within_its_length():
    assert unique_id("two", {"one"}) == "two"
    assert unique_id("two", {"two", "two-2"}) == "two-3"
    long = "x" * 40
    assert unique_id(long, {long}) == "x" * 38 + "-2"


def test_later_features_stand_behind_the_others_and_keep_their_order_among_themselves():
    more = [
        Feature(id="two", description="another"),
        Feature(id="four", description="4", depends_on=("two",)),
    ]
    made, later = joined(LIST, more)
    assert [one.id for one in made.features] == ["two", "two-2", "four"]
    assert made.get("four").depends_on == ("two-2",)
    assert later == made.features[1:]
    assert made.test_command == "pytest"


def test_a_wish_may_be_one_feature_as_it_is():
    wish = RequestAdded(id="comment-1", source="add", by="mona", text="## An Atom feed\nwith dates")
    made = direct(wish, {"an-atom-feed"})
    assert made.id == "an-atom-feed-2"
    assert "An Atom feed\nwith dates" in made.description
    assert "mona" in made.description


def test_a_wish_without_a_letter_still_has_an_id():
    assert direct(RequestAdded(id="x", source="review", text="!?"), ()).id == "review"


def test_the_planner_sees_the_wishes_and_what_there_is():
    wishes = [
        RequestAdded(id="a", source="review", by="mona", text="Say hello"),
        RequestAdded(id="b", source="ci", subject="ci.yml", text="It failed"),
    ]
    request = request_of(wishes, LIST, title="Numbers")
    assert "1. mona asked for changes" in request.body
    assert "2. CI failed on the pull request:\nIt failed" in request.body
    assert "- two: two works" in request.comments[0]


@pytest.mark.parametrize(("pending", "usd", "said"), [(2, 10, "$0.70 to $3.10"), (20, 10, "$6.10 to $10.00")])
def test_an_estimate_says_what_it_is_and_never_exceeds_the_limit(pending, usd, said):
    text = estimate(pending, spent_usd=0.1, limits=Limits(sessions=4, usd=usd))
    assert text.startswith("Estimate: " + said)
    assert "prior" in text
