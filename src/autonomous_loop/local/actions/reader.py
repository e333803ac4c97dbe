"""Reads a workflow file into `Workflow`, and refuses before a run what GitHub refuses before a run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from autonomous_loop.local.actions import yaml12
from autonomous_loop.local.actions.expressions import ExpressionError, check
from autonomous_loop.local.actions.values import Value
from autonomous_loop.local.actions.workflow import (
    Concurrency,
    Input,
    Job,
    Permissions,
    Scalar,
    Step,
    Trigger,
    Workflow,
    WorkflowError,
)

_TOP = {"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"}
_JOB = {
    "name", "needs", "if", "permissions", "concurrency", "env", "outputs", "steps", "runs-on",
    "timeout-minutes", "continue-on-error", "defaults",
}  # fmt: skip
_STEP = {
    "id", "name", "if", "uses", "run", "shell", "working-directory", "with", "env", "continue-on-error",
    "timeout-minutes",
}  # fmt: skip
_INPUT = {"description", "type", "required", "default", "options", "deprecationMessage"}
_LIMITED = {"branches", "branches-ignore", "tags", "tags-ignore"}
_PERMISSIONS = {
    "actions", "artifact-metadata", "attestations", "checks", "contents", "deployments", "discussions",
    "id-token", "issues", "models", "packages", "pages", "pull-requests", "repository-projects",
    "security-events", "statuses",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")

# Which contexts GitHub offers where ("Contexts reference", context availability).
_RUN = frozenset({"github", "inputs", "vars"})
_NEEDS = _RUN | {"needs"}
_STEPS = _NEEDS | {"secrets", "env", "job", "runner", "steps"}
_STEP_IF = _STEPS - {"secrets"}
# Contexts of matrix jobs, which the player does not play, are left out on purpose.


def read_workflow(path: str, content: bytes) -> Workflow:
    """Read a workflow file. Never raises: what is wrong stands in `problems`.

    Args:
        path: in the repository.
        content: the file.
    """
    try:
        tree = yaml12.load(content)
    except ValueError as error:
        return Workflow(path, problems=(f"Invalid workflow file: {path}: {error}",))
    if not isinstance(tree, dict):
        return Workflow(path, problems=(f"Invalid workflow file: {path}: it is not a mapping",))
    name = tree.get("name")
    workflow = Workflow(path, name if isinstance(name, str) else "")
    try:
        workflow = replace(workflow, on=_triggers(tree.get("on")))
        return _workflow(workflow, tree)
    except (WorkflowError, ExpressionError) as error:
        return replace(workflow, problems=(f"Invalid workflow file: {path}: {error}",))


def _workflow(workflow: Workflow, tree: dict[Any, Any]) -> Workflow:
    _known(tree, _TOP, "the workflow")
    jobs = tree.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        raise WorkflowError("it has no jobs")
    run_name = _text(tree.get("run-name"), "run-name")
    check(run_name, _RUN)
    shell, folder = _defaults(tree.get("defaults"), "defaults")
    result = replace(
        workflow,
        run_name=run_name,
        permissions=_permissions(tree.get("permissions"), "permissions"),
        env=_scalars(tree.get("env"), "env", _RUN | {"secrets"}),
        concurrency=_concurrency(tree.get("concurrency"), "concurrency", _RUN),
        jobs={str(key): _job(str(key), job, shell, folder) for key, job in jobs.items()},
    )
    _acyclic(result.jobs)
    return result


def _triggers(value: Value) -> dict[str, Trigger]:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        value = dict.fromkeys(value)
    if not isinstance(value, dict) or not value:
        raise WorkflowError("it has no 'on:'")
    return {str(event): _trigger(str(event), settings) for event, settings in value.items()}


def _trigger(event: str, settings: Value) -> Trigger:
    where = f"on.{event}"
    if event == "schedule":
        entries = settings if isinstance(settings, list) else []
        crons = tuple(str(entry["cron"]) for entry in entries if isinstance(entry, dict) and "cron" in entry)
        if not crons or any(len(cron.split()) != 5 for cron in crons):
            raise WorkflowError(f"{where} needs a list of 'cron: \"17 4 * * *\"', five fields each")
        return Trigger(event, crons=crons)
    if settings is None:
        return Trigger(event)
    settings = _mapping(settings, where)
    if event == "workflow_dispatch":
        _known(settings, {"inputs"}, where)
        inputs = _mapping(settings.get("inputs") or {}, f"{where}.inputs")
        if len(inputs) > 25:
            raise WorkflowError("you may only define up to 25 `inputs` for a `workflow_dispatch` event")
        return Trigger(event, inputs={str(name): _input(str(name), one) for name, one in inputs.items()})
    types = settings.get("types")
    return Trigger(
        event,
        types=None if types is None else _words(types, f"{where}.types"),
        include={
            key: _words(settings[key], f"{where}.{key}") for key in ("branches", "tags") if key in settings
        },
        exclude={
            key: _words(settings[f"{key}-ignore"], f"{where}.{key}-ignore")
            for key in ("branches", "tags")
            if f"{key}-ignore" in settings
        },
        unsupported=tuple(str(key) for key in settings if key not in _LIMITED | {"types"}),
    )


def _input(name: str, settings: Value) -> Input:
    where = f"on.workflow_dispatch.inputs.{name}"
    settings = _mapping(settings or {}, where)
    _known(settings, _INPUT, where)
    kind = settings.get("type", "string")
    if kind not in {"string", "boolean", "choice", "number", "environment"}:
        raise WorkflowError(
            f"{where}.type is '{kind}': it must be string, boolean, choice, number or environment"
        )
    options = tuple(str(one) for one in settings.get("options") or ())
    if kind == "choice" and not options:
        raise WorkflowError(f"{where} is a choice without options")
    return Input(name, kind, settings.get("required") is True, settings.get("default"), options)


def _job(key: str, value: Value, shell: str, folder: str) -> Job:
    where = f"jobs.{key}"
    value = _mapping(value, where)
    if not _NAME.match(key):
        raise WorkflowError(f"the job name '{key}' is malformed: letters, digits, '-' and '_' only")
    _known(value, _JOB, where)
    if "runs-on" not in value:
        raise WorkflowError(f"{where} has no 'runs-on'")
    steps = value.get("steps")
    if not isinstance(steps, list) or not steps:
        raise WorkflowError(f"{where} has no steps")
    own_shell, own_folder = _defaults(value.get("defaults"), f"{where}.defaults")
    needs = value.get("needs") or ()
    job = Job(
        key,
        name=_text(value.get("name"), f"{where}.name"),
        needs=_words(needs, f"{where}.needs") if needs else (),
        condition=_scalar(value.get("if"), f"{where}.if"),
        permissions=_permissions(value.get("permissions"), f"{where}.permissions"),
        concurrency=_concurrency(value.get("concurrency"), f"{where}.concurrency", _NEEDS),
        env=_scalars(value.get("env"), f"{where}.env", _NEEDS | {"secrets"}),
        outputs=_scalars(value.get("outputs"), f"{where}.outputs", _STEPS),
        steps=tuple(_step(number, one, where) for number, one in enumerate(steps, 1)),
        runs_on=str(value["runs-on"]),
        timeout_minutes=_scalar(value.get("timeout-minutes"), f"{where}.timeout-minutes"),
        continue_on_error=_scalar(value.get("continue-on-error", False), f"{where}.continue-on-error"),
        shell=own_shell or shell,
        working_directory=own_folder or folder,
    )
    check(job.condition, _NEEDS, bare=True, status=True)
    for text in (job.name, job.timeout_minutes, job.continue_on_error, job.runs_on):
        check(text, _NEEDS)
    ids = [step.id for step in job.steps if step.id]
    if len(set(ids)) < len(ids):
        raise WorkflowError(f"{where}: two steps have the same id")
    return job


def _step(number: int, value: Value, job: str) -> Step:
    where = f"{job}.steps[{number - 1}]"
    value = _mapping(value, where)
    _known(value, _STEP, where)
    if ("uses" in value) == ("run" in value):
        raise WorkflowError(f"{where} needs either 'uses' or 'run'")
    step = Step(
        number,
        id=_text(value.get("id"), f"{where}.id"),
        name=_text(value.get("name"), f"{where}.name"),
        condition=_scalar(value.get("if"), f"{where}.if"),
        uses=_text(value.get("uses"), f"{where}.uses"),
        run=_text(value.get("run"), f"{where}.run"),
        shell=_text(value.get("shell"), f"{where}.shell"),
        working_directory=_text(value.get("working-directory"), f"{where}.working-directory"),
        with_=_scalars(value.get("with"), f"{where}.with", _STEPS),
        env=_scalars(value.get("env"), f"{where}.env", _STEPS),
        continue_on_error=_scalar(value.get("continue-on-error", False), f"{where}.continue-on-error"),
        timeout_minutes=_scalar(value.get("timeout-minutes"), f"{where}.timeout-minutes"),
    )
    if step.shell not in {"", "bash", "sh"}:
        raise WorkflowError(f"{where}.shell is '{step.shell}': the embedded GitHub plays bash and sh")
    check(step.condition, _STEP_IF, bare=True, status=True, files=True)
    for text in (step.name, step.run, step.working_directory, step.continue_on_error, step.timeout_minutes):
        check(text, _STEPS, files=True)
    return step


def _concurrency(value: Value, where: str, contexts: frozenset[str]) -> Concurrency | None:
    if value is None:
        return None
    if isinstance(value, str):
        value = {"group": value}
    value = _mapping(value, where)
    _known(value, {"group", "cancel-in-progress", "queue"}, where)
    if not value.get("group"):
        raise WorkflowError(f"{where} has no group")
    result = Concurrency(
        _text(value["group"], f"{where}.group"),
        _scalar(value.get("cancel-in-progress", False), f"{where}.cancel-in-progress"),
        _text(value.get("queue", "single"), f"{where}.queue"),
    )
    if result.queue not in {"single", "max"}:
        raise WorkflowError(f"{where}.queue is '{result.queue}': it must be single or max")
    if result.queue == "max" and result.cancel_in_progress is True:
        raise WorkflowError(f"{where}: 'queue: max' and 'cancel-in-progress: true' exclude each other")
    check(result.group, contexts)
    check(result.cancel_in_progress, contexts)
    return result


def _permissions(value: Value, where: str) -> Permissions | None:
    if value is None:
        return None
    if value in ("read-all", "write-all"):
        return dict.fromkeys(sorted(_PERMISSIONS), value.removesuffix("-all"))
    for name, level in _mapping(value, where).items():
        if name not in _PERMISSIONS:
            raise WorkflowError(f"{where}: there is no permission '{name}'")
        if level not in {"none", "read", "write"}:
            raise WorkflowError(f"{where}.{name} is '{level}': it must be none, read or write")
    return dict(value)


def _defaults(value: Value, where: str) -> tuple[str, str]:
    if value is None:
        return "", ""
    value = _mapping(value, where)
    _known(value, {"run"}, where)
    run = _mapping(value.get("run") or {}, f"{where}.run")
    _known(run, {"shell", "working-directory"}, f"{where}.run")
    shell = _text(run.get("shell"), f"{where}.run.shell")
    if shell not in {"", "bash", "sh"}:
        raise WorkflowError(f"{where}.run.shell is '{shell}': the embedded GitHub plays bash and sh")
    return shell, _text(run.get("working-directory"), f"{where}.run.working-directory")


def _acyclic(jobs: Mapping[str, Job]) -> None:
    done: set[str] = set()
    for job in jobs.values():
        for need in job.needs:
            if need not in jobs:
                raise WorkflowError(f"job '{job.key}' depends on unknown job '{need}'")
    while len(done) < len(jobs):
        ready = [job.key for job in jobs.values() if job.key not in done and done.issuperset(job.needs)]
        if not ready:
            raise WorkflowError("the jobs' 'needs' form a circle")
        done.update(ready)


def _known(value: Mapping[Any, Any], keys: set[str], where: str) -> None:
    for key in value:
        if key not in keys:
            raise WorkflowError(f"'{key}' in {where} is unknown, or not played by the embedded GitHub")


def _mapping(value: Value, where: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise WorkflowError(f"{where} must be a mapping")
    return value


def _scalar(value: Value, where: str) -> Scalar:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise WorkflowError(f"{where} must be one value")


def _text(value: Value, where: str) -> str:
    value = _scalar(value, where)
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(value: Value, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise WorkflowError(f"{where} must be a list")
    return tuple(_text(one, where) for one in value)


def _scalars(value: Value, where: str, contexts: frozenset[str]) -> dict[str, Scalar]:
    if value is None:
        return {}
    return dict(_checked(_mapping(value, where), where, contexts))


def _checked(value: dict[Any, Any], where: str, contexts: frozenset[str]) -> Iterator[tuple[str, Scalar]]:
    for key, one in value.items():
        check(_scalar(one, f"{where}.{key}"), contexts, files=contexts is _STEPS)
        yield str(key), one
