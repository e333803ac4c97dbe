"""All loops of a repository: which may go on now, what they spent today, what its limits leave room for."""

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
    """What a loop waits for."""

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
    """Whether a schedule may start the loop's next session.

    Args:
        alive: its newest session has not ended and may still be at work.
        cancelled: a person cancelled its job, and it could not even write that.
        by_itself: the loop's continuation is auto or scheduled.
        allow_unsigned: of its configuration: without a signature nothing goes on by itself.
        limits: of its configuration.
        now: aware.
    """
    if _is_over(record):
        return Stand.OVER
    last = record.sessions[-1]
    if last.ended is None and alive:
        return Stand.WORKING
    if last.ended is None and cancelled:
        return Stand.PERSON
    if record.generation >= limits.sessions or exhausted(limits, record.spending + record.unsettled):
        return Stand.OVER  # its next session could only say so
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
    """US dollars of one UTC day in one journal.

    An attempt that has not ended counts at what was set aside for it, on the day it began: nobody may spend
    that twice.
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
                # The session before died in its attempt: it is settled at its reservation.
                total += open_attempt[1] if open_attempt and open_attempt[2] == day else 0.0
                open_attempt = None
            case _:
                pass
    return total + (open_attempt[1] if open_attempt and open_attempt[2] == day else 0.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """One loop, as far as the repository's limits are concerned.

    Attributes:
        began: its first session.
    """

    loop: LoopId
    issue: int
    stand: Stand
    began: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """An issue whose label nobody has acted on yet.

    Attributes:
        loop: the loop its session will be of.
        since: when it got the label.
    """

    loop: LoopId
    issue: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Room:
    """The repository's limits.

    Attributes:
        usd: US dollars a UTC day, over all loops.
        loops: open at once.
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
    """Why a session may not start now.

    Attributes:
        key: the same while it is the same wait: one comment each.
        until: when it will be looked at again by itself; None: when a loop ends.
    """

    key: str
    why: str
    until: datetime | None = None


def must_wait(
    loop: LoopId, standings: Sequence[Standing], *, spent_today: float, room: Room, now: datetime
) -> Wait | None:
    """Whether a session of this loop is beyond the repository's limits; None while there is room.

    The oldest open loops go on; a loop that is not open yet would be the youngest.
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
    """The jobs that may start now: open loops first, then issues, each oldest first.

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
    """Loops that are not over, oldest first."""
    live = (one for one in standings if one.stand is not Stand.OVER)
    return sorted(live, key=lambda one: (one.began, one.issue))


def asked_again(records: Mapping[LoopId, LoopRecord], at: datetime) -> bool:
    """Whether a label put on at `at` asks for something these loops of its issue did not hear yet."""
    ends = [record.sessions[-1].ended for record in records.values() if record.sessions]
    return all(end is not None and end < at for end in ends)
