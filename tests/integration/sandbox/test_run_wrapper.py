"""The program round a run of tests: what it plants, removes, waits for and passes on."""

import base64
import json
from pathlib import Path

import pytest

from autonomous_loop.verify.execution import run_wrapper
from autonomous_loop.verify.execution.running import _carried
from waiting import away

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROGRAM = Path(run_wrapper.__file__).read_text()
MARK = "AUTONOMOUS_LOOP_TEST_RUN=0123"


async def around(sandbox, command, *, reports=("report",), timeout_s=20, program=PROGRAM, **given):
    asked = {"work": sandbox.work, "stale": [], "reports": list(reports), "canaries": {}, "files": {}} | given
    for kind in ("canaries", "files"):
        asked[kind] = {path: base64.b64encode(text).decode() for path, text in asked[kind].items()}
    done = await sandbox.run(
        ["around-run", MARK, f"{sandbox.temporary}/run-1", command, "one", "two"],
        program=program, stdin=json.dumps(asked).encode(), timeout_s=timeout_s, merge_stderr=False,
    )  # fmt: skip
    return done, *_carried(done.stdout)


async def listed(sandbox):
    return (await sandbox.run(["find", ".", "-type", "f"], timeout_s=10)).text.split()


async def test_tests_print_to_standard_error_and_reports_come_by_name(sandbox):
    done, reports, left = await around(
        sandbox,
        'echo "out $1 $2"; echo err >&2; echo "<x/>" >report; exit 3',
        canaries={"t/test_canary.py": b"c"},
        files={f"{sandbox.temporary}/run-1/reporter.js": b"r"},
    )
    assert (done.exit_code, done.stderr) == (3, b"out one two\nerr\n")
    assert (dict(reports), left) == ({"report": b"<x/>\n"}, "")
    assert await listed(sandbox) == ["./report"]


async def test_what_was_there_before_goes(sandbox):
    plant = "mkdir -p src/__pycache__ $TMPDIR/run-0; touch src/__pycache__/a.pyc report r.xml"
    await sandbox.run(["bash", "-c", plant], timeout_s=10)
    done, reports, _ = await around(
        sandbox, "ls $TMPDIR src", reports=["report", "*.xml"], stale=["src/__pycache__", "none/__pycache__"]
    )
    assert done.stderr == f"{sandbox.temporary}:\nrun-1\n\nsrc:\n".encode()
    assert reports == {}
    assert await listed(sandbox) == []


@pytest.mark.parametrize("whom", ["0", "$PPID"])
async def test_an_interrupt_of_the_whole_group_is_the_tests_to_heed(sandbox, whom):
    command = f"trap : INT; kill -INT {whom}; sleep 0.2; echo ok >report"
    done, reports, _ = await around(sandbox, command, canaries={"test_canary.py": b"c"})
    assert (done.exit_code, done.stderr) == (0, b"")
    assert dict(reports) == {"report": b"ok\n"}
    assert await listed(sandbox) == ["./report"]


async def test_an_interrupt_that_nobody_heeds_ends_the_tests_alone(sandbox):
    done, reports, _ = await around(
        sandbox, "kill -INT $$; echo no >report", canaries={"test_canary.py": b"c"}
    )
    assert done.exit_code == 130
    assert reports == {}
    assert await listed(sandbox) == []


async def test_a_command_that_cannot_be_started_takes_the_canary_along(sandbox):
    done, _, _ = await around(sandbox, f": {'x' * 200_000}", canaries={"test_canary.py": b"c"})
    assert done.exit_code == 126
    assert b"Argument list too long" in done.stderr
    assert await listed(sandbox) == []


@pytest.mark.parametrize(
    "plant",
    ["mkfifo report", "mkdir report", "ln -s /proc/self/maps report", "ln -s missing report", ": >report"],
)
async def test_what_is_no_report_is_none(sandbox, plant):
    _, reports, _ = await around(sandbox, plant)
    assert reports == {}


async def test_what_is_left_running_is_told_and_what_ends_soon_is_not(sandbox):
    patient = PROGRAM.replace("PATIENCE = 6", "PATIENCE = 300")
    assert patient != PROGRAM
    assert (await around(sandbox, "setsid sleep 0.3 &", program=patient, timeout_s=120))[2] == ""
    assert (await around(sandbox, f"setsid sleep 670 & {away('sleep')}"))[2].split() == ["sleep", "670"]
