import asyncio

import pytest

from autonomous_loop.agent.conversation import ToolCall
from autonomous_loop.agent.editor import MAX_FILE_BYTES
from autonomous_loop.agent.tool_runner import ToolRunner
from autonomous_loop.domain.work import BrowserResult
from autonomous_loop.errors import SandboxCallError
from waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
PNG = b"\x89PNG\r\n\x1a\n"


class Together:
    """The real hands, where two reads (or a read and a command) must be under way at the same time to end."""

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._both = asyncio.Barrier(2)

    def __getattr__(self, name):
        return getattr(self._sandbox, name)

    async def read_file(self, path, *, max_bytes):
        async with asyncio.timeout(5):
            await self._both.wait()
        return await self._sandbox.read_file(path, max_bytes=max_bytes)

    async def shell(self, command, *, timeout_s, max_output):
        async with asyncio.timeout(5):
            await self._both.wait()
        return await self._sandbox.shell(command, timeout_s=timeout_s, max_output=max_output)


class Seeing:
    """Hands with a browser that shows one picture."""

    work = "/work-tree"

    def __init__(self, png=PNG):
        self._png = png

    async def browse(self, action, *, url, selector, value):
        return BrowserResult(
            f"{action} {url}{selector}{value}", self._png if action == "screenshot" else None
        )


def toolbox(sandbox, *, timeout_s=10.0, max_output=2_000, left_s=60.0, images=True):
    return ToolRunner(
        sandbox,
        command_timeout_s=timeout_s,
        max_output=max_output,
        seconds_left=lambda: left_s,
        images=images,
    )


def calls(*given):
    return [ToolCall(f"toolu_{n}", name, inputs) for n, (name, inputs) in enumerate(given)]


def bash(command):
    return ("bash", {"command": command})


def edit(command, path, **more):
    return ("str_replace_based_edit_tool", {"command": command, "path": path, **more})


async def appears(sandbox, name):
    await until(lambda: sandbox.find(".", suffixes=[name], most=9))


# Goes on when it is told to, where it still runs.
WAITING = "touch begun; until [ -e go ]; do sleep 0.05; done; touch made"


async def go(sandbox):
    await sandbox.write_file("go", b"")
    await asyncio.sleep(1)


async def one(sandbox, call, **more):
    (result,) = await toolbox(sandbox, **more).run(calls(call))
    return result


async def test_independent_tools_run_at_the_same_time(sandbox):
    await sandbox.write_file("a", b"A")
    await sandbox.write_file("b", b"B")
    together = toolbox(Together(sandbox))
    first, second = await together.run(calls(edit("view", "a"), edit("view", "b")))
    assert (first.text, second.text) == ("     1\tA", "     1\tB")
    seen, ran = await toolbox(Together(sandbox)).run(calls(edit("view", "a"), bash("echo ran")))
    assert (seen.is_error, ran.text) == (False, "ran\n[exit code 0]")


async def test_tools_that_need_each_other_run_in_order(sandbox):
    results = await toolbox(sandbox).run(
        calls(
            bash("sleep 0.2; echo one > log"),
            bash("echo two >> log"),
            edit("create", "new.txt", file_text="x = 1\n"),
            edit("str_replace", f"{sandbox.work}/new.txt", old_str="1", new_str="22"),
            edit("str_replace", "./new.txt", old_str="22", new_str="333"),
            bash("cat log new.txt"),
        )
    )
    assert results[-1].text == "one\ntwo\nx = 333\n[exit code 0]"


async def test_the_shell_keeps_its_folder_and_shows_every_exit_code(sandbox):
    box = toolbox(sandbox)
    results = await box.run(calls(bash("mkdir in; cd in; export X=5"), bash("echo $X; basename $PWD; false")))
    assert results[1].text == "5\nin\n[exit code 1]"
    (restarted,) = await box.run(calls(("bash", {"restart": True})))
    (after,) = await box.run(calls(bash("echo ${X:-gone}")))
    assert (restarted.is_error, after.text) == (False, "gone\n[exit code 0]")


