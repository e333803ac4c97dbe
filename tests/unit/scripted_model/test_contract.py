"""What the real API refuses is refused, at the same place."""

from typing import Any

import pytest

from scripted_model.contract import COMPACTION_BETA, check_headers, check_limits, check_request
from scripted_model.contract import without_old_parameters as without
from scripted_model.history import History
from scripted_model.refusals import ApiError
from scripted_model.schema import check_body
from scripted_model.script import ModelLimits
from scripted_model.seal import sign

Json = dict[str, Any]
HEADERS = {"authorization": "Bearer key-1", "anthropic-version": "2026-10-21"}
NONE: frozenset[str] = frozenset()
COMPACT = frozenset({COMPACTION_BETA})


def body(*messages: Json, **more: Any) -> Json:
    return {"model": "m", "max_tokens": 10, "messages": list(messages or (said("hi"),)), **more}


def said(text: str, role: str = "user") -> Json:
    return {"role": role, "content": text}


def called(*ids: str) -> Json:
    content = [{"type": "tool_use", "id": i, "name": "bash", "input": {}} for i in ids]
    return {"role": "assistant", "content": content}


def gave(*ids: str) -> Json:
    return {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": i, "content": "ok"} for i in ids],
    }


def summary(text: str = "so far", signature: str | None = None) -> Json:
    block = {"type": "compaction", "content": text, "signature": signature or sign(text)}
    return {"role": "assistant", "content": [block]}


def text(value: str, **more: Any) -> Json:
    return {"type": "text", "text": value, **more}


NOTE_SCHEMA = {
    "type": "object",
    "properties": {"note": {"type": "string"}},
    "required": ["note"],
    "additionalProperties": False,
    "$defs": {},
}
MARK = {"cache_control": {"type": "ephemeral"}}


def refused(call: Any, *args: Any, **kwargs: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    return caught.value


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
        ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
        ({"messages": "hi"}, "messages: Input should be a valid list"),
        ({"messages": [said("x", role="tool")]}, "messages.0: Input tag 'tool' found using 'role'"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        (
            {"messages": [{"role": "user", "content": [{"type": "txt"}]}]},
            "messages.0.content.0: Input tag 'txt'",
        ),
        (
            {"messages": [{"role": "user", "content": [text("a", parsed_output=None)]}]},
            "messages.0.content.0.text.parsed_output: Extra inputs are not permitted",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]},
            "messages.0.content.0.tool_result.tool_use_id: Field required",
        ),
        ({"tools": [{"name": "a"}]}, "tools.0.input_schema: Field required"),
        (
            {"tools": [{"type": "bash_20250124", "name": "sh"}]},
            "tools.0.bash_20250124.name: Input should be 'bash'",
        ),
        ({"tools": [{"type": "bash_1999", "name": "bash"}]}, "tools.0: Input tag 'bash_1999'"),
        ({"output_config": {"effort": "wild"}}, "output_config.effort: Input should be 'low'"),
        ({"compaction": {"type": "summarize"}}, "compaction: Extra inputs are not permitted"),
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
    ],
)
def test_a_malformed_body_is_refused_at_its_place(change: Json, says: str):
    error = refused(check_body, {**body(), **change}, beta=False)
    assert (error.status, error.kind) == (400, "invalid_request_error")
    assert error.message.startswith(says)


