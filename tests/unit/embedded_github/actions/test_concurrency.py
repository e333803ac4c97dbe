"""Concurrency groups by GitHub's rules."""

from embedded_github.actions.concurrency import PENDING_LIMIT, Entry, Groups, Ticket

REPO = "octo/demo"


def enter(
    groups: Groups,
    number: int,
    *,
    cancel: bool = False,
    queue: str = "single",
    name: str = "g",
    repo: str = REPO,
):
    return groups.enter(repo, name, Ticket(number), cancel_in_progress=cancel, queue=queue)


def test_one_runs_one_waits_and_a_newcomer_takes_the_place_of_the_one_that_waits():
    groups = Groups()
    assert enter(groups, 1) == Entry(admitted=True)
    assert enter(groups, 2) == Entry()
    assert enter(groups, 3) == Entry(cancelled=(Ticket(2),))
    assert groups.leave(REPO, "g", Ticket(1)) == Ticket(3)
    assert groups.leave(REPO, "g", Ticket(3)) is None
    assert enter(groups, 4) == Entry(admitted=True)


def test_queue_max_keeps_a_hundred_in_order_and_refuses_the_next():
    groups = Groups()
    enter(groups, 0, queue="max")
    for number in range(1, PENDING_LIMIT + 1):
        assert enter(groups, number, queue="max") == Entry()
    assert enter(groups, 999, queue="max") == Entry(refused=True)
    assert [groups.leave(REPO, "g", Ticket(n)) for n in range(3)] == [Ticket(1), Ticket(2), Ticket(3)]


def test_a_newcomer_without_queue_max_clears_the_queue():
    groups = Groups()
    for number in (1, 2, 3):
        enter(groups, number, queue="max")
    assert enter(groups, 4).cancelled == (Ticket(2), Ticket(3))


def test_cancel_in_progress_ends_the_one_that_runs_and_waits_for_its_end():
    groups = Groups()
    enter(groups, 1)
    enter(groups, 2)
    assert enter(groups, 3, cancel=True) == Entry(cancelled=(Ticket(2),), ended=Ticket(1))
    assert groups.leave(REPO, "g", Ticket(1)) == Ticket(3)


def test_names_ignore_case_and_repositories_are_apart():
    groups = Groups()
    enter(groups, 1, name="Loop")
    assert enter(groups, 2, name="lOOP") == Entry()
    assert enter(groups, 3, name="loop", repo="octo/other").admitted


def test_one_that_waits_can_leave():
    groups = Groups()
    for number in (1, 2, 3):
        enter(groups, number, queue="max")
    assert groups.leave(REPO, "G", Ticket(2)) is None
    assert groups.leave(REPO, "g", Ticket(1)) == Ticket(3)
    assert groups.leave(REPO, "g", Ticket(7)) is None
