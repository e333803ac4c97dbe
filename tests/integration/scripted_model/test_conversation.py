"""The real SDK against the scripted model, over real HTTP: conversations, limits, compaction."""

import asyncio
import json
from typing import Any

import anthropic
import httpx2
import pytest

from integration.scripted_model.model_bench import (
    BETA,
    END,
    FIRST,
    MODEL,
    ONE_CALL,
    SYSTEM,
    TOOLS,
    TWO_CALLS,
    Model,
    reply,
    user,
)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_conversation_runs_to_its_end_and_its_prefix_is_cached(model: Model, stream: bool):
    async with model(TWO_CALLS, ONE_CALL, END) as bench:
        messages: list[Any] = [user(FIRST)]
        first = await bench.ask(messages, stream=stream)
        assert [block.type for block in first.content] == ["thinking", "text", "tool_use", "tool_use"]
        assert first.content[0].thinking == "First the tests."
        assert first.content[1].text == "I write the test first."
        assert [block.input["command"] for block in first.content[2:]] == [
            "python -m pytest -q",
            "git status --short",
        ]
        assert first.stop_reason == "tool_use"

        messages += reply(first)
        second = await bench.ask(messages, stream=stream)
        messages += reply(second)
        third = await bench.ask(messages, stream=stream)
        assert (third.stop_reason, third.content[0].text) == ("end_turn", "Done.")
        over = await bench.ask(
            [*messages, {"role": "assistant", "content": third.content}, user("And?")], stream=stream
        )
        assert over.stop_reason == "end_turn"
        assert "is over: all of its 3 turns were given" in over.content[0].text

        written = first.usage.cache_creation_input_tokens
        assert written > 1_500
        assert first.usage.cache_read_input_tokens == first.usage.input_tokens == 0
        assert second.usage.cache_read_input_tokens == written
        assert 0 < second.usage.cache_creation_input_tokens < 200
        assert third.usage.cache_read_input_tokens == written + second.usage.cache_creation_input_tokens
        assert first.usage.output_tokens > second.usage.output_tokens > third.usage.output_tokens > 0

        records = bench.log.records
        assert [(r.conversation, r.turn, r.status) for r in records] == [("form#1", n, 200) for n in range(4)]
        assert records[0].usage.cache_creation_input_tokens == written
        async with httpx2.AsyncClient() as plain:
            page = (await plain.get(bench.url)).text
        assert "requests                                    4" in page


async def test_a_stream_has_the_events_of_the_api_in_order(model: Model):
    async with model(TWO_CALLS) as bench, httpx2.AsyncClient() as plain:
        body = {"model": MODEL, "max_tokens": 500, "stream": True, "messages": [user(FIRST)]}
        headers = {"x-api-key": "key-1", "anthropic-version": "2026-10-21"}
        answer = await plain.post(f"{bench.url}/v1/messages", json=body, headers=headers)
        lines = answer.text.split("\n\n")
        events = [json.loads(part.split("data: ")[1]) for part in lines if part]
        names = [part.split("\n")[0].removeprefix("event: ") for part in lines if part]
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["request-id"].startswith("req_")
        assert answer.headers["anthropic-ratelimit-requests-remaining"] == "3999"
    assert names == [event["type"] for event in events]
    once = [name for n, name in enumerate(names) if n == 0 or name != names[n - 1]]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    first = ["content_block_start", "ping", *block[1:]]
    assert once == ["message_start", *first, *block * 3, "message_delta", "message_stop"]
    kinds = [event["delta"]["type"] for event in events if event["type"] == "content_block_delta"]
    assert list(dict.fromkeys(kinds)) == [
        "thinking_delta",
        "signature_delta",
        "text_delta",
        "input_json_delta",
    ]
    opened = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert [block.get("thinking", block.get("text", block.get("input"))) for block in opened] == [
        "",
        "",
        {},
        {},
    ]
    assert events[0]["message"]["stop_reason"] is None
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


async def test_each_attempt_has_its_own_turns_and_the_planner_its_own(model: Model):
    attempts = {"form": [{"turns": [{"text": "one"}]}, {"turns": [{"text": "two"}]}]}
    planner = [{"turns": [{"text": "a plan"}]}]
    async with model(END, features=attempts, planner=planner) as bench:
        texts = [FIRST.replace('"attempt": 1', f'"attempt": {n}') for n in (1, 2, 3)]
        said = [(await bench.ask([user(text)])).content[0].text for text in [*texts, "Please plan."]]
        assert said == ["one", "two", "two", "a plan"]
        with pytest.raises(anthropic.BadRequestError, match="the script has no feature 'gone'"):
            await bench.ask([user(FIRST.replace("form", "gone"))])