def test_what_a_client_needs_is_well_formed():
    full = body(
        said("go"),
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "t", "signature": sign("t")}, text("x")],
        },
        {"role": "user", "content": [text("more", **MARK)]},
        {"role": "system", "content": "a reminder"},
        system=[text("s", cache_control={"type": "ephemeral", "ttl": "1h"})],
        tools=[
            {"type": "bash_20250124", "name": "bash"},
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", **MARK},
            {
                "name": "remember",
                "description": "d",
                "input_schema": {"type": "object", "required": ["note"]},
            },
        ],
        thinking={"type": "adaptive"},
        output_config={"effort": "high"},
        stream=True,
        **MARK,
    )
    assert check_body(full, beta=False) is full
    check_request(full, NONE)
    beta = {**full, "compaction": {"type": "summarize"}}
    assert check_body(beta, beta=True) is beta
    counted = {k: v for k, v in full.items() if k not in {"max_tokens", "stream"}}
    assert check_body(counted, beta=False, count=True) is counted


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([said("x", role="assistant"), said("y")], 'first message must use the "user" role'),
        ([said("x"), said("y", role="assistant")], "does not support assistant message prefill"),
        ([said("x"), called("a"), said("y")], "messages.1: `tool_use` ids were found without `tool_result`"),
        ([said("x"), called("a", "b"), gave("a")], "immediately after: b."),
        ([said("x"), called("a"), said("y"), gave("a")], "messages.1: `tool_use` ids were found without"),
        ([said("x"), called("a")], "messages.1: `tool_use` ids were found without"),
        (
            [said("x"), gave("a")],
            "messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks: a",
        ),
        ([said("x"), called("a"), gave("a"), gave("a")], "messages.3.content.0: unexpected `tool_use_id`"),
        (
            [said("x"), called("a"), gave("a", "a")],
            "messages.2.content.1: each tool_use must have a single result",
        ),
        ([said("x"), called("a", "a"), gave("a")], "messages.1: `tool_use` ids must be unique"),
        (
            [said("x"), called("a"), gave("a"), called("a"), gave("a")],
            "messages.3: `tool_use` ids must be unique",
        ),
        (
            [said("x"), called("a"), {"role": "user", "content": [text("so"), *gave("a")["content"]]}],
            "messages.2.content.1: `tool_result` blocks must come first",
        ),
        (
            [{"role": "user", "content": [text("")]}],
            "messages.0.content.0: text content blocks must be non-empty",
        ),
        ([said("x", role="system"), said("y")], 'first message must use the "user" role'),
        (
            [said("x"), said("y", role="assistant"), said("z", role="system")],
            "messages.2: a system message must",
        ),
        (
            [said("x"), said("y", role="system"), said("z")],
            "messages.1: a system message must directly follow",
        ),
        (
            [
                said("x"),
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}]},
                said("y"),
            ],
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
    ],
)
def test_messages_that_do_not_fit_together_are_refused(messages: list[Json], says: str):
    request = body()
    request["messages"] = messages
    error = refused(check_request, request, NONE)
    assert error.status == 400
    assert says in error.message


def test_no_messages_are_refused():
    assert "at least one message" in refused(check_request, {**body(), "messages": []}, NONE).message


def test_four_breakpoints_pass_and_a_fifth_is_refused():
    marked = body(
        {"role": "user", "content": [text("a", **MARK), text("b", **MARK)]},
        system=[text("s", **MARK)],
        tools=[{"type": "bash_20250124", "name": "bash", **MARK}],
    )
    check_request(marked, NONE)
    assert "Found 5" in refused(check_request, {**marked, **MARK}, NONE).message


def test_tool_names_are_unique_and_threads_are_not_kept():
    tools = [{"name": "a", "input_schema": {"type": "object"}}] * 2
    assert "must be unique" in refused(check_request, body(tools=tools), NONE).message
    assert "keeps no threads" in refused(check_request, body(thread={"type": "create"}), NONE).message


@pytest.mark.parametrize(
    ("headers", "keys", "status", "says"),
    [
        ({"authorization": ""}, None, 401, "x-api-key header is required"),
        ({"authorization": "Basic a2V5LTE="}, None, 401, "x-api-key header is required"),
        ({"authorization": "Bearer key-2"}, frozenset({"key-1"}), 401, "invalid x-api-key"),
        ({"anthropic-version": "2020-01-01"}, None, 400, "anthropic-version"),
        ({"anthropic-beta": "no-such-thing"}, None, 400, "Unexpected value(s) `no-such-thing`"),
    ],
)
def test_headers_that_do_not_hold_are_refused(headers: dict[str, str], keys: Any, status: int, says: str):
    error = refused(check_headers, {**HEADERS, **headers}, keys)
    assert error.status == status
    assert says in error.message
    assert "key-2" not in error.message


def test_a_known_key_passes_in_either_header_and_betas_are_read():
    keys = frozenset({"key-1"})
    assert check_headers(HEADERS, keys) == NONE
    by_name = {
        "x-api-key": "key-1",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": f"{COMPACTION_BETA}, ",
    }
    assert check_headers(by_name, keys) == COMPACT
    missing = {"authorization": "Bearer key-1"}
    assert "header is required" in refused(check_headers, missing, keys).message


def test_sampling_parameters_ended_with_a_version():
    request = {**body(), "top_p": 0.5}
    assert "top_p" in refused(without, request, "2026-10-21").message
    assert "top_p" not in without(request, "2023-06-01")


