"""The SDK's own request types as strict validators, since Anthropic publishes no OpenAPI document.

The types are written for people who call the API: any iterable will do, and extra keys are the type
checker's business. A server is stricter, so they are rewritten: `Iterable` to `list`, no extra keys, and
unions told apart by their `type` or `role`, which gives errors that name one place.
"""

from __future__ import annotations

import collections.abc
import functools
import os
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, cast

import typing_extensions
from anthropic.types import AnthropicBetaParam
from anthropic.types import message_count_tokens_params as stable_count
from anthropic.types import message_create_params as stable_create
from anthropic.types.beta import message_count_tokens_params as beta_count
from anthropic.types.beta import message_create_params as beta_create
from pydantic import BaseModel, ConfigDict, Discriminator, Tag, TypeAdapter, ValidationError

from scripted_model.refusals import invalid

# Keyword arguments of the SDK's methods that travel as headers.
_HEADER_FIELDS = {"betas", "user_profile_id", "workspace_id"}
# A tool's schema may use all of JSON Schema: the SDK names three keywords and takes any mapping.
_OPEN = {"InputSchemaTyped"}
# Tags of union branches that are no objects; dropped from the place in an error.
_TEXT, _LIST, _NULL, _UNTYPED, _OBJECT = "~text", "~list", "~null", "~untyped", "~object"

KNOWN_BETAS: frozenset[str] = frozenset(
    value
    for branch in typing.get_args(AnthropicBetaParam)
    if typing.get_origin(branch) is Literal
    for value in typing.get_args(branch)
)


