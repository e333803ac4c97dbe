"""Reads the credentials, addresses and tools that a loop gets from outside, in one place."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from autonomous_loop.domain.service import ServiceAccess
from autonomous_loop.errors import CredentialError
from autonomous_loop.sandbox.grants import Grants
from autonomous_loop.sandbox.network_policy import NetworkPolicy

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)([_-]PREVIOUS)?$", re.IGNORECASE)
RUNNER = re.compile(r"GITHUB_(WORKSPACE|EVENT_PATH|OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)|RUNNER_TEMP")
CONTAINER = "/github"
"""The folder of an action's container below which the runner mounts its own folders."""
TOOLS = (Path("/opt/autonomous-loop/tools"), Path("/var/cache/autonomous-loop/tools"))


@dataclass(frozen=True, slots=True)
class RuntimeEnvironment:
    """Everything a loop needs that does not come from the project.

    Attributes:
        service: address of the model's service and the loop's credentials for it; never shown.
        reach: what the sandbox may reach over the network.
        handoff_keys: keys for the handoff and the journal; the first signs, the others only verify.
        token: token for the forge; never shown.
        runtime_token: token for the Actions service; never shown.
        path: where the loop finds git.
        tools: a virtual environment with pytest and Playwright for the sandbox; None: none was found.
        lent: what the job grants the sandbox.
        temporary: where the folders of the loop and the sandbox are created.
        runner: the runner's own folders and files in a CI job; the sandbox must not reach them.
        unsandboxed: a person agreed to run without isolation.
        observe: called on progress.
    """

    service: ServiceAccess = field(default_factory=ServiceAccess)
    reach: NetworkPolicy = field(default_factory=NetworkPolicy)
    handoff_keys: tuple[str, ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)
    runtime_token: str = field(default="", repr=False)
    path: str = SYSTEM_PATH
    tools: Path | None = None
    lent: Grants = field(default_factory=Grants)
    temporary: Path = Path("/tmp")  # noqa: S108 - the folders made in it are 0700 and random
    playwright_cache: Path | None = None
    runner: tuple[str, ...] = ()
    unsandboxed: bool = False
    observe: tuple[Callable[..., None], ...] = ()

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        unsandboxed: bool = False,
        reach: NetworkPolicy | None = None,
        observe: tuple[Callable[..., None], ...] = (),
    ) -> Self:
        """Read the environment of this process; nothing else in the program reads it.

        Raises:
            ConfigurationError: it names an unknown provider, or grants the sandbox something forbidden.
        """
        env = os.environ if environ is None else environ
        home = Path(env.get("HOME", "/nonexistent"))
        cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache")
        browsers = env.get("PLAYWRIGHT_BROWSERS_PATH")
        return cls(
            service=ServiceAccess.read(env),
            reach=reach or NetworkPolicy(),
            handoff_keys=tuple(
                env[name]
                for name in ("AUTONOMOUS_LOOP_HANDOFF_KEY", "AUTONOMOUS_LOOP_HANDOFF_KEY_PREVIOUS")
                if env.get(name)
            ),
            path=env.get("PATH", SYSTEM_PATH),
            tools=find_tools(env.get("AUTONOMOUS_LOOP_TOOLS"), cache),
            lent=Grants.read(env),
            temporary=Path(tempfile.gettempdir()),
            playwright_cache=Path(browsers) if browsers else cache / "ms-playwright",
            runner=runner_paths(env),
            unsandboxed=unsandboxed,
            observe=observe,
        )

    def with_inputs(
        self,
        *,
        service: ServiceAccess,
        reach: NetworkPolicy,
        token: str,
        handoff_keys: tuple[str, ...],
        runtime_token: str = "",
    ) -> Self:
        """Return a copy with the values of an action's inputs."""
        return replace(
            self,
            service=service,
            reach=reach,
            token=token or self.token,
            runtime_token=runtime_token or self.runtime_token,
            handoff_keys=tuple(key for key in handoff_keys if key) or self.handoff_keys,
        )

    def require_token(self) -> None:
        """Fail early if there is no token.

        Raises:
            CredentialError: there is no token.
        """
        if not self.token:
            raise CredentialError(
                "no token: the loop cannot push, comment or dispatch",
                hint="leave the input github-token at its default, ${{ github.token }}.",
            )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return all values that must never leave."""
        keys = (self.service.api_key, self.service.auth_token, *self.service.secrets)
        given = (*keys, self.token, self.runtime_token, *self.handoff_keys)
        return tuple(dict.fromkeys(value for value in given if value))

    @property
    def key_materials(self) -> tuple[str, ...]:
        """Return the signing keys: the handoff keys, or else one derived from a direct Anthropic API key."""
        material = self.service.key_material
        return self.handoff_keys or ((material,) if material else ())


def environment() -> dict[str, str]:
    """Return a copy of this process's environment."""
    return dict(os.environ)


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return values with secret names, an action's inputs included; very short ones cannot be masked."""
    return tuple(value for name, value in environ.items() if SECRET.search(name) and len(value.strip()) >= 6)


def runner_paths(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a job's runner shares with the step: checkout, event, temporary folder, command files."""
    named = {value for name, value in environ.items() if value and RUNNER.fullmatch(name)}
    mounted = any(Path(path).is_relative_to(CONTAINER) for path in named)
    return tuple(sorted(named)) + ((CONTAINER,) if mounted else ())


def find_tools(named: str | None, cache: Path) -> Path | None:
    """Find the sandbox's own tools: a named folder, or the image's, the machine's or the person's."""
    candidates = [Path(named)] if named else [*TOOLS, cache / "autonomous-loop" / "tools"]
    for folder in candidates:
        if (folder / "bin" / "python").exists() and reachable(folder):
            return folder
    return None


def reachable(folder: Path) -> bool:
    """Whether other users can enter every folder on the way (the sandbox is another user only under root)."""
    if os.geteuid() != 0:
        return True
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.resolve().parents))


@dataclass(frozen=True, slots=True)
class GitHubAccount:
    """A person's GitHub account, for the commands they run by hand.

    Attributes:
        server_url: address of its pages. The token goes to no other server, whatever a repository names.
        api_url: address of its REST API.
        token: the person's token; empty: there is none. Never shown.
    """

    server_url: str = "https://github.com"
    api_url: str = "https://api.github.com"
    token: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the variables that `gh` and the runner use."""
        env = os.environ if environ is None else environ
        host = env.get("GH_HOST")
        server = (env.get("GITHUB_SERVER_URL") or (f"https://{host}" if host else cls().server_url)).rstrip(
            "/"
        )
        api = cls().api_url if server == cls().server_url else f"{server}/api/v3"
        return cls(
            server_url=server,
            api_url=(env.get("GITHUB_API_URL") or api).rstrip("/"),
            token=env.get("GH_TOKEN") or env.get("GITHUB_TOKEN") or "",
        )
