"""`action.yml`: an action's own description."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded_github.actions.workflow import fields, yaml12
from embedded_github.actions.workflow.definition import Scalar, Step, WorkflowError
from embedded_github.actions.workflow.reader import read_step

COMPOSITE = "composite"
BUILTIN = "actions/checkout"
"""The one action that the player brings, as `uses:` calls it without its version."""


@dataclass(frozen=True)
class ActionInput:
    """An input of an action; `default` may be an expression such as `${{ github.token }}`."""

    name: str
    default: Scalar = None
    required: bool = False


@dataclass(frozen=True)
class ActionMeta:
    """An action.

    Args:
        reference: what stands behind `uses:`.
        folder: where its action.yml is.
        using: docker, node20, composite, ...
        steps: of a composite action.
        outputs: of a composite action, each an expression over `steps`.
    """

    reference: str
    folder: Path
    name: str
    using: str
    image: str = ""
    entrypoint: str = ""
    pre_entrypoint: str = ""
    post_entrypoint: str = ""
    post_if: Scalar = "always()"
    args: tuple[Scalar, ...] = ()
    env: Mapping[str, Scalar] = field(default_factory=dict)
    inputs: Mapping[str, ActionInput] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, Scalar] = field(default_factory=dict)


def read_action(reference: str, folder: Path) -> ActionMeta:
    """Read the action.yml (or action.yaml) of a folder.

    Raises:
        WorkflowError: there is none, or it is malformed.
    """
    file = next((folder / name for name in ("action.yml", "action.yaml") if (folder / name).is_file()), None)
    if file is None:
        raise WorkflowError(
            f"Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action '{reference}'."
            " Did you forget to run actions/checkout before running your local action?"
        )
    try:
        tree = yaml12.load(file.read_bytes())
    except ValueError as error:
        raise WorkflowError(f"the {file.name} of '{reference}' is malformed: {error}") from None
    runs = tree.get("runs") if isinstance(tree, dict) else None
    if not isinstance(runs, dict) or not isinstance(runs.get("using"), str):
        raise WorkflowError(f"the {file.name} of '{reference}' does not say what it 'runs' by 'using'")
    return ActionMeta(
        reference,
        folder,
        name=str(tree.get("name") or reference),
        using=runs["using"],
        image=str(runs.get("image") or ""),
        entrypoint=str(runs.get("entrypoint") or ""),
        pre_entrypoint=str(runs.get("pre-entrypoint") or ""),
        post_entrypoint=str(runs.get("post-entrypoint") or ""),
        post_if=runs.get("post-if", "always()"),
        args=tuple(runs.get("args") or ()),
        env=dict(runs.get("env") or {}),
        inputs=_inputs(tree.get("inputs") or {}),
        **_composite(reference, runs, tree.get("outputs") or {}),
    )


def is_builtin(uses: str, sources: Mapping[str, Path]) -> bool:
    """Whether `uses:` means the player's own action: a folder given for its name goes before."""
    name = uses.partition("@")[0]
    return name.lower() == BUILTIN and name not in sources


def resolve_action(uses: str, sources: Mapping[str, Path], workspace: Path) -> ActionMeta:
    """Find and read the action behind `uses:`.

    Args:
        uses: `owner/name@ref`, `owner/name/folder@ref` or `./folder`.
        sources: folders by name, without the ref.
        workspace: where `./folder` is looked for.

    Raises:
        WorkflowError: it is unknown, or of a kind that is not played.
    """
    name = uses.partition("@")[0]
    owner_name = "/".join(name.split("/")[:2])
    if name in sources:
        folder = sources[name]
    elif name.startswith("./"):
        folder = workspace / name
    elif owner_name in sources:
        folder = sources[owner_name] / name.removeprefix(owner_name).strip("/")
    else:
        raise WorkflowError(
            f"Unable to resolve action `{uses}`, repository not found: the embedded GitHub plays"
            f" {', '.join([BUILTIN, *sources])} and no other"
        )
    meta = read_action(uses, folder)
    if meta.using not in {"docker", COMPOSITE} or meta.pre_entrypoint:
        kind = f"'{meta.using}' with a pre-entrypoint" if meta.pre_entrypoint else f"'{meta.using}'"
        raise WorkflowError(
            f"the action '{uses}' runs by {kind}: the embedded GitHub plays docker and composite"
        )
    return meta


def input_values(
    meta: ActionMeta, given: Mapping[str, Scalar], evaluate: Callable[[Scalar], str]
) -> tuple[dict[str, str], list[str]]:
    """An action's inputs from `with:` and its defaults, and the names it does not know (passed on)."""
    known = {name.lower(): name for name in meta.inputs}
    values = {known.get(name.lower(), name): evaluate(value) for name, value in given.items()}
    for name, one in meta.inputs.items():
        if name not in values:
            values[name] = evaluate(one.default)
    return values, [name for name in values if name not in meta.inputs and name not in {"args", "entrypoint"}]


def action_id(step: Step) -> str:
    """What `github.action` and GITHUB_ACTION say in a step."""
    if step.id:
        return step.id
    return "__" + step.uses.partition("@")[0].replace("/", "_").strip("._") if step.uses else "__run"


def quoted(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(f"'{name}'" for name in names)


def _inputs(value: Mapping[str, Any]) -> dict[str, ActionInput]:
    return {
        str(name): ActionInput(str(name), (one or {}).get("default"), (one or {}).get("required") is True)
        for name, one in value.items()
    }


def _composite(reference: str, runs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    if runs["using"] != COMPOSITE:
        return {}
    steps = runs.get("steps")
    if not isinstance(steps, list) or not steps:
        raise WorkflowError(f"the composite action '{reference}' has no steps")
    made = tuple(read_step(number, one, reference, fields.COMPOSITE) for number, one in enumerate(steps, 1))
    for step in made:
        if step.uses:
            raise WorkflowError(
                f"the composite action '{reference}' uses '{step.uses}': its scripts alone are played"
            )
        if not step.shell:
            raise WorkflowError(f"'{step.title}' of the composite action '{reference}' names no shell")
    return {"steps": made, "outputs": {str(name): one.get("value") for name, one in outputs.items()}}
