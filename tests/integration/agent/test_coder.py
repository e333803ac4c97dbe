import pytest

from autonomous_loop.domain.decision import NextStep
from autonomous_loop.domain.feature import Attempt, AttemptOutcome
from autonomous_loop.domain.work import HowTestsRun
from autonomous_loop.errors import RefusalError
from integration.agent.agent_world import (
    FEATURE,
    RecordingControl,
    bash,
    coder_script,
    edit,
    refused,
    results,
    submit,
    task,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_feature_is_built_submitted_and_accepted(world, sandbox):
    here = world(
        coder_script(
            {
                "text": "The test first.",
                "tools": [edit("create", "tests/test_a.py", file_text="assert True\n")],
            },
            {"tools": [bash("cat tests/test_a.py; exit 3")]},
            {"text": "Done.", "expect": "[exit code 3]", "tools": [submit()]},
        )
    )
    control = RecordingControl()
    result = await here.coder().work(task(), control)
    assert (result.ending, result.verdict.accepted, result.note) == ("accepted", True, "It greets.")
    assert [one.tests for one in control.submissions] == [("tests/test_greeting.py",)]
    assert await sandbox.read_file("tests/test_a.py", max_bytes=99) == b"assert True\n"
    assert "assert True" in results(here.bodies[2])[0][0]
    assert len(control.turns) == 3
    assert all(turn.spending.usd > 0 and turn.context_window == 1_000_000 for turn in control.turns)
    assert control.turns[0].context_used < control.turns[2].context_used


async def test_what_is_spent_is_what_the_service_counted(world):
    here = world(
        coder_script({"tools": [bash("seq 3000")]}, {"tools": [bash("true")]}, {"tools": [submit()]})
    )
    control = RecordingControl()
    await here.coder().work(task(), control)
    spent = [turn.spending.tokens for turn in control.turns]
    counted = here.log.counts
    assert sum(one.input for one in spent) == counted["input tokens"]
    assert sum(one.output for one in spent) == counted["output tokens"]
    assert sum(one.cache_write for one in spent) == counted["cache write tokens"]
    assert sum(one.cache_read for one in spent) == counted["cache read tokens"] > 0


async def test_a_refused_submission_is_mended_in_the_same_conversation(world):
    here = world(
        coder_script(
            {"tools": [submit()]},
            {"expect": ["refused", "because of no-red", "submission 1 of 3"], "tools": [bash("true")]},
            {"tools": [submit()]},
        )
    )
    control = RecordingControl(
        verdicts=[refused("no-red"), refused("red").model_copy(update={"accepted": True})]
    )
    result = await here.coder().work(task(), control)
    assert result.ending == "accepted"
    assert len(control.submissions) == 2


async def test_the_same_reasons_twice_are_called_so_and_the_submissions_run_out(world):
    here = world(
        coder_script(
            {"tools": [submit()]},
            {"expect": "Mend what the reasons name", "tools": [submit()]},
            {"expect": ["refused", "same reasons as the last time"], "tools": [submit()]},
        )
    )
    control = RecordingControl(verdicts=[refused("a", "b"), refused("b", "a"), refused("c")])
    result = await here.coder().work(task(), control)
    assert result.ending == "refused"
    assert [reason.code for reason in result.verdict.reasons] == ["c"]
    assert len(here.bodies) == 3


async def test_a_model_that_ends_without_submitting_is_reminded_once(world):
    here = world(coder_script({"text": "I think that is all."}, {"text": "Really."}, {"text": "Never said."}))
    control = RecordingControl()
    result = await here.coder().work(task(), control)
    assert (result.ending, result.note, len(control.turns)) == ("gave-up", "Really.", 2)
    assert "submit_feature" in here.bodies[1]["messages"][-1]["content"][0]["text"]


async def test_a_reminded_model_may_still_finish(world):
    here = world(coder_script({"text": "All done."}, {"tools": [submit()]}))
    assert (await here.coder().work(task(), RecordingControl())).ending == "accepted"


async def test_turns_are_bounded(world):
    here = world(coder_script(*[{"tools": [bash("true")]}] * 5))
    control = RecordingControl()
    assert (await here.coder(max_turns=3).work(task(), control)).ending == "gave-up"
    assert len(control.turns) == 3


async def test_a_question_for_a_person_ends_the_work(world):
    report = {"feature_id": "greeting", "reason": "There are two pages.", "question": "Which one?"}
    here = world(coder_script({"tools": [{"report_blocked": report}]}))
    result = await here.coder().work(task(), RecordingControl())
    assert (result.ending, result.question, result.note) == ("blocked", "Which one?", "There are two pages.")


async def test_another_features_id_is_an_error_that_submits_nothing(world):
    here = world(
        coder_script(
            {"tools": [submit(feature_id="farewell")]},
            {"tools": [submit(tests=["x"] * 51)]},
            {"tools": [{"report_blocked": {"feature_id": "farewell", "reason": "r", "question": "q"}}]},
            {"tools": [submit()]},
        )
    )
    control = RecordingControl()
    assert (await here.coder().work(task(), control)).ending == "accepted"
    assert [results(body)[0][1] for body in here.bodies[1:]] == [True, True, True]
    assert "tests" in results(here.bodies[2])[0][0]
    assert len(control.submissions) == 1


async def test_a_note_reaches_the_loop_and_an_empty_one_does_not(world):
    here = world(
        coder_script(
            {"tools": [{"remember": {"note": " Ports are random. "}}, {"remember": {"note": " "}}]},
            {"tools": [{"remember": {}}, {"dance": {}}]},
            {"tools": [submit()]},
        )
    )
    control = RecordingControl()
    await here.coder().work(task(), control)
    assert control.notes == ["Ports are random."]
    assert [error for _, error in results(here.bodies[1])] == [False, True]
    assert [error for _, error in results(here.bodies[2])] == [True, True]


async def test_a_submission_comes_after_all_other_tools_and_only_one_counts(world, sandbox):
    here = world(
        coder_script(
            {"tools": [submit(), bash("sleep 0.2; touch made"), submit(summary="again")]},
            {"expect": "one such tool", "tools": [submit()]},
        )
    )

    class Looking(RecordingControl):
        async def submit(self, submission):
            await sandbox.read_file("made", max_bytes=1)
            return await super().submit(submission)

    control = Looking(verdicts=[refused("x"), refused("y").model_copy(update={"accepted": True})])
    assert (await here.coder().work(task(), control)).ending == "accepted"
    assert [error for _, error in results(here.bodies[1])] == [False, False, True]


async def test_told_to_hand_off_the_agent_runs_nothing_more(world, sandbox):
    here = world(coder_script({"tools": [bash("touch made")]}))
    control = RecordingControl(steps=lambda _: NextStep.HAND_OFF)
    assert (await here.coder().work(task(), control)).ending == "handed-off"
    assert not await sandbox.find(".", suffixes=["made"], most=9)


async def test_a_question_is_kept_even_when_told_to_hand_off(world):
    report = {"feature_id": "greeting", "reason": "r", "question": "Which?"}
    here = world(coder_script({"tools": [{"report_blocked": report}]}))
    control = RecordingControl(steps=lambda _: NextStep.HAND_OFF)
    assert (await here.coder().work(task(), control)).ending == "blocked"


async def test_an_answer_that_outlasts_the_session_hands_off(world):
    here = world(coder_script({"text": "late", "delay_s": 20}))
    control = RecordingControl(left_s=0.4)
    assert (await here.coder().work(task(), control)).ending == "handed-off"


async def test_an_answer_cut_by_its_size_runs_nothing_and_is_asked_for_again(world, sandbox):
    cut = {"kind": "max_tokens"}
    here = world(
        coder_script(
            {"tools": [bash("touch one"), bash("touch two")], "fault": cut},
            {"text": "Words alone, cut in half.", "fault": cut},
            {"tools": [submit()]},
        )
    )
    control = RecordingControl()
    # The second is words alone, so the whole of it ends the turn and is reminded.
    assert (await here.coder().work(task(), control)).ending == "accepted"
    told = results(here.bodies[1])
    assert [error for _, error in told] == [True, True]
    assert "cut off" in told[0][0]
    assert "cut off" in here.bodies[3]["messages"][-1]["content"][0]["text"]
    assert len(here.bodies) == 5


async def test_a_partial_tool_input_is_never_run(world, sandbox):
    here = world(
        coder_script(
            {"tools": [bash("touch never-whole-command")], "fault": {"kind": "max_tokens", "times": 9}},
        )
    )
    assert (await here.coder(max_turns=2).work(task(), RecordingControl())).ending == "gave-up"
    assert not await sandbox.find(".", suffixes=[""], most=9)


async def test_a_model_that_declines_is_an_error_and_its_tokens_are_counted(world):
    here = world(coder_script({"text": "no", "fault": {"kind": "refusal"}}))
    control = RecordingControl()
    with pytest.raises(RefusalError, match="declined"):
        await here.coder().work(task(), control)
    assert control.turns[0].spending.tokens.total > 0


async def test_system_and_tools_are_the_same_bytes_for_every_feature(world):
    farewell = FEATURE.model_copy(update={"id": "farewell", "description": "It says goodbye."})
    turns = [{"turns": [{"tools": [submit()]}]}]
    here = world(
        {
            "features": {
                "greeting": turns,
                "farewell": [{"turns": [{"tools": [submit(feature_id="farewell")]}]}],
            }
        }
    )
    first, second = RecordingControl(), RecordingControl()
    await here.coder().work(task(), first)
    await here.coder().work(task(feature=farewell, number=2, memory="note", done=("x",)), second)
    one, two = here.bodies
    assert (one["system"], one["tools"]) == (two["system"], two["tools"])
    assert second.turns[0].spending.tokens.cache_read > 1_000  # the whole of them comes from the cache


async def test_the_first_message_says_where_things_stand_with_foreign_text_fenced(world):
    here = world(coder_script({"tools": [submit()]}))
    lesson = Attempt(
        feature_id="greeting", number=1, session=1, outcome=AttemptOutcome.REFUSED, lesson="Mind $HOME."
    )
    await here.coder().work(
        task(
            number=2,
            earlier=(lesson,),
            patched=True,
            memory="Use tox.",
            done=("It has a page.",),
            tests=HowTestsRun(("tox --",), ("tox --",)),
        ),
        RecordingControl(),
    )
    said = here.bodies[0]["messages"][0]["content"][0]["text"]
    assert '"attempt": 2' in said
    for part in (
        "Mind $HOME.",
        "Use tox.",
        "It has a page.",
        "`tox --`",
        "unfinished work",
        "<request-",
        "<notes-",
    ):
        assert part in said
    assert said.index('"feature"') < said.index("Greet the visitor.")
    assert here.log.records[-1].conversation == "greeting#2"


async def test_thinking_and_effort_are_asked_for_as_configured(world):
    here = world(
        coder_script({"thinking": "Hm.", "text": "So.", "tools": [bash("true")]}, {"tools": [submit()]})
    )
    await here.coder(effort="xhigh").work(task(), RecordingControl())
    assert here.bodies[0]["thinking"] == {"type": "adaptive"}
    assert here.bodies[0]["output_config"] == {"effort": "xhigh"}
    assert here.bodies[0]["cache_control"] == {"type": "ephemeral"}
    assert here.bodies[1]["messages"][1]["content"][0]["thinking"] == "Hm."