async def test_a_turn_holds_the_client_to_what_it_expects(model: Model):
    turns = [ONE_CALL, {"text": "ok", "expect": ["3 passed", "refused"], "usage": {"input_tokens": 150_000}}]
    async with model(*turns) as bench:
        first = await bench.ask([user(FIRST)])
        with pytest.raises(anthropic.BadRequestError) as caught:
            await bench.ask([user(FIRST), *reply(first, "3 passed")])
        assert "features.form, attempt 1, turn 2: expected 'refused'" in caught.value.message
        assert "it says: 3 passed" in caught.value.message
        done = await bench.ask([user(FIRST), *reply(first, "refused: 3 passed")])
        assert done.usage.input_tokens == 150_000


async def test_a_slow_turn_comes_late(model: Model):
    async with model({**END, "delay_s": 0.3}) as bench:
        start = asyncio.get_running_loop().time()
        await bench.ask([user(FIRST)])
        assert asyncio.get_running_loop().time() - start >= 0.3


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"model": "claude-none"}, anthropic.NotFoundError, "model: claude-none"),
        ({"max_tokens": 128_001}, anthropic.BadRequestError, "max_tokens: 128001 > 128000"),
        (
            {"extra_body": {"temperature": 0.5}},
            anthropic.BadRequestError,
            "temperature: this parameter is not",
        ),
        ({"extra_body": {"wish": 1}}, anthropic.BadRequestError, "wish: Extra inputs are not permitted"),
        (
            {"messages": [{"role": "assistant", "content": "x"}]},
            anthropic.BadRequestError,
            "first message must",
        ),
        (
            {"extra_headers": {"anthropic-version": "1999-01-01"}},
            anthropic.BadRequestError,
            "anthropic-version",
        ),
        (
            {"extra_headers": {"Authorization": "Bearer x"}},
            anthropic.AuthenticationError,
            "invalid x-api-key",
        ),
    ],
)
async def test_a_bad_request_is_refused_as_the_api_refuses_it(
    model: Model, change: dict[str, Any], error: type, says: str
):
    async with model(END) as bench:
        with pytest.raises(error) as caught:
            await bench.ask(**{"messages": [user(FIRST)], **change})
        assert says in caught.value.message
        assert caught.value.request_id == "req_scripted00000001"
        assert bench.log.records[0].status == caught.value.status_code
        assert says in (bench.log.records[0].error or "")


async def test_a_prompt_that_outgrew_the_model_is_refused(model: Model):
    small = {MODEL: {"max_input_tokens": 2_000, "max_tokens": 1_000}}
    async with model(END, models=small) as bench:
        assert (await bench.ask([user(FIRST)], max_tokens=1_000)).stop_reason == "end_turn"
        with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > 2000 maximum"):
            await bench.ask([user(FIRST + "x" * 4_000)], max_tokens=1_000)


async def test_history_that_is_rewritten_is_refused(model: Model):
    async with model(TWO_CALLS, ONE_CALL, END) as bench:
        messages: list[Any] = [user(FIRST)]
        messages += reply(await bench.ask(messages))
        messages += reply(await bench.ask(messages))
        changed = [user("Hurry. " + FIRST), *messages[1:]]
        with pytest.raises(anthropic.BadRequestError, match=r"different conversation.*messages\.0\."):
            await bench.ask(changed)
        with pytest.raises(anthropic.BadRequestError, match=r"different conversation.*`system`"):
            await bench.ask(messages, system="You are someone else.")
        with pytest.raises(anthropic.BadRequestError, match=r"different conversation.*`tools`"):
            await bench.ask(messages, tools=[*TOOLS, {"name": "new", "input_schema": {"type": "object"}}])
        assert (await bench.ask(messages)).content[0].text == "Done."


async def test_the_models_api_tells_the_limits(model: Model):
    async with model(END, models={"claude-small": {"max_input_tokens": 9_000, "max_tokens": 500}}) as bench:
        info = await bench.client.models.retrieve("claude-small")
        assert (info.max_input_tokens, info.max_tokens) == (9_000, 500)
        beta = await bench.client.beta.models.retrieve("claude-small", betas=[BETA])
        assert beta.capabilities is not None
        assert beta.capabilities.compaction is not None
        assert beta.capabilities.compaction.summarize.supported
        assert [m.id async for m in bench.client.models.list()] == ["claude-small"]
        with pytest.raises(anthropic.NotFoundError):
            await bench.client.models.retrieve("claude-none")
        with pytest.raises(anthropic.NotFoundError):
            await bench.client.get("/v1/nothing", cast_to=httpx2.Response)


