"""What the model is told: the prompts, and the first message of each conversation."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from string import Template
from typing import Any

from autonomous_loop.domain.feature import Attempt
from autonomous_loop.domain.proof import Reason
from autonomous_loop.domain.request import Request
from autonomous_loop.domain.work import Task


def prompt(name: str) -> str:
    """A text of `prompts/`, without its `.md`."""
    return (
        files("autonomous_loop.agent").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8").strip()
    )


def feature_message(task: Task) -> str:
    """The first message of the conversation on one feature."""
    return Template(prompt("coder")).substitute(
        feature=feature_block(task),
        request=fenced("request", _request_text(task.request)),
        situation=_situation(task),
    )


def feature_block(task: Task) -> str:
    """The feature as a fenced JSON block, which other programs read too."""
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


def request_message(request: Request, *, attempt: int, most: int) -> str:
    """The first message of the planner's conversation."""
    given: dict[str, Any] = {"attempt": attempt, "title": request.title, "body": request.body}
    if request.comments:
        given["comments"] = list(request.comments)
    return Template(prompt("planner")).substitute(request=_json_block({"request": given}), most=most)


def refused_text(reasons: tuple[Reason, ...], *, number: int, most: int, again: bool) -> str:
    """What the model is told of a refused submission.

    Args:
        reasons: the verdict's.
        number: of this submission in its attempt, from 1.
        most: submissions an attempt has.
        again: the same reasons as the time before.
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
    """Foreign text between marks it cannot contain, since they carry its own digest."""
    mark = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return f"<{mark}>\n{text}\n</{mark}>"


def _json_block(data: dict[str, Any]) -> str:
    # Line breaks are escaped inside JSON texts, so no line of theirs can end the fence.
    return f"```json\n{json.dumps(data, indent=2, ensure_ascii=False)}\n```"


def _request_text(request: Request) -> str:
    return "\n\n".join(request.texts).strip()


def _situation(task: Task) -> str:
    """What is known before the work starts: paragraphs, only those there is something to say in."""
    parts = []
    if task.test_command:
        parts.append(f"Tests run with `{task.test_command}`, followed by paths or test ids.")
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


def _lesson(attempt: Attempt) -> str:
    return f"attempt {attempt.number} ({attempt.outcome.value}): {attempt.lesson or 'no lesson was noted'}"


def _bullets(lines: tuple[str, ...]) -> str:
    return "\n".join(f"- {' '.join(line.split())}" for line in lines)
