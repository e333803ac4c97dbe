"""From an event to the workflows it starts: where they are read, what they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_github.actions.ports import Event, Forge
from embedded_github.actions.workflow.definition import Trigger

_SKIP = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
BY_TOKEN = frozenset({"workflow_dispatch", "repository_dispatch"})
"""The only events that start runs although a run's token made them."""
_PULL = frozenset({"pull_request", "pull_request_review", "pull_request_review_comment"})


@dataclass(frozen=True)
class Origin:
    """Where a run belongs.

    Args:
        ref: the full name, such as `refs/heads/main`.
        sha: the commit; the workflow files are read there.
        head: branch of the pull request, else empty.
        base: branch the pull request goes to, else empty.
    """

    ref: str
    sha: str
    head: str = ""
    base: str = ""

    @property
    def branch(self) -> str:
        """What the API calls `head_branch`."""
        return self.head or short(self.ref)


def short(ref: str) -> str:
    """A ref without `refs/heads/`, `refs/tags/` or `refs/pull/`."""
    for prefix in ("refs/heads/", "refs/tags/", "refs/pull/"):
        if ref.startswith(prefix):
            return ref.removeprefix(prefix)
    return ref


def origin_of(event: Event, forge: Forge) -> Origin | None:
    """Where the runs of an event belong; None when it starts none.

    Raises:
        LookupError: the repository or the ref is gone.
    """
    payload = event.payload
    if event.name == "push":
        message = (payload.get("head_commit") or {}).get("message", "")
        if payload.get("deleted") or any(word in message for word in _SKIP):
            return None
        return Origin(payload["ref"], payload["after"])
    if event.name in _PULL:
        pull = payload["pull_request"]
        # GitHub runs on its merge commit, which this forge does not make: the head stands in for it.
        return Origin(
            f"refs/pull/{pull['number']}/merge", pull["head"]["sha"], pull["head"]["ref"], pull["base"]["ref"]
        )
    return default_origin(event.repo, forge)


def default_origin(repo: str, forge: Forge) -> Origin:
    """The default branch.

    Raises:
        LookupError: the repository is gone or empty.
    """
    ref = f"refs/heads/{forge.default_branch(repo)}"
    return Origin(ref, forge.sha_of(repo, ref))


def starts(trigger: Trigger, event: Event, origin: Origin) -> bool:
    """Whether an event passes the filters under `on:`."""
    if event.name == "push":
        kind = "tags" if origin.ref.startswith("refs/tags/") else "branches"
        return trigger.takes_ref(kind, short(origin.ref))
    if event.name in _PULL and not trigger.takes_ref("branches", origin.base):
        return False
    if event.name == "workflow_run":
        run = event.payload["workflow_run"]
        followed = run["name"] in trigger.workflows
        return followed and trigger.takes_ref("branches", run["head_branch"]) and trigger.takes(event.action)
    return trigger.takes(event.action)


def title_of(name: str, payload: Mapping[str, Any], workflow: str) -> str:
    """What a list of runs shows where there is no `run-name`."""
    if name == "push":
        return str((payload.get("head_commit") or {}).get("message") or workflow).partition("\n")[0]
    for subject in ("pull_request", "issue"):
        if isinstance(payload.get(subject), Mapping):
            return str(payload[subject].get("title") or workflow)
    return str(payload.get("action") or workflow) if name == "repository_dispatch" else workflow


def github_context(
    *,
    repository: Mapping[str, Any],
    origin: Origin,
    event: str,
    server: str,
    actor: Mapping[str, Any],
    workflow: str,
    path: str,
) -> dict[str, Any]:
    """The `github` context, but for what only a run or a job knows."""
    name = repository["full_name"]
    owner = repository.get("owner") or {}
    return {
        "actor": actor["login"],
        "actor_id": str(actor.get("id", "")),
        "triggering_actor": actor["login"],
        "api_url": f"{server}/api/v3",
        "graphql_url": f"{server}/api/graphql",
        "server_url": server,
        "base_ref": origin.base,
        "head_ref": origin.head,
        "event_name": event,
        "ref": origin.ref,
        "ref_name": short(origin.ref),
        "ref_protected": False,
        "ref_type": "tag" if origin.ref.startswith("refs/tags/") else "branch",
        "repository": name,
        "repository_id": str(repository.get("id", "")),
        "repository_owner": name.partition("/")[0],
        "repository_owner_id": str(owner.get("id", "")),
        "repositoryUrl": f"{server}/{name}.git",
        "retention_days": "90",
        "secret_source": "Actions",
        "sha": origin.sha,
        "workflow": workflow,
        "workflow_ref": f"{name}/{path}@{origin.ref}",
        "workflow_sha": origin.sha,
    }
