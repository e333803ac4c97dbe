"""Words a run for the model and for people, without the details that vary from run to run.

`Verdict.signature` is made of these texts, so equal failures must produce equal text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autonomous_loop.verify.results.report import Case

EXCERPT = 4_000
# Only the end of an output is shown, so only this much of it is processed.
MOST_READ = 200_000
_NOISE = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"0x[0-9a-fA-F]{4,}"), "0x..."),
    (re.compile(r"\b(127\.0\.0\.1|localhost|\[::1\]):\d{4,5}\b"), r"\1:<port>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)?\s?(?:ms|s|seconds)\b"), "<duration>"),
    (re.compile(r"\bpid[ =:]\d+"), "pid <n>"),
)
# `=== 1 failed, 2 passed in 0.12s ===`
_COUNTS = re.compile(r"=*\s*\d+ [^\W\d]+(?:,? \d+ [^\W\d]+)*,? in [\d.]+s.*")
_FOLDER = "/pytest-of-"
_REST = re.compile(r"[\w.-]+/pytest-\d+")
_BACKWARDS = re.compile(r"[\w./-]*")


def _without_pytest_folders(text: str) -> str:
    """Replace paths such as `/tmp/pytest-of-me/pytest-1`, with everything before them, by <tmp>."""
    before, *parts = text.split(_FOLDER)
    made = [before]
    for part in parts:
        rest = _REST.match(part)
        if rest is None:
            made.append(f"{_FOLDER}{part}")
            continue
        head = made.pop()
        path = _BACKWARDS.match(head[::-1])
        run = head[len(head) - (path.end() if path else 0) :]
        head = head.removesuffix(run[run.find("/") :] if "/" in run else "").removesuffix("<tmp>")
        made += [head, "<tmp>", part[rest.end() :]]
    return "".join(made)


class Wording:
    """Makes texts without this machine's folders.

    Args:
        work: the work tree's absolute path; shown as ".".
        temporary: the sandbox's temporary folder; shown as "<tmp>".
    """

    def __init__(self, work: str, temporary: str) -> None:
        self._folders = ((work.rstrip("/") + "/", ""), (work, "."), (temporary, "<tmp>"))

    def plain(self, text: str) -> str:
        """Return `text` with folders, addresses, ports, times and durations replaced."""
        for folder, shown in self._folders:
            text = text.replace(folder, shown)
        text = _without_pytest_folders(text)
        for pattern, shown in _NOISE:
            text = pattern.sub(shown, text)
        return text

    def tail(self, text: str, most: int = EXCERPT) -> str:
        """Return the end of `text` in whole lines, at most `most` characters."""
        text = self.plain(text[-MOST_READ:]).strip()
        if len(text) <= most:
            return text
        return text[-most:].partition("\n")[2] or text[-most:]

    def failures(self, cases: Iterable[Case], *, most: int = 10) -> str:
        """List each failing test with the end of its output."""
        failing = sorted((case for case in cases if case.failing), key=lambda case: case.id)
        parts = [self._failure(case) for case in failing[:most]]
        if len(failing) > most:
            parts.append(f"... and {len(failing) - most} more")
        return "\n".join(parts)

    def _failure(self, case: Case) -> str:
        said = self.tail(case.text or case.message, 1_200)
        return f"- {case.id}: {self.plain(case.message)[:300]}\n" + "\n".join(
            f"    {line}" for line in said.splitlines()[-25:]
        )


def listed(ids: Sequence[str], *, most: int = 20) -> str:
    """Return sorted ids for a sentence."""
    shown = ", ".join(sorted(ids)[:most])
    return shown + (f" and {len(ids) - most} more" if len(ids) > most else "")


def without_canary(output: str, token: str) -> str:
    """Return a runner's output without the canary and without the counts that include it."""
    kept: list[str] = []
    skipping = False
    for line in output.splitlines():
        rule = line.startswith(("____", "====", "----"))
        if rule:
            skipping = token in line
        if skipping or token in line or _COUNTS.fullmatch(line.strip()):
            continue
        kept.append(line)
    return "\n".join(kept)
