"""Where `pr` may stand while a session is at work, and where it may not."""

from types import SimpleNamespace

import pytest

from autonomous_loop.commands.audit_branches import Heads, _checkpoints, _pull_request
from autonomous_loop.domain.events import TakenIn

LINE = ["base", "two", "person", "merged", "three"]


class History:
    """One line of commits, and one beside it."""

    def is_ancestor(self, older, newer):
        return older in LINE and newer in LINE and LINE.index(older) <= LINE.index(newer)


def record(published, checkpoint, *, at_work):
    proofs = {
        name: SimpleNamespace(after=name)
        for name in ("two", "three")
        if LINE.index(name) <= LINE.index(checkpoint)
    }
    last = SimpleNamespace(ended=None if at_work else "then")
    return SimpleNamespace(
        published=published, checkpoint=checkpoint, sessions=(last,), proofs=proofs, closed=None
    )


TAKEN = [TakenIn(commit="person", checkpoint="merged")]


@pytest.mark.parametrize(
    ("pr", "published", "checkpoint", "at_work", "events", "finding", "note"),
    [
        ("three", "three", "three", False, (), "", ""),
        # At work: proved, and shown at the session's end.
        (
            "two",
            "two",
            "three",
            True,
            (),
            "",
            "has not moved it on yet; whoever merges it does not get",
        ),
        (None, None, "two", True, (), "", "no branch pr yet"),
        # A person's commit, taken in.
        ("person", "two", "merged", True, TAKEN, "", "has not moved it on yet"),
        # It was refused, or somebody else moved it: the session said so at its end.
        (
            "two",
            "two",
            "three",
            False,
            (),
            "ended without moving it on; whoever merges it",
            "",
        ),
        ("person", "two", "merged", False, TAKEN, "ended without moving it on", ""),
        ("person", "two", "merged", True, (), "the journal never moved it there", ""),
        ("three", "two", "three", True, (), "the journal's end is missing", ""),
        ("base", "two", "three", True, (), "was moved back", ""),
        (None, "two", "three", True, (), "is missing", ""),
    ],
)
def test_the_branch_that_people_would_merge(pr, published, checkpoint, at_work, events, finding, note):
    said = _pull_request(History(), pr, record(published, checkpoint, at_work=at_work), events)
    for one, expected in zip(said, (finding, note), strict=True):
        assert expected in one if expected else one == ""


def test_a_branch_that_was_deleted_once_it_was_merged():
    closed = record("three", "three", at_work=False)
    closed.closed = SimpleNamespace(how="merged")
    assert _pull_request(History(), None, closed, ()) == (
        "", "there is no branch pr any more: its pull request was merged"
    )  # fmt: skip


def entry(session, commit):
    return SimpleNamespace(session=session, event=TakenIn(commit=commit, checkpoint=commit))


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ({1: "two", 2: "three"}, []),
        ({2: "three"}, []),  # older ones are deleted after a while
        ({1: "two"}, ["checkpoint/2 is missing: session 2 left it at three"]),
        ({1: "three", 2: "three"}, ["checkpoint/1 stands at three, the record at two"]),
        ({2: "three", 3: "three"}, ["checkpoint/3 stands at three, the record at base"]),
        ({2: "three", 4: "three"}, ["the journal knows no session 4"]),
    ],
)
def test_the_branches_of_sessions(there, found):
    known = SimpleNamespace(generation=3, facts=SimpleNamespace(base="base"))
    said = list(_checkpoints(Heads(None, there), known, [entry(1, "two"), entry(2, "three")]))
    assert len(said) == len(found)
    assert all(one in whole for one, whole in zip(found, said, strict=True))
