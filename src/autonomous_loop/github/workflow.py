"""The workflow that starts a loop: our own text, and a parser for a repository's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from autonomous_loop.errors import ConfigurationError

WORKFLOW: Final = ".github/workflows/autonomous-loop.yml"
EVENTS: Final = ("issues", "issue_comment", "workflow_dispatch")
NEEDED: Final = ("contents", "issues", "pull-requests", "actions")
_DEFAULT_TIMEOUT: Final = 360.0
# The action itself, a folder or a reusable workflow in it, or someone's fork of it.
_USES: Final = re.compile(r"[\w.-]+/autonomous-loop(/[^@]*)?@.+")
_SECRET: Final = re.compile(r"\bsecrets\.([A-Za-z_]\w*)")
_NAME: Final = re.compile(r"/?([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+?)(?:\.git)?/?")
_SCP: Final = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)")


def ours() -> bytes:
    """Return the program's own workflow, from the package or from the checkout it runs from."""
    here = Path(__file__).resolve()
    packaged = here.parents[1] / "workflows" / "autonomous-loop.yml"
    return (packaged if packaged.is_file() else here.parents[3] / WORKFLOW).read_bytes()


def repository_of(address: str, server_url: str) -> str:
    """Return `owner/name` for a remote's address on this server; empty if it is elsewhere.

    Args:
        address: `https://HOST/o/n.git`, `git@HOST:o/n.git`, `ssh://git@HOST/o/n`.
    """
    server = urlsplit(server_url)
    if "://" not in address:
        short = _SCP.fullmatch(address)
        host, path = (short[1], short[2]) if short else ("", "")
    else:
        parts = urlsplit(address)
        web = parts.scheme in {"http", "https"}
        host, path = (parts.netloc.rpartition("@")[2] if web else parts.hostname or ""), parts.path
    known = {server.netloc.casefold(), (server.hostname or "").casefold()} - {""}
    found = _NAME.fullmatch(path)
    return found[1] if found and host.casefold() in known else ""


class _Loader(yaml.SafeLoader):
    """A loader without merge keys: GitHub supports none, and nested ones grow without bound."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave merge keys unexpanded, so that they are refused later."""


@dataclass(frozen=True, slots=True)
class WorkflowFacts:
    """Facts about the job that runs the loop, from a workflow file.

    Attributes:
        events: the events that start it.
        permissions: of its job by name; None: the repository's default.
        timeout_minutes: of its job; None: unknown before a run.
        inputs: inputs given to the action, except those that only a run can evaluate.
        secrets: the secrets it names.
        condition: the job's condition; empty: none.
        action: the action it uses.
    """

    events: frozenset[str]
    permissions: Mapping[str, str] | None
    timeout_minutes: float | None
    inputs: Mapping[str, str]
    secrets: tuple[str, ...]
    condition: str
    action: str

    @property
    def missing_permissions(self) -> tuple[str, ...]:
        """Return the permissions that its job's token needs and lacks."""
        given = self.permissions or {}
        return tuple(name for name in NEEDED if given.get(name) != "write")

    @property
    def missing_events(self) -> tuple[str, ...]:
        """Return the events that start or continue a loop and that it does not listen to."""
        return tuple(name for name in EVENTS if name not in self.events)


def read_workflow(data: bytes, *, source: str) -> WorkflowFacts:
    """Parse a workflow file.

    Raises:
        ConfigurationError: it is no workflow, or none of its jobs runs the loop.
    """
    try:
        text = data.decode()
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"{source} is not valid YAML: {' '.join(str(error).split())[:300]}"
        ) from None
    # YAML 1.1 reads the key `on` as true.
    top = {"on" if key is True else key: value for key, value in _map(document).items()}
    for job in _map(top.get("jobs")).values():
        for step in _places(_map(job)):
            if _USES.fullmatch(_scalar(step.get("uses"))):
                return _facts(top, _map(job), step, text)
    raise ConfigurationError(
        f"{source} has no job that uses the action autonomous-loop/autonomous-loop",
        hint="autonomous-loop init --force writes ours in its place.",
    )


def _places(job: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield job
    steps = job.get("steps")
    yield from (_map(step) for step in (steps if isinstance(steps, list) else ()))


def _facts(
    top: Mapping[str, Any], job: Mapping[str, Any], step: Mapping[str, Any], text: str
) -> WorkflowFacts:
    on = top.get("on")
    # A workflow that calls ours gives it as an input.
    given, default = (_map(step.get("with")), 60.0) if step is job else (job, _DEFAULT_TIMEOUT)
    timeout = given.get("timeout-minutes", default)
    return WorkflowFacts(
        events=frozenset(map(_scalar, [on] if isinstance(on, str) else _listed(on))),
        permissions=_permissions(job.get("permissions", top.get("permissions"))),
        timeout_minutes=float(timeout) if isinstance(timeout, int | float) else None,
        inputs={
            _scalar(name): _scalar(value)
            for name, value in _map(step.get("with")).items()
            if _scalar(value) and "${{" not in _scalar(value)
        },
        secrets=tuple(sorted(set(_SECRET.findall(text)) - {"GITHUB_TOKEN"})),
        condition=_scalar(job.get("if")),
        action=str(step["uses"]),
    )


def _permissions(given: object) -> Mapping[str, str] | None:
    if given is None:
        return None
    if isinstance(given, str):
        level = given.removesuffix("-all")
        return dict.fromkeys(NEEDED, level)
    return {_scalar(name): _scalar(level) for name, level in _map(given).items()}


def _map(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, dict | list) else []


def _scalar(value: object) -> str:
    """Return a scalar as text; empty for a nested value, since expanded aliases could fill the memory."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