async def test_a_command_that_does_not_end_is_an_error_and_the_next_one_runs(sandbox):
    (late,) = await toolbox(sandbox, timeout_s=5).run(calls(bash("echo begun; sleep 600")))
    (after,) = await toolbox(sandbox).run(calls(bash("echo on")))
    assert late.is_error
    assert "begun" in late.text
    assert "no exit code" in late.text
    assert after.text == "on\n[exit code 0]"


async def test_no_command_outlasts_the_session(sandbox):
    result = await one(sandbox, bash("sleep 60"), timeout_s=60.0, left_s=0.5)
    assert result.is_error
    nothing = await one(sandbox, bash("touch made"), left_s=0.0)
    assert (nothing.is_error, "no time left" in nothing.text) == (True, True)
    assert not await sandbox.find(".", suffixes=["made"], most=9)


async def test_long_output_keeps_its_head_and_tail_and_says_what_is_missing(sandbox):
    result = await one(sandbox, bash("echo first; seq 100000; echo last"))
    assert len(result.text) < 2_200
    assert result.text.startswith("first\n1\n")
    assert result.text.endswith("100000\nlast\n[exit code 0]")
    assert "left out" in result.text


async def test_a_file_is_viewed_with_line_numbers_or_in_part(sandbox):
    await sandbox.write_file("f.txt", b"one\ntwo\nthree\n")
    assert (await one(sandbox, edit("view", "f.txt"))).text == "     1\tone\n     2\ttwo\n     3\tthree"
    assert (
        await one(sandbox, edit("view", "f.txt", view_range=[2, -1]))
    ).text == "     2\ttwo\n     3\tthree"
    assert (await one(sandbox, edit("view", "f.txt", view_range=[3, 99]))).text == "     3\tthree"
    for wrong in ([4, 5], [0, 1], [3, 2], ["1", 2], 7):
        assert (await one(sandbox, edit("view", "f.txt", view_range=wrong))).is_error, wrong


async def test_a_long_file_says_where_to_go_on(sandbox):
    await sandbox.write_file("long", b"x" * 90 + b"\n" + b"".join(b"%d\n" % n for n in range(5_000)))
    text = (await one(sandbox, edit("view", "long"))).text
    assert len(text) < 2_200
    assert "5001 are left out" in text
    assert "view_range" in text


async def test_a_folder_is_listed_two_levels_deep(sandbox):
    for path in ("d/a.txt", "d/e/b.txt", "d/e/f/c.txt", "d/.hidden"):
        await sandbox.write_file(path, b"")
    text = (await one(sandbox, edit("view", "d"))).text
    assert text.splitlines()[1:] == ["a.txt", "e/", "e/b.txt", "e/f/"]
    missing = await one(sandbox, edit("view", "nowhere"))
    assert missing.is_error
    assert "nowhere" in missing.text


async def test_an_edit_needs_exactly_one_place(sandbox):
    await sandbox.write_file("f", b"a = 1\nb = 1\n")
    twice = await one(sandbox, edit("str_replace", "f", old_str="= 1", new_str="= 2"))
    assert (twice.is_error, "2 times (lines 1, 2)" in twice.text) == (True, True)
    none = await one(sandbox, edit("str_replace", "f", old_str="c", new_str="d"))
    assert (none.is_error, "does not stand in f" in none.text) == (True, True)
    assert (await one(sandbox, edit("str_replace", "f", old_str="", new_str="d"))).is_error
    done = await one(sandbox, edit("str_replace", "f", old_str="b = 1", new_str=r"b = \1"))
    assert done.text == "f is changed at line 2."
    assert await sandbox.read_file("f", max_bytes=99) == b"a = 1\nb = \\1\n"
    await one(sandbox, edit("str_replace", "f", old_str="a = 1\n"))
    assert await sandbox.read_file("f", max_bytes=99) == b"b = \\1\n"


