import anthropic
import httpx2
import pytest
from anthropic.lib.streaming import BetaAsyncMessageStream
from anthropic.types.beta import BetaRawMessageStreamEvent

from autonomous_loop.agent.faults import CutStreamError
from autonomous_loop.agent.stream_usage import StreamUsage
from scripted_model.stream import event, message_events

USAGE = {
    "input_tokens": 900,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 1_234,
}


def answer(*content, **more):
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": USAGE,
        **more,
    }


def text(words):
    return {"type": "text", "text": words}


def tool(value):
    return {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": value}


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def stream_of(events):
    """The SDK's own stream over these bytes."""
    request = httpx2.Request("POST", "http://127.0.0.1/v1/messages")
    headers = {"content-type": "text/event-stream"}
    response = httpx2.Response(200, content=b"".join(events), headers=headers, request=request)
    client = anthropic.AsyncAnthropic(api_key="k")
    raw = anthropic.AsyncStream(cast_to=BetaRawMessageStreamEvent, response=response, client=client)
    return BetaAsyncMessageStream(raw, output_format=anthropic.not_given)


async def broken(events, *, most=64_000):
    """What an answer cost that breaks off where these events end."""
    made = StreamUsage(most_tokens=most)
    with pytest.raises(CutStreamError):
        await made.message(stream_of(events))
    return made.usage()


async def test_a_whole_answer_costs_what_it_says():
    made = StreamUsage(most_tokens=64_000)
    message = await made.message(stream_of(message_events(answer(text("word " * 10_000)))))
    assert message.content[0].text == "word " * 10_000
    assert made.usage().output_tokens == 1_234


@pytest.mark.parametrize(
    "block",
    [
        text("word " * 1_200),
        {"type": "thinking", "thinking": "word " * 1_200, "signature": "s"},
        tool({"command": "word " * 1_200}),
    ],
    ids=["text", "thinking", "tool input"],
)
async def test_what_arrived_of_a_broken_answer_counts_a_token_for_three_bytes(block):
    *events, _, _ = message_events(answer(block))
    used = await broken(events)
    assert 2_000 <= used.output_tokens < 2_100
    assert used.input_tokens == 900


async def test_what_the_service_told_counts_where_it_is_more():
    *events, _ = message_events(answer(text("short")))
    told = event("message_delta", delta={"stop_reason": None}, usage={"output_tokens": 777})
    assert (await broken([*events[:-1], told])).output_tokens == 777


async def test_no_answer_costs_more_than_the_request_allows():
    *events, _, _ = message_events(answer(text("word " * 10_000)))
    assert (await broken(events, most=5_000)).output_tokens == 5_000


async def test_an_answer_that_never_began_is_broken_and_costs_nothing_that_is_known():
    assert await broken([]) is None


async def test_thinking_that_is_not_shown_counts_by_its_time_while_it_lasts():
    begin, *_ = message_events(answer(text("x")))
    empty = {"type": "thinking", "thinking": "", "signature": ""}
    clock = Clock()
    made = StreamUsage(most_tokens=64_000, now=clock)
    async for one in stream_of([begin, event("content_block_start", index=0, content_block=empty)]):
        made.look_at(one)
    clock.seconds = 50.0
    assert 5_000 <= made.usage().output_tokens < 5_100


async def test_thinking_that_is_over_counts_by_its_signature():
    begin, *_ = message_events(answer(text("x")))
    empty = {"type": "thinking", "thinking": "", "signature": ""}
    sealed = {"type": "signature_delta", "signature": "c2ln" * 1_500}
    events = [
        begin,
        event("content_block_start", index=0, content_block=empty),
        event("content_block_delta", index=0, delta=sealed),
        event("content_block_stop", index=0),
    ]
    assert 2_000 <= (await broken(events)).output_tokens < 2_100


async def test_an_answer_whose_tool_input_is_no_json_is_broken_and_costs_what_came_before():
    good = message_events(answer(text("word " * 1_200), tool({"command": "A" * 80})))
    bad = [one.replace(b"AAAA", rb"\\ud83d", 1) for one in good]  # half a surrogate pair
    assert bad != good
    assert 2_000 <= (await broken(bad)).output_tokens < 2_100


async def test_an_event_that_is_no_json_breaks_the_answer():
    begin, *_ = message_events(answer(text("x")))
    used = await broken([begin, b'event: content_block_start\ndata: {"type\n\n'])
    assert used.output_tokens == 1
