import asyncio
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from autonomous_loop.agent.conversation import Conversation
from autonomous_loop.agent.models import ModelFacts, ModelService
from autonomous_loop.agent.retry_policy import RetryPolicy
from autonomous_loop.agent.stream_usage import StreamUsage
from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.decision import NextStep
from autonomous_loop.errors import (
    ContextExhaustedError,
    CredentialError,
    LoopError,
    ModelError,
    TransientError,
    UsageLimitError,
)
from integration.agent.agent_world import (
    KEY,
    QUICK,
    RecordingControl,
    bash,
    coder_script,
    planner_script,
    submit,
    task,
)
from waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("kind", ["stream_error", "cut", "clean_end", "stall"])
async def test_an_answer_that_breaks_off_is_asked_for_again_and_counted(world, sandbox, kind):
    here = world(
        coder_script(
            {"tools": [bash("echo once >> ran")], "fault": {"kind": kind, "times": 2}}, {"tools": [submit()]}
        )
    )
    control = RecordingControl()
    impatient = RetryPolicy(first_wait_s=0.01, stall_s=2.0 if kind == "stall" else 20.0)
    assert (await here.coder(patience=impatient).work(task(), control)).ending == "accepted"
    recovered = [turn.recovered for turn in control.turns if turn.answered]
    # A machine that stands still may be one stall more than was asked for.
    assert sum(recovered) == len(here.bodies) - 2
    assert recovered == [2, 0] or (kind == "stall" and recovered[0] >= 2)
    assert await sandbox.read_file("ran", max_bytes=99) == b"once\n"  # nothing of the broken ones was run
    assert [message["role"] for message in here.bodies[-1]["messages"]] == ["user", "assistant", "user"]


async def test_the_input_of_broken_answers_is_paid_for_too(world):
    here = world(coder_script({"tools": [submit()], "fault": {"kind": "clean_end", "times": 2}}))
    control = RecordingControl()
    await here.coder().work(task(), control)
    first, second, answered = [turn.spending.tokens for turn in control.turns]
    asked = answered.total - answered.output
    assert asked > 0
    assert [broken.total - broken.output for broken in (first, second)] == [asked, asked]


async def test_the_output_of_broken_answers_is_paid_for_too(world):
    long = {"text": "word " * 6_000, "tools": [submit()]}
    here = world(coder_script({**long, "fault": {"kind": "clean_end", "times": 2}}))
    control = RecordingControl()
    await here.coder().work(task(), control)
    *broken, whole = [turn.spending.tokens.output for turn in control.turns]
    assert len(broken) == 2
    assert all(output > whole for output in broken)


async def test_no_answer_is_asked_for_again_once_a_broken_one_reached_a_limit(world):
    here = world(coder_script({"text": "word " * 6_000, "fault": {"kind": "clean_end", "times": 99}}))
    control = RecordingControl(steps=lambda _: NextStep.HAND_OFF)
    assert (await here.coder().work(task(), control)).ending == "handed-off"
    assert len(here.bodies) == 1
    assert control.turns[0].spending.tokens.output > 5_000


async def test_the_output_of_an_answer_that_a_deadline_ends_is_paid_for_too(world):
    here = world(coder_script({"text": "word " * 6_000, "fault": {"kind": "stall", "seconds": 90.0}}))
    control = RecordingControl(left_s=3.0)
    assert (await here.coder().work(task(), control)).ending == "handed-off"
    assert [turn.spending.tokens.output > 5_000 for turn in control.turns] == [True]


async def test_the_output_of_an_answer_that_a_stop_ends_is_paid_for_too(world, monkeypatch):
    arriving = []

    class Watched(StreamUsage):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            arriving.append(self)

    monkeypatch.setattr("autonomous_loop.agent.conversation.StreamUsage", Watched)
    here = world(coder_script({"text": "word " * 6_000, "fault": {"kind": "stall", "seconds": 90.0}}))
    control = RecordingControl()
    work = asyncio.create_task(here.coder().work(task(), control))
    await until(lambda: arriving and (told := arriving[0].usage()) and told.output_tokens > 5_000)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert [turn.spending.tokens.output > 5_000 for turn in control.turns] == [True]


@pytest.mark.parametrize("kind", ["overloaded", "server_error", "rate_limit"])
async def test_errors_before_an_answer_are_retried_by_the_sdk_and_counted(world, kind):
    here = world(
        coder_script({"tools": [submit()], "fault": {"kind": kind, "times": 2, "retry_after": 0.01}})
    )
    control = RecordingControl()
    assert (await here.coder().work(task(), control)).ending == "accepted"
    assert control.turns[0].recovered == 2


async def test_retries_are_bounded_and_what_they_cost_is_told(world):
    here = world(coder_script({"text": "x" * 50, "fault": {"kind": "clean_end", "times": 99}}))
    control = RecordingControl()
    with pytest.raises(TransientError, match="breaking off"):
        await here.coder().work(task(), control)
    assert len(here.bodies) == 1 + QUICK.retries
    assert len(control.turns) == 1 + QUICK.retries
    assert all(turn.spending.tokens.total > 0 for turn in control.turns)


