"""Plain values that pass between the parts and what stands behind their ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autonomous_loop.domain.budget import Spending
from autonomous_loop.domain.feature import Attempt, Feature
from autonomous_loop.domain.model import CommitSha, TreeSha
from autonomous_loop.domain.proof import Verdict
from autonomous_loop.domain.request import Request

SaidBy = Literal["configuration", "project", "model", "guess"]
CoderEnding = Literal["accepted", "refused", "gave-up", "blocked", "handed-off"]


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command of the hands ended.

    Attributes:
        exit_code: None when the deadline ended it.
        stdout: what it printed, capped; with the errors in it where they were merged.
        stderr: empty where merged.
        truncated: the output was longer than the cap (its middle is left out).
        duration_s: wall seconds.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes = b""
    truncated: bool = False
    duration_s: float = 0.0

    @property
    def text(self) -> str:
        """Standard output as text; undecodable bytes are shown as such."""
        return self.stdout.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Touched:
    """What was opened or changed of what is watched, by path.

    Attributes:
        files: watched files that were opened or changed, whatever name was used.
        entries: what appeared, went or changed in watched folders and is no folder.
        folders: folders that did, or that are watched and were changed themselves.
    """

    files: frozenset[str]
    entries: frozenset[str]
    folders: frozenset[str]


@dataclass(frozen=True, slots=True)
class BrowserResult:
    """What the browser tool answers: text, and a PNG for a screenshot."""

    text: str
    png: bytes | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two trees. Modes are git's ("100644", "120000", ...), "" when absent."""

    path: str
    status: Literal["A", "D", "M", "T"]
    mode_before: str
    mode_after: str


@dataclass(frozen=True, slots=True)
class HalfMerge:
    """A merge that git could not make by itself.

    Attributes:
        commit: of both sides, with our version of what is in conflict: what the rest is compared with.
        start: its tree, with conflict markers in what is in conflict.
        paths: in conflict.
    """

    commit: CommitSha
    start: TreeSha
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one answer of the model cost, and how full the conversation is.

    Attributes:
        spending: of this answer alone, compaction's included.
        context_used: tokens of the conversation as the API counted them.
        context_window: of the model.
        recovered: errors recovered on the way to this answer.
        answered: False for what broken answers cost: the model has said nothing.
    """

    spending: Spending
    context_used: int
    context_window: int
    recovered: int = 0
    answered: bool = True


@dataclass(frozen=True, slots=True)
class CoderResult:
    """How a conversation ended; control flows from this, never from words in the model's text.

    Attributes:
        ending: `refused` when the submissions of this attempt are used up.
        verdict: of the last submission.
        question: what only a person can answer, when blocked.
        note: the model's last words, for people.
    """

    ending: CoderEnding
    verdict: Verdict | None = None
    question: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class HowTestsRun:
    """How the loop runs a project's tests.

    Attributes:
        commands: test files are appended to them, each in the folder it goes to.
        suite: the whole suite; the same commands with nothing appended, unless configured.
        programs: where the interpreters and runners they name are found, by name.
        said_by: who says so: the configuration, the project's own scripts, the model, or nobody: it is
            guessed from the project's files.
    """

    commands: tuple[str, ...] = ()
    suite: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    said_by: SaidBy = "guess"


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt at one feature.

    Attributes:
        number: the attempt's number, from 1.
        earlier: attempts before it, with their lessons.
        patched: unfinished work of the last attempt was put into the work tree.
        memory: the loop's notes.
        done: descriptions of the features that pass.
        tests: how the loop will run them.
    """

    feature: Feature
    number: int
    request: Request
    earlier: tuple[Attempt, ...] = ()
    patched: bool = False
    memory: str = ""
    done: tuple[str, ...] = ()
    tests: HowTestsRun = HowTestsRun()


@dataclass(frozen=True, slots=True)
class Command:
    """Something that was asked for while the loop runs.

    Attributes:
        name: of a command: go, continue, stop (the label removed counts), retry, skip, add, budget; or
            `review` (changes were requested), or `ci` (a workflow of others failed on what we published).
        argument: a feature, dollars, or a text, cleaned of hidden text.
        subject: of `ci`: the path of its workflow.
    """

    id: str
    actor: str
    name: str
    argument: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What people see of the loop, made by `report/`."""

    title: str
    body: str
    sticky: str
