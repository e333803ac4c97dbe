"""The findings of `doctor`, and their text for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from autonomous_loop.errors import LoopError
from autonomous_loop.report.escape import plain


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    MEND = "to mend"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check, with what to do about it.

    Attributes:
        check: the subject, in a word or two.
        text: the result.
        do: the command to run or the place to click; empty if there is nothing to do.
    """

    check: str
    state: State
    text: str
    do: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, for `--json`."""
        return {"check": self.check, "state": str(self.state), "text": plain(self.text), "do": plain(self.do)}


def ok(check: str, text: str, do: str = "") -> Finding:
    """Return a finding without a fault."""
    return Finding(check, State.OK, text, do)


def mend(check: str, text: str, do: str) -> Finding:
    """Return a finding that would make a first run fail."""
    return Finding(check, State.MEND, text, do)


def unknown(check: str, text: str, do: str = "") -> Finding:
    """Return a finding that could not be determined from here."""
    return Finding(check, State.UNKNOWN, text, do)


def fault(check: str, error: LoopError, do: str = "") -> Finding:
    """Return a finding from an error that a person must fix."""
    return mend(check, error.message, do or error.hint)


def findings_as_text(found: list[Finding]) -> str:
    """Return one line per finding with what to do below it, and the totals at the end."""
    wide = max((len(one.check) for one in found), default=0)
    lines = []
    for one in found:
        lines.append(f"{one.state:14}  {one.check:{wide}}  {plain(one.text)}")
        if one.do:
            lines.append(f"{'':14}  {'':{wide}}  -> {plain(one.do)}")
    count = {state: sum(one.state is state for one in found) for state in State}
    said = f"{count[State.MEND]} to mend" if count[State.MEND] else "nothing to mend"
    if count[State.UNKNOWN]:
        said += f"; {count[State.UNKNOWN]} cannot be told from here"
    return "\n".join([*lines, "", said])
