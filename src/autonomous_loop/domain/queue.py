"""Decides over all loops of a repository: which may run now, within the day's spending and the limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from autonomous_loop.domain.budget import Limits, exhausted
from autonomous_loop.domain.decision import HandoffReason
from autonomous_loop.domain.events import AttemptEnded, AttemptStarted, Claimed, Spent
from autonomous_loop.domain.keys import UNSIGNED
from autonomous_loop.domain.model import LoopId
from autonomous_loop.domain.record import PLANNING, Entry, LoopRecord


class Stand(StrEnum):
    """The thing a loop waits for."""

    WORKING = "a session of it is at work"
    DUE = "one more session may start"
    LATER = "it is not to go on before the time its last session named"
    PERSON = "it goes on when a person says so"
    OVER = "it came to its end"


def stand(
    record: LoopRecord,
    *,
    alive: bool,
    cancelled: bool,
    by_itself: bool,
    allow_unsigned: bool,
    limits: Limits,
    now: datetime,
) -> Stand:
    """Return whether a schedule may start the loop's next session, or what it waits for.

    Args:
        alive: its newest session has not ended and may still be at work.
        cancelled: a person cancelled its job, which could not even record that.
        by_itself: the loop's continuation is auto or scheduled.
        allow_unsigned: from its configuration; an unsigned loop does not continue by itself without it.
        limits: from its configuration.
        now: timezone-aware.
    """
    if _is_over(record):
        return Stand.OVER
    last = record.sessions[-1]
    if last.ended is None and alive:
        return Stand.WORKING
    if last.ended is None and cancelled:
        return Stand.PERSON
    if record.generation >= limits.sessions or exhausted(limits, record.spending + record.unsettled):
        return Stand.OVER  # its next session could only report the end
    unsigned = record.last_mac.startswith(f"{UNSIGNED}:") and not allow_unsigned
    waits_for_go = last.reason is HandoffReason.APPROVAL
    if not by_itself or unsigned or waits_for_go:
        return Stand.PERSON
    return Stand.LATER if last.not_before is not None and last.not_before > now else Stand.DUE


def _is_over(record: LoopRecord) -> bool:
    if not record.sessions or record.closed is not None:
        return True
    last = record.sessions[-1]
    return last.ended is not None and (last.reason is None or last.reason.ends)


def spent_on(day: date, entries: Iterable[Entry]) -> float:
    """Return the US dollars that one journal records for one UTC day.

    An attempt that has not ended counts at its reservation, on the day it began, so that the same money
    cannot be spent twice.
    """
    total = 0.0
    open_attempt: tuple[str, float, date] | None = None
    for entry in entries:
        at, event = entry.at.astimezone(UTC).date(), entry.event
        match event:
            case AttemptStarted(feature_id=name, reserved=reserved):
                open_attempt = (name, reserved.usd, at)
            case AttemptEnded(spending=spending):
                open_attempt = None
                total += spending.usd if at == day else 0.0
            case Spent(what=what, spending=spending):
                open_attempt = None if what == PLANNING else open_attempt
                total += spending.usd if at == day else 0.0
            case Claimed():
                # The previous session died in its attempt, which is settled at its reservation.
                total += open_attempt[1] if open_attempt and open_attempt[2] == day else 0.0
                open_attempt = None
            case _:
                pass
    return total + (open_attempt[1] if open_attempt and open_attempt[2] == day else 0.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of one loop, as the repository's limits see it.

    Attributes:
        began: start of its first session.
    """

    loop: LoopId
    issue: int
    stand: Stand
    began: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """An issue with a label on which nothing has acted yet.

    Attributes:
        loop: the loop that its session will belong to.
        since: when the label was added.
    """

    loop: LoopId
    issue: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Room:
    """The repository's limits.

    Attributes:
        usd: US dollars per UTC day, over all loops.
        loops: maximum open loops at once.
    """

    usd: float
    loops: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One job of the matrix."""

    loop: LoopId
    issue: int


@dataclass(frozen=True, slots=True)
class Wait:
    """The reason why a session may not start now.

    Attributes:
        key: identifies the wait, so that each wait gets one comment.
        until: when the queue checks again by itself; None: when a loop ends.
    """

    key: str
    why: str
    until: datetime | None = None


def must_wait(
    loop: LoopId, standings: Sequence[Standing], *, spent_today: float, room: Room, now: datetime
) -> Wait | None:
    """Return why the repository's limits stop a session of this loop; None if there is room.

    The oldest open loops continue; a loop that is not open yet would be the youngest.
    """
    today = now.astimezone(UTC).date()
    if spent_today >= room.usd:
        tomorrow = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
        return Wait(
            f"usd-{today}",
            f"the repository's loops spent ${spent_today:.2f} today, and max-usd-per-day is ${room.usd:.2f}",
            tomorrow,
        )
    older = [one.loop for one in _open(standings)]
    place = older.index(loop) if loop in older else len(older)
    if place >= room.loops:
        said = "one loop is" if room.loops == 1 else f"{room.loops} loops are"
        return Wait(f"loops-{today}", f"{said} open already, and max-open-loops is {room.loops}")
    return None


def matrix(
    standings: Sequence[Standing],
    waiting: Sequence[Waiting],
    *,
    spent_today: float,
    room: Room,
    now: datetime,
) -> tuple[Sequence[Turn], Wait | None]:
    """Return the jobs that may start now: open loops first, then issues, each oldest first.

    Returns:
        The jobs, and why others wait.
    """
    made: list[Turn] = []
    wait: Wait | None = None
    standings = list(standings)
    due: list[Standing | Waiting] = [one for one in _open(standings) if one.stand is Stand.DUE]
    for one in [*due, *sorted(waiting, key=lambda one: (one.since, one.issue))]:
        no = must_wait(one.loop, standings, spent_today=spent_today, room=room, now=now)
        if no is not None:
            wait = no
            continue
        made.append(Turn(one.loop, one.issue))
        if isinstance(one, Waiting):
            standings.append(Standing(one.loop, one.issue, Stand.WORKING, now))
    return made, wait


def _open(standings: Sequence[Standing]) -> list[Standing]:
    """Return the loops that are not over, oldest first."""
    live = (one for one in standings if one.stand is not Stand.OVER)
    return sorted(live, key=lambda one: (one.began, one.issue))


def asked_again(records: Mapping[LoopId, LoopRecord], at: datetime) -> bool:
    """Whether a label added at `at` asks for something that the issue's loops have not yet handled."""
    ends = [record.sessions[-1].ended for record in records.values() if record.sessions]
    return all(end is not None and end < at for end in ends)
