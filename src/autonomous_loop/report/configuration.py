"""Describes the configuration for people: every key, its meaning and default, from the one model."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from autonomous_loop.config import LoopConfig

WIDTH = 100
# Example values for keys without a default.
_EXAMPLES: Mapping[str, Any] = {
    "token_budget": 500_000,
    "max_minutes": 300,
    "max_usd_ceiling": 20.0,
    "session_features": 3,
}
_HEAD = """\
# Configuration of Autonomous Loop for this repository. A loop reads it once, from the commit it starts from.
# You can leave out every key; it then has the value shown here. An input in the workflow overrides this file.
# Never put API keys or tokens here: store them as secrets of the repository.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key.

    Attributes:
        name: with hyphens.
        text: its meaning; contains "None has no limit" if that is what None means as its default.
        default: as in the model.
        choices: the allowed values; empty: any of its type.
    """

    name: str
    text: str
    default: Any


def keys() -> Iterator[Key]:
    """Return every key, in the order of the model.

    Raises:
        LookupError: the model's docstring does not describe a key.
    """
    said = inspect.getdoc(LoopConfig) or ""
    for field, info in LoopConfig.model_fields.items():
        found = re.search(rf"^    {field}: (.*(?:\n        .*)*)", said, re.MULTILINE)
        if not found:
            raise LookupError(f"LoopConfig's docstring says nothing of {field}")
        text = " ".join(found[1].split())
        text = text[0].upper() + text[1:]
        default = info.get_default(call_default_factory=True)
        choices = tuple(str(one) for one in get_args(info.annotation) if isinstance(one, str))
        if isinstance(info.annotation, type) and hasattr(info.annotation, "__members__"):
            choices = tuple(str(one) for one in info.annotation)
        if choices:
            text += f" One of: {', '.join(choices)}."
        yield Key(field.replace("_", "-"), text, default)


def commented(test_command: str = "", *, others: str = "") -> str:
    """Return a configuration file in which every key is commented out with its default.

    Args:
        test_command: filled in; empty: the loop detects the command.
        others: test commands that do not fit in one key, shown beside it.
    """
    parts = [_HEAD]
    for key in keys():
        text = key.text
        if key.name == "test-command" and (test_command or others):
            text += f" Found in the files of this project: {test_command or others}."
        lines = textwrap.wrap(text, WIDTH - 2, break_long_words=False, break_on_hyphens=False)
        if key.default is None:
            value = f"# {key.name} = {toml(_EXAMPLES[key.name.replace('-', '_')])}"
        elif key.name == "test-command" and test_command:
            value = f"{key.name} = {toml(test_command)}"
        else:
            value = f"# {key.name} = {toml(key.default)}"
        parts.append("\n".join([*(f"# {line}" for line in lines), value, ""]))
    return "\n".join(parts)


def toml(value: object) -> str:
    """Format a value as TOML. JSON's syntax fits all types that the model has."""
    if isinstance(value, dict):
        return (
            "{}" if not value else "{ " + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + " }"
        )
    # DEL is the one character that JSON leaves unescaped and TOML forbids.
    return json.dumps(value).replace("\x7f", "\\u007f")