def check_body(body: object, *, beta: bool, count: bool = False) -> dict[str, Any]:
    """The body, unchanged, once it is known to be well-formed.

    Args:
        body: the parsed JSON of `POST /v1/messages`.
        beta: whether beta features may stand in it.
        count: whether it is the body of `/v1/messages/count_tokens`.

    Raises:
        ApiError: 400, with the first place that is wrong.
    """
    try:
        _adapter(beta=beta, count=count).validate_python(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        parts = [str(part) for part in first["loc"] if not str(part).startswith("~")]
        place = ".".join(part for i, part in enumerate(parts) if not _is_role(parts, i))
        told_apart_by = "'role'" if len(parts) == 2 and parts[0] == "messages" else "'type'"
        message = first["msg"].replace("_tag_of()", told_apart_by)
        raise invalid(f"{place}: {message}" if place else message) from None
    return cast("dict[str, Any]", body)


def _is_role(parts: list[str], index: int) -> bool:
    return index == 2 and parts[0] == "messages" and parts[index] in {"user", "assistant", "system"}


@functools.cache  # A tenth of a second each, and most clients need one of the four.
def _adapter(*, beta: bool, count: bool) -> TypeAdapter[Any]:
    if count:
        params = beta_count.MessageCountTokensParams if beta else stable_count.MessageCountTokensParams
        return TypeAdapter(_typed_dict(params, {}))
    base = beta_create.MessageCreateParamsBase if beta else stable_create.MessageCreateParamsBase
    return TypeAdapter(_typed_dict(base, {}, {"stream": bool}))


def _typed_dict(source: type, seen: dict[type, Any], extra: Mapping[str, type] | None = None) -> Any:  # noqa: ANN401
    if source in seen:
        return seen[source]
    total = getattr(source, "__total__", True)
    fields: dict[str, Any] = {}
    origin: Any
    for name, hint in _hints(source).items():
        if name in _HEADER_FIELDS:
            continue
        origin = typing.get_origin(hint)
        stated = origin in _REQUIREMENTS
        inner = _rewrite(typing.get_args(hint)[0] if stated else hint, seen)
        required = origin is _REQUIRED if stated else total
        fields[name] = _REQUIRED[inner] if required else _NOT_REQUIRED[inner]
    for name, hint in (extra or {}).items():
        fields[name] = _NOT_REQUIRED[hint]
    result = _TYPED_DICT(source.__name__, fields)
    result.__pydantic_config__ = ConfigDict(
        extra="allow" if source.__name__ in _OPEN else "forbid", strict=True
    )
    seen[source] = result
    return result


# As plain values: these types are made at run time, a checker could not follow them.
_TYPED_DICT: Any = typing_extensions.TypedDict
_REQUIRED: Any = typing_extensions.Required
_NOT_REQUIRED: Any = typing_extensions.NotRequired
_REQUIREMENTS = {_REQUIRED, _NOT_REQUIRED}
_LISTS = {collections.abc.Iterable, collections.abc.Sequence, list}


def _rewrite(hint: Any, seen: dict[type, Any]) -> Any:  # noqa: ANN401
    """A type as the server reads it from JSON."""
    if typing_extensions.is_typeddict(hint):
        return _typed_dict(hint, seen)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _rewrite(arguments[0], seen)
    if origin in _LISTS:
        return list[_rewrite(arguments[0], seen)]  # type: ignore[misc]
    if origin is dict:
        return dict[arguments[0], _rewrite(arguments[1], seen)]  # type: ignore[misc,valid-type]
    if origin in {Union, types.UnionType}:
        return _union([member for member in _members(hint) if _travels(member)], seen)
    return Any if hint is object else hint


def _members(hint: Any) -> list[Any]:  # noqa: ANN401
    """The members of a union, those of unions inside it too."""
    if typing.get_origin(hint) is Annotated:
        return _members(typing.get_args(hint)[0])
    if typing.get_origin(hint) in {Union, types.UnionType}:
        return [member for branch in typing.get_args(hint) for member in _members(branch)]
    return [hint]


def _travels(member: Any) -> bool:  # noqa: ANN401
    """Whether a type stands in JSON: the SDK also takes open files, paths and its own response models."""
    origin = typing.get_origin(member) or member
    return not (isinstance(origin, type) and issubclass(origin, (os.PathLike, typing.IO, BaseModel)))


def _union(members: list[Any], seen: dict[type, Any]) -> Any:  # noqa: ANN401
    if any(getattr(member, "__name__", "") in _OPEN for member in members):
        members = [member for member in members if typing.get_origin(member) is not dict]
    branches: dict[str, list[Any]] = {}
    for member in members:
        for tag in _tags(member):
            branches.setdefault(tag, []).append(_rewrite(member, seen))
    if len(branches) == 1:
        return _either(next(iter(branches.values())))
    if "" in branches:  # Something no tag tells apart, as a datetime beside a string.
        return _either([_rewrite(member, seen) for member in members])
    tagged = [Annotated[_either(same), Tag(tag)] for tag, same in branches.items()]
    known = set(branches)

    def _tag_of(value: object) -> str | None:
        tag = _tag(value)
        return _OBJECT if tag not in known and isinstance(value, Mapping) and _OBJECT in known else tag

    return Annotated[_either(tagged), Discriminator(_tag_of)]


def _either(members: list[Any]) -> Any:  # noqa: ANN401
    return Union[tuple(members)]  # noqa: UP007 - the members are known at run time only


def _tag(value: object) -> str | None:
    if isinstance(value, Mapping):
        kind = value.get("type", value.get("role"))
        return kind if isinstance(kind, str) else _UNTYPED
    return {str: _TEXT, list: _LIST, type(None): _NULL}.get(type(value))


def _tags(member: Any) -> list[str]:  # noqa: ANN401
    """The tags under which a union's member goes; `` for one that has none."""
    if typing_extensions.is_typeddict(member):
        for name in ("type", "role"):
            hint = _hints(member).get(name)
            values = [v for v in _literals(hint) if isinstance(v, str)]
            if values:
                return values if _REQUIRED in {typing.get_origin(hint)} else [*values, _UNTYPED]
        return [_OBJECT]
    origin = typing.get_origin(member) or member
    if origin is Literal:
        return [_TEXT] if all(isinstance(v, str) for v in typing.get_args(member)) else [""]
    if origin in _LISTS:
        return [_LIST]
    return {str: [_TEXT], type(None): [_NULL], dict: [_OBJECT]}.get(origin, [""])


def _literals(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if typing.get_origin(hint) is Literal:
        return typing.get_args(hint)
    return tuple(v for branch in typing.get_args(hint) for v in _literals(branch))


@functools.cache
def _hints(source: type) -> dict[str, Any]:
    return typing_extensions.get_type_hints(source, include_extras=True)
