"""The real SDK against the faults of the scripted model: refusals, cuts, stalls, clients that leave."""

from typing import Any

import anthropic
import httpx2
import pytest

from integration.scripted_model.model_bench import (
    END,
    FIRST,
    MODEL,
    ONE_CALL,
    TWO_CALLS,
    Model,
    reply,
    user,
)
from waiting import until


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("rate_limit", anthropic.RateLimitError, 429),
        ("overloaded", anthropic.OverloadedError, 529),
        ("server_error", anthropic.InternalServerError, 500),
    ],
)
async def test_a_refusal_before_the_stream_is_retried_by_the_sdk(
    model: Model, kind: str, error: type, status: int
):
    fault = {"kind": kind, "retry_after": 0.01, "times": 2}
    async with model({**END, "fault": fault}) as bench:
        with pytest.raises(error) as caught:
            await bench.ask([user(FIRST)])
        assert caught.value.status_code == status
        assert caught.value.response.headers["retry-after"] == "0.01"
        assert caught.value.request_id == "req_scripted00000001"
        if kind == "rate_limit":
            assert caught.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    async with model({**END, "fault": fault}, retries=2) as bench:
        assert (await bench.ask([user(FIRST)])).stop_reason == "end_turn"
        assert [r.status for r in bench.log.records] == [status, status, 200]
    async with model({**END, "fault": {**fault, "should_retry": False}}, retries=2) as bench:
        with pytest.raises(error):
            await bench.ask([user(FIRST)])
        assert len(bench.log.records) == 1


async def test_a_limit_may_name_no_end(model: Model):
    async with model({**END, "fault": {"kind": "rate_limit", "names_end": False}}) as bench:
        with pytest.raises(anthropic.RateLimitError) as caught:
            await bench.ask([user(FIRST)])
    assert not [name for name in caught.value.response.headers if "ratelimit" in name or "retry" in name]


async def test_an_error_inside_the_stream_surfaces_with_status_200(model: Model):
    async with model({**ONE_CALL, "fault": {"kind": "stream_error"}}, retries=2) as bench:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await bench.ask([user(FIRST)])
        assert (caught.value.status_code, caught.value.type) == (200, "overloaded_error")
        assert len(bench.log.records) == 1
        assert (await bench.ask([user(FIRST)])).stop_reason == "tool_use"


async def test_a_reset_surfaces_as_a_bare_transport_error(model: Model):
    async with model({**ONE_CALL, "fault": {"kind": "cut"}}, retries=2) as bench:
        seen: list[str] = []

        async def _watch() -> None:
            request = {"model": MODEL, "max_tokens": 500, "messages": [user(FIRST)]}
            async with bench.client.messages.stream(**request) as stream:
                async for event in stream:
                    seen.append(event.type)  # noqa: PERF401 - what came before the reset counts

        with pytest.raises(httpx2.ReadError):
            await _watch()
        assert "input_json" in seen
        assert "message_stop" not in seen
        assert (await bench.ask([user(FIRST)])).stop_reason == "tool_use"
    async with model({**ONE_CALL, "fault": {"kind": "cut"}}) as bench:
        with pytest.raises(anthropic.APIConnectionError):
            await bench.ask([user(FIRST)], stream=False)


async def test_a_stall_surfaces_as_a_bare_timeout(model: Model):
    async with model({**ONE_CALL, "fault": {"kind": "stall", "seconds": 60}}, timeout_s=2) as bench:
        with pytest.raises(httpx2.ReadTimeout):
            await bench.ask([user(FIRST)])
        bench.client = bench.client.with_options(timeout=60)
        assert (await bench.ask([user(FIRST)])).stop_reason == "tool_use"
    async with model({**ONE_CALL, "fault": {"kind": "stall", "seconds": 0.1}}) as bench:
        assert (await bench.ask([user(FIRST)])).stop_reason == "tool_use"


async def test_a_stream_that_ends_early_raises_nothing(model: Model):
    async with model({**ONE_CALL, "fault": {"kind": "clean_end"}}) as bench:
        cut = await bench.ask([user(FIRST)])
        whole = await bench.ask([user(FIRST)])
        assert cut.stop_reason is None
        assert cut.content[0].input != whole.content[0].input
        assert whole.stop_reason == "tool_use"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [("max_tokens", "max_tokens"), ("context_window_exceeded", "model_context_window_exceeded")],
)
async def test_a_cut_answer_keeps_its_turn(model: Model, kind: str, reason: str, stream: bool):
    async with model({**TWO_CALLS, "fault": {"kind": kind}}, END) as bench:
        cut = await bench.ask([user(FIRST)], stream=stream)
        assert cut.stop_reason == reason
        assert [block.type for block in cut.content] == ["thinking", "text", "tool_use", "tool_use"]
        assert cut.content[-1].input == {}
        again = await bench.ask([user(FIRST)], stream=stream)
        assert again.content[-1].input == {"command": "git status --short"}
        # A client that keeps the cut answer goes on to the same turn, whose calls have other ids.
        kept = await bench.ask([user(FIRST), *reply(cut, "cut off, call again")], stream=stream)
        assert [block.id for block in kept.content[2:]] == [block.id for block in again.content[2:]]


async def test_calls_that_are_cut_again_and_again_never_share_an_id(model: Model):
    async with model({**ONE_CALL, "fault": {"kind": "max_tokens", "times": 2}}, END) as bench:
        messages: list[Any] = [user(FIRST)]
        reasons = []
        for _ in range(4):
            answer = await bench.ask(messages)
            messages += reply(answer)
            reasons.append(answer.stop_reason)
        assert reasons == ["max_tokens", "max_tokens", "tool_use", "end_turn"]


async def test_an_answer_longer_than_the_request_allows_is_cut(model: Model):
    async with model({"text": "word " * 400}) as bench:
        cut = await bench.ask([user(FIRST)], max_tokens=20)
        assert cut.stop_reason == "max_tokens"
        assert (await bench.ask([user(FIRST)])).stop_reason == "end_turn"


async def test_a_refusal_of_the_model_says_so(model: Model):
    async with model({**ONE_CALL, "fault": {"kind": "refusal"}}) as bench:
        refused = await bench.ask([user(FIRST)])
        assert (refused.stop_reason, refused.content) == ("refusal", [])
        assert refused.stop_details is not None
        assert refused.stop_details.type == "refusal"


async def test_a_client_that_leaves_in_a_silence_leaves_no_trace(
    model: Model, capfd: pytest.CaptureFixture[str]
):
    slow = {**ONE_CALL, "fault": {"kind": "stall", "seconds": 60}}
    async with model({**END, "delay_s": 60}, timeout_s=2) as bench:
        with pytest.raises(anthropic.APITimeoutError):
            await bench.ask([user(FIRST)])
        await until(lambda: bench.log.records, seconds=20)
        assert [r.status for r in bench.log.records] == [499]
    async with model(slow, timeout_s=2) as bench:
        with pytest.raises(httpx2.ReadTimeout):
            await bench.ask([user(FIRST)])
    async with model({**ONE_CALL, "fault": {"kind": "cut"}}) as bench:
        with pytest.raises(httpx2.ReadError):
            await bench.ask([user(FIRST)])
    assert capfd.readouterr().err == ""
