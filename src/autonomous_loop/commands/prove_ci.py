"""Proves a change in a CI job: reads the inputs of `prove/action.yml` and the event, writes a receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autonomous_loop.commands.prove import NoTests, Question, prove
from autonomous_loop.domain.feature import FeatureKind
from autonomous_loop.errors import ConfigurationError, LoopError, UsageError
from autonomous_loop.github.action import append_summary, read_event, write_outputs
from autonomous_loop.report.escape import fence
from autonomous_loop.report.receipt import as_markdown, as_text
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.wiring.environment import RuntimeEnvironment

COMMANDS = ("test-command", "suite-command", "setup")


async def prove_in_ci(
    runtime: RuntimeEnvironment, environ: Mapping[str, str], *, say: Callable[[str], object]
) -> int:
    """Run the action, and return the step's exit code.

    Args:
        environ: the job's `INPUT_*` and `GITHUB_*`.

    Raises:
        UsageError: as `prove`; the summary shows it too.
    """
    try:
        receipt = await prove(question_of(environ), runtime, say=say)
    except NoTests as error:
        if _input(environ, "without-tests") != "pass":
            _leave(environ, "none", _no_verdict(error, runtime))
            raise
        say(str(error))
        _leave(environ, "none", _no_verdict(error, runtime))
        return 0
    except LoopError as error:
        _leave(environ, "none", _no_verdict(error, runtime))
        raise
    say(as_text(receipt))
    verdict = "accepted" if receipt.verdict.accepted else "refused"
    _leave(environ, verdict, Redactor(runtime.secrets).text(as_markdown(receipt)))
    return 0 if receipt.verdict.accepted else 1


def question_of(environ: Mapping[str, str]) -> Question:
    """Return the question that the inputs ask; empty inputs are filled from the event.

    Raises:
        ConfigurationError: neither names the base, or an input is malformed.
    """
    pull = _mapping(read_event(environ.get("GITHUB_EVENT_PATH", "")).get("pull_request"))
    base = _input(environ, "base") or _sha(pull, "base")
    head = _input(environ, "head") or _sha(pull, "head") or environ.get("GITHUB_SHA", "")
    if not base:
        raise ConfigurationError(
            "there is no base to compare with: this event is about no pull request",
            hint="run it on `pull_request`, or give the input `base`.",
        )
    kind = _input(environ, "kind") or FeatureKind.BEHAVIOUR
    if kind not in {FeatureKind.BEHAVIOUR, FeatureKind.REFACTOR}:
        raise ConfigurationError(f"the input kind is {kind!r}", hint="it is behaviour or refactor.")
    overrides = dict(_setting(line) for line in _lines(_input(environ, "settings")))
    overrides |= {name: value for name in COMMANDS if (value := _input(environ, name))}
    folder = Path(environ.get("GITHUB_WORKSPACE") or ".")
    return Question(folder, base, head, _lines(_input(environ, "tests")), FeatureKind(kind), overrides)


def _leave(environ: Mapping[str, str], verdict: str, summary: str) -> None:
    if path := environ.get("GITHUB_STEP_SUMMARY"):
        append_summary(path, summary)
    if path := environ.get("GITHUB_OUTPUT"):
        write_outputs(path, {"verdict": verdict})


def _no_verdict(error: UsageError | LoopError, runtime: RuntimeEnvironment) -> str:
    said = Redactor(runtime.secrets).text(f"{error.message}\n\nWhat to do: {error.hint}".strip())
    return f"### \u26aa no verdict\n\n{fence(said)}\n"


def _setting(line: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    if not equals:
        raise ConfigurationError(
            f"the input settings has the line {line!r}", hint="write KEY=VALUE, one a line."
        )
    return key.strip(), value.strip()


def _lines(value: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in value.splitlines() if line.strip())


def _input(environ: Mapping[str, str], name: str) -> str:
    return environ.get(f"INPUT_{name.upper()}", "").strip()


def _sha(pull: Mapping[str, Any], side: str) -> str:
    return str(_mapping(pull.get(side)).get("sha") or "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
