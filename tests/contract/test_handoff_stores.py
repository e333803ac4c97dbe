"""One suite over every `HandoffStore`: what a session leaves, the next one finds, and nobody else's."""

from __future__ import annotations

import itertools

import pytest

from autonomous_loop.domain.events import Claimant
from autonomous_loop.git.handoffs import FileHandoffStore
from autonomous_loop.github import client
from autonomous_loop.github.artifact_handoffs import FILE, ArtifactHandoffStore
from autonomous_loop.github.comments import StickyCommentStore
from autonomous_loop.github.thread import Thread
from integration.github.artifact_world import REPO, Jobs
from integration.github.conftest import server, world  # noqa: F401 - fixtures

LOOP = "issue-1"


class Files:
    """A plain git directory."""

    def __init__(self, folder):
        self._folder = folder

    def session(self, loop=LOOP):
        return FileHandoffStore(self._folder, loop=loop)

    def damage(self):
        (self._folder / "autonomous-loop" / f"{LOOP}.json").unlink()


class Comments:
    """The sticky comment."""

    def __init__(self, world):  # noqa: F811
        self.world = world
        self._token = Jobs(world).token
        self._github = client.connect(self._token, f"{world.url}/api/v3", backoff_s=0.01)
        self._repository = self._github.get_repo(REPO)

    def session(self, loop=LOOP):
        self.thread = Thread(
            self._repository,
            loop=loop,
            issue=1,
            head=f"autonomous-loop/{loop}/pr",
            own_login=client.own_login(self._github, self._token),
        )
        return StickyCommentStore(self.thread, pause_s=0.01)

    def human(self):
        return "\n".join(one.body for one in self.world.store.comments.list(REPO, 1))

    def damage(self):
        self.session().show("taken away")


class Artifacts(Comments):
    """An artifact of each session's run."""

    def __init__(self, world):  # noqa: F811
        super().__init__(world)
        self.jobs = Jobs(world)
        self.claims: list[Claimant] = []
        self._numbers = itertools.count(1)

    def session(self, loop=LOOP):
        """The next session: it knows the claims before its own, as the journal does."""
        shown = super().session(loop)
        run = self.jobs.run()
        me = Claimant(nonce=f"{next(self._numbers):032x}"[::-1], run_id=str(run.id))
        store = ArtifactHandoffStore(run.client, loop=loop, me=me, claimed=self.claims[::-1], show=shown.show)
        self.claims.append(me)
        return store

    def damage(self):
        for run in self.world.player.runs.runs(REPO)[1]:
            for one in self.world.player.artifacts.of_run(run.id):
                self.world.player.artifacts.file(one.id).write_bytes(b"no zip")


@pytest.fixture(params=["file", "comment", "artifact"])
def place(request, tmp_path):
    if request.param == "file":
        yield Files(tmp_path)
        return
    made = {"comment": Comments, "artifact": Artifacts}[request.param](request.getfixturevalue("world"))
    yield made
    if isinstance(made, Artifacts):
        made.jobs.close()


def test_before_the_first_session_there_is_none(place):
    assert place.session().read() is None


@pytest.mark.parametrize("document", ['{"a": 1}', '{"text": "--> ü \\u0000 <!-- \U0001f600"}', "x" * 40_000])
def test_the_next_session_reads_what_the_one_before_wrote(place, document):
    place.session().write("It stands well.", document)
    assert place.session().read() == document


def test_a_session_reads_what_it_wrote_itself(place):
    store = place.session()
    store.write("It stands well.", '{"a": 1}')
    assert store.read() == '{"a": 1}'


def test_a_later_session_replaces_it(place):
    place.session().write("one", '{"a": 1}')
    place.session().write("two", '{"a": 2}')
    assert place.session().read() == '{"a": 2}'


def test_a_session_that_died_without_one_leaves_the_older(place):
    place.session().write("one", '{"a": 1}')
    place.session()
    assert place.session().read() == '{"a": 1}'


def test_another_loops_is_not_found(place):
    place.session().write("one", '{"a": 1}')
    assert place.session("issue-1-2").read() is None


def test_what_is_gone_or_damaged_is_none_for_the_journal_is_the_truth(place):
    place.session().write("one", '{"a": 1}')
    place.damage()
    assert place.session().read() is None


def test_a_file_that_is_no_text_is_none_too(tmp_path):
    place = Files(tmp_path)
    place.session().write("one", '{"a": 1}')
    (tmp_path / "autonomous-loop" / f"{LOOP}.json").write_bytes(b"\xff\xfe" + bytes(100))
    assert place.session().read() is None


@pytest.mark.parametrize("place", ["comment", "artifact"], indirect=True)
def test_people_see_where_it_stands_whichever_store_it_is(place):
    place.session().write("**It stands well.**", '{"a": 1}')
    place.session().write("**It stands better.**", '{"a": 2}')
    assert "**It stands better.**" in place.human()
    assert "stands well" not in place.human()


@pytest.mark.parametrize("place", ["artifact"], indirect=True)
def test_a_strangers_run_cannot_leave_one(place):
    place.session()  # it died: the journal has its claim, and its run has no artifact
    stranger = place.jobs.run()
    name = f"autonomous-loop-{LOOP}-handoff-{place.claims[0].nonce[:12]}"
    stranger.client.upload(name, {FILE: b'{"a": "forged"}'})
    assert place.session().read() is None
