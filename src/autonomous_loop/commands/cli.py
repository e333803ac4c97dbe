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
    """One issue to a reviewable pull request, over as many CI jobs as it needs."""
    # The libraries' own log lines are for developers of them; what a person needs is printed.
    logging.getLogger().addHandler(logging.NullHandler())
    # Imports make nothing to collect, and take half the time; `exit_with` turns it on again.
    gc.disable()


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


@main.command()
@click.option(
    "--project", type=click.Path(path_type=Path), default=".", help="A git directory with a commit."
)
@click.option(
    "--request", type=click.Path(path_type=Path), help="A Markdown file; else feature_list.json is used."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a configuration key.")
@click.option(
    "--network",
    type=click.Choice([str(one) for one in Network]),
    help="What the model's commands may reach: everything (the default), --allowed-host alone, or nothing.",
)
@click.option("--allowed-host", "hosts", multiple=True, metavar="HOST", help="With --network allowed.")
@click.option("--unsandboxed", is_flag=True, help="Do not keep the hands apart: for throw-away machines.")
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
    """Run the whole loop on a git directory, with no forge; run it again to resume."""
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
    """One session in CI: what the action runs."""
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
    """The action's post step: completes what a killed session left."""
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
    """Print the matrix of sessions that may start now, for a fleet of jobs.

    In CI its inputs come as those of `session`; elsewhere from GITHUB_REPOSITORY and GITHUB_TOKEN.
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
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A git directory.")
@json_option
def status(project: Path, as_json: bool) -> None:  # noqa: FBT001 - click gives it so
    """Where the loops of a git directory stand."""
    from autonomous_loop.commands.status import loops_of, render  # noqa: PLC0415

    async def work() -> int:
        found = loops_of(project, RuntimeEnvironment.from_environment())
        click.echo(json.dumps([loop.as_dict() for loop in found]) if as_json else render(found))
        return 0

    exit_with(work(), as_json=as_json)


@main.command()
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A git directory.")
@click.option("--base", required=True, metavar="REV", help="The code before: what head left it at is proved.")
@click.option("--head", default="", metavar="REV", help="The code after; HEAD when it is not given.")
@click.option("--test", "tests", multiple=True, metavar="PATH", help="A test file, folder or id in head.")
@click.option("--kind", type=click.Choice(["behaviour", "refactor"]), default="behaviour", show_default=True)
@click.option("--test-command", metavar="C", help="Runs tests; files are appended.")
@click.option("--suite-command", metavar="C", help="Runs the whole suite.")
@click.option("--setup", metavar="C", help="Prepares a fresh clone.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a configuration key.")
@click.option("--unsandboxed", is_flag=True, help="Do not keep the hands apart: for throw-away machines.")
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
    """The proof's verdict on two commits: no forge, no key, no model.

    Without --test the test files that differ are what has to turn from red to green.
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
    """What prove/action.yml runs: the same, from the action's inputs and the event."""
    from autonomous_loop.commands.prove_ci import prove_in_ci  # noqa: PLC0415 - only this command needs it

    async def work() -> int:
        runtime = RuntimeEnvironment.from_environment()
        return await interruptible(prove_in_ci(runtime, environment(), say=say))

    exit_with(work(), as_json=False, stopped="stopped: there is no verdict", fault=2)


@main.command()
@click.argument("ref", default="")
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A git directory.")
@click.option("--deep", is_flag=True, help="Replay the red and green of every feature too.")
@click.option("--setup", metavar="C", help="Prepares a fresh clone.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a configuration key.")
@click.option("--unsandboxed", is_flag=True, help="Do not keep the hands apart: for throw-away machines.")
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

    REF is a loop's id or one of its branches; it may be left out where there is only one loop. It can be the
    bundle, too, that was kept of a loop's branches when its pull request was closed.
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
@click.option("--folder", type=click.Path(path_type=Path), help="Where the result is kept.")
@click.option("--serve", is_flag=True, help="Keep the pages up at the end, until Ctrl-C.")
@click.option("--live", is_flag=True, help="Run on Claude (needs ANTHROPIC_API_KEY).")
@click.option("--port", type=int, default=0, help="Of the embedded GitHub; 0 takes a free one.")
@json_option
def demo(folder: Path | None, serve: bool, live: bool, port: int, as_json: bool) -> None:  # noqa: FBT001
    """Play the whole thing on this machine: no GitHub, no key."""

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
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A checkout of the repository.")
@click.option("--dry-run", "dry", is_flag=True, help="Only show what would be written.")
@click.option("--force", is_flag=True, help="Put our workflow in the place of one that differs.")
def init(*, project: Path, dry: bool, force: bool) -> None:
    """Put the workflow and a commented configuration into a repository.

    Nothing is committed or pushed.
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
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A checkout of the repository.")
@click.option(
    "--repo", default="", metavar="OWNER/NAME", help="On GitHub; else the one of the remote origin."
)
@click.option("--run", "try_it", is_flag=True, help="Try the project's setup and tests too.")
@json_option
def doctor(*, project: Path, repo: str, try_it: bool, as_json: bool) -> None:
    """Check everything that makes a first run fail; a token is taken from GITHUB_TOKEN."""
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
