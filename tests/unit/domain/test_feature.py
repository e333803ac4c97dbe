import json

import pytest

from autonomous_loop.domain.feature import parse_feature_list, read_feature_list, slug
from autonomous_loop.errors import FeatureListError


def feature(name, **more):
    return {"id": name, "description": f"does {name}", **more}


def test_the_common_format_is_imported_and_its_passes_is_ignored():
    data = [
        {"category": "ui", "description": "Shows a clock", "steps": ["look"], "passes": True},
        {
            "category": "ui",
            "description": "Stops the clock",
            "steps": [],
            "passes": False,
            "depends_on": ["shows-a-clock"],
        },
    ]
    made = read_feature_list(json.dumps(data), source="feature_list.json", most=5)
    assert [one.id for one in made.features] == ["shows-a-clock", "stops-the-clock"]
    assert [one.priority for one in made.features] == [1, 2]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "empty"),
        ({"features": []}, "empty"),
        ("text", "holds a str"),
        ([{"description": ""}], "description"),
        ([feature("a"), feature("a")], "twice"),
        ([feature("a", depends_on=["b"])], "not in the list"),
        ([feature("a", depends_on=["b"]), feature("b", depends_on=["a"])], "wait for each other"),
        ([feature("A b")], "features.0.id"),
        ([feature("a", color="red")], "color"),
        ([feature("a"), feature("b"), feature("c"), feature("d")], "takes 3 at most"),
        ([7], "features.0"),
    ],
)
def test_a_list_that_does_not_hold_is_refused_with_the_place(data, said):
    with pytest.raises(FeatureListError, match=said):
        parse_feature_list(data, source="the list", most=3)


def test_text_that_is_not_json_is_refused():
    with pytest.raises(FeatureListError, match="not JSON"):
        read_feature_list("{", source="feature_list.json", most=3)


def test_nesting_without_end_is_refused_and_does_not_break_the_reader():
    with pytest.raises(FeatureListError):
        read_feature_list("[" * 200_000, source="feature_list.json", most=3)


def test_a_slug_is_always_an_id():
    assert slug("Über Straße — what?!", fallback="x") == "ber-stra-e-what"
    assert slug("???", fallback="feature-1") == "feature-1"
