"""Checks the repository on GitHub: its default branch, settings, label and secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from autonomous_loop.commands.checks.target import SETTING, Target
from autonomous_loop.errors import ForgeError
from autonomous_loop.github.settings import NotToldError, RepositorySettings
from autonomous_loop.github.workflow import WORKFLOW, WorkflowFacts
from autonomous_loop.report.findings import Finding, fault, mend, ok, unknown

_KEY = "ANTHROPIC_API_KEY"
_ADMIN = "the token may not read this; an admin's can"


def look_at_rights(settings: RepositorySettings) -> Iterator[Finding]:
    """Check the token's owner and permissions."""
    text = f"the token is {settings.login}'s"
    if settings.role in {"admin", "write"}:
        yield ok("token", f"{text}, with the role {settings.role}")
    elif settings.role:
        yield mend("token", f"{text}: it may only read here", "whoever labels issues needs write access")
    else:
        yield unknown("token", f"{text}; GitHub does not say what it may")


def look_at_settings(
    settings: RepositorySettings, target: Target, label: str, facts: WorkflowFacts | None
) -> Iterator[Finding]:
    """Check everything a first run needs that is not in a file."""
    if not settings.has_issues:
        yield mend("issues", "issues are switched off", target.page("settings", "Settings, Features, Issues"))
    yield _told("actions", target.actions, lambda: _actions(settings, target, facts))
    if facts:
        yield _told("workflow runs", target.workflow, lambda: _state(settings, target))
    yield _told("pull requests", f"{SETTING}: {target.actions}", lambda: _pulls(settings, target))
    yield _told("label", target.labels, lambda: _label(settings, target, label))
    wanted = facts.secrets if facts else (_KEY,)
    yield _told("secrets", target.secrets, lambda: _secrets(settings, target, wanted))


def without_token(target: Target, label: str, why: str, how: str) -> Iterator[Finding]:
    """List the checks that need GitHub, each with the page where a person can look."""
    yield unknown("token", why, how)
    yield unknown("actions", "whether Actions run here", target.actions)
    yield unknown("pull requests", "whether the loop may open one", f"{SETTING}: {target.actions}")
    yield unknown("label", f"whether there is the label {label}", target.labels)
    yield unknown("secrets", f"whether there is {_KEY}", target.secrets)


def _told(check: str, place: str, ask: Callable[[], Finding]) -> Finding:
    try:
        return ask()
    except NotToldError:
        return unknown(check, _ADMIN, place)
    except ForgeError as error:
        return fault(check, error)


def _actions(settings: RepositorySettings, target: Target, facts: WorkflowFacts | None) -> Finding:
    said = settings.actions()
    if not said.get("enabled"):
        return mend("actions", "Actions are disabled in this repository", target.actions)
    foreign = facts is None or not facts.action.startswith(f"{target.name.partition('/')[0]}/")
    if said.get("allowed_actions") == "local_only" and foreign:
        return mend("actions", "only actions of this owner are allowed here, and ours is not", target.actions)
    if said.get("sha_pinning_required") and not (facts and _is_sha(facts.action)):
        text = "actions must be pinned to a full commit SHA here, and the workflow names a tag"
        return mend("actions", text, f"write the SHA of the release behind the @ in {WORKFLOW}")
    if said.get("allowed_actions") == "selected" and foreign:
        return unknown("actions", "only selected actions are allowed: see that ours is one", target.actions)
    return ok("actions", "enabled")


def _is_sha(action: str) -> bool:
    revision = action.rpartition("@")[2]
    return len(revision) == 40 and all(one in "0123456789abcdef" for one in revision)


def _state(settings: RepositorySettings, target: Target) -> Finding:
    state = settings.workflow_state(WORKFLOW.rpartition("/")[2])
    if state is None:
        return unknown("workflow runs", "GitHub does not know the workflow (yet)", target.workflow)
    if state != "active":
        do = f"{target.gh('workflow enable autonomous-loop.yml')}, or {target.workflow}"
        return mend("workflow runs", f"the workflow is switched off ({state})", do)
    return ok("workflow runs", "the workflow is switched on")


def _pulls(settings: RepositorySettings, target: Target) -> Finding:
    if settings.may_open_pull_requests():
        return ok("pull requests", "GitHub Actions may open them")
    do = f"{SETTING}: {target.actions} (Workflow permissions)"
    return mend("pull requests", "GitHub Actions may not open them here", do)


def _label(settings: RepositorySettings, target: Target, label: str) -> Finding:
    if settings.has_label(label):
        return ok("label", f"there is {label}")
    do = f"{target.gh(f'label create {label}')}, or {target.labels}"
    return mend("label", f"there is no label {label}", do)


def _secrets(settings: RepositorySettings, target: Target, wanted: tuple[str, ...]) -> Finding:
    there = {name.upper() for name in settings.secret_names()}
    missing = [name for name in wanted if name.upper() not in there]
    if missing:
        do = f"{target.gh(f'secret set {missing[0]}')}, or {target.secrets}"
        return mend("secrets", f"there is no secret {', '.join(missing)}", do)
    return ok("secrets", f"there is {', '.join(wanted)}" if wanted else "the workflow needs none")
