"""What the API asks of a request beyond the shape of its body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scripted_model import pairing
from scripted_model.conversation import Json, blocks
from scripted_model.refusals import ApiError, invalid
from scripted_model.schema import KNOWN_BETAS
from scripted_model.script import ModelLimits
from scripted_model.seal import sealed_digest, sign

API_VERSIONS = frozenset({"2023-06-01", "2026-10-21"})
COMPACTION_BETA = "compact-2026-09-04"
MAX_BREAKPOINTS = 4
MAX_INSTRUCTIONS_CHARS = 16_384
# The version that took the sampling parameters away.
_NO_SAMPLING = "2026-10-21"
_SAMPLING = ("temperature", "top_p", "top_k")


def check_headers(headers: Mapping[str, str], api_keys: frozenset[str] | None) -> frozenset[str]:
    """Check who asks and in which version of the API.

    Args:
        headers: the request's, names in lower case.
        api_keys: the keys that are known; None takes any.

    Returns:
        The beta features asked for.

    Raises:
        ApiError: 401 for a missing or unknown key, 400 for a missing or unknown version or beta.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    if not key:
        raise ApiError(401, "authentication_error", "x-api-key header is required")
    if api_keys is not None and key not in api_keys:
        raise ApiError(401, "authentication_error", "invalid x-api-key")
    version = headers.get("anthropic-version")
    if version is None:
        raise invalid("anthropic-version: header is required")
    if version not in API_VERSIONS:
        raise invalid(f"anthropic-version: {version!r} is not a valid version")
    betas = frozenset(b.strip() for b in headers.get("anthropic-beta", "").split(",") if b.strip())
    if unknown := sorted(betas - KNOWN_BETAS):
        raise invalid(f"Unexpected value(s) `{'`, `'.join(unknown)}` for the `anthropic-beta` header.")
    return betas


def without_old_parameters(body: Json, version: str) -> Json:
    """The body without the parameters only older versions of the API take.

    Raises:
        ApiError: 400, one was sent with a version that no longer knows it.
    """
    sent = [name for name in _SAMPLING if name in body]
    if sent and version >= _NO_SAMPLING:
        raise invalid(f"{sent[0]}: this parameter is not supported with anthropic-version {version}")
    return {name: value for name, value in body.items() if name not in sent}


def check_limits(body: Json, models: Mapping[str, ModelLimits], prompt_tokens: int) -> None:
    """Check that the request fits the model, which must exist.

    Raises:
        ApiError: 404 for an unknown model, 400 for a `max_tokens` or a prompt above its limits.
    """
    model = body["model"]
    limits = models.get(model)
    if limits is None:
        raise ApiError(404, "not_found_error", f"model: {model}")
    most = body.get("max_tokens", 0)
    if most < 0:
        raise invalid("max_tokens: must be greater than or equal to 0")
    if most > limits.max_tokens:
        raise invalid(
            f"max_tokens: {most} > {limits.max_tokens}, which is the maximum allowed number of output tokens"
            f" for {model}"
        )
    if prompt_tokens > limits.max_input_tokens:
        raise invalid(f"prompt is too long: {prompt_tokens} tokens > {limits.max_input_tokens} maximum")


def check_request(body: Json, betas: frozenset[str]) -> None:
    """Check the rules between the parts of a well-formed body.

    Raises:
        ApiError: 400, naming the message and block that break a rule.
    """
    messages = body["messages"]
    if body.get("thread") is not None:
        raise invalid("thread: the scripted model keeps no threads; send the whole history")
    names = [tool.get("name") for tool in body.get("tools") or () if tool.get("name")]
    if len(set(names)) < len(names):
        raise invalid("tools: Tool names must be unique.")
    marked = sum(1 for _ in _breakpoints(body))
    if marked > MAX_BREAKPOINTS:
        raise invalid(
            f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {marked}."
        )
    compacting = body.get("compaction") is not None
    if compacting:
        _check_compaction(body, betas)
    summarized = _check_summary(messages, betas)
    if not messages:
        raise invalid("messages: at least one message is required")
    if not summarized and messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    pairing.check_tool_results(messages, compacting=compacting)
    pairing.check_order(messages)
    alone = summarized and len(messages) == 1
    if messages[-1]["role"] == "assistant" and not compacting and not alone:
        raise invalid(
            "This model does not support assistant message prefill."
            " The conversation must end with a user message."
        )


def _breakpoints(body: Json) -> Iterator[Json]:
    """Every cache breakpoint: on tools, system, content blocks and what stands in tool results."""
    holders: list[Json] = [body, *(body.get("tools") or ())]
    system = body.get("system")
    holders += system if isinstance(system, list) else []
    for message in body["messages"]:
        for block in blocks(message):
            holders.append(block)
            if block["type"] == "tool_result" and isinstance(block.get("content"), list):
                holders += block["content"]
    return (holder["cache_control"] for holder in holders if holder.get("cache_control"))


def _check_compaction(body: Json, betas: frozenset[str]) -> None:
    if COMPACTION_BETA not in betas:
        raise invalid(f"compaction: requires anthropic-beta: {COMPACTION_BETA}")
    output = body.get("output_config") or {}
    clashes = {
        "context_management": body.get("context_management"),
        "stop_sequences": body.get("stop_sequences"),
        "output_config.format": output.get("format"),
        "output_config.task_budget.remaining": (output.get("task_budget") or {}).get("remaining"),
        "tool_choice": (body.get("tool_choice") or {}).get("type") in {"any", "tool"},
    }
    for name, sent in clashes.items():
        if sent:
            raise invalid(f"{name}: cannot be combined with compaction")
    if len(body["compaction"].get("instructions") or "") > MAX_INSTRUCTIONS_CHARS:
        raise invalid(f"compaction.instructions: at most {MAX_INSTRUCTIONS_CHARS} characters")
    if not any(blocks(message) for message in body["messages"] if message["role"] != "system"):
        raise invalid("messages: there is nothing to summarize", code="compaction_nothing_to_summarize")


def _check_summary(messages: Sequence[Json], betas: frozenset[str]) -> bool:
    """Whether the conversation starts with a summary, which must be the only one and unchanged."""
    found = [
        (m, b, block)
        for m, message in enumerate(messages)
        for b, block in enumerate(blocks(message))
        if block["type"] == "compaction" and block.get("content") is not None
    ]
    if not found:
        return False
    m, b, block = found[0]
    place = f"messages.{m}.content.{b}"
    if COMPACTION_BETA not in betas:
        raise invalid(
            f"{place}: Input tag 'compaction' found using 'type' does not match any of the expected tags"
        )
    if len(found) > 1:
        raise invalid(f"{place}: send only the newest compaction block", code="compaction_block_ambiguous")
    if (m, b) != (0, 0) or messages[0]["role"] == "system":
        raise invalid(f"{place}: the compaction block must come first", code="compaction_block_misplaced")
    sealed = sealed_digest(block.get("signature"))
    if sealed is None:
        raise invalid(f"{place}: the signature does not verify", code="compaction_signature_invalid")
    if sealed != sealed_digest(sign(block["content"])):
        raise invalid(f"{place}: content differs from what was signed", code="compaction_content_mismatch")
    return True
