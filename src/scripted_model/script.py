"""What the scripted model says: a YAML file of conversations, and files beside it."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

from scripted_model.errors import ScriptError

SCRIPT_NAME = "turns.yaml"

FaultKind = Literal[
    "rate_limit",
    "overloaded",
    "server_error",
    "stream_error",
    "cut",
    "clean_end",
    "stall",
    "refusal",
    "max_tokens",
    "context_window_exceeded",
]


class _Part(BaseModel):
    """Part of a script: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelLimits(_Part):
    """What the Models API says of one model, in tokens."""

    max_input_tokens: PositiveInt
    max_tokens: PositiveInt


class UsageOverride(_Part):
    """Figures that take the place of the computed ones, in tokens."""

    input_tokens: NonNegativeInt | None = None
    output_tokens: NonNegativeInt | None = None
    cache_creation_input_tokens: NonNegativeInt | None = None
    cache_read_input_tokens: NonNegativeInt | None = None


class Fault(_Part):
    """A failure that comes `times` times before the turn is answered.

    `retry_after` (seconds) and `should_retry` become headers of a refusal that comes before the stream
    (rate_limit, overloaded, server_error); with `names_end` false a rate_limit has no header that says when
    it ends, as from gateways and cloud providers; `seconds` is how long a stall is silent.
    """

    kind: FaultKind
    times: PositiveInt = 1
    retry_after: NonNegativeFloat | None = None
    should_retry: bool | None = None
    names_end: bool = True
    seconds: NonNegativeFloat = 30.0


class ToolCall(_Part):
    """One use of a tool, written as a map of one key: the tool's name and its input."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    input: dict[str, Any]


def _one_key(value: object) -> object:
    if isinstance(value, ToolCall):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("a tool call is a map of one key: the tool's name, with its input object")
    ((name, given),) = value.items()
    return {"name": name, "input": {} if given is None else given}


class Turn(_Part):
    """One answer of the model."""

    text: Annotated[str, StringConstraints(min_length=1)] | None = None
    thinking: Annotated[str, StringConstraints(min_length=1)] | None = None
    tools: tuple[Annotated[ToolCall, BeforeValidator(_one_key)], ...] = ()
    usage: UsageOverride | None = None
    expect: str | tuple[str, ...] = ()
    delay_s: NonNegativeFloat = 0.0
    fault: Fault | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Turn:
        if self.text is None and not self.tools:
            raise ValueError("a turn needs `text`, `tools` or both")
        return self

    @property
    def expected(self) -> tuple[str, ...]:
        """The texts that the user message before this turn must contain."""
        return (self.expect,) if isinstance(self.expect, str) else self.expect


class Conversation(_Part):
    """One attempt, from its first request to its end."""

    turns: tuple[Turn, ...] = Field(min_length=1)


Attempts = Annotated[tuple[Conversation, ...], Field(min_length=1)]


def _example_models() -> dict[str, ModelLimits]:
    names = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
    return {name: ModelLimits(max_input_tokens=1_000_000, max_tokens=128_000) for name in names}


class Script(_Part):
    """Every conversation the model can hold. The last attempt listed serves every later one."""

    models: dict[str, ModelLimits] = Field(default_factory=_example_models, min_length=1)
    planner: Attempts | None = None
    features: dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")], Attempts] = {}


class _Loader(yaml.SafeLoader):
    """Safe YAML with `!file` and without silently dropped duplicate keys."""

    folder: Path

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise _bad_yaml(key_node, f"the key {key!r} stands twice in one map")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def file(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise _bad_yaml(node, "!file takes a relative path")
        folder = self.folder.resolve()
        path = (folder / str(node.value)).resolve()
        # Resolved first, so that neither `..`, an absolute path nor a symbolic link leads out of the folder.
        if not path.is_relative_to(folder):
            raise _bad_yaml(node, f"!file {node.value}: the path leads out of the script's folder")
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise _bad_yaml(node, f"!file {node.value}: {reason}") from error


_Loader.add_constructor("!file", _Loader.file)


def _bad_yaml(node: yaml.Node, message: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=node.start_mark)


def load_script(path: Path) -> Script:
    """Read a script and the files it names.

    Args:
        path: the YAML file, or a folder with a `turns.yaml`.

    Raises:
        ScriptError: unreadable, no YAML, an unknown key, a value out of range, a `!file` that is
            missing or leads out of the script's folder. The message names the place.
    """
    file = path / SCRIPT_NAME if path.is_dir() else path
    try:
        loader = _Loader(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(
            f"the model's script {file} cannot be read: {error}", hint=f"give a folder with a {SCRIPT_NAME}"
        ) from error
    loader.folder = file.parent
    try:
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise ScriptError(f"{file}{where}: {problem}", hint="mend the script at that line") from error
    finally:
        loader.dispose()
    try:
        return Script.model_validate({} if document is None else document)
    except ValidationError as error:
        problems = [f"{_place(e['loc'])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
        raise ScriptError(
            "\n  ".join([f"{file} is not a valid script:", *problems]), hint="mend the script at that place"
        ) from error


def _place(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".") or "the document"
