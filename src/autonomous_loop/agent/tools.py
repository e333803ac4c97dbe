"""The model's tools. Their names and fields are fixed, because other programs are written against them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anthropic.types.beta import (
    BetaToolBash20250124Param,
    BetaToolParam,
    BetaToolResultBlockParam,
    BetaToolTextEditor20250728Param,
    BetaToolUnionParam,
)

from autonomous_loop.domain.feature import FeatureKind

BASH, EDITOR, BROWSER = "bash", "str_replace_based_edit_tool", "browser"
PROPOSE, SUBMIT, BLOCKED, REMEMBER = "propose_features", "submit_feature", "report_blocked", "remember"
ACTIONS = ("goto", "click", "fill", "press", "screenshot", "text")


class ToolInputError(Exception):
    """The model called a tool with input that cannot be carried out. The text is for the model."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a tool call: text, perhaps an image, perhaps marked as an error."""

    text: str
    is_error: bool = False
    png: bytes | None = None

    def block(self, call_id: str) -> BetaToolResultBlockParam:
        """Return the API's block that answers one tool call."""
        made: BetaToolResultBlockParam = {
            "type": "tool_result",
            "tool_use_id": call_id,
            "content": [{"type": "text", "text": self.text or "(no output)"}],
        }
        if self.png is not None:
            data = base64.b64encode(self.png).decode()
            made["content"] = [
                {"type": "text", "text": self.text or "(no text)"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
            ]
        if self.is_error:
            made["is_error"] = True
        return made


def refusal(text: str) -> ToolResult:
    """Return a result that says why something was not done."""
    return ToolResult(text, is_error=True)


def fields(given: object) -> Mapping[str, Any]:
    """Return a tool's input as a mapping.

    Raises:
        ToolInputError: it is no mapping.
    """
    if not isinstance(given, dict):
        raise ToolInputError("the input must be a JSON object.")
    return given


def text_field(given: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    """Return one text of a tool's input.

    Raises:
        ToolInputError: it is missing (and there is no default), or it is no text.
    """
    value = given.get(name, default)
    if not isinstance(value, str):
        raise ToolInputError(f"`{name}` must be a text{'' if name in given else '; it is missing'}.")
    return value


def _custom(name: str, description: str, properties: dict[str, object], required: list[str]) -> BetaToolParam:
    return {
        "name": name,
        "description": description,
        "input_schema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }


def _text(description: str, **more: object) -> dict[str, object]:
    return {"type": "string", "description": description, **more}


def _texts(description: str) -> dict[str, object]:
    return {"type": "array", "items": {"type": "string"}, "description": description}


_ID = {"pattern": "^[a-z0-9-]{1,40}$"}

_BASH: BetaToolBash20250124Param = {"type": "bash_20250124", "name": "bash"}
_EDITOR: BetaToolTextEditor20250728Param = {
    "type": "text_editor_20250728",
    "name": "str_replace_based_edit_tool",
}
_BROWSER = _custom(
    BROWSER,
    "A real browser that stays open between calls. goto opens `url`; click, fill and press act on `selector` "
    "(CSS or a Playwright selector), fill and press with `value`; screenshot shows the page as an image; "
    "text gives its visible text (of `selector`, if given). Start the application with bash first, in the "
    "background.",
    {
        "action": {"type": "string", "enum": list(ACTIONS)},
        "url": _text("http or https; for goto."),
        "selector": _text("Which element; for click, fill, press and text."),
        "value": _text("The text to fill in, or the key to press, such as Enter."),
    },
    ["action"],
)
_REMEMBER = _custom(
    REMEMBER,
    "Keep one short note for later sessions of this loop: a fact about this project that cost you effort to "
    "find out. Not for progress reports.",
    {"note": _text("One or two sentences.")},
    ["note"],
)
_SUBMIT = _custom(
    SUBMIT,
    "Hand in the feature. The loop runs the tests itself, on the code before and after your work, and "
    'answers "accepted", or "refused" with its reasons. Background processes are ended first. Call it alone, '
    "as the last tool of an answer, once your tests and the whole suite pass.",
    {
        "feature_id": _text("The id of the feature you were given."),
        "tests": _texts(
            "The tests that show the feature: paths in the work tree or test ids of the project's runner. "
            "For a refactor: existing tests that cover it. For a chore: none."
        ),
        "summary": _text("What you changed and why, for the reviewer. A few sentences."),
    },
    ["feature_id", "tests", "summary"],
)
_BLOCKED = _custom(
    BLOCKED,
    "Say that only a person can move this feature on: a decision, an access or a contradiction in the "
    "request that you cannot settle. It ends your work on the feature; never use it for something merely "
    "difficult.",
    {
        "feature_id": _text("The id of the feature you were given."),
        "reason": _text("What stands in the way, and what you tried."),
        "question": _text("The one question whose answer lets the work go on."),
    },
    ["feature_id", "reason", "question"],
)
_PROPOSE = _custom(
    PROPOSE,
    "Hand in the feature list. It is checked, setup and the whole suite run in a fresh clone, and it is "
    "answered with what is wrong if it does not hold.",
    {
        "setup": _text(
            "A command that prepares a fresh clone (installs dependencies); empty if none is needed."
        ),
        "test_command": _text(
            "The command that runs tests, to which paths or test ids can be appended; empty if there is no "
            "runner."
        ),
        "features": {
            "type": "array",
            "description": "The features, together everything the request asks for and nothing else.",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "kind", "category", "description", "steps", "priority", "depends_on"],
                "properties": {
                    "id": _text("A short name: lower-case letters, digits and hyphens.", **_ID),
                    "kind": {"type": "string", "enum": [kind.value for kind in FeatureKind]},
                    "category": _text("One word for people, such as backend, frontend or docs."),
                    "description": _text("What shall be true, precise enough to write tests from."),
                    "steps": _texts("How a person would check it."),
                    "priority": {"type": "integer", "minimum": 0, "description": "Smaller is earlier."},
                    "depends_on": _texts("Ids of features that must pass first."),
                },
            },
        },
    },
    ["setup", "test_command", "features"],
)

CODER_TOOLS: tuple[BetaToolUnionParam, ...] = (_BASH, _EDITOR, _BROWSER, _REMEMBER, _SUBMIT, _BLOCKED)
PLANNER_TOOLS: tuple[BetaToolUnionParam, ...] = (_BASH, _EDITOR, _REMEMBER, _PROPOSE)
