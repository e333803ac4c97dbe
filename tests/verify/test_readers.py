"""Sources of others are read apart from the loop, once; what cannot be read does not pass in silence."""

import asyncio

import pytest

from autonomous_loop.verify import gate as gating
from autonomous_loop.verify.syntax import isolation as room
from autonomous_loop.verify.syntax import reading
from verify.proof_world import DOUBLE, DOUBLE_TEST, START, codes

pytestmark = pytest.mark.asyncio(loop_scope="session")
MANY = 120
OLDER = "import calc\n\n\n" + "".join(
    f"def test_f{n}():\n    assert calc.add({n}, 1) == {n + 1}\n\n\n" for n in range(MANY)
)


@pytest.fixture
def read_here(monkeypatch):
    """What is read in the loop's own process."""
    here = []
    real = reading.attempt
    reading.forget()
    monkeypatch.setattr(reading, "attempt", lambda *given: here.append(given[1]) or real(*given))
    return here


@pytest.fixture
def read_apart(monkeypatch):
    """How many sources each process read."""
    counts = []
    real = reading.apart

    async def counted(calls):
        counts.append(len(calls))
        return await real(calls)

    monkeypatch.setattr(reading, "apart", counted)
    return counts


async def test_a_proof_reads_each_content_once_and_nothing_in_the_loop(world, read_here, read_apart):
    """A changed file of very many tests, one of them moved, one changed with the behaviour."""
    names = tuple(f"tests/test_calc.py::test_f{n}" for n in range(MANY))
    await world.start(START | {"tests/test_calc.py": OLDER}, passing=names)
    changed = OLDER.replace("calc.add(7, 1) == 8", "calc.add(7, 1) == 8\n    assert calc.add(0, 0) == 0")
    verdict = await world.submit(
        DOUBLE | DOUBLE_TEST | {"tests/test_calc.py": changed},
        "tests/test_double.py",
        "tests/test_calc.py::test_f7",
    )
    assert verdict.accepted, verdict.reasons
    assert read_here == []
    # calc.py and test_calc.py before and after, and the new test: five contents, by the gate.
    assert read_apart == [5]


async def test_a_loosened_test_among_many_is_seen_with_as_little_reading(world, read_here, read_apart):
    names = tuple(f"tests/test_calc.py::test_f{n}" for n in range(MANY))
    await world.start(START | {"tests/test_calc.py": OLDER}, passing=names)
    changed = OLDER.replace("calc.add(7, 1) == 8", "calc.add(7, 1)")
    verdict = await world.submit(
        DOUBLE | DOUBLE_TEST | {"tests/test_calc.py": changed}, "tests/test_double.py"
    )
    assert codes(verdict) == ["weakened"]
    assert (read_here, read_apart) == ([], [5])


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("deep.py", b"x = " + b"-" * 100_000 + b"1\n"),
        ("deep.py", b"x = 1" + b" + 1" * 50_000 + b"\n"),
        ("conftest.py", b"x = f" + b".f()" * 20_000 + b"\n"),
        ("tests/test_wide.py", b"collect_ignore = 0x" + b"f" * 300_000 + b"\n"),
        ("tests/deep.test.js", b"it('a', () => {" * 20_000 + b"})" * 20_000),
        ("src/deep.rs", b"mod a {" * 20_000),
        ("src/test/java/ATest.java", b"@Test void a() {" * 20_000),
        ("a_test.go", b"func TestA(t *testing.T) {\n" * 20_000),
    ],
)
async def test_what_is_too_deep_for_a_reader_is_refused(world, path, source):
    await world.start(START)
    before = world.repository.tree_of(world.checkpoint)
    report = await world.gate.check(before, world.tree(DOUBLE | {path: source}, before))
    assert [reason.code for reason in report.refusals] == ["unreadable"]
    assert report.refusals[0].text.startswith(f"{path} could not be read: ")


async def test_what_takes_too_long_is_refused_while_everything_else_is_heard(world, configured, monkeypatch):
    """A large file whose reading takes minutes; meanwhile the loop's clock goes on, and a stop ends it."""
    configured(max_file_bytes=20_000_000)
    await world.start(START)
    real = reading.apart
    monkeypatch.setattr(reading, "apart", lambda calls: real(calls, cpu_s=0.5))
    before = world.repository.tree_of(world.checkpoint)
    large = b"".join(b"x%d = [%s]\n" % (n, b"a, " * 1_000) for n in range(4_000))
    assert len(large) > 10_000_000
    after = world.tree({"large.py": large}, before)
    ticks = 0
    checking = asyncio.create_task(world.gate.check(before, after))
    while not checking.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 10
    refusals = (await checking).refusals
    assert [reason.code for reason in refusals] == ["unreadable"]
    assert refusals[0].text.startswith(
        "large.py could not be read: it takes more than 0.5 s of the processor. "
    )


async def test_a_search_for_secrets_that_does_not_end_is_refused(world, monkeypatch):
    await world.start(START)
    real = room.apart
    monkeypatch.setattr(gating, "apart", lambda calls: real(calls, cpu_s=0.2))
    before = world.repository.tree_of(world.checkpoint)
    after = world.tree({"notes.txt": "eyJ" * 1_000_000}, before)
    report = await world.gate.check(before, after)
    assert [reason.code for reason in report.refusals] == ["unreadable"]
    assert report.refusals[0].text.startswith("notes.txt could not be read: it takes more than")


async def test_what_is_no_python_is_pointed_out_and_as_a_conftest_refused(world):
    await world.start(START)
    before = world.repository.tree_of(world.checkpoint)
    report = await world.gate.check(before, world.tree({"tests/data/old.py": "print 'x'\n"}, before))
    assert report.refusals == ()
    assert [one.partition(" (")[0] for one in report.notices] == ["not read: tests/data/old.py"]
    report = await world.gate.check(before, world.tree({"docs/conftest.py": "def f(:\n"}, before))
    assert [reason.code for reason in report.refusals] == ["unreadable"]
    assert "docs/conftest.py cannot be parsed by the loop's Python" in report.refusals[0].text


async def test_what_cannot_be_compared_is_pointed_out(world):
    await world.start(START | {"calc.py": "def add(a, b:\n", "data.py": "def f(:\n"})
    before = world.repository.tree_of(world.checkpoint)
    report = await world.gate.check(
        before, world.tree({"calc.py": START["calc.py"], "data.py": None}, before)
    )
    assert [one.partition(" (")[0] for one in report.notices] == ["not read as it was before: calc.py"]