async def test_a_file_keeps_its_line_ends(sandbox):
    await sandbox.write_file("dos", b"one\r\ntwo\r\n")
    await one(sandbox, edit("str_replace", "dos", old_str="one\ntwo", new_str="1\n2"))
    await one(sandbox, edit("insert", "dos", insert_line=1, insert_text="and"))
    assert await sandbox.read_file("dos", max_bytes=99) == b"1\r\nand\r\n2\r\n"


@pytest.mark.parametrize(
    ("before", "line", "text", "after"),
    [
        (b"a\nb\n", 0, "x", b"x\na\nb\n"),
        (b"a\nb\n", 1, "x\ny\n", b"a\nx\ny\nb\n"),
        (b"a\nb", 2, "x", b"a\nb\nx\n"),
        (b"", 0, "x", b"x\n"),
    ],
)
async def test_lines_are_inserted_after_a_line(sandbox, before, line, text, after):
    await sandbox.write_file("f", before)
    assert not (await one(sandbox, edit("insert", "f", insert_line=line, insert_text=text))).is_error
    assert await sandbox.read_file("f", max_bytes=99) == after


async def test_what_cannot_be_done_is_an_error_result(sandbox):
    await sandbox.write_file("bytes", b"\xff\xfe\x00")
    await sandbox.write_file("big", b"x" * (MAX_FILE_BYTES + 1))
    await sandbox.write_file("f", b"a\n")
    for call in (
        edit("view", "bytes"),
        edit("view", "big"),
        edit("undo_edit", "f"),
        edit("create", "f"),
        edit("create", "../../outside", file_text="x"),
        edit("view", ""),
        edit("insert", "f", insert_line=2, insert_text="x"),
        edit("insert", "f", insert_line=True, insert_text="x"),
        ("bash", {}),
        ("bash", "ls"),
        ("browser", {"action": "dance"}),
        ("browser", {"action": "goto", "url": 7}),
    ):
        result = await one(sandbox, call)
        assert (result.is_error, bool(result.text)) == (True, True), call


async def test_a_screenshot_is_an_image_where_the_model_reads_images():
    seen = await one(Seeing(), ("browser", {"action": "screenshot"}))
    block = seen.block("toolu_1")
    assert [part["type"] for part in block["content"]] == ["text", "image"]
    assert block["content"][1]["source"]["data"] == "iVBORw0KGgo="
    for sandbox, images in ((Seeing(), False), (Seeing(PNG * 600_000), True)):
        result = await one(sandbox, ("browser", {"action": "screenshot"}), images=images)
        assert result.png is None
        assert "action text" in result.text
    shown = await one(Seeing(), ("browser", {"action": "fill", "selector": "#a", "value": "v" * 5_000}))
    assert len(shown.text) < 2_100


async def test_a_fault_of_the_hands_ends_no_other_tool(sandbox):
    class Failing(Together):
        async def read_file(self, path, *, max_bytes):
            raise SandboxCallError("the courier is gone")

    results = await toolbox(Failing(sandbox)).run(
        calls(edit("insert", "a", insert_line=0, insert_text="x"), edit("create", "b", file_text="y"))
    )
    assert [result.is_error for result in results] == [True, False]


async def test_what_runs_is_ended_when_the_conversation_is(sandbox):
    both = calls(bash(WAITING), edit("create", "after", file_text="never"))
    running = asyncio.create_task(toolbox(sandbox).run(both))
    await appears(sandbox, "begun")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await go(sandbox)
    assert await sandbox.find(".", suffixes=["made", "after"], most=9) == []


async def test_an_unforeseen_fault_ends_the_other_tools_before_it_goes_on(sandbox):
    class Broken(Together):
        async def read_file(self, path, *, max_bytes):
            await appears(self._sandbox, "begun")
            raise RuntimeError("not foreseen")

        async def shell(self, command, *, timeout_s, max_output):
            return await self._sandbox.shell(command, timeout_s=timeout_s, max_output=max_output)

    with pytest.raises(RuntimeError, match="not foreseen"):
        await toolbox(Broken(sandbox)).run(calls(bash(WAITING), edit("view", "x")))
    await go(sandbox)
    assert await sandbox.find(".", suffixes=["made"], most=9) == []
