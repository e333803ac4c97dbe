"""One job, step after step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from embedded_github.actions.job.checkout import checkout
from embedded_github.actions.job.commands import (
    FileCommandError,
    JobLog,
    Masker,
    OutputReader,
    read_lines,
    read_pairs,
    read_summary,
)
from embedded_github.actions.job.composite import Composite
from embedded_github.actions.job.docker import container_arguments
from embedded_github.actions.job.environment import (
    Folders,
    github_context,
    runner_context,
    status_functions,
    variables,
)
from embedded_github.actions.job.process import Grace, Patience, play
from embedded_github.actions.job.scripts import script
from embedded_github.actions.ports import Annotation, JobControl, JobPlan, JobResult, StepResult
from embedded_github.actions.workflow import metadata
from embedded_github.actions.workflow.definition import Scalar, Step, WorkflowError
from embedded_github.actions.workflow.expressions import (
    ExpressionError,
    Scope,
    condition,
    render,
    render_value,
)
from embedded_github.actions.workflow.metadata import COMPOSITE, ActionMeta
from embedded_github.actions.workflow.values import to_number, truthy

Conclusion = str


@dataclass(frozen=True)
class _Post:
    """A post step that waits for the end of the job."""

    step: Step
    meta: ActionMeta
    command: Sequence[str]
    env: Mapping[str, str]
    state: dict[str, str]


class JobPlay:
    """The playing of one job.

    Args:
        plan: what to play.
        control: the line to the player.
        base: the environment below everything.
        docker_entrypoint: the command for a docker action's stage.
        grace: how a cancelled step ends.
        clock: the time.
    """

    def __init__(
        self,
        plan: JobPlan,
        control: JobControl,
        base: Mapping[str, str],
        docker_entrypoint: Callable[[ActionMeta, Any], Sequence[str] | None],
        grace: Grace,
        clock: Callable[[], datetime],
    ) -> None:
        self._plan = plan
        self._base = base
        self._docker_entrypoint = docker_entrypoint
        self._clock = clock
        self._patience = Patience(control, plan.timeout_s, grace)
        self._folders = Folders(plan.folder)
        self._runner = runner_context(self._folders)
        self._masker = Masker()
        for secret in plan.secrets.values():
            self._masker.add(secret)
        self._masker.add(plan.runtime.get("ACTIONS_RUNTIME_TOKEN", ""))
        self._log = JobLog(plan.log, self._masker, clock)
        self._failed = False
        self._env: dict[str, str] = {}
        self._paths: list[str] = []
        self._steps: dict[str, dict[str, Any]] = {}
        self._results: list[StepResult] = []
        self._annotations: list[Annotation] = []
        self._summary: list[str] = []
        self._posts: list[_Post] = []
        self._actions: dict[int, ActionMeta] = {}

    def run(self) -> JobResult:
        """Play it."""
        try:
            self._folders.make(self._plan.payload)
            if self._set_up():
                for step in self._plan.job.steps:
                    self._step(step)
                for post in reversed(self._posts):
                    self._post(post)
            return self._finish()
        finally:
            self._log.close()

    # -- the beginning and the end

    def _set_up(self) -> bool:
        """Resolve every action and the job's own environment before the first step, as the runner does."""
        self._log.write(f"Job {self._plan.job.key}, run {self._plan.github['run_id']}")
        try:
            self._env = dict(self._plan.env)
            scope = self._scope({})
            self._env |= {name: render(value, scope) for name, value in self._plan.job.env.items()}
            for step in self._plan.job.steps:
                if (
                    step.uses
                    and not step.uses.startswith("./")
                    and not metadata.is_builtin(step.uses, self._plan.action_sources)
                ):
                    self._actions[step.number] = self._resolve(step)
        except (WorkflowError, ExpressionError) as error:
            self._error(str(error))
            self._failed = True
            return False
        return True

    def _finish(self) -> JobResult:
        if self._patience.timed_out:
            minutes = self._plan.timeout_s / 60
            self._error(f"The job has exceeded the maximum execution time of {minutes:g} minutes.")
        if self._patience.cancelled:
            self._error("The operation was canceled.")
        outputs: dict[str, str] = {}
        try:
            for name, value in self._plan.job.outputs.items():
                text = render(value, self._scope(self._env))
                if self._masker.mask(text) != text:
                    self._warn(f"Skip output '{name}' since it may contain secret.")
                elif text:
                    outputs[name] = text
        except ExpressionError as error:
            self._error(str(error))
            self._failed = True
        return JobResult(
            self._status, outputs, tuple(self._results), tuple(self._annotations), "\n".join(self._summary)
        )

    @property
    def _status(self) -> Conclusion:
        if self._patience.cancelled:
            return "cancelled"
        return "failure" if self._failed else "success"

    # -- steps

    def _step(self, step: Step) -> None:
        started = self._now()
        outputs: dict[str, str] = {}
        try:
            env = self._env | {name: render(one, self._scope(self._env)) for name, one in step.env.items()}
            wanted = not self._patience.killed and condition(step.condition, self._scope(env))
            name = render(step.title, self._scope(env)) if wanted else step.title
            outcome = self._perform(step, env, name, outputs) if wanted else "skipped"
        except (WorkflowError, ExpressionError) as error:
            self._error(str(error))
            name, outcome = step.title, "failure"
        conclusion = outcome
        if outcome == "failure":
            tolerated = truthy(render_value(step.continue_on_error, self._scope(self._env)))
            conclusion = "success" if tolerated else "failure"
            self._failed |= not tolerated
        if step.id:
            self._steps[step.id] = {"outputs": outputs, "outcome": outcome, "conclusion": conclusion}
        self._results.append(
            StepResult(step.number, self._masker.mask(name), conclusion, started, self._now())
        )
        self._plan.on_step(tuple(self._results))

    def _perform(self, step: Step, env: Mapping[str, str], name: str, outputs: dict[str, str]) -> Conclusion:
        self._log.write(f"##[group]{name}")
        scope = self._scope(env, step)
        minutes = to_number(render_value(step.timeout_minutes, scope)) if step.timeout_minutes else math.inf
        if step.run:
            job = self._plan.job
            command, cwd = script(
                step, scope, self._folders, f"step-{step.number}",
                shell=job.shell, working_directory=job.working_directory,
            )  # fmt: skip
            extra: dict[str, str] = {}
        elif metadata.is_builtin(step.uses, self._plan.action_sources):
            return self._checkout(step, env, scope)
        else:
            meta = self._actions.get(step.number) or self._resolve(step)
            if meta.using == COMPOSITE:
                return self._composite(step, meta, env, scope, outputs)
            command, extra = self._docker(step, meta, scope)
            cwd = self._folders.workspace
        state: dict[str, str] = {}
        if step.uses and meta.post_entrypoint:
            # Registered before it runs: the post step also follows a failed or cancelled main step.
            post = self._docker_entrypoint(meta, "post")
            if post is not None:
                self._posts.append(_Post(step, meta, post, {**env, **extra}, state))
        self._log.write("##[endgroup]")
        return self._process(
            command,
            {**env, **extra},
            step,
            cwd,
            step.condition,
            timeout_s=minutes * 60,
            outputs=outputs,
            state=state,
        )

    def _post(self, post: _Post) -> None:
        started = self._now()
        name = f"Post {post.step.title}"
        outcome = "skipped"
        try:
            if not self._patience.killed and condition(post.meta.post_if, self._scope(self._env)):
                self._log.write(f"##[group]{name}\n##[endgroup]")
                env = self._env | dict(post.env) | {f"STATE_{key}": one for key, one in post.state.items()}
                outcome = self._process(
                    post.command,
                    env,
                    post.step,
                    self._folders.workspace,
                    post.meta.post_if,
                    outputs={},
                    state={},
                )
        except ExpressionError as error:
            self._error(str(error))
            outcome = "failure"
        self._failed |= outcome == "failure"
        self._results.append(StepResult(len(self._results) + 1, name, outcome, started, self._now()))

    def _process(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        step: Step,
        cwd: Path,
        goes_on: Scalar,
        *,
        timeout_s: float = math.inf,
        outputs: dict[str, str],
        state: dict[str, str],
    ) -> Conclusion:
        """Run a command as a step, and take in what it says."""
        files = self._folders.command_files()
        github = github_context(self._plan, self._folders, metadata.action_id(step))
        full = {
            **self._base,
            **env,
            **variables(github, self._runner, self._folders),
            **{variable: str(file) for variable, file in files.items()},
        }
        full["PATH"] = ":".join([*reversed(self._paths), full["PATH"]])
        reader = OutputReader(self._log, self._masker, self._annotations, outputs, state)
        code = play(
            command,
            env=full,
            cwd=cwd,
            pidfile=self._folders.root / "pid",
            on_line=reader.line,
            patience=self._patience,
            goes_on=lambda: condition(goes_on, self._scope(self._env)),
            timeout_s=timeout_s,
        )
        conclusion = "success" if code == 0 else "failure"
        try:
            outputs |= read_pairs(files["GITHUB_OUTPUT"])
            state |= read_pairs(files["GITHUB_STATE"])
            self._env |= {k: v for k, v in read_pairs(files["GITHUB_ENV"]).items() if k != "NODE_OPTIONS"}
            for line in read_lines(files["GITHUB_PATH"]):
                self._paths = [one for one in self._paths if one != line] + [line]
            if summary := read_summary(files["GITHUB_STEP_SUMMARY"], self._masker):
                self._summary.append(summary)
        except FileCommandError as error:
            self._error(f"Unable to process file command successfully: {error}")
            conclusion = "failure"
        if code is None:
            if self._patience.cancelled:
                return "cancelled"
            self._error(f"The action '{step.title}' has timed out after {timeout_s / 60:g} minutes.")
            return "failure"
        if code:
            what = "Process completed with exit code" if step.run else "Docker run failed with exit code"
            self._error(f"{what} {code}.")
        return conclusion

    # -- the kinds of step

    def _composite(
        self, step: Step, meta: ActionMeta, env: Mapping[str, str], scope: Scope, outputs: dict[str, str]
    ) -> Conclusion:
        """The steps of a composite action, in its own scope; the steps around it see its outputs alone."""
        values = self._inputs(step, meta, scope)
        own = {name: env[name] for name in step.env} | {"GITHUB_ACTION_PATH": str(meta.folder)}

        def run(one: Step, inner: Scope, extra: Mapping[str, str], made: dict[str, str]) -> Conclusion:
            command, cwd = script(one, inner, self._folders, f"step-{step.number}-{one.number}")
            self._log.write(f"##[group]{render(one.title, inner)}\n##[endgroup]")
            return self._process(
                command, {**self._env, **own, **extra}, step, cwd, one.condition, outputs=made, state={}
            )

        composite = Composite(meta, values, run, lambda: self._scope(self._env | own, step).contexts)
        conclusion = composite.play(cancelled=lambda: self._patience.cancelled)
        outputs |= composite.outputs()
        return conclusion

    def _inputs(self, step: Step, meta: ActionMeta, scope: Scope) -> dict[str, str]:
        values, unexpected = metadata.input_values(meta, step.with_, lambda value: render(value, scope))
        if unexpected:
            valid = metadata.quoted(meta.inputs)
            self._warn(f"Unexpected input(s) {metadata.quoted(unexpected)}, valid inputs are [{valid}]")
        return values

    def _docker(self, step: Step, meta: ActionMeta, scope: Scope) -> tuple[list[str], dict[str, str]]:
        """The command and the variables of a docker action."""
        values = self._inputs(step, meta, scope)
        command = self._docker_entrypoint(meta, "main")
        if command is None:
            raise WorkflowError(f"nothing stands in for the docker action '{step.uses}' on this machine")
        args, env = container_arguments(meta, values, scope)
        return [*command, *args], {**env, **self._plan.runtime}

    def _checkout(self, step: Step, env: Mapping[str, str], scope: Scope) -> Conclusion:
        options = {name: render(value, scope) for name, value in step.with_.items()}

        def git(arguments: Sequence[str], secret: Mapping[str, str], cwd: Path) -> bool:
            self._log.write(f"[command]git {' '.join(arguments)}")
            quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
            conclusion = self._process(
                ["git", *arguments],
                {**env, **quiet, **secret},
                step,
                cwd,
                step.condition,
                outputs={},
                state={},
            )
            return conclusion == "success"

        github = github_context(self._plan, self._folders, metadata.action_id(step))
        done = checkout(options, github, self._masker.add, git)
        self._log.write("##[endgroup]")
        return "success" if done else "cancelled" if self._patience.cancelled else "failure"

    def _resolve(self, step: Step) -> ActionMeta:
        return metadata.resolve_action(step.uses, self._plan.action_sources, self._folders.workspace)

    # -- small things

    def _scope(self, env: Mapping[str, str], step: Step | None = None) -> Scope:
        return Scope(
            {
                "github": github_context(self._plan, self._folders, metadata.action_id(step) if step else ""),
                "inputs": self._plan.inputs,
                "vars": self._plan.variables,
                "needs": self._plan.needs,
                "matrix": self._plan.matrix,
                "strategy": self._plan.strategy,
                "secrets": self._plan.secrets,
                "env": env,
                "job": {"status": self._status},
                "runner": self._runner,
                "steps": self._steps,
            },
            status_functions(self._status),
        )

    def _error(self, message: str) -> None:
        self._log.write(f"##[error]{message}")
        self._annotations.append(Annotation("failure", self._masker.mask(message)))

    def _warn(self, message: str) -> None:
        self._log.write(f"##[warning]{message}")
        self._annotations.append(Annotation("warning", self._masker.mask(message)))

    def _now(self) -> str:
        return self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