def test_limits_of_the_model_are_kept():
    models = {"m": ModelLimits(max_input_tokens=100, max_tokens=50)}
    check_limits(body(max_tokens=50), models, 100)
    assert refused(check_limits, body(model="gone"), models, 1).status == 404
    assert refused(check_limits, body(max_tokens=51), models, 1).message.startswith("max_tokens: 51 > 50")
    assert refused(check_limits, body(max_tokens=-1), models, 1).status == 400
    assert (
        refused(check_limits, body(), models, 101).message == "prompt is too long: 101 tokens > 100 maximum"
    )


@pytest.mark.parametrize(
    ("request_", "betas", "code", "says"),
    [
        (body(compaction={"type": "summarize"}), NONE, None, f"requires anthropic-beta: {COMPACTION_BETA}"),
        (body(summary(), said("x")), NONE, None, "Input tag 'compaction'"),
        (body(said("x"), summary(), said("y")), COMPACT, "compaction_block_misplaced", "must come first"),
        (body(summary(), summary(), said("y")), COMPACT, "compaction_block_ambiguous", "only the newest"),
        (body(summary(signature="x"), said("y")), COMPACT, "compaction_signature_invalid", "does not verify"),
        (
            body(summary(signature=sign("other")), said("y")),
            COMPACT,
            "compaction_content_mismatch",
            "differs from what was signed",
        ),
        (
            body(said("x"), called("a"), compaction={"type": "summarize"}),
            COMPACT,
            "compaction_incomplete_turn",
            "no results yet",
        ),
        (
            body({"role": "user", "content": []}, compaction={"type": "summarize"}),
            COMPACT,
            "compaction_nothing_to_summarize",
            "nothing to summarize",
        ),
        (
            body(compaction={"type": "summarize"}, stop_sequences=["x"]),
            COMPACT,
            None,
            "stop_sequences: cannot be combined with compaction",
        ),
        (
            body(compaction={"type": "summarize"}, tool_choice={"type": "any"}),
            COMPACT,
            None,
            "tool_choice: cannot be combined",
        ),
        (
            body(compaction={"type": "summarize", "instructions": "x" * 16_385}),
            COMPACT,
            None,
            "at most 16384 characters",
        ),
    ],
)
def test_compaction_has_rules_of_its_own(request_: Json, betas: frozenset[str], code: str | None, says: str):
    error = refused(check_request, request_, betas)
    assert (error.status, error.code) == (400, code)
    assert says in error.message


def test_a_summary_may_stand_alone_or_before_turns_that_are_kept():
    check_request(body(summary()), COMPACT)
    check_request(body(summary(), said("y")), COMPACT)
    check_request(body(summary(), called("a"), gave("a")), COMPACT)
    check_request(body(said("x"), said("y", role="assistant"), compaction={"type": "summarize"}), COMPACT)


FIRST = body(said("x"), system="s", tools=[{"type": "bash_20250124", "name": "bash"}])


def later(**change: Any) -> Json:
    return {**FIRST, "messages": [said("x"), called("a"), gave("a")], **change}


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (later(system="s2"), "`system`"),
        (later(tools=[]), "`tools`"),
        (later(messages=[said("x2"), called("a"), gave("a")]), "messages.0"),
        (later(messages=[said("w"), said("x"), called("a"), gave("a")]), "messages.0"),
    ],
)
def test_history_that_changed_is_refused_and_the_change_named(request_: Json, names: str):
    history = History()
    history.remember("form#1", FIRST)
    error = refused(history.check, "form#1", request_)
    assert "bound to a different conversation" in error.message
    assert error.message.endswith(f"{names}.")


def test_history_that_only_grows_is_taken():
    history = History()
    history.check("form#1", FIRST)
    history.remember("form#1", FIRST)
    grown = later(system=[text("s", **MARK)])  # A breakpoint may move, and a text is one block.
    history.check("form#1", grown)
    history.remember("form#1", grown)
    more = {**grown, "messages": [*grown["messages"], called("b"), gave("b")]}
    history.check("form#1", more)
    # A new start of the same attempt, one this server never saw, and one after compaction.
    history.check("form#1", {**FIRST, "system": "other"})
    history.check("form#2", later(system="other"))
    history.check("form#1", {**FIRST, "messages": [summary(), called("c"), gave("c")]})
