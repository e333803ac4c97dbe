"""Plain values that pass between the engine and the adapters behind its ports."""

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
    """The result of a command in the sandbox.

    Attributes:
        exit_code: None if the deadline ended it.
        stdout: its output, up to a limit; includes the errors if they were merged.
        stderr: empty if merged.
        truncated: the output was longer than the limit (its middle is left out).
        duration_s: wall-clock seconds.
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
    """The watched paths that were opened or changed.

    Attributes:
        files: watched files that were opened or changed, under any name.
        entries: entries of watched folders, other than folders, that appeared, disappeared or changed.
        folders: folders that did so, or watched folders that changed themselves.
    """

    files: frozenset[str]
    entries: frozenset[str]
    folders: frozenset[str]


@dataclass(frozen=True, slots=True)
class BrowserResult:
    """The browser tool's answer: text, and a PNG for a screenshot."""

    text: str
    png: bytes | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two trees. Modes are git's ("100644", "120000", ...), "" if absent."""

    path: str
    status: Literal["A", "D", "M", "T"]
    mode_before: str
    mode_after: str


@dataclass(frozen=True, slots=True)
class HalfMerge:
    """A merge that git could not make by itself.

    Attributes:
        commit: merges both sides with our version of the conflicts; later changes are compared with it.
        start: its tree, with conflict markers in the conflicting files.
        paths: files in conflict.
    """

    commit: CommitSha
    start: TreeSha
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """The cost of one model answer, and how full the conversation is.

    Attributes:
        spending: cost of this answer alone, including compaction.
        context_used: tokens of the conversation as the API counted them.
        context_window: context size of the model.
        recovered: errors recovered on the way to this answer.
        answered: False for the cost of broken answers, where the model has said nothing.
    """

    spending: Spending
    context_used: int
    context_window: int
    recovered: int = 0
    answered: bool = True


@dataclass(frozen=True, slots=True)
class CoderResult:
    """How a conversation ended. Control flow uses this, never words in the model's text.

    Attributes:
        ending: `refused` if the attempt's submissions are used up.
        verdict: verdict on the last submission.
        question: a question that only a person can answer, if blocked.
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
        commands: the commands; each gets the test files of its folder appended.
        suite: the whole suite; the same commands with nothing appended, unless configured.
        programs: paths of the interpreters and runners they name, by name.
        said_by: the source: the configuration, the project's own scripts, the model, or nobody, if it is a
            guess from the project's files.
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
        earlier: previous attempts, with their lessons.
        patched: the work tree contains unfinished work of the last attempt.
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
    """A request that arrives while the loop runs.

    Attributes:
        name: a command: go, continue, stop (a removed label counts), retry, skip, add, budget; or `review`
            (changes were requested), or `ci` (another workflow failed on what we published).
        argument: a feature, dollars, or a text, cleaned of hidden text.
        subject: for `ci`, the path of its workflow.
    """

    id: str
    actor: str
    name: str
    argument: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The loop's texts for people, rendered by `report/`."""

    title: str
    body: str
    sticky: str
