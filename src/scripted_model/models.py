"""What the Models API says of a model."""

from __future__ import annotations

from scripted_model.conversation import Json
from scripted_model.script import ModelLimits

_YES = {"supported": True}
_NO = {"supported": False}


def model_info(name: str, limits: ModelLimits) -> Json:
    """The API's model object: enough for a client to learn the limits and what it may ask for."""
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": "2026-10-01T00:00:00Z",
        "deprecated_at": None,
        "lifecycle": "active",
        "line": None,
        "retires_at": None,
        "max_input_tokens": limits.max_input_tokens,
        "max_tokens": limits.max_tokens,
        "allowed_fallback_models": [],
        "capabilities": {
            "batch": _NO,
            "citations": _NO,
            "code_execution": _NO,
            "compaction": {**_YES, "summarize": _YES},
            "context_management": {
                **_NO,
                "clear_thinking_20251015": _NO,
                "clear_tool_uses_20250919": _NO,
                "compact_20260112": _NO,
            },
            "effort": {**_YES, "low": _YES, "medium": _YES, "high": _YES, "xhigh": _YES, "max": _YES},
            "image_input": _NO,
            "pdf_input": _NO,
            "server_tools": {**_NO, "code_execution": _NO, "web_search": _NO},
            "structured_outputs": _NO,
            "thinking": {
                **_YES,
                "types": {"adaptive": _YES, "between_tools": _YES, "disabled": _YES, "enabled": _NO},
            },
        },
    }
