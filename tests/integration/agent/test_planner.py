import json

import pytest

from autonomous_loop.domain.decision import NextStep
from autonomous_loop.domain.work import HowTestsRun
from autonomous_loop.errors import DeadlineError, FeatureListError
from integration.agent.agent_world import REQUEST, RecordingControl, bash, planner_script, results

pytestmark = pytest.mark.asyncio(loop_scope="module")


def propose(*ids, **more):
    features = [
        {
            "id": one,
            "kind": "behaviour",
            "category": "backend",
            "description": f"It does {one}.",
            "steps": [],
            "priority": 1,
            "depends_on": [],
        }
        for one in ids
    ]
    return {"propose_features": {"setup": "", "test_command": "pytest", "features": features, **more}}


async def test_a_request_becomes_a_feature_list(world):
    here = world(planner_script({"tools": [bash("ls")]}, {"tools": [propose("greet", "part")]}))
    control = RecordingControl()
    made = await here.planner().plan(REQUEST, control, attempt=1, most=5, tests=HowTestsRun())
    assert [feature.id for feature in made.features] == ["greet", "part"]
    assert made.test_command == "pytest"
    first = here.bodies[0]["messages"][0]["content"][0]["text"]
    block = first.split("```json\n")[1].split("\n```")[0]
    assert json.loads(block) == {"request": {"attempt": 1, "title": REQUEST.title, "body": REQUEST.body}}
    assert "at most 5 features" in first
    assert {tool["name"] for tool in here.bodies[0]["tools"]} == {
        "bash",
        "str_replace_based_edit_tool",
        "remember",
        "propose_features",
    }
    assert len(control.turns) == 2


async def test_an_invalid_list_is_mended(world):
    here = world(planner_script({"tools": [propose("a", "a")]}, {"tools": [propose("a")]}))
    made = await here.planner().plan(REQUEST, RecordingControl(), attempt=1, most=5, tests=HowTestsRun())
    assert len(made.features) == 1
    ((text, error),) = results(here.bodies[1])
    assert error
    assert "stands twice: a" in text


@pytest.mark.parametrize("bad", [propose(), propose("a", "b", "c"), {"propose_features": {"features": 7}}])
async def test_three_invalid_lists_are_an_error_that_says_why(world, bad):
    here = world(planner_script(*[{"tools": [bad]}] * 4))
    with pytest.raises(FeatureListError, match="the proposal"):
        await here.planner().plan(REQUEST, RecordingControl(), attempt=1, most=2, tests=HowTestsRun())
    assert len(here.bodies) == 3


async def test_no_list_is_an_error_after_one_reminder(world):
    here = world(planner_script({"text": "Nothing to do."}, {"text": "There is nothing."}, {"text": "x"}))
    with pytest.raises(FeatureListError, match="There is nothing"):
        await here.planner().plan(REQUEST, RecordingControl(), attempt=1, most=5, tests=HowTestsRun())
    assert len(here.bodies) == 2


async def test_planning_that_does_not_end_in_the_session_is_a_deadline(world):
    here = world(planner_script({"tools": [bash("true")]}))
    control = RecordingControl(steps=lambda _: NextStep.HAND_OFF)
    with pytest.raises(DeadlineError, match="did not end in this session"):
        await here.planner().plan(REQUEST, control, attempt=1, most=5, tests=HowTestsRun())


async def test_a_list_that_is_there_is_taken_even_when_told_to_hand_off(world):
    here = world(planner_script({"tools": [propose("a")]}))
    control = RecordingControl(steps=lambda _: NextStep.HAND_OFF)
    assert (await here.planner().plan(REQUEST, control, attempt=1, most=5, tests=HowTestsRun())).features


async def test_an_answer_that_outlasts_the_session_is_told_to_the_loop(world):
    here = world(planner_script({"text": "late", "delay_s": 20}))
    control = RecordingControl(left_s=0.4)
    with pytest.raises(DeadlineError):
        await here.planner().plan(REQUEST, control, attempt=1, most=5, tests=HowTestsRun())
    assert len(control.turns) == 1


async def test_a_list_that_does_not_work_goes_back_with_what_was_seen(world):
    mended = propose("a", setup="make deps", test_command="uv run pytest")
    here = world(planner_script({"tools": [propose("a")]}, {"tools": [mended]}))
    control = RecordingControl(faults=["No module named 'pkg'"])
    made = await here.planner().plan(REQUEST, control, attempt=1, most=5, tests=HowTestsRun())
    assert (made.setup, made.test_command) == ("make deps", "uv run pytest")
    assert [one.test_command for one in control.tried] == ["pytest", "uv run pytest"]
    ((text, error),) = results(here.bodies[1])
    assert error
    assert "No module named 'pkg'" in text
    assert "fresh clone" in text


async def test_three_lists_that_do_not_work_are_an_error_that_says_why_and_what_to_do(world):
    here = world(planner_script(*[{"tools": [propose("a")]}] * 4))
    control = RecordingControl(faults=["the setup failed (3): x"] * 9)
    with pytest.raises(FeatureListError, match=r"the setup failed \(3\): x\n.*set setup, test-command"):
        await here.planner().plan(REQUEST, control, attempt=1, most=5, tests=HowTestsRun())
    assert len(here.bodies) == 3


async def test_the_planner_is_told_of_configured_and_guessed_commands(world):
    here = world(planner_script({"tools": [propose("a")]}))
    tests = HowTestsRun(("python -m pytest",), ("python -m pytest",), (("python", "/opt/bin/python"),))
    await here.planner(setup="make deps").plan(REQUEST, RecordingControl(), attempt=1, most=5, tests=tests)
    said = here.bodies[0]["messages"][0]["content"][0]["text"]
    assert "has the setup `make deps`" in said
    assert "would run the tests with `python -m pytest` (`python` is /opt/bin/python)" in said
