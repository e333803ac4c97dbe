"""Reads a workflow file into `Workflow`, and refuses before a run what GitHub refuses before a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from embedded_github.actions.workflow import fields, yaml12
from embedded_github.actions.workflow.definition import (
    Call,
    Concurrency,
    Input,
    Job,
    Permissions,
    Step,
    Strategy,
    Trigger,
    Workflow,
    WorkflowError,
)
from embedded_github.actions.workflow.expressions import ExpressionError, check
from embedded_github.actions.workflow.matrix import leaves
from embedded_github.actions.workflow.values import Value

_TOP = {"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"}
_JOB = {
    "name", "needs", "if", "permissions", "concurrency", "env", "outputs", "steps", "runs-on",
    "timeout-minutes", "continue-on-error", "defaults", "strategy",
}  # fmt: skip
_CALLER = {"name", "needs", "if", "permissions", "uses", "with", "secrets"}
_STEP = {
    "id", "name", "if", "uses", "run", "shell", "working-directory", "with", "env", "continue-on-error",
    "timeout-minutes",
}  # fmt: skip
_INPUT = {"description", "type", "required", "default", "options", "deprecationMessage"}
_CALL_INPUT = {"description", "type", "required", "default", "deprecationMessage"}
_LIMITED = {"branches", "branches-ignore", "tags", "tags-ignore"}
_PERMISSIONS = {
    "actions", "artifact-metadata", "attestations", "checks", "contents", "deployments", "discussions",
    "id-token", "issues", "models", "packages", "pages", "pull-requests", "repository-projects",
    "security-events", "statuses",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


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
    fields.known(tree, _TOP, "the workflow")
    jobs = tree.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        raise WorkflowError("it has no jobs")
    run_name = fields.text(tree.get("run-name"), "run-name")
    check(run_name, fields.RUN)
    shell, folder = _defaults(tree.get("defaults"), "defaults")
    result = replace(
        workflow,
        run_name=run_name,
        permissions=_permissions(tree.get("permissions"), "permissions"),
        env=fields.scalars(tree.get("env"), "env", fields.RUN | {"secrets"}),
        concurrency=_concurrency(tree.get("concurrency"), "concurrency", fields.RUN),
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
    settings = fields.mapping(settings, where)
    if event == "workflow_dispatch":
        fields.known(settings, {"inputs"}, where)
        inputs = fields.mapping(settings.get("inputs") or {}, f"{where}.inputs")
        if len(inputs) > 25:
            raise WorkflowError("you may only define up to 25 `inputs` for a `workflow_dispatch` event")
        return Trigger(event, inputs={str(name): _input(str(name), one) for name, one in inputs.items()})
    if event == "workflow_call":
        return _called(settings, where)
    types = settings.get("types")
    if event == "workflow_run" and not settings.get("workflows"):
        raise WorkflowError(f"{where} needs 'workflows'")
    followed = fields.words(settings["workflows"], f"{where}.workflows") if event == "workflow_run" else ()
    known = _LIMITED | {"types"} | ({"workflows"} if followed else set())
    return Trigger(
        event,
        workflows=followed,
        types=None if types is None else fields.words(types, f"{where}.types"),
        include={
            key: fields.words(settings[key], f"{where}.{key}")
            for key in ("branches", "tags")
            if key in settings
        },
        exclude={
            key: fields.words(settings[f"{key}-ignore"], f"{where}.{key}-ignore")
            for key in ("branches", "tags")
            if f"{key}-ignore" in settings
        },
        unsupported=tuple(str(key) for key in settings if key not in known),
    )


def _called(settings: Mapping[Any, Any], where: str) -> Trigger:
    """`on.workflow_call`: what a caller gives and gets."""
    fields.known(settings, {"inputs", "secrets", "outputs"}, where)
    inputs = {}
    for name, one in fields.mapping(settings.get("inputs") or {}, f"{where}.inputs").items():
        place = f"{where}.inputs.{name}"
        entry = fields.mapping(one or {}, place)
        fields.known(entry, _CALL_INPUT, place)
        if entry.get("type") not in {"string", "boolean", "number"}:
            raise WorkflowError(f"{place}.type must be string, boolean or number")
        default = fields.scalar(entry.get("default"), f"{place}.default")
        check(default, fields.RUN)
        inputs[str(name)] = Input(str(name), entry["type"], entry.get("required") is True, default)
    secrets = {}
    for name, one in fields.mapping(settings.get("secrets") or {}, f"{where}.secrets").items():
        entry = fields.mapping(one or {}, f"{where}.secrets.{name}")
        fields.known(entry, {"description", "required"}, f"{where}.secrets.{name}")
        secrets[str(name)] = entry.get("required") is True
    outputs = {}
    for name, one in fields.mapping(settings.get("outputs") or {}, f"{where}.outputs").items():
        entry = fields.mapping(one, f"{where}.outputs.{name}")
        fields.known(entry, {"description", "value"}, f"{where}.outputs.{name}")
        outputs[str(name)] = fields.scalar(entry.get("value"), f"{where}.outputs.{name}.value")
        check(outputs[str(name)], fields.RUN | {"jobs"})
    return Trigger("workflow_call", inputs=inputs, secrets=secrets, outputs=outputs)


def _input(name: str, settings: Value) -> Input:
    where = f"on.workflow_dispatch.inputs.{name}"
    settings = fields.mapping(settings or {}, where)
    fields.known(settings, _INPUT, where)
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
    value = fields.mapping(value, where)
    if not _NAME.match(key):
        raise WorkflowError(f"the job name '{key}' is malformed: letters, digits, '-' and '_' only")
    if "uses" in value:
        return _caller(key, value, where)
    fields.known(value, _JOB, where)
    if "runs-on" not in value:
        raise WorkflowError(f"{where} has no 'runs-on'")
    steps = value.get("steps")
    if not isinstance(steps, list) or not steps:
        raise WorkflowError(f"{where} has no steps")
    own_shell, own_folder = _defaults(value.get("defaults"), f"{where}.defaults")
    needs = value.get("needs") or ()
    job = Job(
        key,
        name=fields.text(value.get("name"), f"{where}.name"),
        needs=fields.words(needs, f"{where}.needs") if needs else (),
        condition=fields.scalar(value.get("if"), f"{where}.if"),
        permissions=_permissions(value.get("permissions"), f"{where}.permissions"),
        concurrency=_concurrency(value.get("concurrency"), f"{where}.concurrency", fields.JOB),
        env=fields.scalars(value.get("env"), f"{where}.env", fields.JOB | {"secrets"}),
        outputs=fields.scalars(value.get("outputs"), f"{where}.outputs", fields.STEPS),
        steps=tuple(read_step(number, one, where) for number, one in enumerate(steps, 1)),
        runs_on=str(value["runs-on"]),
        timeout_minutes=fields.scalar(value.get("timeout-minutes"), f"{where}.timeout-minutes"),
        continue_on_error=fields.scalar(value.get("continue-on-error", False), f"{where}.continue-on-error"),
        strategy=_strategy(value.get("strategy"), f"{where}.strategy"),
        shell=own_shell or shell,
        working_directory=own_folder or folder,
    )
    check(job.condition, fields.NEEDS, bare=True, status=True)
    for text in (job.name, job.timeout_minutes, job.continue_on_error, job.runs_on):
        check(text, fields.JOB)
    ids = [step.id for step in job.steps if step.id]
    if len(set(ids)) < len(ids):
        raise WorkflowError(f"{where}: two steps have the same id")
    return job


def _caller(key: str, value: Mapping[Any, Any], where: str) -> Job:
    """A job that calls a reusable workflow."""
    fields.known(value, _CALLER, f"{where}, which calls a workflow,")
    needs, secrets = value.get("needs") or (), value.get("secrets")
    if secrets != "inherit":
        secrets = fields.scalars(secrets, f"{where}.secrets", fields.JOB | {"secrets"})
    job = Job(
        key,
        name=fields.text(value.get("name"), f"{where}.name"),
        needs=fields.words(needs, f"{where}.needs") if needs else (),
        condition=fields.scalar(value.get("if"), f"{where}.if"),
        permissions=_permissions(value.get("permissions"), f"{where}.permissions"),
        call=Call(
            fields.text(value["uses"], f"{where}.uses"),
            fields.scalars(value.get("with"), f"{where}.with", fields.JOB),
            None if secrets == "inherit" else secrets,
        ),
    )
    check(job.condition, fields.NEEDS, bare=True, status=True)
    check(job.name, fields.NEEDS)
    return job


def _strategy(value: Value, where: str) -> Strategy | None:
    if value is None:
        return None
    value = fields.mapping(value, where)
    fields.known(value, {"matrix", "fail-fast", "max-parallel"}, where)
    matrix = value.get("matrix")
    if not isinstance(matrix, dict | str) or not matrix:
        raise WorkflowError(f"{where} has no matrix")
    result = Strategy(
        matrix,
        fields.scalar(value.get("fail-fast", True), f"{where}.fail-fast"),
        fields.scalar(value.get("max-parallel"), f"{where}.max-parallel"),
    )
    for text in (*leaves(matrix), result.fail_fast, result.max_parallel):
        check(text, fields.NEEDS)
    return result


def read_step(number: int, value: Value, job: str, contexts: frozenset[str] = fields.STEPS) -> Step:
    """One step.

    Args:
        job: where it stands, for messages.
        contexts: what its expressions may see.

    Raises:
        ExpressionError, WorkflowError: what GitHub would refuse, or the player does not play.
    """
    where = f"{job}.steps[{number - 1}]"
    value = fields.mapping(value, where)
    fields.known(value, _STEP, where)
    if ("uses" in value) == ("run" in value):
        raise WorkflowError(f"{where} needs either 'uses' or 'run'")
    step = Step(
        number,
        id=fields.text(value.get("id"), f"{where}.id"),
        name=fields.text(value.get("name"), f"{where}.name"),
        condition=fields.scalar(value.get("if"), f"{where}.if"),
        uses=fields.text(value.get("uses"), f"{where}.uses"),
        run=fields.text(value.get("run"), f"{where}.run"),
        shell=fields.text(value.get("shell"), f"{where}.shell"),
        working_directory=fields.text(value.get("working-directory"), f"{where}.working-directory"),
        with_=fields.scalars(value.get("with"), f"{where}.with", contexts),
        env=fields.scalars(value.get("env"), f"{where}.env", contexts),
        continue_on_error=fields.scalar(value.get("continue-on-error", False), f"{where}.continue-on-error"),
        timeout_minutes=fields.scalar(value.get("timeout-minutes"), f"{where}.timeout-minutes"),
    )
    if step.shell not in {"", "bash", "sh"}:
        raise WorkflowError(f"{where}.shell is '{step.shell}': the embedded GitHub plays bash and sh")
    check(step.condition, contexts - {"secrets"}, bare=True, status=True, files=True)
    for text in (step.name, step.run, step.working_directory, step.continue_on_error, step.timeout_minutes):
        check(text, contexts, files=True)
    return step


def _concurrency(value: Value, where: str, contexts: frozenset[str]) -> Concurrency | None:
    if value is None:
        return None
    if isinstance(value, str):
        value = {"group": value}
    value = fields.mapping(value, where)
    fields.known(value, {"group", "cancel-in-progress", "queue"}, where)
    if not value.get("group"):
        raise WorkflowError(f"{where} has no group")
    result = Concurrency(
        fields.text(value["group"], f"{where}.group"),
        fields.scalar(value.get("cancel-in-progress", False), f"{where}.cancel-in-progress"),
        fields.text(value.get("queue", "single"), f"{where}.queue"),
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
    for name, level in fields.mapping(value, where).items():
        if name not in _PERMISSIONS:
            raise WorkflowError(f"{where}: there is no permission '{name}'")
        if level not in {"none", "read", "write"}:
            raise WorkflowError(f"{where}.{name} is '{level}': it must be none, read or write")
    return dict(value)


def _defaults(value: Value, where: str) -> tuple[str, str]:
    if value is None:
        return "", ""
    value = fields.mapping(value, where)
    fields.known(value, {"run"}, where)
    run = fields.mapping(value.get("run") or {}, f"{where}.run")
    fields.known(run, {"shell", "working-directory"}, f"{where}.run")
    shell = fields.text(run.get("shell"), f"{where}.run.shell")
    if shell not in {"", "bash", "sh"}:
        raise WorkflowError(f"{where}.run.shell is '{shell}': the embedded GitHub plays bash and sh")
    return shell, fields.text(run.get("working-directory"), f"{where}.run.working-directory")


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
