"""Checks the project itself: its commit, configuration, workflow, limits and tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from autonomous_loop.config import CONFIG_FILE, LoopConfig
from autonomous_loop.domain.model import CommitSha
from autonomous_loop.errors import ConfigurationError
from autonomous_loop.github.workflow import WORKFLOW, WorkflowFacts, ours, read_workflow
from autonomous_loop.report.findings import Finding, fault, mend, ok, unknown
from autonomous_loop.verify.commands import detected
from autonomous_loop.verify.project.tree_facts import TreeFacts
from autonomous_loop.wiring.verification import Taken

# A session needs minutes after its deadline, because it still pushes, writes and dispatches.
HAND_OFF_MINUTES = 5.0
_INIT = "autonomous-loop init"


def files_of(taken: Taken, head: CommitSha) -> Mapping[str, bytes]:
    """Return the files of a commit that decide how a loop runs."""
    tree = taken.repository.tree_of(head)
    paths = (CONFIG_FILE, "pyproject.toml", WORKFLOW)
    return {path: data for path in paths if (data := taken.repository.read(tree, path)) is not None}


def look_at_workflow(data: bytes | None, where: str) -> tuple[list[Finding], WorkflowFacts | None]:
    """Check the workflow file: present, complete, and running this action.

    Args:
        data: None: there is no file.
        where: the place that was searched, such as "the branch main".
    """
    if data is None:
        text = f"{WORKFLOW} is not on {where}"
        return [mend("workflow", text, f"{_INIT}, then commit it and bring it to the default branch")], None
    try:
        facts = read_workflow(data, source=WORKFLOW)
    except ConfigurationError as error:
        return [fault("workflow", error, f"{_INIT} --force writes ours in its place")], None
    found = []
    if facts.missing_events:
        text = f"the workflow on {where} does not listen to {', '.join(facts.missing_events)}"
        found.append(mend("workflow", text, f"{_INIT} --dry-run shows how it differs from ours"))
    elif data == ours():
        found.append(ok("workflow", f"on {where}, the same as ours"))
    else:
        text = f"on {where}; it differs from ours"
        found.append(ok("workflow", text, f"{_INIT} --dry-run shows how, if you did not mean it"))
    if missing := facts.missing_permissions:
        text = f"the workflow's job lacks {', '.join(f'{name}: write' for name in missing)}"
        found.append(mend("permissions", text, f"add them below `permissions:` of the job in {WORKFLOW}"))
    else:
        found.append(
            ok("permissions", "the job's token may write contents, issues, pull requests and actions")
        )
    return found, facts


def look_at_configuration(
    files: Mapping[str, bytes], facts: WorkflowFacts | None
) -> tuple[list[Finding], LoopConfig | None]:
    """Check the configuration as a session would read it: the workflow's inputs override the file."""
    given = {key: value for key, value in (facts.inputs if facts else {}).items() if _is_key(key)}
    try:
        config = LoopConfig.from_files(files, overrides=given)
    except ConfigurationError as error:
        return [fault("configuration", error)], None
    source = CONFIG_FILE if CONFIG_FILE in files else "pyproject.toml" if _in_pyproject(files) else "defaults"
    found = [ok("configuration", f"valid ({source}{', and the inputs of the workflow' if given else ''})")]
    found += _limits(config, facts)
    if facts and facts.condition and f"'{config.label}'" not in facts.condition:
        text = f"the label is {config.label}, but the workflow's `if:` does not speak of it"
        found.append(mend("trigger", text, f"write {config.label} into the `if:` of {WORKFLOW}"))
    return found, config


def _limits(config: LoopConfig, facts: WorkflowFacts | None) -> Iterator[Finding]:
    session, wrong = config.session_minutes, []
    job = facts.timeout_minutes if facts else None
    if job is not None and session + HAND_OFF_MINUTES > job:
        wrong.append(
            f"session-minutes {session:g} leaves no time to hand off before the job's timeout-minutes {job:g}"
        )
    if config.max_minutes is not None and config.max_minutes < session:
        wrong.append(f"max-minutes {config.max_minutes:g} is less than one session of {session:g}")
    if config.test_timeout_s / 60 >= session:
        wrong.append(
            f"one run of tests may take {config.test_timeout_s / 60:g} of a session's {session:g} minutes"
        )
    if wrong:
        least = session + HAND_OFF_MINUTES
        yield mend(
            "limits", "; ".join(wrong), f"mend {CONFIG_FILE}, or give the job {least:g} minutes or more"
        )
        return
    money = f"{config.max_sessions} sessions of {session:g} minutes, ${config.max_usd:g} a loop"
    yield ok("limits", f"{money}; the job has {job:g} minutes" if job is not None else money)


def look_at_tests(taken: Taken, head: CommitSha, config: LoopConfig) -> Finding:
    """Check how tests run."""
    if config.test_command:
        return ok("tests", f"test-command: {config.test_command}")
    steps = detected(TreeFacts(taken.repository).of(taken.repository.tree_of(head)))
    if steps:
        shown = "; ".join(f"{one.command} (in {one.folder})" if one.folder else one.command for one in steps)
        return ok("tests", f"found in the project's files: {shown}")
    return unknown(
        "tests",
        "neither the configuration nor the project's files say how tests run: the model proposes it",
        f"set test-command in {CONFIG_FILE}",
    )


def _is_key(name: str) -> bool:
    return name.replace("-", "_") in LoopConfig.model_fields


def _in_pyproject(files: Mapping[str, bytes]) -> bool:
    return bool(re.search(rb"^\[tool\.autonomous-loop\b", files.get("pyproject.toml", b""), re.MULTILINE))
