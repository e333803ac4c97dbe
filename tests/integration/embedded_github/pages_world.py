"""A forge with something to look at: the guestbook, its issue, a pull request of real commits, runs."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from autonomous_loop.report.markdown import job_summary, pull_request_body, sticky_comment
from autonomous_loop.report.view_model import Site
from embedded_github.actions.ports import Annotation, StepResult
from embedded_github.actions.runs import JobRecord, RunRecord, Runs
from embedded_github.forge.app import create_app
from embedded_github.forge.models import GITHUB_ACTIONS_BOT, ZERO_SHA, Actor
from embedded_github.forge.store import Store
from embedded_github.pages.routes import routes
from embedded_github.server import LocalServer
from integration.embedded_github.pages_record import FEATURES, REPO, START, loop_record

EXAMPLE = Path(__file__).parents[3] / "examples" / "guestbook"
NOW = START + timedelta(minutes=52)
MONA, BOT = Actor("mona"), Actor(GITHUB_ACTIONS_BOT, by_workflow_token=True)

_WHERE = {
    "pages.py": "guestbook/pages.py",
    "store.py": "guestbook/store.py",
    "app.py": "guestbook/app.py",
    "feed.py": "guestbook/feed.py",
    "likes.js": "guestbook/static/likes.js",
    "README.md": "README.md",
}
_MESSAGES = {
    "message-limit": "Refuse messages of more than 280 characters",
    "split-page": "Split the page into layout, form and entry",
    "newest-first": "Show the newest entry first, with a count",
    "paging": "Show ten entries a page",
    "search": "Find entries by words",
    "json-feed": "Give all entries as JSON",
    "likes": "Count likes",
    "handbook": "Describe addresses and settings",
}


@dataclass
class Ticking:
    """A clock that a test sets."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def minutes(self, count: float) -> None:
        self.at = START + timedelta(minutes=count)


@dataclass
class World:
    """What a test needs of it."""

    store: Store
    runs: Runs
    clock: Ticking
    folder: Path
    url: str = ""
    issue: int = 0
    pull: int = 0
    state: str = ""
    heads: tuple[str, ...] = ()
    run_ids: tuple[int, ...] = ()


@contextmanager
def pages_world(
    folder: Path, *, full: bool = True, pictures: dict[str, bytes] | None = None
) -> Iterator[World]:
    clock = Ticking()
    with Store(folder / "forge", clock=clock) as store, Runs(folder / "runs.sqlite3") as runs:
        store.create_user("mona")
        store.create_repository(
            REPO,
            from_folder=EXAMPLE / "repository",
            description="A guestbook on the standard library alone",
            allow_actions_to_create_pull_requests=True,
            collaborators={"mona": "write"},
        )
        app = create_app(store, extra_routes=routes(store, runs, clock=clock))
        with LocalServer(app) as server:
            world = World(store, runs, clock, folder, server.url)
            if full:
                _fill(world, pictures or {})
            yield world


