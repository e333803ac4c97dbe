"""The commands. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from autonomous_loop.commands.console import EXIT_LIMIT, clean, exit_with, interruptible, pairs, say
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.feature import FeatureKind
from autonomous_loop.errors import UsageError, explain
from autonomous_loop.github.action import ENDED, STOPPED
from autonomous_loop.sandbox.network_policy import Network, NetworkPolicy
from autonomous_loop.wiring.environment import GitHubAccount, RuntimeEnvironment, environment


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autonomous-loop")
def main() -> None:
    """Take one issue to a reviewable pull request, over as many CI jobs as it needs."""
    # The libraries' own log lines are for developers of them; what a person needs is printed.
    logging.getLogger().addHandler(logging.NullHandler())
    # Imports make nothing to collect, and take half the time; `exit_with` turns it on again.
    gc.disable()


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a configuration key. May be repeated."
)
setup_option = click.option("--setup", metavar="C", help="Command that prepares a fresh clone.")
tests_unsandboxed_option = click.option(
    "--unsandboxed", is_flag=True, help="Run the tests without a sandbox (disposable machines only)."
)


@main.command()
@click.option(
    "--project",
    type=click.Path(path_type=Path),
    default=".",
    help="Git repository with at least one commit.",
)
@click.option(
    "--request",
    type=click.Path(path_type=Path),
    help="Markdown file that says what to build. Default: feature_list.json.",
)
@set_option
@click.option(
    "--network",
    type=click.Choice([str(one) for one in Network]),
    help="Network of the sandbox. open (default): all; allowed: --allowed-host only; none: loopback only.",
)
@click.option(
    "--allowed-host",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="Host for --network allowed. May be repeated.",
)
@click.option(
    "--unsandboxed", is_flag=True, help="Run model commands without a sandbox (disposable machines only)."
)
@json_option
def run(
    *,
    project: Path,
    request: Path | None,
    settings: tuple[str, ...],
    network: str | None,
    hosts: tuple[str, ...],
    unsandboxed: bool,
    as_json: bool,
) -> None:
    """Run the whole loop on a git repository, without GitHub.

    If it stops early, run the same command again to resume.
    """
    from autonomous_loop.loop import AutonomousLoop  # noqa: PLC0415 - the SDK costs a second to import
    from autonomous_loop.report.terminal import ProgressView  # noqa: PLC0415

    async def work() -> int:
        with ProgressView(sys.stderr) as view:
            reach = NetworkPolicy.read(network or "", hosts)
            runtime = RuntimeEnvironment.from_environment(
                unsandboxed=unsandboxed, reach=reach, observe=(view,)
            )
            loop = AutonomousLoop(project, request=request, surroundings=runtime, overrides=pairs(settings))
            result = await interruptible(loop.run())
        if as_json:
            click.echo(json.dumps(result.as_dict()))
        else:
            click.echo(
                f"{result.handoff_reason}: {result.features_completed} of {result.features_total} "
                f"features proved, {result.sessions_used} sessions, {result.total_tokens:,} tokens, "
                f"{result.errors_recovered} errors recovered"
            )
            if loop.branches:
                click.echo(f"the result lies on the branch {loop.branches}/pr")
        if result.success:
            return 0
        if loop.note:
            say(loop.note)
        reason = HandoffReason(result.handoff_reason)
        waits = reason in {HandoffReason.STOPPED, HandoffReason.APPROVAL}
        return EXIT_LIMIT if reason.by_limit or reason.continues or waits else 1

    exit_with(work(), as_json=as_json)


@main.command()
@json_option
def session(as_json: bool) -> None:  # noqa: FBT001 - click gives it so
    """Run one session in CI. The action calls this command."""
    from autonomous_loop.commands.session import run_ci_session  # noqa: PLC0415 - the SDK costs a second to import
    from autonomous_loop.report.terminal import ProgressView  # noqa: PLC0415

    async def work() -> int:
        runtime = RuntimeEnvironment.from_environment(observe=(ProgressView(sys.stderr, for_runner=True),))
        outcome = await interruptible(run_ci_session(runtime, environment()), told=_note_signal)
        _save_state(ENDED, "1")
        click.echo(clean(f"{outcome.result}. {outcome.why}"), err=True)
        if as_json:
            click.echo(json.dumps(outcome.as_dict()))
        return outcome.exit_code

    exit_with(work(), as_json=as_json)


@main.command()
@json_option
def finish(as_json: bool) -> None:  # noqa: FBT001 - click gives it so
    """Finish the work of a killed session. The action calls this command as its post step."""
    if environment().get(f"STATE_{ENDED}"):
        # The next session waits for this job's end: what has nothing to do shall not read the journal for it.
        say("finish: the session ended by itself")
        return
    from autonomous_loop.commands.finish import finish_ci_session  # noqa: PLC0415 - only this command needs it

    async def work() -> int:
        try:
            done = finish_ci_session(RuntimeEnvironment.from_environment(), environment())
        except Exception as error:  # noqa: BLE001 - the job's verdict is the session's, not this step's
            say(f"the session could not be completed: {explain(error)}")
            return 0
        say(f"{done.reason or 'finish'}: {done.why}")
        if as_json:
            click.echo(json.dumps(done.as_dict()))
        return 0

    exit_with(work(), as_json=as_json)


@main.command()
@json_option
def plan(as_json: bool) -> None:  # noqa: FBT001 - click gives it so
    """Print the sessions that may start now, as a job matrix.

    In CI this command reads the action's inputs. Elsewhere it reads GITHUB_REPOSITORY and GITHUB_TOKEN.
    """
    from autonomous_loop.commands.plan import plan_ci  # noqa: PLC0415 - only this command needs it

    async def work() -> int:
        made = plan_ci(RuntimeEnvironment.from_environment(), environment())
        for note in made.notes:
            say(note)
        if made.wait:
            say(f"something waits: {made.wait.why}")
        click.echo(made.matrix)
        return 0

    exit_with(work(), as_json=as_json)


@main.command()
@click.option(
    "--project", type=click.Path(path_type=Path), default=".", help="Git repository with the loop's branches."
)
@json_option
def status(project: Path, as_json: bool) -> None:  # noqa: FBT001 - click gives it so
    """Show the progress of every loop in a git repository."""
    from autonomous_loop.commands.status import loops_of, render  # noqa: PLC0415

    async def work() -> int:
        found = loops_of(project, RuntimeEnvironment.from_environment())
        click.echo(json.dumps([loop.as_dict() for loop in found]) if as_json else render(found))
        return 0

    exit_with(work(), as_json=as_json)


@main.command()
@click.option(
    "--project", type=click.Path(path_type=Path), default=".", help="Git repository with both commits."
)
@click.option(
    "--base", required=True, metavar="REV", help="Base revision; HEAD is compared with its merge base."
)
@click.option("--head", default="", metavar="REV", help="Revision to prove. Default: HEAD.")
@click.option(
    "--test", "tests", multiple=True, metavar="PATH", help="Test file, folder or id. May be repeated."
)
@click.option(
    "--kind",
    type=click.Choice(["behaviour", "refactor"]),
    default="behaviour",
    show_default=True,
    help="behaviour: tests turn from red to green; refactor: the same tests pass before and after.",
)
@click.option("--test-command", metavar="C", help="Command that runs tests. The loop appends the test files.")
@click.option("--suite-command", metavar="C", help="Command that runs the whole suite.")
@setup_option
@set_option
@tests_unsandboxed_option
@json_option
def prove(
    *,
    project: Path,
    base: str,
    head: str,
    tests: tuple[str, ...],
    kind: str,
    test_command: str | None,
    suite_command: str | None,
    setup: str | None,
    settings: tuple[str, ...],
    unsandboxed: bool,
    as_json: bool,
) -> None:
    """Prove a change between two commits by its tests.

    At least one test must fail on the code before. All must pass on the code after, and nothing that passed
    before may break. Without --test, the test files that differ are used. No key and no model are needed.
    """
    from autonomous_loop.commands.prove import Question, prove  # noqa: PLC0415 - only this command needs it
    from autonomous_loop.report.receipt import as_text  # noqa: PLC0415

    commands = {"test-command": test_command, "suite-command": suite_command, "setup": setup}
    overrides = pairs(settings) | {key: value for key, value in commands.items() if value is not None}
    question = Question(project, base, head, tests, FeatureKind(kind), overrides)

    async def work() -> int:
        runtime = RuntimeEnvironment.from_environment(unsandboxed=unsandboxed)
        receipt = await interruptible(prove(question, runtime, say=say))
        verdict = receipt.verdict.model_dump(mode="json")
        click.echo(clean(json.dumps(verdict) if as_json else as_text(receipt)))
        return 0 if receipt.verdict.accepted else 1

    exit_with(work(), as_json=as_json, stopped="stopped: there is no verdict", fault=2)


@main.command(hidden=True)
def prove_in_ci() -> None:
    """Prove a pull request, from the inputs and the event of prove/action.yml."""
    from autonomous_loop.commands.prove_ci import prove_in_ci  # noqa: PLC0415 - only this command needs it

    async def work() -> int:
        runtime = RuntimeEnvironment.from_environment()
        return await interruptible(prove_in_ci(runtime, environment(), say=say))

    exit_with(work(), as_json=False, stopped="stopped: there is no verdict", fault=2)


@main.command()
@click.argument("ref", default="")
@click.option(
    "--project", type=click.Path(path_type=Path), default=".", help="Git repository with the loop's branches."
)
@click.option("--deep", is_flag=True, help="Also replay the red and the green run of every feature.")
@setup_option
@set_option
@tests_unsandboxed_option
@json_option
def audit(
    *,
    ref: str,
    project: Path,
    deep: bool,
    setup: str | None,
    settings: tuple[str, ...],
    unsandboxed: bool,
    as_json: bool,
) -> None:
    """Prove every feature of a loop again, from a clean clone.

    REF is a loop's id, one of its branches, or the bundle that was kept when its pull request was closed. If
    there is only one loop, leave REF out.
    """
    from autonomous_loop.commands.audit import audit  # noqa: PLC0415 - only this command needs it
    from autonomous_loop.report.audit import as_text  # noqa: PLC0415

    overrides = pairs(settings) | ({} if setup is None else {"setup": setup})

    where, name = (Path(ref), "") if ref and Path(ref).is_file() else (project, ref)

    async def work() -> int:
        runtime = RuntimeEnvironment.from_environment(unsandboxed=unsandboxed)
        found = await interruptible(audit(where, name, runtime, deep=deep, overrides=overrides, say=say))
        click.echo(clean(json.dumps(found.as_dict()) if as_json else as_text(found)))
        return found.exit_code

    exit_with(work(), as_json=as_json, stopped="stopped: there is no verdict", fault=2)


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), help="Folder to keep the result in.")
@click.option("--serve", is_flag=True, help="Keep serving the pages at the end, until Ctrl-C.")
@click.option(
    "--live", is_flag=True, help="Use Claude instead of the scripted model (needs ANTHROPIC_API_KEY)."
)
@click.option("--port", type=int, default=0, help="Port of the embedded GitHub. Default: a free one.")
@json_option
def demo(folder: Path | None, serve: bool, live: bool, port: int, as_json: bool) -> None:  # noqa: FBT001
    """Play a sample issue on this machine, without GitHub or a key."""

    async def work() -> int:
        try:
            from autonomous_loop.commands.demo import Demo  # noqa: PLC0415 - needs the `demo` extra
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the demo needs more than is installed: there is no {error.name}",
                hint='install it: pip install "autonomous-loop[demo]"',
            ) from None
        return await asyncio.to_thread(
            Demo(folder=folder, serve=serve, live=live, port=port, as_json=as_json).play
        )

    exit_with(work(), as_json=as_json)


@main.command()
@click.option("--project", type=click.Path(path_type=Path), default=".", help="Checkout of the repository.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Replace a workflow that differs from ours.")
def init(*, project: Path, dry: bool, force: bool) -> None:
    """Add the workflow and a commented configuration to a repository.

    This command commits and pushes nothing.
    """
    from autonomous_loop.commands.init import init, initialised_as_text  # noqa: PLC0415 - only this command needs it

    async def work() -> int:
        made = init(
            project,
            RuntimeEnvironment.from_environment(),
            GitHubAccount.from_environment(),
            dry=dry,
            force=force,
        )
        click.echo(clean(initialised_as_text(made)))
        return 1 if made.refused else 0

    exit_with(work(), as_json=False, stopped="stopped")


@main.command()
@click.option("--project", type=click.Path(path_type=Path), default=".", help="Checkout of the repository.")
@click.option(
    "--repo",
    default="",
    metavar="OWNER/NAME",
    help="Repository on GitHub. Default: the one that the remote origin names.",
)
@click.option("--run", "try_it", is_flag=True, help="Also run the project's setup and tests.")
@json_option
def doctor(*, project: Path, repo: str, try_it: bool, as_json: bool) -> None:
    """Check everything that can make a first run fail.

    The checks on GitHub use the token in GITHUB_TOKEN.
    """
    from autonomous_loop.commands.doctor import Question, examine  # noqa: PLC0415 - only this command needs it
    from autonomous_loop.report.findings import State, findings_as_text  # noqa: PLC0415 - the same

    async def work() -> int:
        runtime, account = RuntimeEnvironment.from_environment(), GitHubAccount.from_environment()
        found = await interruptible(examine(Question(project, repo, try_it), runtime, account, say=say))
        shown = json.dumps([one.as_dict() for one in found]) if as_json else findings_as_text(found)
        click.echo(clean(shown))
        return 1 if any(one.state is State.MEND for one in found) else 0

    exit_with(work(), as_json=as_json, stopped="stopped")


def _note_signal() -> None:
    """For the post step, should this process not live to journal it."""
    _save_state(STOPPED, datetime.now(UTC).isoformat())


def _save_state(name: str, value: str) -> None:
    if state := environment().get("GITHUB_STATE"):
        with Path(state).open("a", encoding="utf-8") as file:
            file.write(f"{name}={value}\n")
