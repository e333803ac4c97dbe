import pytest

from autonomous_loop.errors import DeadlineError, SandboxCallError
from autonomous_loop.sandbox.helper import Helper


async def test_bytes_go_in_and_come_out_unchanged(sandbox):
    data = bytes(range(256)) * 4000
    await sandbox.write_file("new/folder/file.bin", data)
    assert await sandbox.read_file("new/folder/file.bin", max_bytes=len(data)) == data
    assert await sandbox.read_file(f"{sandbox.work}/new/folder/file.bin", max_bytes=len(data)) == data
    await sandbox.write_file("new/folder/file.bin", b"shorter")
    assert await sandbox.read_file("new/folder/file.bin", max_bytes=100) == b"shorter"


async def test_a_rewritten_file_stays_executable(sandbox):
    await sandbox.run(["sh", "-c", "echo 'echo old' >tool; chmod 755 tool"], timeout_s=10)
    await sandbox.write_file("tool", b"#!/bin/sh\necho new\n")
    assert (await sandbox.run(["./tool"], timeout_s=10)).stdout == b"new\n"


async def test_the_temporary_folder_is_in_reach_too(sandbox):
    await sandbox.write_file(f"{sandbox.temporary}/report.xml", b"<x/>")
    assert await sandbox.read_file(f"{sandbox.temporary}/report.xml", max_bytes=10) == b"<x/>"


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
    with pytest.raises(SandboxCallError, match=reason):
        await shared.read_file(path, max_bytes=10)


async def test_find_gives_regular_files_sorted_and_follows_no_link(sandbox):
    script = "mkdir -p r/sub; touch r/b.xml r/sub/a.xml r/c.txt; mkfifo r/f.xml"
    await sandbox.run(["sh", "-c", f"{script}; ln -s b.xml r/l.xml; ln -s sub r/linked"], timeout_s=10)
    assert await sandbox.find("r", suffixes=[".xml"], most=10) == ["r/b.xml", "r/sub/a.xml"]
    assert await sandbox.find("", suffixes=[], most=10) == ["r/b.xml", "r/c.txt", "r/sub/a.xml"]
    assert len(await sandbox.find("r", suffixes=[], most=2)) == 2
    assert await sandbox.find("missing", suffixes=[], most=10) == []
    found = await sandbox.find(f"{sandbox.work}/r", suffixes=[".txt"], most=10)
    assert found == [f"{sandbox.work}/r/c.txt"]
    with pytest.raises(SandboxCallError):
        await sandbox.find("r/linked", suffixes=[], most=10)


async def test_the_courier_comes_back_after_everything_was_ended(sandbox):
    await sandbox.write_file("kept", b"x")
    await sandbox.end_all()
    assert await sandbox.read_file("kept", max_bytes=10) == b"x"


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
    with pytest.raises(SandboxCallError, match=reason):
        await helper.ask({}, most=100, timeout_s=10)


async def test_a_helper_that_does_not_answer_meets_its_deadline(sandbox):
    helper = Helper("the courier", ["sleep", "60"], sandbox._start)
    with pytest.raises(DeadlineError, match=r"did not answer within 0\.3 s"):
        await helper.ask({}, most=100, timeout_s=0.3)
