"""Reads what the runner gives an action, inputs and facts, and writes its outputs and job summary."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from autonomous_loop.config import LoopConfig
from autonomous_loop.errors import ConfigurationError

MOST_OUTPUT: Final = 900_000
"""Maximum bytes of all outputs of a job; the runner accepts 1 MB."""
MOST_SUMMARY: Final = 1_000_000
"""Maximum bytes of a step's summary; the runner accepts 1 MiB."""

SERVICE_INPUTS: Final = (
    "provider",
    "anthropic_api_key",
    "anthropic_auth_token",
    "anthropic_base_url",
    "anthropic_federation_rule_id",
    "anthropic_organization_id",
    "anthropic_service_account_id",
    "anthropic_workspace_id",
    "anthropic_oidc_audience",
)
"""Inputs that name the model's service and the loop's credentials there."""
ENDED: Final = "ended"
"""The saved state in which the action's main step records that it ended by itself."""
STOPPED: Final = "stopped"
"""The saved state in which the action's main step records when it got a signal, for its post step."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys and tokens. They are never part of a configuration and never shown.

    Attributes:
        handoff_key_previous: still accepted while a key is being changed.
    """

    github_token: str = field(default="", repr=False)
    anthropic_api_key: str = field(default="", repr=False)
    anthropic_auth_token: str = field(default="", repr=False)
    handoff_key: str = field(default="", repr=False)
    handoff_key_previous: str = field(default="", repr=False)

    def all(self) -> tuple[str, ...]:
        """Return those that are set, for the redactor."""
        return tuple(value for one in fields(self) if (value := getattr(self, one.name)))


@dataclass(frozen=True, slots=True)
class ActionInputs:
    """The action's inputs.

    Attributes:
        overrides: for `LoopConfig.from_files`, by field name; only the inputs that were given.
        service: inputs about the model's service, keys included, by name; empty where not given.
        network: what the sandbox may reach, as given; empty for the default.
        allowed_hosts: as given, one per line.
        issue: number of the issue to work on, as given; empty: the event names it.
        loop: the loop to continue, as given; empty: the event names it.
        request: path of a request file, as given; empty: there is none.
    """

    overrides: Mapping[str, Any]
    credentials: Credentials
    service: Mapping[str, str] = field(default_factory=dict, repr=False)
    network: str = ""
    allowed_hosts: tuple[str, ...] = ()
    issue: str = ""
    loop: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The runner's facts about this run.

    Attributes:
        actor: the person who caused the event; in a re-run still the first run's actor.
        triggering_actor: the person who started this attempt.
        workflow_path: path of this workflow's file (`.github/workflows/loop.yml`).
        default_branch: as the event says; empty if it does not.
        results_url, runtime_token: of the Actions service, which stores artifacts; empty if a job has none.
    """

    repository: str
    run_id: int
    run_attempt: int
    event_name: str
    actor: str
    triggering_actor: str
    workflow_path: str
    job: str
    ref: str
    sha: str
    default_branch: str
    event: Mapping[str, Any] = field(repr=False)
    api_url: str = "https://api.github.com"
    server_url: str = "https://github.com"
    graphql_url: str = "https://api.github.com/graphql"
    output_path: str = ""
    summary_path: str = ""
    results_url: str = ""
    runtime_token: str = field(default="", repr=False)

    @property
    def run_url(self) -> str:
        """Address of this attempt's page."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}/attempts/{self.run_attempt}"

    @property
    def repository_url(self) -> str:
        """Address of the repository's page."""
        return f"{self.server_url}/{self.repository}"


def read_inputs(environment: Mapping[str, str]) -> ActionInputs:
    """Read the inputs from `INPUT_<NAME>`: upper case, hyphens kept, as the runner writes them.

    An empty input counts as not given. Unknown names are ignored: the runner sets only what `action.yml`
    declares, and warns about others itself.

    Raises:
        ConfigurationError: `prices` is not a JSON object, or a line of `settings` is not KEY=VALUE.
    """
    overrides = read_settings(_input(environment, "settings"))
    for name in LoopConfig.model_fields:
        value = _input(environment, name)
        if value:
            overrides[name] = _prices(value) if name == "prices" else value
    return ActionInputs(
        overrides=overrides,
        credentials=Credentials(**{one.name: _input(environment, one.name) for one in fields(Credentials)}),
        service={name: _input(environment, name) for name in SERVICE_INPUTS},
        network=_input(environment, "network").lower(),
        allowed_hosts=tuple(_input(environment, "allowed_hosts").split()),
        issue=_input(environment, "issue"),
        loop=_input(environment, "loop"),
        request=_input(environment, "request"),
    )


def read_settings(text: str) -> dict[str, Any]:
    """Parse the input `settings`: one KEY=VALUE per line; a line that begins with `#` is a comment.

    Raises:
        ConfigurationError: a line is neither.
    """
    made: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise ConfigurationError(
                f"the input settings has the line {line!r}", hint="write KEY=VALUE, one a line."
            )
        name = key.strip().replace("-", "_")
        made[name] = _prices(value) if name == "prices" else value.strip()
    return made