def picture(width: int = 320, height: int = 160) -> bytes:
    """A small PNG with something in it."""
    lines = b"".join(
        b"\x00" + bytes(one for x in range(width) for one in (90 + x % 120, 120 + y % 90, 200))
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(lines)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


Files = dict[str, bytes | None]


def commit(world: World, branch: str, files: Files, message: str, *, orphan: bool = False) -> str:
    """Write a commit on top of a branch, or of the default branch where there is none of that name yet.

    A file of None is taken away.
    """
    git = world.store.git(REPO)
    index = {"GIT_INDEX_FILE": str(world.folder / f"index-{branch.replace('/', '-')}")}
    parent = git.branch(branch) or (None if orphan else git.branch("main"))
    if parent:
        git.run("read-tree", parent, environment=index)
    for path, content in files.items():
        blob = (
            git.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
            if content is not None
            else ""
        )
        # NUL-ended: names may hold anything but that. Mode 0 takes a file away.
        line = f"100644 {blob}\t{path}\x00" if blob else f"0 {ZERO_SHA}\t{path}\x00"
        git.run("update-index", "-z", "--index-info", stdin=line.encode(), environment=index)
    tree = git.run("write-tree", environment=index).decode().strip()
    date = f"{int(world.clock.at.timestamp())} +0000"
    who = {
        key: value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (
            (f"GIT_{role}_NAME", GITHUB_ACTIONS_BOT),
            (f"GIT_{role}_EMAIL", "bot@users.noreply.github.com"),
            (f"GIT_{role}_DATE", date),
        )
    }
    parents = ["-p", parent] if parent else []
    sha = git.run("commit-tree", tree, *parents, stdin=message.encode(), environment=who).decode().strip()
    git.update_ref(f"refs/heads/{branch}", sha)
    return sha


def add_run(
    world: World, number: int, minute: float, took: float, *, event: str = "workflow_dispatch", **more
) -> int:
    """One finished run with one job and its log."""
    world.clock.minutes(minute)
    begun, ended = stamp(world.clock.at), stamp(world.clock.at + timedelta(minutes=took))
    workflow = world.runs.workflow(REPO, ".github/workflows/autonomous-loop.yml", "Autonomous Loop", begun)
    steps = (
        StepResult(1, "Run actions/checkout@v5", "success", begun, begun),
        StepResult(2, "Autonomous Loop", more.get("conclusion", "success"), begun, ended),
        StepResult(3, "Upload what is left", "skipped", ended, ended),
    )
    run = world.runs.add_run(
        RunRecord(
            repo=REPO,
            workflow_id=workflow.id,
            path=workflow.path,
            name=workflow.name,
            title=more.get("title", f"issue-1, session {number}"),
            event=event,
            ref="refs/heads/main",
            head_branch="main",
            head_sha=str(world.store.git(REPO).branch("main")),
            actor=GITHUB_ACTIONS_BOT if event == "workflow_dispatch" else "mona",
            triggering_actor="mona",
            created_at=begun,
            started_at=begun,
            updated_at=ended,
            payload={"issue": {"number": world.issue}}
            if event == "issues"
            else {"inputs": {"loop": "issue-1"}},
            source=b"",
            inputs={} if event == "issues" else {"loop": "issue-1", "generation": str(number)},
            caused_by=more.get("caused_by"),
            status=more.get("status", "completed"),
            conclusion=more.get("conclusion", "success")
            if more.get("status", "completed") == "completed"
            else None,
        )
    )
    log = world.folder / f"job-{run.id}.log"
    log.write_text("".join(f"{begun[:-1]}.0000000Z {line}\n" for line in more.get("log", LOG).splitlines()))
    live = run.status != "completed"
    world.runs.add_job(
        JobRecord(
            run_id=run.id,
            attempt=1,
            key="session",
            name="session",
            created_at=begun,
            runs_on="ubuntu-latest",
            status=run.status,
            conclusion=run.conclusion,
            started_at=begun,
            completed_at=None if live else ended,
            log=str(log),
            summary=more.get("summary", ""),
            annotations=more.get("annotations", ()),
            steps=() if live else steps,
        )
    )
    return run.id


LOG = """Job session, run 1
##[group]Run actions/checkout@v5
[command]git fetch --depth=1 origin main
[command]git checkout --force FETCH_HEAD
##[endgroup]
##[group]Autonomous Loop
##[endgroup]
\x1b[1mAutonomous Loop\x1b[0m: session 2 of issue-1, CONTINUE
restored checkpoint 5d1e0c2, 3 of 8 features proved
##[group]paging: ten entries a page
attempt 1, claude-opus-5-5, budget left $7.41
bash: python -m pytest -q tests/test_paging.py
\x1b[31m2 failed\x1b[0m, 1 passed in 0.31s
##[endgroup]
##[warning]paging: refused: tests/test_store.py::test_order passed at the checkpoint and fails now
paging: attempt 2 from the checkpoint
paging: red 3 failed, green 3 passed, regression 24 passed
\x1b[32m✓ paging proved\x1b[0m, kept as 9be04d1
context is at 81 % of 200,000 tokens: handing off
handoff written, session 3 dispatched
"""


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _fill(world: World, pictures: dict[str, bytes]) -> None:
    store, clock = world.store, world.clock
    issue = store.issues.create(
        REPO,
        "Eight wishes for the guestbook",
        (EXAMPLE / "issue.md").read_text().partition("\n")[2].strip(),
        MONA,
        labels=["enhancement"],
    )
    world.issue = issue.number
    store.labels.create(REPO, "autonomous-loop", MONA, color="1f6feb", description="Starts a loop")
    store.labels.create(REPO, "loop: working", BOT, color="fbca04")
    store.labels.create(REPO, "loop: ready", BOT, color="0e8a16")
    clock.minutes(2)
    store.issues.add_labels(REPO, issue.number, ["autonomous-loop"], MONA)
    clock.minutes(3)
    store.issues.add_labels(REPO, issue.number, ["loop: working"], BOT)
    clock.minutes(4)
    sticky = store.comments.create(REPO, issue.number, "planning", BOT)
    branch = "autonomous-loop/issue-1/pr"
    shas = []
    for number, (name, _kind, _text, _tries) in enumerate(FEATURES):
        clock.minutes(8 + number * 5)
        shas.append(
            commit(world, branch, _files(name), f"{_MESSAGES[name]}\n\nFeature {name} of #{issue.number}.")
        )
        if number == 2:
            clock.minutes(20)
            made = store.pulls.create(
                REPO,
                title=issue.title,
                body="In the making.",
                head=branch,
                base="main",
                actor=BOT,
                draft=True,
            )
            world.pull = made.number
    world.heads = tuple(shas)
    store.pulls.head_moved(store.pulls.require(REPO, world.pull), shas[-1], BOT)
    shots = {
        f"evidence/{name}/{shot}": pictures.get(name, picture())
        for name, shot in (("search", "found.png"), ("likes", "liked.png"))
    }
    proofs = {f"proofs/{name}.json": b"{}" for name, *_ in FEATURES}
    world.state = commit(
        world, "autonomous-loop/issue-1/state", {**shots, **proofs}, "Kept likes", orphan=True
    )
    runs = [add_run(world, 1, 2.2, 13, event="issues", title=issue.title)]
    runs.append(add_run(world, 2, 15.4, 14, caused_by=runs[-1]))
    runs.append(add_run(world, 3, 29.6, 9, caused_by=runs[-1]))
    site = Site(
        repository_url=f"{world.url}/{REPO}",
        state=world.state,
        branch="autonomous-loop/issue-1",
        model="claude-opus-5-5",
        run_url=f"{world.url}/{REPO}/actions/runs/{runs[-1] + 1}",
        ci="approval",
    )
    record = loop_record(store.git(REPO), world.issue, world.pull, world.heads)
    notice = Annotation("notice", "8 of 8 features proved, ready for review", "Autonomous Loop")
    runs.append(
        add_run(
            world, 4, 38.8, 11, caused_by=runs[-1], summary=job_summary(record, site), annotations=(notice,)
        )
    )
    world.run_ids = tuple(runs)
    clock.minutes(50)
    hidden = "\n\n<!-- autonomous-loop:handoff eyJzZWNyZXQiOiAibm8ifQ== -->\n"
    store.comments.edit(REPO, sticky.id, sticky_comment(record, site) + hidden, BOT)
    store.issues.edit(REPO, world.pull, BOT, body=pull_request_body(record, site))
    store.pulls.set_draft(REPO, world.pull, BOT, draft=False)
    store.issues.set_labels(REPO, issue.number, ["enhancement", "autonomous-loop", "loop: ready"], BOT)
    clock.minutes(51)
    store.comments.create(
        REPO, world.pull, "Lovely, `/?page=abc` works too. One look at the feed and I merge it.", MONA
    )
    store.reviews.create(
        REPO,
        world.pull,
        MONA,
        event="APPROVE",
        body="Tried it with our year of entries.",
        comments=[{"path": "guestbook/feed.py", "line": 9, "body": "Good: **UTC**, as asked."}],
    )
    clock.at = NOW


def _files(feature: str) -> dict[str, bytes]:
    folder = EXAMPLE / "files" / feature
    kept = [path for path in sorted(folder.iterdir()) if path.name not in {"test_weak.py", "feed_first.py"}]
    return {_WHERE.get(path.name, f"tests/{path.name}"): path.read_bytes() for path in kept}
