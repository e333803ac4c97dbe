"""A job's log as its page shows it: a section a step, folded groups, clean text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from embedded_github.actions.ports import StepResult
from embedded_github.pages.words import moment, plain

MOST_BYTES: Final = 1_000_000
"""Of a log, its end; what stands before is left out, with a line that says so."""
MOST_LINES: Final = 3_000
"""Of one step, its end again."""

_STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ?")
_COMMAND: Final = re.compile(
    r"(?:##)?\[(group|endgroup|error|warning|notice|debug|command|section)\](.*)", re.DOTALL
)

Kind = Literal["", "error", "warning", "notice", "debug", "command", "section", "group"]


@dataclass(frozen=True)
class Line:
    """One line: its number in the step, its kind (`group` heads folded `lines`) and its clean text."""

    number: int
    kind: Kind
    text: str
    lines: tuple[Line, ...] = ()


@dataclass
class Section:
    """What one step said. `step` is None before the first one and while the job still runs."""

    title: str
    step: StepResult | None = None
    texts: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long the step took; 0 where that is not known."""
        if self.step is None:
            return 0.0
        return (moment(self.step.completed_at) - moment(self.step.started_at)).total_seconds()

    @property
    def left_out(self) -> int:
        """How many lines are not shown."""
        return max(0, len(self.texts) - MOST_LINES)

    @property
    def lines(self) -> list[Line]:
        """The lines, what stands between `group` and `endgroup` folded into one."""
        numbered = list(enumerate(self.texts, 1))[self.left_out :]
        return list(_folded(iter(numbered)))


def sections(file: Path | None, steps: Sequence[StepResult]) -> list[Section]:
    """A job's log, step by step.

    The player writes `##[group]NAME` before each step that is not skipped; the sections are found by these
    names, in order. Until the job is done its steps are not known: then every step's title is found by its
    group, and a step that prints such a line by itself would look like two.
    """
    texts = _read(file)
    made = [Section("Set up job")]
    waiting = [step for step in steps if step.conclusion != "skipped"]
    for text in texts:
        name = text.removeprefix("##[group]") if text.startswith("##[group]") else None
        if name is not None and waiting and name == plain(waiting[0].name):
            made.append(Section(name, waiting.pop(0)))
        elif name is not None and not steps:
            made.append(Section(name))
        else:
            made[-1].texts.append(text)
    if not steps:
        return [section for section in made if section.texts or section is not made[0]]
    known = {section.step.number: section for section in made if section.step}
    shown = [known.get(step.number) or Section(plain(step.name), step) for step in steps]
    return [*([made[0]] if made[0].texts else []), *shown]


def _read(file: Path | None) -> list[str]:
    if file is None or not file.is_file():
        return []
    with file.open("rb") as stream:
        length = stream.seek(0, 2)
        stream.seek(max(0, length - MOST_BYTES))
        content = stream.read(MOST_BYTES).decode(errors="replace")
    texts = [plain(_STAMP.sub("", line, count=1)) for line in content.split("\n")]
    if length > MOST_BYTES:
        texts = [f"##[warning]The first {length - MOST_BYTES:,} bytes are not shown here.", *texts[1:]]
    return texts[:-1] if texts and not texts[-1] else texts


def _folded(numbered: Iterator[tuple[int, str]], *, inside: bool = False) -> Iterator[Line]:
    for number, text in numbered:
        found = _COMMAND.match(text)
        word, rest = (found[1], found[2]) if found else ("", text)
        if word == "group" and not inside:
            yield Line(number, "group", rest, tuple(_folded(numbered, inside=True)))
        elif word == "endgroup":
            if inside:
                return
        else:
            yield Line(number, _kind(word), rest)


def _kind(word: str) -> Kind:
    kinds: tuple[Kind, ...] = ("error", "warning", "notice", "debug", "command", "section")
    return next((kind for kind in kinds if kind == word), "")