async def test_retries_end_with_the_session(world):
    here = world(coder_script({"text": "x" * 50, "fault": {"kind": "clean_end", "times": 99}}))
    slow = RetryPolicy(first_wait_s=30, longest_wait_s=60)
    result = await here.coder(patience=slow).work(task(), RecordingControl(left_s=1.0))
    assert result.ending == "handed-off"


async def test_a_usage_limit_names_when_it_ends_and_is_not_slept_through(world):
    here = world(
        coder_script({"text": "x", "fault": {"kind": "rate_limit", "times": 9, "retry_after": 3600}})
    )
    with pytest.raises(UsageLimitError, match="3600 s") as caught:
        await here.coder().work(task(), RecordingControl())
    left = caught.value.resume_at - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert len([r for r in here.log.records if r.path == "/v1/messages"]) == 1


async def test_a_usage_limit_without_a_waiting_time_is_read_from_the_reset_headers(world):
    here = world(
        coder_script({"text": "x", "fault": {"kind": "rate_limit", "times": 9, "should_retry": False}})
    )
    with pytest.raises(UsageLimitError, match="usage limit") as caught:
        await here.coder().work(task(), RecordingControl())
    assert timedelta(0) < caught.value.resume_at - datetime.now(UTC) <= timedelta(minutes=1)


@pytest.mark.parametrize("kind", ["overloaded", "server_error"])
async def test_an_outage_that_lasts_is_transient(world, kind):
    here = world(coder_script({"text": "x", "fault": {"kind": kind, "times": 9}}))
    with pytest.raises(TransientError, match="It says"):
        await here.coder(retries=0).work(task(), RecordingControl())


async def test_a_service_that_is_not_there_is_transient(world):
    here = world(coder_script({"text": "x"}))
    coder = here.coder(retries=0)
    here.server.stop()
    with pytest.raises(TransientError, match="cannot be reached"):
        await coder.work(task(), RecordingControl())


async def test_a_prompt_that_is_too_long_exhausts_the_context(world):
    small = {"claude-opus-5-5": {"max_input_tokens": 500, "max_tokens": 100}}
    here = world(coder_script({"text": "x"}, models=small))
    with pytest.raises(ContextExhaustedError, match="prompt is too long"):
        await here.coder().work(task(), RecordingControl())


async def test_an_answer_beyond_the_window_exhausts_the_context(world):
    here = world(coder_script({"text": "long", "fault": {"kind": "context_window_exceeded"}}))
    control = RecordingControl()
    with pytest.raises(ContextExhaustedError):
        await here.coder().work(task(), control)
    assert len(control.turns) == 1


async def test_an_unknown_model_is_named_with_the_setting(world):
    here = world(coder_script({"text": "x"}))
    config = {"model": "claude-nobody-9", "prices": {"claude-nobody-9": (1.0, 2.0)}}
    with pytest.raises(ModelError, match="claude-nobody-9") as caught:
        await here.coder(**config).work(task(), RecordingControl())
    assert "`model`" in caught.value.hint


@pytest.mark.parametrize("key", ["sk-ant-wrong-0123", "sk-ant-line-break\n", ""])
async def test_a_bad_key_is_refused_and_never_shown(world, monkeypatch, key):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    here = world(coder_script({"text": "x"}))
    service = here.service(key=key or None, retries=0)
    facts = ModelFacts("claude-opus-5-5", window=1_000_000, max_output=1_000)
    conversation = Conversation(service, facts, system="s", tools=(), seconds_left=lambda: 60.0)
    conversation.say("Hello.")
    for ask in (service.facts, conversation.turn):
        with pytest.raises(CredentialError) as caught:
            await ask()
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert "ANTHROPIC_API_KEY" in caught.value.hint
        assert not key or key.strip() not in shown
        assert KEY not in shown


async def test_an_unknown_price_stops_before_any_request_and_a_configured_one_is_used(world):
    models = {"claude-secret-1": {"max_input_tokens": 100_000, "max_tokens": 8_000}}
    here = world(coder_script({"tools": [submit()]}, models=models))
    client = here.service().client
    with pytest.raises(ModelError, match="price") as caught:
        ModelService(client, LoopConfig(model="claude-secret-1"))
    assert 'prices = { "claude-secret-1"' in caught.value.hint
    assert not here.log.records
    control = RecordingControl()
    await here.coder(model="claude-secret-1", prices={"claude-secret-1": (1.0, 10.0)}).work(task(), control)
    tokens = control.turns[0].spending.tokens
    weighed = tokens.input + 1.25 * tokens.cache_write + 10 * tokens.output
    assert control.turns[0].spending.usd == pytest.approx(weighed / 1e6)


async def test_a_name_that_is_no_utf8_is_sent_as_git_shows_it(world):
    here = world(planner_script({"text": "x"}))
    service = here.service()
    conversation = Conversation(
        service, await service.facts(), system="s", tools=(), seconds_left=lambda: 60.0
    )
    conversation.say("Look at b\udce9.bin")
    await conversation.turn()
    assert here.bodies[-1]["messages"][0]["content"][0]["text"].endswith(" b\\351.bin")


async def test_an_error_of_the_loop_itself_passes_through(world):
    class Full(RecordingControl):
        async def submit(self, submission):
            raise LoopError("the disk is full")

    here = world(coder_script({"tools": [submit()]}))
    with pytest.raises(LoopError, match="disk is full"):
        await here.coder().work(task(), Full())
