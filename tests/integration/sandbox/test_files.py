import pytest

from autonomous_loop.errors import DeadlineError, HandsError
from autonomous_loop.sandbox.helper import Helper


async def test_bytes_go_in_and_come_out_unchanged(hands):
    data = bytes(range(256)) * 4000
    await hands.write_file("new/folder/file.bin", data)
    assert await hands.read_file("new/folder/file.bin", max_bytes=len(data)) == data
    assert await hands.read_file(f"{hands.work}/new/folder/file.bin", max_bytes=len(data)) == data
    await hands.write_file("new/folder/file.bin", b"shorter")
    assert await hands.read_file("new/folder/file.bin", max_bytes=100) == b"shorter"


async def test_a_rewritten_file_stays_executable(hands):
    await hands.run(["sh", "-c", "echo 'echo old' >tool; chmod 755 tool"], timeout_s=10)
    await hands.write_file("tool", b"#!/bin/sh\necho new\n")
    assert (await hands.run(["./tool"], timeout_s=10)).stdout == b"new\n"


async def test_the_temporary_folder_is_in_reach_too(hands):
    await hands.write_file(f"{hands.temporary}/report.xml", b"<x/>")
    assert await hands.read_file(f"{hands.temporary}/report.xml", max_bytes=10) == b"<x/>"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", "no such file"),
        ("folder", "not a regular file"),
        ("large", "larger than 10 bytes"),
        ("link", "symbolic links"),
        ("linked/inside", "not a directory"),
        ("fifo", "not a regular file"),
        ("../outside", "outside the hands' folder"),
        ("/etc/hostname", "outside the hands' folder"),
        (".", "not a regular file"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_only_regular_files_of_the_hands_are_read(shared, path, reason):
    script = "mkdir -p folder; touch folder/inside; head -c 11 /dev/zero >large; test -p fifo || mkfifo fifo"
    await shared.run(["sh", "-c", f"{script}; ln -sf large link; ln -sfn folder linked"], timeout_s=10)
    with pytest.raises(HandsError, match=reason):
        await shared.read_file(path, max_bytes=10)


async def test_find_gives_regular_files_sorted_and_follows_no_link(hands):
    script = "mkdir -p r/sub; touch r/b.xml r/sub/a.xml r/c.txt; mkfifo r/f.xml"
    await hands.run(["sh", "-c", f"{script}; ln -s b.xml r/l.xml; ln -s sub r/linked"], timeout_s=10)
    assert await hands.find("r", suffixes=[".xml"], most=10) == ["r/b.xml", "r/sub/a.xml"]
    assert await hands.find("", suffixes=[], most=10) == ["r/b.xml", "r/c.txt", "r/sub/a.xml"]
    assert len(await hands.find("r", suffixes=[], most=2)) == 2
    assert await hands.find("missing", suffixes=[], most=10) == []
    found = await hands.find(f"{hands.work}/r", suffixes=[".txt"], most=10)
    assert found == [f"{hands.work}/r/c.txt"]
    with pytest.raises(HandsError):
        await hands.find("r/linked", suffixes=[], most=10)


async def test_the_courier_comes_back_after_everything_was_ended(hands):
    await hands.write_file("kept", b"x")
    await hands.end_all()
    assert await hands.read_file("kept", max_bytes=10) == b"x"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('not json')", "not a JSON object"),
        ("print('[]')", "not a JSON object"),
        ("print('x' * 1_000_000)", "more than"),
        ("import sys; sys.exit('why it died')", "why it died"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_helper_that_misbehaves_is_an_error_not_a_hang(shared, program, reason):
    helper = Helper(
        "the courier", [shared.python, "-u", "-c", f"{program}\nimport time; time.sleep(60)"], shared._start
    )
    with pytest.raises(HandsError, match=reason):
        await helper.ask({}, most=100, timeout_s=10)


async def test_a_helper_that_does_not_answer_meets_its_deadline(hands):
    helper = Helper("the courier", ["sleep", "60"], hands._start)
    with pytest.raises(DeadlineError, match=r"did not answer within 0\.3 s"):
        await helper.ask({}, most=100, timeout_s=0.3)
