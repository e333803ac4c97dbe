"""The commands. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.feature import FeatureKind
from autonomous_loop.errors import LoopError, Superseded, UsageError, explain
from autonomous_loop.hands.reach import Network, Reach
from autonomous_loop.surroundings import GitHubAccount, Surroundings, environment, secrets_in

EXIT_LIMIT = 3
T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autonomous-loop")
def main() -> None:
    """One issue to a reviewable pull request, over as many CI jobs as it needs."""
    # The libraries' own log lines are for developers of them; what a person needs is printed.
    logging.getLogger().addHandler(logging.NullHandler())


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
            reach = Reach.read(network or "", hosts)
            around = Surroundings.from_environment(unsandboxed=unsandboxed, reach=reach, observe=(view,))
            loop = AutonomousLoop(project, request=request, surroundings=around, overrides=_pairs(settings))
            result = await _interruptible(loop.run())
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
        reason = HandoffReason(result.handoff_reason)
        waits = reason in {HandoffReason.STOPPED, HandoffReason.APPROVAL}
        return EXIT_LIMIT if reason.by_limit or reason.continues or waits else 1

    _exit(work(), as_json=as_json)


@main.command()
@json_option
def session(as_json: bool) -> None:  # noqa: FBT001 - click gives it so
    """One session in CI: what the action runs."""
    from autonomous_loop.ci import run_ci_session  # noqa: PLC0415 - the SDK costs a second to import
    from autonomous_loop.report.terminal import ProgressView  # noqa: PLC0415

    async def work() -> int:
        around = Surroundings.from_environment(observe=(ProgressView(sys.stderr, for_runner=True),))
        outcome = await _interruptible(run_ci_session(around, environment()))
        click.echo(_clean(f"{outcome.result}. {outcome.why}"), err=True)
        if as_json:
            click.echo(json.dumps(outcome.as_dict()))
        return outcome.exit_code

    _exit(work(), as_json=as_json)


@main.command()
def plan() -> None:
    """The matrix of jobs for a schedule: one, which takes what waits longest."""
    from autonomous_loop.github.action import write_outputs  # noqa: PLC0415 - only this command needs it

    matrix = json.dumps({"include": [{"issue": "", "loop": ""}]})
    if path := environment().get("GITHUB_OUTPUT"):
        write_outputs(path, {"matrix": matrix})
    click.echo(matrix)


@main.command()
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A git directory.")
@json_option
def status(project: Path, as_json: bool) -> None:  # noqa: FBT001 - click gives it so
    """Where the loops of a git directory stand."""
    from autonomous_loop.status import loops_of, render  # noqa: PLC0415

    async def work() -> int:
        found = loops_of(project, Surroundings.from_environment())
        click.echo(json.dumps([loop.as_dict() for loop in found]) if as_json else render(found))
        return 0

    _exit(work(), as_json=as_json)


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
    from autonomous_loop.prove import Question, prove  # noqa: PLC0415 - only this command needs it
    from autonomous_loop.report.receipt import as_text  # noqa: PLC0415

    commands = {"test-command": test_command, "suite-command": suite_command, "setup": setup}
    overrides = _pairs(settings) | {key: value for key, value in commands.items() if value is not None}
    question = Question(project, base, head, tests, FeatureKind(kind), overrides)

    async def work() -> int:
        around = Surroundings.from_environment(unsandboxed=unsandboxed)
        receipt = await _interruptible(prove(question, around, say=_say))
        verdict = receipt.verdict.model_dump(mode="json")
        click.echo(_clean(json.dumps(verdict) if as_json else as_text(receipt)))
        return 0 if receipt.verdict.accepted else 1

    _exit(work(), as_json=as_json, stopped="stopped: there is no verdict")


@main.command(hidden=True)
def prove_in_ci() -> None:
    """What prove/action.yml runs: the same, from the action's inputs and the event."""
    from autonomous_loop.prove_ci import prove_in_ci  # noqa: PLC0415 - only this command needs it

    async def work() -> int:
        around = Surroundings.from_environment()
        return await _interruptible(prove_in_ci(around, environment(), say=_say))

    _exit(work(), as_json=False, stopped="stopped: there is no verdict")


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

    REF is a loop's id or one of its branches; it may be left out where there is only one loop.
    """
    from autonomous_loop.audit import audit  # noqa: PLC0415 - only this command needs it
    from autonomous_loop.report.audit import as_text  # noqa: PLC0415

    overrides = _pairs(settings) | ({} if setup is None else {"setup": setup})

    async def work() -> int:
        around = Surroundings.from_environment(unsandboxed=unsandboxed)
        found = await _interruptible(audit(project, ref, around, deep=deep, overrides=overrides, say=_say))
        click.echo(_clean(json.dumps(found.as_dict()) if as_json else as_text(found)))
        return 0 if found.holds else 1

    _exit(work(), as_json=as_json, stopped="stopped: there is no verdict")


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), help="Where the result is kept.")
@click.option("--serve", is_flag=True, help="Keep the pages up at the end, until Ctrl-C.")
@click.option("--live", is_flag=True, help="Run on Claude (needs ANTHROPIC_API_KEY).")
@click.option("--port", type=int, default=0, help="Of the embedded GitHub; 0 takes a free one.")
@json_option
def demo(folder: Path | None, serve: bool, live: bool, port: int, as_json: bool) -> None:  # noqa: FBT001
    """Play the whole thing on this machine: no GitHub, no key."""
    from autonomous_loop.demo import Demo  # noqa: PLC0415 - needs the `local` extra

    async def work() -> int:
        return await asyncio.to_thread(
            Demo(folder=folder, serve=serve, live=live, port=port, as_json=as_json).play
        )

    _exit(work(), as_json=as_json)


@main.command()
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A checkout of the repository.")
@click.option("--dry-run", "dry", is_flag=True, help="Only show what would be written.")
@click.option("--force", is_flag=True, help="Put our workflow in the place of one that differs.")
def init(*, project: Path, dry: bool, force: bool) -> None:
    """Put the workflow and a commented configuration into a repository.

    Nothing is committed or pushed.
    """
    from autonomous_loop.init import init, initialised_as_text  # noqa: PLC0415 - only this command needs it

    async def work() -> int:
        made = init(
            project, Surroundings.from_environment(), GitHubAccount.from_environment(), dry=dry, force=force
        )
        click.echo(_clean(initialised_as_text(made)))
        return 1 if made.refused else 0

    _exit(work(), as_json=False, stopped="stopped")


@main.command()
@click.option("--project", type=click.Path(path_type=Path), default=".", help="A checkout of the repository.")
@click.option(
    "--repo", default="", metavar="OWNER/NAME", help="On GitHub; else the one of the remote origin."
)
@click.option("--run", "try_it", is_flag=True, help="Try the project's setup and tests too.")
@json_option
def doctor(*, project: Path, repo: str, try_it: bool, as_json: bool) -> None:
    """Check everything that makes a first run fail; a token is taken from GITHUB_TOKEN."""
    from autonomous_loop.doctor import Question, examine  # noqa: PLC0415 - only this command needs it
    from autonomous_loop.report.findings import State, findings_as_text  # noqa: PLC0415 - the same

    async def work() -> int:
        around, account = Surroundings.from_environment(), GitHubAccount.from_environment()
        found = await _interruptible(examine(Question(project, repo, try_it), around, account, say=_say))
        shown = json.dumps([one.as_dict() for one in found]) if as_json else findings_as_text(found)
        click.echo(_clean(shown))
        return 1 if any(one.state is State.MEND for one in found) else 0

    _exit(work(), as_json=as_json, stopped="stopped")


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    """A first signal asks the session to save and end; CI kills it a few seconds later if it does not."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _exit(
    work: Coroutine[Any, Any, int],
    *,
    as_json: bool,
    stopped: str = "stopped; what was proved is kept, run again to resume",
) -> NoReturn:
    try:
        code = asyncio.run(work)
    except Superseded as error:
        if as_json:
            click.echo(json.dumps({"handoff_reason": "superseded", "why": _clean(str(error))}))
        click.echo(f"{_clean(str(error))}; nothing to do", err=True)
        code = 0
    except LoopError as error:
        if as_json:
            click.echo(json.dumps({"error": _clean(error.message), "hint": _clean(error.hint)}))
        click.echo(_clean(f"autonomous-loop: {error}"), err=True)
        code = error.exit_code
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, not a traceback
        if as_json:
            click.echo(json.dumps({"error": _clean(explain(error)), "hint": ""}))
        click.echo(_clean(f"autonomous-loop: {explain(error)}"), err=True)
        code = 1
    except asyncio.CancelledError:
        click.echo(f"autonomous-loop: {stopped}", err=True)
        code = EXIT_LIMIT
    sys.exit(code)


def _say(text: str) -> None:
    click.echo(_clean(f"autonomous-loop: {text}"), err=True)


def _clean(text: str) -> str:
    """What no part has redacted, for a person; a CI runner that reads along must find no command in it."""
    from autonomous_loop.report.log import harmless  # noqa: PLC0415 - only on the way out
    from autonomous_loop.report.redactor import Redactor  # noqa: PLC0415 - the same

    return harmless(Redactor(secrets_in(environment())).text(text))


def _pairs(settings: tuple[str, ...]) -> dict[str, str]:
    made = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting} is not KEY=VALUE", hint="for example --set max-usd=2.5")
        made[key] = value
    return made
