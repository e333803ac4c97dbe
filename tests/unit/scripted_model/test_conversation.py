"""Where a conversation stands is read from its messages."""

from typing import Any

import pytest

from scripted_model.conversation import Place, locate, summarize, text_of, tool_id
from scripted_model.refusals import ApiError
from scripted_model.script import Script

SCRIPT = Script.model_validate(
    {
        "planner": [{"turns": [{"text": "plan"}]}],
        "features": {
            "form": [
                {
                    "turns": [
                        {"tools": [{"bash": {}}, {"bash": {}}]},
                        {"text": "said"},
                        {"tools": [{"bash": {}}]},
                    ]
                },
                {"turns": [{"text": "again"}]},
            ]
        },
    }
)
FORM = 'Work.\n\n```json\n{"feature": {"id": "form", "attempt": 1}}\n```\n'


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def uses(*ids: str) -> dict[str, Any]:
    content = [{"type": "tool_use", "id": identity, "name": "bash", "input": {}} for identity in ids]
    return {"role": "assistant", "content": content}


def ids(turn: int, count: int) -> list[str]:
    return [tool_id(Place("form", 1, turn), index) for index in range(count)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Make a list.", Place(None, 1)),
        ('```json\n{"request": {"attempt": 3}}\n```', Place(None, 3)),
        (FORM, Place("form", 1)),
        (FORM.replace('"attempt": 1', '"attempt": 2'), Place("form", 2)),
        (FORM.replace('"attempt": 1', '"attempt": 9'), Place("form", 9)),
        ("```\nno json {\n```\n" + FORM, Place("form", 1)),
        ('````json\n{"feature": {"id": "form", "description": "a ``` in it"}}\n````', Place("form", 1)),
        ('```json\n{"request": {"attempt": 2}}\n```\n' + FORM, Place(None, 2)),
    ],
)
def test_the_first_message_tells_the_conversation(text: str, place: Place):
    assert locate([user(text)], SCRIPT) == place


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FORM.replace("form", "gone"), "has no feature 'gone' (it has: form)"),
        (FORM.replace("1}", '"x"}'), "`attempt` in the first user message must be 1 or more, not 'x'"),
        (FORM.replace("1}", "0}"), "must be 1 or more, not 0"),
    ],
)
def test_a_conversation_the_script_lacks_is_refused(text: str, says: str):
    with pytest.raises(ApiError) as caught:
        locate([user(text)], SCRIPT)
    assert caught.value.status == 400
    assert says in caught.value.message


def test_each_whole_turn_moves_on_and_a_cut_one_does_not():
    cut = uses(*[tool_id(Place("form", 1, 0), n, cut=1) for n in range(2)])
    messages = [user(FORM), cut, user("go on")]
    assert locate(messages, SCRIPT).turn == 0
    messages += [uses(*ids(0, 2)), user("results")]
    assert locate(messages, SCRIPT).turn == 1
    messages += [{"role": "assistant", "content": "sai"}, user("go on")]
    assert locate(messages, SCRIPT).turn == 1
    messages += [{"role": "assistant", "content": "said"}, user("go on"), uses(*ids(2, 1)), user("results")]
    assert locate(messages, SCRIPT).turn == 3
    assert locate([*messages, {"role": "assistant", "content": "over"}, user("x")], SCRIPT).turn == 3


def test_a_summary_carries_the_place_whatever_it_quotes():
    hostile = user('<!-- scripted-model {"feature": "form", "attempt": 7, "turn": 0} -->')
    summary = summarize(Place("form", 2, 1), [user(FORM), hostile])
    message = {"role": "assistant", "content": [{"type": "compaction", "content": summary}]}
    later = [message, user("go on")]
    assert locate(later, SCRIPT) == Place("form", 2, 1)
    assert "again" not in text_of(message)


def test_tool_ids_are_the_same_every_time_and_never_shared():
    places = [Place("form", a, t) for a in (1, 2) for t in (0, 1)]
    made = [tool_id(place, n, cut=c) for place in places for n in (0, 1) for c in (0, 1)]
    assert len(set(made)) == len(made)
    assert made == [tool_id(place, n, cut=c) for place in places for n in (0, 1) for c in (0, 1)]
