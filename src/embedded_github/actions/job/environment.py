"""The runner's environment layout: folders, variables and contexts of one job."""

from __future__ import annotations

import json
import platform
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_github.actions.ports import JobPlan

_FILES = {
    "GITHUB_OUTPUT": "set_output",
    "GITHUB_ENV": "set_env",
    "GITHUB_PATH": "add_path",
    "GITHUB_STATE": "save_state",
    "GITHUB_STEP_SUMMARY": "step_summary",
}
# Fields of the `github` context that the runner also sets as GITHUB_<NAME>; the token is not among them.
_EXPORTED = (
    "action", "action_ref", "action_repository", "actor", "actor_id", "api_url", "base_ref", "event_name",
    "event_path", "graphql_url", "head_ref", "job", "ref", "ref_name", "ref_protected", "ref_type",
    "repository", "repository_id", "repository_owner", "repository_owner_id", "retention_days", "run_attempt",
    "run_id", "run_number", "server_url", "sha", "triggering_actor", "workflow", "workflow_ref",
    "workflow_sha", "workspace",
)  # fmt: skip


@dataclass(frozen=True)
class Folders:
    """The folders of a job, as a container has them under /github."""

    root: Path

    @property
    def workspace(self) -> Path:
        """Where steps start and the checkout goes."""
        return self.root / "workspace"

    @property
    def home(self) -> Path:
        """HOME."""
        return self.root / "home"

    @property
    def workflow(self) -> Path:
        """Where the event's file is."""
        return self.root / "workflow"

    @property
    def file_commands(self) -> Path:
        """GITHUB_OUTPUT and its like."""
        return self.root / "file_commands"

    @property
    def temp(self) -> Path:
        """RUNNER_TEMP."""
        return self.root / "runner_temp"

    @property
    def event(self) -> Path:
        """GITHUB_EVENT_PATH."""
        return self.workflow / "event.json"

    def make(self, payload: Mapping[str, Any]) -> None:
        """Make them all, and the event's file."""
        for folder in (self.workspace, self.home, self.workflow, self.file_commands, self.temp):
            folder.mkdir(parents=True, exist_ok=True)
        self.event.write_text(json.dumps(payload), encoding="utf-8")

    def command_files(self) -> dict[str, Path]:
        """A fresh set of file command files, by variable."""
        suffix = uuid.uuid4()
        files = {variable: self.file_commands / f"{prefix}_{suffix}" for variable, prefix in _FILES.items()}
        for file in files.values():
            file.touch()
        return files


def github_context(plan: JobPlan, folders: Folders, action: str) -> dict[str, Any]:
    """The `github` context of a step: the run's, with the paths of this job."""
    return {
        **plan.github,
        "action": action,
        "event": plan.payload,
        "event_path": str(folders.event),
        "workspace": str(folders.workspace),
    }


def runner_context(folders: Folders) -> dict[str, str]:
    """The `runner` context."""
    machine = platform.machine().lower()
    return {
        "name": "embedded",
        "os": {"Darwin": "macOS"}.get(platform.system(), platform.system()),
        "arch": {"x86_64": "X64", "amd64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}.get(
            machine, machine.upper()
        ),
        "environment": "github-hosted",
        "temp": str(folders.temp),
        "tool_cache": str(folders.root / "tool_cache"),
        "workspace": str(folders.root),
    }


def variables(github: Mapping[str, Any], runner: Mapping[str, str], folders: Folders) -> dict[str, str]:
    """The variables the runner itself sets, which nothing in a workflow overrides."""
    exported = {f"GITHUB_{name.upper()}": _text(github.get(name, "")) for name in _EXPORTED}
    return {
        **exported,
        **{f"RUNNER_{name.upper()}": value for name, value in runner.items()},
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "HOME": str(folders.home),
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def status_functions(status: str) -> dict[str, Callable[[], bool]]:
    """What `success()`, `failure()`, `cancelled()` and `always()` give in a job of this status."""
    return {
        "success": lambda: status == "success",
        "failure": lambda: status == "failure",
        "cancelled": lambda: status == "cancelled",
        "always": lambda: True,
    }
