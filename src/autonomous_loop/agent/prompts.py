"""The texts for the model: the prompts, and the first message of each conversation."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from string import Template
from typing import Any

from autonomous_loop.domain.feature import Attempt
from autonomous_loop.domain.proof import Reason
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import HowTestsRun, Task

_UNKNOWN = HowTestsRun()


def prompt(name: str) -> str:
    """Return a text from `prompts/`, by its name without `.md`."""
    return (
        files("autonomous_loop.agent").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()
    )


def feature_message(task: Task) -> str:
    """Return the first message of the conversation on one feature."""
    return Template(prompt("coder")).substitute(
        feature=feature_block(task),
        request=fenced("request", _request_text(task.request)),
        situation=_situation(task),
    )


def feature_block(task: Task) -> str:
    """Return the feature as a fenced JSON block, which other programs read too."""
    feature = task.feature
    return _json_block(
        {
            "feature": {
                "id": feature.id,
                "attempt": task.number,
                "kind": feature.kind.value,
                "category": feature.category,
                "description": feature.description,
                "steps": list(feature.steps),
            }
        }
    )


def request_message(
    request: Request, *, attempt: int, most: int, tests: HowTestsRun = _UNKNOWN, setup: str = ""
) -> str:
    """Return the first message of the planning conversation.

    Args:
        tests: how the loop would run the tests.
        setup: the configured setup command.
    """
    given: dict[str, Any] = {"attempt": attempt, "title": request.title, "body": request.body}
    if request.comments:
        given["comments"] = list(request.comments)
    return Template(prompt("planner")).substitute(
        request=_json_block({"request": given}), most=most, commands=_known_commands(tests, setup)
    )


def refused_text(reasons: tuple[Reason, ...], *, number: int, most: int, again: bool) -> str:
    """Return the model's text about a refused submission.

    Args:
        reasons: the verdict's reasons.
        number: number of this submission in its attempt, from 1.
        most: submissions that an attempt has.
        again: the reasons are the same as last time.
    """
    lines = [f"refused (submission {number} of {most})"]
    lines += [f"- {reason.code}: {reason.text}" for reason in reasons]
    if again:
        lines.append(
            "These are the same reasons as the last time: what you changed did not touch the cause. Find the "
            "cause before you submit again, and do something different."
        )
    else:
        lines.append("Mend what the reasons name, run your tests and the suite, and submit again.")
    return "\n".join(lines)


def fenced(name: str, text: str) -> str:
    """Put foreign text between marks that contain the text's digest, so that it cannot contain them."""
    mark = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return f"<{mark}>\n{text}\n</{mark}>"


def _json_block(data: dict[str, Any]) -> str:
    # JSON escapes line breaks inside texts, so no line of a text can end the fence.
    return f"```json\n{json.dumps(data, indent=2, ensure_ascii=False)}\n```"


def _request_text(request: Request) -> str:
    return "\n\n".join(request.texts).strip()


def _situation(task: Task) -> str:
    """Return what is known before the work starts, one paragraph per topic, without empty ones."""
    parts = []
    if task.tests.commands:
        parts.append(_how_tests_run(task.tests))
    if task.done:
        parts.append("These features pass already and must go on passing:\n" + _bullets(task.done))
    if task.memory.strip():
        parts.append("Notes of earlier sessions on this project:\n" + fenced("notes", task.memory.strip()))
    if lessons := [_lesson(attempt) for attempt in task.earlier]:
        parts.append(
            f"This is attempt {task.number} at the feature. What came of the earlier ones:\n"
            + fenced("attempts", _bullets(tuple(lessons)))
        )
    if task.patched:
        parts.append(
            "The work tree holds the unfinished work of the last attempt, not yet proved. See it with "
            "`git status` and `git diff` first; keep what is right, mend or remove the rest."
        )
    elif task.earlier:
        parts.append("The work tree is back at the last checkpoint: nothing of those attempts is in it.")
    return "\n\n".join(parts) or "This is the first attempt at the feature, on a clean work tree."


def _how_tests_run(tests: HowTestsRun) -> str:
    """Tell the coding agent which commands the loop will run."""
    if len(tests.commands) == 1:
        text = f"The loop runs tests with `{tests.commands[0]}`, followed by paths or test ids."
    else:
        text = "The loop runs tests with these, followed by paths, each file with the first that takes it:\n"
        text += _bullets(tuple(f"`{one}`" for one in tests.commands))
    if tests.suite != tests.commands:
        text += "\nThe whole suite is " + " and ".join(f"`{one}`" for one in tests.suite) + "."
    elif len(tests.commands) == 1:
        text += " The whole suite is the same with nothing appended."
    return text + _programs(tests)


def _known_commands(tests: HowTestsRun, setup: str) -> str:
    """Return what is known about setup and tests before planning, as sentences; may be empty."""
    parts = []
    if setup:
        parts.append(f"The configuration has the setup `{setup}`: that is what runs, and no other.")
    named = " and ".join(f"`{one}`" for one in tests.commands)
    match tests.said_by:
        case "configuration":
            parts.append(f"The configuration has the test command {named}: that is what runs, and no other.")
        case "project" if named:
            parts.append(f"The project's own scripts have the test command {named}: that is what runs.")
        case "guess" if named:
            parts.append(
                f"Going by the project's files, the loop would run the tests with {named}{_programs(tests)}. "
                "Yours takes its place only where it shows, on the untouched code, all that this one shows "
                "and more, such as tests that load in an environment of the project's own."
            )
    if tests.suite != tests.commands and tests.suite:
        parts.append("The whole suite is " + " and ".join(f"`{one}`" for one in tests.suite) + ".")
    return " ".join(parts) or "Nothing is known yet of its setup and its tests."


def _programs(tests: HowTestsRun) -> str:
    found = ", ".join(f"`{name}` is {path}" for name, path in tests.programs)
    return f" ({found})" if found else ""


def _lesson(attempt: Attempt) -> str:
    return f"attempt {attempt.number} ({attempt.outcome.value}): {attempt.lesson or 'no lesson was noted'}"


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {' '.join(line.split())}" for line in lines)
