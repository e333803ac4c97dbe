"""The tiny project, where two() and three() are wanted, on the embedded GitHub."""

from contextlib import contextmanager

from e2e.github_world import ROOT, WORKFLOW, github_world
from loop_world import honest, journal_events, listed, make_project, model, plan

REPO, LOOP = "octo/numbers", "issue-1"
STATE = f"autonomous-loop/{LOOP}/state"
TWO = plan(listed("two", priority=1), listed("three", priority=2, depends_on=["two"]))
HONEST = {"two": [honest("two", 2)], "three": [honest("three", 3)]}
# One feature a session, and the next one starts only when a person says so.
BY_HAND = 'session-features = 1\ncontinuation = "manual"\n'
CALLED = ".github/workflows/loop.yml"
OURS = f"uses: autonomous-loop/autonomous-loop/{CALLED}@v1"


@contextmanager
def world_of(tmp_path, features=None, *, config="", called="", more=None, titles=("Two numbers",), **people):
    """The tiny project on the embedded GitHub, with issues; nobody has labelled them yet.

    `called`: a reusable workflow of its own, in place of ours; `more`: files besides, by path.
    """
    files = make_project(tmp_path / "project", more, config=config)
    if called:
        thin = (ROOT / WORKFLOW).read_text()
        assert OURS in thin
        (files / WORKFLOW).parent.mkdir(parents=True, exist_ok=True)
        (files / WORKFLOW).write_text(thin.replace(OURS, f"uses: ./{CALLED}"))
        (files / CALLED).write_text(called)
    with (
        model(TWO, features or HONEST) as (url, log),
        github_world(tmp_path / "github", url, repo=REPO, files=files, log=log, **people) as world,
    ):
        for title in titles:
            world.issue(f"# {title}\n\nI want two() and three().")
        yield world


def events_of(world, kind):
    return [one["event"] for one in journal_events(world.folder, LOOP) if one["event"]["type"] == kind]


def proved(world):
    return [one["proof"]["feature_id"] for one in events_of(world, "kept")]