async def test_counted_tokens_are_those_the_request_is_charged(model: Model):
    async with model(END) as bench:
        asked: dict[str, Any] = {"model": MODEL, "system": SYSTEM, "tools": TOOLS, "messages": [user(FIRST)]}
        counted = await bench.client.messages.count_tokens(**asked)
        beta = await bench.client.beta.messages.count_tokens(**asked, betas=[BETA])
        usage = (await bench.ask([user(FIRST)])).usage
        assert (
            counted.input_tokens
            == beta.input_tokens
            == usage.input_tokens + usage.cache_creation_input_tokens
        )
        with pytest.raises(anthropic.NotFoundError):
            await bench.client.messages.count_tokens(model="claude-none", messages=[user("x")])


@pytest.mark.parametrize("stream", [True, False])
async def test_a_compacted_conversation_goes_on_at_its_turn(model: Model, stream: bool):
    async with model(TWO_CALLS, ONE_CALL, {**ONE_CALL, "expect": "4 passed"}, END) as bench:
        messages: list[Any] = [user(FIRST)]
        messages += reply(await bench.ask_beta(messages))
        second = await bench.ask_beta(messages)
        messages += reply(second, "4 passed")
        asked: dict[str, Any] = {"compaction": {"type": "summarize"}, "messages": messages}
        if stream:
            compacted = await bench.ask_beta(**asked)
        else:
            asked |= {"model": MODEL, "max_tokens": 4_000, "system": SYSTEM, "tools": TOOLS, "betas": [BETA]}
            compacted = await bench.client.beta.messages.create(**asked)
        assert compacted.stop_reason == "compaction"
        assert [block.type for block in compacted.content] == ["compaction"]
        assert compacted.usage.input_tokens == compacted.usage.output_tokens == 0
        (iteration,) = compacted.usage.iterations
        assert iteration.type == "compaction"
        assert iteration.cache_read_input_tokens > 0
        assert iteration.output_tokens > 0

        # The block takes the place of everything before it; the newest results stand in the summary.
        messages = [{"role": "assistant", "content": compacted.content}]
        third = await bench.ask_beta([*messages, user("Go on.")])
        assert third.content[0].input == ONE_CALL["tools"][0]["bash"]
        assert third.content[0].id != second.content[0].id
        assert third.usage.cache_read_input_tokens > 1_500  # The system prompt has a breakpoint of its own.
        messages += [user("Go on."), *reply(third)]
        last = await bench.ask_beta(messages)
        assert last.content[0].text == "Done."
        assert [r.turn for r in bench.log.records] == [0, 1, 2, 2, 3]

        # It may be compacted again, and the rule of unchanged history holds from the summary on.
        again = await bench.ask_beta(messages, compaction={"type": "summarize"})
        assert again.stop_reason == "compaction"
        with pytest.raises(anthropic.BadRequestError, match="different conversation"):
            await bench.ask_beta([messages[0], user("Go on!"), *messages[2:]])


async def test_a_changed_summary_is_refused_by_its_code(model: Model):
    async with model(ONE_CALL, END) as bench:
        messages: list[Any] = [user(FIRST)]
        messages += reply(await bench.ask_beta(messages))
        compacted = await bench.ask_beta(messages, compaction={"type": "summarize"})
        block = compacted.content[0].to_dict()
        with pytest.raises(anthropic.types.CompactionContentMismatchError):
            await bench.ask_beta(
                [{"role": "assistant", "content": [{**block, "content": "all done"}]}, user("x")]
            )
        with pytest.raises(anthropic.types.CompactionBlockMisplacedError):
            await bench.ask_beta([*messages, {"role": "assistant", "content": [block]}, user("x")])
        alone = await bench.ask_beta([{"role": "assistant", "content": [block]}])
        assert alone.content[0].text == "Done."


async def test_the_sdks_own_tool_runner_plays_a_script_and_compacts(model: Model):
    @anthropic.beta_async_tool
    async def remember(note: str) -> str:
        """Keep a note."""
        return f"kept {note}"

    notes = [{"tools": [{"remember": {"note": "a"}}, {"remember": {"note": "b"}}]}] * 3
    async with model(*notes, {**END, "expect": "kept b"}) as bench:
        runner = bench.client.beta.messages.tool_runner(
            model=MODEL, max_tokens=900, tools=[remember], betas=[BETA], thread=False, messages=[user(FIRST)]
        )
        reasons = []
        async for message in runner:
            reasons.append(message.stop_reason)
            if len(reasons) == 2:
                runner.compact_before_next_turn()
    assert reasons == ["tool_use", "tool_use", "compaction", "tool_use", "end_turn"]
    assert [r.turn for r in bench.log.records] == [0, 1, 2, 2, 3]
