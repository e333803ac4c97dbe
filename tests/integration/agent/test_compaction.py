from dataclasses import replace

import pytest

from autonomous_loop.agent.conversation import Conversation
from autonomous_loop.domain.decision import NextStep
from autonomous_loop.errors import ContextExhaustedError
from integration.agent.agent_world import RecordingControl, bash, coder_script, submit, task

pytestmark = pytest.mark.asyncio(loop_scope="module")

WINDOW = {"claude-opus-5-5": {"max_input_tokens": 10_000, "max_tokens": 4_000}}


def above(share):
    def step(turn):
        full = turn.context_used > share * turn.context_window
        return NextStep.COMPACT if full else NextStep.GO_ON

    return step


async def test_a_full_conversation_is_summarized_and_goes_on(world):
    here = world(
        coder_script(
            {"tools": [bash("echo first")]},
            {"tools": [bash("seq 4000")]},
            {"tools": [bash("echo third")]},
            {"text": "Where was I?", "tools": [bash("echo fourth")]},
            {"tools": [submit()]},
            models=WINDOW,
        )
    )
    control = RecordingControl(steps=above(0.5))
    assert (await here.coder(max_output=20_000).work(task(), control)).ending == "accepted"
    summary = next(body for body in here.bodies if "compaction" in body)
    assert summary["messages"][-1]["content"][0]["type"] == "tool_result"  # of the answer before it
    after = here.bodies[here.bodies.index(summary) + 1]
    assert [message["role"] for message in after["messages"]] == ["assistant", "user"]
    assert after["messages"][0]["content"][0]["type"] == "compaction"
    assert '"id": "greeting"' in after["messages"][1]["content"][0]["text"]
    assert (summary["system"], summary["tools"]) == (after["system"], after["tools"])


async def test_the_summarys_tokens_are_counted(world):
    here = world(
        coder_script(
            {"tools": [bash("seq 4000")]}, {"tools": [bash("true")]}, {"tools": [submit()]}, models=WINDOW
        )
    )
    control = RecordingControl(steps=above(0.5))
    await here.coder(max_output=20_000).work(task(), control)
    assert any("compaction" in body for body in here.bodies)
    spent = [turn.spending.tokens for turn in control.turns]
    assert sum(one.input + one.cache_write for one in spent) == (
        here.log.counts["input tokens"] + here.log.counts["cache write tokens"]
    )
    assert sum(one.output for one in spent) == here.log.counts["output tokens"]


async def test_a_conversation_that_is_still_full_after_its_summary_is_exhausted(world):
    here = world(coder_script(*[{"tools": [bash("true")]}] * 5, models=WINDOW))
    # Above the threshold always, but for the summary itself.
    control = RecordingControl(steps=above(0.05))
    with pytest.raises(ContextExhaustedError, match="even after compaction"):
        await here.coder().work(task(), control)
    assert len([body for body in here.bodies if "compaction" in body]) == 1


async def test_a_summary_that_is_too_large_itself_is_exhausted(world):
    here = world(coder_script(*[{"tools": [bash("true")]}] * 5))
    control = RecordingControl(steps=lambda _: NextStep.COMPACT)
    with pytest.raises(ContextExhaustedError, match="could not be summarized"):
        await here.coder().work(task(), control)


async def test_a_hand_off_after_the_summary_is_obeyed(world):
    here = world(coder_script(*[{"tools": [bash("true")]}] * 5))
    said = iter([NextStep.COMPACT, NextStep.HAND_OFF])
    control = RecordingControl(steps=lambda _: next(said))
    assert (await here.coder().work(task(), control)).ending == "handed-off"


async def test_a_model_without_compaction_is_exhausted_at_once(world):
    here = world(coder_script(*[{"tools": [bash("true")]}] * 5))
    service = here.service()
    facts = replace(await service.facts(), compaction=False)
    conversation = Conversation(service, facts, system="s", tools=(), seconds_left=lambda: 60.0)
    with pytest.raises(ContextExhaustedError, match="cannot summarize"):
        await conversation.compact("go on")
    assert not here.bodies