def read_facts(environment: Mapping[str, str], event: Mapping[str, Any]) -> RunFacts:
    """Read the facts from `GITHUB_*` and the event's payload (the JSON file at `GITHUB_EVENT_PATH`).

    Raises:
        ConfigurationError: a variable is missing that every runner sets, so this is no runner.
    """

    def need(name: str) -> str:
        value = environment.get(name, "")
        if not value:
            raise ConfigurationError(
                f"{name} is not set: this is not a GitHub Actions job.",
                hint="`autonomous-loop session` runs in a workflow; use `autonomous-loop run` elsewhere.",
            )
        return value

    def number(name: str) -> int:
        value = need(name)
        if not value.isascii() or not value.isdecimal():
            raise ConfigurationError(f"{name} is {value!r}, not a number.")
        return int(value)

    repository = need("GITHUB_REPOSITORY")
    api_url = environment.get("GITHUB_API_URL") or "https://api.github.com"
    about = event.get("repository")
    branch = about.get("default_branch") if isinstance(about, Mapping) else None
    return RunFacts(
        repository=repository,
        run_id=number("GITHUB_RUN_ID"),
        run_attempt=number("GITHUB_RUN_ATTEMPT") if environment.get("GITHUB_RUN_ATTEMPT") else 1,
        event_name=need("GITHUB_EVENT_NAME"),
        actor=environment.get("GITHUB_ACTOR", ""),
        triggering_actor=environment.get("GITHUB_TRIGGERING_ACTOR", "")
        or environment.get("GITHUB_ACTOR", ""),
        workflow_path=_workflow_path(environment.get("GITHUB_WORKFLOW_REF", ""), repository),
        job=environment.get("GITHUB_JOB", ""),
        ref=environment.get("GITHUB_REF", ""),
        sha=environment.get("GITHUB_SHA", ""),
        default_branch=branch if isinstance(branch, str) else "",
        event=event,
        api_url=api_url.rstrip("/"),
        server_url=(environment.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
        graphql_url=environment.get("GITHUB_GRAPHQL_URL") or f"{api_url.rstrip('/')}/graphql",
        output_path=environment.get("GITHUB_OUTPUT", ""),
        summary_path=environment.get("GITHUB_STEP_SUMMARY", ""),
        results_url=environment.get("ACTIONS_RESULTS_URL", ""),
        runtime_token=environment.get("ACTIONS_RUNTIME_TOKEN", ""),
    )


def read_event(path: str) -> Mapping[str, Any]:
    """Read the payload of the event that started the run.

    Raises:
        ConfigurationError: the file is missing or holds no JSON object.
    """
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"GITHUB_EVENT_PATH ({path}) cannot be read: {error}") from None
    if not isinstance(event, dict):
        raise ConfigurationError(f"GITHUB_EVENT_PATH ({path}) holds no JSON object.")
    return event


def write_outputs(path: str | Path, values: Mapping[str, str]) -> None:
    """Append outputs to the file that `GITHUB_OUTPUT` names.

    Each value stands between random delimiters. With a fixed one, a value could set other outputs.

    Raises:
        ConfigurationError: more bytes than the runner accepts, or an invalid name.
    """
    made = []
    for name, value in values.items():
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ConfigurationError(f"{name!r} cannot be the name of an output.")
        delimiter = f"end-{secrets.token_hex(16)}"
        made.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
    text = "".join(made)
    if len(text.encode()) > MOST_OUTPUT:
        raise ConfigurationError(f"The outputs take {len(text.encode())} bytes; the runner takes 1 MB a job.")
    with Path(path).open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)


def append_summary(path: str | Path, markdown: str) -> None:
    """Append to the job summary (the file at `GITHUB_STEP_SUMMARY`); if it is too long, cut it at a line."""
    data = markdown.encode()
    if len(data) > MOST_SUMMARY:
        data = data[:MOST_SUMMARY].rpartition(b"\n")[0]
    with Path(path).open("ab") as file:
        file.write(data + b"\n")


def _input(environment: Mapping[str, str], name: str) -> str:
    return environment.get(f"INPUT_{name.upper().replace('_', '-')}", "").strip()


def _prices(value: str) -> dict[str, Any]:
    try:
        made = json.loads(value)
    except ValueError as error:
        raise ConfigurationError(
            f"The input prices is not JSON: {error}",
            hint='write it as {"model": [input, output]}, in US dollars per million tokens.',
        ) from None
    if not isinstance(made, dict):
        raise ConfigurationError('The input prices is not a JSON object like {"model": [3, 15]}.')
    return made


def _workflow_path(reference: str, repository: str) -> str:
    """Convert `OWNER/NAME/.github/workflows/loop.yml@refs/heads/main` to `.github/workflows/loop.yml`.

    Empty if the workflow is in another repository: a reusable workflow cannot be dispatched from here.
    """
    path, _, _ = reference.partition("@")
    owner = f"{repository}/"
    return path[len(owner) :] if path.lower().startswith(owner.lower()) else ""
